"""Lint across documents: mappings, services and facts.yaml speak of the same things."""

from __future__ import annotations

from collections.abc import Iterator

from figbridge.errors import Finding
from figbridge.mapping.loader import Documents
from figbridge.mapping.nodes import did_you_mean


def facts_are_declared_and_mapped_once(documents: Documents) -> Iterator[Finding]:
    """Demand that each fact of a mapping is declared in facts.yaml, if there is one, and that each declared fact
    has one mapping, or at least a service that speaks of it."""
    declared = {fact.name for fact in documents.facts}
    first: dict[str, str] = {}
    for mapping in documents.mappings:
        for fact, _ in mapping.facts:
            place = mapping.places[f"facts.{fact}"]
            if declared and fact not in declared:
                yield Finding(place, "MAP012", f"facts.yaml does not declare `{fact}`", did_you_mean(fact, declared))
            if fact in first:
                yield Finding(place, "MAP014", f"the mapping {first[fact]} has `{fact}`", "a fact has one mapping")
            first.setdefault(fact, mapping.name)
    said = {event.fact for service in documents.services for event in service.events}
    for fact in sorted(declared - set(first) - said):
        hint = "name it in a mapping's `facts`, or in a service's events"
        yield Finding(documents.places[fact], "MAP013", f"nobody maps `{fact}`", hint)


def services_speak_of_what_exists(documents: Documents) -> Iterator[Finding]:
    """Demand that a service is one of the systems, and its events are about facts and aggregates that exist."""
    mapped = {fact for mapping in documents.mappings for fact, _ in mapping.facts}
    facts = mapped | {fact.name for fact in documents.facts}
    aggregates = {mapping.aggregate for mapping in documents.mappings}
    for service in documents.services:
        if documents.systems and service.name not in documents.systems:
            hint = did_you_mean(service.name, documents.systems)
            yield Finding(service.place, "MAP017", f"`{service.name}` is not among the systems", hint)
        for event in service.events:
            if event.fact not in facts:
                hint = did_you_mean(event.fact, facts)
                yield Finding(
                    event.place, "MAP015", f"{event.type} is about `{event.fact}`, which does not exist", hint
                )
            if event.aggregate not in aggregates:
                hint = did_you_mean(event.aggregate, aggregates)
                message = f"{event.type} is about `{event.aggregate}`, which no mapping has"
                yield Finding(event.place, "MAP016", message, hint)


def references_lead_somewhere(documents: Documents) -> Iterator[Finding]:
    """Demand that a reference is to an aggregate that a mapping or a service has."""
    known = {mapping.aggregate for mapping in documents.mappings}
    known |= {event.aggregate for service in documents.services for event in service.events}
    for mapping in documents.mappings:
        for key, place in mapping.places.items():
            kind, _, aggregate = key.partition(".")
            if kind == "ref" and aggregate not in known:
                message = f"no mapping and no service has the aggregate `{aggregate}`"
                yield Finding(place, "MAP018", message, did_you_mean(aggregate, known))
