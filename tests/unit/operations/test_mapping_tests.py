"""The tests beside mappings: rows as Debezium gives them, and every way in which what came may differ."""

from __future__ import annotations

import pytest

from figbridge.mapping.loader import parse_mapping
from figbridge.operations.mapping_tests import run_tests
from support.mappings import orders
from support.rig import plan_of

EVENTS = """
Placed: {when: appears, tell: [total, lines], fact: order.placement}
Stated: {when: status changes, tell: {status: status, was: was.status}, fact: order.status}
Renumbered: {when: rekeyed, tell: [status], fact: order.status}
Gone: {when: disappears, tell: {was: was.status}, fact: order.status}
"""
ROW = "order_id: 7, number: 1007, stat: P, tot_amt: '1.00'"
KNOWN = f"given: [{{orders: {{{ROW}}}}}]"
CONFIRM = "tx: [{update: {orders: {order_id: 7, stat: [P, C]}}}]"


def differences(body: str, *, before: str = "required") -> list[str]:
    """Run one test beside the mapping; returns how what came differs from what was expected."""
    text = orders(EVENTS, f"tests:\n  - {{name: it, {' '.join(body.split())}}}\n", before=before)
    (outcome,) = run_tests(plan_of((text,)), [parse_mapping(text)])
    assert outcome.passed is not bool(outcome.differences)
    return list(outcome.differences)


@pytest.mark.parametrize("before", ["required", "last-known"])
@pytest.mark.parametrize(
    "body",
    [
        f"tx: [{{insert: {{orders: {{{ROW}}}}}}}], expect: [{{Placed: {{id: order-1007, total: '1.00'}}}}]",
        f"{KNOWN}, {CONFIRM}, expect: [{{Stated: {{was: placed, status: confirmed}}}}]",
        "tx: [{update: {orders: {order_id: 7, number: 1007, stat: [P, C]}}}], expect: [{Stated: {was: placed}}]",
        f"{KNOWN}, tx: [{{update: {{orders: {{order_id: [7, 8]}}}}}}], expect: [{{Renumbered: {{id: order-1007}}}}]",
        f"{KNOWN}, tx: [{{delete: {{orders: {{order_id: 7}}}}}}], expect: [{{Gone: {{was: placed}}}}]",
        f"{KNOWN}, tx: [{{truncate: orders}}], expect: [{{Gone: {{was: placed}}}}]",
        f"{KNOWN}, tx: [{{update: {{orders: {{order_id: 7, stat: [P, Q]}}}}}}], expect: parked",
        f"{KNOWN}, tx: [{{update: {{orders: {{order_id: 7, upd_dt: [1, 2]}}}}}}], expect: nothing",
    ],
    ids=["insert", "update", "unknown row", "re-key", "delete", "truncate", "parked", "nothing"],
)  # fmt: skip
def test_a_test_that_holds_passes(body: str, before: str) -> None:
    """Each kind of step comes as the source log would carry it, with either kind of row before."""
    assert differences(body, before=before) == []


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ("nothing", "unexpected Stated of order-1007: {'status': 'confirmed', 'was': 'placed'}"),
        ("[{Placed: {}}]", "expected Placed as event 1, got Stated"),
        ("[{Stated: {}}, {Stated: {}}]", "expected Stated, but nothing more came"),
        ("[{Stated: {was: confirmed}}]", "Stated.was: expected 'confirmed', got 'placed'"),
        ("[{Stated: {id: order-9}}]", "Stated.id: expected 'order-9', got 'order-1007'"),
        ("[{Stated: {why: x}}]", "Stated.why: missing, expected 'x'"),
        ("parked", "expected a parked key (any), nothing is parked"),
    ],
)
def test_a_test_that_does_not_hold_says_how(expect: str, difference: str) -> None:
    """Each difference is told with what was expected and what came."""
    assert difference in differences(f"{KNOWN}, {CONFIRM}, expect: {expect}")


def test_a_key_that_is_parked_without_being_expected_is_a_difference() -> None:
    """Nothing parks silently."""
    found = differences(f"{KNOWN}, tx: [{{update: {{orders: {{order_id: 7, stat: [P, Q]}}}}}}], expect: nothing")
    assert found == ["unexpected: orders[7] is parked: UNREADABLE status: unknown code 'Q'"]


def test_lists_are_compared_item_by_item() -> None:
    """A list has exactly the items that are named; an item may have more fields than are named."""
    lines = "{insert: {order_lines: {order_id: 7, line_no: 1, item_cd: A, qty: 2}}}"
    order = "{insert: {orders: {order_id: 7, number: 1007, stat: P}}}"
    assert differences(f"tx: [{order}, {lines}], expect: [{{Placed: {{lines: [{{sku: A}}]}}}}]") == []
    assert differences(f"tx: [{order}, {lines}], expect: [{{Placed: {{lines: [{{sku: B}}]}}}}]") == [
        "Placed.lines[0].sku: expected 'B', got 'A'"
    ]
    assert differences(f"tx: [{order}, {lines}], expect: [{{Placed: {{lines: []}}}}]") != []


def test_steps_of_one_transaction_are_judged_together_and_several_apart() -> None:
    """`tx` is one transaction, `txs` are several."""
    there, back = (f"update: {{orders: {{order_id: 7, stat: [{a}, {b}]}}}}" for a, b in ("PC", "CP"))
    assert differences(f"{KNOWN}, tx: [{{{there}}}, {{{back}}}], expect: nothing") == []
    both = "[{Stated: {status: confirmed}}, {Stated: {status: placed}}]"
    assert differences(f"{KNOWN}, txs: [[{{{there}}}], [{{{back}}}]], expect: {both}") == []
