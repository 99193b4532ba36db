"""kill -9 of the whole bridge at random moments while the monolith trades: the world is told what happened, once.

The monolith's own ledger, written in its transactions, says what happened. The verifier reads the file of the log with
code of its own. Counted is what was committed after both snapshots were complete.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

import pytest

from . import verify
from .odd import keys, learn_the_code, park_an_order
from .scene import KILLS, Scene

pytestmark = [pytest.mark.embedded, pytest.mark.faults, pytest.mark.timeout(7200)]

SHARE = 400
"""Row changes for each kill: 20,000 for a campaign of 50."""

MOMENTS = ("judging", "night", "starting", "streaming", "judging", "quiet", "streaming", "starting", "again")


def test_kills_under_load_lose_nothing_and_say_nothing_twice(
    scene: Scene, dice: Random, summary: Callable[[str], None]
) -> None:
    """Domain topics hold each happening of the ledger once, in order, all of a transaction or nothing of it."""
    shop, evidence, began = scene.shop, scene.evidence, time.monotonic()
    shop.seed(30)
    scene.start()
    scene.until_streaming()
    told_from, changes_from = shop.book.last["ledger"], shop.committed_changes
    odd = park_an_order(shop)
    scene.until_told()
    parked = waiting(scene)
    assert len(parked) >= 5

    for number in range(KILLS):
        moment = MOMENTS[number] if number < len(MOMENTS) else dice.choice(MOMENTS)
        goal = changes_from + SHARE * (number + 1)
        wait_for(moment, scene, goal)
        scene.kill()
        events = evidence.end("figbridge.domain.%")
        print(f"kill {number + 1} of {KILLS}, {moment}: {events} events so far", flush=True)  # noqa: T201
        assert waiting(scene)[: len(parked)] == parked
        if number == KILLS - 1:
            learn_the_code(scene.child.mappings)
        scene.start()

    scene.until_alive()
    scene.until_told()
    assert shop.committed_changes - changes_from >= SHARE * KILLS
    now_waiting = waiting(scene)
    assert now_waiting[: len(parked)] == parked
    key = f"orders[{shop.book.orders[odd].key}]"
    scene.child.command("parked", "release", key, "--reason", "the code is known now")
    scene.child.until(lambda: not any(group == key for group, _, _ in waiting(scene)), "the decision")
    scene.child.stop()
    scene.close_reader()

    said, late = evidence.domain(), {f"order-{odd}"}
    ledger = [h for h in shop.stored_ledger() if h.seq > told_from]
    happenings = verify.the_ledger_is_told(ledger, said)
    assert shop.ledger() == shop.stored_ledger()
    verify.each_is_said_once(said)
    verify.they_stand_in_commit_order(said, late)
    verify.the_account_balances(evidence, said)
    verify.nothing_is_doubted(evidence)
    assert waiting(scene) == []
    assert evidence.end("figbridge.quarantine") == evidence.end("figbridge.shadow.%") == 0
    verify.the_memory_is_the_table(evidence, keys(shop))
    looks = verify.all_was_seen_or_nothing(scene.looks(), said, late)
    summary(
        f"{scene.child.kills} kills, {shop.committed_changes - changes_from} row changes,"
        f" {happenings} happenings of the ledger = {happenings} events, each once and in order,"
        f" {looks} looks of a consumer, {time.monotonic() - began:.0f} s"
    )


def wait_for(moment: str, scene: Scene, goal: int) -> None:
    """Let the monolith do its share, and return at a random moment of the kind that is named."""
    dice, shop = scene.dice, scene.shop
    if moment in ("starting", "again"):
        scene.write(lambda: trade(scene, goal))
        scene.moment(scene.startup_s if moment == "starting" else 0.2)
        return
    if not scene.reading:
        scene.until_alive()
    if moment == "night":
        scene.write(lambda: trade(scene, goal)).result(600)
        scene.write(lambda: (shop.place_order(), shop.nightly_confirm(limit=100_000), shop.nightly_status())).result(
            600
        )
        scene.moment(1.0)
        return
    scene.write(lambda: trade(scene, goal))
    if moment == "streaming":
        scene.until_grown("figbridge.legacy.log", dice.randrange(1, SHARE))
    elif moment == "judging":
        scene.until_grown("figbridge.domain.%", dice.randrange(1, SHARE // 5))
    else:
        scene.until_told()
    scene.moment(0.05)


def trade(scene: Scene, goal: int) -> None:
    """Trade and load until so many changes are committed. What changes all rows has a kind of its own."""
    scene.shop.trade(30, without=("nightly_status",))
    if goal > scene.shop.committed_changes:
        scene.shop.load(goal - scene.shop.committed_changes)


def waiting(scene: Scene) -> list[tuple[str, str, bytes]]:
    """Return the changes that wait behind parked keys."""
    return scene.evidence.state("parked")
