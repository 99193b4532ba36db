"""What a test of kills plays with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Event
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from figbridge.demo.delivery import DeliveryService
from figbridge.demo.monolith import Monolith

from .child import Child
from .evidence import Evidence

KILLS = int(os.environ.get("FIGBRIDGE_FAULTS", "3"))
"""How many kills the campaign makes; the tests beside it make a tenth of them, and at least one."""

FEW = max(1, KILLS // 10)


class Scene:
    """Databases with their writers, the bridge over them, and what a consumer sees.

    The writers work in one thread of their own, in the order in which `write` is called.
    """

    def __init__(self, folder: Path, legacy: str, delivery: str, dice: Random) -> None:
        self.dice = dice
        self.shop = Monolith(legacy, Random(dice.random()), _now)
        self.delivery = DeliveryService(delivery, Random(dice.random()), _now)
        self.child = Child(
            folder, folder / "mappings", {"legacy": _source(legacy), "delivery": _source(delivery)}
        )  # fmt: skip
        self.evidence = Evidence(self.child.data / "log.db")
        self.stop = Event()
        self._seen = folder / "seen.jsonl"
        self._reader: subprocess.Popen[bytes] | None = None
        self._writers = ThreadPoolExecutor(1)
        self._written: list[Future[Any]] = []
        self._stack = ExitStack()
        self._began = time.monotonic()
        self.startup_s = 3.0
        """How long the last start took that was not cut short."""

    def __enter__(self) -> Self:
        self._stack.enter_context(self.shop)
        self._stack.enter_context(self.delivery)
        self._stack.callback(self._writers.shutdown)
        self._stack.callback(self.close_reader)
        self._stack.callback(self.child.end)
        self.shop.create_schema()
        self.delivery.create_schema()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        self._stack.close()

    @property
    def reading(self) -> bool:
        """Whether a consumer looks: then the bridge has been seen alive."""
        return self._reader is not None

    # --- writers ---------------------------------------------------------------------------------

    def write(self, work: Callable[[], object]) -> Future[Any]:
        """Let the writers do something after what they were told before."""
        self._written.append(self._writers.submit(work))
        return self._written[-1]

    def written(self) -> None:
        """Wait until the writers have done everything; raise what one failed of."""
        for future in self._written:
            future.result(600)
        self._written.clear()

    # --- the bridge ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the bridge, with batches of another size each time."""
        self._began = time.monotonic()
        self.child.start(self.dice.choice([20, 100, 1000]))

    def until_streaming(self) -> None:
        """Wait until the snapshots are complete, and let the consumer look."""
        self.child.until(lambda: self.evidence.streams(2), "both snapshots")
        self.startup_s = time.monotonic() - self._began
        self.open_reader()

    def until_alive(self) -> None:
        """Wait until a bridge that was started again appends to the log, and let the consumer look."""
        before = self.evidence.end("figbridge.%.log")
        self.child.until(lambda: self.evidence.end("figbridge.%.log") > before, "a sign of life")
        self.startup_s = time.monotonic() - self._began
        self.open_reader()

    def until_grown(self, topics: str, records: int) -> None:
        """Wait until topics have so many records more."""
        goal = self.evidence.end(topics) + records
        self.child.until(lambda: self.evidence.end(topics) >= goal, f"{records} records of {topics}")

    def until_told(self) -> int:
        """Have an order placed, after everything else, and wait until the world knows; return its number."""
        number: int = self.write(self.shop.place_order).result(600)
        self.written()
        subject = f"order-{number}"
        self.child.until(lambda: self.evidence.has_said("OrderPlaced", subject), f"the event of {subject}")
        return number

    def kill(self) -> None:
        """Kill the bridge, half of the times while a consumer holds the file open."""
        if self.dice.randrange(2):
            self.close_reader()
        self.child.kill()
        self.close_reader()

    def moment(self, most_s: float) -> None:
        """Let a random time pass."""
        self.stop.wait(self.dice.random() * most_s)

    # --- the consumer ----------------------------------------------------------------------------

    def open_reader(self) -> None:
        """Let a consumer look, in a process of its own."""
        if self._reader is None:
            program = Path(__file__).with_name("reader.py")
            words = [sys.executable, str(program), str(self.evidence.file), str(self._seen)]
            self._reader = subprocess.Popen(words, stdin=subprocess.PIPE)

    def close_reader(self) -> None:
        """Let the consumer go."""
        if self._reader is not None:
            assert self._reader.stdin is not None
            self._reader.stdin.close()
            assert self._reader.wait(60) == 0
            self._reader = None

    def looks(self) -> list[dict[str, Any]]:
        """Return what the consumer has seen, look by look."""
        return [json.loads(line) for line in self._seen.read_text().splitlines()]


def _now() -> datetime:
    return datetime.now(UTC)


def _source(url: str) -> dict[str, Any]:
    at = urlsplit(url)
    return {
        "host": at.hostname,
        "port": at.port,
        "user": unquote(at.username or ""),
        "password": unquote(at.password or ""),
        "database": at.path.lstrip("/"),
        "heartbeat_ms": 200,
    }
