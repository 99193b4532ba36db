"""A process that has all of a group's work: what joining means for a log without brokers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from figbridge.errors import OperationalError
from figbridge.ports import Session, State


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


class SoleLog(ABC):
    """What a log without brokers does alike wherever its records are: a group's work is one share."""

    @abstractmethod
    def state(self, group: str) -> State:
        """Return a read-only view of a group's committed state, without joining the group."""

    @abstractmethod
    def session(self, group: str, topics: Sequence[str]) -> Session:
        """Join a consumer group, and fence the member before. Without committed positions it starts at 0."""

    def states(self, group: str) -> dict[str, State]:
        """Return a view of the group's state: it is one."""
        return {group: self.state(group)}

    def join(
        self,
        group: str,
        sources: Sequence[str],
        beside: Sequence[str] = (),
        start: Mapping[str, int] | None = None,  # noqa: ARG002 — the port's; here a log starts at the beginning
    ) -> SoleMember:
        """Join a consumer group with all of its sources in one session."""
        return SoleMember(sources, self.session(group, [*sources, *beside]))
