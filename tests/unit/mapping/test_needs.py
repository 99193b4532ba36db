"""What must be remembered, and why: nothing without a reason, and everything that a rule may ask for."""

from __future__ import annotations

import pytest

from figbridge.errors import ConfigurationError
from figbridge.mapping.loader import parse_mapping
from figbridge.mapping.needs import Needs
from support.mappings import orders, stock
from support.rig import plan_of

WAYS = {
    "shop.orders": {"number", "ship_addr_id"},
    "shop.payments": {"order_id"},
    "shop.carriers": {"carrier_id", "code"},
}
"""What leads from a related row to its order, with the code table."""


def needs(events, tail="", **options):
    """Return the remembered columns of each table, and the columns by which rows are found."""
    found = Needs(parse_mapping(orders(events, tail, **options))).tables
    return {t: set(n.columns) for t, n in found.items()}, {t: set(n.indexes) for t, n in found.items() if n.indexes}


def more(*pairs):
    """Return the ways to the root with more columns."""
    found = {table: set(columns) for table, columns in WAYS.items()}
    for table, *columns in pairs:
        found.setdefault(f"shop.{table}", set()).update(columns)
    return found


def test_a_table_by_itself_with_whole_rows_in_the_log_remembers_nothing():
    """A mapping of one table whose log has the row before remembers nothing."""
    text = stock("Rose: {when: onHand rises, tell: [onHand], fact: stock.level}")
    assert Needs(parse_mapping(text)).tables == {}


def test_last_known_remembers_every_column_it_reads():
    """`before: last-known` remembers all that is read of a row."""
    text = stock("Rose: {when: onHand rises, tell: [onHand], fact: stock.level}", before="last-known")
    assert set(Needs(parse_mapping(text)).tables["shop.stock"].columns) == {"item_cd", "on_hand", "reserved"}


def test_relations_are_remembered_as_ways_to_the_root():
    """Of related rows that no event tells, only what leads to the root is remembered."""
    columns, indexes = needs("Confirmed: {when: status placed -> confirmed, tell: [total], fact: order.status}")
    assert columns == WAYS
    assert indexes == {"shop.orders": {("ship_addr_id",)}}


def test_what_an_event_tells_of_related_rows_is_remembered():
    """Rows that an event tells may be older than its transaction."""
    columns, indexes = needs("Placed: {when: appears, tell: [lines, shipTo], fact: order.placement}")
    assert columns == more(("order_lines", "order_id", "item_cd", "qty"), ("addresses", "addr_id", "name", "city"))
    assert indexes["shop.order_lines"] == {("order_id",)}


def test_the_root_is_remembered_where_a_line_alone_can_make_an_event():
    """An event that only a related row brings about may tell the root, and ask about it."""
    columns, _ = needs("Revised: {when: lines changes and status is placed, tell: [total], fact: order.placement}")
    assert columns == more(("orders", "tot_amt", "stat"))


def test_a_list_that_only_changes_is_not_remembered():
    """Whether rows changed is seen in the transaction."""
    columns, _ = needs("Revised: {when: lines changes, tell: [], fact: order.placement}")
    assert columns == WAYS


def test_a_rule_for_each_row_of_its_own_remembers_no_rows():
    """A rule that turns on the row itself sees it in the transaction; its parent is remembered."""
    rule = (
        "Debited: {for: payments.moves, when: appears and kind is debited, tell: [amount, method], fact: order.payment}"
    )
    assert needs(rule)[0] == more(("payments", "meth"))


@pytest.mark.parametrize("turning", ["status changes", "method changes", "was.kind is authorised and kind is debited"])
def test_a_rule_for_each_row_that_turns_on_more_remembers_the_rows(turning):
    """A rule that may fire for rows that did not change remembers them, and how to find them."""
    rule = f"Moved: {{for: payments.moves, when: {turning}, tell: [amount, kind], fact: order.payment}}"
    columns, indexes = needs(rule)
    assert columns["shop.payment_moves"] == {"pay_id", "amt", "typ"}
    assert indexes["shop.payment_moves"] == {("pay_id",)}
    assert indexes["shop.payments"] == {("order_id",)}


def test_what_must_never_be_is_remembered_where_related_rows_may_ask():
    """A rule that no change turns on is asked whenever anything changes, so what it looks at is remembered."""
    columns, _ = needs("Placed: {when: appears, tell: [], fact: order.placement}", "never: [status is cancelled]")
    assert "stat" in columns["shop.orders"]


def test_a_snapshot_remembers_what_it_tells_of_related_rows():
    """Related rows come before their roots in a snapshot, and are told with them."""
    columns, _ = needs("Placed: {when: appears, tell: [], fact: order.placement}", "snapshot: Known")
    assert columns["shop.order_lines"] == {"order_id", "item_cd", "qty"}
    assert columns["shop.addresses"] == {"addr_id", "name", "city"}


def test_every_need_has_a_reason():
    """Each remembered column and index says why."""
    plan = plan_of((orders("Placed: {when: appears, tell: [lines, shipTo], fact: order.placement}"),))
    for table in plan.tables.values():
        assert all(table.need.columns.values())
        assert all(table.need.indexes.values())
        assert {c for columns in table.need.indexes for c in columns} <= table.need.columns.keys()


def test_two_mappings_of_one_table_remember_for_both():
    """Where one mapping takes rows from the state, another's columns of them are remembered too."""
    one = stock("Rose: {when: onHand rises, tell: [onHand], fact: stock.level}", before="last-known")
    one = one.replace(", reserved: {int: reserved}", "").replace(", stock.reservation: [reserved]", "")
    two = stock("Kept: {when: reserved rises, tell: [reserved], fact: kept.reservation}").replace(
        "mapping: stock", "mapping: kept"
    )
    two = two.replace("stock.level: [onHand], stock.reservation", "kept.reservation").replace(
        "onHand: {int: on_hand}, ", ""
    )
    assert set(plan_of((one, two)).tables["shop.stock"].need.columns) == {"item_cd", "on_hand", "reserved"}


def test_one_table_has_one_key():
    """A table cannot have one key as a code table and another as a root."""
    other = stock("Rose: {when: onHand rises, tell: [onHand], fact: stock.level}").replace(
        "shop.stock", "shop.carriers"
    )
    with pytest.raises(ConfigurationError, match="MAP090"):
        plan_of((other, orders("Placed: {when: appears, tell: [], fact: order.placement}")))
