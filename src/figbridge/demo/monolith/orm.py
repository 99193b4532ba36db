"""The object-relational mapper: it writes every column back, most of the time for nothing."""

from __future__ import annotations

from decimal import Decimal

from figbridge.demo.monolith import invent
from figbridge.demo.monolith.book import Order, money
from figbridge.demo.monolith.checkout import insert_history
from figbridge.demo.monolith.desk import Desk, Transaction

_EVERY_COLUMN = (
    "UPDATE shop.orders SET number = %s, cust_id = %s, stat = %s, del_stat = del_stat, tot_amt = %s, crt_dt = crt_dt,"
    " upd_dt = %s, row_ver = row_ver + 1, ship_addr_id = %s, carrier_id = %s, guest_mail = guest_mail, notes = %s,"
    " flag2 = flag2 WHERE order_id = %s"
)


class Orm(Desk):
    """What a mapper of objects does to rows."""

    def save(self, number: int | None = None) -> int:
        """Save an order that nobody changed; trait: every column is written back, long text too."""
        order = self.pick(lambda o: o.is_open, number)
        with self.transaction("save") as tx:
            _write(tx, order, order.total, order.status)
        return order.number

    def save_stale(self, number: int | None = None) -> int:
        """Save an order twice; trait: 3, 0, 3 inside one transaction, and only one of them is true."""
        order = self.pick(lambda o: o.is_open, number)
        with self.transaction("save_stale") as tx:
            _write(tx, order, Decimal("0.00"), order.status)
            _write(tx, order, order.total, order.status)
        return order.number

    def save_confirmed(self, number: int | None = None) -> int:
        """Confirm an order through the mapper; trait: three updates of one row, with stale values between them."""
        order = self.pick(lambda o: o.status == "P", number)
        key = self.book.next("order_history")
        with self.transaction("save_confirmed") as tx:
            _write(tx, order, Decimal("0.00"), "C")
            _write(tx, order, Decimal("0.00"), "P")
            _write(tx, order, order.total, "C")
            insert_history(tx, key, order.key, "C")
            tx.happened("OrderConfirmed", order.subject, total=money(order.total))
        order.status, order.history = "C", order.history + 1
        return order.number

    def touch(self, number: int | None = None) -> int:
        """Touch an order; trait: only upd_dt and row_ver change, as in most updates a shop ever does."""
        order = self.pick(lambda _: True, number)
        with self.transaction("touch") as tx:
            _touch(tx, order.key)
        return order.number

    def annotate(self, number: int | None = None, *, length: int = 9000) -> int:
        """Write a long note, then touch the order in another transaction; trait: TOASTed text is not logged again."""
        order = self.pick(lambda o: o.is_open, number)
        note = invent.story(self.rng, length)
        with self.transaction("annotate:note") as tx:
            tx.run("UPDATE shop.orders SET notes = %s, upd_dt = %s WHERE order_id = %s", note, tx.wall, order.key)
        order.notes = note
        with self.transaction("annotate:touch") as tx:
            _touch(tx, order.key)
        return order.number


def _write(tx: Transaction, order: Order, total: Decimal, status: str) -> None:
    tx.run(
        _EVERY_COLUMN,
        order.number, order.customer, status, total, tx.wall, order.address, order.carrier, order.notes,
        order.key,
    )  # fmt: skip


def _touch(tx: Transaction, key: int) -> None:
    tx.run("UPDATE shop.orders SET upd_dt = %s, row_ver = row_ver + 1 WHERE order_id = %s", tx.wall, key)
