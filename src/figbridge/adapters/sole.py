"""A process that has all of a group's work: what joining means for a log without brokers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from figbridge.errors import OperationalError
from figbridge.ports import Session


class SoleMember:
    """Hold every source log in one session, until another process takes over."""

    def __init__(self, sources: Sequence[str], session: Session) -> None:
        self._held = {tuple(sources): session}

    def sessions(self, timeout_s: float = 0.0) -> Mapping[tuple[str, ...], Session]:  # noqa: ARG002 — the port's
        """Return the one session."""
        return self._held

    def lost(self, logs: tuple[str, ...], error: OperationalError) -> None:  # noqa: ARG002 — the port's
        """Raise the error: the process that took over has everything."""
        raise error

    def worked(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Leave the group."""
        for session in self._held.values():
            session.close()
