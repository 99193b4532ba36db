"""What runs at night: updates over many rows, and the purge."""

from __future__ import annotations

from itertools import islice

from figbridge.demo.monolith.book import Order, money
from figbridge.demo.monolith.desk import Desk, NothingToDo, Transaction


class Nightly(Desk):
    """Jobs over many rows."""

    def nightly_confirm(self, limit: int = 20) -> int:
        """Confirm what was placed; trait: one UPDATE, one transaction, many orders. Returns how many."""
        orders = [o for o in self.book.orders.values() if o.status == "P" and not o.spoiled][:limit]
        if not orders:
            raise NothingToDo
        keys = [o.key for o in orders]
        first = self.book.last.get("order_history", 0)
        self.book.last["order_history"] = first + len(orders)
        with self.transaction("nightly_confirm") as tx:
            tx.run(
                "UPDATE shop.orders SET stat = 'C', upd_dt = %s, row_ver = row_ver + 1 WHERE order_id = ANY(%s)",
                tx.wall, keys, rows=len(keys),
            )  # fmt: skip
            tx.many(
                "INSERT INTO shop.order_history VALUES (%s, %s, 'C', 'nightly', %s)",
                [(first + i, key, tx.wall) for i, key in enumerate(keys, start=1)],
            )
            for order in orders:
                tx.happened("OrderConfirmed", order.subject, total=money(order.total))
        for order in orders:
            order.status, order.history = "C", order.history + 1
        return len(orders)

    def nightly_status(self) -> int:
        """Write every order's del_stat; trait: every row changes and nothing has happened. Returns how many rows."""
        count = len(self.book.orders)
        with self.transaction("nightly_status") as tx:
            tx.run(
                "UPDATE shop.orders SET del_stat = CASE stat WHEN 'S' THEN 'D' ELSE 'O' END, row_ver = row_ver + 1",
                rows=count,
            )
        return count

    def purge(self, limit: int = 3) -> list[int]:
        """Purge the oldest finished orders; trait: one transaction, children first, and nothing happened to an order.

        Their parcels stay behind. Returns the numbers purged.
        """
        finished = (o for o in self.book.orders.values() if o.status in "XS" and not o.spoiled)
        orders = list(islice((o for o in finished if self._is_over(o)), limit))
        if not orders:
            raise NothingToDo
        with self.transaction("purge") as tx:
            for order in orders:
                _delete_children(tx, order)
            keys = [o.key for o in orders]
            tx.run("DELETE FROM shop.orders WHERE order_id = ANY(%s)", keys, rows=len(keys))
            free = self._freed_addresses(orders)
            if free:
                tx.run("DELETE FROM shop.addresses WHERE addr_id = ANY(%s)", free, rows=len(free))
        for order in orders:
            for shipment in self.book.shipments_of(order):
                del self.book.shipments[shipment.key]
            self.book.drop(order)
        for address in free:
            del self.book.addresses[address]
        return [o.number for o in orders]

    def _is_over(self, order: Order) -> bool:
        """Say whether no parcel of an order is on its way, or may still be found."""
        return all(s.status == "D" for s in self.book.shipments_of(order))

    def _freed_addresses(self, orders: list[Order]) -> list[int]:
        gone = {o.number for o in orders}
        return sorted({o.address for o in orders if self.book.pointing[o.address] <= gone})


def _delete_children(tx: Transaction, order: Order) -> None:
    moves = [m.key for p in order.payments for m in p.moves]
    tx.run("DELETE FROM shop.payment_moves WHERE move_id = ANY(%s)", moves, rows=len(moves))
    tx.run("DELETE FROM shop.payments WHERE order_id = %s", order.key, rows=len(order.payments))
    tx.run("DELETE FROM shop.order_lines WHERE order_id = %s", order.key, rows=len(order.lines))
    tx.run("DELETE FROM shop.order_history WHERE order_id = %s", order.key, rows=order.history)
