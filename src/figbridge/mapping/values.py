"""What readers make of cells: the functions that generated code calls, each total over JSON values.

A cell that is UNAVAILABLE gives UNAVAILABLE, null gives None, and a cell that cannot be read raises Unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from figbridge.domain.change import UNAVAILABLE
from figbridge.mapping.compare import EXACT, plain

U = UNAVAILABLE
_number: Final = re.compile(r"[+-]?\d{1,1000}(\.\d{1,1000})?", re.ASCII).fullmatch
_WHOLE = re.compile(r"[+-]?\d{1,1000}", re.ASCII)
_DEEPEST: Final = 100
_HUGE: Final = 10**1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WALL = datetime(1970, 1, 1)  # noqa: DTZ001 — a wall clock has no zone until the mapping names it
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_LATEST_US: Final = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999; PostgreSQL's infinities lie beyond
_EARLIEST_US: Final = -62_135_596_800_000_000


class Unreadable(Exception):
    """A cell holds something its reader does not know. `why` has no value in it unless it is a code."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


CANNOT_READ: Final = (Unreadable, TypeError)
"""What reading a cell may raise; a list or a map where a code or a key should be has no hash."""


def text(cell: Any, trim: str) -> Any:
    """Return text, trimmed as told."""
    if cell is None or cell is U:
        return cell
    if not isinstance(cell, str):
        raise Unreadable("not text")
    match trim:
        case "right":
            return cell.rstrip()
        case "left":
            return cell.lstrip()
        case "both":
            return cell.strip()
        case _:
            return cell


def integer(cell: Any) -> Any:
    """Return a whole number."""
    if cell is None or cell is U or type(cell) is int:
        return cell
    if isinstance(cell, str) and _WHOLE.fullmatch(cell.strip()):
        return int(cell)
    raise Unreadable("not a whole number")


def decimal(cell: Any) -> Any:
    """Return a decimal number as the text the source wrote."""
    if cell is None or cell is U:
        return cell
    if isinstance(cell, str) and _number(cell):
        return cell
    if type(cell) is int and -_HUGE < cell < _HUGE:
        return str(cell)
    raise Unreadable("not a decimal number (decimal.handling.mode must be string)")


def money(cell: Any, currency: Any, minor: int = 0) -> Any:
    """Return {"amount", "currency"}; unavailable when either is."""
    if type(cell) is str and type(currency) is str and not minor and _number(cell):  # nearly always
        return {"amount": cell, "currency": currency.strip()}
    if cell is U or currency is U:
        return U
    if cell is None:
        return None
    amount = decimal(cell)
    if minor:
        amount = plain(Decimal(integer(cell)).scaleb(-minor, EXACT))
    if not isinstance(currency, str):
        raise Unreadable("no currency")
    return {"amount": amount, "currency": currency.strip()}


def boolean(cell: Any, of: Mapping[str, bool]) -> Any:
    """Return true or false, by codes or as JSON writes it."""
    if cell is None or cell is U:
        return cell
    if of:
        found = _meaning(cell, of)
        if found is None and (type(cell) is bool or type(cell) is int) and cell in (0, 1) and not of.keys() & _NUMBERS:
            return bool(cell)  # tinyint(1): MariaDB's boolean, where PostgreSQL's shop has a code
        if found is None:
            raise Unreadable(f"unknown code {str(cell).strip()!r}")
        return found
    if cell is True or cell is False:
        return cell
    if cell in (0, 1):
        return bool(cell)
    raise Unreadable("neither true nor false")


def code(cell: Any, of: Mapping[str, str]) -> Any:
    """Return a code's meaning; blanks around a code mean nothing."""
    if cell is None or cell is U:
        return cell
    found = _meaning(cell, of)
    if found is None:
        raise Unreadable(f"unknown code {str(cell).strip()[:20]!r}")
    return found


_NUMBERS: Final = frozenset({"0", "1"})


def _meaning(cell: Any, of: Mapping[str, Any]) -> Any:
    """Return what a code means, None for an unknown one. A tinyint(1) is a number in a snapshot and may be a boolean
    in the stream (verified on MariaDB): the code 1 names both."""
    if type(cell) is not bool:
        return of.get(str(cell).strip())
    return next((of[name] for name in (_TRUE if cell else _FALSE) if name in of), None)


_TRUE: Final = ("1", "true", "True")
_FALSE: Final = ("0", "false", "False")


def reference(cell: Any, prefix: str) -> Any:
    """Return the id of another aggregate; the padding of a char(n) key is no part of it."""
    if cell is None or cell is U:
        return cell
    return f"{prefix}{cell}".rstrip()


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def instant(cell: Any, zone: str, unit: str, fold: str) -> Any:
    """Return an instant as ISO 8601 in UTC, from a wall clock in `zone` or from text with a zone."""
    if cell is None or cell is U:
        return cell
    if type(cell) is int:
        us = cell * 1_000_000 // _PER_SECOND[unit]
        if not _EARLIEST_US <= us <= _LATEST_US:
            raise Unreadable("beyond the years 1 to 9999")
        wall = _EPOCH_WALL + timedelta(microseconds=us)
        return iso(wall.replace(tzinfo=_zone(zone), fold=1 if fold == "later" else 0))
    if isinstance(cell, str):
        try:
            found = datetime.fromisoformat(cell)
        except ValueError:
            raise Unreadable("not an instant") from None
        return iso(found if found.tzinfo else found.replace(tzinfo=_zone(zone), fold=1 if fold == "later" else 0))
    raise Unreadable("not an instant")


def iso(at: datetime) -> str:
    """Return an aware time as ISO 8601 in UTC, with microseconds only when there are any."""
    try:
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise Unreadable("beyond the years 1 to 9999") from None


def iso_us(us: int) -> str:
    """Return microseconds since 1970 as ISO 8601 in UTC.

    >>> iso_us(1795268659078889)
    '2026-11-21T13:44:19.078889Z'
    """
    seconds, fraction = divmod(us, 1_000_000)
    return f"{_second(seconds)}.{fraction:06}Z" if fraction else f"{_second(seconds)}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    """Return a whole second; the transactions of one second ask for the same."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:-6]


def day(cell: Any) -> Any:
    """Return a date as ISO 8601, from days since 1970 or from text."""
    if cell is None or cell is U:
        return cell
    try:
        if type(cell) is int:
            return (date(1970, 1, 1) + timedelta(days=cell)).isoformat()
        if isinstance(cell, str):
            return date.fromisoformat(cell[:10]).isoformat()
    except (ValueError, OverflowError):
        raise Unreadable("not a date") from None
    raise Unreadable("not a date")


def clock(cell: Any, unit: str) -> Any:
    """Return a time of day as ISO 8601, from a number since midnight or from text."""
    if cell is None or cell is U:
        return cell
    if isinstance(cell, str) and re.fullmatch(r"\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", cell):
        return cell
    if type(cell) is int and 0 <= cell <= 86_400 * _PER_SECOND[unit]:
        seconds, rest = divmod(cell, _PER_SECOND[unit])
        us = rest * 1_000_000 // _PER_SECOND[unit]
        whole = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{whole}.{us:06}" if us else whole
    raise Unreadable("not a time of day")


def document(cell: Any) -> Any:
    """Return a JSON document, parsed."""
    if cell is None or cell is U:
        return cell
    return parsed(cell) if isinstance(cell, str) else cell


def parsed(text: str) -> Any:
    """Return a JSON document. Raises Unreadable, also for one nested deeper than anybody could write it again."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if text.count("[") + text.count("{") > _DEEPEST and _depth(found) > _DEEPEST:
        raise Unreadable(f"JSON nested more than {_DEEPEST} deep")
    return found


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level := [v for v in level if isinstance(v, list | dict)]:
        depth += 1
        level = [child for v in level for child in (v.values() if isinstance(v, dict) else v)]
    return depth


def uuid(cell: Any) -> Any:
    """Return a UUID in its canonical form."""
    if cell is None or cell is U:
        return cell
    try:
        return str(UUID(cell))
    except (ValueError, AttributeError, TypeError):
        raise Unreadable("not a UUID") from None


def address(cell: Any, lines: tuple[tuple[str, ...], ...]) -> Any:
    """Return a free-text address as an object: one line a pattern, the last name of a pattern takes the rest."""
    if cell is None or cell is U:
        return cell
    if not isinstance(cell, str):
        raise Unreadable("not text")
    written = [line.strip() for line in cell.splitlines() if line.strip()]
    if len(written) != len(lines):
        raise Unreadable(f"{len(written)} lines, not {len(lines)}")
    found: dict[str, str] = {}
    for names, line in zip(lines, written, strict=True):
        parts = line.split(None, len(names) - 1)
        if len(parts) != len(names):
            raise Unreadable(f"a line without {names[len(parts)]}")
        found.update(zip(names, parts, strict=True))
    return found


def join(cells: tuple[Any, ...], by: str) -> Any:
    """Return several cells as one text, without the null and empty ones; null when nothing is left."""
    if U in cells:
        return U
    return by.join(stripped for c in cells if c is not None and (stripped := str(c).strip())) or None


def raw(cell: Any) -> Any:
    """Return what could not be read as {"raw": text}."""
    return cell if cell is None or cell is U else {"raw": str(cell)}
