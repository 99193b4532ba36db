"""Name what judging a transaction looks at: its rows, and rows of the same aggregates; find what changed it since.

A late change may be judged with what is remembered today only if nothing that it looks at has changed since its own
place in the log; and events of one aggregate leave in source commit order only if none of them left since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from figbridge.domain.change import Decoded, Key, Position, Row, RowChange
from figbridge.mapping.compiler import Plan
from figbridge.mapping.unit import NOW, WAS, Unit, usable
from figbridge.mapping.values import CANNOT_READ
from figbridge.pipeline.memory import RowMemory
from figbridge.pipeline.resolve import Resolver, net_changes
from figbridge.pipeline.waiting import NOWHERE, frozen
from figbridge.ports import Record

Link = tuple[str, tuple[str, ...]]
"""Table, and the columns by which its rows belong to others."""


@dataclass(slots=True)
class Footprint:
    """Rows by table and key, and lists of rows by the cells that they have in some columns."""

    plan: Plan
    rows: set[tuple[str, Key]] = field(default_factory=set)
    links: dict[Link, set[Key]] = field(default_factory=dict)

    def touched_by(self, change: RowChange) -> bool:
        """Say whether a change is one of a row in the footprint, or puts a row into one of its lists or out of it."""
        table = change.shape.table
        images = [row for row in (change.before, change.after) if row is not None]
        keys = {change.shape.key_of(row) for row in images} | ({change.moved} if change.moved is not None else set())
        if any((table, key) in self.rows for key in keys):
            return True
        for (of, columns), cells in self.links.items():
            if of == table and any(_cells(change, row, columns) in cells for row in images):
                return True
        return False

    def first_change(self, records: Iterable[Record], decode: Callable[[Record], Decoded]) -> Position | None:
        """Return where the first record stands that touches the footprint; None when none does."""
        for record in records:
            decoded = decode(record)
            if type(decoded) is RowChange and self.touched_by(decoded):
                return decoded.position
        return None


def _cells(change: RowChange, row: Row, columns: tuple[str, ...]) -> Key:
    return tuple(getattr(row, change.shape.field(column)) for column in columns)


def footprint(rows: list[RowChange], plan: Plan, memory: RowMemory) -> Footprint:
    """Return what judging these rows as one transaction would look at, by what is remembered now."""
    found = Footprint(plan)
    for row in rows:
        shape = row.shape
        for image in (row.before, row.after):
            if image is not None:
                found.rows.add((shape.table, shape.key_of(image)))
        service = plan.tables[shape.table].service
        if service is not None and row.after is not None:  # what else the service says of the same aggregate
            column = service.columns["subject"]
            subject = (getattr(row.after, shape.field(column)),)
            if usable(subject):
                found.links.setdefault((shape.table, (column,)), set()).add(subject)
    changes = net_changes(rows, plan, memory)
    for resolved in Resolver(plan, memory, changes).units():
        unit = resolved.unit
        if not resolved.problem:
            _family(unit, found)
        asked = frozen(resolved, NOWHERE, "", "", snapshot=False)
        found.rows |= {(table, tuple(key)) for table, key, _ in asked.rows}
        for table, columns, cells, keys in asked.lists:
            found.links.setdefault((table, tuple(columns)), set()).add(tuple(cells))
            found.rows |= {(table, tuple(key)) for key in keys}
    return found


def _family(unit: Unit, found: Footprint) -> None:
    """Add the root, and the lists of rows that belong to it or to a row of it, whether they are remembered or not."""
    found.rows.add((unit.root_table, unit.key))
    for join in unit.joins.values():
        if not join.belongs:
            continue
        parents = {unit.key} if join.parent == "" else set()
        for side in (WAS, NOW) if join.parent else ():
            rows = None
            with suppress(*CANNOT_READ):
                rows = unit.many(join.parent, side)
            parents |= {join.parent_key_of(row) for row in rows} if isinstance(rows, list) else set()
        keys = {key for key in parents if usable(key)}
        if keys:
            found.links.setdefault((join.table, join.columns), set()).update(keys)
