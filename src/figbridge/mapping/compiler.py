"""Compile mappings to a plan: for each table the row shape and what to remember, for each mapping its functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from figbridge.domain.change import Key, Row, RowShape
from figbridge.domain.claim import Claim
from figbridge.errors import ConfigurationError, Finding
from figbridge.mapping.code_rules import generated, generated_update
from figbridge.mapping.judged import Park, Skipped
from figbridge.mapping.model import Before, Column, Fallible, Instant, Judge, Kind, Mapping, Node, Service, Unsure
from figbridge.mapping.needs import Needs, TableNeed, used_columns
from figbridge.mapping.rows import make_shape
from figbridge.mapping.unit import Join, Unit

Judged = Park | Iterable[Claim | Skipped]

Update = Callable[[Row, Row, Unit | None], Judged]
"""Judge an update of the root row that touches nothing else, from both its images. The unit may be None in a mapping
that is `flat`."""


class Updates(dict[int, Update]):
    """What judges a plain update, by the bits of values that may differ; each is written when it is first asked for.

    A table knows few sets of columns that change together, so the few that come are straight-line code of what they
    can mean, and no code is written for the millions that never come (docs/adr/0024).
    """

    def __init__(self, write: Callable[[int], Update]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, differing: int) -> Update:
        if len(self) >= _VARIANTS:
            self.clear()
        update = self[differing] = self._write(differing)
        return update


_VARIANTS = 1024
"""So many variants of one mapping are kept: some ten megabytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """One mapping as code: `judge(unit)` and `state(unit)`; `source` is the generated text."""

    mapping: Mapping
    judge: Callable[[Unit], Judged]
    state: Callable[[Unit], Judged]
    joins: Map[str, Join]
    source: str
    trace: Callable[[Unit, list[tuple[str, bool | None]]], Judged]
    """As `judge`, and appends (rule, outcome) to its second argument."""
    flat: bool
    """True when the mapping reads its root's row and no other."""
    skips: bool
    """True when a rule that stays unknown is skipped: then there may be notes among the claims."""
    differ: Callable[[Row, Row], int]
    """Compare two images of the root row; gives the bits of values that may differ."""
    updates: Updates


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """What a table is in one mapping."""

    compiled: Compiled
    node: Node


@dataclass(slots=True, eq=False)
class TablePlan:
    """What the bridge does with one table's rows: their shape, their roles, what is remembered of them and why."""

    shape: RowShape
    key_of: Callable[[Row], Key]
    last_known: bool
    roles: tuple[Role, ...]
    need: TableNeed
    remembered: Callable[[Row], Any] | None
    """Return the remembered cells of a row, to see whether they changed; None when nothing is remembered."""
    indexes: Map[tuple[str, ...], Callable[[Row], Key]]
    service: Service | None = None
    alone: Compiled | None = None
    """The only mapping that uses the table, as its root and nothing else: its plain updates need no resolving."""

    def reduced(self, row: Row) -> Row:
        """Return a row with only the cells that are remembered."""
        kept = {self.shape.field(c) for c in self.need.columns}
        kept |= {self.shape.field(c) for c in self.shape.key}
        return self.shape.row_type(**{f: getattr(row, f) for f in kept})


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Everything the pipeline needs of the mappings."""

    tables: Map[str, TablePlan]
    mappings: Map[str, Compiled]
    services: Map[str, Service] = field(default_factory=dict)

    def shapes(self) -> dict[str, RowShape]:
        """Return the shapes of all tables, for a decoder."""
        return {name: table.shape for name, table in self.tables.items()}

    def epoch_columns(self) -> dict[str, frozenset[str]]:
        """Return the columns read as instants, by table: exactly 1970 in a deleted row is an invention (verified)."""
        found: dict[str, set[str]] = {}
        for compiled in self.mappings.values():
            for attribute in compiled.mapping.attributes:
                reader = attribute.reader
                while isinstance(reader, Fallible):
                    reader = reader.reader
                if isinstance(reader, Instant):
                    table = compiled.mapping.node(reader.column.path).table
                    found.setdefault(table, set()).add(reader.column.name)
        return {table: frozenset(columns) for table, columns in found.items()}

    def safe_columns(self) -> dict[str, frozenset[str]]:
        """Return the columns that a mapping declares safe, by table."""
        found: dict[str, set[str]] = {}
        for compiled in self.mappings.values():
            for column in compiled.mapping.safe:
                found.setdefault(compiled.mapping.node(column.path).table, set()).add(column.name)
        return {table: frozenset(columns) for table, columns in found.items()}

    def versions(self, table: str | None = None) -> dict[str, int]:
        """Return name → version of the mappings and services that speak about a table; of all of them without one."""
        found: dict[str, int] = {}
        for name, compiled in self.mappings.items():
            used = {n.table for n in compiled.mapping.nodes} | {t.table for t in compiled.mapping.lookups}
            if table is None or table in used:
                found[name] = compiled.mapping.version
        for service in self.services.values():
            if table is None or table == service.table:
                found[service.name] = service.version
        return found

    def full_identity(self) -> tuple[str, ...]:
        """Return the tables whose changes must carry the whole row before (REPLICA IDENTITY FULL)."""
        return tuple(
            t for t, plan in self.tables.items() if plan.service is None and plan.roles and not plan.last_known
        )

    def snapshot_order(self) -> tuple[str, ...]:
        """Return the tables in the order of a snapshot: lookups first, related rows before their roots."""

        def rank(table: str) -> int:
            roles = self.tables[table].roles
            if not roles:
                return 0
            return 2 if any(r.node.kind is Kind.ROOT for r in roles) else 1

        return tuple(sorted(self.tables, key=rank))


def compile_plan(mappings: Iterable[Mapping], services: Iterable[Service] = ()) -> Plan:
    """Compile mappings and services. Raises ConfigurationError when two mappings contradict each other on a table."""
    mappings, services = tuple(mappings), tuple(services)
    columns, keys = _columns(mappings, services)
    shapes = {table: make_shape(table, keys[table], cols) for table, cols in columns.items()}
    refs = _prefixes(mappings)
    compiled = {m.name: _compile(m, shapes, refs) for m in mappings}
    needs = _merged(mappings)
    _all_of_last_known(needs, mappings)
    tables: dict[str, TablePlan] = {}
    for table, shape in shapes.items():
        roles = tuple(Role(c, n) for c in compiled.values() for n in c.mapping.nodes if n.table == table)
        need = needs.get(table, TableNeed(table))
        tables[table] = TablePlan(
            shape=shape,
            key_of=cells_of(shape, shape.key),
            last_known=any(r.node.before is Before.LAST_KNOWN for r in roles),
            roles=roles,
            need=need,
            remembered=attrgetter(*(shape.field(c) for c in need.columns)) if need.columns else None,
            indexes={cols: cells_of(shape, cols) for cols in need.indexes},
            service=next((s for s in services if s.table == table), None),
            alone=_alone(roles, table, mappings, services),
        )
    return Plan(tables, compiled, {s.name: s for s in services})


def _alone(
    roles: tuple[Role, ...], table: str, mappings: tuple[Mapping, ...], services: tuple[Service, ...]
) -> Compiled | None:
    elsewhere = {s.table for s in services} | {t.table for m in mappings for t in m.lookups}
    if len(roles) != 1 or roles[0].node.kind is not Kind.ROOT or table in elsewhere:
        return None
    compiled = roles[0].compiled
    return compiled if compiled.mapping.judge is Judge.NET else None


def cells_of(shape: RowShape, columns: tuple[str, ...]) -> Callable[[Row], Key]:
    """Return a function from a row to the tuple of some of its cells."""
    fields = [shape.field(c) for c in columns]
    if len(fields) == 1:
        get = attrgetter(fields[0])
        return lambda row: (get(row),)
    return attrgetter(*fields)


def _columns(
    mappings: tuple[Mapping, ...], services: tuple[Service, ...]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return, for each table, the columns that anything uses, and its key."""
    columns: dict[str, dict[str, None]] = {}
    keys: dict[str, tuple[str, ...]] = {}
    findings: list[Finding] = []
    for mapping in mappings:
        for node in mapping.nodes:
            known = keys.setdefault(node.table, node.key)
            if known != node.key:
                message = f"the key of {node.table} is ({', '.join(known)}) in another place"
                findings.append(Finding(node.place, "MAP090", message, "one table has one primary key"))
            columns.setdefault(node.table, {}).update(dict.fromkeys(used_columns(mapping, node)))
        for lookup in mapping.lookups:
            known = keys.setdefault(lookup.table, (lookup.key,))
            if known != (lookup.key,):
                message = f"the key of {lookup.table} is ({', '.join(known)}) in another place"
                findings.append(Finding(lookup.place, "MAP090", message, "one table has one primary key"))
            columns.setdefault(lookup.table, {}).update({lookup.key: None, lookup.gives: None})
    for service in services:
        keys.setdefault(service.table, (service.key,))
        columns.setdefault(service.table, {}).update(dict.fromkeys((service.key, *service.columns.values())))
    if findings:
        raise ConfigurationError(findings)
    return {t: tuple(c) for t, c in columns.items()}, keys


def _prefixes(mappings: tuple[Mapping, ...]) -> dict[str, str]:
    """Return the id prefix of each aggregate whose id is a text and its key: what a ref to it is made of."""
    found = {}
    for mapping in mappings:
        match mapping.id:
            case (str() as prefix, Column(name=name)) if (name,) == mapping.root.key:
                found[mapping.aggregate] = prefix
            case _:
                pass
    return found


def _merged(mappings: tuple[Mapping, ...]) -> dict[str, TableNeed]:
    merged: dict[str, TableNeed] = {}
    for mapping in mappings:
        for table, need in Needs(mapping).tables.items():
            into = merged.setdefault(table, TableNeed(table))
            for column, reasons in need.columns.items():
                for why in reasons:
                    into.keep((column,), f"{mapping.name}: {why}")
            for columns, reasons in need.indexes.items():
                for why in reasons:
                    into.index(columns, f"{mapping.name}: {why}")
    return merged


def _all_of_last_known(needs: dict[str, TableNeed], mappings: tuple[Mapping, ...]) -> None:
    """Where one mapping takes a table's rows from the state, remember what any mapping reads of them."""
    nodes = [(mapping, node) for mapping in mappings for node in mapping.nodes]
    last_known = {node.table for _, node in nodes if node.before is Before.LAST_KNOWN}
    for mapping, node in nodes:
        if node.table in last_known and node.before is Before.REQUIRED:
            why = f"{mapping.name}: before: last-known, in another mapping"
            needs[node.table].keep(used_columns(mapping, node), why)


def _compile(mapping: Mapping, shapes: Map[str, RowShape], refs: Map[str, str]) -> Compiled:
    text, names = generated(mapping, shapes, refs, trace=False)
    joins = {n.path: _join(mapping, n, shapes) for n in mapping.nodes[1:]}
    return Compiled(
        mapping=mapping,
        judge=names["judge"],
        state=names["state"],
        joins=joins,
        source=text,
        trace=_traced(mapping, shapes, refs),
        flat=not joins and not mapping.lookups,
        skips=mapping.unsure is Unsure.SKIP,
        differ=names["differ"],
        updates=Updates(lambda differing: generated_update(mapping, shapes, refs, differing)[1]),
    )


def _traced(mapping: Mapping, shapes: Map[str, RowShape], refs: Map[str, str]) -> Callable[..., Judged]:
    """Return the `judge` that tells what each rule gave; it is written when it is first called: few processes ask."""
    written: list[Callable[..., Judged]] = []

    def trace(unit: Unit, rules: list[tuple[str, bool | None]]) -> Judged:
        if not written:
            written.append(generated(mapping, shapes, refs, trace=True)[1]["judge"])
        return written[0](unit, rules)

    return trace


def _join(mapping: Mapping, node: Node, shapes: Map[str, RowShape]) -> Join:
    parent = mapping.node(node.parent)
    own, above = shapes[node.table], shapes[parent.table]
    belongs = node.kind is Kind.BELONGS
    return Join(
        path=node.path,
        parent=node.parent,
        table=node.table,
        parent_table=parent.table,
        columns=node.link,
        belongs=belongs,
        key_of=cells_of(own, node.key),
        parent_key_of=cells_of(above, parent.key),
        link_of=cells_of(own if belongs else above, node.link),
    )
