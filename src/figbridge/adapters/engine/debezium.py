"""Debezium's PostgreSQL connector in this process, appending to a log: records and restart point in one atom.

    Java: connector ─► batch ─► Reader ─► Gatherer ─► log.append(records + point) ─► confirm to Debezium ─► slot

What a kill leaves behind: the log ends at a transaction's edge, and the last record of the offsets topic is that edge.
The slot is confirmed after the append, so it is never ahead. A snapshot that was cut short is made again from its
beginning, over a new slot: its rows come again as `r` rows (state, not happenings), once more for each interruption.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from figbridge.adapters.engine import batch, jvm, position, slot, store
from figbridge.adapters.engine.gather import Gatherer
from figbridge.adapters.engine.settings import EngineConfig, properties
from figbridge.errors import FigbridgeError, OperationalError, Unreachable
from figbridge.ports import Log, Outgoing, TopicPartition

_LOOK_S = 0.05


class Engine:
    """Run one connector in a thread of its own until `stop`, or until it fails.

    `folder` holds what may be lost: Java's log, Debezium's offset file, large open transactions. The log is called
    from the thread of `start` and from one thread of Java, never from two at once.
    """

    def __init__(self, config: EngineConfig, log: Log, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self._log = log
        self._thread: threading.Thread | None = None
        self._java: Any = None
        self._reader: batch.Reader | None = None
        self._gatherer: Gatherer | None = None
        self._point: position.Offset | None = None
        self._failure: FigbridgeError | None = None
        self._stopping = False
        self._ended = threading.Event()
        self.records = 0
        """Records appended to the source log since `start`."""

    @property
    def hint(self) -> str:
        """Say where Java wrote what it did."""
        return f"see {self.folder / 'java.log'}"

    @property
    def failure(self) -> FigbridgeError | None:
        """Return why the engine ended by itself; None while it runs and after `stop`."""
        return self._failure

    @property
    def running(self) -> bool:
        """Say whether the connector's thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def resent(self) -> int:
        """Return how many records came again that the log already had. They were left out."""
        return self._gatherer.resent if self._gatherer else 0

    @property
    def waiting(self) -> int:
        """Return how many records of an open transaction wait for its END."""
        return self._gatherer.waiting if self._gatherer else 0

    def start(self) -> None:
        """Go on from the last point in the log, or begin with a snapshot; return before anything streams.

        Raises Unreachable when Java or the database does not answer, Refused when the slot has passed the log's point.
        """
        if self.running:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        jpype = jvm.start(self.folder)
        for topic in (self.config.topic, self.config.offsets_topic):
            self._log.create(topic, 1)
        self._point = slot.prepare(self.config, self._last_point())
        floor = int(self._point["lsn"]) if self._point else 0
        self._gatherer = Gatherer(
            self.config.topic, floor=floor, limit=self.config.held_rows, folder=self.folder
        )  # fmt: skip
        self._reader = batch.Reader(jpype)
        self._failure, self._stopping, self.records = None, False, 0
        self._ended.clear()
        self._java = self._build(jpype)
        self._thread = threading.Thread(target=self._run, name=f"debezium-{self.config.prefix}", daemon=True)
        self._thread.start()
        jvm.at_exit(self.stop)

    def stop(self, timeout_s: float = 30.0) -> None:
        """Stop the connector and wait for it; what was not appended comes again at the next start.

        Raises Unreachable when it does not end in time.
        """
        thread = self._thread
        if thread is None:
            return
        self._stopping = True
        deadline = time.monotonic() + timeout_s
        asked = False
        while thread.is_alive() and time.monotonic() < deadline:
            asked = asked or self._close()
            thread.join(_LOOK_S)
        if thread.is_alive():
            raise Unreachable("Debezium did not stop in time.", hint=self.hint)
        self._thread = None
        jvm.forget(self.stop)
        if self._gatherer is not None:
            self._gatherer.close()

    def wait_streaming(self, timeout_s: float) -> None:
        """Wait until the snapshot is complete and its point is in the log: what is committed from now on arrives as
        changes, through any crash. Raises the failure, or Unreachable after the time.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._failure is not None:
                raise self._failure
            if self._streams():
                return
            self._ended.wait(_LOOK_S)
        raise self._failure or Unreachable(f"The source {self.config.prefix} does not stream yet.", hint=self.hint)

    def _last_point(self) -> position.Offset | None:
        place = TopicPartition(self.config.offsets_topic, 0)
        end = self._log.ends([place.topic]).get(place, 0)
        last = self._log.read(place, end - 1, 1) if end else []
        return position.decode(last[0].value) if last and last[0].value else None

    def _build(self, jpype: Any) -> Any:
        path = self.folder / f"{self.config.prefix}.offsets"
        store.write(jpype, path, self.config.prefix, self._point)
        settings = jpype.JClass("java.util.Properties")()
        for name, value in properties(self.config).items():
            settings.setProperty(name, value)
        settings.setProperty("offset.storage.file.filename", str(path.resolve()))
        json_format = jpype.JClass("io.debezium.engine.format.Json")
        maker = jpype.JClass("io.debezium.engine.DebeziumEngine").create(json_format, json_format, json_format)
        consumer, completion = _callbacks(jpype, self)
        try:
            return maker.using(settings).using(completion).notifying(consumer).build()
        except jpype.JException as error:
            raise Unreachable(f"Debezium does not start: {error.getMessage()}.") from error

    def _run(self) -> None:
        try:
            self._java.run()
        except Exception as error:  # noqa: BLE001  (whatever ends this thread is the engine's failure)
            self.fail(error)
        finally:
            self._ended.set()

    def _close(self) -> bool:
        """Ask Debezium to end. It refuses while its tasks are starting; then ask again later."""
        try:
            self._java.close()
        except Exception:  # noqa: BLE001  (IllegalStateException of Java: the state says no)
            return False
        return True

    def _streams(self) -> bool:
        """Ask Debezium, which says so after the snapshot but before it has made its stream, and then the server."""
        pointed = self._point is not None or self.config.heartbeat_ms == 0  # then an empty source says nothing at all
        return pointed and slot.connected(self.config.prefix) and slot.active(self.config)

    def fail(self, error: BaseException) -> None:
        """Keep the first reason why the engine cannot go on."""
        if self._failure is not None or self._stopping:
            return
        if isinstance(error, FigbridgeError):
            self._failure = error
        else:
            self._failure = OperationalError(f"Debezium ended: {error}", hint=self.hint)

    def handle(self, records: Any, committer: Any) -> None:
        """Append what a batch completes, with its point, in one atom; then let Debezium confirm that much."""
        assert self._reader is not None
        assert self._gatherer is not None
        now = time.time_ns() // 1_000_000
        atom = self._gatherer.take(self._reader.read(records), now)
        if atom is not None:
            with closing(atom.records) as out:
                edge = records.get(atom.edge)
                point = position.resume_point(batch.offset(edge))
                count = len(out)
                if point is not None and point != self._point:
                    key, value = position.key(self.config.prefix), position.encode(point)
                    out.append(Outgoing(self.config.offsets_topic, key, value, (), now, 0))
                if out:
                    self._log.append(out)
            self.records += count
            self._point = point
            committer.markProcessed(edge)
        committer.markBatchFinished()


def _cause(message: Any, error: Any) -> str:
    """Return the first line of the innermost cause: the outer ones say only that something happened."""
    while error is not None and error.getCause() is not None:
        error = error.getCause()
    text = str(message if error is None else error.getMessage() or error.getClass().getName())
    return text.strip().splitlines()[0].rstrip(".")


def _callbacks(jpype: Any, engine: Engine) -> tuple[Any, Any]:
    """Make the two objects that Java calls."""
    stop = jpype.JClass("java.lang.IllegalStateException")

    @jpype.JImplements("io/debezium/engine/DebeziumEngine$ChangeConsumer")
    class Consumer:
        @jpype.JOverride  # type: ignore[untyped-decorator]
        def handleBatch(self, records: Any, committer: Any) -> None:  # noqa: N802
            try:
                engine.handle(records, committer)
            except Exception as error:
                engine.fail(error)
                raise stop(str(error)) from error

        @jpype.JOverride  # type: ignore[untyped-decorator]
        def supportsTombstoneEvents(self) -> bool:  # noqa: N802
            return True

    @jpype.JImplements("io/debezium/engine/DebeziumEngine$CompletionCallback")
    class Completion:
        @jpype.JOverride  # type: ignore[untyped-decorator]
        def handle(self, success: Any, message: Any, error: Any) -> None:
            if not success:
                engine.fail(OperationalError(f"Debezium ended: {_cause(message, error)}.", hint=engine.hint))

    return Consumer(), Completion()
