"""Keys that are set aside: their changes wait in order, each with all that is needed to judge it later as if then.

A parked key is one group of the state's space `parked`; each waiting change is a member, numbered in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as Map
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from figbridge.domain.change import Key, Position, Row
from figbridge.mapping.compiler import Compiled, Plan
from figbridge.mapping.judged import Park
from figbridge.mapping.model import Attribute, Column, Fallible, Lookup, Mapping, Reader
from figbridge.mapping.unit import NOTHING, NOW, WAS, Net, Pair, Unit
from figbridge.mapping.values import CANNOT_READ
from figbridge.pipeline.memory import FrozenMemory, RecordingMemory, RecordingNet, key_text, pack, unpacker
from figbridge.pipeline.resolve import Resolved
from figbridge.ports import Entry, State

SPACE = "parked"


class Origin(msgspec.Struct, frozen=True):
    """Where a change came from: what its events' ids, times and verdicts are made of."""

    source: str
    commit: str
    at_us: int
    topic: str
    partition: int
    offset: int

    @property
    def position(self) -> Position:
        """Return the position of the transaction's END."""
        return Position(self.topic, self.partition, self.offset)


class Waiting(msgspec.Struct, frozen=True):
    """One waiting change of a parked key. Rows are column → cell, without the cells that nobody knows."""

    mapping: str
    key: list[Any]
    origin: Origin
    records: int
    code: str
    why: str
    was: dict[str, Any] | None
    now: dict[str, Any] | None
    touched: dict[str, list[tuple[list[Any], dict[str, Any] | None, dict[str, Any] | None]]]
    net: dict[str, list[tuple[list[Any], dict[str, Any] | None, dict[str, Any] | None]]]
    rows: list[tuple[str, list[Any], dict[str, Any] | None]]
    lists: list[tuple[str, list[str], list[Any], list[list[Any]]]]
    rekeyed: bool
    before_missing: bool
    problem: str
    snapshot: bool
    said: list[tuple[str, str, int]] = []
    """Event type or fact, subject, and how often it was said before this change, in the same transaction."""


read_waiting = unpacker(Waiting)
"""Read a waiting change from the state."""


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
        waiting = _waiting(resolved, origin, code, why, snapshot=snapshot)
        self._append(group, pack(_saying(waiting, said)))
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
                self._members[group][member] = self._dirty[group, member] = pack(_saying(waiting, said))

    def thaw(self, waiting: Waiting, said: Map[tuple[str, str], int] = NOTHING) -> Released | Park:
        """Make a waiting change what it was when it was set aside, for the mapping as it is now, if there is one.

        `said` is what the changes before it in its transaction have said since.
        """
        compiled = self._plan.mappings.get(waiting.mapping)
        if compiled is None:
            return Park("UNMAPPED", f"there is no mapping {waiting.mapping} any more")
        return Released(_thawed(self._plan, compiled, waiting), waiting.origin, waiting.snapshot, _sum(waiting, said))

    def entries(self) -> Iterator[Entry]:
        """Yield what the next commit must write."""
        for (group, member), value in self._dirty.items():
            yield Entry(SPACE, group, member, value)

    def committed(self) -> None:
        """Note that everything was written."""
        self._dirty.clear()

    def rolled_back(self) -> None:
        """Forget everything that was not committed."""
        self._dirty.clear()
        self._load()


# --- freezing and thawing --------------------------------------------------------------------------


def _cells(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else msgspec.to_builtins(row, str_keys=True)


def _saying(waiting: Waiting, said: Map[tuple[str, str], int]) -> Waiting:
    """Return a waiting change that knows of more that was said before it."""
    counts = [(name, subject, n) for (name, subject), n in _sum(waiting, said).items()]
    return msgspec.structs.replace(waiting, said=counts)


def _sum(waiting: Waiting, said: Map[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    counts = Counter({(name, subject): n for name, subject, n in waiting.said})
    counts.update(said)
    return counts


def _waiting(resolved: Resolved, origin: Origin, code: str, why: str, *, snapshot: bool) -> Waiting:
    unit, mapping = resolved.unit, resolved.compiled.mapping
    recording, net = RecordingMemory(unit.memory), RecordingNet(unit.net)
    unit.memory, unit.net = recording, net
    _ask_everything(unit, mapping)
    if net.pair(mapping.root.table, unit.key) is None and unit.was is not unit.now:
        net.asked[mapping.root.table] = {unit.key: Pair(unit.was, unit.now)}  # a plain update comes without its net
    for path, pairs in unit.touched.items():
        join = unit.joins[path]
        for key, pair in pairs.items():
            net.pair(join.table, key)
            if pair.was is not None:
                net.pair(join.table, join.key_of(pair.was))
    return Waiting(
        mapping=mapping.name,
        key=list(unit.key),
        origin=origin,
        records=len(resolved.records),
        code=code,
        why=why,
        was=_cells(unit.was),
        now=_cells(unit.now),
        touched={
            path: [(list(k), _cells(p.was), _cells(p.now)) for k, p in pairs.items()]
            for path, pairs in unit.touched.items()
        },
        net={
            table: [(list(k), _cells(p.was), _cells(p.now)) for k, p in rows.items()]
            for table, rows in net.asked.items()
        },
        rows=[(t, list(k), _cells(row)) for (t, k), row in recording.rows.items()],
        lists=[(t, list(c), list(cells), [list(k) for k in ks]) for (t, c, cells), ks in recording.lists.items()],
        rekeyed=unit.rekeyed,
        before_missing=unit.before_missing,
        problem=resolved.problem,
        snapshot=snapshot,
    )


def _ask_everything(unit: Unit, mapping: Mapping) -> None:
    """Read all related rows and lookups once, so that the recording memory has whatever judging may ask."""
    for side in (WAS, NOW):
        rows: dict[str, list[Row]] = {"": [r for r in [unit.was if side == WAS else unit.now] if r is not None]}
        for node in mapping.nodes[1:]:
            found: Any = []
            with suppress(*CANNOT_READ):
                found = unit.many(node.path, side) if rows[""] else []
            rows[node.path] = found if isinstance(found, list) else []
        for attribute in mapping.attributes:
            _ask_lookups(unit, mapping, attribute, rows)


def _ask_lookups(unit: Unit, mapping: Mapping, attribute: Attribute, rows: dict[str, list[Row]]) -> None:
    for name, column in _lookup_columns(attribute.reader):
        table = next(t.table for t in mapping.lookups if t.name == name)
        for row in rows.get(column.path, []):
            with suppress(*CANNOT_READ):
                unit.look(table, _cell(row, column))


def _cell(row: Row, column: Column) -> Any:
    names = dict(zip(row.__struct_encode_fields__, row.__struct_fields__, strict=True))
    return getattr(row, names[column.name])


def _lookup_columns(reader: Reader) -> Iterator[tuple[str, Column]]:
    match reader:
        case Lookup(name, column):
            yield name, column
        case Fallible(inner, _):
            yield from _lookup_columns(inner)
        case _:
            for item in getattr(reader, "fields", ()):
                yield from _lookup_columns(item[1])


def _thawed(plan: Plan, compiled: Compiled, waiting: Waiting) -> Resolved:
    def row(table: str, cells: dict[str, Any] | None) -> Row | None:
        return None if cells is None else plan.tables[table].shape.row(cells)

    def pairs(table: str, rows: list[Any]) -> dict[Key, Pair]:
        return {tuple(k): Pair(row(table, was), row(table, now)) for k, was, now in rows}

    root = compiled.mapping.root.table
    known = {t for t, _, _ in waiting.rows if t in plan.tables}
    memory = FrozenMemory(
        {(t, tuple(k)): row(t, cells) for t, k, cells in waiting.rows if t in known},
        {(t, tuple(c), tuple(cells)): [tuple(k) for k in keys] for t, c, cells, keys in waiting.lists},
    )
    unit = Unit(
        tuple(waiting.key),
        row(root, waiting.was),
        row(root, waiting.now),
        net=Net({t: pairs(t, rows) for t, rows in waiting.net.items() if t in plan.tables}),
        memory=memory,
        joins=compiled.joins,
        root_table=root,
        touched={
            path: pairs(compiled.mapping.node(path).table, rows)
            for path, rows in waiting.touched.items()
            if path in compiled.joins
        },
        rekeyed=waiting.rekeyed,
        before_missing=waiting.before_missing,
    )
    return Resolved(compiled, unit, list(range(waiting.records)), waiting.problem)
