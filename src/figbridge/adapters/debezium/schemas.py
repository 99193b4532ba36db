"""Undo JsonConverter's `schema`/`payload` form: bring each cell to the form it has without schemas.

The forms are those of `decimal.handling.mode=string` and of times in microseconds: one form for the mappings to read,
whatever the connector was set to.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Context
from typing import Any, Final

from figbridge.adapters.debezium.reasons import UNREADABLE

_EXACT: Final = Context(prec=1_000_000, Emin=-1_000_000, Emax=1_000_000)


class CellError(ValueError):
    """Say which column has a cell that its schema does not allow; carries no cell."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def wrapped(document: dict[str, Any]) -> bool:
    """Tell whether a decoded value is in the `schema`/`payload` form."""
    return len(document) == 2 and "schema" in document and "payload" in document


def normalise(schema: Any, payload: Any) -> Any:
    """Return a payload with every cell in its form without schemas; a payload without schema stays as it is.

    Decimals become decimal text with their scale, times and timestamps become microseconds, dates stay days since
    1970, all else stays. Raises CellError, naming the column, when a cell does not fit its schema.
    """
    if payload is None or not isinstance(schema, dict):
        return payload
    name = schema.get("name")
    reader = _READERS.get(name) if isinstance(name, str) else None
    try:
        if reader is not None:
            return reader(schema, payload)
        kind = schema.get("type")
        if kind == "struct" and isinstance(payload, dict):
            return _struct(schema, payload)
        if kind == "array" and isinstance(payload, list):
            items = schema.get("items")
            return [normalise(items, item) for item in payload]
    except CellError:
        raise
    except (*UNREADABLE, KeyError, AttributeError, ArithmeticError):
        raise CellError(str(schema.get("field", "?"))) from None
    return payload


def _struct(schema: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    fields = {field["field"]: field for field in schema["fields"]}
    return {name: normalise(fields.get(name), cell) for name, cell in payload.items()}


def _unscaled(text: str, scale: int) -> str:
    number = int.from_bytes(base64.b64decode(text, validate=True), "big", signed=True)
    return format(_EXACT.scaleb(_EXACT.create_decimal(number), -scale), "f")


def _decimal(schema: dict[str, Any], cell: Any) -> str:
    return _unscaled(cell, int(schema["parameters"]["scale"]))


def _variable_scale(_: dict[str, Any], cell: Any) -> str:
    return _unscaled(cell["value"], int(cell["scale"]))


def _times(factor: int) -> Callable[[dict[str, Any], Any], int]:
    def read(_: dict[str, Any], cell: Any) -> int:
        if type(cell) is not int:
            raise TypeError
        return cell * factor

    return read


def _nanoseconds(_: dict[str, Any], cell: Any) -> int:
    if type(cell) is not int:
        raise TypeError
    return cell // 1000


_READERS: Final[dict[str, Callable[[dict[str, Any], Any], Any]]] = {
    "org.apache.kafka.connect.data.Decimal": _decimal,
    "io.debezium.data.VariableScaleDecimal": _variable_scale,
    "io.debezium.time.Timestamp": _times(1000),
    "io.debezium.time.MicroTimestamp": _times(1),
    "io.debezium.time.NanoTimestamp": _nanoseconds,
    "org.apache.kafka.connect.data.Timestamp": _times(1000),
    "io.debezium.time.Time": _times(1000),
    "io.debezium.time.MicroTime": _times(1),
    "io.debezium.time.NanoTime": _nanoseconds,
    "org.apache.kafka.connect.data.Time": _times(1000),
}
