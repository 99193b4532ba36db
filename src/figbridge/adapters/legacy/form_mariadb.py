"""The form that Debezium gives MariaDB's values, and back for keys. The session's time zone is UTC.

With decimal.handling.mode=string and time.precision.mode=adaptive_time_microseconds, as our connectors are. Compared
with what Debezium wrote: tests/integration/holes/test_form.py. Types that are not here are refused.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

_KIND: Final = re.compile(r"(\w+)(?:\((\d+)[^)]*\))?")
_WHOLE: Final = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
_TEXT: Final = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "json", "uuid"})
_BYTES: Final = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_EPOCH: Final = date(1970, 1, 1)
_MILLISECONDS: Final = 3


def written(value: Any, kind: str, *, nullable: bool = True) -> Any:
    """Return a value as Debezium writes it; NotImplemented for a type whose form is not known.

    A zero date is null where the column may be null, else 1970 (verified).

    >>> written(date(1970, 1, 11), "date"), written(None, "point") is NotImplemented
    (10, True)
    """
    match = _KIND.match(kind)
    name, size = (match[1], int(match[2] or 0)) if match else ("", 0)
    if name == "bigint" and "unsigned" in kind:
        return NotImplemented  # what it becomes beyond 63 bits is a setting of the connector
    known = _WHOLE | _TEXT | _BYTES | {"float", "double", "decimal", "date", "datetime", "timestamp", "time"}
    if name not in known:
        return NotImplemented
    if value is None:
        return None
    if isinstance(value, str) and name in ("date", "datetime", "timestamp"):  # the driver's form of a zero date
        zero: Any = "1970-01-01T00:00:00Z" if name == "timestamp" else 0
        return zero if not nullable or name == "timestamp" else None
    match name:
        case "decimal":
            return format(value, "f")
        case "date":
            return (value - _EPOCH).days
        case "datetime":
            micros = _micros(value.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC))
            return micros if size > _MILLISECONDS else micros // 1000
        case "timestamp":
            fraction = f".{value.microsecond:06}"[: size + 1] if size else ""
            return f"{value:%Y-%m-%dT%H:%M:%S}{fraction}Z"
        case "time":
            return _micros(value)
        case _ if name in _BYTES:
            return base64.b64encode(value).decode()
        case _:
            return value


def reading(cell: Any, kind: str) -> Any:
    """Return a key's cell as the database compares it: the inverse of `written` for the types that keys have.

    >>> reading(10, "date")
    datetime.date(1970, 1, 11)
    """
    name = kind.partition("(")[0].split()[0]
    if cell is None or name in _WHOLE or name in _TEXT or name == "decimal":
        return cell
    if name == "date":
        return _EPOCH + timedelta(days=cell)
    if name == "datetime":
        match = _KIND.match(kind)
        fine = match is not None and int(match[2] or 0) > _MILLISECONDS
        return datetime(1970, 1, 1) + timedelta(**{"microseconds" if fine else "milliseconds": cell})  # noqa: DTZ001
    if name in _BYTES:
        return base64.b64decode(cell)
    return cell


def _micros(length: timedelta) -> int:
    return (length.days * 86_400 + length.seconds) * 1_000_000 + length.microseconds
