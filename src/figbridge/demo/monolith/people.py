"""Customers come, change and leave."""

from __future__ import annotations

from datetime import date, timedelta

from figbridge.demo.monolith import invent
from figbridge.demo.monolith.book import SEGMENT, Customer
from figbridge.demo.monolith.desk import Desk, NothingToDo


class People(Desk):
    """What happens to accounts."""

    def register(self) -> int:
        """Open an account; trait: a secret and a birthday stand in the same row as the name."""
        key, who = self.book.next("customers"), invent.person(self.rng)
        customer = Customer(
            key,
            who.name,
            invent.email(who, key),
            self.rng.choice(["PRV", "PRV", "PRV", "B2B", "EMP"]),
            self.rng.randrange(3) == 0,
        )
        born = date(1950, 1, 1) + timedelta(days=self.rng.randrange(19_000))
        birthday = born if key % 5 else self.dialect.no_date  # some never told it
        with self.transaction("register") as tx:
            tx.run(
                "INSERT INTO shop.customers VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 1)",
                key, customer.name, customer.email, customer.segment, self.dialect.flag(customer.newsletter), birthday,
                invent.story(self.rng, 64), tx.wall, tx.wall,
            )  # fmt: skip
            tx.happened(
                "CustomerRegistered",
                f"customer-{key}",
                name=customer.name,
                email=customer.email,
                segment=SEGMENT[customer.segment],
                newsletter=customer.newsletter,
            )
        self.book.customers[key] = customer
        return key

    def change_customer(self) -> int:
        """Change one thing about a customer: name, address, segment or consent; one statement for each."""
        customer = self._customer()
        old = (customer.name, customer.email, customer.segment, customer.newsletter)
        name, email, segment, newsletter = old
        match self.rng.randrange(4):
            case 0:
                name = f"{customer.name.split()[0]} {self.book.next('tx')}. Muster"
            case 1:
                email = invent.email(invent.person(self.rng), self.book.next("edits"))
            case 2:
                segment = self.rng.choice([s for s in SEGMENT if s != segment])
            case _:
                newsletter = not newsletter
        with self.transaction("change_customer") as tx:
            tx.run(
                "UPDATE shop.customers SET name = %s, email = %s, seg = %s, news = %s, upd_dt = %s,"
                " row_ver = row_ver + 1 WHERE cust_id = %s",
                name, email, segment, self.dialect.flag(newsletter), tx.wall, customer.key,
            )  # fmt: skip
            subject = f"customer-{customer.key}"
            if name != customer.name:
                tx.happened("CustomerRenamed", subject, name=name, before=customer.name)
            if email != customer.email:
                tx.happened("CustomerEmailChanged", subject, email=email, before=customer.email)
            if segment != customer.segment:
                told = SEGMENT[segment]
                tx.happened("CustomerSegmentChanged", subject, segment=told, before=SEGMENT[customer.segment])
            if newsletter != customer.newsletter:
                tx.happened("NewsletterSubscribed" if newsletter else "NewsletterUnsubscribed", subject, email=email)
        customer.name, customer.email, customer.segment, customer.newsletter = name, email, segment, newsletter
        return customer.key

    def leave(self) -> int:
        """Close an account; trait: the pointers of all its orders become null, then the row goes."""
        customer = self._customer()
        orders = [o for o in self.book.orders.values() if o.customer == customer.key]
        with self.transaction("leave") as tx:
            tx.run("UPDATE shop.orders SET cust_id = NULL WHERE cust_id = %s", customer.key, rows=len(orders))
            tx.run("DELETE FROM shop.customers WHERE cust_id = %s", customer.key)
            tx.happened("CustomerLeft", f"customer-{customer.key}", segment=SEGMENT[customer.segment])
        for order in orders:
            order.customer = None
        del self.book.customers[customer.key]
        return customer.key

    def _customer(self) -> Customer:
        if not self.book.customers:
            raise NothingToDo
        return self.rng.choice(list(self.book.customers.values()))
