"""Take a batch of records out of Java in a few calls, not several per record: each call costs microseconds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from figbridge.adapters.engine.gather import Entry
from figbridge.ports import Headers

_CONTEXT = "__debezium.context."


class Reader:
    """Read the batches of one engine. Keys, values and numbers of headers come joined, one text for the batch."""

    def __init__(self, jpype: Any) -> None:
        handles = jpype.JClass("java.lang.invoke.MethodHandles").publicLookup()
        types = jpype.JClass("java.lang.invoke.MethodType")
        proxies = jpype.JClass("java.lang.invoke.MethodHandleProxies")
        function = jpype.JClass("java.util.function.Function")
        event = jpype.JClass("io.debezium.engine.ChangeEvent")
        objects, lists = jpype.JClass("java.lang.Object"), jpype.JClass("java.util.List")
        strings = jpype.JClass("java.lang.String")
        integer = jpype.JClass("java.lang.Integer").TYPE

        def text(kind: Any) -> Any:
            return handles.findStatic(strings, "valueOf", types.methodType(strings, kind))

        def field(name: str) -> Any:
            return handles.findVirtual(event, name, types.methodType(objects))

        number = handles.findVirtual(lists, "size", types.methodType(integer))
        headers = handles.findVirtual(event, "headers", types.methodType(lists))
        filtered = jpype.JClass("java.lang.invoke.MethodHandles").filterReturnValue
        makers = (
            filtered(field("key"), text(objects)),
            filtered(field("value"), text(objects)),
            filtered(filtered(headers, number), text(integer)),
        )
        self._parts = [proxies.asInterfaceInstance(function, maker) for maker in makers]
        self._joining = jpype.JClass("java.util.stream.Collectors").joining
        self._utf8 = jpype.JClass("java.nio.charset.StandardCharsets").UTF_8
        self._context: dict[int, Headers] = {}

    def read(self, records: Any) -> list[Entry]:
        """Return the records of a batch as bytes, in order."""
        keys, values, counts = (self._joined(records, part) for part in self._parts)
        entries = []
        for index, (key, value, count) in enumerate(zip(keys, values, counts, strict=True)):
            headers = () if count == b"0" else self._headers(records, index, int(count))
            entries.append(Entry(_or_none(key), _or_none(value), headers))
        return entries

    def _joined(self, records: Any, part: Any) -> list[bytes]:
        # JSON writes a line feed inside a text as \n, so a raw one separates.
        text = records.stream().map(part).collect(self._joining("\n"))
        return bytes(text.getBytes(self._utf8)).split(b"\n")

    def _headers(self, records: Any, index: int, count: int) -> Headers:
        """Return the headers of one record. Those that name the run are the same on all records that have no other."""
        known = self._context.get(count)
        if known is not None:
            return known
        headers = tuple((str(h.getKey()), _plain(str(h.getValue()))) for h in records.get(index).headers())
        if all(name.startswith(_CONTEXT) for name, _ in headers):
            self._context[count] = headers
        return headers


def offset(record: Any) -> dict[str, Any]:
    """Return the source offset of a record as Python values."""
    return {str(entry.getKey()): _value(entry.getValue()) for entry in _entries(record.sourceRecord().sourceOffset())}


def _entries(mapping: Any) -> Iterable[Any]:
    return mapping.entrySet() if mapping is not None else ()


def _value(value: Any) -> Any:
    if value is None:
        return None
    name = str(value.getClass().getSimpleName())
    if name in ("Long", "Integer"):
        return int(value)
    return bool(value) if name == "Boolean" else str(value)


def _or_none(text: bytes) -> bytes | None:
    return None if text == b"null" else text


def _plain(text: str) -> bytes:
    """Write a header as Kafka Connect's SimpleHeaderConverter does: a text bare, a structure as JSON."""
    return str(json.loads(text)).encode() if text.startswith('"') else text.encode()
