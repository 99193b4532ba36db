"""Lint of each event and rule by itself."""

from __future__ import annotations

from collections.abc import Iterator

from figbridge.errors import Finding, Place
from figbridge.mapping.model import Bool, Code, EventRule, Fallible, Mapping, Otherwise, Reader
from figbridge.mapping.nodes import did_you_mean
from figbridge.mapping.rules_facts import full_name
from figbridge.mapping.rules_logic import evaluate, untouched, without
from figbridge.mapping.uses import named_by, told_by, turns_on_existence
from figbridge.mapping.when import Appears, Atom, Becomes, Condition, Disappears, Is, IsNull, atoms, attribute_of


def conditions(mapping: Mapping) -> Iterator[tuple[str, Place, Condition]]:
    """Yield every condition of a mapping with the key of its places and where it stands."""
    for event in mapping.events:
        yield f"events.{event.type}.when", mapping.places[f"events.{event.type}.when"], event.when
    for kind, rules in (("silent", mapping.silent), ("never", mapping.never)):
        for n, rule in enumerate(rules):
            yield f"{kind}.{n}", rule.place, rule.when


def an_event_touches_its_fact(mapping: Mapping) -> Iterator[Finding]:
    """Demand that an event judges or tells an attribute of its fact, or turns on the row's being there."""
    facts = dict(mapping.facts)
    for event in mapping.events:
        touched = {*named_by(event.when), *told_by(event)}
        names = facts.get(event.fact, ())
        direct = any(t == name or t.startswith(f"{name}.") for t in touched for name in names)
        if direct or turns_on_existence(event.when):
            continue
        about = [fact for fact, own in mapping.facts if touched & set(own)]
        hint = f"it touches {', '.join(about)}" if about else ""
        message = f"{event.type} is about {event.fact}, none of whose attributes it touches"
        yield Finding(mapping.places[f"events.{event.type}.fact"], "MAP003", message, hint)


def a_rule_needs_a_change(mapping: Mapping) -> Iterator[Finding]:
    """Demand that events, and what is silent, turn on a change; only `never` may say what must not be at any time."""
    for key, place, condition in conditions(mapping):
        kind = key.partition(".")[0]
        compares = any(isinstance(a, Is | IsNull) and a.name.side == "was" for a in atoms(condition))
        if kind == "never" or compares or evaluate(condition, untouched) is False:
            continue
        does = "fires" if kind == "events" else "silences everything"
        hint = "add `X changes`, `X a -> b`, `appears` or `disappears`"
        yield Finding(place, "MAP006", f"the rule {does} whenever the row is touched", hint)


def values_exist(mapping: Mapping) -> Iterator[Finding]:
    """Demand that a value in a condition is one that the attribute's reader can give."""
    known = {full_name(a): values for a in mapping.attributes if (values := readable_values(a.reader)) is not None}
    for key, _, condition in conditions(mapping):
        named = [atom for atom in atoms(condition) if attribute_of(atom) is not None]
        for n, atom in enumerate(named):
            values = known.get(attribute_of(atom) or "")
            for value in _written(atom):
                if values is not None and value not in values:
                    message = f"`{attribute_of(atom)}` is never `{value}`"
                    yield Finding(mapping.places[f"{key}@{n}"], "MAP007", message, did_you_mean(value, values))


def _written(atom: Atom) -> list[str]:
    match atom:
        case Becomes(_, old, new):
            return [side for side in (old, new) if side is not None]
        case Is(_, value):
            return [value]
        case _:
            return []


def readable_values(reader: Reader) -> tuple[str, ...] | None:
    """Return all values that a reader of codes can give, None when they are not known."""
    match reader:
        case Fallible(inner, otherwise):
            return None if otherwise is Otherwise.RAW else readable_values(inner)
        case Code(_, of):
            return tuple(dict.fromkeys(meaning for _, meaning in of))
        case Bool():
            return ("true", "false")
        case _:
            return None


def an_event_tells_the_side_that_is_there(mapping: Mapping) -> Iterator[Finding]:
    """Demand that an event tells the side that is there: was of what disappears, now of what appears."""
    for event in mapping.events:
        if evaluate(event.when, without(Disappears)) is False:
            wrong, hint = ("now", "change"), "write `was.X`"
        elif evaluate(event.when, without(Appears)) is False:
            wrong, hint = ("was", "change"), "write `X`"
        else:
            continue
        yield from _wrong_sides(mapping, event, wrong, hint)


def _wrong_sides(mapping: Mapping, event: EventRule, wrong: tuple[str, ...], hint: str) -> Iterator[Finding]:
    path = event.path
    for told in event.tell:
        own = told.attribute.startswith(f"{path}.") or not path
        if own and told.side in wrong:
            place = mapping.places[f"events.{event.type}.tell.{told.name}"]
            message = f"{event.type} tells `{told.name}` from a row that is not there"
            yield Finding(place, "MAP011", message, hint)
