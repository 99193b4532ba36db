"""Watch the bridge work: which transaction became which events. The story shows what stands here, nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from figbridge.domain.change import RowChange
from figbridge.errors import Unreachable
from figbridge.pipeline.collect import Transaction
from figbridge.pipeline.perform import Performed
from figbridge.pipeline.process import Process

_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One transaction that the bridge has committed: its rows, and what was decided about what it says."""

    source: str
    commit: str
    snapshot: bool
    rows: tuple[RowChange, ...]
    performed: tuple[Performed, ...]


class Watch:
    """Collect what the bridge commits, from its thread; wait for it in another."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._seen: list[Seen] = []
        self._failed = False

    def observe(self, process: Process, performed: list[Performed]) -> None:
        """Take in a batch; called by the worker after its commit."""
        by_origin: dict[int, list[Performed]] = {}
        for done in performed:
            by_origin.setdefault(id(done.origin), []).append(done)
        with self._changed:
            for transaction, said in process.pending:
                if transaction is not None:
                    self._seen.append(_seen(transaction, said.origin.source, by_origin.get(id(said.origin), [])))
            self._changed.notify_all()

    def fail(self) -> None:
        """Wake whoever waits: the bridge has ended."""
        with self._changed:
            self._failed = True
            self._changed.notify_all()

    def mark(self) -> int:
        """Return a place to look on from."""
        with self._changed:
            return len(self._seen)

    def since(self, mark: int) -> list[Seen]:
        """Return what was seen since a mark."""
        with self._changed:
            return self._seen[mark:]

    def wait(self, enough: Callable[[list[Seen]], bool], mark: int, what: str) -> list[Seen]:
        """Wait until what was seen since a mark is enough, and return it. Raises Unreachable after a minute."""
        deadline = time.monotonic() + _WAIT_S
        with self._changed:
            while not enough(self._seen[mark:]):
                left = deadline - time.monotonic()
                if self._failed or left <= 0:
                    why = "the bridge ended" if self._failed else f"nothing came within {_WAIT_S:.0f} s"
                    raise Unreachable(f"waiting for {what}: {why}", hint="see bridge.log in the demo's folder")
                self._changed.wait(left)
            return self._seen[mark:]


def _seen(transaction: Transaction, source: str, performed: list[Performed]) -> Seen:
    return Seen(source, transaction.commit, transaction.snapshot, tuple(transaction.rows), tuple(performed))


def event_of(done: Performed) -> dict[str, Any]:
    """Return the event that a decision sent, as it left."""
    assert done.record is not None
    found: dict[str, Any] = msgspec.json.decode(done.record.value or b"{}")
    return found
