"""How far a source is behind: a slot that holds WAL, a binlog that is read late or thrown away early."""

from __future__ import annotations

import time
from collections.abc import Iterator

from figbridge.domain.gtid import gtids
from figbridge.domain.preflight import Row, Unknown
from figbridge.operations.connectors.offsets import reached
from figbridge.operations.doctor.check import MARIADB, POSTGRES, Check, Found, fine, wrong
from figbridge.operations.doctor.scene import Scene

_MIB = 1 << 20


def _slot(scene: Scene) -> Row:
    found = scene.facts.rows("slot")
    if not found:
        raise Unknown(f"there is no slot {scene.patient.slot}")
    return found[0]


def _slot_read(scene: Scene) -> Iterator[Found]:
    name, rows = scene.patient.slot, scene.facts.rows("slot")
    if not rows:
        yield wrong(name, "there is no such slot")
        return
    slot = rows[0]
    odd = [
        text
        for text, wrong in (
            ("nobody reads it", not slot["active"]),
            (f"its plugin is {slot['plugin']}", slot["plugin"] != "pgoutput"),
            ("it belongs to another database", not slot["here"]),
            ("it is temporary", slot["temporary"]),
        )
        if wrong
    ]
    yield Found(name, not odd, "; ".join(odd) or "it is read")


def _slot_kept(scene: Scene) -> Iterator[Found]:
    slot = _slot(scene)
    status = str(slot["wal_status"] or "lost")
    why = f", {slot['invalidated']}" if slot["invalidated"] else ""
    yield Found(scene.patient.slot, status in ("reserved", "extended"), f"{status}{why}")


def _slot_bytes(scene: Scene) -> Iterator[Found]:
    behind = _slot(scene)["behind_bytes"]
    if behind is None:
        raise Unknown("the slot has no confirmed position")
    text = f"{int(behind) / _MIB:,.1f} MiB behind"
    yield Found(scene.patient.slot, int(behind) <= scene.limits.lag_bytes, text)


def _slot_seconds(scene: Scene) -> Iterator[Found]:
    slot = _slot(scene)
    if slot["active"]:
        sender = scene.facts.rows("sender")
        if not sender or sender[0]["state"] is None:
            raise Unknown("the account may not see pg_stat_replication: GRANT pg_monitor")
        seconds = float(sender[0]["lag_s"] or 0)  # no value: it has confirmed everything
    elif slot["inactive_s"] is not None:
        seconds = float(slot["inactive_s"])
    else:
        raise Unknown("nobody reads the slot, and this version of PostgreSQL does not say since when")
    yield Found(scene.patient.slot, seconds <= scene.limits.lag_s, f"{seconds:,.1f} s behind")


def _binlog_read(scene: Scene) -> Iterator[Found]:
    position = scene.facts.named("variables", "gtid_binlog_pos")
    offset = scene.cluster.offset
    if not offset:
        yield wrong(scene.patient.name, "the connector has not begun")
        return
    if reached(offset, position):
        yield fine(scene.patient.name, f"read up to {position}")
        return
    known, end = gtids(str(offset.get("gtids") or "")), gtids(position)
    if known is None or end is None:
        raise Unknown("the connector's position is no set of GTIDs")
    behind = sum(max(0, number - known.get(domain, 0)) for domain, number in end.items())
    since = offset.get("ts_sec")
    if since is None:
        raise Unknown("the connector's position has no time")
    seconds = max(0.0, time.time() - float(since))
    text = f"{behind:,} transactions and up to {seconds:,.0f} s behind"
    yield Found(scene.patient.name, seconds <= scene.limits.lag_s, text)


def _binlog_kept(scene: Scene) -> Iterator[Found]:
    seconds = float(scene.facts.named("variables", "binlog_expire_logs_seconds"))
    text = "for ever" if seconds == 0 else f"{seconds / 3600:,.1f} h"
    fields = {"seconds": int(scene.limits.outage_s)}
    yield Found("binlog_expire_logs_seconds", seconds == 0 or seconds >= scene.limits.outage_s, text, fields)


CHECKS = (
    Check(
        "PRE020", "the slot", "it is there, of pgoutput, in this database, and somebody reads it",
        "While nobody reads it the source stands still, and the server keeps its WAL until the disk is full.",
        "figbridge connectors status; {start}", POSTGRES, _slot_read,
    ),
    Check(
        "PRE021", "the slot's WAL", "wal_status is reserved or extended",
        "What the server has removed never comes: it is a hole from there on.",
        "figbridge connectors offsets reset {source} --drop-slot # a new snapshot: the changes between are lost",
        POSTGRES, _slot_kept,
    ),
    Check(
        "PRE022", "slot lag in bytes", "at most --max-lag-mib (1,024)",
        "The server keeps that much WAL for it, and events are as late.",
        "figbridge connectors status; figbridge status", POSTGRES, _slot_bytes,
    ),
    Check(
        "PRE023", "slot lag in time", "at most --max-lag-seconds (300)",
        "Whoever reads domain events sees the past.", "figbridge connectors status; figbridge status",
        POSTGRES, _slot_seconds,
    ),
    Check(
        "PRE024", "binlog lag", "read to its end, or at most --max-lag-seconds (300) behind",
        "Whoever reads domain events sees the past.", "figbridge connectors status", MARIADB, _binlog_read,
        connect=True,
    ),
    Check(
        "PRE025", "binlog retention", "kept for ever, or at least --outage-hours (24)",
        "Nobody tells the server that a connector still needs a binlog: after a longer outage changes are lost.",
        "SET GLOBAL binlog_expire_logs_seconds = {seconds}; -- and in the server's file", MARIADB, _binlog_kept,
    ),
)  # fmt: skip
