"""Write a mapping as its canonical document: what the loader makes of it is the same mapping, up to places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import yaml

from figbridge.mapping import model as m
from figbridge.mapping.grammar import unparse
from figbridge.mapping.nodes import Findings
from figbridge.mapping.parse_names import Scope, Shape, join
from figbridge.mapping.parse_template import write_template


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def dump_mapping(mapping: m.Mapping) -> str:
    """Return the document of a mapping; values that are defaults are left out."""
    scope = Scope(Findings())
    scope.shape = Shape.of(mapping.nodes)
    scope.attributes = {join(attribute.path, attribute.name) for attribute in mapping.attributes}
    scope.rows = {attribute.path for attribute in mapping.attributes if attribute.path}
    text: str = yaml.dump(
        _document(mapping, scope),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=None,
    )
    return text


def _document(mapping: m.Mapping, scope: Scope) -> dict[str, Any]:
    root, shape = mapping.root, scope.shape
    document: dict[str, Any] = {
        "mapping": mapping.name,
        "version": mapping.version,
        "source": {"table": root.table, "key": _some(root.key), "before": str(root.before)},
        "judge": str(mapping.judge),
        "unsure": str(mapping.unsure),
        "with": _relations(mapping, ""),
        "lookup": {each.name: {"table": each.table, "key": each.key, "gives": each.gives} for each in mapping.lookups},
        "about": {"aggregate": mapping.aggregate, "id": write_template(mapping.id)},
        "read": _read(mapping, shape),
        "noise": [shape.spell(column, "") for column in mapping.noise],
        "unused": {shape.spell(column, ""): reason for column, reason in mapping.unused},
        "safe": [shape.spell(column, "") for column in mapping.safe],
        "facts": {fact: [scope.spell_attribute(name, "") for name in names] for fact, names in mapping.facts},
        "events": {event.type: _event(event, scope) for event in mapping.events},
        "silent": [rule.text for rule in mapping.silent],
        "never": [rule.text for rule in mapping.never],
        "write_back": {fact: dict(pairs) for fact, pairs in mapping.write_back},
        "tests": [_test(test) for test in mapping.tests],
    }
    if mapping.snapshot is not None:
        tell = mapping.snapshot.tell
        document["snapshot"] = (
            mapping.snapshot.type if tell is None else {"type": mapping.snapshot.type, "tell": [*tell]}
        )
    always = ("mapping", "version", "source", "about", "read", "facts")
    return {key: value for key, value in document.items() if value or key in always}


def _some(names: Sequence[str]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


def _relations(mapping: m.Mapping, parent: str) -> dict[str, Any]:
    relations: dict[str, Any] = {}
    for node in mapping.nodes[1:]:
        if node.parent != parent:
            continue
        link = "belongs" if node.kind is m.Kind.BELONGS else "pointed"
        relation: dict[str, Any] = {"table": node.table, "key": _some(node.key), link: _some(node.link)}
        if node.before is not mapping.root.before:
            relation["before"] = str(node.before)
        if below := _relations(mapping, node.path):
            relation["with"] = below
        relations[node.path.rpartition(".")[2]] = relation
    return relations


def _read(mapping: m.Mapping, shape: Shape) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for attribute in mapping.attributes:
        written = write_reader(attribute.reader, attribute.path, shape)
        if attribute.path:
            read.setdefault(attribute.path, {})[attribute.name] = written
        else:
            read[attribute.name] = written
    return read


def write_reader(reader: m.Reader, here: str, shape: Shape) -> Any:
    """Return the form of a reader that stands at a row."""

    def column(of: m.Column) -> str:
        return shape.spell(of, here)

    def fields(of: tuple[tuple[str, m.Reader], ...], at: str) -> dict[str, Any]:
        return {name: write_reader(each, at, shape) for name, each in of}

    match reader:
        case m.Fallible(inner, otherwise):
            written = write_reader(inner, here, shape)
            return {**written, "otherwise": str(otherwise)} if isinstance(written, dict) else written
        case m.Plain(source):
            return column(source)
        case m.Join(columns, by):
            return _given({"join": [column(each) for each in columns]}, by=(by, " "))
        case m.Constant(value):
            return {"constant": value}
        case m.Object(of):
            return {"object": fields(of, here)}
        case m.Each(path, of):
            return {"each": path, "as": fields(of, path)}
        case m.Lookup(lookup, source):
            return {"lookup": lookup, "from": column(source)}
        case m.Ref(aggregate, source):
            return {"ref": aggregate, "from": column(source)}
        case _:
            options = _options(reader, column)
            return _given({type(reader).__name__.lower(): column(reader.column)}, **options)


def _options(reader: m.Leaf, column: Callable[[m.Column], str]) -> dict[str, tuple[Any, Any]]:
    """Return the options of a reader of one column, each with the value that it has when it is not written."""
    match reader:
        case m.Text(_, trim):
            return {"trim": (trim, "none")}
        case m.Money(_, currency, minor):
            unit = {"column": column(currency)} if isinstance(currency, m.Column) else currency
            return {"currency": (unit, ""), "minor": (minor, 0)}
        case m.Bool(_, of):
            return {"of": ({code: "true" if value else "false" for code, value in of}, {})}
        case m.Code(_, of):
            return {"of": (dict(of), {})}
        case m.Instant(_, zone, unit, fold):
            return {"zone": (zone, ""), "unit": (unit, "us"), "fold": (fold, "earlier")}
        case m.Time(_, unit):
            return {"unit": (unit, "us")}
        case m.Address(_, lines):
            return {"lines": ([" ".join(line) for line in lines], [])}
        case _:
            return {}


def _given(form: dict[str, Any], **options: tuple[Any, Any]) -> dict[str, Any]:
    return form | {name: value for name, (value, default) in options.items() if value != default}


def _event(event: m.EventRule, scope: Scope) -> dict[str, Any]:
    def spell(full: str) -> str:
        return scope.spell_attribute(full, event.path)

    prefix = {"now": "", "was": "was.", "change": "change."}
    written: dict[str, Any] = {"for": event.path} if event.path else {}
    written["when"] = unparse(event.when, spell)
    if event.tell:
        written["tell"] = {told.name: prefix[told.side] + spell(told.attribute) for told in event.tell}
    written["fact"] = event.fact
    return written


def _test(test: m.MappingTest) -> dict[str, Any]:
    written: dict[str, Any] = {"name": test.name}
    if test.given:
        written["given"] = [{step.table: dict(step.cells)} for step in test.given]
    written["txs"] = [[_step(step) for step in transaction] for transaction in test.transactions]
    written["expect"] = [{"parked": e.parked} if e.parked else {e.type: dict(e.data)} for e in test.expect] or "nothing"
    return written


def _step(step: m.TestStep) -> dict[str, Any]:
    if step.op == "truncate":
        return {"truncate": step.table}
    cells = {name: list(cell) if isinstance(cell, tuple) else cell for name, cell in step.cells.items()}
    return {step.op: {step.table: cells}}
