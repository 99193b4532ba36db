"""Parked keys from outside: list them, look at one, and send a decision to the bridge that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from figbridge.errors import Refused
from figbridge.pipeline.control import Decision
from figbridge.pipeline.parking import SPACE
from figbridge.pipeline.waiting import Waiting
from figbridge.pipeline.waiting import read_waiting as _decode
from figbridge.ports import Log, Outgoing


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """One parked key: why, since which position, and how many changes wait."""

    key: str
    code: str
    why: str
    since: str
    since_us: int
    changes: int
    records: int


@dataclass(frozen=True, slots=True)
class ParkedChange:
    """One waiting change. `rows` is column → (was, now) of the rows it touches, only when values are asked for."""

    position: str
    commit: str
    code: str
    why: str
    tables: tuple[str, ...]
    rows: Any


def list_parked(log: Log, group: str) -> list[ParkedKey]:
    """Return every parked key of a consumer group, the one that has waited longest first."""
    keys: dict[str, list[Waiting]] = {}
    for name, _, value in _scan(log, group, SPACE):
        keys.setdefault(name, []).append(_decode(value))
    found = [
        ParkedKey(
            name,
            waiting[0].code,
            waiting[0].why,
            str(waiting[0].origin.position),
            waiting[0].origin.at_us,
            len(waiting),
            sum(w.records for w in waiting),
        )
        for name, waiting in keys.items()
    ]
    return sorted(found, key=lambda k: k.since_us)


def show_parked(log: Log, group: str, key: str, *, values: bool) -> list[ParkedChange]:
    """Return the waiting changes of one key, oldest first. Raises Refused for a key that is not parked."""
    found = next((f[key] for s in log.states(group).values() if (f := s.read(SPACE, [key]))), None)
    if not found:
        raise Refused(f"{key} is not parked", hint="figbridge parked list", code="PRK001")
    return [_change(_decode(value), values=values) for _, value in sorted(found.items())]


def _change(waiting: Waiting, *, values: bool) -> ParkedChange:
    tables = tuple(t for t, rows in waiting.net.items() if rows)
    rows = dict(_rows(waiting)) if values else None
    return ParkedChange(str(waiting.origin.position), waiting.origin.commit, waiting.code, waiting.why, tables, rows)


def _rows(waiting: Waiting) -> Iterator[tuple[str, Any]]:
    for table, rows in waiting.net.items():
        yield table, [{"key": key, "was": was, "now": now} for key, was, now in rows]


def decide(
    log: Log,
    group: str,
    control: str,
    key: str,
    action: Literal["release", "discard"],
    *,
    by: str,
    reason: str,
    at: str,
) -> Decision:
    """Send one decision to the bridge: it is done, and recorded with who and why, in the bridge's next commit.

    Raises Refused for a key that is not parked, and without a reason.
    """
    if not reason.strip():
        raise Refused("a decision needs a reason", hint="--reason '…'", code="PRK002")
    if key not in {k.key for k in list_parked(log, group)}:
        raise Refused(f"{key} is not parked", hint="figbridge parked list", code="PRK001")
    decision = Decision(action, key, by, reason, at)
    log.create(control)
    log.append([Outgoing(control, key.encode(), msgspec.json.encode(decision))])
    return decision


def decisions(log: Log, group: str) -> list[dict[str, Any]]:
    """Return every decision that the bridge has carried out, oldest first, with what it did."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key, member, value in _scan(log, group, "decisions"):
        if key == "unreadable":
            continue
        said = msgspec.json.decode(value)
        known = found.get((member, key))
        # Every share of the work reads every decision, and one of them has the key: it is the one that did something.
        if known is None or (said["done"], said["still_parked"]) > (known["done"], known["still_parked"]):
            found[member, key] = said
    return [said for _, said in sorted(found.items())]


def _scan(log: Log, group: str, space: str) -> Iterator[tuple[str, str, bytes]]:
    for state in log.states(group).values():
        yield from state.scan(space)
