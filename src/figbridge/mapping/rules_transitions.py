"""Lint of what can happen: every change, and every transition of a code, is spoken for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from figbridge.errors import Finding
from figbridge.mapping.model import Attribute, Bool, Mapping
from figbridge.mapping.rules_events import conditions, readable_values
from figbridge.mapping.rules_facts import full_name
from figbridge.mapping.rules_logic import ABSENT, Transition, evaluate
from figbridge.mapping.uses import changed_by, values
from figbridge.mapping.when import Becomes, Condition, Is, atoms

_SPEAK = "speak for it: an event, silent or never"


def every_change_is_spoken_for(mapping: Mapping) -> Iterator[Finding]:
    """Demand that every attribute's change is judged by an event, told as a change, or stands under silent or never."""
    spoken = {name for _, _, condition in conditions(mapping) for name in changed_by(condition)}
    spoken |= {told.attribute for event in mapping.events for told in event.tell if told.side == "change"}
    for attribute in mapping.attributes:
        name = full_name(attribute)
        if name not in spoken and attribute.path not in spoken:
            yield Finding(attribute.place, "MAP004", f"nobody speaks for a change of `{name}`", _SPEAK)


def every_transition_is_spoken_for(mapping: Mapping) -> Iterator[Finding]:
    """Demand a rule that may fire for each way of a code, whose values rules judge, from absent or a value to another.

    Judged as if the code alone changed: what a rule asks of other attributes may hold, but they do not change.
    """
    judged = {name for _, _, condition in conditions(mapping) for name in _judged_values(condition)}
    for attribute in mapping.attributes:
        name = full_name(attribute)
        states = readable_values(attribute.reader)
        if name not in judged or states is None or isinstance(attribute.reader, Bool):
            continue
        gaps = list(_gaps(mapping, attribute, states))
        if gaps:
            yield Finding(attribute.place, "MAP005", f"`{name}` has ways nobody speaks for: {_compact(gaps)}", _SPEAK)


def _judged_values(condition: Condition) -> Iterator[str]:
    for atom in atoms(condition):
        if isinstance(atom, Becomes):
            yield atom.attribute
        elif isinstance(atom, Is):
            yield atom.name.attribute


def _gaps(mapping: Mapping, attribute: Attribute, states: Iterable[str]) -> Iterator[tuple[str, str]]:
    name, known = full_name(attribute), values(mapping)
    own = set(known[name].columns)
    akin = frozenset(full for full, value in known.items() if full != name and own & set(value.columns))
    rules = [(event.path, event.when) for event in mapping.events]
    rules += [("", rule.when) for rule in (*mapping.silent, *mapping.never)]
    all_states = (ABSENT, *states)
    for old in all_states:
        for new in all_states:
            judges = {own: Transition(name, old, new, own, akin) for own in (True, False)}
            spoken = any(evaluate(when, judges[path == attribute.path]) is not False for path, when in rules)
            if old != new and not spoken:
                yield old or "absent", new or "absent"


def _compact(gaps: list[tuple[str, str]]) -> str:
    """Write gaps as `absent -> a, b; a -> c`."""
    ways: dict[str, list[str]] = {}
    for old, new in gaps:
        ways.setdefault(old, []).append(new)
    return "; ".join(f"{old} -> {', '.join(news)}" for old, news in ways.items())
