"""The administrator: statements straight on the table, past everything the shop's code would have done."""

from __future__ import annotations

from decimal import Decimal

from figbridge.demo.monolith.book import MOVE, money
from figbridge.demo.monolith.checkout import told_lines
from figbridge.demo.monolith.desk import Desk, NothingToDo


class Dba(Desk):
    """Repairs by hand."""

    def fix_total(self, number: int | None = None) -> int:
        """Mend a rounding error; trait: a single column, no upd_dt, and the lines no longer add up to it."""
        order = self.pick(lambda o: o.is_open, number)
        total = order.total + Decimal("0.01")
        with self.transaction("fix_total") as tx:
            tx.run("UPDATE shop.orders SET tot_amt = %s WHERE order_id = %s", total, order.key)
            tx.happened(
                "OrderRevised",
                order.subject,
                lines=told_lines(order.lines),
                total=money(total),
                totalBefore=money(order.total),
            )
        order.total = total
        return order.number

    def fix_move(self, number: int | None = None) -> int:
        """Correct the amount of a move; trait: a row two hops away changes, which everybody took for written once."""
        order = self.pick(lambda o: any(p.moves for p in o.payments), number)
        move = next((m for p in order.payments for m in p.moves), None)
        if move is None:
            raise NothingToDo
        amount = move.amount + Decimal("0.01")
        with self.transaction("fix_move") as tx:
            tx.run("UPDATE shop.payment_moves SET amt = %s WHERE move_id = %s", amount, move.key)
            tx.happened(
                "PaymentCorrected",
                order.subject,
                kind=MOVE[move.kind],
                amount=money(amount),
                amountBefore=money(move.amount),
            )
        move.amount = amount
        return order.number

    def delete_move(self, number: int | None = None) -> int:
        """Delete a debit that was booked twice; trait: under the default identity the delete names no parent."""
        order = self.pick(lambda o: any(p.has("D") for p in o.payments), number)
        payment = next((p for p in order.payments if p.has("D")), None)
        if payment is None:
            raise NothingToDo
        move = next(m for m in payment.moves if m.kind == "D")
        with self.transaction("delete_move") as tx:
            tx.run("DELETE FROM shop.payment_moves WHERE move_id = %s", move.key)
            tx.happened("PaymentWithdrawn", order.subject, kind=MOVE[move.kind], amount=money(move.amount))
        payment.moves.remove(move)
        return order.number

    def correct_key(self, number: int | None = None) -> int:
        """Give an order another key; trait: UPDATE of a primary key, with a cascade here and by hand there."""
        order = self.pick(lambda o: o.is_open and o.key < 1_000_000, number)
        key = order.key + 1_000_000
        shipments = len(self.book.shipments_of(order))
        with self.transaction("correct_key") as tx:
            cascaded = len(order.lines) if self.dialect.cascades else 0
            tx.run("UPDATE shop.orders SET order_id = %s WHERE order_id = %s", key, order.key, rows=1 + cascaded)
            children = {"payments": len(order.payments), "shipments": shipments, "order_history": order.history}
            if not self.dialect.cascades:
                children["order_lines"] = len(order.lines)
            for table, rows in children.items():
                tx.run(f"UPDATE shop.{table} SET order_id = %s WHERE order_id = %s", key, order.key, rows=rows)  # noqa: S608
        order.key = key
        return order.number

    def reopen(self, number: int | None = None) -> int:
        """Set a shipped order back to confirmed; trait: what must never happen. The order is spoiled from now on.

        The ledger says nothing: a right mapping parks the order.
        """
        order = self.pick(lambda o: o.status == "S", number)
        with self.transaction("reopen") as tx:
            tx.run("UPDATE shop.orders SET stat = 'C' WHERE order_id = %s", order.key)
        order.spoiled = True
        return order.number

    def write_unknown_status(self, number: int | None = None) -> int:
        """Write a status nobody knows; trait: a code that no table of codes has. The order is spoiled from now on."""
        order = self.pick(lambda o: o.status == "P", number)
        with self.transaction("write_unknown_status") as tx:
            tx.run("UPDATE shop.orders SET stat = 'Q' WHERE order_id = %s", order.key)
        order.spoiled = True
        return order.number
