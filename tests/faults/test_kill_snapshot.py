"""kill -9 while the snapshot runs: it is made again, and what is known afterwards is what the tables hold.

A snapshot that was cut short leaves its state events behind. The next one is of a later moment, and what happened
between the two is nobody's event: it is in the state that the next one tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from figbridge.demo.monolith import Happening, by_subject

from . import verify
from .evidence import Said
from .scene import FEW, Scene

pytestmark = [pytest.mark.embedded, pytest.mark.faults, pytest.mark.timeout(3600)]

ARTICLES = 8_000
STATUS = {"P": "placed", "C": "confirmed", "S": "shipped", "X": "cancelled"}


def test_kills_inside_a_snapshot_leave_the_truth_known(
    scene: Scene, dice: Random, summary: Callable[[str], None]
) -> None:
    """State events and what happened since the last snapshot give the tables; no happening is told that is older."""
    shop, evidence, began = scene.shop, scene.evidence, time.monotonic()
    shop.seed(12)
    shop.connection.execute(
        b"INSERT INTO shop.stock SELECT 'S' || i, i, 0, now() FROM generate_series(1, %d) i" % ARTICLES
    )
    shop.close()  # it reads the new articles when it works again

    def count() -> None:
        for _ in range(40):
            shop.receive_goods()
            shop.recount()

    for number in range(FEW):
        scene.start()
        scene.write(count)
        scene.until_grown("figbridge.legacy.log", dice.randrange(300, ARTICLES // 3))
        scene.open_reader()
        scene.kill()
        assert evidence.end("figbridge.legacy.offsets") == 0, "the snapshot was complete"
        there = evidence.end("figbridge.legacy.log")
        print(f"kill {number + 1} of {FEW}, snapshot: {there} records in the log", flush=True)  # noqa: T201
    scene.start()
    scene.write(count)
    scene.until_streaming()
    scene.until_told()
    scene.child.stop()
    scene.close_reader()

    said = evidence.domain()
    verify.each_is_said_once(said)
    verify.they_stand_in_commit_order(said)
    verify.the_account_balances(evidence, said)
    verify.nothing_is_doubted(evidence, but=["snapshot-again"])  # each kill inside the snapshot makes another
    looks = verify.all_was_seen_or_nothing(scene.looks(), said)
    assert stock(said) == {
        f"stock-{item}": {"onHand": on_hand, "reserved": reserved}
        for item, on_hand, reserved in rows(scene, "SELECT trim(item_cd), on_hand, reserved FROM shop.stock")
    }
    known = {r.subject: r.event["data"] for r in said}
    assert {s: d["status"] for s, d in known.items() if s.startswith("order-") and "status" in d} == {
        f"order-{number}": STATUS[stat] for number, stat in rows(scene, "SELECT number, stat FROM shop.orders")[:-1]
    }
    assert {s: d["name"] for s, d in known.items() if s.startswith("customer-")} == {
        f"customer-{key}": name for key, name in rows(scene, "SELECT cust_id, name FROM shop.customers")
    }
    late = only_the_last(shop.stored_ledger(), said)
    repeated = sum(1 for r in said if not r.happening) - len({r.subject for r in said if not r.happening})
    summary(
        f"{scene.child.kills} kills inside the snapshot of {ARTICLES} articles, {repeated} states told again,"
        f" {late} happenings since, {looks} looks of a consumer, {time.monotonic() - began:.0f} s"
    )


def stock(said: list[Said]) -> dict[str, dict[str, Any]]:
    """Return the counters of each article as a consumer who follows the topic has them."""
    found: dict[str, dict[str, Any]] = {}
    for record in said:
        if record.subject.startswith("stock-"):
            data = record.event["data"]
            level = found.setdefault(record.subject, {})
            level.update({name: data[name] for name in ("onHand", "reserved") if name in data})
    return found


def only_the_last(ledger: list[Happening], said: list[Said]) -> int:
    """Check that what is told of a subject is the end of its ledger; returns how much."""
    expected, told = by_subject(ledger), dict[str, list[str]]()
    for record in said:
        if record.happening:
            told.setdefault(record.subject, []).append(record.type)
    for subject, types in told.items():
        assert [h.type for h in expected[subject]][-len(types) :] == types
    return sum(len(types) for types in told.values())


def rows(scene: Scene, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table, by key."""
    return scene.shop.connection.execute(f"{query} ORDER BY 1".encode()).fetchall()
