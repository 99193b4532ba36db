"""Late edits of what was ordered and where it goes; the address row names no order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from figbridge.demo.monolith import invent
from figbridge.demo.monolith.book import Address, Line, Order, money
from figbridge.demo.monolith.checkout import insert_address, told_lines
from figbridge.demo.monolith.desk import Desk, NothingToDo, Transaction, connect


class Edits(Desk):
    """Changes to orders that were placed before."""

    def edit_lines(self, number: int | None = None) -> int:
        """Change a quantity, add a line or remove one; trait: the total follows in the same transaction."""
        order = self.pick(lambda o: o.is_open, number)
        lines = {no: replace(line) for no, line in order.lines.items()}
        what = self.rng.choice(["quantity", "add", "remove"])
        if what == "add":
            item = self.rng.choice(list(invent.PRICES))
            lines[max(lines, default=0) + 1] = Line(item, 1, Decimal(invent.PRICES[item]))
        elif what == "remove" and len(lines) > 1:
            del lines[self.rng.choice(list(lines))]
        else:
            no = self.rng.choice(list(lines))
            lines[no].qty += -1 if lines[no].qty > 1 and self.rng.randrange(2) else 1
        self._revise(order, lines)
        return order.number

    def _revise(self, order: Order, lines: dict[int, Line]) -> None:
        total = sum((line.qty * line.price for line in lines.values()), Decimal(0))
        with self.transaction("edit_lines") as tx:
            for no in sorted(order.lines.keys() | lines.keys()):
                _write_line(tx, order.key, no, order.lines.get(no), lines.get(no))
            tx.run(
                "UPDATE shop.orders SET tot_amt = %s, upd_dt = %s, row_ver = row_ver + 1 WHERE order_id = %s",
                total, tx.wall, order.key,
            )  # fmt: skip
            tx.happened(
                "OrderRevised",
                order.subject,
                lines=told_lines(lines),
                total=money(total),
                linesBefore=told_lines(order.lines),
                totalBefore=money(order.total),
            )
        order.lines, order.total = lines, total

    def readdress(self, number: int | None = None) -> int:
        """Edit the address an order points at; trait: the statement names no order, and several may point there."""
        order = self.pick(lambda o: o.is_open, number)
        address = self.book.addresses[order.address]
        serial = self.book.next("addresses")
        new = replace(address, txt=invent.address(self.rng, serial))
        while new.txt == address.txt:
            new = replace(address, txt=invent.address(self.rng, serial))
        with self.transaction("readdress") as tx:
            self._rewrite(tx, address, new)
        self.book.addresses[address.key] = new
        return order.number

    def repoint(self, number: int | None = None) -> int:
        """Point an order at a new address row; trait: the row is committed first, alone, and is nobody's until then."""
        order = self.pick(lambda o: o.is_open, number)
        before = self.book.addresses[order.address]
        key, who = self.book.next("addresses"), invent.person(self.rng)
        address = Address(key, who.first, who.last, invent.address(self.rng, key))
        with self.transaction("repoint:address") as tx:
            insert_address(tx, address)
        self.book.addresses[key] = address
        with self.transaction("repoint:order") as tx:
            tx.run(
                "UPDATE shop.orders SET ship_addr_id = %s, upd_dt = %s, row_ver = row_ver + 1 WHERE order_id = %s",
                key, tx.wall, order.key,
            )  # fmt: skip
            tx.happened("OrderReaddressed", order.subject, shipTo=address.told(), before=before.told())
        self.book.repoint(order, key)
        return order.number

    def reporting_job(self, count: int = 3, *, dsn: str = "") -> list[int]:
        """Let the reporting job mend addresses; trait: a program nobody thought of writes, over its own connection.

        It spells `str.` out, with one UPDATE over several rows. Returns the numbers of the orders concerned. `dsn` is
        for a user of its own; the connection is named `reporting`.
        """
        spoiled = {o.address for o in self.book.orders.values() if o.spoiled}
        targets = [
            a
            for key, a in self.book.addresses.items()
            if "str. " in a.txt and key not in spoiled and any(o.is_open for o in self.book.at(key))
        ][:count]
        if not targets:
            raise NothingToDo
        mended = [replace(a, txt=a.txt.replace("str. ", "straße ")) for a in targets]
        with connect(dsn or self.dsn, "reporting") as connection, self.transaction("reporting_job", connection) as tx:
            tx.run(
                "UPDATE shop.addresses SET txt = replace(txt, 'str. ', 'straße ') WHERE addr_id = ANY(%s)",
                [a.key for a in targets], rows=len(targets),
            )  # fmt: skip
            for old, new in zip(targets, mended, strict=True):
                self._tell(tx, old, new)
        self.book.addresses.update((a.key, a) for a in mended)
        return [o.number for a in targets for o in self.book.at(a.key)]

    def _rewrite(self, tx: Transaction, old: Address, new: Address) -> None:
        tx.run("UPDATE shop.addresses SET txt = %s, upd_dt = %s WHERE addr_id = %s", new.txt, tx.wall, old.key)
        self._tell(tx, old, new)

    def _tell(self, tx: Transaction, old: Address, new: Address) -> None:
        """Enter one happening for each order that points at an address, cancelled and spoiled ones excepted."""
        for order in self.book.at(old.key):
            if order.status != "X" and not order.spoiled:
                tx.happened("OrderReaddressed", order.subject, shipTo=new.told(), before=old.told())


def _write_line(tx: Transaction, order: int, no: int, old: Line | None, new: Line | None) -> None:
    if old is None and new is not None:
        tx.run("INSERT INTO shop.order_lines VALUES (%s, %s, %s, %s, %s, 'O')", order, no, new.item, new.qty, new.price)
        tx.move_stock(new.item, reserved=new.qty)
    elif old is not None and new is None:
        tx.run("DELETE FROM shop.order_lines WHERE order_id = %s AND line_no = %s", order, no)
        tx.move_stock(old.item, reserved=-old.qty)
    elif old is not None and new is not None and old != new:
        tx.run("UPDATE shop.order_lines SET qty = %s WHERE order_id = %s AND line_no = %s", new.qty, order, no)
        tx.move_stock(new.item, reserved=new.qty - old.qty)
