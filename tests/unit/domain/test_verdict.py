"""A claim gets exactly one verdict, from the claim, its position and the history of authority alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figbridge.domain.authority import Authority, Grant, GrantKind, Stage
from figbridge.domain.change import Position
from figbridge.domain.claim import Claim
from figbridge.domain.event import Event
from figbridge.domain.fact import Cell
from figbridge.domain.verdict import Verdict, decide

from .histories import CELLS, OFFSETS, PLACES, SYSTEMS, chain, histories

DELIVERY = CELLS[0]
HERE = Position("legacy.log", 0, 20)


def claim(speaker: str, cell: Cell = DELIVERY, *, event: bool = True, changed: bool = True, silent: str = "") -> Claim:
    """Return a claim about order 7."""
    said = Event("OrderReaddressed", {"to": "Ulm"}) if event else None
    return Claim(speaker, cell, "Order", "order-7", said, {}, {"shipTo": "Ulm"}, changed, silent, "orders", 3)


def owned(owner: str, successor: str | None, stage: Stage) -> Authority:
    """Return an authority in which one fact is owned so from the beginning."""
    grant = Grant(DELIVERY, owner, successor, stage, GrantKind.DECLARED, "so", "ann", "2026-03-01")
    return Authority.of(chain([(grant, ())]))


BEFORE = owned("legacy", "delivery", Stage.SHADOW)
AFTER = owned("delivery", "legacy", Stage.SERVICE)


@pytest.mark.parametrize(
    ("authority", "said", "verdict"),
    [
        (BEFORE, claim("legacy"), Verdict.PUBLISH),
        (BEFORE, claim("legacy", event=False, silent="lines changes"), Verdict.SILENT),
        (BEFORE, claim("delivery"), Verdict.SHADOW),
        (BEFORE, claim("delivery", event=False), Verdict.SHADOW),
        (BEFORE, claim("delivery", changed=False), Verdict.NO_OP),
        (BEFORE, claim("billing"), Verdict.UNAUTHORISED),
        (BEFORE, claim("legacy", CELLS[1]), Verdict.PARKED),
        (AFTER, claim("delivery"), Verdict.PUBLISH),
        (AFTER, claim("legacy"), Verdict.UNAUTHORISED),
        (AFTER, claim("legacy", event=False), Verdict.UNAUTHORISED),
        (AFTER, claim("legacy", event=False, changed=False), Verdict.NO_OP),
        (owned("legacy", None, Stage.LEGACY), claim("delivery"), Verdict.UNAUTHORISED),
        (owned("legacy", "delivery", Stage.FENCED), claim("delivery"), Verdict.UNAUTHORISED),
        (owned("delivery", "legacy", Stage.SHADOW), claim("legacy"), Verdict.UNAUTHORISED),
    ],
)
def test_a_claim_is_judged_by_who_owns_the_fact_there(authority: Authority, said: Claim, verdict: Verdict) -> None:
    """The owner is published, its successor shadowed, all others caught; legacy is never a shadow."""
    decision = decide(said, HERE, authority)
    assert decision.verdict is verdict
    assert decision.claim is said


def claims() -> st.SearchStrategy[Claim]:
    """Generate every kind of claim of every system about every cell."""
    return st.builds(
        claim, st.sampled_from(SYSTEMS), st.sampled_from(CELLS), event=st.booleans(), changed=st.booleans()
    )


def positions() -> st.SearchStrategy[Position]:
    """Generate positions around and between all cuts."""
    return st.builds(lambda place, offset: Position(*place, offset), st.sampled_from(PLACES), st.sampled_from(OFFSETS))


@given(histories(), claims(), positions())
def test_deciding_is_deterministic(grants: list[Grant], said: Claim, position: Position) -> None:
    """The same claim at the same position of the same history gets the same decision, asked again or afresh."""
    authority = Authority.of(grants)
    decision = decide(said, position, authority)
    assert decision == decide(said, position, authority) == decide(said, position, Authority.of(grants))
    assert isinstance(decision.verdict, Verdict)
    assert decision.why or decision.verdict is Verdict.SILENT


@given(histories(), claims(), positions())
def test_only_the_owner_reaches_the_domain_topic(grants: list[Grant], said: Claim, position: Position) -> None:
    """For each cell and position the words of exactly one system are published; all others stand elsewhere."""
    authority = Authority.of(grants)
    speakers = {
        speaker
        for speaker in SYSTEMS
        if decide(claim(speaker, said.cell), position, authority).verdict is Verdict.PUBLISH
    }
    owner = authority.owner(said.cell, *position)
    assert speakers == ({owner} if owner else set())
    decision = decide(said, position, authority)
    tenure = authority.tenure(said.cell, *position)
    assert (decision.owner, decision.epoch) == ((tenure.owner, tenure.epoch) if tenure else ("", 0))
    assert (decision.verdict is Verdict.PARKED) == (tenure is None)
