"""Lint: what is wrong with documents that load. Each rule is a function; its docstring is its documentation.

The codes and what they mean are in codes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from figbridge.errors import Finding
from figbridge.mapping import rules_across, rules_events, rules_facts, rules_tables, rules_transitions
from figbridge.mapping.loader import Documents
from figbridge.mapping.model import Mapping
from figbridge.mapping.rules_types import TableColumn, Tables

__all__ = ["ACROSS", "AGAINST_TABLES", "OF_A_MAPPING", "TableColumn", "Tables", "lint"]

MappingRule: TypeAlias = Callable[[Mapping], Iterator[Finding]]
AcrossRule: TypeAlias = Callable[[Documents], Iterator[Finding]]
TablesRule: TypeAlias = Callable[[Documents, Tables], Iterator[Finding]]

OF_A_MAPPING: Final[tuple[MappingRule, ...]] = (
    rules_facts.every_attribute_is_in_one_fact,
    rules_facts.write_back_is_the_inverse_of_read,
    rules_facts.columns_are_mentioned_once,
    rules_facts.everything_declared_is_used,
    rules_events.an_event_touches_its_fact,
    rules_events.a_rule_needs_a_change,
    rules_events.values_exist,
    rules_events.an_event_tells_the_side_that_is_there,
    rules_transitions.every_change_is_spoken_for,
    rules_transitions.every_transition_is_spoken_for,
)
ACROSS: Final[tuple[AcrossRule, ...]] = (
    rules_across.facts_are_declared_and_mapped_once,
    rules_across.services_speak_of_what_exists,
    rules_across.references_lead_somewhere,
)
AGAINST_TABLES: Final[tuple[TablesRule, ...]] = (
    rules_tables.tables_and_columns_exist,
    rules_tables.every_column_is_spoken_for,
    rules_tables.readers_fit_types,
)


def lint(documents: Documents, tables: Tables | None = None) -> tuple[Finding, ...]:
    """Return what a person should mend or look at, in order of files and lines; with `tables` also against them."""
    found = [f for mapping in documents.mappings for rule in OF_A_MAPPING for f in rule(mapping)]
    found += [f for rule in ACROSS for f in rule(documents)]
    if tables is not None:
        found += [f for rule in AGAINST_TABLES for f in rule(documents, tables)]
    return tuple(sorted(dict.fromkeys(found)))
