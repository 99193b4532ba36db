"""Replaying captured records: every outcome is told, in log order, and the account balances."""

from __future__ import annotations

from dataclasses import replace

import pytest

from figbridge.domain.authority import Authority
from figbridge.errors import InvariantError
from figbridge.operations.replay import Replay
from figbridge.pipeline.account import Account
from figbridge.ports import Outgoing, Record
from support.mappings import orders
from support.monolith import Monolith, insert, shop, update
from support.rig import Rig, edge_of, plan_of

EVENTS = """
Placed: {when: appears, tell: [total], fact: order.placement}
Stated: {when: status changes, tell: [status], fact: order.status}
Noted: {when: notes changes and carrier is DHL, tell: [notes], fact: order.notes}
"""
ORDER = {"order_id": 7, "number": 1007, "stat": "P", "tot_amt": "1.00"}


def numbered(records: list[Outgoing]) -> list[Record]:
    """Give records their offsets."""
    return [Record(r.topic, 0, n, r.key, r.value, r.headers, r.timestamp) for n, r in enumerate(records)]


def history(monolith: Monolith) -> list[Record]:
    """Return an order that is placed, confirmed, touched, and given a code that nobody knows."""
    steps = [
        insert("orders", **ORDER),
        update("orders", {"order_id": 7}, stat="C"),
        update("orders", {"order_id": 7}, upd_dt=5),
        update("orders", {"order_id": 7}, cust_id=5),
        update("orders", {"order_id": 7}, notes="x"),
        update("orders", {"order_id": 7}, stat="Q"),
    ]
    return numbered([record for step in steps for record in monolith.transaction(step)])


def replay(text: str, records: list[Record], **options) -> tuple[list[tuple[str, object]], Account]:
    """Replay records with the authority that the monolith owns everything."""
    plan = plan_of((text,))
    authority: Authority = Rig(text).store.load()
    run = Replay(plan, edge_of(plan), authority, **options)
    told = [(t.kind, t.body) for t in run.run(records)]
    assert run.account is not None
    return told, run.account


def test_each_outcome_is_told_with_its_reason() -> None:
    """Events, what was suppressed and why, skipped rules, and parked keys, in log order."""
    told, account = replay(orders(EVENTS, head="unsure: skip"), history(shop()))
    assert [(kind, body.get("type") or body.get("reason") or body.get("code")) for kind, body in told] == [
        ("event", "Placed"),
        ("event", "Stated"),
        ("suppressed", "nothing that matters changed"),
        ("suppressed", "no event speaks for customer"),
        ("suppressed", "no event speaks for notes"),
        ("parked", "UNREADABLE"),
    ]
    assert account.records["read"] == len(history(shop()))


def test_a_skipped_rule_is_told() -> None:
    """A rule that stayed unknown and was skipped is an outcome."""
    monolith = shop()
    records = numbered(
        [
            *monolith.transaction(insert("orders", **ORDER, carrier_id=9)),
            *monolith.transaction(update("orders", {"order_id": 7}, notes="x")),
        ]
    )
    told, _ = replay(orders(EVENTS, head="unsure: skip"), records)
    assert ("suppressed", "Noted stayed unknown") in [(kind, body.get("reason")) for kind, body in told]


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_the_batch_makes_no_difference(batch: int) -> None:
    """A replay in steps of any size tells the same."""
    assert replay(orders(EVENTS), history(shop()), batch=batch)[0] == replay(orders(EVENTS), history(shop()))[0]


def test_an_empty_capture_is_an_empty_account() -> None:
    """Nothing read, nothing told."""
    told, account = replay(orders(EVENTS), [])
    assert (told, account.balanced, account.records["read"]) == ([], True, 0)


def test_an_account_that_does_not_balance_is_a_defect() -> None:
    """A record that nobody counts is not passed over."""
    plan = plan_of((orders(EVENTS),))

    edge = replace(edge_of(plan), decoder=lambda _: lambda _: None)
    with pytest.raises(InvariantError, match="do not balance"):
        list(Replay(plan, edge, Authority()).run(history(shop())))
