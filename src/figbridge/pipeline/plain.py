"""Recognise transactions of plain updates: whole images of different root rows that keep their keys.

Each such row is its aggregate's whole change, so there is nothing to net and nothing to resolve.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from figbridge.domain.change import Key, Row, RowChange
from figbridge.mapping.compiler import Compiled, Plan, TablePlan
from figbridge.mapping.unit import UNTOUCHED, Memory, Unit
from figbridge.pipeline.parking import ParkingLot

Work = tuple[TablePlan, Compiled, Key, Row, Row, int]
"""A table, the mapping whose root it is, the row's key and both images, and the bits of values that may differ."""


class PlainUpdates:
    """Recognise plain updates for one source."""

    def __init__(self, plan: Plan, memory: Memory, parking: ParkingLot) -> None:
        self._memory = memory
        self._parking = parking
        self._tables = {
            name: (table, table.alone, attrgetter(*(table.shape.field(c) for c in table.shape.key)), table.alone.differ)
            for name, table in plan.tables.items()
            if table.alone is not None
        }

    def work(self, rows: list[RowChange]) -> list[Work] | None:
        """Return what there is to judge in a transaction; None when a row of it is anything but a plain update."""
        tables, parking, several = self._tables, self._parking, len(rows) > 1
        found: list[Work] = []
        seen: set[Any] = set()
        for shape, op, before, after, _, _, _, _, _, _, _, moved, whole in rows:
            entry = tables.get(shape.table)
            if entry is None or op != "u" or not whole or moved is not None:
                return None
            table, compiled, key_of, differ = entry
            key = key_of(after)
            cells = key if type(key) is tuple else (key,)
            if table.last_known:
                before = self._memory.row(shape.table, cells)  # noqa: PLW2901 — the log's own is not believed
                if before is None:
                    return None
            elif before is None or key_of(before) != key:
                return None
            if several:
                if (table, key) in seen:
                    return None
                seen.add((table, key))
            if parking and parking.holds(compiled.mapping.name, cells):
                return None
            found.append((table, compiled, cells, before, after, differ(before, after)))
        return found

    def unit(self, compiled: Compiled, key: Key, was: Row, now: Row) -> Unit:
        """Return the unit of a plain update."""
        return Unit(key, was, now, UNTOUCHED, self._memory, compiled.joins, compiled.mapping.root.table)
