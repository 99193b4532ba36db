"""Compare what readers gave: the functions that generated conditions and events call. Exact, and three-valued."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from enum import Enum
from typing import Any, Final

from figbridge.domain.change import UNAVAILABLE


class Absent(Enum):
    """Stand for a value on the side of a transaction on which the row does not exist."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

EXACT: Final = Context(prec=4000, traps=[])
"""Arithmetic without rounding, for every number that is one."""

U = UNAVAILABLE
_READABLE = re.compile(r"[+-]?\d{1,1000}(\.\d{1,1000})?(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_WRITTEN = re.compile(r"[+-]?\d{1,1000}(\.\d{1,1000})?", re.ASCII)
_MONEY: Final = {"amount", "currency"}


class Written:
    """A value as a rule writes it, of a column whose type nobody declared: text, or what number or truth it spells."""

    __slots__ = ("forms",)

    def __init__(self, text: str) -> None:
        self.forms: list[Any] = [text]
        if _WRITTEN.fullmatch(text):
            self.forms += [float(text), *([int(text)] if "." not in text else [])]
        elif text in ("true", "false"):
            self.forms.append(text == "true")

    def __eq__(self, other: object) -> bool:
        return any(type(other) is type(form) and other == form for form in self.forms)

    def __hash__(self) -> int:
        return hash(self.forms[0])


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
    difference = EXACT.subtract(b, a)
    if isinstance(now, int) and difference == difference.to_integral_value(context=EXACT):
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
