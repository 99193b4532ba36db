"""A process that is told to end under load, on real brokers: it commits, leaves its group and is replaced at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from threading import Event, Thread
from time import monotonic

import pytest

from contract.harness import everything as read_all
from contract.harness import until
from figbridge.pipeline.perform import Topics
from figbridge.ports import TopicPartition
from support.mappings import stock
from support.monolith import Monolith, insert, shop, update

from .conftest import Scene
from .runs import Runs

pytestmark = pytest.mark.sandbox

PROMISED_S = 10.0
SESSION_S = 45.0
"""Longer than the test may take: whoever waited for the dead member's session would be seen."""

STOCK = stock("Counted: {when: onHand changes, tell: [onHand], fact: stock.level}")


@pytest.fixture
def runs(scene: Scene) -> Iterator[Runs]:
    """Give a group whose members are missed only after a long time."""
    name = f"stop-{scene.run}"
    made = Runs(scene.folder, scene.servers, name, {"stock": STOCK}, session_timeout_ms=int(SESSION_S * 1000))
    yield made
    made.close()


class Load:
    """Commit transactions of a monolith until told to stop."""

    def __init__(self, scene: Scene, topic: str) -> None:
        self._log, self._topic = scene.open(), topic
        self._monolith: Monolith = shop()
        self._monolith.fill(insert("stock", item_cd="A1", on_hand=0, reserved=0))
        self._stop = Event()
        self._thread = Thread(target=self._write)
        self.written = 0

    def __enter__(self) -> Load:
        self._write_some(2_000)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._stop.is_set():
            self._write_some(100)

    def _write_some(self, number: int) -> None:
        said = []
        for n in range(self.written + 1, self.written + number + 1):
            said += self._monolith.transaction(update("stock", {"item_cd": "A1"}, on_hand=n))
        self._log.append([record._replace(topic=self._topic) for record in said])
        self.written += number


def test_sigterm_under_load_ends_a_process_in_time_and_another_goes_on_at_once(
    scene: Scene, runs: Runs, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """Exit 0 in under ten seconds, everything that was begun committed; the next one does not wait for a timeout."""
    topics, log = Topics(f"stop-{scene.run}"), scene.open()
    source = topics.log("legacy")
    place = TopicPartition(source, 0)
    log.create(source)

    def position() -> int:
        return log.committed(topics.prefix).get(place, 0)

    with Load(scene, source) as load:
        first = runs.start()
        until(lambda: runs.held(first), bool)
        second = runs.start()
        until(lambda: scene.members(topics.prefix), lambda number: number == 2)
        busy = until(position, lambda at: at > 0)
        until(position, lambda at: at > busy)
        code, seconds = runs.end(first)
        left, ended = position(), monotonic()
        assert code == 0, runs.words(first)
        assert "bridge_stopped" in runs.words(first)
        until(lambda: runs.held(second, 0.05), bool)
        until(position, lambda at: at > left)
        replaced_s = monotonic() - ended
    record_testsuite_property("ended_s", round(seconds, 2))
    record_testsuite_property("replaced_s", round(replaced_s, 2))
    assert seconds < PROMISED_S
    assert replaced_s < SESSION_S / 3

    def counted() -> list[int]:
        parts = read_all(log, topics.domain("Stock")).values()
        return sorted(json.loads(r.value or b"")["data"]["onHand"] for part in parts for r in part)

    until(position, lambda at: at >= log.ends([source])[place] - 1)
    assert counted() == list(range(1, load.written + 1))
    assert runs.end(second)[0] == 0, runs.words(second)
