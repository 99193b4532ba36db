"""The loop: poll, process, commit under the authority's shared lock. One worker owns one session."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from figbridge.domain.authority import Authority
from figbridge.pipeline.perform import Performed
from figbridge.pipeline.process import Process
from figbridge.ports import AuthorityStore, Session
from figbridge.telemetry.events import LogEvent, tell

Observe = Callable[[Process, list[Performed]], None]
"""Look at a batch after its commit: `process.pending` still holds what it was made of."""


def spare_the_collector() -> None:
    """Let Python's cyclic garbage collector run rarely in this process, and not over what is loaded by now.

    Rows, claims and records are trees: they are freed by their reference counts. At the default threshold of 700
    objects the collector walks every batch dozens of times to find nothing, which costs a third of a row's CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@dataclass(slots=True)
class Worker:
    """Drive one process over one session."""

    session: Session
    process: Process
    store: AuthorityStore
    batch: int = 1000
    observe: Observe | None = None
    authority: Authority = field(default_factory=Authority)

    def step(self, timeout_s: float) -> int:
        """Poll once, and commit what became whole; returns the number of records read.

        Raises Fenced when another worker has taken over, Unreachable when the authority cannot be read: then nothing
        is committed, for an owner is never guessed.
        """
        records = self.session.poll(self.batch, timeout_s)
        if records:
            self.process.take(records)
        if records or self.process.pending:  # what could not be committed before is not forgotten
            self._commit(len(records))
        return len(records)

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
            tell(LogEvent.AUTHORITY_MOVED, version=self.authority.version)
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
