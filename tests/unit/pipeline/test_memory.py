"""What is remembered of rows: read through, written behind, found by their cells, the same after a restart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.adapters.memory import MemoryLog
from figbridge.domain.change import UNAVAILABLE
from figbridge.mapping.values import Unreadable
from figbridge.pipeline.memory import NoState, RowMemory, key_of_text, key_text, pack, unpacker
from figbridge.ports import Commit
from support.mappings import orders
from support.rig import plan_of

PLAN = plan_of((orders("Placed: {when: appears, tell: [lines, shipTo], fact: order.placement}"),))
LINES, ORDERS = PLAN.tables["shop.order_lines"], PLAN.tables["shop.orders"]
BY_ORDER = ("shop.order_lines", ("order_id",))


def line(order, number, **cells):
    """Return a row of order_lines."""
    return LINES.shape.row({"order_id": order, "line_no": number, **cells})


def numbers(memory, order):
    """Return the lines of an order."""
    return [key[1] for key in memory.found(*BY_ORDER, (order,))]


class Store:
    """A memory over a log, which may be committed and read anew."""

    def __init__(self):
        self.log = MemoryLog()
        self.log.create("t")
        self.session = self.log.session("g", ["t"])
        self.memory = RowMemory(PLAN, self.session.state)

    def commit(self):
        """Commit what is remembered."""
        self.session.commit(Commit([], {}, list(self.memory.entries())))
        self.memory.committed()

    def anew(self):
        """Return a memory that knows only what was committed."""
        return RowMemory(PLAN, self.session.state)


STEPS = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from(["put", "drop", "commit"]), st.integers(1, 3)),
    max_size=25,
)


@settings(deadline=None)
@given(STEPS)
def test_rows_and_indexes_equal_a_table(steps):
    """After any puts and drops rows and lines of each order are those of a plain table, before and after commit."""
    store, table = Store(), {}
    for n, order, step, quantity in steps:
        key = (order, n)
        if step == "commit":
            store.commit()
        elif step == "put":
            now = line(order, n, qty=quantity)
            store.memory.remember(LINES, key, table.get(key), now)
            table[key] = now
        else:
            store.memory.remember(LINES, key, table.pop(key, None), None)
    for memory in (store.memory, store.commit() or store.anew()):
        for order in (1, 2, 3):
            assert numbers(memory, order) == sorted(n for o, n in table if o == order)
            for n in (1, 2, 3):
                found = memory.row("shop.order_lines", (order, n))
                assert (None if found is None else found.c3) == (table[order, n].c3 if (order, n) in table else None)


def test_a_row_moves_from_one_place_in_the_index_to_another():
    """A row whose joining cells change is found at the new place only."""
    memory = RowMemory(PLAN, NoState())
    by = ("shop.orders", ("ship_addr_id",))
    for address in (5, 6, None, 7):
        memory.remember(ORDERS, (1,), None, ORDERS.shape.row({"order_id": 1, "number": 1, "ship_addr_id": address}))
        assert [memory.found(*by, (n,)) for n in (5, 6, 7)] == [[(1,)] if n == address else [] for n in (5, 6, 7)]


def test_a_row_that_was_not_remembered_is_found_after_its_first_change():
    """What the log says of the row before does not mean that it is remembered."""
    memory = RowMemory(PLAN, NoState())
    memory.remember(LINES, (7, 1), line(7, 1, qty=1), line(7, 1, qty=2))
    assert numbers(memory, 7) == [1]


def test_what_is_not_read_of_a_row_is_not_remembered():
    """A change of other columns is no write."""
    memory = RowMemory(PLAN, NoState())
    memory.remember(LINES, (7, 1), None, line(7, 1, qty=1))
    memory.committed()
    memory.remember(LINES, (7, 1), line(7, 1, qty=1), line(7, 1, qty=1))
    assert list(memory.entries()) == []


@pytest.mark.parametrize("cell", [None, UNAVAILABLE, [1], {"a": 1}])
def test_a_cell_that_can_be_no_key_finds_nobody(cell):
    """A row whose joining cell is null, unknown, a list or a map is remembered, and found by none."""
    memory = RowMemory(PLAN, NoState())
    row = ORDERS.shape.row({"order_id": 1, "number": 1, "ship_addr_id": cell})
    memory.remember(ORDERS, (1,), None, row)
    memory.remember(ORDERS, (1,), row, ORDERS.shape.row({"order_id": 1, "number": 1, "ship_addr_id": 5}))
    memory.remember(ORDERS, (1,), None, row)
    assert memory.found("shop.orders", ("ship_addr_id",), (5,)) == []
    assert memory.row("shop.orders", (1,)) is not None


def test_rows_are_not_found_by_what_they_are_not_remembered_by():
    """That there are none would be a guess."""
    with pytest.raises(Unreadable):
        RowMemory(PLAN, NoState()).found("shop.order_lines", ("item_cd",), ("A",))


def test_what_was_not_committed_is_forgotten():
    """After a failure the memory is what was committed."""
    store = Store()
    store.memory.remember(LINES, (7, 1), None, line(7, 1))
    store.commit()
    store.memory.remember(LINES, (7, 1), None, None)
    store.memory.remember(LINES, (7, 2), None, line(7, 2))
    store.memory.rolled_back()
    assert numbers(store.memory, 7) == [1]
    assert list(store.memory.entries()) == []


@given(st.lists(st.integers() | st.text() | st.booleans(), min_size=1, max_size=3).map(tuple))
def test_a_key_is_what_its_text_names(key):
    """Keys become texts and back."""
    assert key_of_text(key_text(key)) == key


@given(st.dictionaries(st.text(), st.integers(-(2**70), 2**70) | st.none() | st.text() | st.lists(st.integers())))
def test_what_is_packed_is_unpacked(value):
    """Whatever the numbers, a value for the state is read as it was written."""
    assert unpacker(dict)(pack(value)) == value
