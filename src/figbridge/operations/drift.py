"""Hold the mappings against the live tables: what they read must be there, and what is there must be spoken for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from figbridge.errors import Refused
from figbridge.mapping.compiler import Plan
from figbridge.mapping.model import Column


class LiveColumn(Protocol):
    """A column as the database has it."""

    @property
    def name(self) -> str:
        """Return its name."""


class LiveTable(Protocol):
    """A table as the database has it."""

    @property
    def columns(self) -> Iterable[LiveColumn]:
        """Return its columns."""

    @property
    def key(self) -> tuple[str, ...]:
        """Return the columns of its primary key; empty without one."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One column that a live table has and no mapping speaks for: it is read by nobody, which may be an oversight."""

    table: str
    message: str


def drifted(plan: Plan, live: Mapping[str, LiveTable], tables: Iterable[str]) -> tuple[Drift, ...]:
    """Return what the live tables have beyond the mappings.

    Raises Refused when a table or a column that a mapping reads is not there, or its primary key is another: such a
    bridge would only park.
    """
    found: list[Drift] = []
    for name in tables:
        table, shape = live.get(name), plan.tables[name].shape
        if table is None:
            raise Refused(
                f"there is no table {name}", hint="mind the schema and the spelling in mappings/", code="DRF001"
            )
        columns = [c.name for c in table.columns]
        missing = [c for c in shape.columns if c not in columns]
        if missing:
            hint = "the table was changed, or the mapping is misspelt: figbridge mapping lint"
            raise Refused(f"{name} has no column {', '.join(missing)}", hint=hint, code="DRF002")
        if set(table.key) != set(shape.key):
            have = ", ".join(table.key) or "none"
            raise Refused(
                f"the primary key of {name} is {have}, not {', '.join(shape.key)}", hint="mend `key:`", code="DRF003"
            )
        if not plan.tables[name].roles:
            continue  # of a lookup table or an outbox only what is read matters
        unspoken = [c for c in columns if c not in spoken_for(plan, name)]
        if unspoken:
            found.append(
                Drift(name, f"nobody speaks for {', '.join(unspoken)}: read it, or list it as noise or unused")
            )
    return tuple(found)


def spoken_for(plan: Plan, table: str) -> set[str]:
    """Return the columns of a table that mappings and services read, or say why they do not."""
    found = set(plan.tables[table].shape.columns)
    for compiled in plan.mappings.values():
        mapping = compiled.mapping
        columns: list[Column] = [*mapping.noise, *(c for c, _ in mapping.unused)]
        found |= {c.name for c in columns if mapping.node(c.path).table == table}
    return found
