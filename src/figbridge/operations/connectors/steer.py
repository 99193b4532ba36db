"""Pause, resume, stop, restart, delete. Connect only takes note of such a request: each waits until it is so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from figbridge.domain.connector import Live, Wanted
from figbridge.errors import OperationalError, Refused
from figbridge.operations.connectors import causes
from figbridge.operations.connectors.site import Site, until

WAIT_S: Final = 60.0
_STALE_S: Final = 3.0  # how long the state of before may still be shown


def pause(site: Site, wanted: Wanted) -> Live:
    """Pause a connector. Its slot stays in use, and the database keeps its log for it."""
    if site.live(wanted).state == "STOPPED":
        text = f"{wanted.capture.name} is stopped: there is no task to pause"
        raise Refused(text, hint=f"figbridge connectors resume {wanted.capture.name}", code="CON009")
    site.connect.pause(wanted.capture.connector)
    return _wait(site, wanted, "PAUSED", _all("PAUSED"))


def resume(site: Site, wanted: Wanted) -> Live:
    """Let a paused or stopped connector go on."""
    site.live(wanted)
    site.connect.resume(wanted.capture.connector)
    return _wait(site, wanted, "RUNNING", _all("RUNNING"))


def stop(site: Site, wanted: Wanted) -> Live:
    """Stop a connector: its tasks end, nobody reads the slot, the offsets may be changed."""
    site.live(wanted)
    site.connect.stop(wanted.capture.connector)
    return _wait(site, wanted, "STOPPED", lambda live: live.state == "STOPPED" and not live.tasks)


def restart(site: Site, wanted: Wanted, *, only_failed: bool = False) -> Live:
    """Start a connector and its tasks again; with `only_failed` only what failed."""
    before = site.live(wanted)
    if (state := before.state) in ("PAUSED", "STOPPED"):
        text = f"{wanted.capture.name} is {state}: a restart leaves it so"
        raise Refused(text, hint=f"figbridge connectors resume {wanted.capture.name}", code="CON009")
    site.connect.restart(wanted.capture.connector, only_failed=only_failed)
    # Connect answers before it begins: what it shows may be from before, until another state was seen.
    began, seen = time.monotonic(), False
    running = _all("RUNNING")

    def reached(live: Live) -> bool:
        nonlocal seen
        seen = seen or not running(live) or time.monotonic() - began > _STALE_S
        return seen and running(live)

    grace_s = _STALE_S if before.failed or before.state == "FAILED" else 0.0
    return _wait(site, wanted, "RUNNING", reached, grace_s)


def delete(site: Site, wanted: Wanted) -> tuple[str, ...]:
    """Stop and delete a connector; return what stays behind, in words."""
    capture = wanted.capture
    if site.live(wanted).state != "STOPPED":
        stop(site, wanted)
    site.connect.delete(capture.connector)
    until(lambda: capture.connector not in site.connect.connectors() or None, WAIT_S, f"the end of {capture.name}")
    left = [f"its offsets in Connect, and the topics {', '.join(t.name for t in capture.topics)}"]
    database = site.database(wanted)
    if database is not None and database.slot(capture.slot) is not None:
        drop = f"SELECT pg_drop_replication_slot('{capture.slot}')"
        left.append(f"the slot {capture.slot}, for which PostgreSQL keeps its log: {drop}")
    return tuple(left)


def _all(state: str) -> Callable[[Live], bool]:
    return lambda live: live.state == state and bool(live.tasks) and all(t.state == state for t in live.tasks)


def _wait(site: Site, wanted: Wanted, what: str, reached: Callable[[Live], bool], grace_s: float = 0.0) -> Live:
    """Wait until a connector is so. Raises OperationalError with the cause when its task fails instead; for the first
    `grace_s` seconds a failure may be the one from before."""
    counts_from = time.monotonic() + grace_s

    def look() -> Live | None:
        live = site.connect.connectors().get(wanted.capture.connector)
        if live is None:
            return None
        if what == "RUNNING" and time.monotonic() >= counts_from:
            refuse_failed(wanted, live)
        return live if reached(live) else None

    return until(look, WAIT_S, f"{what} of {wanted.capture.name}")


def refuse_failed(wanted: Wanted, live: Live) -> None:
    """Raise OperationalError with the innermost cause when a connector or its task has failed."""
    failed = live.failed
    if failed is None and live.state != "FAILED":
        return
    cause = failed.cause if failed else live.cause
    said = causes.short(cause) or "without a reason"
    text = f"{wanted.capture.name} failed: {said.rstrip('.')}"
    raise OperationalError(text, hint=causes.hint(cause, wanted.capture.name), code="CON028")
