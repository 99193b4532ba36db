"""Derive what the bridge must remember for a mapping, with the reason: nothing is remembered without one."""

from __future__ import annotations

from dataclasses import dataclass, field

from figbridge.mapping import uses
from figbridge.mapping.model import Before, Column, EventRule, Kind, Mapping, Node, Rule
from figbridge.mapping.rules_logic import evaluate, untouched


@dataclass(slots=True)
class TableNeed:
    """What must be remembered of one table's rows: columns and why, and by which columns rows must be found."""

    table: str
    columns: dict[str, list[str]] = field(default_factory=dict)
    indexes: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    def keep(self, columns: tuple[str, ...], why: str) -> None:
        """Add columns to remember, with the reason."""
        for column in columns:
            reasons = self.columns.setdefault(column, [])
            if why not in reasons:
                reasons.append(why)

    def index(self, columns: tuple[str, ...], why: str) -> None:
        """Add columns by which rows must be found; they are remembered too, to forget the old place of a row."""
        reasons = self.indexes.setdefault(columns, [])
        if why not in reasons:
            reasons.append(why)
        self.keep(columns, why)


class Needs:
    """What one mapping needs remembered, by table."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.values = uses.values(mapping)
        self.tables: dict[str, TableNeed] = {}
        self._before_images()
        self._ways_to_the_root()
        rules: tuple[EventRule | Rule, ...] = (*mapping.events, *mapping.never, *mapping.silent)
        for rule in rules:
            self._rule(rule)
        if mapping.snapshot is not None:
            for name in uses.snapshot_tells(mapping, mapping.snapshot):
                self._read(name, f"{mapping.snapshot.type} tells {name}")
        self._lookups()

    def table(self, name: str) -> TableNeed:
        """Return the needs of a table, made on first use."""
        return self.tables.setdefault(name, TableNeed(name))

    def _before_images(self) -> None:
        for node in self.mapping.nodes:
            if node.before is Before.LAST_KNOWN:
                used = used_columns(self.mapping, node)
                self.table(node.table).keep(used, "before: last-known")

    def _ways_to_the_root(self) -> None:
        """Keep what leads from a related row to its root, and the id of the root where that is not its key."""
        mapping = self.mapping
        relations = mapping.nodes[1:]
        if not relations:
            return
        names = tuple(c.name for c in mapping.id if isinstance(c, Column) and c.name not in mapping.root.key)
        if names:
            self.table(mapping.root.table).keep(names, f"a change of {relations[0].path} alone must say whose it is")
        for node in relations:
            parent = mapping.node(node.parent)
            if node.kind is Kind.POINTED:
                self.table(parent.table).index(node.link, f"finds who points at a row of {node.path}")
            if parent.kind is not Kind.ROOT:
                self.table(parent.table).keep(_up(parent), f"the way from {node.path} to its {mapping.aggregate}")

    def _rule(self, rule: EventRule | Rule) -> None:
        told = uses.told_by(rule) if isinstance(rule, EventRule) else ()
        what = rule.type if isinstance(rule, EventRule) else rule.text
        turning = uses.changed_by(rule.when)
        path = rule.path if isinstance(rule, EventRule) else ""
        reached = {p for name in turning for p in self.values[name].paths} | ({path} if path else set())
        if evaluate(rule.when, untouched) is not False:  # it is asked whenever anything of the aggregate changes
            reached |= {n.path for n in self.mapping.nodes[1:]}
        each = isinstance(rule, EventRule) and path != "" and uses.reaches_untouched_rows(self.values, rule)
        for name in dict.fromkeys((*told, *uses.named_by(rule.when))):
            if reached:
                self._root_columns(name, f"{what} may happen when only {', '.join(sorted(reached))} changes")
            if name in told or name not in turning or each or not self.values[name].own:
                own = "" if each else path
                self._read(name, f"{what} {'tells' if name in told else 'looks at'} {name}", own=own)
        if each:
            self._rows(self.mapping.node(path), f"{what} happens once per row of {path}")

    def _root_columns(self, name: str, why: str) -> None:
        names = tuple(c.name for c in self.values[name].columns if not c.path and c.name not in self.mapping.root.key)
        if names:
            self.table(self.mapping.root.table).keep(names, why)

    def _read(self, name: str, why: str, *, own: str = "") -> None:
        """Remember the related rows that a value reads, as they may be older than the transaction.

        Not those at `own`: a row that a rule judges by itself is in the transaction.
        """
        value = self.values[name]
        for path in sorted(value.paths):
            if path == own and not value.rows:
                continue
            node = self.mapping.node(path)
            wanted = tuple(c.name for c in value.columns if c.path == path)
            self.table(node.table).keep(wanted or node.key, why)
            self._rows(node, why)

    def _rows(self, node: Node, why: str) -> None:
        """Remember how to reach a relation's rows from the root."""
        for step in uses.ancestors(self.mapping, node.path):
            if step.kind is Kind.BELONGS:
                self.table(step.table).index(step.link, why)
            elif step.kind is Kind.POINTED:
                self.table(step.table).keep(step.key, why)

    def _lookups(self) -> None:
        used = {n for a in self.mapping.attributes for n in uses.lookups(a.reader)}
        for lookup in self.mapping.lookups:
            if lookup.name in used:
                self.table(lookup.table).keep((lookup.key, lookup.gives), f"lookup {lookup.name}")


def _up(node: Node) -> tuple[str, ...]:
    """Return the columns of a node's own row that lead to its parent."""
    return node.link if node.kind is Kind.BELONGS else node.key


def used_columns(mapping: Mapping, node: Node) -> tuple[str, ...]:
    """Return the columns of a node that the mapping uses, its key first, in a stable order."""
    found = dict.fromkeys(node.key)
    if node.kind is Kind.BELONGS:
        found.update(dict.fromkeys(node.link))
    for other in mapping.nodes:
        if other.parent == node.path and other.kind is Kind.POINTED:
            found.update(dict.fromkeys(other.link))
    if node.kind is Kind.ROOT:
        found.update(dict.fromkeys(c.name for c in mapping.id if isinstance(c, Column)))
    for attribute in mapping.attributes:
        found.update(dict.fromkeys(c.name for c in uses.columns(attribute.reader) if c.path == node.path))
    return tuple(found)
