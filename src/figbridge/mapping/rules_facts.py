"""Lint of what a mapping declares: facts, columns, relations, write-back."""

from __future__ import annotations

from collections.abc import Iterator

from figbridge.errors import Finding
from figbridge.mapping.model import Attribute, Column, Mapping
from figbridge.mapping.nodes import did_you_mean
from figbridge.mapping.parse_names import join
from figbridge.mapping.uses import columns, eaches, lookups


def full_name(attribute: Attribute) -> str:
    """Return an attribute's full name, as conditions hold it."""
    return join(attribute.path, attribute.name)


def owned_name(attribute: Attribute) -> str:
    """Return the name by which a fact holds an attribute: rows are owned as a whole."""
    return attribute.path or attribute.name


def every_attribute_is_in_one_fact(mapping: Mapping) -> Iterator[Finding]:
    """Demand that every attribute is in exactly one fact: in none nobody owns it, in two there may be two owners."""
    first: dict[str, str] = {}
    for fact, names in mapping.facts:
        for name in names:
            if name in first:
                place = mapping.places[f"facts.{fact}:{name}"]
                where = "stands twice" if first[name] == fact else f"is in {first[name]} already"
                yield Finding(place, "MAP002", f"`{name}` {where}", "an attribute is in one fact")
            first.setdefault(name, fact)
    seen: set[str] = set()
    for attribute in mapping.attributes:
        name = owned_name(attribute)
        if name not in first and name not in seen:
            hint = "add it to the fact that it is owned with"
            yield Finding(attribute.place, "MAP001", f"`{name}` is in no fact", hint)
        seen.add(name)


def write_back_is_the_inverse_of_read(mapping: Mapping) -> Iterator[Finding]:
    """Demand that what is written back is an attribute of the fact, into a column that it is read from."""
    facts = dict(mapping.facts)
    reads = {full_name(a): {str(c) for c in columns(a.reader)} for a in mapping.attributes}
    for fact, pairs in mapping.write_back:
        for name, column in pairs:
            place = mapping.places[f"write_back.{fact}:{name}"]
            if name not in facts.get(fact, ()):
                hint = did_you_mean(name, facts.get(fact, ()))
                yield Finding(place, "MAP019", f"`{name}` is not of {fact}", hint)
            if name in reads and column not in reads[name]:
                message = f"`{name}` is not read from `{column}`"
                yield Finding(place, "MAP019", message, did_you_mean(column, reads[name]))


def columns_are_mentioned_once(mapping: Mapping) -> Iterator[Finding]:
    """Demand that a column is one of read, noise or unused. The columns of the id are read."""
    ids = {part for part in mapping.id if isinstance(part, Column)}
    read = {column for attribute in mapping.attributes for column in columns(attribute.reader)}
    noise = set(mapping.noise)
    kinds = [("noise", column) for column in mapping.noise] + [("unused", column) for column, _ in mapping.unused]
    for kind, column in kinds:
        place = mapping.places[f"{kind}:{column}"]
        if column in ids:
            yield Finding(place, "MAP010", f"`{column}` is {kind} and part of the id", f"take it out of `{kind}`")
        elif column in read:
            yield Finding(place, "MAP008", f"`{column}` is {kind} and read", f"take it out of `{kind}`")
        elif kind == "unused" and column in noise:
            yield Finding(place, "MAP008", f"`{column}` is noise and unused", "noise is enough")


def everything_declared_is_used(mapping: Mapping) -> Iterator[Finding]:
    """Demand that a relation is read or judged, or leads to one that is, and that a code table is looked up in."""
    used = {event.path for event in mapping.events} | {attribute.path for attribute in mapping.attributes}
    tables: set[str] = set()
    for attribute in mapping.attributes:
        used |= {column.path for column in columns(attribute.reader)} | set(eaches(attribute.reader))
        tables |= set(lookups(attribute.reader))
    for node in mapping.nodes[1:]:
        if not any(path == node.path or path.startswith(f"{node.path}.") for path in used):
            yield Finding(node.place, "MAP009", f"nothing uses the relation `{node.path}`", "read it, or take it out")
    for lookup in mapping.lookups:
        if lookup.name not in tables:
            hint = "read it, or take it out"
            yield Finding(lookup.place, "MAP009", f"nothing uses the code table `{lookup.name}`", hint)
