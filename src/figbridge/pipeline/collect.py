"""Collect the records of one source log into its transactions. A record belongs by its transaction id, not its place.

Heartbeats and incremental-snapshot rows stand between the rows of a transaction and are not of it (verified). What
looks as if Debezium lost rows on its way into the log is named as a suspect; nobody else looks (docs/adr/0008).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from figbridge.domain.change import (
    Begin,
    Dead,
    Decoded,
    End,
    Key,
    Marker,
    MarkerKind,
    Op,
    Position,
    RowChange,
    Unmapped,
    not_later,
)
from figbridge.ports import Entry, Record


class Counted(StrEnum):
    """Name what a record read is counted as, once."""

    __hash__ = str.__hash__  # the same, without a call into Python for each record

    TRANSLATED = "translated"
    UNCHANGED = "unchanged"
    SNAPSHOT = "snapshot"
    MARKER = "marker"
    UNMAPPED = "unmapped"
    PARKED = "parked"
    DEAD = "dead"


class Doubt(StrEnum):
    """Name what makes a transaction suspect of having lost rows on its way into the log."""

    RESTARTED = "restarted"
    """The connector's task was started again inside it."""
    KEY_CHANGE_TORN = "key-change-torn"
    """A row left its old key and did not come under the new one."""
    COUNT_DIFFERS = "count-differs"
    """END announced another number of records than came."""
    GAP_BEFORE = "gap-before"
    """Its rows name another transaction as the one before than the log holds."""
    FIRST_MISSING = "first-missing"
    """BEGIN names another place than that of the first row: what stood there was skipped at a restart."""
    SNAPSHOT_AGAIN = "snapshot-again"
    """A snapshot was made again: what was deleted since the one before is told by nobody."""
    NEVER_ENDED = "never-ended"
    """It has rows and no END: prepared and not committed, or cut off."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A transaction that may have lost rows: which, where, of which tables, and why it is suspected."""

    doubt: Doubt
    tx: str
    position: Position
    tables: tuple[str, ...]
    """Those that may have lost rows; empty when it may be any."""
    detail: str
    start: int = -1
    """Offset of the transaction's first record; -1 in the state of versions that did not note it."""
    commit: str = ""
    at_us: int = 0
    """Commit time as its rows say it, microseconds since 1970."""
    keys: tuple[tuple[str, Key], ...] = ()
    """Table and key under which rows must have come and did not, where the log names them."""


class Transaction(msgspec.Struct):
    """One source transaction, whole; or one snapshot row, which belongs to none (`tx` is empty then)."""

    tx: str
    commit: str
    at_us: int
    position: Position
    rows: list[RowChange] = []
    dead: list[Dead] = []
    markers: int = 0
    unmapped: int = 0
    repeated: int = 0
    """Rows that were sent again after a crash."""
    suspects: list[Suspect] = []
    snapshot: bool = False
    resent: bool = False
    start: int = -1
    """Offset of its first record; -1 for a snapshot row, and for a transaction that has no END."""


class _Open(msgspec.Struct):
    """A transaction that has not ended yet."""

    tx: str
    start: int
    fed_before: int
    begun: bool
    rows: list[RowChange] = []
    dead: list[Dead] = []
    markers: int = 0
    unmapped: int = 0
    others: int = 0
    """Records of tables that no mapping uses, and messages: END counts them too."""
    run: str | None = None
    restarted: bool = False
    torn: dict[tuple[str, Key], None] = {}
    """Table and key under which a row that left its old key must come."""
    between: list[Transaction] = []
    """What stands between its rows and is not of it: rows of an incremental snapshot."""
    previous_end: str | None = None
    place: int | None = None
    """Where BEGIN says that the first record stands."""
    skipped: bool = False


_SNAPSHOT = "snapshot"
"""Under this name the collector keeps the run that made the newest snapshot, beside the ends of transactions."""

PreviousEnd = Callable[[Record], str | None]
"""Read `source.sequence[0]` of a row's record: the END of the transaction before it; None when it does not say."""


def series(commit: str) -> str:
    """Return which series of commit positions one is of: MariaDB counts in each domain, PostgreSQL only once.

    >>> series("0-7-12"), series("9-77-12"), series("537587600")
    ('0', '9', '')
    """
    return commit.partition("-")[0] if "-" in commit else ""


class Collector:
    """Collect one source log. Feed it decoded records in order; it gives transactions when they are whole."""

    def __init__(self, previous_end: PreviousEnd = lambda _: None, *, ends: Mapping[str, str] | None = None) -> None:
        self._previous_end = previous_end
        self._open: _Open | None = None
        self._markers = 0
        self._unmapped = 0
        self._next = 0
        self._fed = 0
        self._reported = 0
        self.ends = dict(ends or {})
        """The newest commit position seen, by the source's series of them: see `series`."""

    @property
    def edge(self) -> int:
        """Return the offset up to which everything is whole: what may be committed."""
        return self._open.start if self._open is not None else self._next

    def loose(self) -> tuple[int, int]:
        """Take the numbers of markers and of unmapped rows outside any transaction since the last call."""
        counts = self._markers, self._unmapped
        self._markers = self._unmapped = 0
        return counts

    def read(self) -> int:
        """Take the number of records read before the edge since the last call."""
        whole = self._fed if self._open is None else self._open.fed_before
        read, self._reported = whole - self._reported, whole
        return read

    def joins(self, row: RowChange, offset: int) -> bool:
        """Take in an ordinary row of the open transaction, the commonest record; False when it is anything else."""
        held = self._open
        if held is None or not held.rows or row.tx != held.tx or row.run != held.run or row.moved is not None:
            return False
        if row.op == "r":
            return False
        self._next = offset + 1
        self._fed += 1
        held.rows.append(row)
        return True

    def feed(self, decoded: Decoded, record: Record) -> Sequence[Transaction]:
        """Take in one record; returns what became whole by it."""
        self._next = record.offset + 1
        self._fed += 1
        match decoded:
            case End():
                return self._end(decoded)
            case Begin():
                return self._begin(decoded.tx, decoded.place, record)
            case RowChange():
                return self._row(decoded, record)
            case Marker(kind, _, tx):
                self._count(tx, unmapped=0, counts_in_end=kind in (MarkerKind.MESSAGE, MarkerKind.SIGNAL))
            case Unmapped(_, _, tx):
                self._count(tx, unmapped=1, counts_in_end=True)
            case Dead():
                return self._dead(decoded)
        return ()

    def finish(self) -> Sequence[Transaction]:
        """Give what is left when no more records will come: a capture's end."""
        return self._abandon()

    # --- kinds of records ------------------------------------------------------------------------

    def _row(self, row: RowChange, record: Record) -> Sequence[Transaction]:
        if row.op == Op.READ or row.tx is None:
            snapshot = row.op == Op.READ
            detail = row.detail
            single = Transaction("", str(detail.place), detail.at_us, row.position, [row], snapshot=snapshot)
            single.suspects = self._again(row) if snapshot else []
            return self._loose(single)
        closed, held = self._member(row.tx, record.offset)
        if not held.rows:
            held.run = row.run
            held.previous_end = self._previous_end(record)
            alone = not held.others and not held.dead  # of other records nobody knows the place
            held.skipped = alone and held.place is not None and held.place != row.detail.place
        elif row.run != held.run:
            held.run, held.restarted = row.run, True
        if row.moved is not None:
            if row.op == Op.DELETE:
                held.torn[row.shape.table, row.moved] = None
            else:
                held.torn.pop((row.shape.table, row.shape.key_of(row.after)), None)
        held.rows.append(row)
        return closed

    def _again(self, row: RowChange) -> list[Suspect]:
        """Suspect the first row of every snapshot but the first: each is made by a run of its own."""
        if row.run is None or row.detail.snapshot == "incremental":
            return []
        before, self.ends[_SNAPSHOT] = self.ends.get(_SNAPSHOT), row.run
        if before is None or before == row.run:
            return []
        detail = "rows that were deleted since the snapshot before it are still known"
        return [Suspect(Doubt.SNAPSHOT_AGAIN, "", row.position, (), detail, row.at[2], "", row.detail.at_us)]

    def _loose(self, transaction: Transaction) -> Sequence[Transaction]:
        """Give what belongs to no transaction; inside one only when that ends, for nothing may be committed before."""
        if self._open is None:
            return (transaction,)
        self._open.between.append(transaction)
        return ()

    def _begin(self, tx: str, place: int | None, record: Record) -> Sequence[Transaction]:
        if self._open is not None and self._open.tx == tx:
            self._open.restarted = True  # MariaDB counts anew after a restart inside a transaction (verified)
            self._open.markers += 1
            return ()
        closed = self._abandon()
        self._open = _Open(tx, record.offset, self._fed - 1, begun=True, markers=1, place=place)
        return closed

    def _end(self, end: End) -> Sequence[Transaction]:
        closed, held = self._member(end.tx, end.position.offset)
        self._open = None
        whole = Transaction(
            end.tx, end.commit, end.at_us, end.position, held.rows, held.dead, held.markers + 1, held.unmapped
        )
        name = series(end.commit)
        whole.start = held.start
        newest = self.ends.get(name)
        if newest is not None and not_later(end.commit, newest):
            # Sent again after a crash: the log has had it whole, its dead letters too.
            whole.repeated, whole.resent = len(held.rows) + len(held.dead), True
            whole.rows, whole.dead = [], []
        else:
            whole.suspects = self._doubts(held, end)
            self.ends[name] = end.commit
        return (*closed, *held.between, whole)

    def _doubts(self, held: _Open, end: End) -> list[Suspect]:
        came = len(held.rows) + held.others + len(held.dead)
        last_end = self.ends.get("")
        follows = held.previous_end is None or last_end is None or held.previous_end == last_end
        if end.announced == came and follows and not held.restarted and not held.torn and not held.skipped:
            return []
        tables = tuple(sorted({r.shape.table for r in held.rows}))
        doubts: list[tuple[Doubt, tuple[str, ...], str]] = []
        if held.restarted:
            doubts.append((Doubt.RESTARTED, tables, "the connector started again inside it"))
        if held.skipped:
            detail = f"BEGIN stands at {held.place}, the first row that came at {held.rows[0].detail.place}"
            doubts.append((Doubt.FIRST_MISSING, (), detail))  # what stood there may be of any table
        torn = sorted({table for table, _ in held.torn})
        doubts += ((Doubt.KEY_CHANGE_TORN, (table,), "a `d` names a new key that never came") for table in torn)
        if end.announced != came:
            detail = f"END announces {end.announced} records, {came} came"
            doubts.append((Doubt.COUNT_DIFFERS, _announced(held.rows, end), detail))
        if not follows:
            detail = f"it follows {held.previous_end}, the log has {last_end} before it"
            doubts.append((Doubt.GAP_BEFORE, (), detail))  # nothing is known of the one that is missing
        at_us = held.rows[-1].detail.at_us if held.rows else end.at_us
        place = held.start, end.commit, at_us
        keys = tuple(held.torn)
        torn_only = {Doubt.KEY_CHANGE_TORN: keys}
        return [Suspect(d, end.tx, end.position, of, detail, *place, torn_only.get(d, ())) for d, of, detail in doubts]

    def _dead(self, dead: Dead) -> Sequence[Transaction]:
        held = self._open
        if held is not None and (dead.tx is None or dead.tx == held.tx):
            held.dead.append(dead)
            return ()
        if dead.tx is None:
            return self._loose(
                Transaction("", str(dead.position.offset), 0, dead.position, dead=[dead], start=dead.position.offset)
            )
        closed, held = self._member(dead.tx, dead.position.offset)
        held.dead.append(dead)
        return closed

    def _count(self, tx: str | None, *, unmapped: int, counts_in_end: bool) -> None:
        held = self._open
        if held is None:
            self._unmapped += unmapped
            self._markers += 1 - unmapped
            return
        held.unmapped += unmapped
        held.markers += 1 - unmapped
        if counts_in_end and tx == held.tx:
            held.others += 1

    def _member(self, tx: str, offset: int) -> tuple[Sequence[Transaction], _Open]:
        """Make sure that the open transaction is this one; returns what was closed by it, and the open one."""
        held = self._open
        if held is not None and held.tx == tx:
            return (), held
        closed = self._abandon()
        self._open = held = _Open(tx, offset, self._fed - 1, begun=False)
        return closed, held

    def _abandon(self) -> Sequence[Transaction]:
        """Close a transaction that has no END.

        Without BEGIN the log has no transaction metadata, and the next row's other id is the end. With BEGIN it was
        prepared and not committed, or cut off: its rows are not published as if they had happened.
        """
        held = self._open
        if held is None:
            return ()
        self._open = None
        where = held.rows[-1].position if held.rows else held.dead[-1].position if held.dead else None
        if where is None:  # DDL and TRUNCATE on MariaDB: a BEGIN with nothing in it
            self._markers += held.markers
            self._unmapped += held.unmapped
            return held.between
        at_us = held.rows[-1].detail.at_us if held.rows else 0
        place = str(held.rows[-1].detail.place) if held.rows else str(where.offset)
        closed = Transaction(
            held.tx, place, at_us, where, held.rows, held.dead, markers=held.markers, unmapped=held.unmapped
        )
        if held.begun and held.rows:
            tables = tuple(sorted({r.shape.table for r in held.rows}))
            dead = [Dead("NEVER_ENDED", f"a row of {r.shape.table}", r.position, r.tx) for r in held.rows]
            detail = f"{len(dead)} rows came and no END"
            closed.suspects = [Suspect(Doubt.NEVER_ENDED, held.tx, where, tables, detail, held.start, place, at_us)]
            closed.rows, closed.dead = [], held.dead + dead
        return (*held.between, closed)


def _announced(rows: Sequence[RowChange], end: End) -> tuple[str, ...]:
    """Return the tables whose rows came, and those that END announces although none came; none when it names none."""
    return tuple(sorted({row.shape.table for row in rows} | dict(end.tables).keys())) if end.tables else ()


def suspects(transaction: Transaction | None, source: str) -> list[Entry]:
    """Return a transaction's suspects as state, by source and position."""
    if transaction is None:
        return []
    return [
        Entry("suspects", source, f"{s.position.offset:020}.{s.doubt}", msgspec.json.encode(s))
        for s in transaction.suspects
    ]


def end_entries(collector: Collector, source: str, epoch: int) -> list[Entry]:
    """Return the newest commit positions as state, under the epoch: a restored database counts them anew."""
    return [Entry("source", source, f"end.{epoch}.{name}", end.encode()) for name, end in collector.ends.items()]


def known_ends(members: Mapping[str, bytes], epoch: int) -> dict[str, str]:
    """Return the newest commit positions that a source's state holds for one epoch."""
    head = f"end.{epoch}."
    return {m.removeprefix(head): end.decode() for m, end in members.items() if m.startswith(head)}
