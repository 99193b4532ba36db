"""Orders come in through three doors, and each leaves its own trace in the tables."""

from __future__ import annotations

from collections import Counter

import pytest

from figbridge.demo.monolith import Monolith

from .shop_tables import News, ask

pytestmark = pytest.mark.embedded

WRITERS = """
SELECT 'order', o.xmin::text FROM shop.orders o WHERE o.number = %(n)s
UNION ALL SELECT 'line', l.xmin::text FROM shop.order_lines l JOIN shop.orders o USING (order_id) WHERE o.number = %(n)s
UNION ALL SELECT 'address', a.xmin::text
          FROM shop.addresses a JOIN shop.orders o ON a.addr_id = o.ship_addr_id WHERE o.number = %(n)s
UNION ALL SELECT 'history', h.xmin::text FROM shop.order_history h JOIN shop.orders o USING (order_id)
          WHERE o.number = %(n)s
UNION ALL SELECT 'payment', p.xmin::text FROM shop.payments p JOIN shop.orders o USING (order_id) WHERE o.number = %(n)s
UNION ALL SELECT 'move', m.xmin::text FROM shop.payment_moves m JOIN shop.payments p USING (pay_id)
          JOIN shop.orders o USING (order_id) WHERE o.number = %(n)s
UNION ALL SELECT 'stock', s.xmin::text FROM shop.stock s WHERE s.item_cd IN
          (SELECT l.item_cd FROM shop.order_lines l JOIN shop.orders o USING (order_id) WHERE o.number = %(n)s)
UNION ALL SELECT 'ledger', l.xmin::text FROM shop.ledger l WHERE l.subject = 'order-' || %(n)s
"""


def writers(shop: Monolith, number: int) -> dict[str, set[str]]:
    """Return, for each kind of row of an order, the transactions that wrote the rows as they are."""
    found: dict[str, set[str]] = {}
    for kind, transaction in shop.connection.execute(WRITERS, {"n": number}):
        found.setdefault(kind, set()).add(transaction)
    return found


def place_with_new_address(shop: Monolith) -> int:
    """Place orders until one has an address of its own."""
    while True:
        number = shop.place_order()
        if len(shop.book.at(shop.book.orders[number].address)) == 1:
            return number


def test_the_front_door_is_one_transaction(shop: Monolith) -> None:
    """Address, order, lines, history, counters and ledger are committed together."""
    found = writers(shop, place_with_new_address(shop))
    assert found.keys() == {"order", "line", "address", "history", "stock", "ledger"}
    assert len(set.union(*found.values())) == 1


def test_the_second_door_is_four_transactions(shop: Monolith, news: News) -> None:
    """Address, then order with lines, then payment, then move: each alone."""
    number = shop.checkout()
    assert number is not None
    found = writers(shop, number)
    assert found["order"] == found["line"] == found["history"] == found["stock"]
    order, address, payment, move = (found[k] for k in ("order", "address", "payment", "move"))
    assert len(order | address | payment | move) == 4
    types = [h.type for h in news() if h.subject == f"order-{number}"]
    assert types == ["OrderPlaced", "PaymentOpened", "PaymentAuthorised"]


def test_a_failed_checkout_leaves_what_was_committed(shop: Monolith, news: News) -> None:
    """An error page is no rollback: an orphan address, an order without payment, a payment without a move."""
    assert shop.checkout(fails_after="address") is None
    last = shop.book.last["addresses"]
    assert ask(shop, "SELECT 1 FROM shop.orders WHERE ship_addr_id = %s", last) == []
    assert ask(shop, "SELECT 1 FROM shop.addresses WHERE addr_id = %s", last) == [(1,)]
    assert news() == []
    number = shop.checkout(fails_after="order")
    assert number is not None
    assert "payment" not in writers(shop, number)
    number = shop.checkout(fails_after="payment")
    assert number is not None
    assert writers(shop, number).keys() >= {"payment"}
    assert "move" not in writers(shop, number)


def test_the_till_writes_an_order_that_is_confirmed_already(shop: Monolith, news: News) -> None:
    """Nobody ever saw the order placed: its history begins with C, and two things happened at once."""
    number = shop.sell_at_till()
    query = "SELECT h.stat FROM shop.order_history h JOIN shop.orders o USING (order_id) WHERE o.number = %s"
    assert ask(shop, query, number) == [("C",)]
    placed, confirmed = (h for h in news() if h.subject == f"order-{number}")
    assert (placed.type, confirmed.type) == ("OrderPlaced", "OrderConfirmed")
    assert placed.tx == confirmed.tx


def test_the_business_number_is_not_the_key(shop: Monolith) -> None:
    """The world knows an order by its number."""
    assert ask(shop, "SELECT count(*) FROM shop.orders WHERE order_id = number") == [(0,)]


def test_times_are_wall_clocks_of_berlin(shop: Monolith, news: News) -> None:
    """What the shop writes in summer is two hours ahead of UTC, and the column does not say so."""
    number = shop.place_order()
    ((written, zone),) = ask(
        shop, "SELECT crt_dt::text, pg_typeof(crt_dt)::text FROM shop.orders WHERE number = %s", number
    )
    assert zone == "timestamp without time zone"
    told = news()[0].data["placedAt"]
    assert told.endswith("Z")
    assert (int(written[11:13]), written[13:19]) == (int(told[11:13]) + 2, told[13:19])


def test_articles_are_padded(shop: Monolith) -> None:
    """A char(8) cell comes with its blanks."""
    ordered, stocked = (ask(shop, f"SELECT item_cd FROM shop.{table}") for table in ("order_lines", "stock"))
    assert {len(item) for (item,) in ordered + stocked} == {8}
    assert ("A1      ",) in stocked


def test_some_orders_share_an_address(shop: Monolith) -> None:
    """An address row may be pointed at by several orders."""
    for _ in range(30):
        shop.place_order()
    assert ask(shop, "SELECT 1 FROM shop.orders GROUP BY ship_addr_id HAVING count(*) > 1")


def test_guests_have_no_account_and_accounts_have_an_empty_mail(shop: Monolith) -> None:
    """A missing pointer is null, a missing mail an empty string."""
    for _ in range(30):
        shop.place_order()
    kinds = ask(shop, "SELECT DISTINCT cust_id IS NULL, guest_mail = '' FROM shop.orders")
    assert sorted(kinds) == [(False, True), (True, False)]


def test_counters_move_by_what_the_lines_say_and_name_no_order(shop: Monolith, news: News) -> None:
    """The link between a counter and an order is the transaction, nothing else."""
    before = dict(ask(shop, "SELECT item_cd, reserved FROM shop.stock"))
    number = shop.place_order()
    after = dict(ask(shop, "SELECT item_cd, reserved FROM shop.stock"))
    query = "SELECT item_cd, qty FROM shop.order_lines JOIN shop.orders USING (order_id) WHERE number = %s"
    lines = ask(shop, query, number)
    ordered: Counter[str] = Counter()
    for item, qty in lines:
        ordered[item] += qty
    assert {i: after[i] - before[i] for i in after if after[i] != before[i]} == dict(ordered)
    told = {h.subject: h.data["quantity"] for h in news() if h.type == "StockReserved"}
    assert told == {f"stock-{item.rstrip()}": qty for item, qty in ordered.items()}
    columns = ask(
        shop, "SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'stock'"
    )
    assert ("order_id",) not in columns
