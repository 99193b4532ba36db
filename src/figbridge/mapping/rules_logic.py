"""Conditions judged without rows: may this rule fire when only this much is known? Kleene's three values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from figbridge.mapping.when import (
    And,
    Appears,
    Atom,
    Becomes,
    Condition,
    Disappears,
    Falls,
    Is,
    IsNull,
    Not,
    Or,
    Rises,
    attribute_of,
)

ABSENT: Final = None
"""The state of a code whose row is not there."""


def evaluate(condition: Condition, judge: Callable[[Atom], bool | None]) -> bool | None:
    """Return the value of a condition whose atoms `judge` judges; None is unknown."""
    match condition:
        case Not(item):
            value = evaluate(item, judge)
            return None if value is None else not value
        case And(items):
            values = [evaluate(item, judge) for item in items]
            return False if False in values else None if None in values else True
        case Or(items):
            values = [evaluate(item, judge) for item in items]
            return True if True in values else None if None in values else False
        case _:
            return judge(condition)


def untouched(atom: Atom) -> bool | None:
    """Judge an atom for a row that is touched and stays what it was."""
    return None if isinstance(atom, Is | IsNull) else False


def without(kind: type[Appears] | type[Disappears]) -> Callable[[Atom], bool | None]:
    """Judge an atom when all that is known is that the row did not appear, or did not disappear."""
    return lambda atom: False if isinstance(atom, kind) else None


@dataclass(frozen=True, slots=True)
class Transition:
    """Judge atoms when one attribute goes from one state to another and nothing else happens to the row.

    `own` says whether the rule judges the attribute's own row; `akin` are others that read the same columns and may
    change with it, such as all rows of its relation.
    """

    attribute: str
    old: str | None
    new: str | None
    own: bool
    akin: frozenset[str] = frozenset()

    def __call__(self, atom: Atom) -> bool | None:
        """Return the atom's value."""
        name = attribute_of(atom)
        match atom:
            case Appears():
                return self.own and self.old is ABSENT
            case Disappears():
                return self.own and self.new is ABSENT
            case Is() | IsNull():
                return self._state(atom) if name == self.attribute else None
            case _ if name is None or name != self.attribute:
                return None if name in self.akin else False
            case Rises() | Falls():
                return None
            case Becomes(_, old, new):
                fits = old in (None, self.old) and new in (None, self.new)
                return self._both() and fits
            case _:
                return self._both()

    def _both(self) -> bool:
        return self.old is not ABSENT and self.new is not ABSENT

    def _state(self, atom: Is | IsNull) -> bool | None:
        value = self.old if atom.name.side == "was" else self.new
        if value is ABSENT:
            return None
        return (isinstance(atom, Is) and value == atom.value) is not atom.negated
