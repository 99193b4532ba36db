"""Describe a mapping: what it reads, what it says, and what must be remembered for it, with the reason and the cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from figbridge.mapping.compiler import Plan
from figbridge.mapping.grammar import unparse
from figbridge.mapping.needs import Needs


@dataclass(frozen=True, slots=True)
class Remembered:
    """One thing that is remembered, and the first reason for it."""

    table: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class EventShown:
    """One event: the fact it is about and when it happens."""

    type: str
    fact: str
    when: str


@dataclass(frozen=True, slots=True)
class Described:
    """A mapping for people."""

    mapping: str
    version: int
    aggregate: str
    table: str
    facts: Mapping[str, tuple[str, ...]]
    events: tuple[EventShown, ...]
    remembers: tuple[Remembered, ...]
    cost: str


def described(plan: Plan, name: str) -> Described:
    """Describe one mapping of a plan; raises KeyError."""
    mapping = plan.mappings[name].mapping
    needs = Needs(mapping)
    remembers: list[Remembered] = []
    for need in needs.tables.values():
        by_reason: dict[str, list[str]] = {}
        for column, reasons in need.columns.items():
            by_reason.setdefault("; ".join(reasons), []).append(column)
        remembers += [Remembered(need.table, ", ".join(cols), why) for why, cols in by_reason.items()]
        remembers += [
            Remembered(need.table, f"index by {', '.join(cols)}", "; ".join(reasons))
            for cols, reasons in need.indexes.items()
        ]
    return Described(
        mapping=name,
        version=mapping.version,
        aggregate=mapping.aggregate,
        table=mapping.root.table,
        facts=dict(mapping.facts),
        events=tuple(
            EventShown(e.type, e.fact, f"for each {e.path}: {unparse(e.when)}" if e.path else unparse(e.when))
            for e in mapping.events
        ),
        remembers=tuple(remembers),
        cost=_cost(needs),
    )


def _cost(needs: Needs) -> str:
    """Say what remembering costs: entries of state per row, and when they are written."""
    if not needs.tables:
        return "none"
    parts = [
        f"{1 + len(n.indexes)} {'entry' if not n.indexes else 'entries'} a row of {n.table}"
        for n in needs.tables.values()
        if n.columns
    ]
    return ", ".join(parts) + "; written when a remembered column changes"
