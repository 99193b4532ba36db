"""An event's id says what happened where in the source's history, and nothing about this program."""

from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st

from figbridge.domain import event
from figbridge.domain.event import event_id

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1)
PARTS = st.tuples(WORDS, WORDS, WORDS, st.integers(1, 9))


def test_the_examples_in_the_docstring_hold() -> None:
    """What event_id shows is what it gives."""
    result = doctest.testmod(event)
    assert result.attempted == 2
    assert result.failed == 0


@given(PARTS, PARTS)
def test_two_happenings_have_two_ids_and_one_has_one(
    one: tuple[str, str, str, int], two: tuple[str, str, str, int]
) -> None:
    """The id is a function of its parts, and tells apart whatever differs in any of them."""
    assert (event_id(*one) == event_id(*two)) == (one == two)
    assert event_id(*one) == event_id(*one)
