"""Generate the structs into which one record of one table is decoded, once, with only what is used of it.

The table's name is part of the type (a Literal), so a record of another table cannot be decoded by mistake.
Fields stand in the order in which Debezium writes them: msgspec then finds each at its first guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, Literal

import msgspec

from figbridge.adapters.debezium.transactions import Transaction
from figbridge.domain.change import Row, RowShape

KEY_CELLS: Final = frozenset({int, str, float, bool})
"""The types a primary key cell may have: neither null, UNAVAILABLE, a list, nor a map."""


class Skeleton(msgspec.Struct, gc=False, frozen=True):
    """Hold what tells records apart when their row is of no interest."""

    source: SkeletonSource
    op: str
    transaction: Transaction | None = None


class SkeletonSource(msgspec.Struct, gc=False, frozen=True):
    """Hold the names in `source`: PostgreSQL has a schema inside the database, MariaDB and MySQL have none."""

    db: str | None = None
    schema: str | None = None
    table: str | None = None

    def name(self) -> str | None:
        """Return `schema.table` (PostgreSQL) or `db.table` (MariaDB, MySQL); None when a part is missing."""
        space = self.schema or self.db
        return f"{space}.{self.table}" if space and self.table else None


decode_skeleton: Final = msgspec.json.Decoder(Skeleton).decode


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Hold what decoding the rows of one table needs, for one kind of connector."""

    shape: RowShape
    binlog: bool
    """True for MariaDB and MySQL, whose rows have `file`, `pos`, `row` for a place; else they have `lsn`."""
    envelope: type[Any]
    decode: Callable[[bytes], Any]
    probe: bytes
    """What stands in `source` of every record of the table."""
    space: bytes
    """The JSON text of the schema's or database's name."""
    key: Callable[[Row], Any]
    """Return the key cell of a row image, or a tuple of them when the key has several columns."""

    def has_key(self, row: Row) -> bool:
        """Tell whether a row image has a scalar in each primary key column."""
        key = self.key(row)
        if type(key) is tuple:
            return KEY_CELLS.issuperset(map(type, key))
        return type(key) in KEY_CELLS


def entry(shape: RowShape, *, binlog: bool) -> Entry:
    """Generate the envelope of a table; raises ValueError for a table name without a schema or database."""
    space, dot, table = shape.table.partition(".")
    if not (space and dot and table):
        raise ValueError(f"{shape.table} is not of the form schema.table or database.table")
    source = msgspec.defstruct(
        "Source", _binlog_source(space, table) if binlog else _source(space, table), frozen=True, gc=False
    )
    envelope = msgspec.defstruct(
        "Envelope",
        [
            ("before", shape.row_type | None),
            ("after", shape.row_type | None),
            ("source", source),
            ("transaction", Transaction | None),
            ("op", Literal["c", "u", "d", "r"]),
        ],
        frozen=True,
        gc=False,  # as for rows: no field can lead back to the envelope
        namespace=_BINLOG_DETAIL if binlog else _DETAIL,
    )
    space_json, table_json = msgspec.json.encode(space), msgspec.json.encode(table)
    probe = b'"table":' + table_json
    return Entry(
        shape=shape,
        binlog=binlog,
        envelope=envelope,
        decode=msgspec.json.Decoder(envelope).decode,
        probe=probe if binlog else b'"schema":' + space_json + b"," + probe,
        space=space_json,
        key=attrgetter(*map(shape.field, shape.key)),
    )


def _order(row: Any) -> int:
    return 0 if row.transaction is None else int(row.transaction.total_order)


def _place(row: Any) -> int | str:
    return "" if row.source.lsn is None else int(row.source.lsn)


def _binlog_place(row: Any) -> str:
    source = row.source
    return f"{source.file}:{source.pos}:{source.row}" if source.file else source.gtid or ""


_DETAIL: Final[dict[str, Any]] = {
    "order": property(_order),
    "at_us": property(lambda row: row.source.ts_us),
    "place": property(_place),
    "snapshot": None,  # one of an `r` row is told apart by the decoder
}
"""An envelope is the `Detail` of its row."""

_BINLOG_DETAIL: Final = {**_DETAIL, "place": property(_binlog_place)}


def _source(space: str, table: str) -> list[tuple[str, Any]]:
    return [
        ("snapshot", str | bool | None),
        ("ts_us", int),
        ("schema", Literal[space]),
        ("table", Literal[table]),
        ("lsn", int | None),
    ]


def _binlog_source(space: str, table: str) -> list[tuple[str, Any]]:
    return [
        ("snapshot", str | bool | None),
        ("db", Literal[space]),
        ("ts_us", int),
        ("table", Literal[table]),
        ("gtid", str | None),
        ("file", str | None),
        ("pos", int),
        ("row", int),
    ]
