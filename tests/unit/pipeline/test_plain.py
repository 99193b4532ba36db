"""The short way of plain updates says what the long way says: the same claims, parked keys, counts and memory."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.domain.verdict import Verdict
from support.histories import History, everything
from support.mappings import orders, stock
from support.monolith import insert, shop, update
from support.rig import GROUP, Rig

FLAT = stock(
    """
    Rose: {when: onHand rises, tell: {by: change.onHand, reserved: reserved}, fact: stock.level}
    Fell: {when: onHand falls and not reserved is null, tell: {by: change.onHand, was: was.reserved}, fact: stock.level}
    """,
    "silent: [reserved rises]\nnever: [reserved is 9]",
)


@contextmanager
def both(*mappings, full=True):
    """Make a bridge that takes the short way where it can, and one that always takes the long way."""
    short, long = (Rig(*mappings, monolith=shop(full=full)) for _ in range(2))
    long.process.translators[next(iter(long.sources))].tracer = lambda *_: None
    yield short, long
    for bridge in (short, long):
        bridge.check()


def state(bridge):
    """Return everything that a bridge has said, decided, parked and remembered."""
    claims = [(p.event_id, p.decision) for p in bridge.made]
    kept = {
        space: list(bridge.log.state(GROUP).scan(space)) for space in ("row:shop.orders", "row:shop.stock", "suspects")
    }
    return bridge.written(), claims, bridge.parked(), bridge.skipped, kept, bridge.account().as_dict()


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["A", "B"]), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4)
    )
)
def test_updates_of_a_flat_table_are_judged_alike(transactions):
    """Transactions of updates of one table, whole and with several rows, also of one row twice."""
    for before, full in (("required", True), ("last-known", False)):
        text = FLAT.replace("before: required", f"before: {before}")
        with both(text, full=full) as bridges:
            for bridge in bridges:
                bridge.know(*(insert("stock", item_cd=c, on_hand=5, reserved=5) for c in "AB"))
                for rows in transactions:
                    bridge.commit(*(update("stock", {"item_cd": c}, on_hand=n, reserved=r) for c, n, r in rows))
            assert state(bridges[0]) == state(bridges[1])


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_any_history_is_judged_alike(seed: int):
    """A history of all tables, in which some transactions are plain updates."""
    sketch = shop()
    history = History(Random(seed), sketch)
    drawn = [history.transaction() for _ in range(8)]
    with both(everything()) as bridges:
        for bridge in bridges:
            for steps in drawn:
                bridge.commit(*steps)
        assert state(bridges[0]) == state(bridges[1])


def test_a_code_table_that_changes_with_its_user_is_read_as_it_is_now(rig):
    """A table that is a root for one mapping and a code table for another is never judged by itself."""
    carriers = stock("Coded: {when: onHand changes, tell: [onHand], fact: stock.level}").replace(
        "shop.stock", "shop.carriers"
    )
    carriers = (
        carriers.replace("item_cd", "carrier_id")
        .replace("{int: on_hand}", "code")
        .replace(", reserved: {int: reserved}", "")
    )
    carriers = carriers.replace(", stock.reservation: [reserved]", "")
    assigned = "Assigned: {when: status changes, tell: [carrier], fact: order.delivery}"
    bridge = rig(orders(assigned), carriers)
    bridge.know(
        insert("carriers", carrier_id=1, code="DHL"), insert("orders", order_id=7, number=7, stat="P", carrier_id=1)
    )
    said = bridge.commit(update("orders", {"order_id": 7}, stat="C"), update("carriers", {"carrier_id": 1}, code="GLS"))
    assert [s.data for s in said if s.type == "Assigned"] == [{"carrier": "GLS"}]
    assert bridge.claims(Verdict.PUBLISH)
