"""What judging gives besides claims, and the few functions that generated judging code calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from figbridge.domain.change import Key
from figbridge.mapping.compare import ABSENT, differs, has_unavailable
from figbridge.mapping.unit import NOTHING, NOW, WAS, Pair, U, Unit
from figbridge.mapping.values import CANNOT_READ

Cells: TypeAlias = tuple[tuple[str, Any, Any], ...]
"""Values by name, as they were and as they are."""


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


def reason(rule: str, cells: Cells) -> str:
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
    return _compared(unit, unit.touched.get(path, NOTHING).values(), of)


def all_rows_changed(
    unit: Unit, path: str, of: Callable[[Any, Unit, int], Any]
) -> tuple[list[Any], list[Any], bool | None]:
    """Do the same for values that read more than their own row: then untouched rows may differ too."""
    before, after, changed = _compared(unit, (p for p in unit.pairs(path) if p.now is not U), of)
    return before, after, changed or (None if unit.untouched(path) is U else changed)


def _compared(
    unit: Unit, pairs: Iterable[Pair], of: Callable[[Any, Unit, int], Any]
) -> tuple[list[Any], list[Any], bool | None]:
    before: list[Any] = []
    after: list[Any] = []
    changed: bool | None = False
    for was, now in pairs:
        try:
            old = None if was is None else of(was, unit, WAS)
        except CANNOT_READ:
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


def known(rows: list[Any]) -> list[Any]:
    """Return the rows of a list that are known."""
    return [row for row in rows if row is not U]


def sides(cells: Cells) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is known of values before and after a row that appears or disappears."""
    return _side((name, was) for name, was, _ in cells), _side((name, now) for name, _, now in cells)


def _side(cells: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found = ((name, known(value) if isinstance(value, list) else value) for name, value in cells)
    return {name: value for name, value in found if value is not ABSENT and value != [] and not has_unavailable(value)}


def hushing(quiet: tuple[tuple[int, str], ...], bits: int) -> str:
    """Return the silent rules that speak for these values."""
    return ", ".join(text for own, text in quiet if own & bits)
