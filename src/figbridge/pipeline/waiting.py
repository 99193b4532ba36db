"""One waiting change of a parked key: frozen with all that judging it may ask, and thawed as it was then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as Map
from contextlib import suppress
from typing import Any, Final

import msgspec

from figbridge.domain.change import Key, Position, Row
from figbridge.mapping.compiler import Compiled, Plan
from figbridge.mapping.model import Attribute, Column, Fallible, Lookup, Mapping, Reader
from figbridge.mapping.unit import NOW, WAS, Net, Pair, Unit
from figbridge.mapping.values import CANNOT_READ
from figbridge.pipeline.memory import FrozenMemory, RecordingMemory, RecordingNet, unpacker
from figbridge.pipeline.resolve import Resolved


class Origin(msgspec.Struct, frozen=True):
    """Where a change came from: what its events' ids, times and verdicts are made of."""

    source: str
    commit: str
    at_us: int
    topic: str
    partition: int
    offset: int
    recovered: str = ""
    """Position of the suspect transaction, when a check of the database found the change and the log never had it."""

    @property
    def position(self) -> Position:
        """Return the position of the transaction's END."""
        return Position(self.topic, self.partition, self.offset)


NOWHERE: Final = Origin("", "", 0, "", 0, 0)
"""The origin of what comes from no transaction and says nothing."""


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


def _cells(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else msgspec.to_builtins(row, str_keys=True)


def saying(waiting: Waiting, said: Map[tuple[str, str], int]) -> Waiting:
    """Return a waiting change that knows of more that was said before it."""
    counts = [(name, subject, n) for (name, subject), n in summed(waiting, said).items()]
    return msgspec.structs.replace(waiting, said=counts)


def summed(waiting: Waiting, said: Map[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Return what was said before a waiting change, with what was said since."""
    counts = Counter({(name, subject): n for name, subject, n in waiting.said})
    counts.update(said)
    return counts


def frozen(resolved: Resolved, origin: Origin, code: str, why: str, *, snapshot: bool) -> Waiting:
    """Return a change with everything that judging it may ask, as the answer is now."""
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


def thawed(plan: Plan, compiled: Compiled, waiting: Waiting) -> Resolved:
    """Return a waiting change as it was, for a mapping as it is now."""

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
