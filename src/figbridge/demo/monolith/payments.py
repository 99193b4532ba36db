"""Money: a payment names its order, a move of money names only its payment."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from figbridge.demo.monolith.book import METHOD, MOVE, Move, Order, Payment, money
from figbridge.demo.monolith.desk import Desk, NothingToDo, Transaction

Wanted: TypeAlias = Callable[[Payment], bool]
_EVENTS = {"A": "PaymentAuthorised", "D": "PaymentReceived", "R": "PaymentRefunded"}


class Payments(Desk):
    """What happens to the money of an order."""

    def authorise(self, number: int | None = None) -> int:
        """Open a payment and authorise it; trait: the move stands two hops away from the order."""
        order = self.pick(lambda o: o.is_open and not o.payments, number)
        payment = Payment(self.book.next("payments"), self.rng.choice("CIT"), order.total)
        key = self.book.next("payment_moves")
        with self.transaction("authorise") as tx:
            insert_payment(tx, order, payment)
            move = insert_move(tx, order, payment, key, "A", payment.amount)
        payment.moves.append(move)
        order.payments.append(payment)
        return order.number

    def receive(self, number: int | None = None) -> int:
        """Debit an authorised payment, sometimes in two parts; trait: a second book of the moves is kept by hand."""
        order, payment = self._payment(lambda p: p.has("A") and not p.has("D"), number)
        part = (payment.amount / 3).quantize(Decimal("0.01")) if self.rng.randrange(3) == 0 else payment.amount
        parts = [part] if part == payment.amount else [part, payment.amount - part]
        self._book_moves("receive", order, payment, [("D", amount) for amount in parts])
        return order.number

    def refund(self, number: int | None = None) -> int:
        """Give the money of a debited payment back; trait: the order's own row never hears of it."""
        order, payment = self._payment(lambda p: p.has("D") and not p.has("R"), number)
        self._book_moves("refund", order, payment, [("R", payment.amount)])
        return order.number

    def change_method(self, number: int | None = None) -> int:
        """Pay in another way; trait: a child is changed, and the order is not touched."""
        order, payment = self._payment(lambda p: not p.has("D"), number)
        method = self.rng.choice([m for m in METHOD if m != payment.method])
        with self.transaction("change_method") as tx:
            tx.run("UPDATE shop.payments SET meth = %s, upd_dt = %s WHERE pay_id = %s", method, tx.wall, payment.key)
            tx.happened("PaymentChanged", order.subject, method=METHOD[method], amount=money(payment.amount))
        payment.method = method
        return order.number

    def _book_moves(self, op: str, order: Order, payment: Payment, moves: list[tuple[str, Decimal]]) -> None:
        keys = [self.book.next("payment_moves") for _ in moves]
        with self.transaction(op) as tx:
            entered = [insert_move(tx, order, payment, key, *move) for key, move in zip(keys, moves, strict=True)]
            change = sum((m.amount if m.kind == "D" else -m.amount for m in entered), Decimal(0))
            tx.run(
                "UPDATE shop.payments SET paid_sum = paid_sum + %s, upd_dt = %s WHERE pay_id = %s",
                change, tx.wall, payment.key,
            )  # fmt: skip
        payment.moves += entered

    def _payment(self, wanted: Wanted, number: int | None) -> tuple[Order, Payment]:
        order = self.pick(lambda o: any(wanted(p) for p in o.payments), number)
        found = [p for p in order.payments if wanted(p)]
        if not found:
            raise NothingToDo
        return order, found[0]


def insert_payment(tx: Transaction, order: Order, payment: Payment) -> None:
    """Write a payment, with no foreign key to its order."""
    tx.run(
        "INSERT INTO shop.payments (pay_id, order_id, meth, amt, crt_dt, upd_dt) VALUES (%s, %s, %s, %s, %s, %s)",
        payment.key, order.key, payment.method, payment.amount, tx.wall, tx.wall,
    )  # fmt: skip
    tx.happened("PaymentOpened", order.subject, method=METHOD[payment.method], amount=money(payment.amount))


def insert_move(tx: Transaction, order: Order, payment: Payment, key: int, kind: str, amount: Decimal) -> Move:
    """Write a move of money, which names neither the order nor a person who could be trusted."""
    tx.run(
        "INSERT INTO shop.payment_moves VALUES (%s, %s, %s, %s, %s, %s)",
        key, payment.key, kind, amount, f"{MOVE[kind]} {order.number}", tx.wall,
    )  # fmt: skip
    tx.happened(_EVENTS[kind], order.subject, amount=money(amount))
    return Move(key, kind, amount)
