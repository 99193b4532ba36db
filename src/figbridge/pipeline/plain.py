"""Judge transactions of plain updates: whole images of different root rows that keep their keys.

Each such row is its aggregate's whole change, so there is nothing to net and nothing to resolve. Nearly all rows of
nearly all monoliths are such; resolving them would cost more than everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from figbridge.domain.change import Key, Row, RowChange
from figbridge.domain.claim import Claim
from figbridge.mapping.compiler import Compiled, Plan, TablePlan, Updates
from figbridge.mapping.judged import Skipped
from figbridge.mapping.unit import UNTOUCHED, Memory, Unit
from figbridge.pipeline.collect import Counted
from figbridge.pipeline.parking import ParkingLot

_TRANSLATED, _UNCHANGED = Counted.TRANSLATED, Counted.UNCHANGED


class Plain(NamedTuple):
    """What a transaction of plain updates says, what each row is counted as, and what is to be remembered."""

    judged: list[Claim | Skipped]
    counted: list[Counted]
    remember: list[tuple[TablePlan, Key, Row, Row]]


class _Alone(NamedTuple):
    """What judging a table's plain updates needs."""

    table: TablePlan
    compiled: Compiled
    key_of: Callable[[Row], Any]
    differ: Callable[[Row, Row], int]
    updates: Updates
    flat: bool
    last_known: bool
    remembered: bool


class PlainUpdates:
    """Judge plain updates for one source."""

    def __init__(self, plan: Plan, memory: Memory, parking: ParkingLot) -> None:
        self._memory = memory
        self._parking = parking
        self._tables = {
            table.shape: _Alone(
                table,
                table.alone,
                attrgetter(*map(table.shape.field, table.shape.key)),
                table.alone.differ,
                table.alone.updates,
                table.alone.flat,
                table.last_known,
                table.remembered is not None,
            )
            for table in plan.tables.values()
            if table.alone is not None
        }

    def judge(self, rows: Sequence[RowChange]) -> Plain | None:
        """Return what a transaction says; None when a row of it is anything but a plain update that is clear.

        Nothing has been remembered or parked then: the transaction can be resolved as any other.
        """
        tables, parked = self._tables, bool(self._parking)
        said, counted, kept = found = Plain([], [], [])
        keys: list[Any] = []
        for shape, op, before, after, _, _, _, moved, whole, _ in rows:
            entry = tables.get(shape)
            if entry is None or op != "u" or not whole or moved is not None:
                return None
            table, compiled, key_of, differ, updates, flat, last_known, remembered = entry
            key = key_of(after)
            keys.append(key)
            if last_known:
                before = self._memory.row(shape.table, _cells(key))  # noqa: PLW2901 — the log's own is not believed
                if before is None:
                    return None
            elif before is None or key_of(before) != key:
                return None
            if parked and self._parking.holds(compiled.mapping.name, _cells(key)):
                return None
            if remembered:
                kept.append((table, _cells(key), before, after))
            bits = differ(before, after)
            if not bits:
                counted.append(_UNCHANGED)
                continue
            unit = None if flat else self._unit(compiled, _cells(key), before, after)
            judged = updates[bits](before, after, unit)
            if type(judged) is not list:
                return None  # it parks its key
            said += judged
            notes = compiled.skips and all(isinstance(item, Skipped) for item in judged)
            counted.append(_TRANSLATED if judged and not notes else _UNCHANGED)
        if len(set(keys)) < len(keys) and _twice(rows, keys):
            return None
        return found

    def _unit(self, compiled: Compiled, key: Key, was: Row, now: Row) -> Unit:
        return Unit(key, was, now, UNTOUCHED, self._memory, compiled.joins, compiled.mapping.root.table)


def _cells(key: Any) -> Key:
    """Return the cells of a key: a key of one column is its cell alone."""
    return key if type(key) is tuple else (key,)


def _twice(rows: Sequence[RowChange], keys: Sequence[Any]) -> bool:
    """Say whether a row changed twice; rows of several tables may have one key."""
    return len({(row.shape, key) for row, key in zip(rows, keys, strict=True)}) < len(keys)
