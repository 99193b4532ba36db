"""Strict YAML: text becomes maps, lists and texts that know where they stand, and nothing else.

PyYAML's own loaders read `NO` as false, `01` as 1 and keep the last of two equal keys. Here every scalar stays the text
that was written, and whatever makes a document say more than one sees (anchors, aliases, merge keys, tags, several
documents in a file, equal keys) is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from figbridge.errors import Place
from figbridge.mapping.nodes import Findings, MapNode, Node, Scalar, SeqNode, advance, describe

MAX_DEPTH: Final = 50
MAX_CHARACTERS: Final = 1_000_000

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML has it: ten times as fast, with the same events and marks."""
_FORBIDDEN: Final = yaml.reader.Reader.NON_PRINTABLE


def read_text(path: Path, findings: Findings) -> str | None:
    """Read a file's text, or note why it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        findings.add(Place(str(path)), "YAML001", f"the file cannot be read: {error.strerror or error}")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        findings.add(Place(str(path), line, column), "YAML001", "the file is not UTF-8 text")
        return None


def read_nodes(text: str, file: str, findings: Findings) -> MapNode | None:
    """Read one document to nodes, or note why that is impossible; never raises."""
    if len(text) > MAX_CHARACTERS:
        findings.add(Place(file), "YAML009", f"the file has {len(text)} characters, more than {MAX_CHARACTERS}")
        return None
    text = text.removeprefix("\ufeff")
    if forbidden := _FORBIDDEN.search(text):
        place = advance(Place(file, 1, 1), text, forbidden.start())
        findings.add(place, "YAML002", f"a character that YAML forbids: {forbidden.group()!a}")
        return None
    builder = _Builder(text, file, findings)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not builder.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        what = ", ".join(part for part in (error.context, error.problem) if part)
        findings.add(_place_of(error, text, file), "YAML002", f"this is not YAML: {what}")
        return None
    except (ValueError, OverflowError, yaml.YAMLError) as error:  # PyYAML lets chr() and int() fail on absurd escapes
        findings.add(Place(file), "YAML002", f"this is not YAML: {error}")
        return None
    if not isinstance(builder.root, MapNode):
        place = Place(file, 1, 1) if builder.root is None else builder.root.place
        found = "nothing" if builder.root is None else describe(builder.root)
        findings.add(place, "YAML012", f"the document must be a map, found {found}")
        return None
    return builder.root


def _place_of(error: yaml.MarkedYAMLError, text: str, file: str) -> Place:
    """Return where an error stands: what is left open is of more help than the end of the file."""
    for mark in (error.problem_mark, error.context_mark):
        if mark is not None and mark.index < len(text.rstrip()):
            return Place(file, mark.line + 1, mark.column + 1)
    return advance(Place(file, 1, 1), text, len(text.rstrip()))


class _Builder:
    """Put nodes together from parse events, without recursion."""

    def __init__(self, text: str, file: str, findings: Findings) -> None:
        self.root: Node | None = None
        self._text, self._file, self._findings = text, file, findings
        self._open: list[MapNode | SeqNode] = []
        self._keys: list[Node | None] = []
        self._documents = 0

    def place(self, mark: Any) -> Place:
        return Place(self._file, mark.line + 1, mark.column + 1) if mark else Place(self._file)

    def take(self, event: yaml.Event) -> bool:
        """Take one event; return False when the rest of the file cannot be judged."""
        place = self.place(event.start_mark)
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._findings.add(place, "YAML007", "a second document in one file", "write one document per file")
                return False
        if isinstance(event, yaml.AliasEvent):
            self._findings.add(
                place, "YAML004", f"an alias (`*{event.anchor}`)", "write the value out where it is used"
            )
            self._findings.hole(place)
            self._attach(Scalar("", place, plain=False))
        elif isinstance(event, yaml.ScalarEvent):
            self._properties(event, place)
            raw = (
                self._text[event.start_mark.index : event.end_mark.index] if event.start_mark and event.end_mark else ""
            )
            self._attach(Scalar(event.value, place, plain=not event.style, raw=raw))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._properties(event, place)
            if len(self._open) >= MAX_DEPTH:
                self._findings.add(place, "YAML008", f"nested more than {MAX_DEPTH} levels deep")
                return False
            is_map = isinstance(event, yaml.MappingStartEvent)
            self._open.append(MapNode(place) if is_map else SeqNode(place))
            self._keys.append(None)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._keys.pop()
            self._attach(self._open.pop())
        return True

    def _properties(self, event: Any, place: Place) -> None:
        if event.anchor is not None:
            self._findings.add(
                place, "YAML004", f"an anchor (`&{event.anchor}`)", "write the value out where it is used"
            )
        if event.tag is not None:
            self._findings.add(place, "YAML005", f"a tag (`{event.tag}`)", "every value stays the text that is written")

    def _attach(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent, SeqNode):
            if isinstance(node, Scalar) and node.plain and not node:
                self._findings.add(node.place, "YAML011", "an empty item", "write null, or '' for empty text")
                return
            parent.append(node)
            return
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = node
            if not isinstance(node, Scalar):
                self._findings.add(node.place, "YAML010", f"a key must be text, found {describe(node)}")
            return
        self._keys[-1] = None
        if isinstance(key, Scalar):
            self._pair(parent, key, node)

    def _pair(self, parent: MapNode, key: Scalar, node: Node) -> None:
        if key == "<<" and key.plain:
            self._findings.add(key.place, "YAML006", "a merge key (`<<`)", "write the keys out where they are used")
        elif key in parent:
            first = parent.key(key).place
            self._findings.add(key.place, "YAML003", f"the key `{key}` stands twice", f"first in line {first.line}")
        elif isinstance(node, Scalar) and node.plain and not node:
            self._findings.add(
                key.place, "YAML011", f"nothing stands after `{key}:`", "write null, or '' for empty text"
            )
            self._findings.hole(key.place)
            parent[key] = Scalar("", key.place)
        else:
            parent[key] = node
