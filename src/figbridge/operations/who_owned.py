"""Who owned a fact at a position of the log, or at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from figbridge.domain.authority import Authority, Grant, Tenure
from figbridge.domain.change import Position
from figbridge.domain.fact import Cell
from figbridge.errors import Refused
from figbridge.ports import AuthorityStore, Log, TopicPartition

LOOK_BACK: Final = 1_000
"""Timestamps in a log are nearly in order: the records, before the place found, in which an earlier hit is sought."""


@dataclass(frozen=True, slots=True)
class Owned:
    """Tell who owned a fact at one position, in which tenure, and by which grant."""

    position: Position
    tenure: Tenure
    since: Grant
    beyond: bool = False
    """True when the log holds no record at the position or after it yet: the answer is for the next one."""


@dataclass(frozen=True, slots=True)
class WhoOwned:
    """Answer for a fact: one entry for a position, one per partition of each source log for a time.

    `key` names the aggregate that was asked for. While a fact is owned as a whole (scope `all`) it does not change
    the answer and is given back as it came.
    """

    fact: str
    key: str
    at: Position | datetime
    answers: tuple[Owned, ...]


def parse_at(text: str) -> Position | datetime:
    """Read "topic/partition@offset", or a time in ISO 8601 with its zone. Raises Refused for anything else.

    >>> parse_at("figbridge.legacy.log/0@42")
    Position(topic='figbridge.legacy.log', partition=0, offset=42)
    >>> parse_at("2026-03-01T12:00:00Z").isoformat()
    '2026-03-01T12:00:00+00:00'
    """
    place, at, offset = text.rpartition("@")
    topic, slash, partition = place.rpartition("/")
    if at and slash and topic and partition.isdecimal() and offset.isdecimal():
        return Position(topic, int(partition), int(offset))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is neither a position nor a time", hint=_FORMS) from None
    if time.tzinfo is None:
        raise Refused(f"the time {text} has no zone", hint=_FORMS)
    return time


def who_owned(
    store: AuthorityStore,
    log: Log,
    fact: str,
    at: Position | datetime,
    *,
    key: str = "",
    source_topics: Iterable[str] = (),
) -> WhoOwned:
    """Answer who owned a fact: exactly at a position, or at the first record of each source log since a time.

    A claim is judged at its transaction's END: ask for that record. A time carries its zone and is compared with the
    records' timestamps; `source_topics` are the logs to look in. Raises Refused for a fact nobody declared, for a
    negative offset, and for a time without any source log that exists; Unreachable.
    """
    cell = Cell(fact)
    with store.shared():
        authority, grants = store.load(), store.history()
    if authority.current(cell) is None:
        raise Refused(f"nobody declared who owns {fact}", hint="mind its spelling, or declare it")
    by_epoch = {g.epoch: g for g in grants if g.cell == cell}
    if isinstance(at, Position):
        return WhoOwned(fact, key, at, (_owned(authority, by_epoch, cell, at),))
    answers = []
    for place, end in sorted(log.ends(sorted(set(source_topics))).items()):
        offset = first_since(log, place, end, at)
        position = Position(place.topic, place.partition, offset)
        answers.append(_owned(authority, by_epoch, cell, position, beyond=offset >= end))
    if not answers:
        raise Refused("none of the source logs exists", hint="name the logs to look in, or ask for a position")
    return WhoOwned(fact, key, at, tuple(answers))


def first_since(log: Log, place: TopicPartition, end: int, time: datetime) -> int:
    """Return the offset of the first record with a timestamp at or after a time, `end` when there is none.

    Takes the order of timestamps for granted except within the last LOOK_BACK offsets before the place found.
    """
    since = -(-(time - _EPOCH) // timedelta(milliseconds=1))
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        found = log.read(place, middle, 1)
        if not found or found[0].timestamp >= since:  # none: only a gap from here on
            high = middle
        else:
            low = found[0].offset + 1
    start = max(0, low - LOOK_BACK)
    near = log.read(place, start, low - start + 1)
    return next((r.offset for r in near if r.timestamp >= since and r.offset < end), end)


_FORMS: Final = "topic/partition@offset, or 2026-03-01T12:00:00Z"
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _owned(
    authority: Authority, by_epoch: dict[int, Grant], cell: Cell, position: Position, *, beyond: bool = False
) -> Owned:
    if position.offset < 0:
        raise Refused(f"{position} is no position", hint=_FORMS)
    tenure = authority.tenure(cell, *position)
    assert tenure is not None
    return Owned(position, tenure, by_epoch[tenure.epoch], beyond)
