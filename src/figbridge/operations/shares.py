"""Look at a group's state as one, whoever holds which share of its work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

from figbridge.ports import Log, State


class Together:
    """Read several states as one. They do not overlap: each belongs to source logs of its own."""

    def __init__(self, states: Sequence[State]) -> None:
        self._states = states

    def read(self, space: str, groups: Iterable[str]) -> dict[str, dict[str, bytes]]:
        """Return group → member → value for the groups that exist."""
        wanted, found = list(groups), dict[str, dict[str, bytes]]()
        for state in self._states:
            for group, members in state.read(space, wanted).items():
                found.setdefault(group, {}).update(members)
        return found

    def scan(self, space: str) -> Iterator[tuple[str, str, bytes]]:
        """Yield (group, member, value) of a whole space, in order of group and member."""
        return merge(*(state.scan(space) for state in self._states))

    def count(self, space: str) -> int:
        """Return the number of entries of a space."""
        return sum(state.count(space) for state in self._states)


def state_of(log: Log, group: str) -> State:
    """Return what a group remembers, all its shares together, without joining the group."""
    return Together(tuple(log.states(group).values()))
