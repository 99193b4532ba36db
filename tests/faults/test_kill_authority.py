"""kill -9 while a fact passes from hand to hand: each word went where the authority of its position says."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from figbridge import bootstrap
from figbridge.demo.monolith import by_subject
from figbridge.demo.monolith.invent import CARRIERS
from figbridge.operations import authority
from figbridge.settings import Settings

from . import verify
from .evidence import Said
from .scene import FEW, Scene

pytestmark = [pytest.mark.embedded, pytest.mark.faults, pytest.mark.timeout(3600)]

FACT = "order.delivery"
TOLD = ("OrderReaddressed", "CarrierAssigned")
"""What happens to the fact."""
TOPICS = ("figbridge.legacy.log", "figbridge.delivery.log")


class Tenure(NamedTuple):
    """One epoch of the fact, as the store's tables have it."""

    epoch: int
    owner: str
    successor: str | None
    stage: str
    cuts: dict[str, int]


def test_each_word_goes_where_the_authority_of_its_position_says(
    scene: Scene, dice: Random, summary: Callable[[str], None]
) -> None:
    """The verdict and epoch of each record, on every topic, are those that the cuts give for its position."""
    shop, evidence, began = scene.shop, scene.evidence, time.monotonic()
    shop.seed(12)
    numbers = [o.number for o in shop.book.orders.values() if o.is_open]
    for number in numbers:
        scene.delivery.accept(f"order-{number}", shop.book.addresses[shop.book.orders[number].address].told())
    scene.start()
    scene.until_streaming()
    told_from = shop.book.last["ledger"]
    for turn in range(FEW):
        if turn:
            scene.until_alive()
        scene.write(lambda: speak(scene, numbers, 15))
        scene.until_told()
        scene.write(lambda: speak(scene, numbers, 25))
        scene.until_grown("figbridge.domain.order", dice.randrange(1, 10))
        with ThreadPoolExecutor(1) as another:
            granted = another.submit(grant, scene, "legacy" if turn % 2 else "delivery")
            scene.moment(0.1)
            scene.kill()
            epoch = granted.result(120)
        print(f"kill {turn + 1} of {FEW}, grant of epoch {epoch}", flush=True)  # noqa: T201
        scene.start()
    scene.until_alive()
    scene.write(lambda: speak(scene, numbers, 15))
    scene.until_told()
    spoken = scene.delivery.said()
    scene.child.until(lambda: len(of_service(all_said(scene))) == len(spoken), "the service's last word")
    scene.child.stop()
    scene.close_reader()

    said, tenures = all_said(scene), history(scene.child.data / "authority.db")
    assert [t.epoch for t in tenures] == list(range(1, FEW + 2))
    seen = Counter(check(record, tenures) for record in said)
    assert set(seen) >= {("domain", 1), ("shadow", 1), ("domain", 2), ("quarantine", 2)}
    assert {epoch for _, epoch in seen} == {t.epoch for t in tenures}
    ledger = [h for h in shop.stored_ledger() if h.seq > told_from]
    domain = evidence.domain()
    verify.the_ledger_is_told([h for h in ledger if h.type not in TOLD], [r for r in domain if r.type not in TOLD])
    happened = by_subject([h for h in ledger if h.type in TOLD])
    assert {s: [(h.type, h.data) for h in hs] for s, hs in happened.items()} == in_order(said, "legacy")
    words: dict[str, list[tuple[str, object]]] = defaultdict(list)
    for word in spoken:
        words[word.subject].append((word.type, word.payload))
    assert words == in_order(said, "delivery")
    verify.each_is_said_once(said)
    verify.they_stand_in_commit_order(said)
    verify.the_account_balances(evidence, said)
    verify.nothing_is_doubted(evidence)
    verify.all_was_seen_or_nothing(scene.looks(), domain)
    places = ", ".join(f"{n} {place} in epoch {epoch}" for (place, epoch), n in sorted(seen.items()) if place)
    summary(f"{scene.child.kills} kills around {len(tenures) - 1} grants: {places}, {time.monotonic() - began:.0f} s")


def speak(scene: Scene, numbers: list[int], times: int) -> None:
    """Let the shop and the service speak about the same orders, in turns."""
    shop, delivery = scene.shop, scene.delivery
    dice = shop.rng  # of this thread; the scene's are thrown in the test's
    for _ in range(times):
        number = dice.choice(numbers)
        if dice.randrange(2):
            shop.readdress(number)
            delivery.assign_carrier(f"order-{number}", dice.choice(list(CARRIERS.values()))[0])
        else:
            shop.assign_carrier(number)
            delivery.readdress(f"order-{number}", {"name": "A B", "text": {"raw": f"Packstation {dice.random()}"}})
        shop.place_order()


def grant(scene: Scene, to: str) -> int:
    """Give the fact away by hand, beside the running bridge; returns the epoch."""
    settings = Settings(data=scene.child.data, mappings=scene.child.mappings)
    with bootstrap.opened_log(settings) as log, bootstrap.opened_store(settings) as store:
        made = authority.grant(
            store, log, FACT, to, "a test", "a tester", datetime.now(UTC), break_glass=True, source_topics=TOPICS
        )  # fmt: skip
    return made.epoch


def all_said(scene: Scene) -> list[Said]:
    """Return what is on the domain and shadow topics and in quarantine."""
    return [r for topics in ("domain.%", "shadow.%", "quarantine") for r in scene.evidence.said(f"figbridge.{topics}")]


def of_service(said: list[Said]) -> list[Said]:
    """Return what the service said."""
    return [r for r in said if r.source == "delivery"]


def history(file: Path) -> list[Tenure]:
    """Read the epochs of the fact, oldest first, with SQL of our own."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as store:
        rows = store.execute(
            "SELECT epoch, owner, successor, stage FROM tenures WHERE fact = ? ORDER BY epoch", [FACT]
        ).fetchall()
        cuts = store.execute("SELECT epoch, topic, first_offset FROM cuts WHERE fact = ?", [FACT]).fetchall()
    return [
        Tenure(epoch, owner, successor, stage, {topic: offset for since, topic, offset in cuts if since == epoch})
        for epoch, owner, successor, stage in rows
    ]


def check(record: Said, tenures: list[Tenure]) -> tuple[str, int]:
    """Judge one record again; returns where it is and its epoch, no place for what is of other facts."""
    place = record.topic.split(".")[1]
    if FACT not in record.event["fact"].split():
        assert (place, record.event["epoch"]) == ("domain", 1), record
        return "", 1
    log, offset = record.at
    tenure = [t for t in tenures if t.cuts.get(log, 0) <= offset][-1]
    if record.source == tenure.owner:
        expected = "domain"
    elif record.source == tenure.successor and tenure.stage == "shadow":
        expected = "shadow"
    else:
        expected = "quarantine"
    assert (place, record.event["epoch"]) == (expected, tenure.epoch), (record, tenure)
    assert place != "quarantine" or record.event["data"]["owner"] == tenure.owner
    return place, tenure.epoch


def in_order(said: list[Said], source: str) -> dict[str, list[tuple[str, object]]]:
    """Return what a system said happened to the fact, by subject, in the order of its log, wherever it went."""
    found: dict[str, list[tuple[str, object]]] = defaultdict(list)
    for record in sorted((r for r in said if r.source == source and r.type in TOLD), key=lambda r: r.at[1]):
        data = record.event["data"]
        found[record.subject].append((record.type, data["event"]["data"] if "event" in data else data))
    return found
