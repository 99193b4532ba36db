"""A footprint is what judging looks at: it finds every change that was in the way, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figbridge.domain.change import Op, Position, RowChange
from figbridge.pipeline.footprint import Footprint
from figbridge.pipeline.letters import position_of
from support.mappings import orders
from support.rig import plan_of

PLAN = plan_of((orders("Placed: {when: appears, tell: [lines], fact: order.placement}"),))
LINES = PLAN.tables["shop.order_lines"].shape


def change(was: tuple[int, int] | None, now: tuple[int, int] | None) -> RowChange:
    """Return a change of a line, which is (order, number) before and after."""
    before, after = (None if k is None else LINES.row({"order_id": k[0], "line_no": k[1]}) for k in (was, now))
    op = Op.DELETE if now is None else Op.CREATE if was is None else Op.UPDATE
    return RowChange(LINES, op, before, after, ("t", 0, 0), "1", "r")


keys = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(st.none() | keys, st.none() | keys, st.sets(keys, max_size=3), st.sets(st.integers(1, 3), max_size=2))
def test_a_change_touches_by_its_rows_and_by_the_lists_that_it_joins_or_leaves(
    was: tuple[int, int] | None, now: tuple[int, int] | None, rows: set[tuple[int, int]], of: set[int]
) -> None:
    """On either side: a row of the footprint, or one that belongs to a parent of the footprint."""
    if was is None and now is None:
        return
    found = Footprint(
        PLAN, {("shop.order_lines", key) for key in rows}, {("shop.order_lines", ("order_id",)): {(n,) for n in of}}
    )
    sides = [side for side in (was, now) if side is not None]
    assert found.touched_by(change(was, now)) is any(side in rows or side[0] in of for side in sides)


def test_another_table_is_not_touched() -> None:
    """The same key in another table is another row."""
    found = Footprint(PLAN, {("shop.orders", (1, 1))}, {("shop.orders", ("order_id",)): {(1,)}})
    assert not found.touched_by(change(None, (1, 1)))


@given(st.from_regex(r"[a-z._@/-]{1,20}", fullmatch=True), st.integers(0, 99), st.integers(0, 2**62))
def test_a_position_is_read_back(topic: str, partition: int, offset: int) -> None:
    """Whatever the topic's name."""
    position = Position(topic, partition, offset)
    assert position_of(str(position)) == position


@pytest.mark.parametrize("text", ["", "12", "t@1", "t/0", "t/0@x", "t/x@1"])
def test_what_is_no_position_is_refused(text: str) -> None:
    """Never half read."""
    with pytest.raises(ValueError, match=r".*"):
        position_of(text)
