"""What a test of kills on brokers plays with: servers, the shop that trades, the bridge's processes, a consumer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from threading import Event
from types import TracebackType
from typing import Any, Self, TypeVar

from confluent_kafka import Consumer, TopicPartition

from figbridge.demo.trial.files import prepare
from figbridge.sandbox import Sandbox

from .crew import SESSION_MS, Crew
from .evidence import Topics

T = TypeVar("T")

ROOT = Path(__file__).parents[3]
PATIENCE_S = 240.0
LOOK_S = 0.05
BETWEEN_S = 0.05
"""How long the shop rests between ten operations, so that it does not take the computer from everybody else."""

WITHOUT = ("nightly_status", "correct_key")
"""Not done under kills: what changes every row at once, and what Debezium 3.7 itself loses a row of when it is
restarted within (a changed primary key). That loss has a campaign of its own."""


class Stage:
    """Run the servers, and let the shop trade beside three processes of the bridge."""

    def __init__(self, folder: Path, dice: Random) -> None:
        self.folder, self.dice = folder, dice
        self.waited: dict[str, list[float]] = defaultdict(list)
        """What was done → how many seconds later the next commit over the monolith's log was seen."""
        self.parked_before: set[str] = set()
        """Subjects that were parked once: what they became was said later than it happened."""
        self._stack = ExitStack()
        self._pause = Event()
        self._rest = Event()
        self._writers = ThreadPoolExecutor(1)
        self._trading: Future[Any] | None = None
        self._reader: subprocess.Popen[bytes] | None = None
        self._readers = 0
        self._watchers: dict[str, Consumer] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._writers.shutdown)
            stack.callback(self._rest.set)
            self.box = stack.enter_context(Sandbox(self.folder / "servers", ["kafka", "connect", "postgres"]))
            self.store = stack.enter_context(Sandbox(self.folder / "store", ["postgres"]))
            self.mappings = self.folder / "mappings"
            shutil.copytree(ROOT / "mappings", self.mappings)
            (self.trial,) = prepare(self.box, self.mappings)
            self.shop = stack.enter_context(self.trial.shop(Random(self.dice.random())))
            self.delivery = stack.enter_context(self.trial.delivery(Random(self.dice.random())))
            server = self.store.postgres
            told = {"HOST": "127.0.0.1", "PORT": str(server.port), "DATABASE": "postgres",
                    "PASSWORD_FILE": str(server.folder / "password")}  # fmt: skip
            told = {f"FIGBRIDGE_AUTHORITY__{name}": value for name, value in told.items()}
            self.crew = Crew(self.folder, self.trial.settings, told, self.dice)
            stack.callback(self.crew.close)
            stack.callback(self._kill_reader)
            self.log = f"{self.trial.prefix}.legacy.log"
            for isolation in ("read_committed", "read_uncommitted"):
                brokers = {"bootstrap.servers": self.box.bootstrap, "group.id": "watch"}
                self._watchers[isolation] = Consumer({**brokers, "isolation.level": isolation})
                stack.callback(self._watchers[isolation].close)
            self.crew.command("connectors", "apply")
            self.shop.seed(12)  # the connectors stream by now: all that ever happens is told
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # --- the shop --------------------------------------------------------------------------------

    def trade(self) -> None:
        """Let the shop trade, and the service speak, until `settle`."""
        self._rest.clear()
        self._trading = self._writers.submit(self._trade)

    def _trade(self) -> None:
        while not self._rest.wait(BETWEEN_S):
            self.shop.trade(10, without=WITHOUT)
            if self.dice.randrange(10) == 0:
                self._speak()

    def _speak(self) -> None:
        order = f"order-{self.shop.book.numbers[-1]}"
        self.delivery.accept(order, None)
        self.delivery.assign_carrier(order, "DHL")

    def settle(self) -> None:
        """Let the shop come to rest, and wait until the world knows everything; then end the bridge in order."""
        self.rest()
        self.until_told()
        self.until(lambda: self.seen.end("shadow.") == len(self.delivery.said()), "the service's word")
        self.crew.end_all()
        self.close_reader()
        self.seen.refresh()

    def rest(self) -> None:
        """Let the shop finish what it does; raises what it failed of."""
        self._rest.set()
        if self._trading is not None:
            self._trading.result(60)
            self._trading = None

    def until_told(self) -> None:
        """Place an order, after everything else, and wait until the world knows."""
        told = ("OrderPlaced", f"order-{self.shop.place_order()}")
        self.until(lambda: told in self.seen.names, f"the event of {told[1]}")

    # --- what happens ----------------------------------------------------------------------------

    def start(self, processes: int) -> None:
        """Start processes of the bridge, with a consumer, and wait until they work."""
        self.open_reader()
        for _ in range(processes):
            self.crew.start()
        self.until_told()

    def kill_one(self) -> None:
        """Kill a process, and another one comes: any, or the one at work, at a random moment or inside a commit."""
        if self.dice.randrange(4):
            self.grow(self.dice.randrange(1, 40))
        self.moment(0.3)
        how = self.dice.choice(["any", "at work", "in a commit", "in a commit"])
        holder = self.crew.holder(self.log) if how != "any" else None
        if how == "in a commit":
            self._until_in_commit()
        when = time.time()
        self.crew.kill(holder or self.crew.any())
        self.crew.start()
        self._until_commit(when)
        if (took := self.seen.takeover(when)) is not None:
            self.waited["kill -9, another took over"].append(took)

    def freeze_one(self) -> None:
        """Stop the process at work for longer than the session's timeout, and let it go on."""
        self.grow(self.dice.randrange(1, 40))
        number = self.crew.holder(self.log) or self.crew.any()
        when = time.time()
        self.crew.freeze(number)
        self.until(lambda: self.seen.takeover(when) is not None, "somebody else's commit")
        self.waited["SIGSTOP, another took over"].append(self.seen.takeover(when) or 0.0)
        self._pause.wait(max(0.0, when + 1.2 * SESSION_MS / 1000 - time.time()))
        self.crew.thaw(number)
        self.grow(5)

    def kill_server(self, box: Sandbox, name: str, what: str) -> None:
        """Kill a server at a random moment, start it again, and wait until the bridge goes on."""
        self.grow(self.dice.randrange(1, 40))
        self.moment(0.3)
        when = time.time()
        box.server(name).kill()
        self.moment(1.0)
        box.up()
        self._until_commit(time.time())
        self.waited[what].append(time.time() - when)
        self.grow(5)

    def moment(self, most_s: float) -> None:
        """Let a random time pass."""
        self._pause.wait(self.dice.random() * most_s)

    def grow(self, events: int) -> None:
        """Wait until the domain topics have so many events more."""
        goal = len(self.seen.names_in_order) + events
        self.until(lambda: len(self.seen.names_in_order) >= goal, f"{events} more events")

    def _until_in_commit(self) -> None:
        """Wait until a transaction is under way, and a moment: state or events go further than anybody may read."""
        topics = [f"{self.log}.bridge-{self.trial.kind}.state", f"{self.trial.prefix}.domain.order"]
        place = TopicPartition(self.dice.choice(topics), 0)

        def end(isolation: str) -> int:
            return int(self._watchers[isolation].get_watermark_offsets(place, timeout=10)[1])

        deadline = time.monotonic() + PATIENCE_S
        while end("read_uncommitted") <= end("read_committed"):
            assert time.monotonic() < deadline, "no commit came"
        self.moment(0.05)

    def _until_commit(self, since: float) -> None:
        self.until(lambda: bool(m := self.seen.marks("legacy")) and m[-1].seen > since, "the next commit")

    def until(self, condition: Callable[[], T], what: str) -> T:
        """Wait until a condition gives something true; fail when a process of the bridge, or the shop, ends before."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.seen.refresh()
            if value := condition():
                return value
            self.crew.check()
            assert self._reader is None or self._reader.poll() is None, "the consumer ended by itself"
            if self._trading is not None and self._trading.done():
                self._trading.result()
            assert time.monotonic() < deadline, f"not in time: {what}"
            self._pause.wait(LOOK_S)

    # --- the consumer ----------------------------------------------------------------------------

    def open_reader(self) -> None:
        """Start a consumer in a process of its own, which reads everything from the beginning."""
        self._readers += 1
        file = self.folder / f"seen-{self._readers}.jsonl"
        self.seen = Topics(file, self.trial.prefix)
        words = [sys.executable, str(Path(__file__).with_name("reader.py"))]
        self._reader = subprocess.Popen(
            [*words, self.box.bootstrap, f"{self.trial.prefix}.", str(file)], stdin=subprocess.PIPE, env=os.environ
        )

    def close_reader(self) -> None:
        """Let the consumer read what there is, and end."""
        assert self._reader is not None
        assert self._reader.stdin is not None
        self._reader.stdin.close()
        assert self._reader.wait(120) == 0
        self._reader = None

    def _kill_reader(self) -> None:
        if self._reader is not None:
            self._reader.kill()
            self._reader.wait()
