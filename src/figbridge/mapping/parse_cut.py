"""Take what is broken in shape out of a document, so that names can be resolved in what is left."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from figbridge.mapping.nodes import Findings, MapNode, SeqNode, nearest
from figbridge.mapping.parse_form import Loc
from figbridge.mapping.parse_names import Scope
from figbridge.mapping.parse_yaml import read_nodes

_ENTRIES: Final = frozenset(
    ("read", "events", "lookup", "facts", "silent", "never", "tests", "noise", "unused", "safe", "write_back")
)
"""Keys whose value is a map or a list of parts that can be judged without each other."""

_STAND_IN: Final = """
mapping: broken
version: 1
source: {table: broken, key: broken}
about: {aggregate: Broken, id: "{broken}"}
read: {broken: broken}
facts: {}
"""


def cut_out(root: MapNode, broken: Iterable[Loc], scope: Scope) -> None:
    """Take out of a document what is broken, and put something harmless where it cannot do without."""
    stand_in = read_nodes(_STAND_IN, "", Findings())
    assert stand_in is not None
    doomed = {part for loc in broken if (part := _part(root, loc))}
    for loc in sorted(doomed, key=_last_first, reverse=True):
        _note(_meant(root, loc), scope, whole_rows=getattr(_inside(root, loc), "rows", False))
        _delete(root, loc)
    for key, value in stand_in.items():
        if key not in root or (key == "read" and not root["read"]):
            root[key] = value
            if key == "read":
                scope.mute_attributes = True
            if key == "facts":
                scope.mute_facts = True
            if key == "source":
                scope.mute_links = True


def _last_first(loc: Loc) -> tuple[int, tuple[tuple[int, str], ...]]:
    return len(loc), tuple((part, "") if isinstance(part, int) else (0, part) for part in loc)


def _part(root: MapNode, loc: Loc) -> Loc:
    """Return the location of the part that a broken place spoils."""
    node = _inside(root, loc[:-1])
    if isinstance(node, MapNode) and node.allowed and loc and loc[-1] not in node.allowed:
        return loc  # an unknown key spoils nothing else
    if loc[:1] == ("with",):
        end = 2
        while loc[end : end + 1] == ("with",) and len(loc) > end + 1:
            end += 2
        return loc[:end]
    if loc[:1] == ("read",) and getattr(_inside(root, loc[:2]), "rows", False):
        return loc[:3]
    return loc[:2] if loc and loc[0] in _ENTRIES else loc[:1]


def _meant(root: MapNode, loc: Loc) -> Loc:
    """Return the location of a part, of the part that was meant when the document has no such key."""
    if len(loc) > 1 or loc[0] in root.allowed:
        return loc
    meant = nearest(str(loc[0]), root.allowed)
    return (meant,) if meant is not None and meant not in root else loc


def _note(loc: Loc, scope: Scope, *, whole_rows: bool) -> None:
    """Remember the names that a part declares, before it goes."""
    match loc:
        case ("read", _, str(name)):
            scope.broken_attributes.add(name)
        case ("read", str(name)):
            scope.broken_attributes.add(name)
            scope.mute_attributes |= "." in name or whole_rows
        case ("with", *_):
            path = ".".join(str(part) for part in loc[1::2])
            scope.broken_relations |= {path or "*", path.rpartition(".")[2] or "*"}
        case ("facts",):
            scope.mute_facts = True
        case ("facts", str(name)):
            scope.facts.add(name)
        case ("lookup", str(name)):
            scope.lookups.add(name)
        case ("lookup",):
            scope.mute_lookups = True
        case ("events", str(name)):
            scope.events.add(name)
        case ("snapshot",) | ("events",):
            scope.mute_events = True
        case ("source", *_):
            scope.mute_links = True


def _delete(root: MapNode, loc: Loc) -> None:
    node = _inside(root, loc[:-1])
    if isinstance(node, MapNode | SeqNode):
        with suppress(KeyError, IndexError):  # it went with the part around it
            del node[loc[-1]]  # type: ignore[arg-type]


def _inside(root: MapNode, loc: Loc) -> Any:
    node: Any = root
    for part in loc:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return None
    return node
