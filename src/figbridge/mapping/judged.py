"""What judging gives besides claims, and the few functions that generated judging code calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from figbridge.domain.change import Key
from figbridge.mapping.unit import NOTHING, NOW, WAS, Pair, U, Unit
from figbridge.mapping.values import Unreadable, differs, has_unavailable


class Park(NamedTuple):
    """Set the key aside: a stable code and the reason in words, without values other than codes."""

    code: str
    why: str


class Skipped(NamedTuple):
    """A rule that stayed unknown in a mapping that says `unsure: skip`."""

    rule: str


def unsure(rule: str) -> Skipped:
    """Return the note that a rule stayed unknown."""
    return Skipped(rule)


def reason(rule: str, cells: tuple[tuple[str, Any, Any], ...]) -> str:
    """Say which attribute keeps a rule unknown, on which side."""
    missing = [f"was.{n}" for n, was, _ in cells if has_unavailable(was)]
    missing += [n for n, was, now in cells if has_unavailable(now) and f"was.{n}" not in missing]
    return f"{rule}: {', '.join(missing) or 'a cell'} is unavailable"


def touched_bits(
    touched: Mapping[str, Mapping[Key, Pair]], paths: Mapping[str, tuple[str, int]], names: Mapping[str, Any]
) -> int:
    """Return the bits of the values that the touched related rows may have changed."""
    bits = 0
    for path, pairs in touched.items():
        difference, all_bits = paths[path]
        for was, now in pairs.values():
            bits |= all_bits if was is None or now is None else names[difference](was, now)
    return bits


def rows_changed(
    unit: Unit, path: str, of: Callable[[Any, Unit, int], Any]
) -> tuple[list[Any], list[Any], bool | None]:
    """Return the touched rows of a relation as they were and as they are, and whether they differ."""
    before: list[Any] = []
    after: list[Any] = []
    changed: bool | None = False
    for was, now in unit.touched.get(path, NOTHING).values():
        try:
            old = None if was is None else of(was, unit, WAS)
        except Unreadable:
            old = U
        new = None if now is None else of(now, unit, NOW)
        one = True if was is None or now is None else differs(old, new)
        if one is False:
            continue
        changed = True if one else changed or None
        if was is not None:
            before.append(old)
        if now is not None:
            after.append(new)
    return before, after, changed
