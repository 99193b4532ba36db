"""kill -9 inside one transaction of 30,000 rows that share positions by the page: on its way into the log, and behind.

Debezium's own offset would lose the rest of a page here, and the count of END would leave it out too.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest

from . import verify
from .scene import FEW, Scene

pytestmark = [pytest.mark.embedded, pytest.mark.faults, pytest.mark.timeout(3600)]

ROWS = 30_000
LOG = "figbridge.legacy.log"


def test_kills_inside_a_copy_list_each_article_once(scene: Scene, summary: Callable[[str], None]) -> None:
    """Each of 30,000 new articles is listed once, all of them seen together or none."""
    shop, evidence, began = scene.shop, scene.evidence, time.monotonic()
    shop.seed(6)
    scene.start()
    scene.until_streaming()
    told_from = shop.book.last["ledger"]
    goal = evidence.end(LOG) + ROWS
    with shop.connection.cursor().copy("COPY shop.stock FROM STDIN") as stream:
        for number in range(ROWS):
            stream.write_row((f"N{number}", number, number % 7, None))

    where: Counter[str] = Counter()
    for number in range(FEW):
        if number <= FEW // 2:  # the log has no row of it before it has all
            scene.moment(scene.startup_s / 3 if number == 0 else 1.5 * scene.startup_s)
        else:
            scene.child.until(lambda: evidence.end(LOG) >= goal, "the COPY in the log")
            scene.open_reader()
            scene.moment(1.0)
        scene.kill()
        told = evidence.end("figbridge.domain.stock") > ROWS
        where["told" if told else "in the log" if evidence.end(LOG) >= goal else "on its way"] += 1
        print(f"kill {number + 1} of {FEW}, COPY: {dict(where)}", flush=True)  # noqa: T201
        scene.start()
    scene.until_alive()
    scene.until_told()
    scene.child.stop()
    scene.close_reader()

    said = evidence.domain()
    listed = [r for r in said if r.type == "StockListed"]
    assert {r.subject: (r.event["data"]["onHand"], r.event["data"]["reserved"]) for r in listed} == {
        f"stock-N{number}": (number, number % 7) for number in range(ROWS)
    }
    assert len(listed) == ROWS
    assert len({r.commit for r in listed}) == 1
    others = [r for r in said if r.type != "StockListed"]
    verify.the_ledger_is_told([h for h in shop.stored_ledger() if h.seq > told_from], others)
    verify.each_is_said_once(said)
    verify.they_stand_in_commit_order(said)
    verify.the_account_balances(evidence, said)
    verify.nothing_is_doubted(evidence)
    looks = verify.all_was_seen_or_nothing(scene.looks(), said)
    places = ", ".join(f"{n} while it was {place}" for place, n in where.items())
    summary(
        f"{scene.child.kills} kills after a COPY of {ROWS} rows ({places}), {len(listed)} listed, each once,"
        f" {looks} looks of a consumer, {time.monotonic() - began:.0f} s"
    )
