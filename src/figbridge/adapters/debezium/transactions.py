"""Read transaction ids and the BEGIN and END records of Debezium's transaction metadata."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from figbridge.domain.change import Begin, End, Position


def parted(identity: str) -> tuple[str, str]:
    """Return what of a transaction's id is the same on all its records, and what follows it, if anything does.

    PostgreSQL's `txId:lsn` changes with every row, so only txId is kept. A MariaDB GTID (`0-7-62`) and a MySQL
    one (`uuid:23`) stay whole: their first part is not a number.

    >>> parted("3427:304539696"), parted("0-7-62"), parted("3e11fa47:23")
    (('3427', '304539696'), ('0-7-62', ''), ('3e11fa47:23', ''))
    """
    head, colon, tail = identity.partition(":")
    return (head, tail) if colon and head.isdecimal() else (identity, "")


def stable(identity: str) -> str:
    """Return the part of a transaction id that is the same on all its records."""
    return parted(identity)[0]


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
    tx, tail = parted(record.id)
    place = tail if tail.isdecimal() else ""
    if record.status == "BEGIN":
        # Under a replication origin BEGIN is `txId:0`, and a GTID names no place of a row (verified).
        return _new(Begin, (tx, position, int(place) or None if place else None))
    count = record.event_count
    if count is None:
        raise ValueError("END without event_count")
    tables = tuple([(c.data_collection, c.event_count) for c in record.data_collections or ()])
    return _new(End, (tx, place or record.id, count, tables, record.ts_ms * 1000, position))
