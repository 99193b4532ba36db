"""Lint against live tables: every column is spoken for, exists, and can be read."""

from __future__ import annotations

from collections.abc import Iterator

from figbridge.errors import Finding, Place
from figbridge.mapping import model as m
from figbridge.mapping import uses
from figbridge.mapping.loader import Documents
from figbridge.mapping.nodes import did_you_mean
from figbridge.mapping.rules_facts import full_name
from figbridge.mapping.rules_types import TableColumn, Tables, can_read, readable
from figbridge.mapping.uses import columns


def used_columns(mapping: m.Mapping) -> Iterator[tuple[str, str, Place]]:
    """Yield table, column and place of every column that a mapping speaks for."""
    tables = {node.path: node.table for node in mapping.nodes}
    for node in mapping.nodes:
        for name in node.key:
            yield node.table, name, node.place
        owner = node.table if node.kind is m.Kind.BELONGS else tables[node.parent]
        for name in node.link:
            yield owner, name, node.place
    for lookup in mapping.lookups:
        yield lookup.table, lookup.key, lookup.place
        yield lookup.table, lookup.gives, lookup.place
    for part in mapping.id:
        if isinstance(part, m.Column):
            yield mapping.root.table, part.name, mapping.places[f"id:{part}"]
    for attribute in mapping.attributes:
        for column in columns(attribute.reader):
            yield tables[column.path], column.name, _place(mapping, attribute, column)
    for kind, named in (("noise", mapping.noise), ("unused", [column for column, _ in mapping.unused])):
        for column in named:
            yield tables[column.path], column.name, mapping.places[f"{kind}:{column}"]


def _place(mapping: m.Mapping, attribute: m.Attribute, column: m.Column) -> Place:
    return mapping.places.get(f"read.{full_name(attribute)}:{column}", attribute.place)


def tables_and_columns_exist(documents: Documents, tables: Tables) -> Iterator[Finding]:
    """Demand that every table and column that a document names is there, and that a key is the table's primary key."""
    for mapping in documents.mappings:
        named = [(node.table, node.place) for node in mapping.nodes]
        named += [(lookup.table, lookup.place) for lookup in mapping.lookups]
        for table, place in named:
            yield from _missing_table(table, place, tables)
        for table, name, place in used_columns(mapping):
            yield from _missing_column(table, name, place, tables)
        paths = {node.path: node.table for node in mapping.nodes}
        for column in mapping.safe:
            yield from _missing_column(paths[column.path], column.name, mapping.places[f"safe:{column}"], tables)
        for node in mapping.nodes:
            key = tuple(c.name for c in sorted(tables.get(node.table, ()), key=lambda c: c.key) if c.key)
            if key and sorted(key) != sorted(node.key):
                message = f"the key of {node.table} is {', '.join(key)}, not {', '.join(node.key)}"
                yield Finding(node.place, "MAP034", message)
    for service in documents.services:
        yield from _missing_table(service.table, service.place, tables)
        for name in (service.key, *service.columns.values()):
            yield from _missing_column(service.table, name, service.place, tables)


def _missing_table(table: str, place: Place, tables: Tables) -> Iterator[Finding]:
    if table not in tables:
        yield Finding(place, "MAP030", f"the database has no table `{table}`", did_you_mean(table, tables))


def _missing_column(table: str, name: str, place: Place, tables: Tables) -> Iterator[Finding]:
    names = [column.name for column in tables.get(table, ())]
    if table in tables and name not in names:
        yield Finding(place, "MAP032", f"{table} has no column `{name}`", did_you_mean(name, names))


def every_column_is_spoken_for(documents: Documents, tables: Tables) -> Iterator[Finding]:
    """Demand that every column of an aggregate's tables is a key, read, noise or unused, in one of the mappings."""
    spoken = {(table, name) for mapping in documents.mappings for table, name, _ in used_columns(mapping)}
    homes: dict[str, m.Node] = {}
    for mapping in documents.mappings:
        for node in mapping.nodes:
            known = homes.get(node.table)
            if known is None or (known.kind is not m.Kind.ROOT and node.kind is m.Kind.ROOT):
                homes[node.table] = node
    for table, node in homes.items():
        silent = [column.name for column in tables.get(table, ()) if (table, column.name) not in spoken]
        if silent:
            message = f"columns of {table} that nobody speaks for: {', '.join(silent)}"
            yield Finding(node.place, "MAP031", message, "read them, or list them under `noise` or `unused`")


def readers_fit_types(documents: Documents, tables: Tables) -> Iterator[Finding]:
    """Demand that a reader can read the type of its column."""
    for mapping in documents.mappings:
        for attribute in mapping.attributes:
            for leaf in uses.leaves(attribute.reader):
                column = _column(mapping, leaf.column, tables)
                if column is not None and not can_read(type(leaf), column.type):
                    name = type(leaf).__name__.lower()
                    message = f"`{name}` cannot read `{column.name}`, which is {column.type}"
                    place = _place(mapping, attribute, leaf.column)
                    yield Finding(place, "MAP033", message, f"`{name}` reads {readable(type(leaf))}")


def _column(mapping: m.Mapping, column: m.Column, tables: Tables) -> TableColumn | None:
    described = tables.get(mapping.node(column.path).table, ())
    return next((each for each in described if each.name == column.name), None)
