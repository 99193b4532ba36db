"""Read the parts of a record that only the first row of a transaction is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from figbridge.adapters.debezium.headers import context
from figbridge.adapters.debezium.reasons import UNREADABLE
from figbridge.adapters.debezium.transactions import stable
from figbridge.ports import Record


@dataclass(frozen=True, slots=True)
class RowDetails:
    """Say where a row stands among transactions; each field is None where the record does not say it."""

    sequence_previous: str | None = None
    """First part of `source.sequence`: the commit LSN of the transaction before this one (PostgreSQL)."""
    tx: str | None = None
    """The stable part of `transaction.id`."""
    lsn: int | None = None
    """`source.lsn`."""
    gtid: str | None = None
    """`source.gtid`."""
    origin: str | None = None
    """`source.origin`: the replication origin of the writer."""
    run: str | None = None
    """Header `__debezium.context.runId`."""


_SEQUENCE = b'"sequence":"[\\"'


def previous_end(record: Record) -> str | None:
    """Return the first part of `source.sequence` without decoding the record; None when it is null or not there.

    It is looked for in the bytes: JSON text holds no unescaped quote, and `source` stands after the row.
    """
    value = record.value or b""
    start = value.rfind(_SEQUENCE)
    if start < 0:
        return None
    start += len(_SEQUENCE)
    return value[start : value.find(b"\\", start)].decode("ascii", "replace") or None


def details(record: Record) -> RowDetails:
    """Decode a record generically and return what it says about its place; never raises."""
    run = context(record.headers).run
    document = _document(record.value)
    source, transaction = document.get("source"), document.get("transaction")
    if not isinstance(source, dict):
        source = {}
    identity = transaction.get("id") if isinstance(transaction, dict) else None
    lsn = source.get("lsn")
    return RowDetails(
        sequence_previous=sequence(source.get("sequence"))[0],
        tx=stable(identity) if isinstance(identity, str) else None,
        lsn=lsn if type(lsn) is int else None,
        gtid=_text(source.get("gtid")),
        origin=_text(source.get("origin")),
        run=run,
    )


def sequence(text: Any) -> tuple[str | None, str | None]:
    """Return both parts of PostgreSQL's `source.sequence`, a JSON array in a text; None for what is not there."""
    try:
        parts = msgspec.json.decode(text, type=list[str | None]) if isinstance(text, str) else []
    except UNREADABLE:
        parts = []
    return (parts[0], parts[1]) if len(parts) == 2 else (None, None)


class _Source(msgspec.Struct, gc=False, frozen=True):
    sequence: str | None = None


class _Stream(msgspec.Struct, gc=False, frozen=True):
    source: _Source | None = None
    payload: _Stream | None = None


_decode_stream: Final = msgspec.json.Decoder(_Stream).decode


def stream_place(value: bytes | None) -> str:
    """Return where the stream stood when a row was read (last part of `source.sequence`), or "".

    Rows of an incremental snapshot have no LSN of their own. Raises what `UNREADABLE` lists.
    """
    stream = _decode_stream(value or b"{}")
    source = stream.payload.source if stream.payload else stream.source
    return (sequence(source.sequence)[1] if source else None) or ""


def _document(value: bytes | None) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(value or b"null")
    except UNREADABLE:
        return {}
    if isinstance(document, dict) and "schema" in document and "payload" in document:
        document = document["payload"]
    return document if isinstance(document, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
