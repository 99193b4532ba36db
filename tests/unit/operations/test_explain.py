"""Explaining one record: each step of its life, with the rules and what each gave, and no value unless asked for."""

from __future__ import annotations

import pytest

from figbridge.errors import Refused
from figbridge.operations.explain import Explanation, explain
from figbridge.ports import Record
from support.mappings import orders
from support.monolith import insert, shop, update
from support.rig import Rig, edge_of, plan_of

TEXT = orders(
    """
    Placed: {when: appears, tell: [total, lines], fact: order.placement}
    Stated: {when: status changes, tell: [status], fact: order.status}
    """,
    "silent: [notes changes]\nsnapshot: Known",
)
ORDER = {"order_id": 7, "number": 1007, "stat": "P", "tot_amt": "1.00", "notes": "secret"}


def records() -> list[Record]:
    """Return: BEGIN, order, line, END; BEGIN, status and notes, END; a snapshot row; BEGIN, unknown code, END."""
    monolith = shop()
    made = monolith.transaction(
        insert("orders", **ORDER), insert("order_lines", order_id=7, line_no=1, item_cd="A", qty=1)
    )
    made += monolith.transaction(update("orders", {"order_id": 7}, stat="C", notes="private"))
    made += monolith.snapshot("orders")
    made += monolith.transaction(update("orders", {"order_id": 7}, stat="Q"))
    return [Record(r.topic, 0, n, r.key, r.value, r.headers, r.timestamp) for n, r in enumerate(made)]


def explained(offset: int, *, values: bool = False) -> Explanation:
    """Explain the record at an offset."""
    plan = plan_of((TEXT,))
    return explain(plan, edge_of(plan), Rig(TEXT).store.load(), "legacy", records(), offset, values=values)


def steps(found: Explanation) -> list[tuple[str, tuple[str, ...]]]:
    """Return the steps as they are shown."""
    return [(s.step, s.details) for s in found.steps]


def test_a_row_is_explained_from_decoding_to_its_verdicts() -> None:
    """The record, its transaction, its aggregate, every rule with what it gave, the claims, and where they went."""
    found = explained(5)
    assert found.position == "figbridge.legacy.log/0@5"
    assert steps(found) == [
        ("decode", ("row of shop.orders, op u, transaction 2, number 1", "columns that differ: stat, notes")),
        ("collect", ("transaction 2, commit 1040, 1 rows of shop.orders",)),
        ("resolve", ("orders[7]: 1 of 1 rows, touches its root row only",)),
        (
            "translate",
            (
                "Placed: false",
                "Stated: true",
                "silent notes changes: true",
                "→ Stated of order-1007, about order.status",
                "→ order.notes of order-1007 changed (notes): notes changes",
            ),
        ),
        (
            "decide",
            (
                "order.status: publish (the owner's word) → figbridge.domain.order",
                "order.notes: silent (notes changes)",
            ),
        ),
    ]
    assert found.outcomes == ()


def test_every_row_of_a_transaction_is_explained_with_its_aggregate() -> None:
    """A line is explained with the order that it is part of, once its transaction is whole."""
    found = explained(2)
    assert ("resolve", ("orders[7]: 2 of 2 rows, touches 1 of lines",)) in steps(found)
    assert "→ Placed of order-1007, about order.placement" in dict(steps(found))["translate"]


@pytest.mark.parametrize(("offset", "first"), [(0, "Begin: 1"), (3, "End: 1, 1024, 2")])
def test_an_edge_is_explained_by_its_transaction(offset: int, first: str) -> None:
    """BEGIN and END are explained by what their transaction said."""
    found = explained(offset)
    assert found.steps[0].details[0].startswith(first)
    assert [s.step for s in found.steps] == ["decode", "collect", "resolve", "translate", "decide"]


def test_a_snapshot_row_is_state() -> None:
    """A snapshot row says what is known, and is explained as that."""
    found = dict(steps(explained(7)))
    assert found["collect"] == ("a snapshot row: state, never a happening",)
    assert found["translate"][0] == "→ Known of order-1007, about order.placement"


def test_a_parked_record_says_why() -> None:
    """What parks a key is told in place of the rules."""
    found = dict(steps(explained(9)))
    assert found["translate"] == ("parked: UNREADABLE, status: unknown code 'Q'",)
    assert found["decide"] == ("no claim was made",)


def test_values_are_shown_only_when_asked_for() -> None:
    """Without being asked, no cell stands in an explanation; with it, both images and the outcomes do."""
    assert "secret" not in str(explained(5))
    assert "private" not in str(explained(5))
    found = explained(5, values=True)
    assert any("'notes': 'secret'" in line for line in found.steps[0].details)
    assert [kind for outcome in found.outcomes for kind in outcome] == ["event", "suppressed"]


def test_an_explained_record_says_what_was_remembered_before_it() -> None:
    """Everything before the record has been processed: the line is known when the order changes."""
    text = TEXT.replace("tell: [status]", "tell: [status, lines]")
    plan = plan_of((text,))
    found = explain(plan, edge_of(plan), Rig(text).store.load(), "legacy", records(), 5, values=True)
    assert found.outcomes[0]["event"]["data"]["lines"] == [{"sku": "A", "quantity": 1}]


@pytest.mark.parametrize("offset", [-1, 99])
def test_a_record_that_is_not_there_is_refused(offset: int) -> None:
    """An offset outside the log is refused."""
    with pytest.raises(Refused) as refused:
        explained(offset)
    assert refused.value.code == "EXP001"


def test_a_record_whose_transaction_never_ends_is_explained_all_the_same() -> None:
    """At the end of the records what is open is explained as a capture's end would have it."""
    plan = plan_of((TEXT,))
    found = explain(plan, edge_of(plan), Rig(TEXT).store.load(), "legacy", records()[:6], 5, values=False)
    assert dict(steps(found))["collect"][1].startswith("SUSPECT: never-ended")
