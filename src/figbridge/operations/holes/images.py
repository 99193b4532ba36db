"""What a source log says of rows: the newest image of each, and whether a table's every row must be in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from figbridge.domain.change import UNAVAILABLE, Key, Op, Row, RowChange
from figbridge.pipeline.collect import Collector, Transaction
from figbridge.pipeline.edge import Edge
from figbridge.ports import Record

Place = tuple[str, Key]


@dataclass(slots=True)
class Images:
    """The newest image of each row that a log has shown; None for one that it saw deleted."""

    tables: frozenset[str]
    newest: dict[Place, Row | None] = field(default_factory=dict)
    seen_at: dict[Place, int] = field(default_factory=dict)
    """Offset of the record that gave the newest image."""

    def take(self, transaction: Transaction) -> None:
        """Take in a whole transaction, or a snapshot row."""
        for row in transaction.rows:
            if row.shape.table in self.tables:
                self._row(row)

    def _row(self, row: RowChange) -> None:
        table, image = row.shape.table, row.before if row.op == Op.DELETE else row.after
        place = (table, row.shape.key_of(image))
        if row.op == Op.UPDATE and row.before is not None and (old := row.shape.key_of(row.before)) != place[1]:
            self._put((table, old), None, row.at[2])
        self._put(place, None if row.op == Op.DELETE else self._filled(place, row), row.at[2])

    def _filled(self, place: Place, row: RowChange) -> Row:
        """Fill cells that the log left out of an update: they did not change."""
        fields = row.shape.row_type.__struct_fields__
        before = self.newest.get(place)
        if before is None or not any(getattr(row.after, f) is UNAVAILABLE for f in fields):
            return row.after
        cells = {f: getattr(before, f) if (c := getattr(row.after, f)) is UNAVAILABLE else c for f in fields}
        return row.shape.row_type(**cells)

    def _put(self, place: Place, row: Row | None, offset: int) -> None:
        self.newest[place] = row
        self.seen_at[place] = offset

    def has(self, place: Place, row: Row) -> bool:
        """Say whether the newest image of a row is this one; a cell that the log never carried may be anything."""
        newest = self.newest.get(place)
        return newest is not None and all(
            getattr(newest, f) is UNAVAILABLE or getattr(newest, f) == getattr(row, f) for f in row.__struct_fields__
        )

    def alive(self) -> Iterable[Place]:
        """Return the rows that the log has, by its own word."""
        return (place for place, row in self.newest.items() if row is not None)


def read_images(records: Iterable[Record], edge: Edge, tables: frozenset[str]) -> Images:
    """Return what one log says of the rows of some tables: only of transactions that ended, each once."""
    images, collector, decode = Images(tables), Collector(edge.previous_end), None
    for record in records:
        decode = decode or edge.decoder(record.topic)
        for transaction in collector.feed(decode(record), record):
            images.take(transaction)
    return images
