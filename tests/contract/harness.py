"""What the suite needs to know about an adapter, and helpers that assume no more than the ports promise.

An adapter joins by a harness of its own in conftest.py. The tests never assume that offsets are dense, that a member
holds partitions before it polls, or that the first poll finds what is there: a broker gives none of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from time import monotonic
from typing import Protocol, TypeVar

from hypothesis import Phase

from figbridge.ports import Commit, Entry, Log, Outgoing, Record, Session, TopicPartition

T = TypeVar("T")

PATIENCE_S = 50.0
"""How long a test waits for what must come."""

SILENCE_S = 0.05
"""How long a poll may look for what must not come."""


class Opener(Protocol):
    def __call__(self) -> Log: ...


class Harness:
    """One log of one adapter. `open` gives another handle on it, as another process would have."""

    examples = 60
    """How many random runs one adapter gets."""
    phases: tuple[Phase, ...] = tuple(Phase)

    def __init__(self, open_log: Opener) -> None:
        self._open_log = open_log
        self._numbers = count(1)
        self._closers: list[Callable[[], None]] = []
        self._members: list[Session] = []

    def open(self) -> Log:
        log = self._open_log()
        self._closers.append(log.close)
        return log

    def topic(self, partitions: int = 1) -> str:
        """Create a topic that no other test knows."""
        name = self.name("topic")
        self.open().create(name, partitions)
        return name

    def name(self, what: str = "group") -> str:
        return f"contract.{what}-{next(self._numbers)}"

    def join(self, log: Log, group: str, topics: Sequence[str]) -> Session:
        """Join a group, and leave it at the end of the test."""
        session = log.session(group, topics)
        self._members.append(session)
        return session

    def leave(self) -> None:
        """Let every member leave its group."""
        while self._members:
            self._members.pop().close()

    def take_over(self, log: Log, group: str, topics: Sequence[str]) -> Session:
        """Join a group so that its member before is fenced when this returns."""
        return self.join(log, group, topics)

    def close(self) -> None:
        self.leave()
        while self._closers:
            self._closers.pop()()


def until(look: Callable[[], T], good: Callable[[T], bool]) -> T:
    """Look until it is good. Each look must wait by itself (as a poll does); fails after PATIENCE_S."""
    deadline = monotonic() + PATIENCE_S
    while True:
        seen = look()
        if good(seen):
            return seen
        assert monotonic() < deadline, f"still {seen!r}"


def take(session: Session, number: int, limit: int = 500) -> list[Record]:
    """Poll until a number of records has come; never more than that number."""
    taken: list[Record] = []
    deadline = monotonic() + PATIENCE_S
    while len(taken) < number:
        assert monotonic() < deadline, f"{len(taken)} of {number} records came"
        taken += session.poll(min(limit, number - len(taken)), 1.0)
    return taken


def everything(log: Log, topic: str) -> dict[int, list[Record]]:
    """Read a whole topic without a group: partition → records."""
    found: dict[int, list[Record]] = {}
    for place, end in log.ends([topic]).items():
        records: list[Record] = []
        at = 0
        while page := log.read(place, at, 1000):
            records += page
            at = page[-1].offset + 1
            if at >= end:
                break
        found[place.partition] = records
    return found


def values(records: Iterable[Record]) -> list[bytes]:
    """Return what records say, in their order; each must say something."""
    said = [record.value for record in records]
    assert None not in said
    return [value for value in said if value is not None]


def by_partition(records: Iterable[Record]) -> dict[TopicPartition, list[Record]]:
    """Split records by where they stand, each part in its order."""
    found: dict[TopicPartition, list[Record]] = defaultdict(list)
    for record in records:
        found[TopicPartition(record.topic, record.partition)].append(record)
    return dict(found)


def numbered(topic: str, numbers: Iterable[int], key: bytes | None = b"k") -> list[Outgoing]:
    """Return records with the numbers as values; of one key, so that they share a partition."""
    return [Outgoing(topic, key, b"%d" % number, (), 1_700_000_000_000 + number) for number in numbers]


def after(records: Sequence[Record]) -> dict[TopicPartition, int]:
    """Return the positions that say: these records are done."""
    return {place: part[-1].offset + 1 for place, part in by_partition(records).items()}


def commit_of(
    records: Sequence[Outgoing] = (),
    done: Sequence[Record] = (),
    state: Sequence[tuple[str, str, str, bytes | None]] = (),
) -> Commit:
    """Return a commit that says: `done` is done, and this came of it."""
    return Commit(records, after(done), [Entry(*entry) for entry in state])
