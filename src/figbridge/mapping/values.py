"""What readers make of cells: the functions that generated code calls, each total over JSON values.

A cell that is UNAVAILABLE gives UNAVAILABLE, null gives None, and a cell that cannot be read raises Unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from figbridge.domain.change import UNAVAILABLE


class Absent(Enum):
    """Stand for a value on the side of a transaction on which the row does not exist."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

U = UNAVAILABLE
_NUMBER = re.compile(r"[+-]?\d{1,1000}(\.\d{1,1000})?", re.ASCII)
_READABLE = re.compile(r"[+-]?\d{1,1000}(\.\d{1,1000})?(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d{1,1000}", re.ASCII)
_DEEPEST: Final = 100
_MONEY: Final = {"amount", "currency"}
_HUGE: Final = 10**1000
_EXACT = Context(prec=4000, traps=[])
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


class Written:
    """A value as a rule writes it, of a column whose type nobody declared: text, or what number or truth it spells."""

    __slots__ = ("forms",)

    def __init__(self, text: str) -> None:
        self.forms: list[Any] = [text]
        if _NUMBER.fullmatch(text):
            self.forms += [float(text), *([int(text)] if "." not in text else [])]
        elif text in ("true", "false"):
            self.forms.append(text == "true")

    def __eq__(self, other: object) -> bool:
        return any(type(other) is type(form) and other == form for form in self.forms)

    def __hash__(self) -> int:
        return hash(self.forms[0])


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
    if isinstance(cell, str) and _NUMBER.fullmatch(cell):
        return cell
    if type(cell) is int and -_HUGE < cell < _HUGE:
        return str(cell)
    raise Unreadable("not a decimal number (decimal.handling.mode must be string)")


def money(cell: Any, currency: Any, minor: int = 0) -> Any:
    """Return {"amount", "currency"}; unavailable when either is."""
    if cell is U or currency is U:
        return U
    if cell is None:
        return None
    amount = decimal(cell)
    if minor:
        amount = plain(Decimal(integer(cell)).scaleb(-minor, _EXACT))
    if not isinstance(currency, str):
        raise Unreadable("no currency")
    return {"amount": amount, "currency": currency.strip()}


def boolean(cell: Any, of: Mapping[str, bool]) -> Any:
    """Return true or false, by codes or as JSON writes it."""
    if cell is None or cell is U:
        return cell
    if of:
        found = of.get(str(cell).strip())
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
    found = of.get(str(cell).strip())
    if found is None:
        raise Unreadable(f"unknown code {str(cell).strip()[:20]!r}")
    return found


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
    return (_EPOCH + timedelta(microseconds=us)).isoformat()[:-6] + "Z"


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


# --- comparing -------------------------------------------------------------------------------------


def number(value: Any) -> Decimal | None:
    """Return the number in a value (a whole number, a decimal's text, an amount of money); None when there is none."""
    if is_money(value):
        value = value["amount"]
    if isinstance(value, float):
        value = str(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, str) and not _READABLE.fullmatch(value):
        return None
    return Decimal(value)


def plain(value: Decimal) -> str:
    """Return a number as text without an exponent."""
    return format(value, "f")


def differs(was: Any, now: Any) -> bool | None:
    """Say whether two values differ; None when one is unavailable. 1.50 and 1.5 are one amount."""
    if was is U or now is U:
        return None
    if was == now:
        return False
    if is_money(was) and is_money(now):
        return number(was) != number(now) or was["currency"] != now["currency"]
    return True


def is_money(value: Any) -> bool:
    """Say whether a value is an amount of money, and not an object that has an amount among other things."""
    return isinstance(value, dict) and value.keys() == _MONEY and isinstance(value["amount"], str)


def compare(was: Any, now: Any) -> int | None:
    """Return the sign of now minus was; 0 when one is absent, null or no number, else None when one is unavailable."""
    a, b = number(was), number(now)
    if (a is None and was is not U) or (b is None and now is not U):
        return 0
    return None if a is None or b is None else (b > a) - (b < a)


def minus(now: Any, was: Any) -> Any:
    """Return now minus was in the form of now: a whole number, a decimal's text, or money."""
    if was is U or now is U:
        return U
    a, b = number(was), number(now)
    if a is None or b is None:
        return None
    difference = _EXACT.subtract(b, a)
    if isinstance(now, int) and difference == difference.to_integral_value(context=_EXACT):
        return int(difference)
    if isinstance(now, int | float):
        return float(difference)
    return {**now, "amount": plain(difference)} if isinstance(now, dict) else plain(difference)


def unmoved(value: Any) -> Any:
    """Return by how much a value changed that did not."""
    return minus(value, value)


def becomes(was: Any, now: Any, old: Any, new: Any) -> bool | None:
    """Say whether a value goes from `old` to `new` (ABSENT there stands for any other), three-valued."""
    if was is ABSENT or now is ABSENT:
        return False
    left = None if was is U else (was != new if old is ABSENT else was == old)
    right = None if now is U else (now != old if new is ABSENT else now == new)
    if left is False or right is False:
        return False
    if left is None or right is None:
        return None
    return bool(was != now)


def has_unavailable(value: Any) -> bool:
    """Say whether a told value holds an unavailable cell at any depth."""
    if value is U:
        return True
    if isinstance(value, dict):
        return any(has_unavailable(v) for v in value.values())
    if isinstance(value, list):
        return any(has_unavailable(v) for v in value)
    return False
