"""Every kind of doubt is settled: what was lost is recovered as state or named by key, and nothing is invented."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from figbridge.domain.authority import Cut
from figbridge.errors import Refused, Unreachable
from figbridge.operations.holes.check import Scene, check
from figbridge.operations.holes.look import list_holes, open_holes, show_hole
from figbridge.operations.status import status
from figbridge.pipeline.collect import Doubt
from figbridge.ports import Outgoing, TopicPartition
from support.lossy import NOW_US, Passing, Rows, accepted, checked, lose, open_ones
from support.mappings import orders, stock
from support.monolith import delete, insert, update
from support.rig import GROUP, TOPICS, Rig

Made = Callable[..., Rig]
EVENTS = """Counted: {when: appears, tell: [onHand], fact: stock.level}
  Changed: {when: onHand changes, tell: [onHand], fact: stock.level}
  Gone: {when: disappears, tell: [], fact: stock.level}"""
STOCK = stock(EVENTS, "snapshot: StockKnown")
LOG = TOPICS.log("legacy")


def item(n: int, on_hand: int = 1):
    """Insert an article."""
    return insert("stock", item_cd=f"A{n}", on_hand=on_hand, reserved=0)


def bodies(bridge: Rig, kind: str = "domain") -> list[dict[str, Any]]:
    """Return the events that say they were recovered, as they left."""
    found = [json.loads(r.value or b"") for r in bridge.records(kind)]
    return sorted((b for b in found if "recovered" in b), key=lambda b: str(b["subject"]))


def state_of(bridge: Rig) -> tuple[int, int]:
    """Return how many suspects and open holes the status shows."""
    found = status(bridge.log, bridge.store, GROUP, bridge.sources)
    assert found.balanced
    return len(found.suspects), len(list_holes(bridge.log, GROUP))


@pytest.fixture
def bridge(rig: Made) -> Rig:
    """Return a bridge that knows one article from a transaction before."""
    made = rig(STOCK)
    made.commit(item(0))
    return made


def places(*numbers: int) -> set[tuple[str, tuple[str]]]:
    """Return the rows of articles."""
    return {("stock", (f"A{n}",)) for n in numbers}


def test_rows_lost_at_a_restart_are_found_by_commit_time(bridge: Rig) -> None:
    """Of a mass insert the rows that share a position were lost: their state comes in, marked, at the check's place."""
    tx = lose(bridge, *(item(n, n) for n in range(1, 6)), lost=[2, 3], restart=2)
    (hole,) = list_holes(bridge.log, GROUP)
    assert {s.doubt for s in hole.doubts} == {Doubt.RESTARTED}
    database = Rows(bridge, {tx: places(1, 2, 3, 4, 5)})
    (found,) = checked(bridge, database)
    assert (database.read, found.method, found.looked_at) == (["committed_at"], "commit-time", 5)
    assert [(row.table, row.key) for row in found.missing] == [("shop.stock", ["A3"]), ("shop.stock", ["A4"])]
    told = bodies(bridge)
    assert [(b["subject"], b["type"], b["data"]) for b in told] == [
        ("stock-A3", "StockKnown", {"onHand": 3, "reserved": 0}),
        ("stock-A4", "StockKnown", {"onHand": 4, "reserved": 0}),
    ]
    assert {b["recovered"] for b in told} == {hole.position}
    assert {b["id"] for b in told} == {f"legacy.1:recovered.0:StockKnown:stock-A{n}" for n in (3, 4)}
    assert {b["time"] for b in told} == {"2033-05-18T03:33:20Z"}
    assert NOW_US == 2_000_000_000_000_000
    assert [s.type for s in bridge.events() if s.subject in ("stock-A3", "stock-A4")] == ["StockKnown"] * 2
    assert state_of(bridge) == (0, 0)
    outcome = show_hole(bridge.log, GROUP, hole.position).outcomes[-1]
    assert (outcome.state, outcome.recovered, outcome.by, outcome.reason) == ("closed", 2, "ann", "seen")


def test_a_restart_that_lost_nothing_is_closed_and_says_nothing(bridge: Rig) -> None:
    """A suspect is no proof of a loss."""
    tx = lose(bridge, item(1), item(2), lost=[], restart=1)
    before = bridge.records("domain")
    (found,) = checked(bridge, Rows(bridge, {tx: places(1, 2)}))
    assert (found.missing, found.gone, found.case) == ([], [], "")
    assert bridge.records("domain") == before
    assert state_of(bridge) == (0, 0)


@pytest.mark.parametrize("times", [True, False])
def test_a_torn_key_change_is_found(bridge: Rig, times: bool) -> None:
    """The `c` of a changed key is asked for by commit time, else by the key that the log names."""
    tx = lose(bridge, update("stock", {"item_cd": "A0"}, item_cd="B0"), lost=[1])
    database = Rows(bridge, {tx: {("stock", ("B0",))}} if times else None)
    (found,) = checked(bridge, database)
    assert database.read == ["committed_at" if times else "by_key"]
    assert [row.key for row in found.missing] == [["B0"]]
    assert [b["subject"] for b in bodies(bridge)] == ["stock-B0"]
    assert state_of(bridge) == (0, 0)


def test_a_torn_key_whose_row_is_gone_by_now_is_closed(bridge: Rig) -> None:
    """What happened to it since is in the log."""
    lose(bridge, update("stock", {"item_cd": "A0"}, item_cd="B0"), lost=[1])
    bridge.commit(delete("stock", item_cd="B0"))
    (found,) = checked(bridge, Rows(bridge))
    assert (found.missing, found.case) == ([], "")
    assert state_of(bridge) == (0, 0)


def test_a_commit_time_that_the_database_has_forgotten_is_not_used(bridge: Rig) -> None:
    """Then every row of the suspect's tables is held against the log."""
    lose(bridge, item(1), item(2), lost=[0], restart=0)
    lose(bridge, item(3), item(4), item(5), lost=[1], restart=1)
    database = Rows(bridge, {})
    assert {f.method for f in checked(bridge, database)} == {"tables"}
    assert [b["subject"] for b in bodies(bridge)] == ["stock-A1", "stock-A4"]


def test_a_count_that_differs_is_checked_by_tables(bridge: Rig) -> None:
    """An update that was lost: the row's newest image in the log is another than the database has."""
    lose(bridge, update("stock", {"item_cd": "A0"}, on_hand=7), item(1), lost=[0], announced=2)
    (found,) = checked(bridge, Rows(bridge))
    assert [row.key for row in found.missing] == [["A0"]]
    assert [b["data"] for b in bodies(bridge)] == [{"onHand": 7, "reserved": 0}]
    assert state_of(bridge) == (0, 0)


def test_a_first_row_that_was_skipped_is_found(bridge: Rig) -> None:
    """BEGIN names another place than the first row's."""
    lose(bridge, item(1), item(2), lost=[0])
    (hole,) = list_holes(bridge.log, GROUP)
    assert {s.doubt for s in hole.doubts} == {Doubt.FIRST_MISSING}
    (found,) = checked(bridge, Rows(bridge))
    assert [row.key for row in found.missing] == [["A1"]]
    assert state_of(bridge) == (0, 0)


def test_a_lost_transaction_is_found_in_all_tables(rig: Made) -> None:
    """Nobody knows its tables: an insert and an update are recovered, a deletion is named and needs a person."""
    bridge = rig(STOCK)
    bridge.commit(item(0))
    bridge.commit(item(9))
    bridge.monolith.transaction(item(1), update("stock", {"item_cd": "A0"}, on_hand=5), delete("stock", item_cd="A9"))
    bridge.commit(item(2))
    (hole,) = list_holes(bridge.log, GROUP)
    assert {s.doubt for s in hole.doubts} == {Doubt.GAP_BEFORE}
    (found,) = checked(bridge, Rows(bridge))
    assert sorted(row.key for row in found.missing) == [["A0"], ["A1"]]
    assert [row.key for row in found.gone] == [["A9"]]
    assert [(b["subject"], b["data"]["onHand"]) for b in bodies(bridge)] == [("stock-A0", 5), ("stock-A1", 1)]
    assert open_ones(bridge) == [("case", "1 rows that the log still has are not in the database")]
    assert "Gone" not in [s.type for s in bridge.events()]
    accepted(bridge, *list_holes(bridge.log, GROUP))
    assert state_of(bridge) == (0, 0)
    outcome = show_hole(bridge.log, GROUP, hole.position).outcomes[-1]
    assert (outcome.state, outcome.by, outcome.reason) == ("accepted", "ann", "told by hand")


def test_what_was_deleted_between_two_snapshots_is_named(rig: Made) -> None:
    """The rows that are there were said again; those that are not are known to be alive by nobody but the log."""
    bridge = rig(STOCK)
    bridge.know(item(0), item(1))
    bridge.monolith.fill(delete("stock", item_cd="A1"))
    bridge.monolith.run = "run-2"
    bridge.write(bridge.monolith.snapshot("stock"))
    (found,) = checked(bridge, Rows(bridge))
    assert (found.missing, [row.key for row in found.gone]) == ([], [["A1"]])
    assert [state for state, _ in open_ones(bridge)] == ["case"]


def test_a_second_snapshot_over_the_same_rows_is_closed(rig: Made) -> None:
    """Nothing was deleted in between."""
    bridge = rig(STOCK)
    bridge.know(item(0), item(1))
    bridge.monolith.run = "run-2"
    bridge.write(bridge.monolith.snapshot("stock"))
    checked(bridge, Rows(bridge))
    assert state_of(bridge) == (0, 0)


@pytest.mark.parametrize("committed", [True, False])
def test_a_transaction_without_an_end_is_asked_for(bridge: Rig, committed: bool) -> None:
    """Rows that were prepared: told as state if they stand in the database, else not at all."""
    bridge.write(bridge.monolith.begin(item(1)))
    bridge.monolith.tx += 1
    if not committed:
        del bridge.monolith.rows["stock", ("A1",)]
    bridge.commit(item(2))
    positions = [h.position for h in list_holes(bridge.log, GROUP) if h.doubts[0].doubt is Doubt.NEVER_ENDED]
    (found,) = checked(bridge, Rows(bridge), positions[0])
    assert [row.key for row in found.missing] == ([["A1"]] if committed else [])
    assert [b["subject"] for b in bodies(bridge)] == (["stock-A1"] if committed else [])
    assert positions[0] not in {h.position for h in list_holes(bridge.log, GROUP)}


def test_a_check_of_what_was_recovered_before_finds_nothing(bridge: Rig) -> None:
    """The log will never have these rows: what earlier checks sent counts as known."""
    lose(bridge, item(1), item(2), lost=[0])
    checked(bridge, Rows(bridge))
    lose(bridge, item(3), item(4), lost=[0])
    (found,) = checked(bridge, Rows(bridge))
    assert [row.key for row in found.missing] == [["A3"]]
    assert [b["subject"] for b in bodies(bridge)] == ["stock-A1", "stock-A3"]


def test_a_row_that_changed_since_the_check_is_not_overwritten(bridge: Rig) -> None:
    """A change that the check could not see is in the log: its word is the later one."""
    lose(bridge, item(1), item(2), lost=[0])
    (hole,) = list_holes(bridge.log, GROUP)
    database = Rows(bridge)
    scene = Scene(bridge.log, GROUP, TOPICS, bridge.plan, bridge.edge, database, patience_s=5)
    check(scene, hole, by="ann", reason="seen", at="2026-11-21")
    bridge.log.append(bridge.monolith.transaction(update("stock", {"item_cd": "A1"}, on_hand=9)))
    bridge.drain()
    assert bodies(bridge) == []
    assert [s.data for s in bridge.events() if s.subject == "stock-A1"] == [{"onHand": 9}]
    outcome = show_hole(bridge.log, GROUP, hole.position).outcomes[-1]
    assert (outcome.state, outcome.recovered, [row.key for row in outcome.named]) == ("closed", 0, [["A1"]])


def test_a_row_that_changes_while_the_database_is_read_is_no_loss(bridge: Rig) -> None:
    """It was read before a change that the log has: it is not recovered as it was, and the suspect stays."""
    lose(bridge, item(1), item(2), lost=[0])
    database = Rows(bridge)
    database.after = lambda: bridge.write(bridge.monolith.transaction(update("stock", {"item_cd": "A2"}, on_hand=8)))
    (found,) = checked(bridge, database)
    assert [row.key for row in found.missing] == [["A1"]]
    assert open_ones(bridge) == [("case", "1 rows changed while they were read: check again")]
    database.after = lambda: None
    checked(bridge, database)
    assert state_of(bridge) == (0, 0)
    assert [b["subject"] for b in bodies(bridge)] == ["stock-A1"]


def test_what_a_replay_of_the_logs_finds_is_the_same(rig: Made, bridge: Rig) -> None:
    """Recovered rows stand in the control topic: another group over the same logs says the same, byte for byte."""
    lose(bridge, item(1), item(2), lost=[0])
    checked(bridge, Rows(bridge))
    first = {place: records for place, records in bridge.written().items() if ".domain." in place.topic}
    other = rig(STOCK)
    for topic in (LOG, TOPICS.control):
        end = bridge.ends()[TopicPartition(topic, 0)]
        records = bridge.log.read(TopicPartition(topic, 0), 0, end)
        other.write([Outgoing(topic, r.key, r.value, r.headers, r.timestamp, 0) for r in records])
    assert {place: records for place, records in other.written().items() if ".domain." in place.topic} == first


def test_recovered_state_is_judged_where_the_check_was(bridge: Rig) -> None:
    """Who owned the fact when the row was lost does not matter: the word is said now."""
    lose(bridge, item(1), item(2), lost=[0])
    end = bridge.ends()[TopicPartition(LOG, 0)]
    bridge.grant("stock.level", "warehouse", Cut(LOG, 0, end))
    bridge.grant("stock.reservation", "warehouse", Cut(LOG, 0, end))
    checked(bridge, Rows(bridge))
    assert bodies(bridge) == []
    assert [b["subject"] for b in bodies(bridge, "quarantine")] == ["stock-A1"]


ORDERS = orders(
    "Placed: {when: appears, tell: [lines], fact: order.placement}",
    "silent: [lines changes]\nsnapshot: {type: OrderKnown, tell: [status, lines]}",
)


def test_a_lost_line_is_told_with_its_order(rig: Made) -> None:
    """The state of the aggregate, with the row that was missing."""
    bridge = rig(ORDERS)
    bridge.commit(insert("orders", order_id=7, number=1007, stat="P"))
    lines = [insert("order_lines", order_id=7, line_no=n, item_cd=f"A{n}", qty=n) for n in (1, 2)]
    lose(bridge, *lines, lost=[1], announced=2)
    (found,) = checked(bridge, Rows(bridge))
    assert [row.key for row in found.missing] == [[7, 2]]
    (told,) = bodies(bridge)
    assert told["subject"] == "order-1007"
    assert told["data"]["lines"] == [{"sku": "A1", "quantity": 1}, {"sku": "A2", "quantity": 2}]
    assert state_of(bridge) == (0, 0)


def test_what_is_recovered_of_a_parked_key_waits_with_it(rig: Made) -> None:
    """In order behind what waits already; released, it is told as recovered."""
    bridge = rig(ORDERS)
    bridge.commit(insert("orders", order_id=7, number=1007, stat="P"))
    bridge.commit(update("orders", {"order_id": 7}, stat="Q"))
    assert bridge.parked() == {"orders[7]": ["UNREADABLE"]}
    lines = [insert("order_lines", order_id=7, line_no=n, item_cd=f"A{n}", qty=n) for n in (1, 2)]
    lose(bridge, *lines, lost=[1], announced=2)
    checked(bridge, Rows(bridge))
    assert bridge.parked() == {"orders[7]": ["UNREADABLE", "WAITS", "WAITS"]}
    assert bodies(bridge) == []
    bridge.start(ORDERS.replace("X: cancelled}", "X: cancelled, Q: queued}"))
    bridge.decide("orders[7]", "release")
    (told,) = bodies(bridge)
    assert (told["subject"], len(told["data"]["lines"])) == ("order-1007", 2)
    assert state_of(bridge) == (0, 0)


def test_a_row_that_its_mapping_cannot_tell_is_named(rig: Made) -> None:
    """Without `snapshot` there is no word for a state: it is remembered, and named by key."""
    bridge = rig(stock(EVENTS))
    bridge.commit(item(0))
    lose(bridge, item(1), item(2), lost=[0])
    (hole,) = list_holes(bridge.log, GROUP)
    checked(bridge, Rows(bridge))
    outcome = show_hole(bridge.log, GROUP, hole.position).outcomes[-1]
    assert (outcome.recovered, [(row.table, row.key) for row in outcome.named]) == (0, [("shop.stock", ["A1"])])
    assert bodies(bridge) == []


def test_many_rows_travel_in_several_records(bridge: Rig) -> None:
    """The last one settles the suspect; each row is told once."""
    tx = lose(bridge, *(item(n) for n in range(1, 1203)), lost=range(100, 1201), restart=100)
    (found,) = checked(bridge, Rows(bridge, {tx: places(*range(1, 1203))}))
    assert (len(found.missing), found.sent) == (1101, 3)
    assert len({b["id"] for b in bodies(bridge)}) == 1101
    assert state_of(bridge) == (0, 0)


def test_a_bridge_that_does_not_come_is_not_waited_for_for_ever(bridge: Rig) -> None:
    """Recovered rows must stand behind what the bridge knows; nothing is sent."""
    lose(bridge, item(1), item(2), lost=[0])
    database = Rows(bridge)
    bridge.log.append([bridge.monolith.heartbeat()])
    database.mark = lambda: Passing(True, looks_back=True)  # type: ignore[method-assign]
    scene = Scene(bridge.log, GROUP, TOPICS, bridge.plan, bridge.edge, database, patience_s=0.1)
    with pytest.raises(Unreachable, match="the bridge has not read") as late:
        check(scene, *list_holes(bridge.log, GROUP), by="ann", reason="seen", at="2026-11-21")
    assert late.value.code == "HOL003"
    database.mark = lambda: Passing(False, looks_back=True)  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="has not come to where the database was read"):
        check(scene, *list_holes(bridge.log, GROUP), by="ann", reason="seen", at="2026-11-21")
    assert bridge.ends()[TopicPartition(TOPICS.control, 0)] == 0
    bridge.drain()


def test_a_type_that_cannot_be_compared_makes_a_case(bridge: Rig) -> None:
    """Unknown is not guessed: a person decides."""
    lose(bridge, item(1), item(2), lost=[0])
    database = Rows(bridge)

    def refuse(*_: object) -> object:
        raise Refused("shop.stock.x is of type point", code="HOL004")

    database.every = refuse  # type: ignore[method-assign,assignment]
    (found,) = checked(bridge, database)
    assert found.case == "shop.stock.x is of type point"
    assert open_ones(bridge) == [("case", "shop.stock.x is of type point")]


def test_positions_without_an_open_suspect_are_refused(bridge: Rig) -> None:
    """Not there, or settled: told apart."""
    lose(bridge, item(1), item(2), lost=[0])
    (hole,) = list_holes(bridge.log, GROUP)
    checked(bridge, Rows(bridge))
    for position, code in ((f"{LOG}/0@999", "HOL001"), (hole.position, "HOL002")):
        with pytest.raises(Refused) as refused:
            open_holes(bridge.log, GROUP, [position])
        assert refused.value.code == code
    assert [h.state for h in list_holes(bridge.log, GROUP, settled=True)] == ["closed"]
