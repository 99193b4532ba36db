"""The documents under mappings/ are an example to follow: whole, tested, and speaking of every column."""

from __future__ import annotations

from pathlib import Path

import pytest

from figbridge.mapping import uses
from figbridge.mapping.compiler import compile_plan
from figbridge.mapping.loader import load_mappings, load_tables
from figbridge.mapping.model import Kind, Mapping
from figbridge.operations.mapping_tests import run_tests

FOLDER = Path(__file__).parents[3] / "mappings"
DOCUMENTS = load_mappings(FOLDER)
MAPPINGS = {m.name: m for m in DOCUMENTS.mappings}
each_mapping = pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=list(MAPPINGS))


def test_the_example_is_whole() -> None:
    """One mapping for each aggregate, the facts, and the service that takes one over."""
    assert {m.aggregate for m in MAPPINGS.values()} == {"Order", "Customer", "Stock", "Shipment"}
    assert [s.name for s in DOCUMENTS.services] == ["delivery"]


def test_every_test_beside_a_mapping_passes() -> None:
    """The mappings do what their tests say."""
    plan = compile_plan(DOCUMENTS.mappings, DOCUMENTS.services)
    failed = {f"{o.mapping}: {o.test.name}": o.differences for o in run_tests(plan, DOCUMENTS.mappings) if not o.passed}
    assert failed == {}


@each_mapping
def test_every_event_is_expected_by_a_test(mapping: Mapping) -> None:
    """There is no event without proof."""
    expected = {e.type for t in mapping.tests for e in t.expect}
    assert {e.type for e in mapping.events} <= expected


@each_mapping
def test_there_are_tests_for_what_is_silent_and_for_what_must_never_happen(mapping: Mapping) -> None:
    """At least one test of nothing for each silent rule and the noise, and one parked key for each never rule."""
    nothing = [t for t in mapping.tests if not t.expect]
    parked = [t for t in mapping.tests if any(not e.type for e in t.expect)]
    assert len(nothing) >= len(mapping.silent) + bool(mapping.noise)
    assert len(parked) >= len(mapping.never)


@each_mapping
def test_every_attribute_belongs_to_one_fact(mapping: Mapping) -> None:
    """What is read is owned by somebody, and only once."""
    owned = [a for _, attributes in mapping.facts for a in attributes]
    assert sorted(owned) == sorted({a.path or a.name for a in mapping.attributes})


def test_every_column_of_a_mapped_table_is_spoken_for() -> None:
    """Read, noise, unused with a reason, or part of a key, a link or an id: there is no other kind."""
    tables = load_tables(FOLDER)
    assert tables is not None
    spoken: dict[str, set[str]] = {}
    for mapping in MAPPINGS.values():
        for path, column in _columns(mapping):
            spoken.setdefault(mapping.node(path).table, set()).add(column)
        for lookup in mapping.lookups:
            spoken.setdefault(lookup.table, set()).update((lookup.key, lookup.gives))
    live = {t: {c.name for c in columns} for t, columns in tables.items()}
    left = {t: live[t] - spoken[t] for t in spoken if live[t] - spoken[t]}
    assert left == {"shop.carriers": {"name"}}, "of a lookup table only what is looked up counts"
    assert {t: spoken[t] - live[t] for t in spoken if spoken[t] - live[t]} == {}
    assert live.keys() - spoken.keys() == {"shop.order_history", "delivery.outbox"}


def _columns(mapping: Mapping) -> list[tuple[str, str]]:
    """Return every column a mapping speaks of, with the path of its row."""
    found = [(c.path, c.name) for a in mapping.attributes for c in uses.columns(a.reader)]
    found += [(c.path, c.name) for c in (*mapping.noise, *(c for c, _ in mapping.unused))]
    found += [("", c.name) for c in mapping.id if not isinstance(c, str)]
    for node in mapping.nodes:
        found += [(node.path, k) for k in node.key]
        found += [(node.parent if node.kind is Kind.POINTED else node.path, c) for c in node.link]
    return found
