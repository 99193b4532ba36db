"""Claims: what one system says about one fact at one position of the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from figbridge.domain.event import Event
from figbridge.domain.fact import Cell


class Claim(NamedTuple):
    """One system's word on one cell: an event that happened, or the fact's new state if no event tells it.

    `was` and `now` hold the fact's attributes that changed (all known ones, when the aggregate appears or disappears).
    `silent` says why a claim without an event is of no interest; it is empty when an event tells it.
    """

    speaker: str
    cell: Cell
    aggregate: str
    subject: str
    event: Event | None
    was: Mapping[str, Any]
    now: Mapping[str, Any]
    changed: bool
    silent: str
    mapping: str
    version: int
    state: bool = False
    """True for what a snapshot says: state that is known, never a happening."""
