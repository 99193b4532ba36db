"""Forensics: who owned a fact at a position, and at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figbridge.adapters.memory import MemoryLog
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.domain.change import Position
from figbridge.domain.fact import Fact
from figbridge.errors import Refused
from figbridge.operations.authority import declare, grant
from figbridge.operations.who_owned import LOOK_BACK, first_since, parse_at, who_owned
from figbridge.ports import Outgoing, Record, TopicPartition

LOG = "figbridge.legacy.log"
PLACE = TopicPartition(LOG, 0)
START = datetime(2026, 3, 1, tzinfo=UTC)
FACT = Fact("order.delivery", "Order", "legacy", "delivery", "so")


def minutes(number: float) -> datetime:
    """Return a time so many minutes after the start."""
    return START + timedelta(minutes=number)


def append(log: MemoryLog, times: list[datetime]) -> None:
    """Append a record for each time."""
    log.append([Outgoing(LOG, None, b"x", (), round(t.timestamp() * 1000), 0) for t in times])


@pytest.fixture
def log() -> MemoryLog:
    """A log of one partition, empty."""
    log = MemoryLog()
    log.create(LOG)
    return log


@pytest.fixture
def store(log: MemoryLog) -> MemoryAuthorityStore:
    """Ten records at minutes 0 to 9; the fact was granted to its service after the fifth."""
    store = MemoryAuthorityStore()
    declare(store, [FACT], START, "ann")
    append(log, [minutes(n) for n in range(5)])
    grant(store, log, FACT.name, "delivery", "cutover", "bob", minutes(99), break_glass=True, source_topics=[LOG])
    append(log, [minutes(n) for n in range(5, 10)])
    return store


@pytest.mark.parametrize(("offset", "owner", "epoch", "why"), [(4, "legacy", 1, "so"), (5, "delivery", 2, "cutover")])
def test_a_position_is_answered_exactly(
    store: MemoryAuthorityStore, log: MemoryLog, offset: int, owner: str, epoch: int, why: str
) -> None:
    """The answer names the owner, the epoch and the grant; the key is given back as it came."""
    answer = who_owned(store, log, FACT.name, Position(LOG, 0, offset), key="order-7")
    (owned,) = answer.answers
    assert (owned.tenure.owner, owned.tenure.epoch, owned.since.reason) == (owner, epoch, why)
    assert (answer.key, answer.fact, owned.position) == ("order-7", FACT.name, Position(LOG, 0, offset))


@pytest.mark.parametrize(
    ("time", "offset", "owner", "beyond"),
    [
        (-1, 0, "legacy", False),
        (4, 4, "legacy", False),
        (4.5, 5, "delivery", False),
        (5, 5, "delivery", False),
        (9.5, 10, "delivery", True),
    ],
)
def test_a_time_is_answered_by_the_first_record_since_then(
    store: MemoryAuthorityStore, log: MemoryLog, time: float, offset: int, owner: str, *, beyond: bool
) -> None:
    """Not by when the grant was recorded: the records' own times find the position, the position the owner."""
    (owned,) = who_owned(store, log, FACT.name, minutes(time), source_topics=[LOG]).answers
    assert (owned.position.offset, owned.tenure.owner, owned.beyond) == (offset, owner, beyond)


def test_a_time_is_answered_for_every_partition(store: MemoryAuthorityStore, log: MemoryLog) -> None:
    """Each partition of each source log has a place of its own for a time."""
    log.create("figbridge.delivery.log", 2)
    answers = who_owned(store, log, FACT.name, minutes(7), source_topics=[LOG, "figbridge.delivery.log"]).answers
    assert [str(a.position) for a in answers] == [
        "figbridge.delivery.log/0@0",
        "figbridge.delivery.log/1@0",
        "figbridge.legacy.log/0@7",
    ]


def test_what_cannot_be_answered_is_refused(store: MemoryAuthorityStore, log: MemoryLog) -> None:
    """A fact nobody declared, a time without a log, a position that is none."""
    with pytest.raises(Refused, match="nobody declared"):
        who_owned(store, log, "order.delivry", Position(LOG, 0, 1))
    with pytest.raises(Refused, match="none of the source logs"):
        who_owned(store, log, FACT.name, minutes(1), source_topics=["figbridge.lgacy.log"])
    with pytest.raises(Refused, match="no position"):
        who_owned(store, log, FACT.name, Position(LOG, 0, -1))


@pytest.mark.parametrize("text", ["", "yesterday", "log@1", "log/0@x", "log/0@-1", "/0@1", "2026-03-01T12:00:00"])
def test_what_is_neither_a_position_nor_a_time_is_refused(text: str) -> None:
    """A time without its zone could be two hours off, and is refused, too."""
    with pytest.raises(Refused) as refused:
        parse_at(text)
    assert refused.value.hint


def test_a_position_and_a_time_are_read() -> None:
    """A topic may contain slashes nowhere, and dots and dashes anywhere."""
    assert parse_at("figbridge.legacy-eu.log/3@42") == Position("figbridge.legacy-eu.log", 3, 42)
    assert parse_at("2026-03-01T02:00:00+02:00") == START


@given(st.lists(st.integers(-3, 3), max_size=60), st.integers(-5, 65))
def test_the_first_record_since_a_time_is_found_although_times_waver(jitter: list[int], asked: int) -> None:
    """Within the look-back, records slightly out of order do not hide the first hit."""
    log = MemoryLog()
    log.create(LOG)
    times = [minutes(number + j) for number, j in enumerate(jitter)]
    append(log, times)
    expected = next((i for i, t in enumerate(times) if t >= minutes(asked)), len(times))
    assert first_since(log, PLACE, len(times), minutes(asked)) == expected


class Gappy(MemoryLog):
    """A log in which offsets are missing, as a broker's transaction markers are; it counts what is read."""

    reads = 0
    records = 0

    def read(self, place: TopicPartition, offset: int, limit: int) -> list[Record]:
        found = [r for r in super().read(place, offset, limit * 2) if r.offset % 3 != 2][:limit]
        self.reads += 1
        self.records += len(found)
        return found


def test_a_long_log_is_not_read_through() -> None:
    """A handful of single reads and one page find the place among many records, over missing offsets."""
    log = Gappy()
    log.create(LOG)
    append(log, [START + timedelta(seconds=n) for n in range(30_000)])
    for offset, expected in ((20_001, 20_001), (20_000, 20_001), (29_999, 30_000), (0, 0)):
        assert first_since(log, PLACE, 30_000, START + timedelta(seconds=offset)) == expected
    assert log.reads <= 4 * 20
    assert log.records <= 4 * (20 + LOOK_BACK + 1)
