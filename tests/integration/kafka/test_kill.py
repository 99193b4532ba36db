"""Bridges that share a log are killed while they work: the topics are what one bridge makes that nobody disturbs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from contract.harness import everything as read_all
from contract.harness import until
from figbridge.operations.bridge import create_topics
from figbridge.operations.status import status
from figbridge.pipeline.perform import Topics
from figbridge.ports import Log, Outgoing
from support.histories import History, everything
from support.monolith import insert, shop
from support.rig import TOPICS, Rig, plan_of

from .conftest import Scene

pytestmark = pytest.mark.sandbox

KILLS = 4


def history() -> list[Outgoing]:
    """Return a generated history as records: carriers as a snapshot, then transactions."""
    monolith, sketch = shop(full=True, toast=frozenset({"notes"})), shop()
    for each in (monolith, sketch):
        each.fill(*(insert("carriers", carrier_id=n, code=str(n)) for n in (1, 2)))
    made = History(Random(11), sketch)
    records = monolith.snapshot("carriers")
    for _ in range(300):
        records += monolith.transaction(*made.transaction())
    return records


def said(log: Log, topic: str) -> dict[int, list[tuple[Any, ...]]]:
    """Return what each partition of a topic tells, without the offsets that it came from: logs count them otherwise."""
    events = {p: [json.loads(r.value or b"null") for r in part] for p, part in read_all(log, topic).items()}
    return {p: [(e["id"], e["type"], e["subject"], e["data"]) for e in part] for p, part in events.items()}


class Children:
    """Two bridges of one group at any time; standard output has a line for each commit."""

    def __init__(self, scene: Scene, prefix: str) -> None:
        self._scene, self._prefix = scene, prefix
        self._made = 0
        self.running: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        folder = self._scene.folder / f"child-{self._made}"
        self._made += 1
        command = [sys.executable, "-m", "integration.kafka.child", self._scene.servers, self._prefix]
        command += [self._scene.group, str(folder)]
        tests = Path(__file__).parents[2]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent / "src")])}
        with (self._scene.folder / f"child-{self._made}.log").open("w") as said:
            self.running.append(
                subprocess.Popen(command, cwd=tests, env=env, stdout=subprocess.DEVNULL, stderr=said, text=True)
            )

    def stop(self) -> list[int]:
        for child in self.running:
            child.terminate()
        return [child.wait(30) for child in self.running]


def test_killed_bridges_lose_nothing_and_repeat_nothing(scene: Scene) -> None:
    """Each event once, in the order of one undisturbed bridge, in every partition; the account balances."""
    records, plan = history(), plan_of((everything(),))
    rig = Rig(plan=plan, partitions=3)
    rig.write(record._replace(topic=TOPICS.log("legacy")) for record in records)

    prefix = f"kill-{scene.run}"
    topics, log = Topics(prefix), scene.open()
    source = topics.log("legacy")
    create_topics(log, plan, topics, [source], 3)
    children = Children(scene, prefix)
    for _ in range(2):
        children.start()
    random, part = Random(5), len(records) // (KILLS + 1) + 1
    for at in range(0, len(records), part):
        log.append([record._replace(topic=source) for record in records[at : at + part]])
        before = log.committed(scene.group)
        until(lambda: log.committed(scene.group), lambda now, before=before: now != before)  # somebody works on it
        if at:
            victim = children.running.pop(random.randrange(2))
            victim.kill()
            victim.wait()
            children.start()

    def behind() -> int:
        found = status(log, rig.store, scene.group, {source: "legacy"})
        return sum(s.records_behind for s in found.sources)

    # A mark of a transaction may stand behind the last record.
    until(behind, lambda left: left <= 1)
    until(lambda: len(read_all(log, topics.domain("Order"))), bool)
    assert children.stop() == [0, 0]
    for aggregate in sorted({c.mapping.aggregate for c in plan.mappings.values()}):
        assert said(log, topics.domain(aggregate)) == said(rig.log, TOPICS.domain(aggregate))
    found = status(log, rig.store, scene.group, {source: "legacy"})
    assert found.balanced
    assert found.account["records"]["read"] == len(records)
