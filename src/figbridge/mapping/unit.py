"""A unit: one aggregate in one transaction, its root row and related rows at both edges. What generated code reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from figbridge.domain.change import UNAVAILABLE, Key, Row

U = UNAVAILABLE
WAS, NOW = 0, 1


class Pair(NamedTuple):
    """A row before and after a transaction; None on a side on which it does not exist."""

    was: Row | None
    now: Row | None


NOTHING: dict[Any, Any] = {}
_FEW: Final = 16


class Net:
    """The net changes of one transaction: table → primary key → the row there before and after it."""

    __slots__ = ("_held", "tables")

    def __init__(self, tables: Mapping[str, Mapping[Key, Pair]]) -> None:
        self.tables = tables
        self._held: dict[tuple[str, tuple[str, ...], int], dict[Key, list[Key]]] = {}

    def pair(self, table: str, key: Key) -> Pair | None:
        """Return what became of the row with this key; None when the transaction did not touch it."""
        rows = self.tables.get(table)
        return None if rows is None else rows.get(key)

    def holding(self, table: str, join: Join, cells: Key, side: int) -> list[Key]:
        """Return the keys of touched rows of a table that hold these joining cells on one side."""
        rows = self.tables.get(table, NOTHING)
        if len(rows) <= _FEW:
            return [k for k, pair in rows.items() if pair[side] is not None and join.link_of(pair[side]) == cells]
        place = (table, join.columns, side)
        held = self._held.get(place)
        if held is None:
            held = self._held[place] = {}
            for key, pair in rows.items():
                if pair[side] is not None and usable(found := join.link_of(pair[side])):
                    held.setdefault(found, []).append(key)
        return held.get(cells, [])


UNTOUCHED: Final = Net(NOTHING)
"""A transaction of which nothing but the unit's own root is to be known."""


def usable(cells: Key) -> bool:
    """Say whether cells can be a key: each is there, and is neither a list nor a map."""
    try:
        hash(cells)
    except TypeError:
        return False
    return U not in cells and None not in cells


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
        pair = self.net.pair(table, key)
        if pair is not None:
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
        if row is None or row is U:
            return row
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
        keys = [k for k in self.memory.found(table, join.columns, cells) if self.net.pair(table, k) is None]
        return keys + self.net.holding(table, join, cells, side)

    def many(self, path: str, side: int) -> Any:
        """Return all rows of a relation on one side, in the order of their keys; UNAVAILABLE when one is not known."""
        return self.below(path, "", self.was if side == WAS else self.now, side)

    def below(self, path: str, top: str, row: Any, side: int) -> Any:
        """Return all rows of a relation under the row at `top`, as `many` does for the root."""
        if row is None:
            return []
        rows = self._below(path, top, row, side)
        if rows is U:
            return U
        key_of = self.joins[path].key_of
        return sorted(rows, key=lambda row: tuple((c is None, str(type(c)), c) for c in key_of(row)))

    def _below(self, path: str, top: str, row: Any, side: int) -> Any:
        join = self.joins[path]
        parents = [row] if join.parent == top else self._below(join.parent, top, row, side)
        if parents is U or self._strays(path, side):
            return U
        rows: list[Any] = []
        for parent in parents:
            if join.belongs:
                keys = self.holders(join, join.parent_key_of(parent), side)
                rows += [self._row(join.table, key, side) for key in keys]
            elif (row := self.one(path, parent, side)) is not None:
                rows.append(row)
        return U if any(r is U for r in rows) else [r for r in rows if r is not None]

    def _strays(self, path: str, side: int) -> bool:
        """Say whether a touched row of a relation does not say whose it is on one side: then no list is whole."""
        join = self.joins[path]
        rows = (pair[side] for pair in self.touched.get(path, NOTHING).values() if join.belongs)
        return any(row is not None and U in join.link_of(row) for row in rows)

    def pairs(self, path: str) -> Iterator[Pair]:
        """Yield every row of a relation with both its sides: the touched ones, then the others; when these are not
        known, one row that is UNAVAILABLE stands for them."""
        yield from self.touched.get(path, NOTHING).values()
        rows = self.untouched(path)
        for row in [U] if rows is U else rows:
            yield Pair(row, row)

    def rekeyed_row(self, path: str, was: Row, now: Row) -> bool:
        """Say whether the key of a related row changed."""
        key_of = self.joins[path].key_of
        return bool(key_of(was) != key_of(now))

    def untouched(self, path: str) -> Any:
        """Return the rows of a relation that are there on both sides and did not change; UNAVAILABLE if unknown."""
        if self.was is None or self.now is None:
            return []
        touched, key_of = self.touched.get(path, NOTHING), self.joins[path].key_of
        rows = self.many(path, NOW)
        return U if rows is U else [row for row in rows if key_of(row) not in touched]

    def look(self, table: str, cell: Any) -> Any:
        """Return the row of a lookup table: a row, None for a null id, UNAVAILABLE when it is not known."""
        if cell is None or cell is U:
            return cell
        return self._row(table, (cell,), NOW)
