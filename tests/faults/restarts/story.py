"""One transaction with restarts inside it: what came, what the check finds, what the topics say in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from faults.restarts.ledger import Ledger
from faults.restarts.patience import until
from faults.restarts.place import Place
from faults.restarts.restart import Inside, restart
from faults.restarts.topics import Delivered


def disturbed(
    place: Place, ledger: Ledger, mark: str, rows: int, write: Callable[[], None], kinds: Sequence[str]
) -> int:
    """Write a transaction that brings `rows` keys with a mark, and restart the connector inside it, once for each of
    the kinds. Count what became of it. Returns how many restarts were inside: the connector may be faster.
    """
    suspects, checks = len(place.noticed("transaction_suspect", 0)), len(place.noticed("hole_checked", 0))
    inside = Inside(place, mark)
    write()
    for number, kind in enumerate(kinds, start=1):
        goal = rows * number // (len(kinds) + 1)
        until(lambda goal=goal: inside.reached(goal), f"rows {mark} before a restart")  # type: ignore[misc]
        restart(place, kind)
    delivered: Delivered = until(lambda: place.log.of(mark), f"the end of the transaction {mark}")
    inside.close()
    landed = len(delivered.runs) - 1
    assert delivered.keys.most_common(1)[0][1] == 1, "a row came twice"
    if landed:
        until(lambda: place.noticed("transaction_suspect", suspects), "the suspect is named", 0.2)
    named = settled(place, ledger, checks)
    judged(place, ledger, mark, rows, delivered, named)
    ledger.restarts.update(kinds[:landed])
    return landed


def settled(place: Place, ledger: Ledger, checks: int) -> list[dict[str, Any]]:
    """Check what is suspect, as a person does; return the rows that were only named."""
    found = place.command("holes", "check", "-o", "json", "--wait", "600")
    for each in found:
        assert each["case"] == "", each
        ledger.methods[each["method"]] += 1
    until(lambda: len(place.noticed("hole_checked", checks)) >= sum(e["sent"] for e in found), "the check is taken in")
    shown = [place.command("holes", "show", each["hole"], "-o", "json") for each in found]
    assert all(hole["state"] == "closed" for hole in shown), shown
    return [row for hole in shown for outcome in hole["outcomes"] for row in outcome["named"] + outcome["gone"]]


def judged(
    place: Place, ledger: Ledger, mark: str, rows: int, delivered: Delivered, named: list[dict[str, Any]]
) -> None:
    """Hold table, log and topics against each other, and count."""
    table = place.database.articles()
    of_it = {key.removeprefix("stock-") for key in table if key.startswith(f"stock-{mark}-")}
    assert len(of_it) == rows
    lost = of_it - delivered.keys.keys()
    assert delivered.keys.keys() <= of_it, "the log has rows that were never written"

    def told() -> bool:
        place.told.refresh()
        return place.told.state.keys() >= table.keys()

    until(told, f"{len(table)} articles on the topic")
    differ = [key for key in place.told.state.keys() | table.keys() if place.told.state.get(key) != table.get(key)]
    assert not differ, f"{len(differ)} articles differ: {sorted(differ)[:10]}"
    said = place.told.said
    for key in of_it:
        times = {event: said[event, f"stock-{key}"] for event in ("Counted", "Moved", "StockKnown")}
        assert sum(times.values()) == 1, f"{key} was told {times}"
    recovered = {key for key in of_it if f"stock-{key}" in place.told.recovered}
    only_named = {row["key"][0] for row in named} - recovered
    assert lost <= recovered | only_named, sorted(lost - recovered - only_named)[:10]
    assert recovered | only_named <= lost, "a row was recovered that had come"
    ledger.transactions += 1
    ledger.rows += rows
    ledger.delivered += len(delivered.keys)
    ledger.lost += len(lost)
    ledger.recovered += len(recovered)
    ledger.named += len(only_named)
