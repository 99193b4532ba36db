"""The authority store in memory: for tests, trials and tools that keep nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from figbridge.domain.authority import GENESIS, Authority, Grant
from figbridge.domain.granting import objection_to
from figbridge.errors import InvariantError, Refused, Unreachable
from figbridge.ports import CutReader


class _Shelf:
    """What every handle of one store shares: the log, its derived table, and the two-sided lock."""

    def __init__(self) -> None:
        self.grants: list[Grant] = []
        self.authority = Authority()
        self.turn = threading.Condition()
        self.holders = 0
        self.waiting = 0
        self.granting = False


class _Held(threading.local):
    version: int | None = None


class MemoryAuthorityStore:
    """Keep authority in this process. `wait_s` bounds, in seconds, the wait for a lock."""

    def __init__(self, wait_s: float = 30.0) -> None:
        self._wait_s = wait_s
        self._shelf = _Shelf()
        self._held = _Held()

    def again(self, wait_s: float) -> MemoryAuthorityStore:
        """Return a second handle on the same store, as another process would open it."""
        other = MemoryAuthorityStore(wait_s)
        other._shelf = self._shelf
        return other

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def version(self) -> int:
        """Return the seq of the newest grant, 0 without any. Raises Unreachable."""
        with self.shared() as version:
            return version

    def load(self) -> Authority:
        """Return the current authority with its version. Raises Unreachable: hold, never guess."""
        with self.shared():
            return self._shelf.authority

    def history(self) -> Sequence[Grant]:
        """Return every grant, oldest first. Raises Unreachable."""
        with self.shared():
            return list(self._shelf.grants)

    @contextmanager
    def shared(self) -> Iterator[int]:
        """Hold the head shared and give its version; a waiting grant goes first. Raises Unreachable."""
        if self._held.version is not None:
            yield self._held.version
            return
        shelf = self._shelf
        with shelf.turn:
            self._await(lambda: not shelf.granting and not shelf.waiting)
            shelf.holders += 1
            self._held.version = shelf.authority.version
        try:
            yield self._held.version
        finally:
            with shelf.turn:
                self._held.version = None
                shelf.holders -= 1
                shelf.turn.notify_all()

    def grant(self, draft: Grant, cuts: CutReader) -> Grant:
        """Append a grant under the exclusive lock: lock, then read the cuts, then write. Returns it as chained.

        Raises Refused with nothing written (domain/granting.py says when), Unreachable when the lock is not given.
        """
        if self._held.version is not None:
            raise InvariantError("a grant inside shared() would wait for itself")
        with self._alone():
            begins = tuple(cuts())
            authority = self._shelf.authority
            epochs = authority.epochs(draft.cell)
            current = epochs[-1].tenure if epochs else None
            objection = objection_to(draft, begins, current, [c for e in epochs for c in e.cuts])
            if objection is not None:
                raise Refused(objection.why, hint=objection.hint)
            epoch = current.epoch + 1 if current else 1
            grants = self._shelf.grants
            previous = grants[-1].hash if grants else GENESIS
            link = draft.chained(seq=len(grants) + 1, epoch=epoch, cuts=begins, previous=previous)
            grants.append(link)
            self._shelf.authority = Authority.of(grants)
        return link

    @contextmanager
    def _alone(self) -> Iterator[None]:
        shelf = self._shelf
        with shelf.turn:
            shelf.waiting += 1
            try:
                self._await(lambda: not shelf.granting and not shelf.holders)
                shelf.granting = True
            finally:
                shelf.waiting -= 1
                shelf.turn.notify_all()
        try:
            yield
        finally:
            with shelf.turn:
                shelf.granting = False
                shelf.turn.notify_all()

    def _await(self, free: Callable[[], bool]) -> None:
        if not self._shelf.turn.wait_for(free, self._wait_s):
            raise Unreachable(
                "the authority store in memory did not give its lock in time",
                hint="another thread is committing or granting; try again when it is done",
            )
