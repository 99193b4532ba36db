"""Documents as nodes: maps, lists and texts that know where they stand in their file. parse_yaml.py makes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Final, TypeAlias

from figbridge.errors import ConfigurationError, Finding, Place

_NOWHERE: Final = Place("")
_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_BLANK_ESCAPES: Final = frozenset("ntrvfNLP_ \t\n")
_LONG_ESCAPES: Final = {"x": 2, "u": 4, "U": 8}


class Scalar(str):
    """A text with its place; `plain` says that it stands without quotes, `raw` is how it stands in the file."""

    __slots__ = ("place", "plain", "raw")
    place: Place
    plain: bool
    raw: str

    def __new__(cls, text: str, place: Place = _NOWHERE, *, plain: bool = True, raw: str | None = None) -> Scalar:
        """Make a text at a place."""
        self = super().__new__(cls, text)
        self.place, self.plain, self.raw = place, plain, text if raw is None else raw
        return self

    def at(self, offset: int) -> Place:
        """Return the place in the file of a character of the text, also through quotes, escapes and folded lines."""
        if not self.place.line:
            return self.place
        if self.raw == self:
            return advance(self.place, self.raw, offset)
        # Folding and quoting only ever add or drop blanks, so the n-th character that is none is the same in both.
        number = sum(not c.isspace() for c in self[:offset])
        ends = self.place
        for n, index in enumerate(_solid(self.raw)):
            if n == number:
                return advance(self.place, self.raw, index)
            ends = advance(self.place, self.raw, index + 1)
        return ends


class MapNode(dict[str, Any]):
    """A map with its place. `allowed` are the keys that the form which judged it knows, `rows` says that it declares
    attributes of a relation's rows."""

    __slots__ = ("allowed", "place", "rows")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.allowed: tuple[str, ...] = ()
        self.rows = False

    def key(self, name: object) -> Scalar:
        """Return a key as it was written; raises KeyError."""
        for key in self:
            if key == name and isinstance(key, Scalar):
                return key
        raise KeyError(name)


class SeqNode(list[Any]):
    """A list with its place."""

    __slots__ = ("place",)

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


Node: TypeAlias = Scalar | MapNode | SeqNode


class Findings:
    """Collect what is wrong with documents; what follows from a refused alias is not reported again."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}
        self._holes: set[Place] = set()

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def add(self, place: Place, code: str, message: str, hint: str = "") -> None:
        """Note one finding, once."""
        if place not in self._holes:
            self._found[Finding(place, code, message, hint)] = None

    def hole(self, place: Place) -> None:
        """Note that nothing at this place can be judged."""
        self._holes.add(place)

    def check(self) -> None:
        """Raise ConfigurationError with every finding if there is one."""
        if self._found:
            raise ConfigurationError(self._found)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a name was probably meant to be."""
    near = get_close_matches(name, sorted(set(known)), n=1, cutoff=0.6)
    return near[0] if near else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint with the nearest known name, or the few that there are, or nothing."""
    names = sorted(set(known))
    if (near := nearest(name, names)) is not None:
        return f"did you mean `{near}`?"
    if 0 < len(names) <= 12:
        return "known: " + ", ".join(names)
    return ""


def describe(node: object) -> str:
    """Return what a node is, in words."""
    match node:
        case MapNode():
            return "a map"
        case SeqNode():
            return "a list"
        case _:
            return "text"


def _solid(raw: str) -> Iterator[int]:
    """Yield the index in a scalar's source of each character of its text that is not blank."""
    style = raw[:1]
    if style in ("|", ">"):
        head = _BREAK.search(raw)
        start = head.end() if head else len(raw)
        yield from (i for i in range(start, len(raw)) if not raw[i].isspace())
        return
    if style not in ("'", '"'):
        yield from (i for i, c in enumerate(raw) if not c.isspace())
        return
    index = 1
    while index < len(raw) - 1:
        here, width = index, 1
        blank = raw[index].isspace()
        if style == "'" and raw[index] == "'":
            width = 2
        elif style == '"' and raw[index] == "\\":
            escape = raw[index + 1]
            width = 2 + _LONG_ESCAPES.get(escape, 0)
            blank = escape in _BLANK_ESCAPES
        if not blank:
            yield here
        index += width


def advance(place: Place, text: str, offset: int) -> Place:
    """Return the place of a character of a text that begins at a place."""
    before = text[:offset]
    breaks = list(_BREAK.finditer(before))
    if not breaks:
        return Place(place.file, place.line, place.column + offset)
    return Place(place.file, place.line + len(breaks), len(before) - breaks[-1].end() + 1)
