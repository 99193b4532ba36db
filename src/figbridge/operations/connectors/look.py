"""What connectors really do. RUNNING is not believed: streaming is the slot being read and the log moving."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from figbridge.domain.connector import Capture, Kind, Live, Slot, Wanted
from figbridge.errors import FigbridgeError
from figbridge.operations.connectors import causes, offsets
from figbridge.operations.connectors.site import Site

_EVERY_S: Final = 0.2
_SETTLE_S: Final = 60.0
_POLLS_S: Final = 2.0  # Debezium looks whether a heartbeat is due once a poll


class Motion(Enum):
    """Say what a connector does."""

    STREAMING = "streaming"
    SNAPSHOT = "snapshot"
    IDLE = "idle"
    """It has read all that the database committed; whether it still listens shows with the next commit."""
    STARTING = "starting"
    """It is RUNNING, or about to be, and nothing shows yet."""
    STALLED = "stalled"
    """It is RUNNING, and nothing comes of it."""
    FAILED = "failed"
    PAUSED = "paused"
    STOPPED = "stopped"
    MISSING = "missing"


FINE: Final = (Motion.STREAMING, Motion.SNAPSHOT, Motion.IDLE)
_RESTING: Final = {"PAUSED": Motion.PAUSED, "STOPPED": Motion.STOPPED}


@dataclass(frozen=True, slots=True)
class Status:
    """One connector: what it does and how that is known, where it is, and what Connect calls it."""

    name: str
    motion: Motion
    why: str
    state: str = ""
    worker: str = ""
    position: str = ""
    behind_bytes: int | None = None
    """How far the database's log is ahead of the slot; None where there is none."""
    log_end: int = 0
    trace: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    live: Live | None
    offset: Mapping[str, Any] | None = None
    slot: Slot | None = None
    slot_known: bool = False
    position: str = ""
    """Where MariaDB's binlog ends; empty when nobody could look."""
    end: int = 0


def status(site: Site, chosen: tuple[Wanted, ...] = ()) -> tuple[Status, ...]:
    """Return what connectors do; those that run and may have more to read are given time for a heartbeat."""
    wanted = chosen or site.wanted
    looks = _looks(site, wanted)
    runs = {w.capture.name: w for w in wanted if _waited_for(looks[w.capture.name])}
    deadline = time.monotonic() + max((2 * w.capture.heartbeat_ms / 1000 + _POLLS_S for w in runs.values()), default=0)
    moved: set[str] = set()
    while len(moved) < len(runs) and time.monotonic() < deadline:
        time.sleep(_EVERY_S)
        still = [w for name, w in runs.items() if name not in moved]
        moved |= {w.capture.name for w in still if site.broker.end(w.capture.log.name) > looks[w.capture.name].end}
    looks |= _looks(site, tuple(runs.values()))
    return tuple(judged(w.capture, looks[w.capture.name], moved=w.capture.name in moved) for w in wanted)


def settled(site: Site, wanted: Wanted, timeout_s: float = _SETTLE_S) -> Status:
    """Return what a connector does once it does not merely start any more, or after the time."""
    deadline = time.monotonic() + timeout_s
    while True:
        (found,) = status(site, (wanted,))
        if found.motion is not Motion.STARTING or time.monotonic() >= deadline:
            return found


def _looks(site: Site, wanted: tuple[Wanted, ...]) -> dict[str, _Look]:
    live = site.connect.connectors() if wanted else {}
    return {each.capture.name: _look(site, each, live.get(each.capture.connector)) for each in wanted}


def _look(site: Site, wanted: Wanted, live: Live | None) -> _Look:
    capture = wanted.capture
    end = site.broker.end(capture.log.name)
    if live is None:
        return _Look(None, end=end)
    offset = site.connect.offsets(capture.connector)
    database = site.database(wanted)
    if database is None:
        return _Look(live, offset, end=end)
    try:
        if capture.kind is Kind.MARIADB:
            return _Look(live, offset, position=database.position(), end=end)
        return _Look(live, offset, database.slot(capture.slot), slot_known=True, end=end)
    except FigbridgeError:
        return _Look(live, offset, end=end)  # a status must not fail of the database that it reports on


def _waited_for(look: _Look) -> bool:
    live = look.live
    if live is None or live.state in _RESTING or live.state == "FAILED" or live.failed is not None:
        return False
    return not (_at_work(live) and _has_read_all(look))


def _at_work(live: Live) -> bool:
    return bool(live.tasks) and all(task.state == "RUNNING" for task in live.tasks)


def _has_read_all(look: _Look) -> bool:
    """Say that of MariaDB: idle, it says that it is alive every 48 s only, whatever the heartbeats' interval."""
    offset = look.offset or {}
    return bool(look.position) and not offsets.in_snapshot(offset) and offsets.reached(offset, look.position)


def judged(capture: Capture, look: _Look, *, moved: bool) -> Status:
    """Return what a connector does: a pure function of what was seen."""
    live = look.live
    if live is None:
        return Status(capture.name, Motion.MISSING, "figbridge connectors apply creates it", log_end=look.end)
    motion, why = _motion(capture, look, live, moved=moved)
    failed = live.failed
    return Status(
        name=capture.name,
        motion=motion,
        why=why,
        state=live.state if failed is None else f"{live.state}, task {failed.state}",
        worker=next((t.worker for t in live.tasks), live.worker),
        position=offsets.told(capture, look.offset).position,
        behind_bytes=look.slot.behind_bytes if look.slot else None,
        log_end=look.end,
        trace=failed.trace if failed else "",
    )


def _failure(cause: str, name: str) -> str:
    return f"{causes.short(cause) or 'it says nothing about it'} ({causes.hint(cause, name)})"


def _motion(capture: Capture, look: _Look, live: Live, *, moved: bool) -> tuple[Motion, str]:
    if live.failed is not None:
        return Motion.FAILED, _failure(live.failed.cause, capture.name)
    if live.state == "FAILED":
        return Motion.FAILED, _failure(live.cause, capture.name)
    if live.state in _RESTING:
        return _RESTING[live.state], f"somebody {live.state.lower()} it: figbridge connectors resume {capture.name}"
    if not _at_work(live):
        states = ", ".join(t.state for t in live.tasks) or "no task"
        return Motion.STARTING, f"Connect has not started it yet: {states}"
    if offsets.in_snapshot(look.offset):
        return (Motion.SNAPSHOT, "it reads the tables") if moved else (Motion.STALLED, "its snapshot does not go on")
    if look.slot_known and look.slot is None:
        return Motion.STARTING, f"it is RUNNING, and the slot {capture.slot} is not there yet"
    if look.slot is not None and not look.slot.active:
        begun = Motion.STALLED if look.offset else Motion.STARTING
        return begun, f"it is RUNNING, and nobody reads the slot {capture.slot}: the worker's log says why"
    if not moved and _has_read_all(look):
        return Motion.IDLE, f"it has read up to {look.position}, and the database has committed nothing since"
    if not moved:
        begun = Motion.STALLED if look.offset else Motion.STARTING
        return begun, f"it is RUNNING, and not even a heartbeat reached {capture.log.name}"
    return Motion.STREAMING, "the slot is read and the log moves" if look.slot is not None else "the log moves"
