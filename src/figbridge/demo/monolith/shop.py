"""The whole monolith: every operation, a random mix of them, and a writer for load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from figbridge.demo.monolith.checkout import Checkout
from figbridge.demo.monolith.dba import Dba
from figbridge.demo.monolith.desk import NothingToDo
from figbridge.demo.monolith.edits import Edits
from figbridge.demo.monolith.fulfilment import Fulfilment
from figbridge.demo.monolith.invent import CARRIERS, PRICES
from figbridge.demo.monolith.ledger import Level
from figbridge.demo.monolith.nightly import Nightly
from figbridge.demo.monolith.orm import Orm
from figbridge.demo.monolith.payments import Payments
from figbridge.demo.monolith.people import People
from figbridge.demo.monolith.warehouse import Warehouse

WEIGHTS = {
    "place_order": 14, "checkout": 8, "sell_at_till": 2, "abandon": 2,
    "confirm": 8, "cancel": 4, "assign_carrier": 4, "pack": 5, "ship": 7, "deliver": 6, "reroute": 1,
    "authorise": 6, "receive": 6, "refund": 2, "change_method": 1,
    "edit_lines": 5, "readdress": 5, "repoint": 3,
    "save": 5, "save_stale": 3, "save_confirmed": 2, "touch": 10, "annotate": 2,
    "nightly_confirm": 1, "nightly_status": 1, "purge": 1,
    "fix_total": 1, "fix_move": 1, "delete_move": 1, "correct_key": 1,
    "register": 3, "change_customer": 3, "leave": 1, "receive_goods": 2, "recount": 2,
}  # fmt: skip
"""How often `trade` does what, of all. Not in it: the reporting job, and what must never happen."""

_LOAD = ("touch", "readdress", "confirm", "assign_carrier", "save_stale", "receive", "touch", "repoint")
_MOST = 32
"""No operation of the load changes more rows than this."""


class Monolith(Checkout, Payments, Fulfilment, Edits, Orm, Nightly, Dba, People, Warehouse):
    """A retailer's monolith that really commits to its database and keeps a ledger of what it did.

    Same seed, same clock, same empty database: same statements, same ledger. Every operation on an order takes its
    number, or chooses one; it raises NothingToDo when there is none.
    """

    def seed(self, n_orders: int) -> None:
        """Commit carriers, articles and customers, and that many orders in every state."""
        self._seed_tables()
        for _ in range(3 + n_orders // 4):
            self.register()
        for i in range(n_orders):
            number = self.checkout() if i % 3 == 2 else self.place_order()
            for step in ("confirm", "pack", "ship", "deliver")[: self.rng.randrange(5)]:
                self._one(step) if step == "deliver" else getattr(self, step)(number)
            if self.rng.randrange(8) == 0:
                self._one("cancel")

    def _seed_tables(self) -> None:
        with self.transaction("seed:carriers") as tx:
            tx.many(
                "INSERT INTO shop.carriers VALUES (%s, %s, %s)", [(key, *carrier) for key, carrier in CARRIERS.items()]
            )
        with self.transaction("seed:stock") as tx:
            tx.many("INSERT INTO shop.stock VALUES (%s, 1000, 0, %s)", [(item, tx.wall) for item in PRICES])
            for item in PRICES:
                tx.happened("StockListed", f"stock-{item}", onHand=1000, reserved=0)
        self.book.stock.update((item, Level(1000, 0)) for item in PRICES)

    def abandon(self) -> int | None:
        """Break a checkout off; trait: an orphan address, or an order of which the customer was told that it failed."""
        return self.checkout(fails_after=self.rng.choice(["address", "order", "payment"]))

    def trade(self, n: int, *, without: Collection[str] = ()) -> Counter[str]:
        """Do n operations at random, and return how often which; `without` names operations to leave out."""
        weights = {name: weight for name, weight in WEIGHTS.items() if name not in without}
        done: Counter[str] = Counter()
        while done.total() < n:
            (name,) = self.rng.choices(list(weights), list(weights.values()))
            if self._one(name):
                done[name] += 1
        return done

    def load(self, n_changes: int) -> int:
        """Commit exactly n row changes in many small transactions, as fast as one connection can; returns n.

        The tables must have been seeded.
        """
        end = self.committed_changes + n_changes
        steps: list[str] = []
        number = self.book.numbers[-1] if self.book.numbers else self.place_order()
        while end - self.committed_changes > _MOST:
            if steps:
                getattr(self, steps.pop(0))(number)
            else:
                number = self.place_order()
                steps = ["authorise", *(step for step in _LOAD if self.rng.randrange(3) == 0)]
        while self.committed_changes < end:
            self.touch(number)
        return n_changes

    def _one(self, name: str) -> bool:
        """Do an operation by its name; False when there is nothing to do it to."""
        operation: Callable[[], object] = getattr(self, name)
        try:
            operation()
        except NothingToDo:
            return False
        return True
