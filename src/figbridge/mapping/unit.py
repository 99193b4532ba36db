"""A unit: one aggregate in one transaction, its root row and related rows at both edges. What generated code reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from figbridge.domain.change import UNAVAILABLE, Key, Row

U = UNAVAILABLE
WAS, NOW = 0, 1


class Pair(NamedTuple):
    """A row before and after a transaction; None on a side on which it does not exist."""

    was: Row | None
    now: Row | None


Net = Mapping[str, Mapping[Key, Pair]]
"""Table → primary key → the net change of that row in the transaction."""

NOTHING: dict[Any, Any] = {}


class Memory(Protocol):
    """What is remembered of rows, as of the transaction before."""

    def row(self, table: str, key: Key) -> Row | None:
        """Return the remembered row; None when it is not known."""

    def found(self, table: str, columns: tuple[str, ...], cells: Key) -> Sequence[Key]:
        """Return the keys of remembered rows with these cells in these columns, in a stable order."""


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """How generated code walks from a row to its relation's rows; made by the compiler from a Node.

    `link_of` gives the joining cells of the row that holds them: this table's for `belongs`, the parent's otherwise.
    """

    path: str
    parent: str
    table: str
    parent_table: str
    columns: tuple[str, ...]
    belongs: bool
    key_of: Any
    parent_key_of: Any
    link_of: Any


class Unit:
    """One aggregate in one transaction. `touched` holds, by path, the related rows that changed."""

    __slots__ = ("before_missing", "joins", "key", "memory", "net", "now", "rekeyed", "root_table", "touched", "was")

    def __init__(
        self,
        key: Key,
        was: Row | None,
        now: Row | None,
        net: Net,
        memory: Memory,
        joins: Mapping[str, Join],
        root_table: str,
        touched: Mapping[str, Mapping[Key, Pair]] = NOTHING,
        *,
        rekeyed: bool = False,
        before_missing: bool = False,
    ) -> None:
        self.key = key
        self.was = was
        self.now = now
        self.net = net
        self.memory = memory
        self.joins = joins
        self.root_table = root_table
        self.touched = touched
        self.rekeyed = rekeyed
        self.before_missing = before_missing

    def _row(self, table: str, key: Key, side: int) -> Any:
        """Return a row on one side: a row, None when it does not exist, UNAVAILABLE when nobody knows."""
        rows = self.net.get(table)
        if rows is not None and (pair := rows.get(key)) is not None:
            return pair[side]
        found = self.memory.row(table, key)
        return U if found is None else found

    def one(self, path: str, parent: Any, side: int) -> Any:
        """Return the row a parent row points at: a row, None, or UNAVAILABLE."""
        if parent is None or parent is U:
            return parent
        join = self.joins[path]
        cells = join.link_of(parent)
        if U in cells:
            return U
        return None if None in cells else self._row(join.table, cells, side)

    def up(self, path: str, row: Any, side: int) -> Any:
        """Return the row above a related row: a row, None, or UNAVAILABLE."""
        join = self.joins[path]
        if not join.belongs:
            return self._pointing(join, row, side)
        cells = join.link_of(row)
        if U in cells:
            return U
        if None in cells:
            return None
        if join.parent == "":
            return self.was if side == WAS else self.now
        return self._row(join.parent_table, cells, side)

    def _pointing(self, join: Join, row: Any, side: int) -> Any:
        if join.parent == "":
            return self.was if side == WAS else self.now
        keys = self.holders(join, join.key_of(row), side)
        return self._row(join.parent_table, keys[0], side) if len(keys) == 1 else U

    def holders(self, join: Join, cells: Key, side: int) -> list[Key]:
        """Return the keys of rows whose joining cells are these, on one side: children of a parent, or who points."""
        table = join.table if join.belongs else join.parent_table
        moved = self.net.get(table, NOTHING)
        keys = [k for k in self.memory.found(table, join.columns, cells) if k not in moved]
        for key, pair in moved.items():
            row = pair[side]
            if row is not None and join.link_of(row) == cells:
                keys.append(key)
        return keys

    def many(self, path: str, side: int) -> Any:
        """Return all rows of a relation on one side, in the order of their keys; UNAVAILABLE when one is not known."""
        root = self.was if side == WAS else self.now
        if root is None:
            return []
        rows = self._below(path, root, side)
        if rows is U:
            return U
        key_of = self.joins[path].key_of
        return sorted(rows, key=lambda row: tuple((c is None, str(type(c)), c) for c in key_of(row)))

    def _below(self, path: str, root: Any, side: int) -> Any:
        join = self.joins[path]
        parents = [root] if join.parent == "" else self._below(join.parent, root, side)
        if parents is U:
            return U
        rows: list[Any] = []
        for parent in parents:
            if join.belongs:
                keys = self.holders(join, join.parent_key_of(parent), side)
                rows += [self._row(join.table, key, side) for key in keys]
            elif (row := self.one(path, parent, side)) is not None:
                rows.append(row)
        return U if any(r is U for r in rows) else [r for r in rows if r is not None]

    def pairs(self, path: str) -> Iterator[Pair]:
        """Yield every row of a relation with both its sides: the touched ones, then the others."""
        touched = self.touched.get(path, NOTHING)
        yield from touched.values()
        if self.was is None or self.now is None:
            return
        key_of = self.joins[path].key_of
        rows = self.many(path, NOW)
        for row in [] if rows is U else rows:
            if key_of(row) not in touched:
                yield Pair(row, row)

    def look(self, table: str, cell: Any) -> Any:
        """Return the row of a lookup table: a row, None for a null id, UNAVAILABLE when it is not known."""
        if cell is None or cell is U:
            return cell
        return self._row(table, (cell,), NOW)
