"""Decoded records and captured ones, for tests of what comes after decoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from figbridge import bootstrap
from figbridge.adapters.debezium.decoder import Decoder
from figbridge.domain.change import Begin, Decoded, Details, End, Marker, MarkerKind, Op, Position, RowChange, RowShape
from figbridge.mapping.compiler import Plan
from figbridge.mapping.rows import make_shape
from figbridge.pipeline.collect import Collector, Transaction
from figbridge.pipeline.perform import Topics
from figbridge.ports import Record

FIXTURES = Path(__file__).parents[1] / "fixtures"
CAPTURES = sorted((FIXTURES / "debezium").rglob("*.jsonl*"))
ONE_LOG = [path for path in CAPTURES if path.parent.name == "one-log"]
SHAPE = make_shape("shop.orders", ["order_id"], ["order_id", "stat"])
LOG = "figbridge.legacy.log"


def named(path: Path) -> str:
    """Return the name of a capture, as tests are called by it."""
    return str(path.relative_to(FIXTURES / "debezium"))


@cache
def captured_plan() -> Plan:
    """Return the mappings of the captured records' tables, compiled."""
    return bootstrap.plan(bootstrap.documents(FIXTURES / "mappings" / "captured"))


@cache
def captured(path: Path) -> tuple[Record, ...]:
    """Return a capture as one source log, with offsets from 0 without gaps."""
    records = enumerate(bootstrap.capture(path))
    return tuple(Record(LOG, 0, i, r.key, r.value, r.headers, r.timestamp) for i, r in records)


def decoded(records: Iterable[Record]) -> Iterator[tuple[Decoded, Record]]:
    """Decode captured records."""
    decoder = Decoder(captured_plan().shapes(), epoch_columns=captured_plan().epoch_columns())
    return ((decoder.decode(record), record) for record in records)


def collected(records: Iterable[Record], **options: Any) -> list[Transaction]:
    """Collect captured records into transactions."""
    collector = Collector(bootstrap.edge(captured_plan(), Topics()).previous_end, **options)
    found = [t for said, record in decoded(records) for t in collector.feed(said, record)]
    return [*found, *collector.finish()]


class Made:
    """Records made by hand, fed into a collector one by one."""

    def __init__(self, **options: Any) -> None:
        self.previous: dict[int, str] = {}
        self.collector = Collector(lambda record: self.previous.get(record.offset), **options)
        self.offset = 0

    def feed(self, said: Decoded) -> list[Transaction]:
        """Feed one decoded record at the next offset."""
        record = Record(LOG, 0, self.offset, b"", b"", (), 0)
        self.offset += 1
        return list(self.collector.feed(said, record))

    def at(self) -> Position:
        """Return where the next record stands."""
        return Position(LOG, 0, self.offset)

    def begin(self, tx: str = "1", place: int | None = None) -> list[Transaction]:
        """Feed a BEGIN."""
        return self.feed(Begin(tx, self.at(), place))

    def row(
        self,
        key: int = 1,
        op: Op = Op.UPDATE,
        *,
        tx: str | None = "1",
        run: str = "r",
        moved: int | None = None,
        place: int = 0,
        shape: RowShape = SHAPE,
    ) -> list[Transaction]:
        """Feed a row."""
        image = shape.row({"order_id": key, "stat": "P"})
        before, after = (image, None) if op == Op.DELETE else (None, image)
        snapshot = "true" if op == Op.READ else None
        other = None if moved is None else (moved,)
        detail = Details(1, 5, place, snapshot)
        return self.feed(RowChange(shape, op, before, after, self.at(), tx, run, other, detail=detail))

    def end(
        self, count: int, tx: str = "1", commit: str = "100", *, tables: tuple[tuple[str, int], ...] = ()
    ) -> list[Transaction]:
        """Feed an END."""
        return self.feed(End(tx, commit, count, tables, 7, self.at()))

    def marker(self, kind: MarkerKind, tx: str | None = None) -> list[Transaction]:
        """Feed a marker."""
        return self.feed(Marker(kind, self.at(), tx))
