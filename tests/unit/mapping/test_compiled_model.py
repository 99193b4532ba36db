"""Laws of `net`: what rules see equals comparing the aggregate at both edges of a transaction, for any history."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.histories import History, aggregates, everything, expected
from support.monolith import insert, shop
from support.rig import Rig

CARRIERS = [insert("carriers", carrier_id=1, code="DHL"), insert("carriers", carrier_id=2, code="UPS")]
thorough = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)
"""What a history is drawn from: a source of randomness of its own reaches further than one that is searched."""


@contextmanager
def bridging(*mappings, **options):
    """Make a bridge whose ledgers must balance at the end."""
    bridge = Rig(*mappings, **options)
    yield bridge
    bridge.check()


def histories(random: Random, count: int):
    """Draw transactions, each with the aggregates before and after it."""
    sketch = shop()
    sketch.fill(*CARRIERS)
    history = History(random, sketch)
    for _ in range(count):
        before = aggregates(sketch)
        steps = history.transaction()
        yield steps, expected(before, aggregates(sketch))


@thorough
@given(seeds)
def test_what_is_judged_equals_the_aggregate_at_both_edges(seed):
    """For any history of root, child, grandchild and pointed rows, was and now are those of the tables."""
    with bridging(everything()) as bridge:
        bridge.write(bridge.monolith.transaction(*CARRIERS))
        for steps, wanted in histories(Random(seed), 8):
            said = bridge.commit(*steps)
            assert {s.subject: (s.type, s.data) for s in said} == wanted
            assert len(said) == len(wanted)
        assert bridge.parked() == {}


@thorough
@given(seeds)
def test_remembered_rows_say_what_the_log_would_have_said(seed):
    """REPLICA IDENTITY DEFAULT with `before: last-known`, large values left out, gives the same events."""
    drawn = list(histories(Random(seed), 8))
    poor = shop(full=False, toast=frozenset({"notes"}))
    with bridging(everything()) as rich, bridging(everything("last-known"), monolith=poor) as bare:
        for bridge in (rich, bare):
            bridge.write(bridge.monolith.transaction(*CARRIERS))
        for steps, wanted in drawn:
            said = rich.commit(*steps)
            assert bare.commit(*steps) == said
            assert {s.subject: (s.type, s.data) for s in said} == wanted


@thorough
@given(seeds)
def test_a_restart_after_every_transaction_changes_nothing(seed):
    """What is remembered is what was committed: a bridge that starts anew each time sees the same."""
    with bridging(everything("last-known"), monolith=shop(full=False)) as bridge:
        bridge.write(bridge.monolith.transaction(*CARRIERS))
        for steps, wanted in histories(Random(seed), 6):
            bridge.start()
            assert {s.subject: (s.type, s.data) for s in bridge.commit(*steps)} == wanted
