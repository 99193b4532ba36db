"""Find what must have changed for a condition to be anything but false: a cheap test before judging it."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from figbridge.mapping.when import (
    And,
    Appears,
    Becomes,
    Changes,
    Condition,
    Disappears,
    Falls,
    Is,
    IsNull,
    Not,
    Or,
    Rekeyed,
    Rises,
)


def guard(condition: Condition, bit: Callable[[str], int], *, plain: bool) -> int | None:
    """Return bits of values, of which at least one must have changed for a condition to be true or unknown.

    None when it may be so without any change. 0 when it can never be so, in a `plain` update, where no row appears,
    disappears or is re-keyed.
    """
    match condition:
        case Changes(name) | Rises(name) | Falls(name) | Becomes(name):
            return bit(name)
        case Appears() | Disappears() | Rekeyed():
            return 0 if plain else None
        case And(items):
            found = [g for item in items if (g := guard(item, bit, plain=plain)) is not None]
            return min(found, key=int.bit_count) if found else None
        case Or(items):
            bits = 0
            for item in items:
                g = guard(item, bit, plain=plain)
                if g is None:
                    return None
                bits |= g
            return bits
        case Is() | IsNull() | Not():
            return None
        case _:
            assert_never(condition)
