"""Read what Debezium puts into headers: the run of the task, and the other key of a key update."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

import msgspec

from figbridge.adapters.debezium.reasons import UNREADABLE
from figbridge.adapters.debezium.schemas import normalise
from figbridge.domain.change import Key, RowShape
from figbridge.ports import Headers

_RUN: Final = "__debezium.context.runId"
_MOVED: Final = ("__debezium.newkey", "__debezium.oldkey")


class Context(NamedTuple):
    """What the headers of a record say."""

    run: str | None
    """`__debezium.context.runId`."""
    moved: dict[str, Any] | None
    """Column → cell of `__debezium.newkey` or `__debezium.oldkey`; None without such a header."""
    readable: bool
    """False when a key update's header is there and cannot be read."""


def context(headers: Headers) -> Context:
    """Read the headers that matter, in each form a header converter gives them; never raises.

    The forms are plain text (SimpleHeaderConverter), bare JSON, and JSON with `schema` and `payload`.
    """
    run: str | None = None
    moved: dict[str, Any] | None = None
    readable = True
    for name, raw in headers:
        if name == _RUN and raw is not None:
            run = _text(raw)
        elif name in _MOVED:
            moved = _struct(raw)
            readable = moved is not None
    return Context(run, moved, readable)


def moved_key(shape: RowShape, cells: dict[str, Any]) -> Key | None:
    """Return the other primary key of a key update, or None when the message key does not hold all of it."""
    try:
        return tuple(cells[column] for column in shape.key)
    except KeyError:
        return None


def _text(raw: bytes) -> str | None:
    if raw[:1] in {b'"', b"{"}:
        try:
            document = msgspec.json.decode(raw)
        except UNREADABLE:
            document = None
        if isinstance(document, dict):
            document = document.get("payload")
        if isinstance(document, str):
            return document
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _struct(raw: bytes | None) -> dict[str, Any] | None:
    if raw is None:
        return None
    try:
        # strict=False: SimpleHeaderConverter leaves control characters in texts unescaped.
        document = json.loads(raw.decode(), strict=False)
        if isinstance(document, dict) and document.keys() == {"schema", "payload"}:
            document = normalise(document["schema"], document["payload"])
    except UNREADABLE:
        return None
    return document if isinstance(document, dict) else None
