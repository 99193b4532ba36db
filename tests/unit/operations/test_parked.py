"""Parked keys from outside: listed, shown, decided on, and who decided what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from figbridge.errors import Refused
from figbridge.operations import parked
from support.mappings import orders
from support.monolith import insert, update
from support.rig import GROUP, TOPICS, Rig

STATED = "Stated: {when: status changes, tell: [status], fact: order.status}"
NOW = "2026-11-21T12:00:00Z"


@pytest.fixture
def bridge(rig: Callable[..., Rig]) -> Rig:
    """Return a bridge with order 8 parked before order 7, and one change waiting behind it."""
    bridge = rig(orders(STATED))
    bridge.know(*(insert("orders", order_id=n, number=n, stat="P", notes="secret") for n in (7, 8)))
    for order, stat in ((8, "Q"), (7, "Q"), (8, "C")):
        bridge.commit(update("orders", {"order_id": order}, stat=stat))
    return bridge


def test_keys_are_listed_with_the_longest_waiting_first(bridge: Rig) -> None:
    """Each key with why it was parked, since when, and how much waits."""
    found = parked.list_parked(bridge.log, GROUP)
    assert [(k.key, k.code, k.why, k.changes, k.records) for k in found] == [
        ("orders[8]", "UNREADABLE", "status: unknown code 'Q'", 2, 2),
        ("orders[7]", "UNREADABLE", "status: unknown code 'Q'", 1, 1),
    ]
    assert found[0].since == "figbridge.legacy.log/0@4"
    assert found[0].since_us < found[1].since_us


def test_a_key_is_shown_with_its_changes_and_no_values(bridge: Rig) -> None:
    """The waiting changes, oldest first; values only when they are asked for."""
    found = parked.show_parked(bridge.log, GROUP, "orders[8]", values=False)
    assert [(c.code, c.tables, c.rows) for c in found] == [
        ("UNREADABLE", ("shop.orders",), None),
        ("WAITS", ("shop.orders",), None),
    ]
    (row,) = parked.show_parked(bridge.log, GROUP, "orders[8]", values=True)[0].rows["shop.orders"]
    assert (row["key"], row["was"]["stat"], row["now"]["stat"]) == ([8], "P", "Q")


def test_a_key_that_is_not_parked_is_refused(bridge: Rig) -> None:
    """Showing it and deciding on it are refused, and nothing is sent."""
    with pytest.raises(Refused) as refused:
        parked.show_parked(bridge.log, GROUP, "orders[9]", values=False)
    assert refused.value.code == "PRK001"
    with pytest.raises(Refused) as refused:
        bridge.decide("orders[9]", "release")
    assert refused.value.code == "PRK001"
    assert bridge.log.ends([TOPICS.control]) == {(TOPICS.control, 0): 0}


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_decision_without_a_reason_is_refused(bridge: Rig, reason: str) -> None:
    """Nobody decides without saying why."""
    with pytest.raises(Refused) as refused:
        parked.decide(bridge.log, GROUP, TOPICS.control, "orders[8]", "discard", by="ann", reason=reason, at=NOW)
    assert refused.value.code == "PRK002"


def test_a_decision_goes_through_the_log(bridge: Rig) -> None:
    """The command writes no state: the bridge reads the decision, and carries it out in its own commit."""
    parked.decide(bridge.log, GROUP, TOPICS.control, "orders[8]", "discard", by="ann", reason="test data", at=NOW)
    assert [k.key for k in parked.list_parked(bridge.log, GROUP)] == ["orders[8]", "orders[7]"]
    assert parked.decisions(bridge.log, GROUP) == []
    bridge.drain()
    assert [k.key for k in parked.list_parked(bridge.log, GROUP)] == ["orders[7]"]
    (done,) = parked.decisions(bridge.log, GROUP)
    assert (done["by"], done["reason"], done["done"], done["still_parked"]) == ("ann", "test data", 2, "")


def test_decisions_are_listed_oldest_first(bridge: Rig) -> None:
    """Every decision stays, in order, whatever key it was about."""
    for key, action in (("orders[8]", "release"), ("orders[7]", "discard"), ("orders[8]", "discard")):
        bridge.decide(key, action)
    found = [(d["key"], d["action"], d["done"]) for d in parked.decisions(bridge.log, GROUP)]
    assert found == [("orders[8]", "release", 0), ("orders[7]", "discard", 1), ("orders[8]", "discard", 2)]
