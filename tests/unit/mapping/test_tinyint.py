"""A tinyint(1) is a number or a boolean, whichever Debezium saw; a mapping written for codes reads both."""

from __future__ import annotations

import pytest

from figbridge.mapping import values

J_N = {"J": True, "N": False}
TURNED = {"1": False, "0": True}


@pytest.mark.parametrize(
    ("cell", "of", "told"),
    [
        ("J", J_N, True),
        (1, J_N, True),
        (0, J_N, False),
        (True, J_N, True),
        (False, J_N, False),
        (1, TURNED, False),
        (True, TURNED, False),
        (False, TURNED, True),
        (True, {"true": False}, False),
    ],
)
def test_a_flag_is_read_by_its_codes_and_else_as_what_it_is(cell: object, of: dict[str, bool], told: bool) -> None:
    """What the mapping names wins; a number or boolean that it does not name says itself what it means."""
    assert values.boolean(cell, of) is told


@pytest.mark.parametrize(("cell", "of"), [(2, J_N), (-1, J_N), ("1", J_N), ("X", J_N), (0, {"1": True})])
def test_what_is_neither_named_nor_a_truth_is_unreadable(cell: object, of: dict[str, bool]) -> None:
    """A tinyint(1) may hold 2 and -1; text is a code; whoever names 1 has thought of 0."""
    with pytest.raises(values.Unreadable):
        values.boolean(cell, of)


@pytest.mark.parametrize(("cell", "told"), [(1, "open"), (True, "open"), (0, "shut"), (False, "shut"), ("1 ", "open")])
def test_a_code_names_the_number_and_the_boolean(cell: object, told: str) -> None:
    """The same column changes from one to the other when its table is altered."""
    assert values.code(cell, {"1": "open", "0": "shut"}) == told
