"""Whatever is done to a log, in whatever order, it does what a few lists and a dictionary would do."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.errors import Fenced, Refused
from figbridge.ports import Commit, Entry, Log, Outgoing, Record, Session

from .harness import Harness, after, everything, take

PARTITIONS = 2
NAMES = st.sampled_from(["", "a", "b", "ü\x00"])
BYTES = st.none() | st.binary(max_size=3)
# No NUL in a header's name: the client for Kafka ends the name there.
NAME = st.text(st.characters(exclude_characters="\x00"), max_size=2)
HEADERS = st.lists(st.tuples(NAME, BYTES), max_size=2).map(tuple)
OUTGOING = st.builds(
    Outgoing, st.just(""), BYTES, BYTES, HEADERS, st.integers(1, 2**41), st.none() | st.integers(0, PARTITIONS - 1)
)
BATCH = st.lists(OUTGOING, max_size=4)
ENTRIES = st.lists(st.builds(Entry, NAMES, NAMES, NAMES, BYTES), max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), BATCH),
        st.tuples(st.just("take"), st.integers(1, 5)),
        st.tuples(st.just("commit"), BATCH, ENTRIES, st.sampled_from(["good", "good", "missing topic", "fenced"])),
        st.tuples(st.just("rewind")),
        st.tuples(st.just("restart")),
    ),
    max_size=25,
)


class Run:
    """One log beside its model: what each partition holds, what the group committed, what was polled since."""

    def __init__(self, harness: Harness, log: Log) -> None:
        self.harness, self.log, self.group = harness, log, harness.name()
        self.source, self.out = harness.topic(PARTITIONS), harness.topic(PARTITIONS)
        self.content = {topic: [list[Outgoing]() for _ in range(PARTITIONS)] for topic in (self.source, self.out)}
        self.state: dict[tuple[str, str, str], bytes] = {}
        self.done = self.polled = (0,) * PARTITIONS
        self.pending: list[Record] = []
        self.session: Session = harness.join(log, self.group, [self.source])

    def append(self, batch: list[Outgoing]) -> None:
        self.log.append(self._to(self.source, batch))
        self._expect(self.source, batch)

    def take(self, number: int) -> None:
        behind = sum(map(len, self.content[self.source])) - sum(self.polled)
        records = take(self.session, min(number, behind))
        for record in records:
            nth = self.polled[record.partition]
            assert _said(record) == _told(self.content[self.source][record.partition][nth])
            self.polled = tuple(n + (p == record.partition) for p, n in enumerate(self.polled))
        self.pending += records

    def commit(self, batch: list[Outgoing], entries: list[Entry], how: str) -> None:
        outgoing, session = self._to(self.out, batch), self.session
        if how == "missing topic":
            outgoing.append(Outgoing(self.harness.name("topic"), None, None))
            with pytest.raises(Refused):
                session.commit(Commit(outgoing, after(self.pending), entries))
            return
        if how == "fenced":
            self.restart()
            with pytest.raises(Fenced):
                session.commit(Commit(outgoing, after(self.pending), entries))
            return
        session.commit(Commit(outgoing, after(self.pending), entries))
        self._expect(self.out, batch)
        self.done, self.pending = self.polled, []
        for space, group, member, value in entries:
            self.state.pop((space, group, member), None)
            if value is not None:
                self.state[space, group, member] = value

    def rewind(self) -> None:
        self.session.rewind()
        self.polled, self.pending = self.done, []

    def restart(self) -> None:
        self.session = self.harness.take_over(self.log, self.group, [self.source])
        self.polled, self.pending = self.done, []

    def check(self) -> None:
        for topic, partitions in self.content.items():
            found = everything(self.log, topic)
            assert [list(map(_said, found[p])) for p in range(PARTITIONS)] == [list(map(_told, p)) for p in partitions]
        for space in ("", "a", "b", "ü\x00"):
            stored = [(g, m, v) for (s, g, m), v in sorted(self.state.items()) if s == space]
            assert list(self.session.state.scan(space)) == stored
            assert self.session.state.count(space) == len(stored)
            groups = {g: {m: v for other, m, v in stored if other == g} for g, _, _ in stored}
            assert self.session.state.read(space, ["", "a", "b", "ü\x00", "absent"]) == groups
        self.take(sum(map(len, self.content[self.source])))
        assert self.session.poll(1, 0.0) == []

    def _to(self, topic: str, batch: list[Outgoing]) -> list[Outgoing]:
        return [record._replace(topic=topic) for record in batch]

    def _expect(self, topic: str, batch: list[Outgoing]) -> None:
        for record in batch:
            chosen = crc32(record.key) % PARTITIONS if record.key is not None else 0
            self.content[topic][chosen if record.partition is None else record.partition].append(record)


def _said(record: Record) -> tuple[object, ...]:
    return record.key, record.value, record.headers, record.timestamp


def _told(record: Outgoing) -> tuple[object, ...]:
    return record.key, record.value, record.headers, record.timestamp


def test_a_log_does_what_lists_would_do(make_log: Harness, log: Log) -> None:
    """Run any steps on a log and on its model: they agree at the end, and in what was polled on the way."""

    # Each example has topics and a group of its own.
    @settings(max_examples=make_log.examples, deadline=None, phases=make_log.phases)
    @given(steps=STEPS)
    def agree(steps: list[tuple[object, ...]]) -> None:
        run = Run(make_log, log)
        for name, *arguments in steps:
            getattr(run, str(name))(*arguments)
        run.check()
        make_log.leave()

    agree()
