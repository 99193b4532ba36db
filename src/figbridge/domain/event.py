"""Events and their deterministic ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Event(NamedTuple):
    """Something that happened to a fact, in the past tense. `data` is JSON-ready."""

    type: str
    data: Mapping[str, Any]


def event_id(commit: str, event_type: str, subject: str, nth: int) -> str:
    """Return the id of a happening: the same for every replay, batch size and mapping version.

    `commit` names the transaction: source, its epoch, and commit position (END's LSN, or the GTID). `nth` counts
    from 1 the times that the same thing happens to the same aggregate in one transaction.

    >>> event_id("legacy.1:537587600", "OrderPlaced", "order-40", 1)
    'legacy.1:537587600:OrderPlaced:order-40'
    >>> event_id("legacy.1:537587600", "PaymentReceived", "order-40", 2)
    'legacy.1:537587600:PaymentReceived:order-40:2'
    """
    head = f"{commit}:{event_type}:{subject}"
    return head if nth == 1 else f"{head}:{nth}"
