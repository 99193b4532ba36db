"""What the bridge remembers of rows, over the state: reads through, writes behind until the next commit.

A row is entry (`row:<table>`, key) → its remembered cells; an index is entry (`by:<table>.<columns>`, cells, key).
Which tables and columns are remembered is derived by the compiler (mapping/needs.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from figbridge.domain.change import Key, Row
from figbridge.mapping.compiler import Plan, TablePlan
from figbridge.mapping.unit import Join, Memory, Net, Pair, usable
from figbridge.mapping.values import Unreadable
from figbridge.ports import Entry, State

_KEYS = msgspec.json.Encoder()
_CACHED_ROWS = 200_000


def key_text(key: Key) -> str:
    """Return a row's key as the text that names it in the state.

    >>> key_text((7, "A1"))
    '[7,"A1"]'
    """
    return _KEYS.encode(key).decode()


def key_of_text(text: str) -> Key:
    """Return the key that a text names."""
    return tuple(msgspec.json.decode(text))


_pack: Final = msgspec.msgpack.Encoder().encode


def pack(value: Any) -> bytes:
    """Return a value for the state: as MessagePack, or as JSON when it holds a number beyond 64 bits."""
    try:
        return _pack(value)
    except OverflowError:
        return msgspec.json.encode(value)


def unpacker(of: Any) -> Callable[[bytes], Any]:
    """Return the function that reads what `pack` wrote: no map of MessagePack begins as JSON does."""
    packed, written = msgspec.msgpack.Decoder(of).decode, msgspec.json.Decoder(of).decode
    return lambda value: written(value) if value[:1] == b"{" else packed(value)


class RowMemory:
    """Remember rows for one source. Not thread-safe: one worker owns it."""

    def __init__(self, plan: Plan, state: State) -> None:
        self._plan = plan
        self._state = state
        self._decoders = {t: unpacker(p.shape.row_type) for t, p in plan.tables.items()}
        self._rows: dict[tuple[str, Key], Row | None] = {}
        self._dirty_rows: dict[tuple[str, Key], Row | None] = {}
        self._index: dict[tuple[str, tuple[str, ...], Key], dict[Key, None]] = {}
        self._dirty_index: dict[tuple[str, tuple[str, ...], Key, Key], bool] = {}
        self._limit = sys.maxsize if isinstance(state, NoState) else _CACHED_ROWS

    def row(self, table: str, key: Key) -> Row | None:
        """Return the remembered row; None when it is not known."""
        place = (table, key)
        try:
            return self._rows[place]
        except KeyError:
            text = key_text(key)
            found = self._state.read(f"row:{table}", [text]).get(text)
            row = self._decoders[table](found[""]) if found else None
            self._rows[place] = row
            return row

    def found(self, table: str, columns: tuple[str, ...], cells: Key) -> list[Key]:
        """Return the keys of remembered rows with these cells in these columns, in the order of their texts.

        Raises Unreadable for columns by which nothing is remembered: that there are none would be a guess.
        """
        if columns not in self._plan.tables[table].indexes:
            raise Unreadable(f"rows of {table} are not remembered by {', '.join(columns)}")
        return sorted(self._members(table, columns, cells), key=key_text)

    def _members(self, table: str, columns: tuple[str, ...], cells: Key) -> dict[Key, None]:
        place = (table, columns, cells)
        members = self._index.get(place)
        if members is None:
            text = key_text(cells)
            stored = self._state.read(_index_space(table, columns), [text]).get(text, {})
            members = self._index[place] = {key_of_text(m): None for m in stored}
        return members

    def remember(self, table: TablePlan, key: Key, was: Row | None, now: Row | None) -> None:
        """Take in a row's change. `was`, the image before if it is known, spares a write that changes nothing."""
        name = table.shape.table
        if table.remembered is None:
            return
        if was is not None and now is not None and table.remembered(was) == table.remembered(now):
            return
        for columns, cells_of in table.indexes.items():
            old_row = self.row(name, key)  # what the index was made of, whatever the log says the row was
            old = None if old_row is None else _place(cells_of(old_row))
            new = None if now is None else _place(cells_of(now))
            if old != new:
                if old is not None:
                    self._members(name, columns, old).pop(key, None)
                    self._dirty_index[name, columns, old, key] = False
                if new is not None:
                    self._members(name, columns, new)[key] = None
                    self._dirty_index[name, columns, new, key] = True
        kept = None if now is None else table.reduced(now)
        self._rows[name, key] = self._dirty_rows[name, key] = kept

    def entries(self) -> Iterator[Entry]:
        """Yield what the next commit must write."""
        for (table, key), row in self._dirty_rows.items():
            yield Entry(f"row:{table}", key_text(key), "", None if row is None else pack(row))
        for (table, columns, cells, key), there in self._dirty_index.items():
            yield Entry(_index_space(table, columns), key_text(cells), key_text(key), b"" if there else None)

    def committed(self) -> None:
        """Note that everything was written; forget cached rows when there are too many."""
        self._dirty_rows.clear()
        self._dirty_index.clear()
        if len(self._rows) > self._limit or len(self._index) > self._limit:
            self._rows.clear()
            self._index.clear()

    def rolled_back(self) -> None:
        """Forget everything that was not committed."""
        self._rows.clear()
        self._index.clear()
        self._dirty_rows.clear()
        self._dirty_index.clear()


def _place(cells: Key) -> Key | None:
    """Return cells by which a row can be found; None when one of them is no key."""
    return cells if usable(cells) else None


def _index_space(table: str, columns: tuple[str, ...]) -> str:
    return f"by:{table}.{','.join(columns)}"


class RecordingMemory:
    """Pass every question on and keep the answers: what a parked unit needs to be judged later as if it were now."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.rows: dict[tuple[str, Key], Row | None] = {}
        self.lists: dict[tuple[str, tuple[str, ...], Key], list[Key]] = {}

    def row(self, table: str, key: Key) -> Row | None:
        """Return the remembered row; None when it is not known."""
        found = self.rows[table, key] = self._memory.row(table, key)
        return found

    def found(self, table: str, columns: tuple[str, ...], cells: Key) -> list[Key]:
        """Return the keys of remembered rows with these cells in these columns."""
        found = self.lists[table, columns, cells] = list(self._memory.found(table, columns, cells))
        return found


class RecordingNet(Net):
    """The same of what became of rows in the transaction: of a bulk update, what one aggregate is judged by."""

    __slots__ = ("asked",)

    def __init__(self, net: Net) -> None:
        super().__init__(net.tables)
        self._held = net._held
        self.asked: dict[str, dict[Key, Pair]] = {}

    def pair(self, table: str, key: Key) -> Pair | None:
        """Return what became of the row with this key; None when the transaction did not touch it."""
        found = super().pair(table, key)
        if found is not None:
            self.asked.setdefault(table, {})[key] = found
        return found

    def holding(self, table: str, join: Join, cells: Key, side: int) -> list[Key]:
        """Return the keys of touched rows of a table that hold these joining cells on one side."""
        found = super().holding(table, join, cells, side)
        for key in found:
            self.pair(table, key)
        return found


class FrozenMemory:
    """Give the answers that were kept, and know nothing else."""

    def __init__(
        self, rows: dict[tuple[str, Key], Row | None], lists: dict[tuple[str, tuple[str, ...], Key], list[Key]]
    ) -> None:
        self._rows = rows
        self._lists = lists

    def row(self, table: str, key: Key) -> Row | None:
        """Return the kept row; None when it is not known."""
        return self._rows.get((table, key))

    def found(self, table: str, columns: tuple[str, ...], cells: Key) -> list[Key]:
        """Return the kept list of keys. Raises Unreadable for one that nobody asked for when it was kept."""
        try:
            return self._lists[table, columns, cells]
        except KeyError:
            raise Unreadable(f"which rows of {table} there were was not kept when the key was parked") from None


class NoState:
    """A state that holds nothing: for tests of mappings and captures, whose memory lives as long as they run."""

    def read(self, space: str, groups: Iterable[str]) -> dict[str, dict[str, bytes]]:  # noqa: ARG002 — the port's
        """Return nothing."""
        return {}

    def scan(self, space: str) -> Iterator[tuple[str, str, bytes]]:  # noqa: ARG002 — the port's
        """Yield nothing."""
        return iter(())

    def count(self, space: str) -> int:  # noqa: ARG002 — the port's
        """Return zero."""
        return 0
