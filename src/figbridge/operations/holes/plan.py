"""How a suspect is checked: which tables, and which rows of them must be looked at for nothing to be missed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from figbridge.domain.change import Key
from figbridge.domain.fact import LEGACY
from figbridge.mapping.compiler import Plan
from figbridge.operations.holes.look import Hole
from figbridge.pipeline.collect import Doubt
from figbridge.pipeline.edge import Edge
from figbridge.ports import RowReader


class Method(StrEnum):
    """Name which rows of the database are held against the log."""

    COMMIT_TIME = "commit-time"
    """Those whose newest version was committed when the suspect was: a look at few rows, on PostgreSQL."""
    KEYS = "keys"
    """Those that the log itself names."""
    TABLES = "tables"
    """All rows of its tables, and all rows that the log has of them: finds deletions too."""


_RESTART = frozenset({Doubt.RESTARTED, Doubt.KEY_CHANGE_TORN})
"""A restart loses rows that share a position with a row that came: of a COPY's page, or the `c` of a changed key. No
deletion is among them (verified)."""


@dataclass(frozen=True, slots=True)
class Look:
    """What to read of the database."""

    method: Method
    tables: tuple[str, ...]
    at_us: int = 0
    keys: tuple[tuple[str, Key], ...] = ()


def look_of(hole: Hole, plan: Plan, edge: Edge, database: RowReader) -> Look:
    """Return how a suspect is checked."""
    tables = tuple(t for t in hole.tables or tables_of(plan, edge, hole.source) if t in plan.tables)
    doubts = {suspect.doubt for suspect in hole.doubts}
    first = hole.doubts[0]
    if doubts <= _RESTART:
        if first.at_us and database.commit_time(first.tx) == first.at_us:
            return Look(Method.COMMIT_TIME, tables, at_us=first.at_us)
        if doubts == {Doubt.KEY_CHANGE_TORN}:
            keys = tuple(key for suspect in hole.doubts for key in suspect.keys)
            return Look(Method.KEYS, tables, keys=keys)
    return Look(Method.TABLES, tables)


def tables_of(plan: Plan, edge: Edge, source: str) -> tuple[str, ...]:
    """Return every table that a source, or a stream of one, is captured for."""
    if source in edge.splits:
        return tuple(table for table in plan.tables if table in edge.splits[source].tables)
    if source == LEGACY:
        return tuple(table for table, found in plan.tables.items() if found.service is None)
    service = plan.services.get(source)
    return () if service is None else (service.table,)
