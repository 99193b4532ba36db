"""Read a table again while the stream goes on: ask Debezium through its signal topic, and watch what it says."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from figbridge.domain.connector import Wanted
from figbridge.errors import OperationalError, Refused, Unreachable
from figbridge.operations.connectors import look
from figbridge.operations.connectors.site import Site

_EVERY_S: Final = 0.5
_BEGIN_S: Final = 60.0
_ARRIVE_S: Final = 10.0
"""How long rows that were read may still be under way when Debezium says that it is done: it says so beside them."""
_SPECIAL: Final = re.compile(r"([\\.^$|()\[\]{}*+?])")
_READ: Final = ("SUCCEEDED", "EMPTY")


class Phase(Enum):
    """Say how far an incremental snapshot is."""

    ASKED = "asked"
    READING = "reading"
    DONE = "done"
    STOPPED = "stopped"
    """Somebody stopped it: what it had read stays read."""
    INCOMPLETE = "incomplete"
    """Debezium says that it is done, and rows that it read never came, nor changes of theirs."""
    FAILED = "failed"


_OVER: Final = (Phase.DONE, Phase.STOPPED, Phase.INCOMPLETE, Phase.FAILED)

_HINTS: Final = {"NO_PRIMARY_KEY": "the table needs a primary key"}
_ATTEMPTS: Final = 3
_AGAIN: Final = "SQL_EXCEPTION"
"""On PostgreSQL the thread that hears a signal and the one that streams may read one piece at the same time (seen on
3.7.0, one in four when it polls every 100 ms): one fails, and Debezium gives the snapshot up with this word."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an incremental snapshot is. `total` is an estimate of the database; None when nobody knows."""

    table: str
    id: str
    phase: Phase
    rows: int
    total: int | None
    seconds: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What Debezium has said of one snapshot so far."""

    phase: Phase = Phase.ASKED
    scan: str = ""
    """How the scan of the table ended, in Debezium's word; empty while it goes on."""
    counted: int | None = None
    """How many rows there were when it began; older versions do not count them."""
    read: int | None = None
    """How many rows it has read; known once the scan is over."""


def heard(before: Heard, value: bytes, id_: str) -> Heard:
    """Return what is known after one more notification: a pure function.

    A snapshot that somebody stopped ends with COMPLETED like one that read everything (seen on 3.7.0; ABORTED comes
    under another id). What tells them apart is TABLE_SCAN_COMPLETED, which the stopped one never says.
    """
    said = json.loads(value)
    if said.get("id") != id_ or said.get("aggregate_type") != "Incremental Snapshot":
        return before
    more = said.get("additional_data") or {}
    known = replace(before, counted=_number(more.get("total_rows"), before.counted))
    match said["type"]:
        case "TABLE_SCAN_COMPLETED":
            read = _number(more.get("total_rows_scanned"), None)
            return replace(known, phase=Phase.READING, scan=str(more.get("status", "")), read=read)
        case "COMPLETED":
            over = Phase.STOPPED if not known.scan else Phase.DONE if known.scan in _READ else Phase.FAILED
            return replace(known, phase=over)
        case "ABORTED" | "STOPPED":
            return replace(known, phase=Phase.STOPPED)
        case _:
            return known if known.phase in _OVER else replace(known, phase=Phase.READING)


def missing(known: Heard, rows: int, changes: int) -> int:
    """Return how many rows were read and never came: a pure function.

    A row that changes while its piece is read is left out, and its change comes instead. What two threads read twice
    is counted twice in `read`, and not in `counted`.
    """
    read = known.read or 0
    return max(0, min(read, read if known.counted is None else known.counted) - rows - changes)


def _number(said: object, before: int | None) -> int | None:
    return int(str(said)) if str(said).isdigit() else before


def snapshot(site: Site, wanted: Wanted, table: str, where: str, id_: str) -> Iterator[Progress]:
    """Ask for an incremental snapshot of a table, and yield how it goes until it ends.

    Raises Refused before anything is asked when the table is not captured or the connector does not stream, Unreachable
    when Debezium does not take the signal, OperationalError when it gives up, each time that it was asked.
    """
    capture = wanted.capture
    _check(site, wanted, table)
    data: dict[str, Any] = {"data-collections": [_literal(table)], "type": "INCREMENTAL"}
    if where:
        data["additional-conditions"] = [{"data-collection": _literal(table), "filter": where}]
    total = None if where else _estimate(site, wanted, table)
    for attempt in range(1, _ATTEMPTS + 1):
        name = id_ if attempt == 1 else f"{id_}-{attempt}"
        offsets = site.broker.end(capture.notifications.name), site.broker.end(capture.log.name)
        _signal(site, wanted, name, "execute-snapshot", data)
        for progress in _watch(site, wanted, table, name, offsets, total):
            failed = progress.phase is Phase.FAILED
            again = failed and once_more(progress.why, attempt)
            yield replace(progress, phase=Phase.ASKED, why=f"once more, after {progress.why}") if again else progress
        if not failed:
            return
        if not again:
            hint = _HINTS.get(progress.why, "the worker's log says why")
            text = f"Debezium gave the snapshot of {table} up: {progress.why}"
            raise OperationalError(text, hint=hint, code="CON036")


def once_more(scan: str, attempt: int) -> bool:
    """Say whether a snapshot that was given up is asked for again, by how its scan ended: a pure function."""
    return scan == _AGAIN and attempt < _ATTEMPTS


def stop(site: Site, wanted: Wanted, table: str, id_: str) -> None:
    """Stop the incremental snapshot of a table. Nothing of what it read is taken back."""
    if table not in wanted.capture.tables:
        _refuse_table(wanted, table)
    site.live(wanted)
    _signal(site, wanted, id_, "stop-snapshot", {"data-collections": [_literal(table)], "type": "INCREMENTAL"})


def of_table(site: Site, table: str) -> Wanted:
    """Return the connector that captures a table. Raises Refused for none."""
    for wanted in site.wanted:
        if table in wanted.capture.tables:
            return wanted
    known = ", ".join(sorted(t for w in site.wanted for t in w.capture.tables))
    raise Refused(f"no connector captures {table}", hint=f"captured: {known}", code="CON034")


def _check(site: Site, wanted: Wanted, table: str) -> None:
    if table not in wanted.capture.tables:
        _refuse_table(wanted, table)
    (status,) = look.status(site, (wanted,))
    if status.motion not in (look.Motion.STREAMING, look.Motion.IDLE):
        text = f"{wanted.capture.name} does not stream, it is {status.motion.value}: {status.why}"
        raise Refused(text, hint="a snapshot beside the stream needs the stream", code="CON035")


def _refuse_table(wanted: Wanted, table: str) -> None:
    captured = ", ".join(wanted.capture.tables)
    raise Refused(f"{wanted.capture.name} does not capture {table}", hint=f"captured: {captured}", code="CON034")


def _signal(site: Site, wanted: Wanted, id_: str, kind: str, data: dict[str, Any]) -> None:
    value = json.dumps({"id": id_, "type": kind, "data": data}).encode()
    site.broker.send(wanted.capture.signals.name, wanted.capture.name, value)


def _estimate(site: Site, wanted: Wanted, table: str) -> int | None:
    database = site.database(wanted)
    found = database.tables([table]).get(table) if database is not None else None
    return found.rows if found is not None and found.rows >= 0 else None


def _watch(
    site: Site, wanted: Wanted, table: str, id_: str, offsets: tuple[int, int], total: int | None
) -> Iterator[Progress]:
    capture, (said_from, rows_from) = wanted.capture, offsets
    began, rows, changes, known = time.monotonic(), 0, 0, Heard()
    over_at = math.inf
    while True:
        said_from, values = site.broker.read(capture.notifications.name, said_from)
        for value in values:
            known = heard(known, value, id_)
        seen = site.broker.snapshot_rows(capture.log.name, rows_from, table)
        rows_from, rows, changes = seen.offset, rows + seen.rows, changes + seen.changes
        seconds = time.monotonic() - began
        over_at = min(over_at, seconds) if known.phase in _OVER else over_at
        phase, why = known.phase, known.scan
        lost = missing(known, rows, changes) if phase is Phase.DONE else 0
        if lost and seconds - over_at < _ARRIVE_S:
            phase = Phase.READING
        elif lost:
            phase = Phase.INCOMPLETE
            why = f"{lost:,} rows that Debezium read came neither as rows nor as changes: read them again"
        yield Progress(table, id_, phase, rows, total if known.counted is None else known.counted, seconds, why)
        if phase in _OVER:
            return
        if phase is Phase.ASKED and seconds > _BEGIN_S:
            text = f"Debezium has not taken the signal on {capture.signals.name} within {_BEGIN_S:.0f} s"
            raise Unreachable(text, hint="the worker's log says why", code="CON036")
        time.sleep(_EVERY_S)


def _literal(table: str) -> str:
    return _SPECIAL.sub(r"\\\1", table)
