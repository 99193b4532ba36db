"""What the names in a mapping mean: relations from a row, columns of rows, attributes from a rule.

A name is looked for from the inside out: at the row itself, at its parent, at the parent's parent, at the root.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from figbridge.errors import Place
from figbridge.mapping.model import Column, Kind, Node
from figbridge.mapping.nodes import Findings, Scalar, did_you_mean


def join(path: str, name: str) -> str:
    """Return the dotted path of a name under a path."""
    return f"{path}.{name}" if path and name else str(path or name)


@dataclass(frozen=True, slots=True)
class Shape:
    """The relations of an aggregate by path; the root's path is empty."""

    nodes: dict[str, Node]

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> Shape:
        """Make the shape of these nodes."""
        return cls({node.path: node for node in nodes})

    def chain(self, path: str) -> Iterator[str]:
        """Yield a path and those of the rows above it, the root's last."""
        while path:
            yield path
            path = self.nodes[path].parent if path in self.nodes else path.rpartition(".")[0]
        yield ""

    def find(self, prefix: str, here: str) -> str | None:
        """Return the path that a written prefix means at a row, None when there is none."""
        while prefix == "parent" or prefix.startswith("parent."):
            if not here:
                return None
            prefix, here = prefix[len("parent.") :], self.nodes[here].parent
        if not prefix:
            return here
        for above in self.chain(here):
            if (path := join(above, prefix)) in self.nodes:
                return path
        return None

    def is_single(self, path: str, here: str) -> bool:
        """Say whether a row sees at most one row at a path: itself, a row above, or one pointed to from these."""
        seen = set(self.chain(here))
        while path not in seen:
            if self.nodes[path].kind is not Kind.POINTED:
                return False
            path = self.nodes[path].parent
        return True

    def spell(self, column: Column, here: str) -> str:
        """Return the shortest way to write a column at a row."""
        spellings = [column.name]
        ups = ["parent" for _ in range(len([*self.chain(here)]) - 1)]
        spellings += [".".join([*ups[: n + 1], column.name]) for n in range(len(ups))]
        parts = column.path.split(".")
        spellings += [".".join([*parts[n:], column.name]) for n in reversed(range(len(parts)))]
        for spelling in spellings:
            prefix, _, name = spelling.rpartition(".")
            if name == column.name and (self.find(prefix, here) if prefix else here) == column.path:
                return spelling
        return str(column)


class Scope:
    """Resolve the names of one mapping, noting those that mean nothing.

    Names that stand in a broken part of the document resolve to None without a finding: it has one already.
    """

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.shape = Shape({})
        self.broken_relations: set[str] = set()
        self.broken_attributes: set[str] = set()
        self.mute_attributes = False
        self.mute_facts = False
        self.mute_events = False
        self.mute_links = False
        self.mute_lookups = False
        self.facts: set[str] = set()
        self.events: set[str] = set()
        self.lookups: set[str] = set()
        self.attributes: set[str] = set()
        """Full names of attributes: `status`, `payments.moves.kind`."""
        self.rows: set[str] = set()
        """Paths of relations whose rows have attributes, each of which is one attribute as a whole."""
        self.places: dict[str, Place] = {}

    def relation(self, name: Scalar, here: str) -> str | None:
        """Return the path of a relation seen from a row."""
        path = self.shape.find(name, here)
        if path is None and not self._is_broken(name, self.broken_relations):
            known = [path for path in self.shape.nodes if path]
            self.findings.add(name.place, "NAME002", f"no relation `{name}`", did_you_mean(name, known))
        return path

    def column(self, text: Scalar, here: str, owner: str, *, many: bool = False) -> Column | None:
        """Return the column that a text means at a row; `owner` is what uses it. Only with `many` may it be one of
        rows that the row sees several of."""
        prefix, _, name = str(text).rpartition(".")
        path: str | None = here
        if prefix:
            path = self.relation(Scalar(prefix, text.place), here)
        if path is None:
            return None
        if not many and not self.shape.is_single(path, here):
            self.findings.add(
                text.place,
                "USE001",
                f"`{text}` is a column of many rows of `{path}`",
                f"read it with `each: {path}`, or declare attributes of the rows under `{path}:`",
            )
            return None
        column = Column(path, name)
        self.places.setdefault(f"{owner}:{column}", text.place)
        return column

    def columns(self, texts: Sequence[Scalar], here: str, owner: str) -> tuple[Column, ...] | None:
        """Return several columns, None if one of them means nothing."""
        found = [self.column(text, here, owner) for text in texts]
        return None if None in found else tuple(column for column in found if column is not None)

    def lookup(self, name: Scalar) -> str | None:
        """Return the name of a lookup table that exists."""
        if name in self.lookups:
            return str(name)
        if not self.mute_lookups:
            self.findings.add(name.place, "NAME003", f"no lookup `{name}`", did_you_mean(name, self.lookups))
        return None

    def find_attribute(self, name: str, here: str) -> str | None:
        """Return the full name of the attribute, or of the relation's rows, that a name means in a rule for a row."""
        for above in self.shape.chain(here):
            full = join(above, name)
            if full in self.attributes or full in self.rows:
                return full
        return None

    def fact(self, name: Scalar) -> None:
        """Note a fact that the mapping does not have."""
        if name not in self.facts and not self.mute_facts:
            self.findings.add(name.place, "NAME004", f"no fact `{name}` in `facts`", did_you_mean(name, self.facts))

    def attribute(self, name: str, place: Place, here: str = "", *, many: bool = False) -> str | None:
        """Return the full name of an attribute that a rule for a row may use."""
        full = self.find_attribute(name, here)
        if full is None:
            if not self.mute_attributes and not self._is_broken(name, self.broken_attributes | self.broken_relations):
                self._unknown(name, place, here)
            return None
        path = full.rpartition(".")[0]
        if not many and full in self.attributes and not self.shape.is_single(path, here):
            self.findings.add(
                place, "USE002", f"`{name}` is an attribute of many rows", f"judge each row with `for: {path}`"
            )
            return None
        return full

    def spell_attribute(self, full: str, here: str) -> str:
        """Return the shortest way to write an attribute in a rule for a row."""
        parts = full.split(".")
        for n in reversed(range(len(parts))):
            name = ".".join(parts[n:])
            if self.find_attribute(name, here) == full:
                return name
        return full

    def _unknown(self, name: str, place: Place, here: str) -> None:
        if name in self.shape.nodes:
            hint = f"its rows have no attributes; declare them in `read` under `{name}:`"
            self.findings.add(place, "NAME001", f"the relation `{name}` is no attribute", hint)
            return
        known = {self.spell_attribute(full, here) for full in self.attributes | self.rows}
        self.findings.add(place, "NAME001", f"no attribute `{name}`", did_you_mean(name, known))

    def _is_broken(self, name: str, broken: set[str]) -> bool:
        return "*" in broken or any(part in broken for part in (name, name.split(".", 1)[0], name.rpartition(".")[2]))
