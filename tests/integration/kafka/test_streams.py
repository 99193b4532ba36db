"""Two streams of one source on real brokers, shared out between two processes of `figbridge run`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from contract.harness import everything as read_all
from contract.harness import until
from figbridge import bootstrap
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.errors import Refused
from figbridge.operations.bridge import Bridge
from figbridge.operations.status import status
from figbridge.pipeline.edge import Split
from figbridge.pipeline.perform import Topics
from figbridge.ports import EARLIEST, Log, Outgoing, TopicPartition
from support.monolith import Monolith, insert, shop
from support.rig import NOON, Rig, facts_of, plan_of
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


def test_a_parked_key_is_not_left_in_a_log_that_is_read_no_longer(scene: Scene) -> None:
    """Nobody would ever carry out a decision on it, and its later changes would pass it by in another log."""
    topics, log, plan = Topics(f"split-{scene.run}"), scene.open(), plan_of((ORDERS, STOCK))
    store = MemoryAuthorityStore()
    splits = {f"legacy_{s}": Split("legacy", frozenset(f"shop.{t}" for t in tables)) for s, tables in TABLES.items()}

    def bridge(**how: Any) -> Bridge:
        sources = bootstrap.sources(plan, topics, **how)
        made = Bridge(plan, log, store, bootstrap.edge(plan, topics, **how), sources, scene.group)
        made.start = dict.fromkeys(sources, EARLIEST)
        made.prepare(facts_of(plan), NOON, "test")
        return made

    whole = bridge()
    unreadable = shop().transaction(insert("orders", order_id=1, number=1, stat="P", tot_amt="many"))
    log.append([record._replace(topic=topics.log("legacy")) for record in unreadable])
    place = TopicPartition(topics.log("legacy"), 0)
    whole.run(lambda: log.committed(scene.group).get(place, 0) >= len(unreadable))
    assert status(log, store, scene.group, whole.sources).parked_keys == 1
    with pytest.raises(Refused, match="1 of its keys are parked") as refused:
        bridge(splits=splits)
    assert refused.value.code == "STM002"
