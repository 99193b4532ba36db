"""Generate three-valued conditions: expressions that give True, False or None (unknown), after Kleene."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from figbridge.mapping import compare, model
from figbridge.mapping.compare import ABSENT
from figbridge.mapping.source import Source
from figbridge.mapping.uses import Value
from figbridge.mapping.when import (
    And,
    Appears,
    Atom,
    Becomes,
    Changes,
    Condition,
    Disappears,
    Falls,
    Is,
    IsNull,
    Not,
    Or,
    Rekeyed,
    Rises,
)

_DEEP = 20
_KNOWN = {"True": "False", "False": "True"}
TRUTH = {"ABSENT": ABSENT, "becomes": compare.becomes, "compare": compare.compare, "differs": compare.differs}


@dataclass(frozen=True, slots=True)
class Variables:
    """The names of the variables that hold a value: before, now, and whether it changed (True, False, None)."""

    was: str
    now: str
    changed: str


@dataclass(frozen=True, slots=True)
class Existence:
    """The names of the variables that say that the row appears, disappears, is re-keyed."""

    appears: str
    disappears: str
    rekeyed: str


class ConditionCode:
    """Generate conditions over variables that already hold what they name."""

    def __init__(self, source: Source, find: Callable[[str], Value]) -> None:
        self.source = source
        self.find = find
        self._depth = 0
        source.names.update(TRUTH)

    def expression(self, condition: Condition, of: Callable[[str], Variables], row: Existence) -> str:
        """Return the expression of a condition; `of` gives the variables of an attribute.

        What is nested deep becomes a statement of its own: Python refuses 200 parentheses in one another.
        """
        self._depth += 1
        code = self._nested(condition, of, row)
        self._depth -= 1
        if self._depth and self._depth % _DEEP == 0 and code.startswith("("):
            name = self.source.fresh("t")
            self.source.line(f"{name} = {code}")
            return name
        return code

    def _nested(self, condition: Condition, of: Callable[[str], Variables], row: Existence) -> str:
        match condition:
            case Not(item):
                inner = self.expression(item, of, row)
                if inner in _KNOWN:
                    return _KNOWN[inner]
                t = self.source.fresh("t")
                return f"(None if ({t} := {inner}) is None else not {t})"
            case And(items):
                return self._kleene(items, of, row, ends="False", otherwise="True")
            case Or(items):
                return self._kleene(items, of, row, ends="True", otherwise="False")
            case _:
                return self._atom(condition, of, row)

    def _kleene(
        self, items: tuple[Condition, ...], of: Callable[[str], Variables], row: Existence, *, ends: str, otherwise: str
    ) -> str:
        """Stop at the first item that decides; without one, unknown wins over the rest."""
        codes = [self.expression(item, of, row) for item in items]
        if ends in codes:
            return ends
        codes = [code for code in codes if code != otherwise]
        if len(codes) < 2:
            return codes[0] if codes else otherwise
        names = [self.source.fresh("t") for _ in codes]
        parts = [f"{ends} if ({t} := {code}) is {ends} else" for t, code in zip(names, codes, strict=True)]
        unknown = " or ".join(f"{t} is None" for t in names)
        return f"({' '.join(parts)} None if {unknown} else {otherwise})"

    def _atom(self, atom: Atom, of: Callable[[str], Variables], row: Existence) -> str:
        match atom:
            case Appears():
                return row.appears
            case Disappears():
                return row.disappears
            case Rekeyed():
                return row.rekeyed
            case Changes(name):
                return of(name).changed
            case Rises(name):
                return self._compared(of(name), "> 0")
            case Falls(name):
                return self._compared(of(name), "< 0")
            case Is(name, value, negated):
                v = of(name.attribute)
                side = v.was if name.side == "was" else v.now
                compared = f"{side} {'!=' if negated else '=='} {self.constant(name.attribute, value)}"
                absent = f"False if {side} is ABSENT else " if negated else ""
                return f"(None if {side} is U else {absent}{compared})"
            case IsNull(name, negated):
                v = of(name.attribute)
                side = v.was if name.side == "was" else v.now
                compared = f"{side} is not None" if negated else f"{side} is None"
                return f"(None if {side} is U else False if {side} is ABSENT else {compared})"
            case Becomes(name, old, new):
                return self._becomes(of(name), name, old, new)
            case _:
                assert_never(atom)

    def _compared(self, v: Variables, test: str) -> str:
        if v.changed == "False":
            return "False"
        t = self.source.fresh("t")
        compared = f"None if ({t} := compare({v.was}, {v.now})) is None else {t} {test}"
        return f"(False if {v.changed} is False else {compared})"

    def _becomes(self, v: Variables, name: str, old: str | None, new: str | None) -> str:
        if v.changed == "False":
            return "False"
        a = "ABSENT" if old is None else self.constant(name, old)
        b = "ABSENT" if new is None else self.constant(name, new)
        tests = [f"{v.was} == {a}"] * (old is not None) + [f"{v.now} == {b}"] * (new is not None)
        known = " and ".join(tests) or "True"
        return f"(False if {v.changed} is False else ({known}) if {v.changed} else becomes({v.was}, {v.now}, {a}, {b}))"

    def constant(self, name: str, text: str) -> str:
        """Return the constant that a written value stands for, in the type that the attribute's reader gives."""
        readers = self.find(name).readers
        reader = readers[0][1] if len(readers) == 1 else None
        while isinstance(reader, model.Fallible):
            reader = reader.reader
        match reader:
            case model.Bool():
                return repr(text == "true")
            case model.Int() if re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
                return self.source.constant(int(text))
            case model.Plain() | model.Lookup() | model.Json():
                return self.source.constant(compare.Written(text))
            case _:
                return self.source.constant(text)
