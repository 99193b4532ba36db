"""Orders come in: through the front door in one transaction, through the second door in four, and at the till."""

from __future__ import annotations

from decimal import Decimal

from figbridge.demo.monolith import invent
from figbridge.demo.monolith.book import STATUS, Address, Line, Order, Payment, money
from figbridge.demo.monolith.desk import Desk, Transaction, instant
from figbridge.demo.monolith.payments import insert_move, insert_payment


class Checkout(Desk):
    """The doors through which an order comes."""

    def place_order(self) -> int:
        """Place an order; trait: address, order, lines, stock and history in ONE transaction, the address row first.

        One order in four goes to an address that another order of the same customer points at already.
        """
        order, address, is_new = self._draft("P")
        with self.transaction("place_order") as tx:
            if is_new:
                insert_address(tx, address)
            self._insert(tx, order, address)
        self._enter(order, address)
        return order.number

    def sell_at_till(self) -> int:
        """Sell over the counter; trait: the order appears confirmed already, without ever having been placed."""
        order, address, _ = self._draft("C", always_new=True)
        with self.transaction("sell_at_till") as tx:
            insert_address(tx, address)
            self._insert(tx, order, address)
        self._enter(order, address)
        return order.number

    def checkout(self, *, fails_after: str = "") -> int | None:
        """Check out through the second door; trait: four transactions (address; order with lines; payment; move).

        `fails_after` address, order or payment leaves what was committed: an error page is no rollback. Returns the
        order's number, None when there is only an orphan address.
        """
        order, address, _ = self._draft("P", always_new=True)
        with self.transaction("checkout:address") as tx:
            insert_address(tx, address)
        self.book.addresses[address.key] = address
        if fails_after == "address":
            return None
        with self.transaction("checkout:order") as tx:
            self._insert(tx, order, address)
        self._enter(order, address)
        if fails_after == "order":
            return order.number
        payment = Payment(self.book.next("payments"), self.rng.choice("CIT"), order.total)
        with self.transaction("checkout:payment") as tx:
            insert_payment(tx, order, payment)
        order.payments.append(payment)
        if fails_after == "payment":
            return order.number
        move = self.book.next("payment_moves")
        with self.transaction("checkout:move") as tx:
            entered = insert_move(tx, order, payment, move, "A", payment.amount)
        payment.moves.append(entered)
        return order.number

    def _draft(self, status: str, *, always_new: bool = False) -> tuple[Order, Address, bool]:
        """Think of an order: who, where, what. Nothing is written yet."""
        book, rng = self.book, self.rng
        customer = rng.choice(list(book.customers)) if book.customers and rng.randrange(5) else None
        shared = self._address_of(customer) if not always_new and rng.randrange(4) == 0 else None
        if shared is None:
            key, who = book.next("addresses"), invent.person(rng)
            address = Address(key, who.first, who.last, invent.address(rng, key))
        else:
            address = shared
        key = book.next("orders")
        lines = {no: Line(*line) for no, line in enumerate(invent.basket(rng), start=1)}
        total = sum((line.qty * line.price for line in lines.values()), Decimal(0))
        carrier = rng.choice([None, None, *invent.CARRIERS])
        order = Order(key, 1000 + key, customer, status, total, address.key, carrier, lines=lines)
        return order, address, shared is None

    def _address_of(self, customer: int | None) -> Address | None:
        """Return the address of one of the last orders, if this customer placed it."""
        for number in reversed(self.book.numbers[-50:]):
            order = self.book.orders[number]
            if customer is not None and order.customer == customer:
                return self.book.addresses[order.address]
        return None

    def _insert(self, tx: Transaction, order: Order, address: Address) -> None:
        guest = "" if order.customer else f"guest.{order.number}@example.test"
        tx.run(
            "INSERT INTO shop.orders (order_id, number, cust_id, stat, tot_amt, crt_dt, upd_dt, ship_addr_id,"
            " carrier_id, guest_mail) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            order.key, order.number, order.customer, order.status, order.total, tx.wall, tx.wall, order.address,
            order.carrier, guest,
        )  # fmt: skip
        line_status = "O" if order.status == "P" else order.status
        tx.many(
            "INSERT INTO shop.order_lines VALUES (%s, %s, %s, %s, %s, %s)",
            [(order.key, no, line.item, line.qty, line.price, line_status) for no, line in order.lines.items()],
        )
        tx.happened(
            "OrderPlaced",
            order.subject,
            customer=None if order.customer is None else f"customer-{order.customer}",
            total=money(order.total),
            placedAt=instant(tx.wall),
            shipTo=address.told(),
            lines=told_lines(order.lines),
        )
        if STATUS[order.status] == "confirmed":
            tx.happened("OrderConfirmed", order.subject, total=money(order.total))
        for line in order.lines.values():
            tx.move_stock(line.item, reserved=line.qty)
        insert_history(tx, self.book.next("order_history"), order.key, order.status)

    def _enter(self, order: Order, address: Address) -> None:
        self.book.addresses[address.key] = address
        self.book.add(order)


def told_lines(lines: dict[int, Line]) -> list[dict[str, object]]:
    """Return lines as events tell them."""
    return [{"sku": line.item, "quantity": line.qty, "price": money(line.price)} for _, line in sorted(lines.items())]


def insert_address(tx: Transaction, address: Address) -> None:
    """Write an address row, which names no order."""
    tx.run(
        "INSERT INTO shop.addresses VALUES (%s, %s, %s, %s, %s)",
        address.key, address.first, address.last, address.txt, tx.wall,
    )  # fmt: skip


def insert_history(tx: Transaction, key: int, order: int, status: str) -> None:
    """Write the status down once more."""
    tx.run("INSERT INTO shop.order_history VALUES (%s, %s, %s, 'shop', %s)", key, order, status, tx.wall)
