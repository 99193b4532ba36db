"""Read a table again while the stream goes on: ask Debezium through its signal topic, and watch what it says."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from figbridge.domain.connector import Wanted
from figbridge.errors import OperationalError, Refused, Unreachable
from figbridge.operations.connectors import look
from figbridge.operations.connectors.site import Site

_EVERY_S: Final = 0.5
_BEGIN_S: Final = 60.0
_SPECIAL: Final = re.compile(r"([\\.^$|()\[\]{}*+?])")
_READ: Final = ("SUCCEEDED", "EMPTY")


class Phase(Enum):
    """Say how far an incremental snapshot is."""

    ASKED = "asked"
    READING = "reading"
    DONE = "done"
    STOPPED = "stopped"
    """Somebody stopped it: what it had read stays read."""
    FAILED = "failed"


_OVER: Final = (Phase.DONE, Phase.STOPPED, Phase.FAILED)


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
    total: int | None = None


def heard(before: Heard, value: bytes, id_: str) -> Heard:
    """Return what is known after one more notification: a pure function.

    A snapshot that somebody stopped ends with COMPLETED like one that read everything (seen on 3.7.0; ABORTED comes
    under another id). What tells them apart is TABLE_SCAN_COMPLETED, which the stopped one never says.
    """
    said = json.loads(value)
    if said.get("id") != id_ or said.get("aggregate_type") != "Incremental Snapshot":
        return before
    more = said.get("additional_data") or {}
    rows = str(more.get("total_rows", ""))
    total = int(rows) if rows.isdigit() else before.total
    match said["type"]:
        case "TABLE_SCAN_COMPLETED":
            return Heard(Phase.READING, str(more.get("status", "")), total)
        case "COMPLETED":
            over = Phase.STOPPED if not before.scan else Phase.DONE if before.scan in _READ else Phase.FAILED
            return Heard(over, before.scan, total)
        case "ABORTED" | "STOPPED":
            return Heard(Phase.STOPPED, before.scan, total)
        case _:
            return Heard(before.phase if before.phase in _OVER else Phase.READING, before.scan, total)


def snapshot(site: Site, wanted: Wanted, table: str, where: str, id_: str) -> Iterator[Progress]:
    """Ask for an incremental snapshot of a table, and yield how it goes until it ends.

    Raises Refused before anything is asked when the table is not captured or the connector does not stream, Unreachable
    when Debezium does not take the signal, OperationalError when it gives up.
    """
    capture = wanted.capture
    _check(site, wanted, table)
    offsets = site.broker.end(capture.notifications.name), site.broker.end(capture.log.name)
    data: dict[str, Any] = {"data-collections": [_literal(table)], "type": "INCREMENTAL"}
    if where:
        data["additional-conditions"] = [{"data-collection": _literal(table), "filter": where}]
    _signal(site, wanted, id_, "execute-snapshot", data)
    total = None if where else _estimate(site, wanted, table)
    yield from _watch(site, wanted, table, id_, offsets, total)


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
    began, rows, known = time.monotonic(), 0, Heard(total=total)
    while True:
        said_from, values = site.broker.read(capture.notifications.name, said_from)
        for value in values:
            known = heard(known, value, id_)
        seen = site.broker.snapshot_rows(capture.log.name, rows_from, table)
        rows_from, rows = seen.offset, rows + seen.rows
        seconds = time.monotonic() - began
        yield Progress(table, id_, known.phase, rows, known.total, seconds, known.scan)
        if known.phase is Phase.FAILED:
            text = f"Debezium gave the snapshot of {table} up: {known.scan}"
            raise OperationalError(text, hint="it needs a primary key; the worker's log says more", code="CON036")
        if known.phase in _OVER:
            return
        if known.phase is Phase.ASKED and seconds > _BEGIN_S:
            text = f"Debezium has not taken the signal on {capture.signals.name} within {_BEGIN_S:.0f} s"
            raise Unreachable(text, hint="the worker's log says why", code="CON036")
        time.sleep(_EVERY_S)


def _literal(table: str) -> str:
    return _SPECIAL.sub(r"\\\1", table)
