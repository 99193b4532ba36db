"""Where a connector goes on: told in words, forgotten, or set to a position that was checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from figbridge.domain.connector import Capture, Kind, Wanted
from figbridge.domain.gtid import covers, gtids
from figbridge.domain.lsn import lsn_number, lsn_text
from figbridge.errors import Refused
from figbridge.operations.connectors.site import Site


@dataclass(frozen=True, slots=True)
class Offsets:
    """Where a connector goes on: the position that a person compares, what is known besides, and Debezium's own."""

    name: str
    position: str
    """An LSN, or a set of GTIDs; empty when the connector has not begun."""
    words: tuple[str, ...]
    raw: Mapping[str, Any]


def show(site: Site, wanted: Wanted) -> Offsets:
    """Return where a connector goes on."""
    site.live(wanted)
    return told(wanted.capture, site.connect.offsets(wanted.capture.connector))


def told(capture: Capture, offset: Mapping[str, Any] | None) -> Offsets:
    """Put an offset into words: a pure function."""
    if not offset:
        return Offsets(capture.name, "", ("it has not begun: its next start makes a snapshot",), {})
    position, words = _postgres(offset) if capture.kind is Kind.POSTGRES else _mariadb(offset)
    if collections := _incremental(offset):
        words = (*words, f"an incremental snapshot is under way: {collections}")
    return Offsets(capture.name, position, words, offset)


def in_snapshot(offset: Mapping[str, Any] | None) -> bool:
    """Say whether the first snapshot is not complete."""
    if not offset or not offset.get("snapshot"):
        return False
    done = offset.get("last_snapshot_record") or offset.get("snapshot_completed")
    return str(done).lower() != "true"


def _postgres(offset: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    commit, row = _number(offset.get("lsn_commit")), _number(offset.get("lsn"))
    position = lsn_text(commit if commit is not None else row or 0)
    if in_snapshot(offset):
        return position, (f"in its first snapshot, made at {position}; a restart begins it again",)
    words = [f"every transaction that committed before {position} was sent"]
    if commit is None:
        words = [f"the first snapshot, made at {position}, was sent"]
    if row is not None and commit is not None and row > commit and offset.get("messageType") != "COMMIT":
        words.append(f"it stands inside transaction {offset.get('txId')}, at {lsn_text(row)}")
    return position, tuple(words)


def _mariadb(offset: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    place = f"{offset.get('file')} at {offset.get('pos')}"
    known = str(offset.get("gtids") or "")
    if in_snapshot(offset):
        return known, (f"in its first snapshot, made at {known or place}; a restart begins it again",)
    words = [f"every transaction up to {known} was sent" if known else "the binlog has no GTIDs: only file and place"]
    if (inside := offset.get("transaction_id")) and not covers(known, str(inside)):
        words.append(f"the last that it began is {inside}")
    words.append(f"it reads {place}" + (f", row {offset['row']}" if offset.get("row") else ""))
    return known, tuple(words)


def reached(offset: Mapping[str, Any], position: str) -> bool:
    """Say whether a MariaDB connector has read up to a position: `gtids` lacks the transaction that it read last."""
    known, last = str(offset.get("gtids") or ""), str(offset.get("transaction_id") or "")
    newest = gtids(known)
    if newest is None or gtids(last) is None:
        return False
    both = {**newest, **{d: max(n, newest.get(d, 0)) for d, n in (gtids(last) or {}).items()}}
    return covers(",".join(f"{domain}-0-{number}" for domain, number in both.items()), position)


def _incremental(offset: Mapping[str, Any]) -> str:
    """Return the tables of an incremental snapshot that is under way, as Debezium keeps them."""
    found = str(offset.get("incremental_snapshot_collections") or "")
    return ", ".join(dict.fromkeys(re.findall(r'"incremental_snapshot_collections_id":\s*"([^"]+)"', found))) or found


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else None


def reset(site: Site, wanted: Wanted, to: str = "", *, drop_slot: bool = False) -> Offsets:
    """Make a stopped connector forget where it was, so that it makes a new snapshot; or set where it goes on.

    Raises Refused unless it is STOPPED; for a position that the database does not have; and while the slot is there
    when everything is to be forgotten: a snapshot apart from the slot's position leaves out what commits in between.
    """
    capture, connect = wanted.capture, site.connect
    if site.live(wanted).state != "STOPPED":
        text = f"{capture.name} is not stopped, and offsets change only then"
        raise Refused(text, hint=f"figbridge connectors stop {capture.name}", code="CON011")
    if to:
        connect.set_offsets(capture.connector, {"server": capture.name}, _checked(site, wanted, to))
        return show(site, wanted)
    database = site.database(wanted)
    if capture.kind is Kind.POSTGRES:
        if database is None:
            text = f"nobody can see whether the slot {capture.slot} is there: figbridge has no account"
            raise Refused(text, hint="set `sources` in the settings", code="CON018")
        if database.slot(capture.slot) is not None:
            if not drop_slot:
                text = f"the slot {capture.slot} is there: a new snapshot would miss what commits between the two"
                raise Refused(text, hint="--drop-slot drops it in the database", code="CON016")
            database.drop_slot(capture.slot)
    connect.forget_offsets(capture.connector)
    return show(site, wanted)


def _checked(site: Site, wanted: Wanted, to: str) -> Mapping[str, Any]:
    """Return the offset for a position after looking at the database: Connect accepts nonsense with a success."""
    capture, database = wanted.capture, site.database(wanted)
    if database is None:
        text = "a position can be checked only against the database, and figbridge has no account there"
        raise Refused(text, hint="set `sources` in the settings", code="CON018")
    end = database.position()
    if capture.kind is Kind.MARIADB:
        return _gtid_offset(site, wanted, to, end)
    lsn, newest = lsn_number(to), lsn_number(end)
    if lsn is None:
        raise Refused(f"{to} is no position of PostgreSQL", hint="write it like 0/5012A30", code="CON033")
    if newest is not None and lsn > newest:
        raise Refused(f"{to} is ahead of the database, which is at {end}", hint="look at offsets show", code="CON033")
    slot = database.slot(capture.slot)
    if slot is None or slot.confirmed > lsn:
        at = "is not there" if slot is None else f"is at {lsn_text(slot.confirmed)}, past it"
        text = f"the slot {capture.slot} {at}: what committed from {to} on is not kept"
        raise Refused(text, hint="without --to it makes a new snapshot", code="CON033")
    # Without `lsn_proc` Debezium does not search for a row, and PostgreSQL alone decides what comes: exactly.
    return {"lsn": lsn}


def _gtid_offset(site: Site, wanted: Wanted, to: str, end: str) -> Mapping[str, Any]:
    now = site.connect.offsets(wanted.capture.connector)
    if not now or not now.get("file"):
        text = f"{wanted.capture.name} has not begun, so it has no binlog to go on in"
        raise Refused(text, hint="let it make its snapshot first", code="CON033")
    asked, newest = gtids(to), gtids(end) or {}
    if not asked:
        raise Refused(f"{to} is no set of GTIDs of MariaDB", hint="write it like 0-7-687,9-77-2", code="CON033")
    if not covers(end, to):
        text = f"{to} is ahead of the database, which is at {end}"
        raise Refused(text, hint=f"figbridge connectors offsets show {wanted.capture.name}", code="CON033")
    if missing := set(newest) - set(asked):
        text = f"the domain {', '.join(sorted(missing))} is missing in {to}: all of it would be sent again"
        raise Refused(text, hint=f"name a GTID of each domain; the database is at {end}", code="CON033")
    kept = {name: now[name] for name in ("ts_sec", "file", "pos", "server_id") if name in now}
    return {**kept, "gtids": to}
