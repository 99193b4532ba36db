"""The shop's ledger is what a test of a bridge believes: it must be right itself."""

from __future__ import annotations

from itertools import pairwise

import psycopg
import pytest

from figbridge.demo.monolith import Monolith, by_subject
from figbridge.demo.monolith import book as books
from figbridge.demo.monolith.shop import WEIGHTS

from .shop_tables import News, a_shop, ask

pytestmark = pytest.mark.embedded

CAPTURED = (
    "addresses", "carriers", "customers", "order_history", "order_lines", "orders", "payment_moves", "payments",
    "shipments", "stock",
)  # fmt: skip


def tables(shop: Monolith) -> dict[str, list[tuple[str]]]:
    """Return every row of every captured table, and the ledger."""
    return {t: ask(shop, f"SELECT t::text FROM shop.{t} t ORDER BY 1") for t in (*CAPTURED, "ledger")}


def again(shop: Monolith, seed: int) -> Monolith:
    """Move the shop's tables aside and trade once more in the same database."""
    shop.connection.execute("ALTER SCHEMA shop RENAME TO shop_before")
    other = a_shop(shop.dsn, seed)
    other.create_schema()
    other.seed(12)
    other.trade(80)
    return other


def test_the_table_equals_the_list(shop: Monolith) -> None:
    """What the object remembers is what the database committed, in the same order."""
    done = shop.trade(300)
    assert shop.ledger() == shop.stored_ledger()
    assert len(done) > len(WEIGHTS) * 3 // 4
    assert [h.seq for h in shop.ledger()] == list(range(1, len(shop.ledger()) + 1))
    assert all(a.tx <= b.tx for a, b in pairwise(shop.ledger()))


def test_the_ledger_is_committed_with_the_rows(shop: Monolith) -> None:
    """One transaction holds the order and the line of the ledger that speaks of it."""
    number = shop.place_order()
    ((order,),) = ask(shop, "SELECT xmin::text FROM shop.orders WHERE number = %s", number)
    ledger = ask(shop, "SELECT DISTINCT xmin::text FROM shop.ledger WHERE subject = %s", f"order-{number}")
    assert ledger == [(order,)]


def test_a_refused_transaction_leaves_nothing_and_the_shop_goes_on(shop: Monolith, news: News) -> None:
    """Neither rows nor ledger nor memory know of what the database refused."""
    number = shop.place_order()
    before = shop.book.addresses[shop.book.orders[number].address]
    shop.connection.execute(
        """CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'the word is with the service'; END $$;
           CREATE TRIGGER refuse AFTER UPDATE ON shop.addresses FOR EACH ROW EXECUTE FUNCTION public.refuse()"""
    )
    news()
    with pytest.raises(psycopg.errors.RaiseException, match="the word is with the service"):
        shop.readdress(number)
    with pytest.raises(psycopg.errors.RaiseException):
        shop.reporting_job()
    assert shop.book.addresses[before.key] == before
    assert ask(shop, "SELECT txt FROM shop.addresses WHERE addr_id = %s", before.key) == [(before.txt,)]
    assert news() == []
    shop.confirm(number)
    assert [h.type for h in news()] == ["OrderConfirmed"]
    assert shop.ledger() == shop.stored_ledger()


def test_the_same_seed_trades_the_same(shop: Monolith) -> None:
    """Same seed, same clock, same empty tables: the same ledger and the same rows."""
    shop.trade(80)
    first, rows = shop.ledger(), tables(shop)
    with again(shop, 7) as twin:
        assert twin.ledger() == first
        assert tables(twin) == rows


def test_another_seed_trades_otherwise(shop: Monolith) -> None:
    """The seed is what chooses."""
    shop.trade(80)
    with again(shop, 8) as other:
        assert other.ledger() != shop.ledger()


def test_a_shop_that_was_closed_goes_on(shop: Monolith, database: str) -> None:
    """What it knows by heart is what stands in the tables, so another object goes on where one ended."""
    shop.trade(150)
    known = shop.book
    read = books.read(shop.connection)
    for part in ("orders", "addresses", "customers", "stock", "shipments", "numbers"):
        assert getattr(read, part) == getattr(known, part), part
    shop.close()
    with a_shop(database, seed=9) as heir:
        heir.trade(50)
        assert heir.stored_ledger() == shop.ledger() + heir.ledger()


def test_load_commits_exactly_as_many_changes_as_asked(shop: Monolith) -> None:
    """Every row change of a captured table counts once, whatever changed it; trading counts them right as well."""
    shop.connection.execute("CREATE UNLOGGED TABLE public.counted (t text)")
    shop.connection.execute(
        """CREATE FUNCTION public.count_row() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN INSERT INTO public.counted VALUES (TG_TABLE_NAME); RETURN NULL; END $$"""
    )
    for table in CAPTURED:
        shop.connection.execute(
            f"""CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON shop.{table}
                FOR EACH ROW EXECUTE FUNCTION public.count_row()""".encode()
        )
    before = shop.committed_changes
    assert shop.load(1000) == 1000
    assert ask(shop, "SELECT count(*) FROM public.counted") == [(1000,)]
    shop.load(7)
    shop.trade(120)
    assert ask(shop, "SELECT count(*) FROM public.counted") == [(shop.committed_changes - before,)]
    assert shop.ledger() == shop.stored_ledger()


def test_the_ledger_of_an_order_is_a_life(shop: Monolith) -> None:
    """Every order begins with OrderPlaced, is told so once, and is cancelled or shipped at most once."""
    shop.trade(200)
    for subject, happenings in by_subject(shop.ledger()).items():
        if not subject.startswith("order-"):
            continue
        types = [h.type for h in happenings]
        assert types[0] == "OrderPlaced"
        assert types.count("OrderPlaced") == 1
        assert types.count("OrderCancelled") + types.count("OrderShipped") <= 1
