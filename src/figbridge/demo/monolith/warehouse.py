"""Counters of goods: a row says how many, never why."""

from __future__ import annotations

from figbridge.demo.monolith.desk import Desk, NothingToDo


class Warehouse(Desk):
    """What happens to stock without an order."""

    def receive_goods(self) -> str:
        """Take goods in; trait: a counter goes up by a delta."""
        item = self._item()
        with self.transaction("receive_goods") as tx:
            tx.move_stock(item, on_hand=self.rng.randrange(10, 100))
        return item

    def recount(self) -> str:
        """Count an article; trait: set to 0, then to what was found, and most often that is what it was."""
        item = self._item()
        was = self.book.stock[item]
        missing = self.rng.choice([0, 0, 1, 2])
        with self.transaction("recount") as tx:
            tx.run("UPDATE shop.stock SET on_hand = 0, upd_dt = %s WHERE item_cd = %s", tx.wall, item)
            tx.levels[item] = was._replace(on_hand=0)
            tx.move_stock(item, on_hand=was.on_hand - missing)
        return item

    def _item(self) -> str:
        if not self.book.stock:
            raise NothingToDo
        return self.rng.choice(list(self.book.stock))
