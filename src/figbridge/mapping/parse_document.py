"""From a mapping's text to the mapping: shape first, then names, every finding of both in one go.

What is wrong in shape is cut out of the document (an attribute, an event, a test) before names are resolved in what is
left, and names that were declared in a part cut out are not reported as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import PydanticCustomError

from figbridge.mapping import model as m
from figbridge.mapping.document import MappingForm, RelationForm, declares_rows
from figbridge.mapping.nodes import Findings, MapNode, Scalar
from figbridge.mapping.parse_cut import cut_out
from figbridge.mapping.parse_events import build_events, build_rules, build_snapshot
from figbridge.mapping.parse_form import ATTRIBUTE_NAME, listed, validate
from figbridge.mapping.parse_leaves import At
from figbridge.mapping.parse_names import Scope, Shape, join
from figbridge.mapping.parse_readers import build_reader
from figbridge.mapping.parse_template import read_template
from figbridge.mapping.parse_tests import build_tests


def build_mapping(root: MapNode, findings: Findings) -> m.Mapping | None:
    """Make the mapping of a document's nodes; with findings there may be none."""
    scope = Scope(findings)
    _mark_rows(root)
    before = len(findings)
    form, broken = validate(MappingForm, root, findings)
    if form is None:
        cut_out(root, broken, scope)
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
        safe=tuple(c for text in form.safe if (c := scope.column(text, "", "safe", many=True))),
        facts=facts,
        events=events,
        silent=build_rules("silent", form.silent, scope),
        never=build_rules("never", form.never, scope),
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
        kind = m.Kind.BELONGS if belongs and not pointed else m.Kind.POINTED
        before = m.Before(form.before) if form.before else nodes[0].before
        path = join(parent.path, name)
        node = m.Node(path, str(form.table), key, kind, parent.path, _texts(link), before, name.place)
        nodes.append(node)
        _build_relations(form.with_, nodes, node, scope)


def _build_attributes(form: MappingForm, scope: Scope) -> tuple[m.Attribute, ...]:
    attributes = []
    for name, value in form.read.items():
        if not isinstance(value, dict):
            if not _is_attribute_name(name, scope):
                continue
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


def _is_attribute_name(name: Scalar, scope: Scope) -> bool:
    if "." in name:
        hint = f"under `{name}` stand attributes of its rows: `{name}: {{kind: {{code: …}}}}`"
        scope.findings.add(name.place, "DOC003", "a dotted name is a relation", hint)
        scope.mute_attributes = True
        return False
    try:
        ATTRIBUTE_NAME.check(name)
    except PydanticCustomError as error:
        scope.findings.add(name.place, error.type, error.message(), str((error.context or {}).get("hint", "")))
        scope.broken_attributes.add(str(name))
        return False
    return True


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
