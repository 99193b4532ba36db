"""What a source log says: row changes, transaction markers, and records that are neither.

Hot values are named tuples: building one costs a third of a frozen dataclass (docs/adr/0005).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, NamedTuple, Protocol, TypeAlias


class Unavailable(Enum):
    """Mark a cell whose value the log did not carry: neither known nor null."""

    UNAVAILABLE = "unavailable"

    def __repr__(self) -> str:
        return "UNAVAILABLE"


UNAVAILABLE: Final = Unavailable.UNAVAILABLE

Row: TypeAlias = Any
"""An image of one row: an instance of its table's generated `RowShape.row_type`, its cells in fields c0, c1, …."""

Key: TypeAlias = tuple[Any, ...]
"""The primary key cells of a row, in the order of `RowShape.key`."""


class Op(StrEnum):
    """Name the operation as Debezium's field `op` does."""

    CREATE = "c"
    UPDATE = "u"
    DELETE = "d"
    READ = "r"


class Position(NamedTuple):
    """Name one record of the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True, eq=False)
class RowShape:
    """Describe the columns of one table that the mappings use.

    `row_type` has the cells of `columns` in fields c0, c1, … (names invented by the compiler: a column
    name never becomes Python). A field that the record does not carry is UNAVAILABLE.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    row_type: type[Any]

    def field(self, column: str) -> str:
        """Return the field name of a column; raises ValueError for a column no mapping uses."""
        return f"c{self.columns.index(column)}"

    def row(self, cells: dict[str, Any]) -> Row:
        """Build a row image from column names; columns that are not given are UNAVAILABLE, others are ignored."""
        known = ((f"c{i}", cells[c]) for i, c in enumerate(self.columns) if c in cells)
        return self.row_type(**dict(known))

    def cells(self, row: Row) -> dict[str, Any]:
        """Return a row image as column → cell."""
        return {c: getattr(row, f"c{i}") for i, c in enumerate(self.columns)}

    def key_of(self, row: Row) -> Key:
        """Return the primary key cells of a row image."""
        return tuple(getattr(row, f"c{self.columns.index(c)}") for c in self.key)


class Detail(Protocol):
    """What a record says of its row besides the images: asked of few rows, so it is read when it is asked for."""

    @property
    def order(self) -> int:
        """Return `transaction.total_order`, 0 without metadata."""

    @property
    def at_us(self) -> int:
        """Return `source.ts_us`: commit time in microseconds since 1970."""

    @property
    def place(self) -> int | str:
        """Return where the row itself stands in the source: an LSN, or file:pos:row."""

    @property
    def snapshot(self) -> str | None:
        """Return `source.snapshot` of an `r` row; None when streamed."""


class Details(NamedTuple):
    """The same, given as values."""

    order: int = 0
    at_us: int = 0
    place: int | str = 0
    snapshot: str | None = None


class RowChange(NamedTuple):
    """One row change as Debezium reports it, of a table that a mapping uses."""

    shape: RowShape
    op: str
    before: Row | None
    after: Row | None
    at: tuple[str, int, int]
    """Topic, partition and offset of its record: `position` without the names."""
    tx: str | None
    """The stable part of `transaction.id`: txId on PostgreSQL, the GTID on MariaDB; None without metadata."""
    run: str | None
    """Header `__debezium.context.runId`: changes with every start of the connector's task."""
    moved: Key | None = None
    """The other key of a primary-key update: headers `__debezium.newkey` (on `d`) and `oldkey` (on `c`)."""
    whole: bool = False
    """True when every cell of the images is known to be there: nothing has to be filled in."""
    detail: Detail = Details()

    @property
    def position(self) -> Position:
        """Return the position of its record."""
        return Position(*self.at)


class Begin(NamedTuple):
    """The start of a source transaction."""

    tx: str
    position: Position
    place: int | None = None
    """On PostgreSQL the LSN of the transaction's first record, from BEGIN's id; None where it does not say."""


class End(NamedTuple):
    """The end of a source transaction."""

    tx: str
    commit: str
    """The transaction's commit position: END's LSN on PostgreSQL, the GTID on MariaDB."""
    announced: int
    """END's event_count: rows and messages, of every table."""
    tables: tuple[tuple[str, int], ...]
    at_us: int
    position: Position


class MarkerKind(StrEnum):
    """Name the records that carry no row."""

    HEARTBEAT = "heartbeat"
    SCHEMA = "schema"
    MESSAGE = "message"
    SIGNAL = "signal"
    TOMBSTONE = "tombstone"
    BEGIN = "begin"
    END = "end"


class Marker(NamedTuple):
    """A record that carries no row and no transaction edge; `tx` is set when it counts in a transaction."""

    kind: MarkerKind
    position: Position
    tx: str | None = None


class Unmapped(NamedTuple):
    """A row of a table that no mapping uses."""

    table: str
    position: Position
    tx: str | None


class Dead(NamedTuple):
    """A record that cannot be used, with a stable reason; never an exception."""

    reason: str
    detail: str
    position: Position
    tx: str | None = None


Decoded: TypeAlias = RowChange | Begin | End | Marker | Unmapped | Dead


def not_later(commit: str, other: str) -> bool:
    """Say whether a commit position is known to stand at or before another of the same source.

    PostgreSQL positions are LSNs in decimal, in commit order; MariaDB's are GTIDs, ordered within one domain.

    >>> not_later("537587600", "537587600"), not_later("537587601", "537587600")
    (True, False)
    >>> not_later("0-7-12", "0-7-13"), not_later("9-7-12", "0-7-13")
    (True, False)
    """
    if commit.isdigit() and other.isdigit():
        return int(commit) <= int(other)
    a, b = commit.split("-"), other.split("-")
    if len(a) == len(b) == 3 and a[0] == b[0] and a[2].isdigit() and b[2].isdigit():
        return int(a[2]) <= int(b[2])
    return False
