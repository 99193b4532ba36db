"""When to commit: after each poll, or by time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pace:
    """Say when to commit: after each poll, or by time.

    A commit on brokers costs some milliseconds however much is in it. So between two commits of a process there are at
    least `seconds`, in which the log's client gathers what comes; a record after a pause waits for nothing. As long as
    polls come back full (there is a backlog, and nobody waits for the newest record) one commit takes what
    `backlog_seconds` bring in; but never more than `records`, which are in memory until then.
    """

    seconds: float = 0.0
    backlog_seconds: float = 0.0
    records: int = 1

    def due(self, committed_at: float, shares: int, *, behind: bool) -> float:
        """Return when a worker that is one of `shares` in its process may commit again: they take turns."""
        return committed_at if behind else committed_at + self.seconds * shares


EACH_POLL: Final = Pace()
BY_TIME: Final = Pace(seconds=0.05, backlog_seconds=1.0, records=100_000)
