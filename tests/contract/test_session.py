"""Members of consumer groups: what they poll, where a group stands, and who is fenced."""

from __future__ import annotations

from threading import Event, Thread
from time import monotonic

import pytest

from figbridge.errors import Fenced, Refused
from figbridge.ports import Log, Outgoing, Session, TopicPartition

from .harness import (
    PATIENCE_S,
    SILENCE_S,
    Harness,
    after,
    by_partition,
    commit_of,
    everything,
    numbered,
    take,
    until,
    values,
)


class TestPoll:
    def test_a_new_group_starts_at_the_beginning_and_reads_in_order(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic(3)
        log.append(numbered(topic, range(90), key=None))
        log.append([Outgoing(topic, b"k%d" % n, b"%d" % n) for n in range(90)])
        session = make_log.join(log, make_log.name(), [topic])
        polled = by_partition(take(session, 180, limit=7))
        assert {place.partition: part for place, part in polled.items()} == everything(log, topic)

    def test_a_poll_gives_no_more_than_its_limit(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic(2)
        log.append([Outgoing(topic, None, b"v", partition=n % 2) for n in range(20)])
        session = make_log.join(log, make_log.name(), [topic])
        assert len(until(lambda: session.poll(3, 1.0), bool)) <= 3

    def test_a_poll_without_records_returns_empty_after_its_timeout(self, make_log: Harness, log: Log) -> None:
        session = make_log.join(log, make_log.name(), [make_log.topic()])
        before = monotonic()
        assert session.poll(10, SILENCE_S) == []
        assert monotonic() - before >= SILENCE_S * 0.9

    def test_a_waiting_poll_is_told_what_others_append(self, make_log: Harness, log: Log) -> None:
        """Two members answer each other: whoever polls waits, because the other has yet to answer."""
        ping, pong, rounds = make_log.topic(), make_log.topic(), 20
        asker = make_log.join(log, make_log.name(), [pong])
        answerer = make_log.join(make_log.open(), make_log.name(), [ping])
        other = make_log.open()

        def answer() -> None:
            for _ in range(rounds):
                other.append(
                    numbered(pong, [int(value) for value in values(until(lambda: answerer.poll(1, 60.0), bool))])
                )

        before, thread = monotonic(), Thread(target=answer)
        thread.start()
        for number in range(rounds):
            log.append(numbered(ping, [number]))
            assert values(until(lambda: asker.poll(1, 60.0), bool)) == [b"%d" % number]
        thread.join()
        assert monotonic() - before < PATIENCE_S, "told at once, not at the timeout"

    def test_a_topic_created_after_joining_is_picked_up(self, make_log: Harness, log: Log) -> None:
        early, late = make_log.topic(), make_log.name("topic")
        session = make_log.join(log, make_log.name(), [early, late])
        assert session.poll(10, SILENCE_S) == []
        make_log.open().create(late, 2)
        log.append([Outgoing(late, None, b"%d" % n, partition=n) for n in range(2)])
        assert sorted(values(take(session, 2))) == [b"0", b"1"]

    def test_no_partition_starves_behind_a_busy_one(self, make_log: Harness, log: Log) -> None:
        topic, seen = make_log.topic(2), list[bytes | None]()
        log.append([Outgoing(topic, None, b"busy", partition=0)] * 5_000)
        log.append([Outgoing(topic, None, b"quiet", partition=1)])
        session = make_log.join(log, make_log.name(), [topic])
        for _ in range(150):  # of 25: fewer than the busy ones that were there before it
            seen += values(take(session, 25, limit=25))
            if b"quiet" in seen:
                break
            log.append([Outgoing(topic, None, b"busy", partition=0)])  # takes a moment: it may be on its way
        assert b"quiet" in seen

    def test_a_member_holds_every_partition_of_its_topics_only(self, make_log: Harness, log: Log) -> None:
        one, two, _ = make_log.topic(), make_log.topic(3), make_log.topic()
        session = make_log.join(log, make_log.name(), [one, two])
        expected = {TopicPartition(one, 0), *(TopicPartition(two, n) for n in range(3))}
        until(lambda: (session.poll(1, SILENCE_S), session.assigned())[1], lambda held: held == expected)


class TestPositions:
    def test_a_group_that_never_committed_has_no_positions(self, make_log: Harness, log: Log) -> None:
        assert make_log.join(log, make_log.name(), [make_log.topic()]).committed() == {}

    def test_a_commit_moves_the_positions_it_names_and_no_other(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic(2)
        log.append([Outgoing(topic, None, b"%d" % n, partition=n % 2) for n in range(8)])
        session = make_log.join(log, make_log.name(), [topic])
        parts = by_partition(take(session, 8))
        first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
        session.commit(commit_of(done=parts[first]))
        assert session.committed() == after(parts[first])
        session.commit(commit_of(done=parts[second]))
        assert session.committed() == after([*parts[first], *parts[second]])

    def test_positions_can_be_read_without_joining(self, make_log: Harness, log: Log) -> None:
        topic, group = make_log.topic(), make_log.name()
        assert make_log.open().committed(group) == {}
        log.append(numbered(topic, range(3)))
        session = make_log.join(log, group, [topic])
        session.commit(commit_of(done=take(session, 2)))
        assert make_log.open().committed(group) == session.committed() != {}
        session.commit(commit_of(done=take(session, 1)))  # looking fenced nobody
        assert make_log.open().committed(make_log.name()) == {}

    def test_rewinding_polls_again_what_was_not_committed(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic()
        log.append(numbered(topic, range(10)))
        session = make_log.join(log, make_log.name(), [topic])
        take(session, 3)
        session.rewind()
        assert values(take(session, 10)) == [b"%d" % n for n in range(10)], "nothing committed: from the beginning"
        session.rewind()
        session.commit(commit_of(done=take(session, 4)))
        assert values(take(session, 3)) == [b"4", b"5", b"6"], "a commit does not move what is polled next"
        session.rewind()
        assert values(take(session, 6)) == [b"%d" % n for n in range(4, 10)]
        assert session.poll(10, SILENCE_S) == []

    def test_a_restarted_member_continues_at_the_committed_positions(self, make_log: Harness, log: Log) -> None:
        topic, group = make_log.topic(), make_log.name()
        log.append(numbered(topic, range(10)))
        session = make_log.join(log, group, [topic])
        session.commit(commit_of(done=take(session, 6)))
        take(session, 2)
        session.close()
        again = make_log.join(make_log.open(), group, [topic])
        assert values(take(again, 4)) == [b"6", b"7", b"8", b"9"]
        assert again.poll(10, SILENCE_S) == []

    def test_two_groups_read_and_commit_without_seeing_each_other(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic()
        log.append(numbered(topic, range(5)))
        one = make_log.join(log, make_log.name(), [topic])
        two = make_log.join(log, make_log.name(), [topic])
        one.commit(commit_of(done=take(one, 5)))
        assert two.committed() == {}
        assert len(take(two, 5)) == 5
        two.commit(commit_of())
        assert one.poll(1, SILENCE_S) == []

    def test_a_position_in_a_place_that_does_not_exist_is_refused_with_the_whole_commit(
        self, make_log: Harness, log: Log
    ) -> None:
        topic = make_log.topic()
        session = make_log.join(log, make_log.name(), [topic])
        session.poll(1, SILENCE_S)
        for place in (TopicPartition(make_log.name("topic"), 0), TopicPartition(topic, 1)):
            commit = commit_of(numbered(topic, [1]), state=[("s", "g", "m", b"v")])
            with pytest.raises(Refused, match=place.topic):
                session.commit(commit._replace(positions={place: 1}))
        assert everything(log, topic) == {0: []}
        assert session.committed() == {}
        assert session.state.count("s") == 0


class TestFencing:
    def test_a_fenced_member_commits_nothing(self, make_log: Harness, log: Log) -> None:
        topic, out, group = make_log.topic(), make_log.topic(), make_log.name()
        log.append(numbered(topic, range(4)))
        old = make_log.join(log, group, [topic])
        polled = take(old, 4)
        new = make_log.take_over(make_log.open(), group, [topic])
        with pytest.raises(Fenced, match=group):
            old.commit(commit_of(numbered(out, [1]), polled, [("s", "g", "m", b"v")]))
        assert everything(log, out) == {0: []}
        assert new.committed() == {}
        assert new.state.count("s") == 0

    def test_a_fenced_member_polls_nothing_and_holds_nothing(self, make_log: Harness, log: Log) -> None:
        topic, group = make_log.topic(), make_log.name()
        log.append(numbered(topic, [1]))
        old = make_log.join(log, group, [topic])
        make_log.take_over(make_log.open(), group, [topic])
        with pytest.raises(Fenced, match=group):
            old.poll(10, SILENCE_S)
        assert old.assigned() == frozenset()

    def test_a_waiting_poll_learns_that_it_is_fenced(self, make_log: Harness, log: Log) -> None:
        topic, group, other = make_log.topic(), make_log.name(), make_log.open()
        session = make_log.join(log, group, [topic])
        for _ in range(5):
            polling, fenced = Event(), list[Fenced]()
            waiter = Thread(target=_poll_until_fenced, args=(session, polling, fenced))
            waiter.start()
            polling.wait(PATIENCE_S)
            session = make_log.take_over(other, group, [topic])
            waiter.join()
            assert len(fenced) == 1, "told while it waited, not at its timeout"

    def test_the_newest_member_goes_on_where_the_group_stood(self, make_log: Harness, log: Log) -> None:
        topic, out, group = make_log.topic(), make_log.topic(), make_log.name()
        log.append(numbered(topic, range(6)))
        old = make_log.join(log, group, [topic])
        old.commit(commit_of(numbered(out, [0, 1]), take(old, 2)))
        take(old, 2)
        new = make_log.take_over(make_log.open(), group, [topic])
        with pytest.raises(Fenced):
            old.commit(commit_of(numbered(out, [9])))
        new.commit(commit_of(numbered(out, [2, 3, 4, 5]), take(new, 4)))
        assert values(everything(log, out)[0]) == [b"%d" % n for n in range(6)]

    def test_members_of_other_groups_are_not_fenced(self, make_log: Harness, log: Log) -> None:
        topic, group = make_log.topic(), make_log.name()
        bystander = make_log.join(log, make_log.name(), [topic])
        make_log.join(log, group, [topic])
        make_log.take_over(log, group, [topic])
        log.append(numbered(topic, [1]))
        bystander.commit(commit_of(done=take(bystander, 1)))
        assert len(bystander.committed()) == 1


def _poll_until_fenced(session: Session, polling: Event, fenced: list[Fenced]) -> None:
    try:
        polling.set()
        session.poll(10, 60.0)
    except Fenced as error:
        fenced.append(error)
