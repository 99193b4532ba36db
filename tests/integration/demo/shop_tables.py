"""Look into a shop's tables: one row, what differs, and what an operation does to rows while it runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from figbridge.demo.monolith import Happening, Monolith, Ticks


def a_shop(dsn: str, seed: int = 7) -> Monolith:
    """Return a shop whose clock goes on by 41 seconds, from ten o'clock in Berlin on a day in summer."""
    return Monolith(dsn, Random(seed), Ticks(datetime(2024, 6, 1, 8, tzinfo=UTC), timedelta(seconds=41)))


def ask(shop: Monolith, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    return shop.connection.execute(query.encode(), values).fetchall()


def order(shop: Monolith, number: int) -> dict[str, Any]:
    """Return an order's row as it stands, with the transaction that wrote it."""
    cursor = shop.connection.execute("SELECT *, xmin::text AS writer FROM shop.orders WHERE number = %s", (number,))
    names = [c.name for c in cursor.description or ()]
    row = cursor.fetchone()
    assert row is not None
    return dict(zip(names, row, strict=True))


def changed(was: dict[str, Any], now: dict[str, Any]) -> set[str]:
    """Return the columns that differ."""
    return {name for name in was if was[name] != now[name]} - {"writer"}


def watch(shop: Monolith, table: str, what: str, operation: str = "UPDATE") -> None:
    """Write down an expression for each row of a table that an operation changes."""
    function = f"public.watch_{table.replace('.', '_')}"
    shop.connection.execute(
        f"""CREATE TABLE IF NOT EXISTS public.seen (n bigserial, what text);
            CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO public.seen (what) VALUES ({what}); RETURN NULL; END $$;
            CREATE TRIGGER watch AFTER {operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()""".encode()
    )


def seen(shop: Monolith) -> list[str]:
    """Return what was written down, in order."""
    return [what for (what,) in ask(shop, "SELECT what FROM public.seen ORDER BY n")]


class News:
    """What the ledger says since somebody asked last."""

    def __init__(self, shop: Monolith) -> None:
        self._shop = shop
        self._seen = len(shop.ledger())

    def __call__(self) -> list[Happening]:
        """Return the happenings since the last call."""
        ledger = self._shop.ledger()[self._seen :]
        self._seen += len(ledger)
        return ledger
