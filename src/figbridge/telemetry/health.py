"""What a running process says of itself to whoever watches over it: alive, ready, started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

STALLED_S: Final = 120.0
"""So long may pass between two looks of the worker for work before the process counts as stuck. Longer than the
longest wait for a commit, `transaction.timeout.ms`."""


class Answer(NamedTuple):
    """Yes or no, and why."""

    yes: bool
    why: str


class Health:
    """Hold what the probes ask. `now` is a monotonic clock in seconds. Written by the worker, read by a server."""

    def __init__(self, now: Callable[[], float], stalled_s: float = STALLED_S) -> None:
        self._now = now
        self._stalled_s = stalled_s
        self._looked: float | None = None
        self._trouble = "it has not looked for work yet"
        self._working = "working"
        self._stopping = False

    def looked(self, held: int) -> None:
        """Note that the worker came round: it looked for work, and committed what there was."""
        self._looked = self._now()
        self._trouble = ""
        self._working = "working" if held else "another process holds the source logs; this one stands by"

    def troubled(self, why: str) -> None:
        """Note why no work can be done at present; the process is alive and tries again."""
        self._looked = self._now()
        self._trouble = why

    def restoring(self, why: str) -> None:
        """Note that a state is being restored: the process neither works yet nor is it stuck."""
        if self._looked is not None:  # before that it is starting, however long it takes
            self.troubled(why)

    def stopping(self) -> None:
        """Note that the process was told to stop."""
        self._stopping = True

    def live(self) -> Answer:
        """Say whether the process should be left running: not, when its worker is stuck."""
        if self._looked is None:
            return Answer(yes=True, why="starting")
        ago = self._now() - self._looked
        if ago > self._stalled_s:
            return Answer(yes=False, why=f"the worker has been stuck for {ago:.0f} s")
        return Answer(yes=True, why="working")

    def ready(self) -> Answer:
        """Say whether the process does its work, or could take it over at once. Standing by is ready."""
        if self._stopping:
            return Answer(yes=False, why="stopping")
        return Answer(yes=False, why=self._trouble) if self._trouble else Answer(yes=True, why=self._working)

    def started(self) -> Answer:
        """Say whether the process has come as far as looking for work."""
        return Answer(yes=self._looked is not None, why="starting" if self._looked is None else "started")
