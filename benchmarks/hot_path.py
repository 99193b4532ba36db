"""CPU a row of the pure steps, beside msgspec's decode alone, on the 893-byte envelope of a 12-column row."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import msgspec

from benchmarks.rows import records
from benchmarks.setting import TOPIC, cpu_seconds, interleaved, setting, spread
from figbridge.domain.change import RowChange
from figbridge.domain.verdict import Decision, decide
from figbridge.pipeline.collect import Collector, Transaction
from figbridge.pipeline.memory import NoState, RowMemory
from figbridge.pipeline.parking import ParkingLot
from figbridge.pipeline.perform import Performer, Said
from figbridge.pipeline.process import Process
from figbridge.pipeline.translate import Translator

ROWS = 50_000
ROUNDS = 9


def main() -> None:
    plan, edge, authority = setting()
    log = list(records(ROWS, TOPIC))
    rows = [r for r in log if b'"op":"u"' in (r.value or b"")]
    size = statistics.mean(len(r.value or b"") for r in rows)
    bare = _bare_decoder(plan.tables["shop.orders"].shape.row_type)
    decode = edge.decoder()
    transactions = _transactions(log, edge.decoder())
    performer = Performer(edge.encode, edge.topics)

    def translator() -> Translator:
        state = NoState()
        return Translator(plan, RowMemory(plan, state), ParkingLot(plan, state), "legacy")

    def translated_and_decided() -> Iterator[tuple[Said, list[Decision]]]:
        translate = translator().translate
        for transaction in transactions:
            told = translate(transaction)
            position = told.origin.position
            yield Said(told.origin, told.claims), [decide(claim, position, authority) for claim in told.claims]

    def two_steps() -> None:
        for _ in translated_and_decided():
            pass

    def four_steps() -> None:
        fresh = edge.decoder()
        for record in rows:
            fresh(record)
        for said, decisions in translated_and_decided():
            performer.perform(said, decisions)

    def whole() -> None:
        process = Process(plan, NoState(), {TOPIC: "legacy"}, edge)
        for start in range(0, len(log), 1000):
            process.take(log[start : start + 1000])
            process.commit(process.decide(authority))
            process.committed()

    per_row = 1e6 / len(rows)
    works = {
        "msgspec decode alone": lambda: cpu_seconds(lambda: [bare(r.value or b"") for r in rows]) * per_row,
        "decode": lambda: cpu_seconds(lambda: [decode(r) for r in rows]) * per_row,
        "translate + decide": lambda: cpu_seconds(two_steps) * per_row,
        "decode + translate + decide + encode": lambda: cpu_seconds(four_steps) * per_row,
        "everything but the log (collect, account, markers)": lambda: cpu_seconds(whole) * per_row,
    }
    found = interleaved(ROUNDS, works)
    base = statistics.median(found["msgspec decode alone"])
    print(f"\nhot path: {len(rows):,} rows of {size:.0f} bytes, 60 % make an event; CPU µs a row, median (min-max)")
    for name, values in found.items():
        ratio = statistics.median(values) / base
        print(f"  {name:<52}{spread(values):>22}   {ratio:5.2f} x decode alone")
    best = min(found["translate + decide"])
    median = statistics.median(found["translate + decide"])
    print(f"  translate + decide: {1e6 / median:,.0f} rows/s of CPU ({1e6 / best:,.0f} best)")


def _bare_decoder(row_type: type) -> msgspec.json.Decoder:
    """Return the least that any bridge must do: decode both images and the operation."""
    envelope = msgspec.defstruct(
        "Bare", [("before", row_type | None), ("after", row_type | None), ("op", str)], gc=False
    )
    return msgspec.json.Decoder(envelope).decode  # type: ignore[return-value]


def _transactions(log: list, decode) -> list[Transaction]:  # type: ignore[no-untyped-def, type-arg]
    collector = Collector()
    found: list[Transaction] = []
    for record in log:
        decoded = decode(record)
        if not (isinstance(decoded, RowChange) and collector.joins(decoded, record.offset)):
            found += collector.feed(decoded, record)
    return found


if __name__ == "__main__":
    main()
