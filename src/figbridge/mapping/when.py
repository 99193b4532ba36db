"""The typed tree of a `when` condition. The grammar that makes it is in grammar.py.

Conditions are three-valued (Kleene): true, false, unknown. A rule fires only on true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute on one side of the transaction: `status` is now, `was.status` is was."""

    attribute: str
    side: str = "now"


@dataclass(frozen=True, slots=True)
class Appears:
    """The row is there now and was not before."""


@dataclass(frozen=True, slots=True)
class Disappears:
    """The row was there before and is not now."""


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """The row's primary key changed."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Both sides are known and differ."""

    attribute: str


@dataclass(frozen=True, slots=True)
class Rises:
    """The value is greater than it was."""

    attribute: str


@dataclass(frozen=True, slots=True)
class Falls:
    """The value is less than it was."""

    attribute: str


@dataclass(frozen=True, slots=True)
class Is:
    """The value is (or is not) this text, number or boolean, compared as text."""

    name: Name
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsNull:
    """The value is (or is not) null."""

    name: Name
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Becomes:
    """The value goes from one to another; None stands for `any` (any other)."""

    attribute: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Not:
    """True when the other is false."""

    item: Condition


@dataclass(frozen=True, slots=True)
class And:
    """True when all are."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when one is."""

    items: tuple[Condition, ...]


Atom: TypeAlias = Appears | Disappears | Rekeyed | Changes | Rises | Falls | Is | IsNull | Becomes
Condition: TypeAlias = Atom | Not | And | Or


def atoms(condition: Condition) -> Iterator[Atom]:
    """Yield the atoms of a condition in reading order."""
    match condition:
        case And(items) | Or(items):
            for item in items:
                yield from atoms(item)
        case Not(item):
            yield from atoms(item)
        case _:
            yield condition


def attribute_of(atom: Atom) -> str | None:
    """Return the attribute an atom speaks of; None for appears, disappears and rekeyed."""
    match atom:
        case Changes(attribute) | Rises(attribute) | Falls(attribute) | Becomes(attribute):
            return attribute
        case Is(name) | IsNull(name):
            return name.attribute
        case _:
            return None
