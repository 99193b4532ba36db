"""Events, rules and the snapshot of a mapping document, with every name resolved."""

from __future__ import annotations

from collections.abc import Iterable

from figbridge.mapping import model as m
from figbridge.mapping.document import EventForm, MappingForm, SnapshotForm
from figbridge.mapping.grammar import ConditionError, parse_condition
from figbridge.mapping.nodes import Scalar
from figbridge.mapping.parse_names import Scope
from figbridge.mapping.when import Condition


def build_condition(text: Scalar, here: str, owner: str, scope: Scope) -> Condition | None:
    """Parse a condition of a rule for a row; None when it is wrong or a name in it means nothing.

    The place of the n-th name is kept as `OWNER@n`.
    """
    failed = False
    count = 0
    scope.places[owner] = text.place

    def resolve(name: str, offset: int, verb: str) -> str:
        nonlocal failed, count
        place = scope.places[f"{owner}@{count}"] = text.at(offset)
        count += 1
        full = scope.attribute(name, place, here)
        if full is None:
            failed = True
            return name
        if full in scope.rows and full not in scope.attributes and verb != "changes":
            failed = True
            message = f"`{name}` is all rows of a relation, which only `changes` can judge"
            scope.findings.add(place, "USE004", message, f"judge each row with `for: {full}`")
        return full

    try:
        condition = parse_condition(text, resolve)
    except ConditionError as error:
        scope.findings.add(text.at(error.offset), error.code, error.message, error.hint)
        return None
    return None if failed else condition


def build_events(form: MappingForm, scope: Scope) -> tuple[m.EventRule, ...]:
    """Make the events of a mapping; those with a finding are left out."""
    events = []
    for name, each in form.events.items():
        scope.events.add(str(name))
        path: str | None = ""
        if each.for_:
            path = scope.relation(each.for_, "")
        scope.fact(each.fact)
        scope.places[f"events.{name}.fact"] = each.fact.place
        if path is None:
            continue
        condition = build_condition(each.when, path, f"events.{name}.when", scope)
        tell = _build_tell(name, each, path, scope)
        if condition is not None:
            events.append(m.EventRule(str(name), path, condition, tell, str(each.fact), name.place))
    return tuple(events)


def _build_tell(event: Scalar, form: EventForm, here: str, scope: Scope) -> tuple[m.Told, ...]:
    if isinstance(form.tell, dict):
        written = [(str(name), name, side) for name, side in form.tell.items()]
    else:
        written = [(str(text).rpartition(".")[2], text, text) for text in form.tell]
    told: dict[str, m.Told] = {}
    for name, key, text in written:
        first, _, rest = str(text).partition(".")
        side, attribute = (first, rest) if first in ("was", "change") and rest else ("now", str(text))
        full = scope.attribute(attribute, text.at(len(text) - len(attribute)), here)
        if full is None:
            continue
        if name in told:
            scope.findings.add(key.place, "DOC008", f"two values named `{name}`", "write a map name → attribute")
        scope.places[f"events.{event}.tell.{name}"] = key.place
        told[name] = m.Told(name, full, side)
    return tuple(told.values())


def build_rules(kind: str, texts: Iterable[Scalar], scope: Scope) -> tuple[m.Rule, ...]:
    """Make the rules under `silent` or `never`."""
    rules = []
    for n, text in enumerate(texts):
        condition = build_condition(text, "", f"{kind}.{n}", scope)
        if condition is not None:
            rules.append(m.Rule(str(text), condition, text.place))
    return tuple(rules)


def build_snapshot(form: MappingForm, scope: Scope) -> m.SnapshotRule | None:
    """Make the event of a snapshot row, None when there is none."""
    snapshot = form.snapshot
    name = snapshot.type if isinstance(snapshot, SnapshotForm) else snapshot
    if not name:
        return None
    if name in form.events:
        message = f"`{name}` is an event and the snapshot: a snapshot row is never a happening"
        scope.findings.add(name.place, "DOC008", message)
    scope.events.add(str(name))
    if not isinstance(snapshot, SnapshotForm):
        return m.SnapshotRule(str(name), None, name.place)
    tell = [scope.attribute(str(text), text.place) for text in snapshot.tell]
    return m.SnapshotRule(str(name), tuple(full for full in tell if full is not None), name.place)
