"""Read transaction ids and the BEGIN and END records of Debezium's transaction metadata."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from figbridge.domain.change import Begin, End, Position


def stable(identity: str) -> str:
    """Return the part of a transaction id that is the same on all its records.

    PostgreSQL's `txId:lsn` changes with every row, so only txId is kept. A MariaDB GTID (`0-7-62`) and a MySQL
    one (`uuid:23`) stay whole: their first part is not a number.
    """
    head, colon, _ = identity.partition(":")
    return head if colon and head.isdecimal() else identity


def commit_position(identity: str) -> str:
    """Return where END's id says the transaction was committed: the LSN on PostgreSQL, else the whole GTID."""
    head, colon, tail = identity.partition(":")
    return tail if colon and head.isdecimal() and tail.isdecimal() else identity


_new: Final = tuple.__new__


class Transaction(msgspec.Struct, gc=False, frozen=True):
    """Hold the block `transaction` of a row."""

    id: str
    total_order: int


class _Count(msgspec.Struct, gc=False, frozen=True):
    data_collection: str
    event_count: int


class Edge(msgspec.Struct, gc=False, frozen=True):
    """Hold the value of a record of the transaction topic."""

    status: Literal["BEGIN", "END"]
    id: str
    ts_ms: int
    """Commit time in milliseconds since 1970; on MariaDB, BEGIN's is the time of an earlier event."""
    event_count: int | None = None
    data_collections: list[_Count] | None = None


decode_edge: Final = msgspec.json.Decoder(Edge).decode


def edge(record: Edge, position: Position) -> Begin | End:
    """Turn a BEGIN or END record into its domain value; raises ValueError for an END without its count."""
    identity, count = record.id, record.event_count
    if record.status == "BEGIN":
        place = commit_position(identity)
        # Under a replication origin BEGIN is `txId:0`, and a GTID names no place of a row (verified).
        known = place != identity and place.isdecimal() and place != "0"
        return _new(Begin, (stable(identity), position, int(place) if known else None))
    if count is None:
        raise ValueError("END without event_count")
    tables = tuple([(c.data_collection, c.event_count) for c in record.data_collections or ()])
    return _new(End, (stable(identity), commit_position(identity), count, tables, record.ts_ms * 1000, position))
