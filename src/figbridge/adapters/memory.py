"""A log in the memory of this process: for tests, for trying a mapping, for whoever embeds the pipeline.

It obeys the same contract as the durable logs, and forgets everything when it is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from threading import Condition
from time import monotonic, time_ns
from typing import TypeAlias

from figbridge.adapters.partition import partition_of, require, require_count
from figbridge.adapters.sole import SoleLog
from figbridge.errors import Fenced
from figbridge.ports import Commit, Entry, Outgoing, Record, State, TopicPartition

_Space: TypeAlias = dict[str, dict[str, bytes]]


@dataclass(slots=True)
class _Group:
    """What is committed for one consumer group. `generation` is the newest member's number."""

    generation: int = 0
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    state: dict[str, _Space] = field(default_factory=dict)


class MemoryLog(SoleLog):
    """Hold topics, groups and their state in memory; one object may serve many threads."""

    def __init__(self) -> None:
        self._topics: dict[str, list[list[Record]]] = {}
        self._groups: dict[str, _Group] = {}
        # One lock for everything, so that a commit is seen whole; waiting polls are woken by it.
        self._changed = Condition()

    def create(self, topic: str, partitions: int = 1) -> None:
        """Create a topic; do nothing when it exists with as many partitions; raises Refused when with others."""
        with self._changed:
            existing = self._topics.get(topic)
            require_count(topic, None if existing is None else len(existing), partitions)
            if existing is None:
                self._topics[topic] = [[] for _ in range(partitions)]
                self._changed.notify_all()

    def topics(self) -> dict[str, int]:
        """Return topic → number of partitions."""
        with self._changed:
            return {topic: len(logs) for topic, logs in self._topics.items()}

    def ends(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """Return the offset after the last record of each partition of the topics that exist."""
        with self._changed:
            return {TopicPartition(t, p): len(log) for t in topics for p, log in enumerate(self._topics.get(t, ()))}

    def append(self, records: Sequence[Outgoing]) -> None:
        """Append records outside any group, all of them or none. Raises Refused for a topic that does not exist."""
        with self._changed:
            self._append(records)
            self._changed.notify_all()

    def read(self, place: TopicPartition, offset: int, limit: int) -> list[Record]:
        """Return up to `limit` records from an offset on, without any group; none for a place that does not exist."""
        with self._changed:
            logs = self._topics.get(place.topic, ())
            if not 0 <= place.partition < len(logs):
                return []
            start = max(offset, 0)
            return logs[place.partition][start : start + limit]

    def state(self, group: str) -> State:
        """Return a read-only view of a group's committed state, without joining the group."""
        return _MemoryState(self, group)

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return a group's committed positions (next offset to read), without joining the group."""
        with self._changed:
            found = self._groups.get(group)
            return dict(found.positions) if found else {}

    def session(self, group: str, topics: Sequence[str]) -> MemorySession:
        """Join a consumer group, and fence the member before. Without committed positions it starts at 0."""
        with self._changed:
            joined = self._groups.setdefault(group, _Group())
            joined.generation += 1
            self._changed.notify_all()  # the member before may be waiting for records that are not its own any more
            return MemorySession(self, group, joined, tuple(topics))

    def close(self) -> None:
        """Do nothing: nothing outside this process is held open."""

    def _append(self, records: Sequence[Outgoing]) -> dict[TopicPartition, int]:
        """Place every record before the first is written: a refusal leaves nothing behind."""
        counts = {topic: len(logs) for topic, logs in self._topics.items()}
        placed = [(partition_of(record, counts), record) for record in records]
        ends: dict[TopicPartition, int] = {}
        now = time_ns() // 1_000_000
        for partition, (topic, key, value, headers, timestamp, _) in placed:
            log = self._topics[topic][partition]
            log.append(Record(topic, partition, len(log), key, value, headers, timestamp or now))
            ends[TopicPartition(topic, partition)] = len(log)
        return ends


class MemorySession:
    """The newest member of a consumer group of a MemoryLog, as long as nobody joins after it."""

    def __init__(self, log: MemoryLog, name: str, group: _Group, topics: tuple[str, ...]) -> None:
        self.state: State = _MemoryState(log, name)
        self._log = log
        self._name = name
        self._group = group
        self._generation = group.generation
        self._topics = topics
        self._next = dict(group.positions)
        self._last = TopicPartition("", -1)

    def poll(self, limit: int, timeout_s: float) -> list[Record]:
        """Return up to `limit` next records, in order within each partition; empty after `timeout_s` without any.
        Raises Fenced when another member has taken over."""
        deadline = monotonic() + timeout_s
        with self._log._changed:
            while True:
                self._require_newest()
                records = self._take(limit)
                remaining = deadline - monotonic()
                if records or remaining <= 0:
                    return records
                self._log._changed.wait(remaining)

    def assigned(self) -> frozenset[TopicPartition]:
        """Return the partitions this member holds now: all of its topics, none when it is fenced."""
        with self._log._changed:
            return frozenset(self._held() if self._generation == self._group.generation else ())

    def committed(self) -> dict[TopicPartition, int]:
        """Return the group's committed positions (next offset to read)."""
        with self._log._changed:
            return dict(self._group.positions)

    def rewind(self) -> None:
        """Go back to the committed positions: what was polled and not committed is polled again."""
        self._next = self.committed()

    def commit(self, commit: Commit) -> dict[TopicPartition, int]:
        """Make the commit visible and return, for each partition written to, the offset after its last record.
        Raises Fenced, or Refused for a place that does not exist, with nothing written."""
        with self._log._changed:
            self._require_newest()
            counts = self._log.topics()
            for place in commit.positions:
                require(place, counts)
            entries = [Entry(*entry) for entry in commit.state]
            ends = self._log._append(commit.records)
            # From here on nothing can fail: the commit is whole.
            self._group.positions.update({TopicPartition(*p): offset for p, offset in commit.positions.items()})
            for entry in entries:
                _apply(self._group.state, entry)
            self._log._changed.notify_all()
            return ends

    def close(self) -> None:
        """Leave the group; its positions and state stay."""

    def _require_newest(self) -> None:
        if self._generation != self._group.generation:
            raise Fenced(
                f"another member has taken over group {self._name}",
                hint="stop this one: what it did not commit is void",
                group=self._name,
            )

    def _held(self) -> list[TopicPartition]:
        topics = self._log._topics
        return [TopicPartition(t, p) for t in self._topics for p in range(len(topics.get(t, ())))]

    def _take(self, limit: int) -> list[Record]:
        taken: list[Record] = []
        held = self._held()
        turn = held.index(self._last) + 1 if self._last in held else 0
        for place in chain(held[turn:], held[:turn]):
            start = self._next.get(place, 0)
            part = self._log._topics[place.topic][place.partition][start : start + limit - len(taken)]
            if part:
                taken += part
                self._next[place] = part[-1].offset + 1
            if len(taken) >= limit:
                self._last = place  # the next poll begins after it: a busy partition does not starve the others
                break
        return taken


class _MemoryState:
    """A view of what is committed for one group."""

    def __init__(self, log: MemoryLog, group: str) -> None:
        self._log = log
        self._group = group

    def read(self, space: str, groups: Iterable[str]) -> dict[str, dict[str, bytes]]:
        """Return group → member → value for the groups that exist."""
        with self._log._changed:
            stored = self._space(space)
            return {group: dict(stored[group]) for group in groups if group in stored}

    def scan(self, space: str) -> Iterator[tuple[str, str, bytes]]:
        """Yield (group, member, value) of a whole space, in order of group and member."""
        with self._log._changed:
            found = sorted((g, m, value) for g, members in self._space(space).items() for m, value in members.items())
        yield from found

    def count(self, space: str) -> int:
        """Return the number of entries of a space."""
        with self._log._changed:
            return sum(map(len, self._space(space).values()))

    def _space(self, space: str) -> _Space:
        group = self._log._groups.get(self._group)
        return group.state.get(space, {}) if group else {}


def _apply(state: dict[str, _Space], entry: Entry) -> None:
    space, group, member, value = entry
    if value is not None:
        state.setdefault(space, {}).setdefault(group, {})[member] = value
        return
    groups = state.get(space, {})
    members = groups.get(group, {})
    members.pop(member, None)
    if not members:
        groups.pop(group, None)  # a group without members does not exist
