"""The monolith's own ledger: what it committed, in the domain's words, in commit order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple


class Happening(NamedTuple):
    """One thing that happened to one aggregate: what a right mapping must say of the transaction.

    `data` is the essential part of the event's data: every key of it must be in the event with an equal value.
    `seq` counts happenings, `tx` the monolith's transactions, `op` names the operation.
    """

    seq: int
    tx: int
    op: str
    type: str
    subject: str
    data: dict[str, Any]

    def row(self) -> tuple[int, int, str, str, str, str]:
        """Return the row of shop.ledger."""
        return (*self[:5], json.dumps(self.data, sort_keys=True))


class Level(NamedTuple):
    """The counters of one article."""

    on_hand: int
    reserved: int


def stock_happenings(was: Level, now: Level) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (event type, data) of the net change of an article's counters in one transaction.

    >>> list(stock_happenings(Level(10, 3), Level(8, 1)))
    [('StockIssued', {'quantity': -2, 'onHand': 8, 'reserved': 1})]
    """
    house, held = now.on_hand - was.on_hand, now.reserved - was.reserved
    if house > 0:
        yield "StockReceived", {"quantity": house, "onHand": now.on_hand}
    elif house < 0 and held < 0:
        yield "StockIssued", {"quantity": house, "onHand": now.on_hand, "reserved": now.reserved}
    elif house < 0:
        yield "StockCorrected", {"quantity": house, "onHand": now.on_hand}
    if held > 0:
        yield "StockReserved", {"quantity": held, "reserved": now.reserved}
    elif held < 0 and house >= 0:
        yield "StockReleased", {"quantity": held, "reserved": now.reserved}


def by_subject(ledger: list[Happening]) -> dict[str, list[Happening]]:
    """Return the happenings of each subject, in commit order."""
    found: dict[str, list[Happening]] = {}
    for happening in ledger:
        found.setdefault(happening.subject, []).append(happening)
    return found
