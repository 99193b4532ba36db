"""Translate one transaction: its rows to units, its units to claims. Pure, but for what it is told to remember."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from figbridge.domain.change import UNAVAILABLE, Dead, Op, RowChange
from figbridge.domain.claim import Claim
from figbridge.domain.event import Event
from figbridge.domain.fact import Cell
from figbridge.mapping.compiler import Judged, Plan
from figbridge.mapping.judged import Park, Skipped
from figbridge.mapping.model import Judge, Service
from figbridge.pipeline.collect import Counted, Transaction
from figbridge.pipeline.memory import RowMemory
from figbridge.pipeline.parking import Origin, ParkingLot, Released, group_of
from figbridge.pipeline.plain import PlainUpdates
from figbridge.pipeline.resolve import Resolved, Resolver, net_changes

_TRANSLATED, _UNCHANGED, _PARKED = Counted.TRANSLATED, Counted.UNCHANGED, Counted.PARKED


@dataclass(slots=True)
class Translated:
    """What one transaction says, and what became of each of its records."""

    origin: Origin
    claims: list[Claim] = field(default_factory=list)
    counts: Counter[Counted] = field(default_factory=Counter)
    rows: list[Counted] = field(default_factory=list)
    """What each row of the transaction is counted as, in order."""
    parked: dict[str, Park] = field(default_factory=dict)
    """Key → why it was parked, or that it already was."""
    skipped: list[str] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)


Tracer = Callable[[Transaction, Resolved, list[tuple[str, bool | None]], Judged], None]
"""Look at a unit while it is judged: its transaction, the unit, what each rule gave, and the outcome."""


class Translator:
    """Translate the transactions of one source. Reads and feeds the memory, in log order."""

    def __init__(self, plan: Plan, memory: RowMemory, parking: ParkingLot, source: str) -> None:
        self._plan = plan
        self._memory = memory
        self._parking = parking
        self._source = source
        self._plain = PlainUpdates(plan, memory, parking)
        self.tracer: Tracer | None = None

    def translate(self, tx: Transaction) -> Translated:
        """Return what a transaction says; its rows are remembered, its unclear keys parked."""
        topic, partition, offset = tx.position
        out = Translated(Origin(self._source, tx.commit, tx.at_us, topic, partition, offset), dead=list(tx.dead))
        out.counts.update(tx.counts)
        if tx.dead:
            out.counts[Counted.DEAD] += len(tx.dead)
        if not tx.snapshot and self.tracer is None and self._plain_updates(tx, out):
            return out
        out.rows = [Counted.UNCHANGED] * len(tx.rows)
        for rows in self._portions(tx):
            self._judge_rows(tx, rows, out)
        out.counts.update(out.rows)
        return out

    def _plain_updates(self, tx: Transaction, out: Translated) -> bool:
        """Judge a transaction of nothing but plain updates of roots without resolving it; False for any other.

        Nearly all rows of nearly all monoliths are such; resolving them would cost more than everything else.
        """
        work = self._plain.work(tx.rows)
        if work is None:
            return False
        rows, claims, remember = out.rows, out.claims, self._memory.remember
        for table, compiled, key, was, now, bits in work:
            unit = self._plain.unit(compiled, key, was, now) if bits and not compiled.flat else None
            judged = compiled.update(was, now, bits, unit) if bits else ()
            if type(judged) is not list:
                if isinstance(judged, Park):
                    resolved = Resolved(compiled, unit or self._plain.unit(compiled, key, was, now), [len(rows)])
                    rows.append(_PARKED)
                    self._park(resolved, resolved.records, judged, tx, out)
                else:
                    rows.append(_UNCHANGED)
            elif compiled.skips:
                rows.append(_TRANSLATED if take(judged, out) else _UNCHANGED)
            else:
                claims += judged
                rows.append(_TRANSLATED if judged else _UNCHANGED)
            if table.remembered is not None:
                remember(table, key, was, now)
        out.counts.update(rows)
        return True

    def _portions(self, tx: Transaction) -> Iterable[list[int]]:
        """Yield what is judged at once: the whole transaction, or row by row where a mapping says `judge: each`."""
        each = any(
            r.compiled.mapping.judge is Judge.EACH
            for t in {row.shape.table for row in tx.rows}
            for r in self._plan.tables[t].roles
        )
        if not each or len(tx.rows) < 2:
            return [list(range(len(tx.rows)))] if tx.rows else []
        return [[i] for i in range(len(tx.rows))]

    def _judge_rows(self, tx: Transaction, indexes: list[int], out: Translated) -> None:
        rows = [tx.rows[i] for i in indexes]
        changes = net_changes(rows, self._plan, self._memory)
        for resolved in Resolver(self._plan, self._memory, changes).units():
            self._judge(resolved, [indexes[i] for i in resolved.records], tx, out)
        for row, i in zip(rows, indexes, strict=True):
            service = self._plan.tables[row.shape.table].service
            if service is not None:
                self._service(service, row, i, out)
        for table in changes.values():
            for change in table.values():
                if change.old_key is not None:
                    self._memory.remember(change.table, change.old_key, change.was, None)
                before = None if change.before_missing or change.old_key is not None else change.was
                self._memory.remember(change.table, change.key, before, change.now)
        if tx.snapshot:
            out.rows = [Counted.SNAPSHOT if c is not Counted.PARKED else c for c in out.rows]

    def _judge(self, resolved: Resolved, indexes: list[int], tx: Transaction, out: Translated) -> None:
        compiled, unit = resolved.compiled, resolved.unit
        if tx.snapshot and unit.touched:
            return  # a related row of a snapshot: remembered, told with its root
        if self._parking.holds(compiled.mapping.name, unit.key):
            self._park(resolved, indexes, Park("WAITS", "the key is parked"), tx, out)
            return
        judged = judge(resolved, snapshot=tx.snapshot)
        if self.tracer is not None:
            judged = self._traced(resolved, tx, judged)
        if isinstance(judged, Park):
            self._park(resolved, indexes, judged, tx, out)
            return
        if take(judged, out):
            for i in indexes:
                if out.rows[i] is Counted.UNCHANGED:
                    out.rows[i] = Counted.TRANSLATED

    def _traced(self, resolved: Resolved, tx: Transaction, judged: Judged) -> Judged:
        """Judge once more, slower, keeping what each rule gave."""
        rules: list[tuple[str, bool | None]] = []
        if not tx.snapshot and not resolved.problem:
            resolved.compiled.trace(resolved.unit, rules)
        assert self.tracer is not None
        judged = judged if isinstance(judged, Park) else tuple(judged)
        self.tracer(tx, resolved, rules, judged)
        return judged

    def _park(self, resolved: Resolved, indexes: list[int], park: Park, tx: Transaction, out: Translated) -> None:
        self._parking.park(resolved, out.origin, park.code, park.why, snapshot=tx.snapshot)
        out.parked[group_of(resolved.compiled.mapping.name, resolved.unit.key)] = park
        for i in indexes:
            out.rows[i] = Counted.PARKED

    def _service(self, service: Service, row: RowChange, index: int, out: Translated) -> None:
        """Take a service's claim from its outbox: an inserted row; a deleted one is housekeeping."""
        if row.op != Op.CREATE:
            return
        found = service_claim(service, row)
        if isinstance(found, Dead):
            out.dead.append(found)
            out.rows[index] = Counted.DEAD
        else:
            out.claims.append(found)
            out.rows[index] = Counted.TRANSLATED


def judge(resolved: Resolved, *, snapshot: bool) -> Judged:
    """Judge one unit with its mapping's generated code."""
    if resolved.problem:
        return Park("UNRESOLVED", resolved.problem)
    if snapshot:
        return resolved.compiled.state(resolved.unit)
    return resolved.compiled.judge(resolved.unit)


def take(judged: Iterable[Claim | Skipped], out: Translated) -> bool:
    """Add what a unit says to what its transaction says; returns whether it says anything."""
    said = False
    for item in judged:
        if isinstance(item, Skipped):
            out.skipped.append(item.rule)
        else:
            out.claims.append(item)
            said = True
    return said


def release(released: Released) -> Translated | Park:
    """Judge a waiting change as if it were then; Park when it still cannot be."""
    judged = judge(released.resolved, snapshot=released.snapshot)
    if isinstance(judged, Park):
        return judged
    out = Translated(released.origin)
    take(judged, out)
    return out


def service_claim(service: Service, row: RowChange) -> Claim | Dead:
    """Return the claim in a row of a service's outbox, or why it is none."""
    cells = row.shape.cells(row.after)
    values: dict[str, Any] = {role: cells.get(column) for role, column in service.columns.items()}
    if any(values.get(r) is None or values[r] is UNAVAILABLE for r in ("type", "subject", "payload")):
        return Dead("OUTBOX_INCOMPLETE", "type, subject or payload is missing", row.position, row.tx)
    event = next((e for e in service.events if e.type == values["type"]), None)
    if event is None:
        return Dead("OUTBOX_UNKNOWN_TYPE", f"{service.name} declares no such event type", row.position, row.tx)
    payload = values["payload"]
    try:
        data = msgspec.json.decode(payload) if isinstance(payload, str) else payload
    except (msgspec.DecodeError, UnicodeError):
        data = None
    if not isinstance(data, dict):
        return Dead("OUTBOX_NOT_AN_OBJECT", "the payload is not a JSON object", row.position, row.tx)
    return Claim(
        service.name, Cell(event.fact), event.aggregate, str(values["subject"]), Event(event.type, data),
        {}, data, changed=True, silent="", mapping=service.name, version=service.version,
    )  # fmt: skip
