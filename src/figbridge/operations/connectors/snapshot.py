"""Read a table again while the stream goes on: ask Debezium through its signal topic, and watch what it says."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from figbridge.domain.connector import Wanted
from figbridge.errors import OperationalError, Refused, Unreachable
from figbridge.operations.connectors import look
from figbridge.operations.connectors.site import Site

_EVERY_S: Final = 0.5
_BEGIN_S: Final = 60.0
_SPECIAL: Final = re.compile(r"([\\.^$|()\[\]{}*+?])")
_DONE: Final = {"COMPLETED", "STOPPED", "ABORTED", "SKIPPED"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an incremental snapshot is. `total` is the planner's estimate; None when nobody knows."""

    table: str
    id: str
    phase: str
    """asked, STARTED, IN_PROGRESS, …: Debezium's own words; it ends with COMPLETED, STOPPED, ABORTED or SKIPPED."""
    rows: int
    total: int | None
    seconds: float

    @property
    def done(self) -> bool:
        """Say whether nothing more comes."""
        return self.phase in _DONE


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
    if status.motion is not look.Motion.STREAMING:
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
    began, rows, phase = time.monotonic(), 0, "asked"
    while True:
        said_from, values = site.broker.read(capture.notifications.name, said_from)
        phase = next((p for p in reversed([_phase(v, id_) for v in values]) if p), phase)
        seen = site.broker.snapshot_rows(capture.log.name, rows_from, table)
        rows_from, rows = seen.offset, rows + seen.rows
        seconds = time.monotonic() - began
        yield Progress(table, id_, phase, rows, total, seconds)
        if phase in _DONE:
            if phase in ("ABORTED", "SKIPPED"):
                text = f"Debezium gave the snapshot of {table} up: {phase}"
                raise OperationalError(text, hint="a table without a primary key cannot be read so", code="CON036")
            return
        if phase == "asked" and seconds > _BEGIN_S:
            text = f"Debezium has not taken the signal on {capture.signals.name} within {_BEGIN_S:.0f} s"
            raise Unreachable(text, hint="the worker's log says why", code="CON036")
        time.sleep(_EVERY_S)


def _phase(value: bytes, id_: str) -> str:
    """Return what a notification says of a snapshot, empty when it is about another."""
    found = json.loads(value)
    ours = found.get("id") == id_ and found.get("aggregate_type") == "Incremental Snapshot"
    return str(found["type"]) if ours else ""


def _literal(table: str) -> str:
    return _SPECIAL.sub(r"\\\1", table)
