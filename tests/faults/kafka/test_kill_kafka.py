"""Kill three processes of the bridge, Connect, the broker and the store, and let processes come and go, under load.

The shop's own ledger says what happened. A consumer in a process of its own, read_committed, writes down what it sees
of every topic from the beginning; the verifier reads that, and no code of figbridge.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from collections.abc import Callable

import pytest

from faults import verify
from faults.odd import keys, learn_the_code, park_an_order

from .stage import Stage

pytestmark = [pytest.mark.sandbox, pytest.mark.faults, pytest.mark.timeout(7200)]

KILLS = int(os.environ.get("FIGBRIDGE_KAFKA_KILLS", "3"))
"""How many processes of the bridge are killed; of the others a share, at least one each."""

OTHERS = {"SIGSTOP": 20, "the Connect worker": 30, "the broker": 20, "the store": 20}
"""What else happens, for each hundred kills of a process."""

COME_AND_GO_S = float(os.environ.get("FIGBRIDGE_KAFKA_REBALANCES_S", "10"))


def test_kills_lose_nothing_say_nothing_twice_and_tear_no_transaction(
    stage: Stage, summary: Callable[[str], None]
) -> None:
    """Domain topics hold each happening of the ledger once, in order; what one transaction did is one commit's; parked
    changes and remembered rows are what they were."""
    began, shop = time.monotonic(), stage.shop
    stage.start(3)
    odd = park_an_order(shop)
    key, late = f"orders[{shop.book.orders[odd].key}]", {f"order-{odd}"}
    stage.until_told()
    parked = stage.seen.state("parked")
    assert len(parked) >= 5
    stage.trade()

    what = ["kill -9"] * KILLS
    what += [name for name, share in OTHERS.items() for _ in range(max(1, KILLS * share // 100))]
    stage.dice.shuffle(what)
    for number, name in enumerate(what, start=1):
        happen(stage, name)
        assert stage.seen.state("parked")[: len(parked)] == parked
        line = f"{number} of {len(what)}, {name}: {stage.seen.end('domain.')} events so far"
        print(f"{line}, {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201

    stage.rest()
    learn_the_code(stage.mappings)
    stage.crew.end_all()
    for _ in range(3):
        stage.crew.start()
    stage.until_told()
    stage.crew.command("parked", "release", key, "--reason", "the code is known now")
    stage.until(lambda: not stage.seen.state("parked"), "the decision")
    stage.settle()

    summary(f"{counted(what)}; {judged(stage, late)}, {time.monotonic() - began:.0f} s")
    if stage.crew.started_again:
        summary(f"{stage.crew.started_again} x a process found the store or the brokers gone, and was started again")
    for name, seconds in stage.waited.items():
        middle = statistics.median(seconds)
        summary(f"{name}: next commit after {min(seconds):.1f} to {max(seconds):.1f} s, median {middle:.1f} s")


def test_processes_that_come_and_go_lose_nothing(stage: Stage, summary: Callable[[str], None]) -> None:
    """Whoever joins and leaves the group, every few seconds: the same."""
    began, moves = time.monotonic(), Counter[str]()
    stage.start(2)
    stage.trade()
    while time.monotonic() - began < COME_AND_GO_S or moves.total() < 3:
        grows = len(stage.crew) < 2 or (len(stage.crew) < 4 and stage.dice.randrange(2) == 0)
        if grows:
            stage.crew.start()
        else:
            stage.crew.end(stage.crew.any())
        moves["came" if grows else "left"] += 1
        stage.moment(3.0)
        stage.grow(1)
    stage.settle()
    late = {s for _, s in stage.seen.names if s in stage.parked_before}
    summary(f"{counted(moves.elements())}; {judged(stage, late)}, {time.monotonic() - began:.0f} s")


def happen(stage: Stage, name: str) -> None:
    """Do one thing that goes wrong."""
    match name:
        case "kill -9":
            stage.kill_one()
        case "SIGSTOP":
            stage.freeze_one()
        case "the Connect worker":
            stage.kill_server(stage.box, "connect-1", name)
        case "the broker":
            stage.kill_server(stage.box, "kafka-1", name)
        case "the store":
            stage.kill_server(stage.store, "postgres", name)


def judged(stage: Stage, late: set[str]) -> str:
    """Judge everything that was ever said on the stage, and return it in words. `late` subjects were parked."""
    stage.parked_before |= late
    seen, shop = stage.seen, stage.shop
    said = seen.domain()
    happenings = verify.the_ledger_is_told(shop.stored_ledger(), said)
    verify.each_is_said_once(said, gaps=True)
    verify.they_stand_in_commit_order(said, late)
    verify.the_account_balances(seen, said)
    verify.nothing_is_doubted(seen, but=["restarted"])  # a transaction that a kill of Connect cut, and that came whole
    verify.the_memory_is_the_table(seen, keys(shop))
    assert seen.state("parked") == []
    commits, torn = seen.commits_have_no_gap(), seen.no_transaction_is_torn(late)
    spoken = Counter((s.type, s.subject) for s in seen.said("shadow."))
    assert spoken == Counter((s.type, s.subject) for s in stage.delivery.said())
    assert seen.end("quarantine") == 0
    return (
        f"{shop.committed_changes} row changes, {happenings} happenings of the ledger = {len(said)} events, each once"
        f" and in order, {commits} commits without a gap, {torn} of them with events and no transaction in two"
    )


def counted(what: object) -> str:
    """Return how often what happened."""
    return ", ".join(f"{n} x {name}" for name, n in Counter(what).items())  # type: ignore[call-overload]
