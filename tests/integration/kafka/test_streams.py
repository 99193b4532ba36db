"""Two streams of one source on real brokers, shared out between two processes of `figbridge run`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from contract.harness import everything as read_all
from contract.harness import until
from figbridge.pipeline.perform import Topics
from figbridge.ports import Log, Outgoing
from support.monolith import Monolith, shop
from support.rig import Rig
from support.streams import DOCUMENT, ORDERS, STOCK, TABLES, heard, item, sale

from .conftest import Scene
from .runs import Runs

pytestmark = pytest.mark.sandbox

MAPPINGS = {"orders": ORDERS, "stock": STOCK}


@pytest.fixture
def runs(scene: Scene) -> Iterator[Runs]:
    """Give a group whose connector document splits the source."""
    made = Runs(scene.folder, scene.servers, f"streams-{scene.run}", MAPPINGS, DOCUMENT, session_timeout_ms=6_000)
    yield made
    made.close()


def sales(monolith: Monolith, numbers: range) -> list[Outgoing]:
    """Return transactions with rows of both streams' tables."""
    return [record for n in numbers for record in monolith.transaction(*sale(n, 1000 - n))]


def ids(log: Log, topics: Topics) -> list[str]:
    """Return the ids of every domain event."""
    parts = [part for name in ("Order", "Stock") for part in read_all(log, topics.domain(name)).values()]
    return sorted(json.loads(record.value or b"")["id"] for part in parts for record in part)


def test_two_processes_read_a_stream_each_and_tell_what_one_log_would(scene: Scene, runs: Runs) -> None:
    """Each log is a share with its own state; when a process ends the other has both; nothing is lost or twice."""
    topics, log = Topics(f"streams-{scene.run}"), scene.open()
    logs = {stream: topics.log(f"legacy_{stream}") for stream in TABLES}
    monolith, rig = shop(), Rig(ORDERS, STOCK)
    monolith.fill(item(1000))

    def write(numbers: range) -> None:
        records = sales(monolith, numbers)
        for stream, topic in logs.items():
            log.append(list(heard(records, TABLES[stream], topic)))
        rig.write(records)

    def wanted() -> list[str]:
        found = [json.loads(record.value or b"")["id"] for record in rig.records("domain")]
        return sorted(found)

    for topic in logs.values():
        log.create(topic)
    write(range(1, 40))
    first, second = runs.start(), runs.start()
    held = until(
        lambda: (runs.held(first), runs.held(second)),
        lambda each: [len(logs) for logs in each] == [1, 1],
    )
    assert sorted(held[0] + held[1]) == sorted(logs.values())
    until(lambda: ids(log, topics), lambda found: len(found) >= len(wanted()))
    assert runs.end(first)[0] == 0, runs.words(first)
    write(range(40, 60))
    until(lambda: ids(log, topics), lambda found: len(found) >= len(wanted()))
    assert ids(log, topics) == wanted()
    assert runs.end(second)[0] == 0, runs.words(second)

    code, seen = runs.command("status")
    assert (code, seen["balanced"]) == (0, True)
    assert {s["source"] for s in seen["sources"]} == {"legacy_sales", "legacy_goods"}
    assert sorted(log.states(f"streams-{scene.run}")) == sorted(logs.values())
