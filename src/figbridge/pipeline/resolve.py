"""Resolve a transaction to its aggregates: the net change of each row, then the units that rows belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from figbridge.domain.change import UNAVAILABLE, Key, Op, Row, RowChange
from figbridge.mapping.compiler import Compiled, Plan, Role, TablePlan
from figbridge.mapping.model import Judge, Kind, Node
from figbridge.mapping.unit import NOW, WAS, Join, Memory, Net, Pair, Unit, usable

U = UNAVAILABLE


@dataclass(slots=True)
class Changed:
    """The net change of one row in one transaction, and the records that made it."""

    table: TablePlan
    key: Key
    was: Row | None
    now: Row | None
    records: list[int]
    """Indexes of the transaction's rows."""
    old_key: Key | None = None
    before_missing: bool = False


class Resolved(NamedTuple):
    """A unit with the mapping it belongs to and the indexes of the rows that made it."""

    compiled: Compiled
    unit: Unit
    records: list[int]
    problem: str = ""
    """Why the aggregate could not be found; the unit's key is then that of the row that leads nowhere."""


@dataclass(slots=True)
class _Draft:
    compiled: Compiled
    key: Key
    root: Changed | None = None
    touched: dict[str, dict[Key, Pair]] = field(default_factory=dict)
    records: dict[int, None] = field(default_factory=dict)
    before_missing: bool = False
    problem: str = ""


NetChanges = dict[str, dict[Key, Changed]]


def net_changes(rows: list[RowChange], plan: Plan, memory: Memory) -> NetChanges:
    """Return the net change of every row: first before, last after; what came and went inside is not there."""
    found: NetChanges = {}
    left: dict[tuple[str, Key], Changed] = {}
    for i, row in enumerate(rows):
        table = plan.tables[row.shape.table]
        changes = found.setdefault(row.shape.table, {})
        image = row.before if row.op == Op.DELETE else row.after
        key = table.key_of(image)
        old_key = _old_key(table, row, key)
        before = changes.pop(old_key, None) if old_key is not None else changes.get(key)
        if before is None and old_key is not None:
            before = left.pop((row.shape.table, key), None)
        if before is None:
            before = _first(table, row, old_key or key, memory)
        if old_key is not None:
            if before.old_key is None and before.was is not None:
                before.old_key = old_key
            if (there := changes.get(key)) is not None and there is not before:
                if before.was is not None:  # the row that had this key ended: two keys changed, no row moved
                    _end(before, changes)
                before = there
        before.records.append(i)
        before.key = key
        if row.op == Op.DELETE and row.moved is not None:
            # It keeps its latest image: a large value that its `c` leaves out is the one it has by now.
            left[row.shape.table, row.moved] = before
            changes.pop(key, None)
            before.old_key = (before.old_key or key) if before.was is not None else None
            continue
        before.now = None if row.op == Op.DELETE else _filled(row.after, before)
        changes[key] = before
    for (table_name, _), torn in left.items():
        _end(torn, found[table_name])  # its `c` never came: a suspect (collect.py); the row is gone for now
    return {t: {k: c for k, c in rs.items() if c.was is not None or c.now is not None} for t, rs in found.items()}


def _end(change: Changed, changes: dict[Key, Changed]) -> None:
    """Let a row end under the key it had before; what has come to that key since is then the row that changed."""
    key = change.old_key or change.key
    since = changes.get(key)
    change.key, change.now, change.old_key = key, None, None
    if since is None:
        changes[key] = change
        return
    if since.old_key is not None:  # another row came to it, and left a key of its own
        _end(Changed(since.table, since.key, since.was, None, list(since.records), since.old_key), changes)
        since.old_key = None
    since.was, since.records = change.was, [*change.records, *since.records]


def _old_key(table: TablePlan, row: RowChange, key: Key) -> Key | None:
    """Return the key a row had before, when this record says that it changed."""
    if row.op == Op.CREATE:
        return row.moved
    if row.op == Op.UPDATE and row.before is not None and not table.last_known:
        old = table.key_of(row.before)
        return old if old != key and U not in old else None
    return None


def _first(table: TablePlan, row: RowChange, key: Key, memory: Memory) -> Changed:
    """Start a row's net change: what it was before the transaction, from the log or from what is remembered."""
    if row.op == Op.READ or (row.op == Op.CREATE and row.moved is None):
        return Changed(table, key, None, None, [])
    was = row.before if row.op != Op.CREATE else None
    if table.last_known:
        was = memory.row(table.shape.table, key)
    if was is not None:
        return Changed(table, key, was, None, [])
    return Changed(table, key, unknown(table, key), None, [], before_missing=not table.last_known)


def unknown(table: TablePlan, key: Key) -> Row:
    """Return the image of a row of which nothing is known but its key."""
    return table.shape.row(dict(zip(table.shape.key, key, strict=True)))


def _filled(after: Row, change: Changed) -> Row:
    """Fill cells that the log left out of an update: it leaves out only what did not change (TOAST, verified)."""
    latest = change.now if change.now is not None else change.was
    fields = change.table.shape.row_type.__struct_fields__
    if latest is None or not any(getattr(after, f) is U for f in fields):
        return after
    cells = {f: getattr(latest, f) if (c := getattr(after, f)) is U else c for f in fields}
    return change.table.shape.row_type(**cells)


def _by_key(rows: dict[Key, Changed]) -> dict[Key, Pair]:
    """Return what stood under each key before and after: a row whose key changed stands under two."""
    if not any(change.old_key is not None for change in rows.values()):
        return {key: Pair(change.was, change.now) for key, change in rows.items()}
    before = {change.old_key or key: change.was for key, change in rows.items() if change.was is not None}
    after = {key: change.now for key, change in rows.items()}
    return {key: Pair(before.get(key), after.get(key)) for key in (*rows, *(k for k in before if k not in rows))}


class Resolver:
    """Resolve the net changes of one transaction to units. Made anew for each transaction.

    `judge` limits it to the mappings that judge so; without it, all are resolved.
    """

    def __init__(self, plan: Plan, memory: Memory, changes: NetChanges, judge: Judge | None = None) -> None:
        self._plan = plan
        self._memory = memory
        self._changes = changes
        self._judge = judge
        self._net = Net({table: _by_key(rows) for table, rows in changes.items()})
        self._new_keys = {
            (table, change.old_key): key
            for table, rows in changes.items()
            for key, change in rows.items()
            if change.old_key is not None
        }
        self._drafts: dict[tuple[str, Key], _Draft] = {}
        self.homeless: list[int] = []
        """Rows that belong to no aggregate: a lookup table's, or one that nobody points at yet."""

    def units(self) -> Iterator[Resolved]:
        """Yield the units, in the order of their first rows."""
        for rows in self._changes.values():
            for change in rows.values():
                self._place(change)
        drafts = sorted(self._drafts.values(), key=lambda d: min(d.records))
        for draft in drafts:
            yield self._unit(draft)

    def _place(self, change: Changed) -> None:
        placed = False
        for role in change.table.roles:
            if self._judge is not None and role.compiled.mapping.judge is not self._judge:
                continue
            if role.node.kind is Kind.ROOT:
                draft = self._draft(role.compiled, change.key)
                draft.root = change
                draft.before_missing = change.before_missing
                draft.records.update(dict.fromkeys(change.records))
                placed = True
            else:
                placed = self._place_related(change, role) or placed
        if not placed:
            self.homeless += change.records

    def _place_related(self, change: Changed, role: Role) -> bool:
        """Give a related row to the aggregate it belonged to and to the one it belongs to now."""
        roots: dict[Key, list[Row | None]] = {}
        lost: dict[int, Row] = {}
        for side, row in ((WAS, change.was), (NOW, change.now)):
            if row is None:
                continue
            found = self._roots(role, row, change.key if side == NOW else change.old_key or change.key, side)
            if found is None:
                lost[side] = row
                continue
            for root in found:
                roots.setdefault(root, [None, None])[side] = row
        for root, sides in roots.items():
            for side, row in lost.items():
                sides[side] = row  # it was there, nobody knows whose: it neither came to this root nor left it
            was, now = sides
            draft = self._draft(role.compiled, root)
            draft.touched.setdefault(role.node.path, {})[change.key] = Pair(was, now)
            draft.records.update(dict.fromkeys(change.records))
            draft.before_missing = draft.before_missing or change.before_missing
        if not roots and lost:
            draft = self._draft(role.compiled, (role.node.path, *change.key))
            draft.problem = f"nobody knows which {role.compiled.mapping.aggregate} the {role.node.path} row belongs to"
            draft.touched.setdefault(role.node.path, {})[change.key] = Pair(change.was, change.now)
            draft.records.update(dict.fromkeys(change.records))
            return True
        return bool(roots)

    def _roots(self, role: Role, row: Row, key: Key, side: int) -> list[Key] | None:
        """Return the root keys that a related row belongs to on one side; None when nobody knows."""
        mapping = role.compiled.mapping
        level: list[tuple[Row, Key]] = [(row, key)]
        node: Node = role.node
        while True:
            join = role.compiled.joins[node.path]
            parent = mapping.node(node.parent)
            keys: list[Key] = []
            for at, at_key in level:
                cells = join.link_of(at) if join.belongs else at_key
                if not join.belongs:
                    keys += self._pointing(join, cells, side)
                elif usable(cells):
                    keys.append(cells)
                elif None not in cells:
                    return None
            keys = list(dict.fromkeys(keys))
            if parent.kind is Kind.ROOT:
                new = self._new_keys if side == WAS else {}
                return list(dict.fromkeys(new.get((parent.table, k), k) for k in keys))
            level = []
            for k in keys:
                found = self._row(parent.table, k, side)
                if found is None:
                    return None
                level.append((found, k))
            node = parent

    def _pointing(self, join: Join, cells: Key, side: int) -> list[Key]:
        """Return the keys of the parent's rows that point at a row on one side."""
        table = join.parent_table
        keys = [k for k in self._memory.found(table, join.columns, cells) if self._net.pair(table, k) is None]
        return keys + self._net.holding(table, join, cells, side)

    def _row(self, table: str, key: Key, side: int) -> Row | None:
        pair = self._net.pair(table, key)
        return pair[side] if pair is not None else self._memory.row(table, key)

    def _draft(self, compiled: Compiled, key: Key) -> _Draft:
        name = compiled.mapping.name
        draft = self._drafts.get((name, key))
        if draft is None:
            draft = self._drafts[name, key] = _Draft(compiled, key)
        return draft

    def _unit(self, draft: _Draft) -> Resolved:
        compiled = draft.compiled
        table = compiled.mapping.root.table
        was: Row | None
        now: Row | None
        if draft.root is not None:
            was, now = draft.root.was, draft.root.now
        elif draft.problem:
            was = now = None
        else:
            was = now = self._memory.row(table, draft.key) or unknown(self._plan.tables[table], draft.key)
        unit = Unit(
            draft.key,
            was,
            now,
            net=self._net,
            memory=self._memory,
            joins=compiled.joins,
            root_table=table,
            touched=draft.touched,
            rekeyed=draft.root is not None
            and draft.root.old_key not in (None, draft.key)
            and was is not None
            and now is not None,
            before_missing=draft.before_missing,
        )
        return Resolved(compiled, unit, list(draft.records), draft.problem)
