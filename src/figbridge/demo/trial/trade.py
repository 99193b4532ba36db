"""Let the shop trade on a sandbox, and its successor speak beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from figbridge.demo.monolith import Happening
from figbridge.demo.trial.place import Trial

_SEED_ORDERS = 12
_AT_ONCE = 10
_SPOKEN_OF = 0.05
"""The share of operations after which the delivery service says something, too."""


@dataclass(frozen=True, slots=True)
class Traded:
    """What the shop did, and what its whole ledger says."""

    operations: int
    row_changes: int
    did: Mapping[str, int]
    ledger: Mapping[str, int]
    """Type → how often, since the beginning."""
    newest: tuple[Happening, ...]
    delivery_said: int
    """How many events the delivery service said, since the beginning."""


def trade(trial: Trial, operations: int, tell: Callable[[int], None] = lambda _: None) -> Traded:
    """Do operations at random, and return what was done; the first call fills the empty tables before.

    `tell` hears how many are done. The same operations come on the same database, whenever they are called.
    """
    with trial.shop(Random()) as shop, trial.delivery(Random()) as delivery:  # noqa: S311 — invented data
        shop.rng.seed(shop.book.last["ledger"])
        delivery.rng.seed(len(delivery.said()))
        if not shop.book.stock:
            shop.seed(_SEED_ORDERS)
        before, done = shop.committed_changes, Counter[str]()
        while done.total() < operations:
            done += shop.trade(min(_AT_ONCE, operations - done.total()))
            if shop.rng.random() < _SPOKEN_OF * _AT_ONCE:
                order = f"order-{shop.book.numbers[-1]}"
                delivery.accept(order, None)
                delivery.assign_carrier(order, "DHL")
            tell(done.total())
        ledger = shop.stored_ledger()
        return Traded(
            operations=done.total(),
            row_changes=shop.committed_changes - before,
            did=dict(done.most_common()),
            ledger=dict(Counter(h.type for h in ledger).most_common()),
            newest=tuple(ledger[-10:]),
            delivery_said=len(delivery.said()),
        )
