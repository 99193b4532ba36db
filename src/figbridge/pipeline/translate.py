"""Translate one transaction: its rows to units, its units to claims. Pure, but for what it is told to remember."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, cast

import msgspec

from figbridge.domain.change import UNAVAILABLE, Dead, Op, RowChange
from figbridge.domain.claim import Claim
from figbridge.domain.event import Event
from figbridge.domain.fact import Cell
from figbridge.mapping import values
from figbridge.mapping.compiler import Judged, Plan
from figbridge.mapping.judged import Park, Skipped
from figbridge.mapping.model import Judge, Service
from figbridge.pipeline.collect import Counted, Transaction
from figbridge.pipeline.memory import RowMemory
from figbridge.pipeline.parking import ParkingLot, Released, group_of
from figbridge.pipeline.plain import PlainUpdates
from figbridge.pipeline.resolve import NetChanges, Resolved, Resolver, net_changes
from figbridge.pipeline.waiting import Origin
from figbridge.telemetry.events import LogEvent


class Translated(msgspec.Struct):
    """What one transaction says, and what became of each of its records."""

    origin: Origin
    claims: list[Claim] = []
    rows: list[Counted] = []
    """What each row of the transaction is counted as, in order."""
    parked: dict[str, Park] = {}
    """Key → why it was parked, or that it already was."""
    skipped: list[str] = []
    dead: list[Dead] = []
    raised: int = 0
    """How many of the rows were counted as dead before."""
    untold: list[int] = []
    """Indexes of recovered rows of which nothing was told: whose aggregate is not known, or has no state to tell."""
    news: list[tuple[LogEvent, dict[str, Any]]] = []
    """What the log of the bridge shall say once it is committed."""
    before: dict[tuple[str, str], int] = {}
    """What was said of the same transaction before, when it was set aside: event type or fact, subject → how often."""


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
        self._skips = any(compiled.skips for compiled in plan.mappings.values())
        self.tracer: Tracer | None = None

    def translate(self, tx: Transaction) -> Translated:
        """Return what a transaction says; its rows are remembered, its unclear keys parked."""
        out = Translated(Origin(self._source, tx.commit, tx.at_us, *tx.position), dead=list(tx.dead))
        if not tx.snapshot and self.tracer is None and self._plain_updates(tx, out):
            return out
        out.rows = [Counted.UNCHANGED] * len(tx.rows)
        self._judge_rows(tx, out)
        return out

    def recover(self, rows: list[RowChange], origin: Origin) -> Translated:
        """Return what rows say that a check of the database found: the state of their aggregates, no happening."""
        out = Translated(origin)
        told: set[int] = set()
        changes = net_changes(rows, self._plan, self._memory)
        for resolved in Resolver(self._plan, self._memory, changes).units():
            if self._parking.holds(resolved.compiled.mapping.name, resolved.unit.key):
                park = Park("WAITS", "the key is parked")
                name = self._parking.park(resolved, origin, park.code, park.why, snapshot=True)
                out.parked[name] = park
                told.update(resolved.records)
                continue
            judged = judge(resolved, snapshot=True)
            if not isinstance(judged, Park) and take(judged, out):
                told.update(resolved.records)
        self._remember(changes)
        out.untold = [i for i in range(len(rows)) if i not in told]
        return out

    def _plain_updates(self, tx: Transaction, out: Translated) -> bool:
        """Take a transaction of nothing but plain updates of roots without resolving it; False for any other."""
        found = self._plain.judge(tx.rows)
        if found is None:
            return False
        out.rows = found.counted
        if self._skips:
            take(found.judged, out)
        else:
            out.claims = cast("list[Claim]", found.judged)
        for table, key, was, now in found.remember:
            self._memory.remember(table, key, was, now)
        return True

    def _judge_rows(self, tx: Transaction, out: Translated) -> None:
        """Judge what a transaction comes to, and change by change for mappings that say `judge: each`."""
        changes = net_changes(tx.rows, self._plan, self._memory)
        if not self._each(tx):
            for resolved in Resolver(self._plan, self._memory, changes).units():
                self._judge(resolved, resolved.records, tx, out)
            self._remember(changes)
        else:
            self._judge_each(tx, changes, out)
        for i, row in enumerate(tx.rows):
            service = self._plan.tables[row.shape.table].service
            if service is not None:
                self._service(service, row, i, out)
        if tx.snapshot:
            out.rows = [Counted.SNAPSHOT if c is not Counted.PARKED else c for c in out.rows]

    def _each(self, tx: Transaction) -> bool:
        tables = {row.shape.table for row in tx.rows}
        roles = (role for table in tables for role in self._plan.tables[table].roles)
        return len(tx.rows) > 1 and any(role.compiled.mapping.judge is Judge.EACH for role in roles)

    def _judge_each(self, tx: Transaction, changes: NetChanges, out: Translated) -> None:
        said: list[tuple[int, list[Claim]]] = []

        def judge_units(judge: Judge, changes: NetChanges, indexes: Sequence[int]) -> None:
            for resolved in Resolver(self._plan, self._memory, changes, judge).units():
                records = [indexes[i] for i in resolved.records]
                before = len(out.claims)
                self._judge(resolved, records, tx, out)
                said.append((min(records), out.claims[before:]))

        judge_units(Judge.NET, changes, range(len(tx.rows)))
        for indexes in _one_by_one(tx.rows):
            changes = net_changes([tx.rows[i] for i in indexes], self._plan, self._memory)
            judge_units(Judge.EACH, changes, indexes)
            self._remember(changes)
        said.sort(key=itemgetter(0))
        out.claims = [claim for _, claims in said for claim in claims]

    def _remember(self, changes: NetChanges) -> None:
        """Take in what became of the rows; first what left its key, for another row may have come to it."""
        for table in changes.values():
            for change in table.values():
                if change.old_key is not None:
                    self._memory.remember(change.table, change.old_key, change.was, None)
            for change in table.values():
                before = None if change.before_missing or change.old_key is not None else change.was
                self._memory.remember(change.table, change.key, before, change.now)

    def _judge(self, resolved: Resolved, indexes: list[int], tx: Transaction, out: Translated) -> None:
        compiled, unit = resolved.compiled, resolved.unit
        if tx.snapshot and unit.touched:
            return  # a related row of a snapshot: remembered, told with its root
        if unit.rekeyed:
            was = self._plan.tables[unit.root_table].key_of(unit.was)
            self._parking.follow(compiled.mapping.name, was, unit.key)
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
        mapping = resolved.compiled.mapping
        said = happenings(c for c in out.claims if c.mapping == mapping.name) if mapping.judge is Judge.EACH else {}
        self._parking.park(resolved, out.origin, park.code, park.why, snapshot=tx.snapshot, said=said)
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


def _one_by_one(rows: Sequence[RowChange]) -> Iterator[list[int]]:
    """Yield the rows of each change: one, or the two records of a changed key."""
    indexes: list[int] = []
    for i, row in enumerate(rows):
        indexes.append(i)
        if row.op != Op.DELETE or row.moved is None or not _moves_on(row, rows[i + 1 : i + 2]):
            yield indexes
            indexes = []


def _moves_on(row: RowChange, following: Sequence[RowChange]) -> bool:
    """Say whether the next row is the same one under its new key."""
    return any(n.op == Op.CREATE and n.moved is not None and n.shape is row.shape for n in following)


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


def happenings(claims: Iterable[Claim]) -> dict[tuple[str, str], int]:
    """Count claims by what an event's id is made of: event type or fact, and subject."""
    return Counter((c.cell.fact if c.event is None else c.event.type, c.subject) for c in claims)


def release(released: Released | Park) -> Translated | Park:
    """Judge a waiting change as if it were then; Park when it still cannot be."""
    if isinstance(released, Park):
        return released
    judged = judge(released.resolved, snapshot=released.snapshot)
    if isinstance(judged, Park):
        return judged
    out = Translated(released.origin, before=released.said)
    take(judged, out)
    return out


def service_claim(service: Service, row: RowChange) -> Claim | Dead:
    """Return the claim in a row of a service's outbox, or why it is none."""
    cells = row.shape.cells(row.after)
    said: dict[str, Any] = {role: cells.get(column) for role, column in service.columns.items()}
    if any(said.get(r) is None or said[r] is UNAVAILABLE for r in ("type", "subject", "payload")):
        return Dead("OUTBOX_INCOMPLETE", "type, subject or payload is missing", row.position, row.tx)
    event = next((e for e in service.events if e.type == said["type"]), None)
    if event is None:
        return Dead("OUTBOX_UNKNOWN_TYPE", f"{service.name} declares no such event type", row.position, row.tx)
    payload = said["payload"]
    try:
        data = values.document(payload)
    except values.Unreadable:
        data = None
    if not isinstance(data, dict):
        return Dead("OUTBOX_NOT_AN_OBJECT", "the payload is not a JSON object", row.position, row.tx)
    return Claim(
        service.name, Cell(event.fact), event.aggregate, str(said["subject"]), Event(event.type, data),
        {}, data, changed=True, silent="", mapping=service.name, version=service.version,
    )  # fmt: skip
