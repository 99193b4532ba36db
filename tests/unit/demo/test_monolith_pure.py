"""What of the monolith needs no database."""

from __future__ import annotations

import doctest
import importlib
import sys
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest

from figbridge.demo.monolith import Happening, Monolith, Ticks, by_subject, desk, invent, ledger
from figbridge.demo.monolith.book import Address, Book, Order, money
from figbridge.demo.monolith.desk import instant
from figbridge.demo.monolith.ledger import Level, stock_happenings
from figbridge.demo.monolith.shop import WEIGHTS


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ((10, 3), (10, 3), []),
        ((10, 3), (10, 5), [("StockReserved", 2)]),
        ((10, 3), (10, 1), [("StockReleased", -2)]),
        ((10, 3), (8, 1), [("StockIssued", -2)]),
        ((10, 3), (9, 3), [("StockCorrected", -1)]),
        ((10, 3), (60, 3), [("StockReceived", 50)]),
        ((10, 3), (20, 2), [("StockReceived", 10), ("StockReleased", -1)]),
        ((10, 3), (9, 5), [("StockCorrected", -1), ("StockReserved", 2)]),
    ],
)
def test_counters_tell_what_happened(was: tuple[int, int], now: tuple[int, int], told: list[tuple[str, int]]) -> None:
    """Each net change of an article's counters has one reading."""
    found = [(kind, data["quantity"]) for kind, data in stock_happenings(Level(*was), Level(*now))]
    assert found == told


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("2024-06-01T10:00", "2024-06-01T08:00:00Z"),
        ("2024-12-01T10:00", "2024-12-01T09:00:00Z"),
        ("2024-10-27T02:30", "2024-10-27T00:30:00Z"),
    ],
)
@pytest.mark.parametrize("fold", [0, 1])
def test_a_wall_clock_is_read_as_the_earlier_instant(wall: str, utc: str, fold: int) -> None:
    """In the hour that autumn repeats, nobody can tell: the ledger says what a mapping can know."""
    assert instant(datetime.fromisoformat(wall).replace(fold=fold)) == utc


@pytest.mark.parametrize(
    ("txt", "text"),
    [
        ("Hauptstr. 1\n10115 Berlin", {"street": "Hauptstr. 1", "postcode": "10115", "city": "Berlin"}),
        ("Am Ring 9\n61348 Bad Homburg", {"street": "Am Ring 9", "postcode": "61348", "city": "Bad Homburg"}),
        ("Packstation 114", {"raw": "Packstation 114"}),
        ("1 Rue Exemple\nL-1234 Luxembourg\nLuxembourg", {"raw": "1 Rue Exemple\nL-1234 Luxembourg\nLuxembourg"}),
    ],
)
def test_an_address_is_told_by_its_parts_or_as_it_was_typed(txt: str, text: dict[str, str]) -> None:
    """Two lines are an address; anything else is told raw."""
    assert Address(1, "Ada", "Muster", txt).told() == {"name": "Ada Muster", "text": text}


def test_invented_addresses_differ() -> None:
    """Two addresses with different serials never have the same text, so an edit is always a change."""
    rng = Random(3)
    texts = [invent.address(rng, serial) for serial in range(500)]
    assert len(set(texts)) == 500
    assert any(len(t.splitlines()) != 2 for t in texts)


def test_invented_people_have_mail_only_at_example_test() -> None:
    """Nobody can be written to by mistake, and no mail address comes twice."""
    rng = Random(3)
    mails = [invent.email(invent.person(rng), serial) for serial in range(200)]
    assert all(m.endswith("@example.test") and m.isascii() for m in mails)
    assert len(set(mails)) == 200


def test_articles_fit_their_column() -> None:
    """Codes are one to eight characters, prices are whole cents."""
    assert {len(code) for code in invent.PRICES} >= {2, 8}
    assert max(len(code) for code in invent.PRICES) == 8
    assert all(Decimal(p).as_tuple().exponent == -2 for p in invent.PRICES.values())


def test_every_operation_of_the_mix_exists_and_names_its_trait() -> None:
    """An operation's docstring says which trait it shows."""
    for name in WEIGHTS:
        assert getattr(Monolith, name).__doc__, name
    traits = [n for n in dir(Monolith) if "trait:" in (getattr(Monolith, n).__doc__ or "")]
    assert len(traits) >= 30


def test_the_book_knows_who_points_at_an_address() -> None:
    """A shared address has all its orders; one that was repointed or dropped is gone from it."""
    book = Book()
    orders = [Order(k, 1000 + k, None, "P", Decimal(1), 5, None) for k in (1, 2, 3)]
    for order in orders:
        book.add(order)
    book.repoint(orders[0], 6)
    book.drop(orders[1])
    assert [o.number for o in book.at(5)] == [1003]
    assert [o.number for o in book.at(6)] == [1001]
    assert book.at(7) == []


def test_keys_grow() -> None:
    """A key is given once."""
    book = Book(last={"orders": 41})
    assert [book.next("orders"), book.next("orders"), book.next("payments")] == [42, 43, 1]


def test_money_is_told_with_cents_and_currency() -> None:
    """An amount is text, as the database writes it."""
    assert money(Decimal("19.90")) == {"amount": "19.90", "currency": "EUR"}


def test_a_ledger_is_read_by_subject() -> None:
    """Each subject's happenings, in commit order."""
    entries = [Happening(i, i, "op", "T", subject, {}) for i, subject in enumerate("aba")]
    assert {s: [h.seq for h in hs] for s, hs in by_subject(entries).items()} == {"a": [0, 2], "b": [1]}


def test_a_happening_is_a_row_of_the_ledger() -> None:
    """Its data is written as JSON with sorted keys."""
    row = Happening(1, 2, "place_order", "OrderPlaced", "order-1", {"b": 1, "a": None}).row()
    assert row == (1, 2, "place_order", "OrderPlaced", "order-1", '{"a": null, "b": 1}')


def test_nothing_needs_psycopg_before_a_connection_is_opened() -> None:
    """The demo can be imported without the extra."""
    modules = [m for m in sys.modules if m == "psycopg" or m.startswith(("psycopg.", "figbridge.demo"))]
    kept = {m: sys.modules.pop(m) for m in modules}
    try:
        importlib.import_module("figbridge.demo.monolith")
        importlib.import_module("figbridge.demo.delivery")
        assert "psycopg" not in sys.modules
    finally:
        for name in [m for m in sys.modules if m.startswith("figbridge.demo")]:
            del sys.modules[name]
        sys.modules.update(kept)


def test_the_examples_in_docstrings_hold() -> None:
    """Doctests of the pure parts."""
    for module in (desk, ledger):
        found = doctest.testmod(module, extraglobs={"UTC": UTC})
        assert found.attempted > 0
        assert found.failed == 0


def test_a_clock_goes_on_each_time_it_is_read() -> None:
    """Times are an argument: the clock of a trial never asks the computer."""
    clock = Ticks(datetime(2024, 6, 1, tzinfo=UTC))
    assert (clock() - clock()).total_seconds() == -1
