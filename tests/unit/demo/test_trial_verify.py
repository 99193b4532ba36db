"""The verifier of the sandbox finds each kind of wrong: a judge that only ever says yes is none."""

from __future__ import annotations

from typing import Any

import pytest

from figbridge.demo.monolith import Happening
from figbridge.demo.trial.consumer import Told
from figbridge.demo.trial.verify import judge, whole

LEDGER = [
    Happening(1, 1, "place", "OrderPlaced", "order-1", {"total": 5}),
    Happening(2, 1, "place", "StockReserved", "stock-A", {"reserved": 1}),
    Happening(3, 2, "confirm", "OrderConfirmed", "order-1", {}),
    Happening(4, 3, "cancel", "OrderCancelled", "order-1", {}),
]


def told(offset: int, kind: str, subject: str, commit: str, end: int, **data: Any) -> Told:
    """Return an event as a consumer has it."""
    event = {
        "id": f"legacy:{commit}:{kind}:{subject}", "source": "legacy", "type": kind, "subject": subject,
        "sourceposition": f"log/0@{end}", "data": data,
    }  # fmt: skip
    topic = "domain.order" if subject.startswith("order") else "domain.stock"
    return Told(topic, 0, offset, event)


def right() -> list[Told]:
    """Return what tells the ledger as it is."""
    return [
        told(0, "OrderPlaced", "order-1", "100", 9, total=5, more="is allowed"),
        told(0, "StockReserved", "stock-A", "100", 9, reserved=1),
        told(2, "OrderConfirmed", "order-1", "200", 19),
        told(4, "OrderCancelled", "order-1", "300", 29),
    ]


def test_what_is_told_as_it_happened_is_equal() -> None:
    """Data beyond the ledger's is allowed: the ledger names the essential part."""
    found = judge(LEDGER, right())
    assert found.equal
    assert (found.events, found.transactions, found.snapshot) == (4, 3, 0)
    assert whole(LEDGER, right())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda t: t[:1] + t[2:], "lost: StockReserved of stock-A"),
        (lambda t: [*t[:2], t[3]], "order-1: the ledger says"),
        (lambda t: [*t, t[3]], "said 2 times"),
        (lambda t: [*t[:2], t[3], t[2]], "out of order"),
        (lambda t: [told(0, "OrderPlaced", "order-1", "100", 9, total=6), *t[1:]], "tells other values"),
        (lambda t: [t[0], told(0, "StockReserved", "stock-A", "101", 9, reserved=1), *t[2:]], "is told as 2 commits"),
        (lambda t: [*t[:3], told(4, "OrderCancelled", "order-1", "200", 29)], "tells 2 transactions"),
        (lambda t: [*t, told(5, "OrderPlaced", "order-9", "400", 39)], "order-9: the ledger says nothing"),
    ],
    ids=["lost", "lost-between", "twice", "out-of-order", "other-values", "torn", "joined", "invented"],
)
def test_each_kind_of_wrong_is_found_and_named(spoil: Any, says: str) -> None:
    """One difference of each kind, in words that name it."""
    found = judge(LEDGER, spoil(right()))
    assert not found.equal
    assert any(says in difference for difference in found.differences), found.differences


def test_what_happened_before_a_snapshot_is_told_by_nobody() -> None:
    """The last happenings of every subject are there, and what is missing lies before: counted, no difference."""
    found = judge(LEDGER, right()[2:])
    assert found.equal
    assert found.snapshot == 2


def test_a_ledger_of_which_nothing_is_told_differs() -> None:
    """A bridge that does not run is no snapshot."""
    assert judge(LEDGER, []).differing == len(LEDGER)
    assert not whole(LEDGER, [])
    assert judge([], []).equal
