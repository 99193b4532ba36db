"""A mapping as values: what the loader makes of a YAML document and the compiler makes code of."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from figbridge.errors import Place
from figbridge.mapping.when import Condition


class Before(StrEnum):
    """Say where a row's image before a change comes from."""

    REQUIRED = "required"
    """From the log: REPLICA IDENTITY FULL, or a binlog with full row images."""
    LAST_KNOWN = "last-known"
    """From the state: the record's own `before` is never believed."""


class Judge(StrEnum):
    """Say what is judged: the transaction's net change of an aggregate, or change by change."""

    NET = "net"
    EACH = "each"


class Unsure(StrEnum):
    """Say what happens when a rule stays unknown."""

    PARK = "park"
    SKIP = "skip"


class Otherwise(StrEnum):
    """Say what a value becomes that its reader cannot read."""

    PARK = "park"
    RAW = "raw"
    NULL = "null"


class Kind(StrEnum):
    """Say how a related row hangs on its parent."""

    ROOT = "root"
    BELONGS = "belongs"
    """The row names its parent's key: many rows, or none."""
    POINTED = "pointed"
    """The parent names the row's key: one row, or none."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the row at a path; the path of the root is empty."""

    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.path}.{self.name}" if self.path else self.name


@dataclass(frozen=True, slots=True)
class Node:
    """A table in the shape of an aggregate: the root, or a relation at a dotted path such as `payments.moves`.

    `link` are the columns that join it to its parent, in the order of the key they hold: for BELONGS columns of this
    table that hold the parent's key, for POINTED columns of the parent that hold this table's key; empty for the root.
    """

    path: str
    table: str
    key: tuple[str, ...]
    kind: Kind
    parent: str
    link: tuple[str, ...]
    before: Before
    place: Place


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A code table in the database: the row with this key gives a column's value."""

    name: str
    table: str
    key: str
    gives: str
    place: Place


# --- readers: columns → values ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plain:
    """The cell as Debezium gives it."""

    column: Column


@dataclass(frozen=True, slots=True)
class Text:
    """Text; `trim` is none, left, right or both (char(n) columns are padded on PostgreSQL)."""

    column: Column
    trim: str = "none"


@dataclass(frozen=True, slots=True)
class Int:
    """A whole number."""

    column: Column


@dataclass(frozen=True, slots=True)
class Decimal:
    """A decimal number, kept as the text that the source wrote."""

    column: Column


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its currency: {"amount": "19.90", "currency": "EUR"}. `minor` > 0 says that the column counts
    10^-minor units as a whole number."""

    column: Column
    currency: str | Column
    minor: int = 0


@dataclass(frozen=True, slots=True)
class Bool:
    """True or false; `of` gives the meaning of codes, without it a JSON boolean or 0 and 1 are read."""

    column: Column
    of: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """A code with its meaning; codes are compared without surrounding blanks."""

    column: Column
    of: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The meaning of an id, from a code table in the database."""

    lookup: str
    column: Column


@dataclass(frozen=True, slots=True)
class Ref:
    """The id of another aggregate."""

    aggregate: str
    column: Column


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant in UTC, from a wall clock (number in `unit`: us, ms, ns, s) in `zone`, or from text with a zone.
    `fold` says which of two equal wall clocks is meant in the hour that autumn repeats."""

    column: Column
    zone: str
    unit: str = "us"
    fold: str = "earlier"


@dataclass(frozen=True, slots=True)
class Date:
    """A date, from days since 1970 or ISO text."""

    column: Column


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, from microseconds since midnight (or `unit`) or ISO text."""

    column: Column
    unit: str = "us"


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON document, parsed."""

    column: Column


@dataclass(frozen=True, slots=True)
class Uuid:
    """A UUID in its canonical form."""

    column: Column


@dataclass(frozen=True, slots=True)
class Address:
    """A free-text address: one line a pattern of names, e.g. `street`, `postcode city`; the last name of a line takes
    the rest of the line."""

    column: Column
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Several columns as one text, joined by `by`; null and empty ones are left out."""

    columns: tuple[Column, ...]
    by: str = " "


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same value."""

    value: str


@dataclass(frozen=True, slots=True)
class Object:
    """Several values under names."""

    fields: tuple[tuple[str, Reader], ...]


@dataclass(frozen=True, slots=True)
class Each:
    """A list with one object for each row of a relation, in the order of the rows' keys. Columns in `fields` have
    the relation's path (or that of a row above or pointed to)."""

    path: str
    fields: tuple[tuple[str, Reader], ...]


@dataclass(frozen=True, slots=True)
class Fallible:
    """A reader with what a value becomes that it cannot read; without this wrapper it is PARK."""

    reader: Reader
    otherwise: Otherwise


Leaf: TypeAlias = (
    Plain | Text | Int | Decimal | Money | Bool | Code | Lookup | Ref | Instant | Date | Time | Json | Uuid | Address
)
Reader: TypeAlias = Leaf | Join | Constant | Object | Each | Fallible


@dataclass(frozen=True, slots=True)
class Attribute:
    """A value of the aggregate in the domain's terms (`path` empty), or of each row of a relation (`path` given)."""

    path: str
    name: str
    reader: Reader
    place: Place


# --- facts, events, rules --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """One value an event tells: `name` in the data, from an attribute. `side` is now, was or change (now minus was)."""

    name: str
    attribute: str
    side: str


@dataclass(frozen=True, slots=True)
class EventRule:
    """An event, when it happens, what it tells, and the fact it is about. `path` is the relation of `for`."""

    type: str
    path: str
    when: Condition
    tell: tuple[Told, ...]
    fact: str
    place: Place


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition under `silent` or `never`, with its text."""

    text: str
    when: Condition
    place: Place


@dataclass(frozen=True, slots=True)
class SnapshotRule:
    """The event that says what a snapshot row states; `tell` names attributes, all when it is None."""

    type: str
    tell: tuple[str, ...] | None
    place: Place


# --- tests -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TestStep:
    """One row change of a test: insert, update, delete or truncate of a table's row. Cells are JSON values as Debezium
    gives them; in an update a two-element list is (before, after)."""

    __test__ = False

    op: str
    table: str
    cells: Map[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Expected:
    """One expected event (`type` and a part of its data, `id` is the aggregate's) or a parked key (`parked`)."""

    type: str
    data: Map[str, Any]
    parked: str
    place: Place


@dataclass(frozen=True, slots=True)
class MappingTest:
    """A test beside a mapping: rows that are known, transactions, and the events that must come, all and in order."""

    name: str
    given: tuple[TestStep, ...]
    transactions: tuple[tuple[TestStep, ...], ...]
    expect: tuple[Expected, ...]
    place: Place


# --- the whole -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping document, checked and resolved: every name it uses exists."""

    name: str
    version: int
    judge: Judge
    unsure: Unsure
    nodes: tuple[Node, ...]
    """The root first, then every relation after its parent."""
    lookups: tuple[LookupTable, ...]
    aggregate: str
    id: tuple[str | Column, ...]
    """The template of the aggregate's id: literal text and columns of the root in turn."""
    attributes: tuple[Attribute, ...]
    noise: tuple[Column, ...]
    unused: tuple[tuple[Column, str], ...]
    safe: tuple[Column, ...]
    """Columns that never hold personal data or a secret."""
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    """Fact → attributes; a relation's rows stand under the relation's path (`payments.moves`)."""
    events: tuple[EventRule, ...]
    silent: tuple[Rule, ...]
    never: tuple[Rule, ...]
    snapshot: SnapshotRule | None
    write_back: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Fact → (attribute, column)."""
    tests: tuple[MappingTest, ...]
    place: Place
    places: Map[str, Place] = field(default_factory=dict)
    """Where else things stand, by a key such as `facts.order.status`, for lint."""

    @property
    def root(self) -> Node:
        """Return the node of the aggregate's root."""
        return self.nodes[0]

    def node(self, path: str) -> Node:
        """Return the node at a path; raises KeyError."""
        for node in self.nodes:
            if node.path == path:
                return node
        raise KeyError(path)


# --- services --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """One event type that a service may say: the fact it asserts and the aggregate it is about."""

    type: str
    fact: str
    aggregate: str
    place: Place


@dataclass(frozen=True, slots=True)
class Service:
    """One service document: the outbox table it writes, its columns, and the events it may say."""

    name: str
    version: int
    table: str
    key: str
    columns: Map[str, str]
    """id, type, aggregate, subject, payload → column of the outbox table."""
    events: tuple[ServiceEvent, ...]
    place: Place
