"""From a mapping's text to the mapping: shape first, then names, every finding of both in one go.

What is wrong in shape is cut out of the document (an attribute, an event, a test) before names are resolved in what is
left, and names that were declared in a part cut out are not reported as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from figbridge.mapping import model as m
from figbridge.mapping.document import MappingForm, RelationForm, declares_rows
from figbridge.mapping.nodes import Findings, MapNode, Scalar, SeqNode, read_nodes
from figbridge.mapping.parse_events import build_events, build_rules, build_snapshot
from figbridge.mapping.parse_form import Loc, listed, validate
from figbridge.mapping.parse_names import Scope, Shape, join
from figbridge.mapping.parse_readers import At, build_reader
from figbridge.mapping.parse_template import read_template
from figbridge.mapping.parse_tests import build_tests

_ENTRIES: Final = frozenset(
    ("read", "events", "lookup", "facts", "silent", "never", "tests", "noise", "unused", "write_back")
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


def build_mapping(root: MapNode, findings: Findings) -> m.Mapping | None:
    """Make the mapping of a document's nodes; with findings there may be none."""
    scope = Scope(findings)
    _mark_rows(root)
    before = len(findings)
    form, broken = validate(MappingForm, root, findings)
    if form is None:
        _cut(root, broken, scope)
        form, _ = validate(MappingForm, root, Findings())
    if form is None:
        return None
    mapping = _build(form, scope)
    return mapping if len(findings) == before else None


def _mark_rows(root: MapNode) -> None:
    """Mark the values in `read` that declare attributes of a relation's rows: under its path, or any dotted key."""
    paths = set(_relation_paths(root.get("with"), ""))
    read = root.get("read")
    for key, value in read.items() if isinstance(read, MapNode) else ():
        if isinstance(value, MapNode) and ("." in key or (key in paths and declares_rows(value))):
            value.rows = True


def _relation_paths(node: Any, parent: str) -> Iterator[str]:
    for name, relation in node.items() if isinstance(node, MapNode) else ():
        yield join(parent, name)
        if isinstance(relation, MapNode):
            yield from _relation_paths(relation.get("with"), join(parent, name))


def _cut(root: MapNode, broken: Iterable[Loc], scope: Scope) -> None:
    """Take out of a document what is broken, and put something harmless where it cannot do without."""
    stand_in = read_nodes(_STAND_IN, "", Findings())
    assert stand_in is not None
    doomed = {_part(root, loc) for loc in broken}
    for loc in sorted(doomed, key=_last_first, reverse=True):
        _note(loc, scope)
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
    return loc[:2] if loc and loc[0] in _ENTRIES else loc[:1]


def _note(loc: Loc, scope: Scope) -> None:
    """Remember the names that a part declares, before it goes."""
    match loc:
        case ("read", str(name)):
            scope.broken_attributes.add(name)
        case ("with", *_):
            path = ".".join(str(part) for part in loc[1::2])
            scope.broken_relations.add(path or "*")
        case ("facts",):
            scope.mute_facts = True
        case ("facts", str(name)):
            scope.facts.add(name)
        case ("lookup", str(name)):
            scope.lookups.add(name)
        case ("events", str(name)):
            scope.events.add(name)
        case ("snapshot",):
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


def _build(form: MappingForm, scope: Scope) -> m.Mapping:
    nodes = [
        m.Node(
            "",
            str(form.source.table),
            _texts(listed(form.source.key)),
            m.Kind.ROOT,
            "",
            (),
            m.Before(form.source.before),
            form.source.place,
        )
    ]
    _build_relations(form.with_, nodes, nodes[0], scope)
    scope.shape = Shape.of(nodes)
    scope.lookups |= {str(name) for name in form.lookup}
    attributes = _build_attributes(form, scope)
    facts = _build_facts(form, scope)
    events = build_events(form, scope)
    snapshot = build_snapshot(form, scope)
    return m.Mapping(
        name=str(form.mapping),
        version=form.version,
        judge=m.Judge(form.judge),
        unsure=m.Unsure(form.unsure),
        nodes=tuple(nodes),
        lookups=tuple(
            m.LookupTable(str(name), str(each.table), str(each.key), str(each.gives), name.place)
            for name, each in form.lookup.items()
        ),
        aggregate=str(form.about.aggregate),
        id=read_template(form.about.id, scope),
        attributes=attributes,
        noise=tuple(c for text in form.noise if (c := scope.column(text, "", "noise", many=True))),
        unused=tuple(
            (c, str(reason))
            for text, reason in form.unused.items()
            if (c := scope.column(text, "", "unused", many=True))
        ),
        facts=facts,
        events=events,
        silent=build_rules(form.silent, scope),
        never=build_rules(form.never, scope),
        snapshot=snapshot,
        write_back=_build_write_back(form, scope),
        tests=build_tests(form, nodes, scope),
        place=form.place,
        places=scope.places,
    )


def _texts(texts: Iterable[Scalar]) -> tuple[str, ...]:
    return tuple(str(text) for text in texts)


def _build_relations(forms: dict[Scalar, RelationForm], nodes: list[m.Node], parent: m.Node, scope: Scope) -> None:
    for name, form in forms.items():
        belongs, pointed = listed(form.belongs), listed(form.pointed)
        key = _texts(listed(form.key))
        if bool(belongs) == bool(pointed):
            message = f"`{name}` both belongs and is pointed to" if belongs else f"how `{name}` is joined is missing"
            hint = "write `belongs: COLUMN` (its rows name the parent) or `pointed: COLUMN` (the parent names its row)"
            scope.findings.add(name.place, "DOC008", message, hint)
        link, target = (belongs, parent.key) if belongs else (pointed, key)
        if link and len(link) != len(target) and not scope.mute_links:
            whose = "the parent's key" if belongs else "its key"
            message = f"`{name}` is joined by {len(link)} columns, {whose} has {len(target)}: {', '.join(target)}"
            scope.findings.add(link[0].place, "USE003", message)
        kind = m.Kind.BELONGS if belongs else m.Kind.POINTED
        before = m.Before(form.before) if form.before else nodes[0].before
        path = join(parent.path, name)
        node = m.Node(path, str(form.table), key, kind, parent.path, _texts(link), before, name.place)
        nodes.append(node)
        _build_relations(form.with_, nodes, node, scope)


def _build_attributes(form: MappingForm, scope: Scope) -> tuple[m.Attribute, ...]:
    attributes = []
    for name, value in form.read.items():
        if not isinstance(value, dict):
            scope.attributes.add(str(name))
            if (reader := build_reader(value, At(scope, "", f"read.{name}"))) is not None:
                attributes.append(m.Attribute("", str(name), reader, name.place))
            continue
        path = scope.relation(name, "")
        if path is None:
            scope.broken_attributes.add(str(name))
            continue
        scope.rows.add(path)
        for own, each in value.items():
            full = join(path, own)
            scope.attributes.add(full)
            if full in scope.shape.nodes:
                scope.findings.add(
                    own.place, "DOC008", f"`{own}` is a relation of `{path}` and an attribute of its rows"
                )
            if (reader := build_reader(each, At(scope, path, f"read.{full}"))) is not None:
                attributes.append(m.Attribute(path, str(own), reader, own.place))
    return tuple(attributes)


def _build_facts(form: MappingForm, scope: Scope) -> tuple[tuple[str, tuple[str, ...]], ...]:
    facts = []
    for fact, names in form.facts.items():
        scope.facts.add(str(fact))
        scope.places[f"facts.{fact}"] = fact.place
        found = []
        for name in names:
            full = scope.attribute(str(name), name.place, many=True)
            if full is None:
                continue
            path = full.rpartition(".")[0]
            if full in scope.attributes and path:
                message = f"`{name}` is an attribute of rows, which are owned as a whole"
                scope.findings.add(name.place, "USE005", message, f"write `{path}`")
            scope.places[f"facts.{fact}:{full}"] = name.place
            found.append(full)
        facts.append((str(fact), tuple(found)))
    return tuple(facts)


def _build_write_back(form: MappingForm, scope: Scope) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    found = []
    for fact, columns in form.write_back.items():
        scope.fact(fact)
        pairs = []
        for name, text in columns.items():
            attribute = scope.attribute(str(name), name.place)
            column = scope.column(text, "", f"write_back.{fact}.{name}")
            if attribute and column:
                scope.places[f"write_back.{fact}:{attribute}"] = name.place
                pairs.append((attribute, str(column)))
        found.append((str(fact), tuple(pairs)))
    return tuple(found)
