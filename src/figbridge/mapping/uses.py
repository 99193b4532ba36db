"""What a mapping uses: the columns behind each attribute and rule, and the attributes a condition turns on."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass

from figbridge.mapping.model import (
    Address,
    Attribute,
    Column,
    Constant,
    Decimal,
    Each,
    EventRule,
    Fallible,
    Join,
    Json,
    Kind,
    Leaf,
    Lookup,
    Mapping,
    Money,
    Node,
    Object,
    Reader,
    SnapshotRule,
)
from figbridge.mapping.when import Appears, Becomes, Changes, Condition, Disappears, Falls, Rekeyed, Rises, atoms
from figbridge.mapping.when import attribute_of as attribute_of

_CHANGE_ATOMS = (Changes, Rises, Falls, Becomes)


def columns(reader: Reader) -> Iterator[Column]:
    """Yield every column a reader reads, in reading order."""
    match reader:
        case Constant():
            return
        case Fallible(inner, _):
            yield from columns(inner)
        case Object(fields) | Each(_, fields):
            for _, item in fields:
                yield from columns(item)
        case Join(cols, _):
            yield from cols
        case Money(column, currency, _):
            yield column
            if isinstance(currency, Column):
                yield currency
        case _:
            yield reader.column


def leaves(reader: Reader) -> Iterator[Leaf]:
    """Yield every reader of a single column inside a reader."""
    match reader:
        case Fallible(inner, _):
            yield from leaves(inner)
        case Object(fields) | Each(_, fields):
            for _, each in fields:
                yield from leaves(each)
        case Join() | Constant():
            return
        case _:
            yield reader


def lookups(reader: Reader) -> Iterator[str]:
    """Yield the name of every lookup a reader uses."""
    match reader:
        case Lookup(name, _):
            yield name
        case Fallible(inner, _):
            yield from lookups(inner)
        case Object(fields) | Each(_, fields):
            for _, item in fields:
                yield from lookups(item)
        case _:
            return


def eaches(reader: Reader) -> Iterator[str]:
    """Yield the path of every relation a reader lists the rows of."""
    match reader:
        case Each(path, fields):
            yield path
            for _, item in fields:
                yield from eaches(item)
        case Fallible(inner, _):
            yield from eaches(inner)
        case Object(fields):
            for _, item in fields:
                yield from eaches(item)
        case _:
            return


def ancestors(mapping: Mapping, path: str) -> Iterator[Node]:
    """Yield the node at a path and every node above it, up to the root."""
    node = mapping.node(path)
    yield node
    while node.kind is not Kind.ROOT:
        node = mapping.node(node.parent)
        yield node


@dataclass(frozen=True, slots=True)
class Value:
    """What rules call by one name: an attribute of the root, one of a relation's row, or all rows of a relation.

    `full` is `status`, `payments.moves.kind` or `payments.moves`; `paths` are the relations whose rows it reads;
    `listed` is the relation whose rows it lists, when that is all it does. `own` says that it reads nothing but the
    rows of one node, each by itself: then it changes only with them.
    """

    full: str
    path: str
    rows: bool
    listed: str
    readers: tuple[tuple[str, Reader], ...]
    columns: tuple[Column, ...]
    paths: frozenset[str]
    own: bool


def values(mapping: Mapping) -> dict[str, Value]:
    """Return everything that rules of a mapping can name."""
    found: dict[str, Value] = {}
    for attribute in mapping.attributes:
        full = f"{attribute.path}.{attribute.name}" if attribute.path else attribute.name
        found[full] = _value(full, attribute.path, rows=False, attributes=(attribute,))
    for node in mapping.nodes[1:]:
        rows = tuple(a for a in mapping.attributes if a.path == node.path)
        if rows:
            found[node.path] = _value(node.path, node.path, rows=True, attributes=rows)
    return found


def _value(full: str, path: str, *, rows: bool, attributes: tuple[Attribute, ...]) -> Value:
    cols = tuple(dict.fromkeys(c for a in attributes for c in columns(a.reader)))
    paths = {c.path for c in cols if c.path} | {p for a in attributes for p in eaches(a.reader)}
    if path:
        paths.add(path)
    only = attributes[0].reader
    listed = path if rows else only.path if isinstance(only, Each) else ""
    home = listed or path
    own = all(c.path == home for c in cols) and paths <= {home}
    return Value(full, path, rows, listed, tuple((a.name, a.reader) for a in attributes), cols, frozenset(paths), own)


def changed_by(condition: Condition) -> tuple[str, ...]:
    """Return the attributes whose change a condition speaks for."""
    return tuple(dict.fromkeys(a.attribute for a in atoms(condition) if isinstance(a, _CHANGE_ATOMS)))


def named_by(condition: Condition) -> tuple[str, ...]:
    """Return every attribute a condition names."""
    return tuple(dict.fromkeys(n for a in atoms(condition) if (n := attribute_of(a)) is not None))


def turns_on_existence(condition: Condition) -> bool:
    """Say whether a condition has an atom that only an appearing, disappearing or re-keyed row can make true."""
    return any(isinstance(a, Appears | Disappears | Rekeyed) for a in atoms(condition))


def reaches_untouched_rows(values: Map[str, Value], rule: EventRule) -> bool:
    """Say whether a rule for each row of a relation may fire for a row that did not change itself."""
    turning = [values[name] for name in changed_by(rule.when)]
    if any(value.path != rule.path or value.rows or not value.own for value in turning):
        return True
    return not turning and not turns_on_existence(rule.when)


def told_by(rule: EventRule) -> tuple[str, ...]:
    """Return the attributes an event tells."""
    return tuple(dict.fromkeys(t.attribute for t in rule.tell))


def snapshot_tells(mapping: Mapping, rule: SnapshotRule) -> tuple[str, ...]:
    """Return the attributes a snapshot event tells: those named, or all that stand in a fact."""
    if rule.tell is not None:
        return rule.tell
    return tuple(dict.fromkeys(a for _, attributes in mapping.facts for a in attributes))


def is_scalar(value: Value) -> bool:
    """Say whether a value is one text, number or truth, so that its two sides differ just when they are not equal."""
    reader = value.readers[0][1]
    return not value.rows and not isinstance(reader, Object | Each | Money | Decimal | Fallible | Json | Address)
