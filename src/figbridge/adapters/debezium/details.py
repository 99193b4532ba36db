"""Read the parts of a record that only the first row of a transaction is asked for."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from figbridge.adapters.debezium.reasons import UNREADABLE
from figbridge.ports import Record

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
