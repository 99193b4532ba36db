"""What readers make of cells: total over whatever JSON can hold, exact with numbers, honest about what is missing."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figbridge.mapping import compare, values
from figbridge.mapping.compare import ABSENT, Written
from figbridge.mapping.unit import U
from figbridge.mapping.values import CANNOT_READ, Unreadable

READERS = {
    "text": lambda cell: values.text(cell, "both"),
    "integer": values.integer,
    "decimal": values.decimal,
    "money": lambda cell: values.money(cell, "EUR"),
    "minor": lambda cell: values.money(cell, "EUR", 2),
    "boolean": lambda cell: values.boolean(cell, {"Y": True}),
    "truth": lambda cell: values.boolean(cell, {}),
    "code": lambda cell: values.code(cell, {"P": "placed"}),
    "reference": lambda cell: values.reference(cell, "customer-"),
    "instant": lambda cell: values.instant(cell, "Europe/Berlin", "us", "earlier"),
    "day": values.day,
    "clock": lambda cell: values.clock(cell, "us"),
    "document": values.document,
    "uuid": values.uuid,
    "address": lambda cell: values.address(cell, (("street",), ("postcode", "city"))),
}
each_reader = pytest.mark.parametrize("reader", READERS.values(), ids=list(READERS))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(), x, max_size=3), max_leaves=5
)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=4).map(lambda d: format(d, "f"))


@each_reader
@pytest.mark.parametrize("cell", [None, U])
def test_null_stays_null_and_unavailable_stays_unavailable(reader, cell):
    """No reader makes a value of what is null or not known."""
    assert reader(cell) is cell


@given(JSON, st.sampled_from(list(READERS.values())))
def test_a_reader_gives_a_value_or_says_that_it_cannot_read(cell, reader):
    """Whatever a cell holds, nothing else is raised."""
    with suppress(*CANNOT_READ):
        reader(cell)


@each_reader
@pytest.mark.parametrize(
    "cell",
    ["9" * 5000, "-" + "9" * 5000, "[" * 100_000, "\ud800", 10**4000, "1" * 4500 + ".5"],
    ids=["digits", "negative", "nested", "half", "number", "fraction"],
)
def test_absurd_cells_are_unreadable(reader, cell):
    """Numbers of thousands of digits, documents nested beyond reason, half characters: Unreadable, not worse."""
    with suppress(*CANNOT_READ):
        reader(cell)


def test_money_in_minor_units_is_exact_and_has_no_exponent():
    """Cents become an amount without rounding, however large or small."""
    assert values.money(5, "EUR", 8) == {"amount": "0.00000005", "currency": "EUR"}
    assert values.money(0, "EUR", 8)["amount"] == "0.00000000"
    assert values.money(10**40 + 1, "EUR", 2)["amount"] == "1" + "0" * 38 + ".01"
    assert values.money(-1995, "EUR", 2)["amount"] == "-19.95"


@given(AMOUNTS, AMOUNTS)
def test_minus_is_exact(was, now):
    """Now minus was, added to was, is now."""
    assert Fraction(compare.minus(now, was)) + Fraction(was) == Fraction(now)


def test_minus_keeps_the_form_of_now():
    """A whole number, a decimal's text, money and a fraction each give their own form; anything else gives null."""
    assert compare.minus(5, 8) == -3
    assert compare.minus("1.50", "1") == "0.50"
    assert compare.minus("0.00000001", "0.00000001") == "0.00000000"
    assert compare.minus({"amount": "2.00", "currency": "EUR"}, {"amount": "0.5", "currency": "EUR"}) == {
        "amount": "1.50",
        "currency": "EUR",
    }
    assert compare.minus(2.5, 1.0) == 1.5
    assert compare.minus(3, "1.5") == 1.5
    assert compare.minus("a", "b") is None
    assert compare.minus(U, 1) is U


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN", "", "1_000", "٣", "1e99999"])
def test_what_is_no_number_does_not_rise(text):
    """Texts that a decimal library would take for a number, or for none, are no numbers."""
    assert compare.compare(text, "5") == 0
    assert compare.compare("5", text) == 0
    assert compare.minus("5", text) is None


def test_what_compares():
    """The sign of now minus was, over whole numbers, decimals, money and fractions."""
    assert compare.compare(1, 2) == 1
    assert compare.compare("1.50", "1.5") == 0
    assert compare.compare({"amount": "2", "currency": "EUR"}, {"amount": "1", "currency": "EUR"}) == -1
    assert compare.compare(1.5, 2.5) == 1
    assert compare.compare(True, False) == 0
    assert compare.compare(None, U) == 0
    assert compare.compare(1, U) is None


def test_money_differs_by_amount_and_currency():
    """1.50 and 1.5 of one currency are one amount; an object that has an amount among others is no money."""
    euro = {"amount": "1.50", "currency": "EUR"}
    assert compare.differs(euro, {"amount": "1.5", "currency": "EUR"}) is False
    assert compare.differs(euro, {"amount": "1.50", "currency": "USD"}) is True
    assert compare.differs({"amount": euro, "method": "card"}, {"amount": euro, "method": "invoice"}) is True
    assert compare.differs({"amount": None, "currency": "EUR"}, {"amount": "1", "currency": "EUR"}) is True
    assert compare.differs(euro, U) is None


def test_becomes_is_false_on_one_side_only():
    """A row that is there on one side only has not gone from one value to another."""
    assert compare.becomes(ABSENT, "placed", ABSENT, "placed") is False
    assert compare.becomes(U, "placed", ABSENT, "placed") is None
    assert compare.becomes(U, "cancelled", ABSENT, "placed") is False


def test_a_written_value_equals_what_it_spells():
    """A value in a rule equals the text, and the number or truth it spells, and nothing else."""
    assert Written("1") == 1
    assert Written("1") == "1"
    assert Written("1.5") == 1.5
    assert Written("true") == True  # noqa: E712 — the JSON value
    assert Written("1") != True  # noqa: E712
    assert Written("1") != 2
    assert (Written("1") == "1") is True
    assert hash(Written("1")) == hash("1")


@pytest.mark.parametrize(
    ("cell", "zone", "fold", "expected"),
    [
        (1_717_236_000_000_000, "Europe/Berlin", "earlier", "2024-06-01T08:00:00Z"),
        ("2024-06-01T12:00:00", "Europe/Berlin", "earlier", "2024-06-01T10:00:00Z"),
        ("2024-06-01T12:00:00+05:00", "Europe/Berlin", "earlier", "2024-06-01T07:00:00Z"),
        ("2024-10-27T02:30:00", "Europe/Berlin", "earlier", "2024-10-27T00:30:00Z"),
        ("2024-10-27T02:30:00", "Europe/Berlin", "later", "2024-10-27T01:30:00Z"),
        (1, "UTC", "earlier", "1970-01-01T00:00:00.000001Z"),
    ],
)
def test_an_instant_is_a_wall_clock_in_its_zone(cell, zone, fold, expected):
    """A wall clock becomes an instant in UTC by the zone that the mapping names, in autumn by `fold`."""
    assert values.instant(cell, zone, "us", fold) == expected


@pytest.mark.parametrize("cell", [9_223_372_036_825_200_000, -9_223_372_036_832_400_000, "9999-12-31T23:59:59-14:00"])
def test_infinity_is_no_instant(cell):
    """PostgreSQL's infinities and what lies beyond the year 9999 are unreadable."""
    with pytest.raises(Unreadable):
        values.instant(cell, "Europe/Berlin", "us", "earlier")


def test_microseconds_are_written_when_there_are_any():
    """The source's commit time is written in UTC."""
    assert values.iso_us(0) == "1970-01-01T00:00:00Z"
    assert values.iso(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("cell", "unit", "expected"),
    [
        (3_600_000_000, "us", "01:00:00"),
        (1, "us", "00:00:00.000001"),
        (1500, "ms", "00:00:01.500000"),
        ("10:30", "us", "10:30"),
    ],
)
def test_a_time_of_day(cell, unit, expected):
    """A number since midnight, or ISO text."""
    assert values.clock(cell, unit) == expected


def test_an_address_is_read_line_by_line():
    """Each line has its pattern, and the last name takes the rest; another number of lines is unreadable."""
    lines = (("street",), ("postcode", "city"))
    found = values.address("Am Ring 9\n61348 Bad Homburg\n", lines)
    assert found == {"street": "Am Ring 9", "postcode": "61348", "city": "Bad Homburg"}
    for wrong in ("Am Ring 9", "Am Ring 9\n61348", "a\nb c\nd"):
        with pytest.raises(Unreadable):
            values.address(wrong, lines)


def test_join_leaves_out_what_is_null_and_empty():
    """Null and blank cells are left out; nothing left is null; one that is unknown makes the whole unknown."""
    assert values.join((" Ada ", None, "", "Muster"), " ") == "Ada Muster"
    assert values.join((None, ""), " ") is None
    assert values.join(("Ada", U), " ") is U
