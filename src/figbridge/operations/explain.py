"""Explain one record: decode, transaction, aggregates, the rules with what each gave, verdicts, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from figbridge.domain.authority import Authority
from figbridge.domain.change import UNAVAILABLE, Decoded, RowChange
from figbridge.errors import Refused
from figbridge.mapping.compiler import Judged, Plan
from figbridge.mapping.judged import Park, Skipped
from figbridge.operations.replay import told
from figbridge.pipeline.collect import Transaction
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.memory import NoState
from figbridge.pipeline.parking import group_of
from figbridge.pipeline.process import Process
from figbridge.pipeline.resolve import Resolved
from figbridge.ports import Record

_BATCH = 500
_TRUTH = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step in a record's life, with its details in words."""

    step: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of a record, step by step."""

    position: str
    steps: tuple[Step, ...]
    outcomes: tuple[dict[str, Any], ...]


def explain(
    plan: Plan, edge: Edge, authority: Authority, source: str, records: Iterable[Record], offset: int, *, values: bool
) -> Explanation:
    """Process records up to the one at `offset`, and tell what became of it. Values are shown only when asked for.

    Raises Refused when the records end before it, or before its transaction does.
    """
    units: list[tuple[Transaction, Resolved, list[tuple[str, bool | None]], Judged]] = []
    records = iter(records)
    wanted: Record | None = None
    process: Process | None = None
    while chunk := list(islice(records, 1 if wanted is not None else _BATCH)):
        if process is None:
            process = Process(plan, NoState(), {chunk[0].topic: source}, edge)
            process.translators[chunk[0].topic].tracer = lambda *traced: units.append(traced)
        for record in chunk:
            wanted = record if record.offset == offset else wanted
            process.take([record])
            if wanted is not None and process.collectors[record.topic].edge > offset:
                return _explained(process, wanted, authority, units, values=values)
            if wanted is None:
                process.commit(process.decide(authority))
                process.committed()
                units.clear()
    if process is not None and wanted is not None:
        process.finish()
        return _explained(process, wanted, authority, units, values=values)
    raise Refused(
        f"there is no record at offset {offset}", hint="give the offset of a record in this log", code="EXP001"
    )


def _explained(
    process: Process,
    record: Record,
    authority: Authority,
    units: list[tuple[Transaction, Resolved, list[tuple[str, bool | None]], Judged]],
    *,
    values: bool,
) -> Explanation:
    decoded = process.edge.decoder(record.topic)(record)
    performed = process.decide(authority)
    steps = [Step("decode", tuple(_decoded(decoded, values=values)))]
    mine = [t for t, _ in process.pending if t is not None and _holds(t, record.offset)]
    for transaction in mine:
        steps.append(Step("collect", tuple(_collected(transaction))))
        index = next((i for i, r in enumerate(transaction.rows) if r.position.offset == record.offset), None)
        for traced, resolved, rules, judged in units:
            if traced is transaction and (index is None or index in resolved.records):
                steps += _judged(resolved, rules, judged, transaction)
    verdicts = [
        f"{d.decision.claim.cell}: {d.decision.verdict.value} ({d.decision.why})"
        + (f" → {d.record.topic}" if d.record is not None else "")
        for d in performed
        if any(str(t.position) == str(d.origin.position) for t in mine)
    ]
    steps.append(Step("decide", tuple(verdicts) or ("no claim was made",)))
    pending = [(t, s) for t, s in process.pending if t in mine]
    outcomes = tuple({t.kind: t.body} for t in told(pending, performed)) if values else ()
    return Explanation(f"{record.topic}/{record.partition}@{record.offset}", tuple(steps), outcomes)


def _holds(transaction: Transaction, offset: int) -> bool:
    first = transaction.rows[0].position.offset - 1 if transaction.rows else transaction.position.offset
    return first <= offset <= transaction.position.offset


def _decoded(decoded: Decoded, *, values: bool) -> Iterator[str]:
    if not isinstance(decoded, RowChange):
        yield f"{type(decoded).__name__}: {', '.join(str(f) for f in decoded[:-1] if f)}"
        return
    detail = decoded.detail
    snapshot = f", snapshot {detail.snapshot}" if detail.snapshot else ""
    yield f"row of {decoded.shape.table}, op {decoded.op}, transaction {decoded.tx}, number {detail.order}{snapshot}"
    before = decoded.shape.cells(decoded.before) if decoded.before is not None else {}
    after = decoded.shape.cells(decoded.after) if decoded.after is not None else {}
    changed = [c for c in decoded.shape.columns if before and after and before[c] != after[c]]
    if before and after:
        yield f"columns that differ: {', '.join(changed) or 'none that a mapping reads'}"
    missing = [c for c, v in {**before, **after}.items() if v is UNAVAILABLE]
    if missing:
        yield f"unavailable: {', '.join(missing)}"
    if values:
        yield f"before {before or None}"
        yield f"after  {after or None}"


def _collected(transaction: Transaction) -> Iterator[str]:
    if transaction.snapshot:
        yield "a snapshot row: state, never a happening"
        return
    tables = sorted({r.shape.table for r in transaction.rows})
    rows = f"{len(transaction.rows)} rows of {', '.join(tables)}"
    yield f"transaction {transaction.tx}, commit {transaction.commit}, {rows}"
    for suspect in transaction.suspects:
        yield f"SUSPECT: {suspect.doubt.value}, {suspect.detail}"


def _judged(
    resolved: Resolved, rules: list[tuple[str, bool | None]], judged: Judged, transaction: Transaction
) -> Iterator[Step]:
    name = group_of(resolved.compiled.mapping.name, resolved.unit.key)
    unit = resolved.unit
    touched = ", ".join(f"{len(rows)} of {path}" for path, rows in unit.touched.items()) or "its root row only"
    yield Step("resolve", (f"{name}: {len(resolved.records)} of {len(transaction.rows)} rows, touches {touched}",))
    if isinstance(judged, Park):
        yield Step("translate", (f"parked: {judged.code}, {judged.why}",))
        return
    lines = [f"{rule}: {_TRUTH[outcome]}" for rule, outcome in rules]
    for item in judged:
        if isinstance(item, Skipped):
            lines.append(f"{item.rule} stayed unknown: skipped")
        elif item.event is not None:
            lines.append(f"→ {item.event.type} of {item.subject}, about {item.cell}")
        else:
            lines.append(f"→ {item.cell} of {item.subject} changed ({', '.join(item.now) or 'its row'}): {item.silent}")
    yield Step("translate", tuple(lines) or ("nothing that matters changed",))
