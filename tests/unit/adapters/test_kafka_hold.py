"""A session's hold on its partitions: it is for one turn, also when the turn ends while the brokers are asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from figbridge.adapters.kafka.hold import Hold
from figbridge.errors import Fenced
from figbridge.ports import TopicPartition

PLACE = TopicPartition("figbridge.legacy.log", 0)


class Member:
    """Stand in for a membership that ends while the brokers are asked: a real group cannot be made to do it."""

    group = "bridge"

    def __init__(self, *, ends: bool) -> None:
        self.turns, self._ends = {PLACE: 1}, ends

    def serve(self, timeout_s: float) -> None:
        """Take part in the group."""

    def held(self) -> dict[TopicPartition, int]:
        """Return the partitions with their turns."""
        return dict(self.turns)

    def committed(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Ask for positions, which takes a while."""
        if self._ends:
            self.turns.clear()
        return {}


class Topics:
    """Stand in for topics that begin at 0."""

    def need(self, names: Sequence[str]) -> dict[str, int]:
        """Return the partitions of each topic."""
        return dict.fromkeys(names, 1)

    def starts(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where each partition begins."""
        return dict.fromkeys(places, 0)


def hold_of(member: Member) -> Hold:
    """Return a hold of all that a member has."""
    return Hold(cast("Any", member), cast("Any", Topics()))


def test_a_turn_that_goes_on_begins() -> None:
    """What the member still holds is read from its start."""
    hold = hold_of(Member(ends=False))
    hold.begin(hold.follow(), {})
    assert hold.begun == {PLACE: 0}


def test_a_turn_that_ends_while_positions_are_asked_for_never_begins() -> None:
    """The partition is another member's by then: Fenced, and nothing of it is read."""
    hold = hold_of(Member(ends=True))
    with pytest.raises(Fenced):
        hold.begin(hold.follow(), {})
    assert hold.begun == {}
