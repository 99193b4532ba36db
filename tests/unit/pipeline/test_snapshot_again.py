"""A snapshot that is made again says nothing of what was deleted in between: it is suspect."""

from __future__ import annotations

from figbridge.domain.change import Details, Position, RowChange
from figbridge.mapping.rows import make_shape
from figbridge.pipeline.collect import Collector, Doubt
from figbridge.ports import Record

SHAPE = make_shape("shop.stock", ["item_cd"], ["item_cd"])


def doubts(*rows: tuple[str, str]) -> list[list[Doubt]]:
    """Feed snapshot rows, each of a run and with a marker; return the doubts of each."""
    collector = Collector()
    found = []
    for offset, (run, marker) in enumerate(rows):
        position = Position("log", 0, offset)
        image = SHAPE.row({"item_cd": f"A{offset}"})
        row = RowChange(SHAPE, "r", None, image, position, None, run, detail=Details(0, 0, 7, marker))
        whole = collector.feed(row, Record("log", 0, offset, None, b"", (), 0))
        found += [[s.doubt for s in transaction.suspects] for transaction in whole]
    return found


def test_the_first_snapshot_is_not_suspect() -> None:
    """All rows of one run belong to one snapshot."""
    assert doubts(("one", "first"), ("one", "true"), ("one", "last")) == [[], [], []]


def test_the_first_row_of_another_run_is_suspect_once() -> None:
    """A snapshot of another run is made again, and one suspect says so."""
    assert doubts(("one", "first"), ("two", "first"), ("two", "true")) == [[], [Doubt.SNAPSHOT_AGAIN], []]


def test_an_incremental_snapshot_is_not_a_second_one() -> None:
    """Rows of an incremental snapshot come beside the stream, which tells of deletions itself."""
    assert doubts(("one", "last"), ("two", "incremental")) == [[], []]
