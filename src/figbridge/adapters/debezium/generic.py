"""Read any record the slow way: decode everything, then ask what it is.

Rows come out in one form: the payload without its schema, cells normalised, `source` with all the fields that the
table's envelope (`envelope.py`) demands.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from figbridge.adapters.debezium.reasons import UNREADABLE, Reason, where
from figbridge.adapters.debezium.schemas import CellError, normalise, wrapped
from figbridge.adapters.debezium.transactions import Edge, Transaction, edge, stable
from figbridge.domain.change import Begin, End, Marker, MarkerKind, Position

_OPERATIONS: Final = frozenset("cudrtm")
_CLOCKS: Final = frozenset({"ts_ms", "ts_us", "ts_ns"})


class Unusable(Exception):
    """Say why a record cannot be used. It never leaves this package."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class RowRecord(NamedTuple):
    """A record about a row, or about all rows (op t), of some table."""

    table: str
    op: str
    tx: str | None
    binlog: bool
    document: dict[str, Any]


def read(value: bytes, position: Position) -> RowRecord | Begin | End | Marker:
    """Return what the value of a record says; raises Unusable."""
    document = _document(value)
    if document is None:
        return Marker(MarkerKind.TOMBSTONE, position)
    if "op" in document or "before" in document or "after" in document:
        return _row(document, position)
    if "status" in document and "id" in document:
        try:
            return edge(msgspec.convert(document, Edge), position)
        except UNREADABLE as error:
            raise Unusable(Reason.WRONG_TYPE, f"transaction record {where(error)}") from None
    if "ddl" in document or "tableChanges" in document:
        return Marker(MarkerKind.SCHEMA, position)
    if document and document.keys() <= _CLOCKS and all(type(clock) is int for clock in document.values()):
        return Marker(MarkerKind.HEARTBEAT, position)
    if not document:
        raise Unusable(Reason.NOT_AN_OBJECT, "the object has no fields")
    raise Unusable(Reason.UNKNOWN_RECORD, f"an object of {len(document)} fields without op, status, ddl")


def _document(value: bytes) -> dict[str, Any] | None:
    """Return the payload of a value with its cells normalised; None when the payload is null (a tombstone)."""
    try:
        document = msgspec.json.decode(value)
    except UnicodeDecodeError as error:
        raise Unusable(Reason.NOT_UTF8, where(error)) from None
    except UNREADABLE as error:
        raise Unusable(Reason.NOT_JSON, where(error)) from None
    if isinstance(document, dict) and wrapped(document):
        try:
            document = normalise(document["schema"], document["payload"])
        except CellError as error:
            raise Unusable(Reason.WRONG_TYPE, f"column {error.column} does not fit its schema") from None
        except RecursionError as error:
            raise Unusable(Reason.NOT_JSON, where(error)) from None
        if document is None:
            return None
    if not isinstance(document, dict):
        raise Unusable(Reason.NOT_AN_OBJECT, "the value is no object")
    return document


def _row(document: dict[str, Any], position: Position) -> RowRecord | Marker:
    op, source = document.get("op"), document.get("source")
    if not isinstance(op, str) or op not in _OPERATIONS:
        raise Unusable(Reason.UNKNOWN_OPERATION, "op is none of c, u, d, r, t, m")
    try:
        transaction = msgspec.convert(document.get("transaction"), Transaction | None)
    except UNREADABLE as error:
        raise Unusable(Reason.WRONG_TYPE, f"transaction {where(error)}") from None
    tx = None if transaction is None else stable(transaction.id)
    if op == "m":
        return Marker(MarkerKind.MESSAGE, position, tx)
    if not isinstance(source, dict):
        raise Unusable(Reason.SOURCE_MISSING, "no source")
    binlog = not source.get("schema")
    space, table = source.get("db" if binlog else "schema"), source.get("table")
    if not (isinstance(space, str) and isinstance(table, str) and space and table):
        raise Unusable(Reason.SOURCE_MISSING, "source names no table")
    complete = {
        "before": document.get("before"),
        "after": document.get("after"),
        "source": _binlog_source(source) if binlog else _source(source),
        "transaction": document.get("transaction"),
        "op": op,
    }
    return RowRecord(f"{space}.{table}", op, tx, binlog, complete)


def _source(source: dict[str, Any]) -> dict[str, Any]:
    return {"snapshot": None, "lsn": None, **source, "ts_us": _microseconds(source)}


def _binlog_source(source: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in source.items() if value is not None}
    absent = {"snapshot": None, "gtid": None, "file": None, "pos": 0, "row": 0}
    return {**absent, **given, "ts_us": _microseconds(source)}


def _microseconds(source: dict[str, Any]) -> Any:
    exact, coarse = source.get("ts_us"), source.get("ts_ms")
    return coarse * 1000 if exact is None and type(coarse) is int else exact
