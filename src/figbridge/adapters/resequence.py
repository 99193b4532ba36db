"""Put the records of a connector's several topics into the one order in which the source committed them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

from figbridge.adapters.debezium.transactions import stable
from figbridge.ports import Record


@dataclass(slots=True)
class _Said:
    """What one record says about its place."""

    record: Record
    clock: int | None
    """Nanoseconds since 1970 at which the connector processed it; None for BEGIN and END, which do not say."""
    tx: str | None = None
    status: str | None = None
    order: int = 0
    connector: str | None = None
    tombstones: list[Record] = field(default_factory=list)

    def records(self) -> list[Record]:
        return [self.record, *self.tombstones]


@dataclass(slots=True)
class _Group:
    """The records of one transaction, or one record without any."""

    begin: list[_Said] = field(default_factory=list)
    rows: list[_Said] = field(default_factory=list)
    end: list[_Said] = field(default_factory=list)
    clock: int = 0

    def records(self) -> list[Record]:
        rows = sorted(self.rows, key=attrgetter("order"))
        return [record for said in (*self.begin, *rows, *self.end) for record in said.records()]

    def earliest(self) -> int | None:
        return min((said.clock for said in self.rows if said.clock is not None), default=None)


def resequenced(records: Iterable[Record]) -> list[Record]:
    """Return every record once, in one log `figbridge.<prefix>.log` with offsets from 0 without gaps.

    A transaction is BEGIN, its rows by `transaction.total_order` each with its tombstone, END. Transactions come in the
    order of their END (or BEGIN, without END) on the transaction topic; records without transaction come where the
    connector's processing clock (`ts_ns`, `ts_us` or `ts_ms` of the envelope) puts them. Raises ValueError when the
    records are of several connectors (`source.name`).
    """
    loose, groups = _grouped(_said(records))
    connectors = {said.connector for g in (*loose, *groups) for said in g.rows if said.connector}
    if len(connectors) > 1:
        raise ValueError(f"records of {len(connectors)} connectors: {', '.join(sorted(connectors))}")
    topics = [said.record.topic for g in (*groups, *loose) for said in (*g.begin, *g.end, *g.rows)]
    prefix = next(iter(connectors), topics[0].removeprefix("__debezium-heartbeat.").removesuffix(".transaction"))
    clock = 0
    for group in groups:  # the transaction topic decides; the clock only places the others between them
        clock = group.clock = max(clock, group.earliest() or 0)
    merged = sorted((*groups, *loose), key=attrgetter("clock"))
    ordered = [record for group in merged for record in group.records()]
    return [record._replace(topic=f"figbridge.{prefix}.log", partition=0, offset=i) for i, record in enumerate(ordered)]


def _said(records: Iterable[Record]) -> list[_Said]:
    """Read each record's place; a tombstone belongs to the record before it in its partition."""
    result: list[_Said] = []
    last: _Said | None = None
    for record in sorted(records, key=lambda r: r[:3]):
        same = last is not None and last.record[:2] == record[:2]
        if record.value is None and same and last is not None:
            last.tombstones.append(record)
            continue
        last = _place(record)
        result.append(last)
    return result


def _place(record: Record) -> _Said:
    arrived = record.timestamp * 1_000_000
    document: Any = msgspec.json.decode(record.value or b"null")
    if isinstance(document, dict) and "payload" in document and "schema" in document:
        document = document["payload"]
    if not isinstance(document, dict):
        return _Said(record, arrived)
    source, block = document.get("source"), document.get("transaction")
    status, identity = document.get("status"), document.get("id")
    if isinstance(status, str) and isinstance(identity, str) and not isinstance(source, dict):
        return _Said(record, None, stable(identity), status)
    said = _Said(record, _clock(document) or arrived)
    if isinstance(source, dict) and isinstance(source.get("name"), str):
        said.connector = source["name"]
        if "ddl" in document:  # MariaDB: BEGIN names the GTID of a statement that has no transaction block
            said.tx = source.get("gtid")
    if isinstance(block, dict) and isinstance(block.get("id"), str):
        said.tx = stable(block["id"])
        order = block.get("total_order")
        said.order = order if isinstance(order, int) else 0
    return said


def _clock(document: dict[str, Any]) -> int:
    for name, factor in (("ts_ns", 1), ("ts_us", 1000), ("ts_ms", 1_000_000)):
        value = document.get(name)
        if isinstance(value, int):
            return value * factor
    return 0


def _grouped(records: list[_Said]) -> tuple[list[_Group], list[_Group]]:
    """Return the records without transaction, each alone, and the transactions in commit order."""
    groups: dict[str, _Group] = {}
    for said in records:
        if said.status is not None and said.tx is not None:
            group = groups.setdefault(said.tx, _Group())
            (group.end if said.status == "END" else group.begin).append(said)
    loose: list[_Group] = []
    unannounced: dict[str, _Group] = {}
    for said in records:
        if said.status is not None:
            continue
        if said.tx in groups:
            groups[said.tx].rows.append(said)
        elif said.tx is not None:  # the capture has no transaction topic: keep its rows together all the same
            unannounced.setdefault(said.tx, _Group()).rows.append(said)
        else:
            loose.append(_Group(rows=[said], clock=said.clock or 0))
    for group in unannounced.values():
        group.clock = group.earliest() or 0
    announced = sorted(groups.values(), key=lambda g: (g.end or g.begin)[-1].record.offset)
    return [*loose, *unannounced.values()], announced
