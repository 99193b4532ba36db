"""What the shop does to rows that are there: late edits, the mapper, the night, the administrator."""

from __future__ import annotations

import pytest

from figbridge.demo.monolith import Monolith

from .shop_tables import News, ask, changed, order, seen, watch

pytestmark = pytest.mark.embedded


def test_the_status_stands_in_three_places(shop: Monolith) -> None:
    """Confirming writes the order, each line and the history."""
    number = shop.confirm(shop.place_order())
    key = order(shop, number)["order_id"]
    assert order(shop, number)["stat"] == "C"
    assert set(ask(shop, "SELECT line_stat FROM shop.order_lines WHERE order_id = %s", key)) == {("C",)}
    history = ask(shop, "SELECT stat FROM shop.order_history WHERE order_id = %s ORDER BY hist_id", key)
    assert history == [("P",), ("C",)]


def test_an_edited_address_names_no_order(shop: Monolith, news: News) -> None:
    """The order's own row is not written when its address is."""
    number = shop.place_order()
    was = order(shop, number)
    news()
    shop.readdress(number)
    assert order(shop, number) == was
    assert {(h.type, h.subject) for h in news()} >= {("OrderReaddressed", f"order-{number}")}


def test_a_shared_address_concerns_every_open_order_that_points_at_it(shop: Monolith, news: News) -> None:
    """One row edited, several orders readdressed; a cancelled one does not care."""
    while True:
        number = shop.place_order()
        others = [o for o in shop.book.at(shop.book.orders[number].address) if o.number != number and o.is_open]
        if others:
            break
    news()
    shop.readdress(number)
    assert {h.subject for h in news()} >= {f"order-{number}", others[0].subject}
    shop.cancel(others[0].number)
    news()
    shop.readdress(number)
    assert others[0].subject not in {h.subject for h in news()}


def test_a_new_address_is_committed_before_the_order_points_at_it(shop: Monolith, news: News) -> None:
    """Repointing is two transactions; the first is nobody's."""
    number = shop.place_order()
    was = order(shop, number)
    news()
    shop.repoint(number)
    now = order(shop, number)
    assert changed(was, now) == {"ship_addr_id", "upd_dt", "row_ver"}
    ((writer,),) = ask(shop, "SELECT xmin::text FROM shop.addresses WHERE addr_id = %s", now["ship_addr_id"])
    assert writer != now["writer"]
    assert [(h.type, h.subject) for h in news()] == [("OrderReaddressed", f"order-{number}")]


def test_a_late_edit_keeps_total_and_lines_together(shop: Monolith, news: News) -> None:
    """Lines, total and counters follow in one transaction."""
    number = shop.place_order()
    for _ in range(8):
        shop.edit_lines(number)
        ((total, lines),) = ask(
            shop,
            "SELECT tot_amt, sum(qty * prc) FROM shop.orders JOIN shop.order_lines USING (order_id)"
            " WHERE number = %s GROUP BY tot_amt",
            number,
        )
        assert total == lines
    assert [h.type for h in news() if h.subject == f"order-{number}"] == ["OrderPlaced"] + ["OrderRevised"] * 8


def test_a_saved_order_is_written_whole_and_has_not_changed(shop: Monolith, news: News) -> None:
    """The mapper writes every column back; only what it counts itself differs."""
    number = shop.place_order()
    was = order(shop, number)
    news()
    shop.save(number)
    assert changed(was, order(shop, number)) == {"upd_dt", "row_ver"}
    shop.touch(number)
    assert changed(was, order(shop, number)) == {"upd_dt", "row_ver"}
    assert news() == []


def test_a_stale_value_passes_by_inside_one_transaction(shop: Monolith, news: News) -> None:
    """The row is written twice, 3 to 0 and 0 to 3, and nothing has happened."""
    watch(shop, "shop.orders", "OLD.tot_amt || ' ' || NEW.tot_amt || ' ' || OLD.stat || NEW.stat")
    number = shop.place_order()
    total = order(shop, number)["tot_amt"]
    news()
    shop.save_stale(number)
    assert seen(shop) == [f"{total} 0.00 PP", f"0.00 {total} PP"]
    assert news() == []
    shop.save_confirmed(number)
    assert seen(shop)[2:] == [f"{total} 0.00 PC", "0.00 0.00 CP", f"0.00 {total} PC"]
    assert [h.type for h in news()] == ["OrderConfirmed"]


def test_a_long_note_is_stored_apart_and_stays_there_when_another_column_changes(shop: Monolith) -> None:
    """A touch keeps the TOASTed value (so the log lacks it), a full write of the mapper stores it anew."""
    number = shop.place_order()
    shop.annotate(number)
    chunk = "SELECT pg_column_toast_chunk_id(notes), length(notes) FROM shop.orders WHERE number = %s"
    ((first, length),) = ask(shop, chunk, number)
    assert first is not None
    assert length == 9000
    shop.fix_total(number)
    assert ask(shop, chunk, number) == [(first, 9000)]
    shop.save(number)
    assert ask(shop, chunk, number) != [(first, 9000)]


def test_the_night_confirms_many_orders_in_one_statement(shop: Monolith, news: News) -> None:
    """One transaction holds several aggregates."""
    placed = [shop.place_order() for _ in range(5)]
    news()
    count = shop.nightly_confirm(limit=100)
    assert count >= 5
    assert len(ask(shop, "SELECT DISTINCT xmin::text FROM shop.orders WHERE number = ANY(%s)", placed)) == 1
    told = news()
    assert len(told) == count
    assert {h.tx for h in told} == {told[0].tx}


def test_the_night_writes_every_row_for_nothing(shop: Monolith, news: News) -> None:
    """All orders change, and nothing has happened."""
    before = ask(shop, "SELECT sum(row_ver), count(*) FROM shop.orders")
    count = shop.nightly_status()
    assert ask(shop, "SELECT sum(row_ver) - count(*), count(*) FROM shop.orders") == before
    assert count == before[0][1]
    assert news() == []


def test_a_purge_deletes_children_first_and_leaves_parcels(shop: Monolith, news: News) -> None:
    """One transaction deletes from six tables; nothing happened to an order, and its parcel outlives it."""
    number = shop.checkout()
    assert number is not None
    shop.confirm(number)
    shop.ship(number)
    while any(s.status != "D" for s in shop.book.shipments.values() if s.number == number):
        shop.deliver()
    key = order(shop, number)["order_id"]
    for table in ("orders", "order_lines", "order_history", "payments", "payment_moves", "addresses"):
        watch(shop, f"shop.{table}", "TG_TABLE_NAME", "DELETE")
    news()
    assert number in shop.purge(limit=100)
    tables = list(dict.fromkeys(seen(shop)))
    children = ("payments", "order_lines", "order_history")
    assert all(tables.index(child) < tables.index("orders") < tables.index("addresses") for child in children)
    assert tables.index("payment_moves") < tables.index("payments")
    assert news() == []
    assert ask(shop, "SELECT 1 FROM shop.orders WHERE number = %s", number) == []
    assert len(ask(shop, "SELECT 1 FROM shop.shipments WHERE order_id = %s", key)) == 1


def test_a_corrected_key_moves_the_children_and_keeps_the_number(shop: Monolith, news: News) -> None:
    """A cascade moves the lines, the shop itself what has no foreign key."""
    number = shop.checkout()
    assert number is not None
    old = order(shop, number)["order_id"]
    news()
    shop.correct_key(number)
    new = order(shop, number)["order_id"]
    assert new != old
    for table in ("order_lines", "order_history", "payments"):
        assert ask(shop, f"SELECT 1 FROM shop.{table} WHERE order_id = %s", old) == []
        assert ask(shop, f"SELECT 1 FROM shop.{table} WHERE order_id = %s", new)
    assert news() == []


def test_the_administrator_changes_one_column_and_nothing_else(shop: Monolith, news: News) -> None:
    """No upd_dt, no row_ver: whoever polls for changes misses it."""
    number = shop.place_order()
    was = order(shop, number)
    news()
    shop.fix_total(number)
    assert changed(was, order(shop, number)) == {"tot_amt"}
    assert [h.type for h in news()] == ["OrderRevised"]


def test_a_deleted_move_names_nobody(shop: Monolith, news: News) -> None:
    """A debit booked twice is deleted by hand; the payment's own sum still has it."""
    number = shop.place_order()
    for operation in (shop.authorise, shop.receive):
        operation(number)
    news()
    shop.delete_move(number)
    assert [h.type for h in news()] == ["PaymentWithdrawn"]
    ((booked, moved),) = ask(
        shop,
        """SELECT p.paid_sum, coalesce(sum(m.amt) FILTER (WHERE m.typ = 'D'), 0) FROM shop.payments p
           JOIN shop.orders USING (order_id) LEFT JOIN shop.payment_moves m USING (pay_id)
           WHERE number = %s GROUP BY p.paid_sum""",
        number,
    )
    assert moved < booked


def test_a_refund_is_a_move_and_the_order_never_hears_of_it(shop: Monolith, news: News) -> None:
    """Money goes back two hops away from the order's row."""
    number = shop.place_order()
    shop.authorise(number)
    shop.receive(number)
    was = order(shop, number)
    news()
    shop.refund(number)
    assert order(shop, number) == was
    assert [(h.type, h.subject) for h in news()] == [("PaymentRefunded", f"order-{number}")]


def test_what_must_never_happen_happens_without_a_word(shop: Monolith, news: News) -> None:
    """A shipped order set back, and a status nobody knows: the ledger is silent, and trading leaves them alone."""
    shipped = shop.ship(shop.confirm(shop.place_order()))
    odd = shop.place_order()
    news()
    shop.reopen(shipped)
    shop.write_unknown_status(odd)
    assert (order(shop, shipped)["stat"], order(shop, odd)["stat"]) == ("C", "Q")
    assert news() == []
    shop.trade(60)
    assert not {h.subject for h in news()} & {f"order-{shipped}", f"order-{odd}"}


def test_the_reporting_job_writes_over_its_own_connection(shop: Monolith, news: News) -> None:
    """Somebody nobody thought of edits addresses; the orders that point at them are readdressed."""
    for _ in range(20):
        shop.place_order()
    watch(shop, "shop.addresses", "current_setting('application_name')")
    news()
    numbers = shop.reporting_job(2)
    assert seen(shop) == ["reporting", "reporting"]
    told = news()
    assert {h.type for h in told} == {"OrderReaddressed"}
    assert {h.subject for h in told} <= {f"order-{n}" for n in numbers}
    assert all("straße " in h.data["shipTo"]["text"]["street"] for h in told)


def test_a_customer_leaves_and_the_orders_stay(shop: Monolith, news: News) -> None:
    """Every pointer at the account becomes null, then the row goes."""
    key = shop.leave()
    assert ask(shop, "SELECT 1 FROM shop.customers WHERE cust_id = %s", key) == []
    assert ask(shop, "SELECT 1 FROM shop.orders WHERE cust_id = %s", key) == []
    assert [(h.type, h.subject) for h in news()] == [("CustomerLeft", f"customer-{key}")]
