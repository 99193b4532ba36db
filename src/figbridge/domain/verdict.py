"""Verdicts: what the bridge does with a claim, decided by a pure function."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from figbridge.domain.authority import Authority, Stage
from figbridge.domain.change import Position
from figbridge.domain.claim import Claim
from figbridge.domain.fact import LEGACY


class Verdict(StrEnum):
    """Name what the bridge does with a claim."""

    __hash__ = str.__hash__  # the same, without a call into Python for each record

    PUBLISH = "publish"
    """The owner's word: to the domain topic."""
    SHADOW = "shadow"
    """The word of the system that will own the fact: to the shadow topic, compared only."""
    NO_OP = "no-op"
    """The fact did not change: nothing to say."""
    SILENT = "silent"
    """The owner's word that the mapping holds to be of no interest."""
    UNAUTHORISED = "unauthorised"
    """The word of a system that may not speak about the fact: to quarantine."""
    PARKED = "parked"
    """Set aside with its key, in order, until somebody decides."""


_new = tuple.__new__
_PUBLISH, _SILENT, _NO_OP = Verdict.PUBLISH, Verdict.SILENT, Verdict.NO_OP  # a member's look-up costs more than a row


class Decision(NamedTuple):
    """A claim with its verdict, the epoch it was judged in, and the reason in words."""

    claim: Claim
    verdict: Verdict
    owner: str
    epoch: int
    why: str


def decide(claim: Claim, position: Position, authority: Authority) -> Decision:
    """Judge one claim: a pure function of the claim, its position and the history of authority.

    `position` is that of the transaction's END, so that all of a transaction falls on one side of a cut.
    """
    tenure = authority.tenure(claim.cell, *position)
    if tenure is None:
        return Decision(claim, Verdict.PARKED, "", 0, f"nobody declared who owns {claim.cell}")
    owner, epoch = tenure.owner, tenure.epoch
    if claim.speaker == owner:
        if claim.event is not None:
            return _new(Decision, (claim, _PUBLISH, owner, epoch, "the owner's word"))
        return Decision(claim, _SILENT, owner, epoch, claim.silent)
    if not claim.changed:
        return Decision(claim, _NO_OP, owner, epoch, f"{owner} owns it, and nothing of it changed")
    if claim.speaker == tenure.successor and claim.speaker != LEGACY and tenure.stage in (Stage.LEGACY, Stage.SHADOW):
        return Decision(claim, Verdict.SHADOW, owner, epoch, f"{owner} owns it, {claim.speaker} will")
    return Decision(claim, Verdict.UNAUTHORISED, owner, epoch, f"{owner} owns it since epoch {epoch}")
