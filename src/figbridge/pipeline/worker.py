"""The loop: poll, process, commit under the authority's shared lock. One worker owns one session."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from figbridge.domain.authority import Authority
from figbridge.errors import OperationalError
from figbridge.pipeline.pace import EACH_POLL, Pace
from figbridge.pipeline.perform import Performed
from figbridge.pipeline.process import Process
from figbridge.ports import AuthorityStore, Member, Session, State
from figbridge.telemetry.events import LogEvent, tell
from figbridge.telemetry.metrics import Metric, note

Observe = Callable[[Process, list[Performed]], None]
"""Look at a batch after its commit: `process.pending` still holds what it was made of."""

Clock = Callable[[], float]
"""Say how many seconds have gone by since some moment."""

Make = Callable[[tuple[str, ...], Session], Process]
"""Make the process of some source logs from what is committed in a session."""


@contextmanager
def collecting_later() -> Iterator[None]:
    """Put the search for cyclic garbage off. What is gathered for a commit has no cycles and is all alive: looking
    through it again and again takes a third of the time, and after the commit it is gone by itself."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass(slots=True)
class Worker:
    """Drive one process over one session."""

    session: Session
    process: Process
    store: AuthorityStore
    batch: int = 1000
    observe: Observe | None = None
    pace: Pace = EACH_POLL
    clock: Clock = time.monotonic
    authority: Authority = field(default_factory=Authority)
    behind: bool = False
    """The newest poll came back full: there is a backlog."""
    committed_at: float = -math.inf

    def step(self, timeout_s: float) -> int:
        """Poll, and commit what became whole; returns the number of records read.

        Raises Fenced when another worker has taken over, Unreachable when the authority cannot be read: then nothing
        is committed, for an owner is never guessed.
        """
        with collecting_later():
            read = self._gather(timeout_s)
            if read or self.process.pending:  # what could not be committed before is not forgotten
                self._commit(read)
                self.committed_at = self.clock()
        return read

    def _gather(self, timeout_s: float) -> int:
        """Take in what is there, and of a backlog as much as one commit takes; returns the number of records."""
        began, read = self.clock(), 0
        while True:
            records = self.session.poll(self.batch, timeout_s)
            self.process.take(records)
            read += len(records)
            self.behind = len(records) * 4 > self.batch  # a log may give less at once than it was asked for
            left = began + self.pace.backlog_seconds - self.clock()
            if not self.behind or left <= 0 or read >= self.pace.records:
                return read
            timeout_s = min(left, self.pace.seconds)

    def _commit(self, records: int) -> None:
        """Commit under the shared lock: no grant becomes durable between the verdicts and their commit."""
        began = time.monotonic()
        while True:
            performed = self.process.decide(self.authority)
            with self.store.shared() as version:
                if version == self.authority.version:
                    self.session.commit(self.process.commit(performed))
                    break
            self.authority = self.store.load()
            note(Metric.AUTHORITY_MOVED)
            tell(LogEvent.AUTHORITY_MOVED, version=self.authority.version)
        note(Metric.COMMIT_SECONDS, time.monotonic() - began)
        note(Metric.AUTHORITY_VERSION, self.authority.version)
        tell(
            LogEvent.BATCH_COMMITTED,
            records=records,
            transactions=len(self.process.pending),
            claims=len(performed),
            seconds=round(time.monotonic() - began, 4),
        )
        if self.observe is not None:
            self.observe(self.process, performed)
        self.process.committed()

    def run(self, stop: Callable[[], bool], timeout_s: float = 0.2) -> None:
        """Work until told to stop, between two batches."""
        while not stop():
            self.step(timeout_s)


@dataclass(slots=True)
class Workers:
    """Drive the sessions that this member of a group holds now: one worker and one process for each.

    A process is made of what is committed when its session is given, and dropped with it: nothing that was read for a
    turn is ever used in another one.
    """

    member: Member
    make: Make
    store: AuthorityStore
    batch: int = 1000
    observe: Observe | None = None
    pace: Pace = EACH_POLL
    clock: Clock = time.monotonic
    pause: Callable[[float], None] = time.sleep
    trouble: str = ""
    """What the newest attempt to work failed of; empty when it did not fail."""
    _workers: dict[tuple[str, ...], Worker] = field(default_factory=dict)
    _idle: bool = False

    def step(self, timeout_s: float) -> int:
        """Let every worker that may commit again work once; returns the number of records read. A process that holds
        nothing stands by.

        Raises Fenced when this process is out for good, and whatever opening a session again would not help against.
        """
        sessions = self.member.sessions(timeout_s)
        self.trouble = ""
        for logs in [logs for logs, worker in self._workers.items() if sessions.get(logs) is not worker.session]:
            self._drop(logs)
        for logs, session in sessions.items():
            if logs not in self._workers:
                self._begin(logs, session)
        due = self._due(timeout_s)
        # Who has something to do does not wait for the others; only when nobody had, they wait, each its part.
        each_s = timeout_s / len(self._workers) if self._idle and due else 0.0
        read = sum(self._step(logs, self._workers[logs], each_s) for logs in due)
        self._idle = bool(due) and not read
        return read

    def _due(self, timeout_s: float) -> list[tuple[str, ...]]:
        """Return whose turn it is; waits up to `timeout_s` for the first."""
        shares = len(self._workers)
        due = {logs: self.pace.due(w.committed_at, shares, behind=w.behind) for logs, w in self._workers.items()}
        now = self.clock()
        first = min(due.values(), default=now)
        if first > now:
            self.pause(min(first - now, timeout_s))
            now = self.clock()
        return [logs for logs, at in due.items() if at <= now]

    def held(self) -> Iterable[str]:
        """Return the source logs that this process works on."""
        return [log for logs in self._workers for log in logs]

    def processes(self) -> Iterable[Process]:
        """Return the processes at work."""
        return [worker.process for worker in self._workers.values()]

    def states(self) -> Iterable[State]:
        """Return the committed state of every session at work."""
        return [worker.session.state for worker in self._workers.values()]

    def renew(self, make: Make) -> None:
        """Make every process anew, of what is committed: for other mappings, between two batches."""
        self.make = make
        for logs, worker in self._workers.items():
            worker.session.rewind()
            worker.process = make(logs, worker.session)

    def _step(self, logs: tuple[str, ...], worker: Worker, timeout_s: float) -> int:
        try:
            read = worker.step(timeout_s)
        except OperationalError as error:
            self._drop(logs)
            self.trouble = str(error)
            self.member.lost(logs, error)
            return 0
        if read:
            self.member.worked()
        return read

    def _begin(self, logs: tuple[str, ...], session: Session) -> None:
        process = self.make(logs, session)
        self._workers[logs] = Worker(session, process, self.store, self.batch, self.observe, self.pace, self.clock)
        note(Metric.REBALANCES)
        tell(LogEvent.SOURCES_TAKEN, logs=sorted(logs))

    def _drop(self, logs: tuple[str, ...]) -> None:
        del self._workers[logs]
        note(Metric.REBALANCES)
        tell(LogEvent.SOURCES_GIVEN_UP, logs=sorted(logs))
