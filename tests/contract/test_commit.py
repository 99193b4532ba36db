"""One commit makes records, positions and state durable together, or nothing of it."""

from __future__ import annotations

from threading import Thread

import pytest

from figbridge.errors import Refused
from figbridge.ports import Log, Outgoing, Record, TopicPartition

from .harness import Harness, by_partition, commit_of, everything, numbered, take, values


class TestCommit:
    def test_everything_of_a_commit_is_there_for_every_handle(self, make_log: Harness, log: Log) -> None:
        topic, out, group = make_log.topic(), make_log.topic(3), make_log.name()
        log.append(numbered(topic, range(5)))
        session = make_log.join(log, group, [topic])
        done = take(session, 5)
        records = [Outgoing(out, b"key-%d" % n, b"%d" % n, (("h", b"x"),), 7) for n in range(30)]
        session.commit(commit_of(records, done, [("space", "order-1", "row-1", b"v")]))
        other = make_log.open()
        found = everything(other, out)
        assert sorted(values(r for part in found.values() for r in part)) == sorted(r.value or b"" for r in records)
        assert all(r.headers == (("h", b"x"),) and r.timestamp == 7 for part in found.values() for r in part)
        assert other.state(group).read("space", ["order-1"]) == {"order-1": {"row-1": b"v"}}
        assert session.committed() == {TopicPartition(topic, 0): done[-1].offset + 1}

    def test_a_commit_tells_the_offset_after_its_last_record_of_each_partition(
        self, make_log: Harness, log: Log
    ) -> None:
        out = make_log.topic(3)
        session = make_log.join(log, make_log.name(), [make_log.topic()])
        for _ in range(3):
            outgoing = [Outgoing(out, None, b"%d" % n, partition=n % 2) for n in range(7)]
            ends = session.commit(commit_of(outgoing))
            found = everything(log, out)
            assert ends == {TopicPartition(out, p): found[p][-1].offset + 1 for p in (0, 1)}

    def test_a_commit_of_nothing_tells_nothing(self, make_log: Harness, log: Log) -> None:
        assert make_log.join(log, make_log.name(), [make_log.topic()]).commit(commit_of()) == {}

    def test_records_of_a_commit_keep_their_order_per_partition(self, make_log: Harness, log: Log) -> None:
        out = make_log.topic(3)
        session = make_log.join(log, make_log.name(), [make_log.topic()])
        for start in (0, 60):
            session.commit(commit_of([Outgoing(out, b"%d" % (n % 9), b"%d" % n) for n in range(start, start + 60)]))
        for part in everything(log, out).values():
            numbers = [int(record.value or b"") for record in part]
            assert numbers == sorted(numbers)

    def test_a_commit_to_a_missing_topic_leaves_nothing_and_the_member_goes_on(
        self, make_log: Harness, log: Log
    ) -> None:
        topic, out = make_log.topic(), make_log.topic()
        log.append(numbered(topic, range(3)))
        session = make_log.join(log, make_log.name(), [topic])
        done = take(session, 3)
        bad = [*numbered(out, [1, 2]), Outgoing(make_log.name("topic"), b"k", b"v")]
        entries = [("s", "g", "m", b"v")]
        with pytest.raises(Refused):
            session.commit(commit_of(bad, done, entries))
        assert everything(log, out) == {0: []}
        assert session.committed() == {}
        assert session.state.count("s") == 0
        session.commit(commit_of(numbered(out, [1, 2]), done, entries))
        assert values(everything(log, out)[0]) == [b"1", b"2"]

    def test_a_commit_may_write_to_the_topic_it_reads(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic()
        log.append(numbered(topic, [0]))
        session = make_log.join(log, make_log.name(), [topic])
        for number in range(1, 5):
            session.commit(commit_of(numbered(topic, [number]), take(session, 1)))
        assert values(take(session, 1)) == [b"4"]


class TestConcurrency:
    def test_a_concurrent_appender_and_committer_lose_and_repeat_nothing(self, make_log: Harness, log: Log) -> None:
        total, out = 3000, make_log.topic(3)
        topic = make_log.topic(2)
        appender = Thread(target=_append_in_batches, args=(make_log.open(), topic, total))
        same_handle = Thread(target=_append_in_batches, args=(log, topic, total))
        session = make_log.join(log, make_log.name(), [topic])
        appender.start()
        same_handle.start()
        seen: list[Record] = []
        while len(seen) < 2 * total:
            polled = take(session, 1, limit=1) + session.poll(200, 0.0)
            copies = [Outgoing(out, r.key, r.value, r.headers, r.timestamp) for r in polled]
            session.commit(commit_of(copies, polled, [("n", "copied", str(r.partition), r.value) for r in polled]))
            seen += polled
        appender.join()
        same_handle.join()
        source, copied = everything(log, topic), everything(make_log.open(), out)
        assert {p.partition: part for p, part in by_partition(seen).items()} == source
        expected = sorted(values(r for part in source.values() for r in part))
        assert sorted(values(r for part in copied.values() for r in part)) == expected
        assert len(expected) == 2 * total


def _append_in_batches(log: Log, topic: str, total: int) -> None:
    for start in range(0, total, 50):
        log.append([Outgoing(topic, b"%d" % (n % 7), b"%d" % n) for n in range(start, start + 50)])
