"""Keys that are set aside: their changes wait in order, each with all that is needed to judge it later as if then.

A parked key is one group of the state's space `parked`; each waiting change is a member, numbered in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass

from figbridge.domain.change import Key
from figbridge.mapping.compiler import Plan
from figbridge.mapping.judged import Park
from figbridge.mapping.unit import NOTHING
from figbridge.pipeline.memory import key_text, pack
from figbridge.pipeline.resolve import Resolved
from figbridge.pipeline.waiting import Origin, Waiting, frozen, read_waiting, saying, summed, thawed
from figbridge.ports import Entry, State

SPACE = "parked"


def group_of(mapping: str, key: Key) -> str:
    """Return the name of a parked key, as commands show and take it.

    >>> group_of("orders", (7,))
    'orders[7]'
    """
    return f"{mapping}{key_text(key)}"


@dataclass(frozen=True, slots=True)
class Released:
    """A waiting change that is judged now, and where it came from."""

    resolved: Resolved
    origin: Origin
    snapshot: bool
    said: dict[tuple[str, str], int]


class ParkingLot:
    """Hold the parked keys of one consumer group. Written behind, like the row memory."""

    def __init__(self, plan: Plan, state: State) -> None:
        self._plan = plan
        self._state = state
        self._members: dict[str, dict[str, bytes]] = {}
        self._dirty: dict[tuple[str, str], bytes | None] = {}
        self._load()

    def _load(self) -> None:
        self._members = {}
        for group, member, value in self._state.scan(SPACE):
            self._members.setdefault(group, {})[member] = value

    def __len__(self) -> int:
        return len(self._members)

    def oldest(self) -> Iterator[int]:
        """Yield for each parked key when its oldest waiting change was committed: microseconds since 1970."""
        for members in self._members.values():
            yield read_waiting(members[min(members)]).origin.at_us

    def holds(self, mapping: str, key: Key) -> bool:
        """Say whether a key is parked."""
        return bool(self._members) and group_of(mapping, key) in self._members

    def park(
        self,
        resolved: Resolved,
        origin: Origin,
        code: str,
        why: str,
        *,
        snapshot: bool = False,
        said: Map[tuple[str, str], int] = NOTHING,
    ) -> str:
        """Set a change aside behind those of its key that already wait; returns the key's name."""
        group = group_of(resolved.compiled.mapping.name, resolved.unit.key)
        waiting = frozen(resolved, origin, code, why, snapshot=snapshot)
        self._append(group, pack(saying(waiting, said)))
        return group

    def follow(self, mapping: str, old: Key, new: Key) -> None:
        """Let what waits of a key wait under its new name, ahead of what comes next."""
        group, name = group_of(mapping, old), group_of(mapping, new)
        for member, value in sorted(self._members.pop(group, {}).items()) if self._members else ():
            self._dirty[group, member] = None
            self._append(name, value)

    def _append(self, group: str, value: bytes) -> None:
        members = self._members.setdefault(group, {})
        member = f"{int(max(members, default='0')) + 1:09}"
        members[member] = self._dirty[group, member] = value

    def waiting(self, group: str) -> list[tuple[str, Waiting]]:
        """Return the waiting changes of a key, oldest first; empty for a key that is not parked."""
        return [(m, read_waiting(v)) for m, v in sorted(self._members.get(group, {}).items())]

    def remove(self, group: str, member: str) -> None:
        """Take one waiting change out."""
        members = self._members[group]
        del members[member]
        self._dirty[group, member] = None
        if not members:
            del self._members[group]

    def said(self, group: str, origin: Origin, said: Map[tuple[str, str], int]) -> None:
        """Note what released changes said, for what still waits of their transaction: ids count through it."""
        for member, waiting in self.waiting(group) if said else ():
            if waiting.origin == origin:
                self._members[group][member] = self._dirty[group, member] = pack(saying(waiting, said))

    def thaw(self, waiting: Waiting, said: Map[tuple[str, str], int] = NOTHING) -> Released | Park:
        """Make a waiting change what it was when it was set aside, for the mapping as it is now, if there is one.

        `said` is what the changes before it in its transaction have said since.
        """
        compiled = self._plan.mappings.get(waiting.mapping)
        if compiled is None:
            return Park("UNMAPPED", f"there is no mapping {waiting.mapping} any more")
        return Released(thawed(self._plan, compiled, waiting), waiting.origin, waiting.snapshot, summed(waiting, said))

    def entries(self) -> Iterator[Entry]:
        """Yield what the next commit must write."""
        for (group, member), value in self._dirty.items():
            yield Entry(SPACE, group, member, value)

    def committed(self) -> None:
        """Note that everything was written."""
        self._dirty.clear()
