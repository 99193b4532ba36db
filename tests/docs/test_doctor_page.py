"""docs/doctor.md and the catalogue of checks say the same."""

from __future__ import annotations

import re

from figbridge.operations.doctor.catalogue import CATALOGUE
from figbridge.operations.doctor.check import State

from .pages import page, rows

PAGE = page("docs/doctor.md")


def test_the_page_has_every_check_as_the_catalogue_has_it() -> None:
    """Code, what, must, why and fix are those of the catalogue, each once and in its order."""
    told = [row for row in rows(PAGE, "The checks") if re.fullmatch(r"PRE\d{3}", row[0])]
    assert told == [[c.code, c.what, c.must, c.why, c.fix] for c in CATALOGUE]


def test_the_page_has_every_state() -> None:
    """What a result may be, and nothing else."""
    assert [row[0] for row in rows(PAGE, "What a result says")] == [s.value for s in State]


def test_codes_are_given_once() -> None:
    """A code is one check's."""
    codes = [c.code for c in CATALOGUE]
    assert len(codes) == len(set(codes))
    assert all(c.what and c.must and c.why and c.fix for c in CATALOGUE)
