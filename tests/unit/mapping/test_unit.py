"""A unit walks its relations: rows below, above and pointed at, on both sides, from the transaction and from memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from figbridge.mapping.unit import NOW, UNTOUCHED, WAS, Net, Pair, U, Unit, usable
from figbridge.pipeline.memory import NoState, RowMemory
from support.mappings import orders
from support.rig import plan_of

PLAN = plan_of((orders("Placed: {when: appears, tell: [lines, shipTo, payments.moves], fact: order.placement}"),))
JOINS = PLAN.mappings["orders"].joins
LINES = PLAN.tables["shop.order_lines"]


def line(order, number, **cells):
    """Return a row of order_lines."""
    return LINES.shape.row({"order_id": order, "line_no": number, **cells})


def row(table, **cells):
    """Return a row of a table."""
    return PLAN.tables[f"shop.{table}"].shape.row(cells)


def unit(net=None, memory=(), **touched):
    """Return a unit of order 7, over remembered rows."""
    remembered = RowMemory(PLAN, NoState())
    for table, key, each in memory:
        remembered.remember(PLAN.tables[f"shop.{table}"], key, None, each)
    order = row("orders", order_id=7, number=1007, ship_addr_id=5)
    return Unit((7,), order, order, net or UNTOUCHED, remembered, JOINS, "shop.orders", touched)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 4), st.integers(1, 4)), max_size=60))
def test_touched_rows_are_found_by_the_cells_they_hold(rows):
    """Rows are found by their joining cells on each side, however many the transaction touched."""
    pairs = {(was, n): Pair(line(was, n), line(now, n)) for n, was, now in rows}
    net = Net({"shop.order_lines": pairs})
    for side in (WAS, NOW):
        for order in range(1, 5):
            expected = [k for k, pair in pairs.items() if JOINS["lines"].link_of(pair[side]) == (order,)]
            assert net.holding("shop.order_lines", JOINS["lines"], (order,), side) == expected


def test_rows_that_hold_a_list_where_a_key_should_be_are_never_found():
    """A cell that can be no key belongs to nobody, among few rows and among many."""
    for count in (3, 40):
        pairs = {(n, 1): Pair(None, line([n], 1)) for n in range(count)}
        assert Net({"shop.order_lines": pairs}).holding("shop.order_lines", JOINS["lines"], (7,), NOW) == []
    assert [usable(cells) for cells in ((1,), ("a", 2), ([],), ({},), (None,), (U,), (1, U))] == [
        True,
        True,
        *[False] * 5,
    ]


def test_rows_come_in_the_order_of_their_keys():
    """Numbers before texts, each in their order; the same for every batch."""
    memory = [("order_lines", (7, n), line(7, n)) for n in (10, 9, "b", "a")]
    assert [r.c1 for r in unit(memory=memory).many("lines", NOW)] == [9, 10, "a", "b"]


def test_a_row_that_is_not_remembered_is_unknown_and_one_that_is_not_there_is_null():
    """What a row points at is null, a row, or unknown."""
    order = row("orders", order_id=7, ship_addr_id=None)
    assert unit().one("address", order, NOW) is None
    assert unit().one("address", row("orders", order_id=7), NOW) is U
    assert unit().one("address", row("orders", order_id=7, ship_addr_id=5), NOW) is U
    known = unit(memory=[("addresses", (5,), row("addresses", addr_id=5, name="Ada", city=None))])
    assert known.one("address", row("orders", order_id=7, ship_addr_id=5), NOW).c1 == "Ada"


def test_above_a_row_that_is_not_there_is_nothing():
    """The row above null is null, above the unknown unknown."""
    assert unit().up("payments", None, NOW) is None
    assert unit().up("payments", U, NOW) is U
    assert unit().up("payments", row("payments", pay_id=3), NOW) is U
    assert unit().up("payments", row("payments", pay_id=3, order_id=None), NOW) is None


def test_untouched_rows_stand_for_themselves_and_unknown_ones_for_all():
    """Every row comes with both its sides; rows that nobody knows come as one that is unavailable."""
    memory = [("order_lines", (7, n), line(7, n)) for n in (1, 2)]
    changed = Pair(line(7, 1, qty=1), line(7, 1, qty=2))
    found = list(unit(Net({"shop.order_lines": {(7, 1): changed}}), memory, lines={(7, 1): changed}).pairs("lines"))
    assert found[0] is changed
    assert [p.now.c1 for p in found[1:]] == [2]
    stray = Pair(None, line(U, 3))
    assert list(unit(None, memory, lines={(7, 3): stray}).pairs("lines")) == [stray, Pair(U, U)]
