"""Source logs are shared out among the members of a group; each has a state of its own that goes where it goes."""

from __future__ import annotations

import shutil

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import NewPartitions

from contract.harness import commit_of, numbered, take, until, values
from figbridge.errors import Fenced, Refused
from figbridge.ports import EARLIEST
from figbridge.ports import TopicPartition as Place

from .conftest import Scene, only

pytestmark = pytest.mark.sandbox


def test_each_source_log_is_held_by_one_member_and_has_its_own_state(scene: Scene) -> None:
    """Two members over two logs hold one each, and neither sees what the other remembers."""
    one, two = scene.open(), scene.open()
    logs = scene.sources(one, 2)
    first, second = scene.join(one, logs), scene.join(two, logs)
    held = until(lambda: [set(m.sessions(0.05)) for m in (first, second)], lambda h: [len(x) for x in h] == [1, 1])
    assert held[0] | held[1] == {(log,) for log in logs}
    for number, member in enumerate((first, second)):
        only(member).commit(commit_of(state=[("s", "g", "m", b"%d" % number)]))
    assert [list(only(m).state.scan("s")) for m in (first, second)] == [[("g", "m", b"0")], [("g", "m", b"1")]]
    views = scene.open().states(scene.group)
    assert sorted(views) == sorted(logs)
    assert sorted(v for view in views.values() for _, _, v in view.scan("s")) == [b"0", b"1"]


def test_a_member_that_leaves_is_replaced_where_it_stood(scene: Scene) -> None:
    """Positions and state go to the next member; what was polled and not committed is polled again."""
    log = scene.open()
    (source,) = logs = scene.sources(log, 1)
    log.append(numbered(source, range(6)))
    old = scene.join(log, logs)
    session = until(lambda: old.sessions(0.1), bool)[source,]
    session.commit(commit_of(done=take(session, 4), state=[("s", "g", "m", b"four")]))
    take(session, 1)
    standby = scene.join(scene.open(), logs)
    assert not standby.sessions(1.0)
    old.close()
    new = until(lambda: standby.sessions(0.1), bool)[source,]
    assert new.state.read("s", ["g"]) == {"g": {"m": b"four"}}
    assert values(take(new, 2)) == [b"4", b"5"]


def test_a_lost_log_ends_the_session_and_its_commit(scene: Scene) -> None:
    """A session whose turn is over is fenced, and is not among the member's sessions any more."""
    one = scene.open()
    logs = scene.sources(one, 2)
    first = scene.join(one, logs)
    before = until(lambda: dict(first.sessions(0.05)), lambda s: len(s) == 2)
    second = scene.join(scene.open(), logs)
    until(lambda: [len(m.sessions(0.05)) for m in (first, second)], lambda n: n == [1, 1])
    (given_up,) = [session for log, session in before.items() if log not in first.sessions()]
    with pytest.raises(Fenced, match=scene.group):
        given_up.commit(commit_of(state=[("s", "g", "m", b"late")]))
    assert only(second).state.count("s") == 0


def test_every_session_reads_the_control_topic_from_a_position_of_its_own(scene: Scene) -> None:
    """A decision reaches every share of the work, once, also after it changed hands."""
    log = scene.open()
    logs = scene.sources(log, 2)
    log.append(numbered(scene.control, range(3)))
    member = scene.join(log, logs)
    sessions = until(lambda: dict(member.sessions(0.05)), lambda s: len(s) == 2)
    ahead = sessions[logs[0],]
    ahead.commit(commit_of(done=take(ahead, 3)))
    member.close()
    log.append(numbered(scene.control, [3]))
    again = scene.join(scene.open(), logs)
    sessions = until(lambda: dict(again.sessions(0.05)), lambda s: len(s) == 2)
    assert values(take(sessions[logs[0],], 1)) == [b"3"]
    assert values(take(sessions[logs[1],], 4)) == [b"0", b"1", b"2", b"3"]


class TestStart:
    def test_a_group_that_has_never_read_a_log_must_be_told_where_to_start(self, scene: Scene) -> None:
        """Nothing is read by a guess; nothing is written either."""
        log = scene.open()
        logs = scene.sources(log, 1)
        member = scene.join(log, logs, None)
        with pytest.raises(Refused, match="--from") as caught:
            until(lambda: member.sessions(0.1), bool)
        assert caught.value.code == "KAF001"
        assert log.committed(scene.group) == {}

    def test_where_it_starts_is_said_once(self, scene: Scene) -> None:
        """The start is committed before the first record is read, so the next start needs no word."""
        log = scene.open()
        (source,) = logs = scene.sources(log, 1)
        log.append(numbered(source, range(5)))
        member = scene.join(log, logs, 2)
        until(lambda: member.sessions(0.1), bool)
        member.close()
        assert log.committed(scene.group) == {Place(source, 0): 2}
        again = scene.join(scene.open(), logs, None)
        session = until(lambda: again.sessions(0.1), bool)[source,]
        assert values(take(session, 3)) == [b"2", b"3", b"4"]

    def test_an_offset_that_the_log_does_not_hold_is_refused(self, scene: Scene) -> None:
        log = scene.open()
        logs = scene.sources(log, 1)
        member = scene.join(log, logs, 17)
        with pytest.raises(Refused, match="17"):
            until(lambda: member.sessions(0.1), bool)

    def test_positions_that_the_brokers_forgot_are_taken_from_the_state(self, scene: Scene) -> None:
        """Brokers forget a group that is away for a week; its state was written with its positions."""
        log = scene.open()
        (source,) = logs = scene.sources(log, 1)
        log.append(numbered(source, range(3)))
        member = scene.join(log, logs)
        session = until(lambda: member.sessions(0.1), bool)[source,]
        session.commit(commit_of(done=take(session, 2)))
        member.close()
        scene.admin.delete_consumer_groups([scene.group])[scene.group].result(20)
        again = scene.join(scene.open(), logs, None)
        assert values(take(until(lambda: again.sessions(0.1), bool)[source,], 1)) == [b"2"]


class TestHolds:
    def test_a_position_that_was_changed_by_hand_is_refused(self, scene: Scene) -> None:
        """Positions and state are one truth: a bridge that read twice or skipped would say so nowhere."""
        log = scene.open()
        (source,) = logs = scene.sources(log, 1)
        log.append(numbered(source, range(5)))
        member = scene.join(log, logs)
        session = until(lambda: member.sessions(0.1), bool)[source,]
        session.commit(commit_of(done=take(session, 4)))
        member.close()
        changed = ConsumerGroupTopicPartitions(scene.group, [TopicPartition(source, 0, 1)])
        scene.admin.alter_consumer_group_offsets([changed])[scene.group].result(20)
        again = scene.join(scene.open(), logs)
        with pytest.raises(Refused, match="offset 1") as caught:
            until(lambda: again.sessions(0.1), bool)
        assert caught.value.code == "KAF002"

    def test_a_log_that_was_made_anew_is_refused(self, scene: Scene) -> None:
        """Its offsets mean other records, although the numbers fit."""
        log = scene.open()
        (source,) = logs = scene.sources(log, 1)
        log.append(numbered(source, range(5)))
        member = scene.join(log, logs)
        session = until(lambda: member.sessions(0.1), bool)[source,]
        session.commit(commit_of(done=take(session, 2)))
        member.close()
        scene.admin.delete_topics([source])[source].result(20)
        until(lambda: source in scene.open().topics(), lambda there: not there)
        log = scene.open()
        log.create(source)
        log.append(numbered(source, range(9)))
        again = scene.join(log, logs)
        with pytest.raises(Refused) as caught:
            until(lambda: again.sessions(0.1), bool)
        assert caught.value.code in ("KAF002", "KAF003"), "its positions went with the topic, or its id differs"

    def test_more_partitions_of_a_topic_that_is_written_to_stop_the_session(self, scene: Scene) -> None:
        """Keys would move to other partitions, and the order of an aggregate would be lost."""
        log = scene.open()
        (source,) = logs = scene.sources(log, 1)
        out = f"out-{scene.run}"
        log.create(out, 2)
        member = scene.join(log, logs)
        session = until(lambda: member.sessions(0.1), bool)[source,]
        session.commit(commit_of(numbered(out, [1])))
        scene.admin.create_partitions([NewPartitions(out, 3)])[out].result(20)
        with pytest.raises(Refused, match="3 partitions") as caught:
            until(lambda: session.poll(1, 0.1), bool)
        assert caught.value.code == "KAF003"

    def test_a_source_log_has_one_partition(self, scene: Scene) -> None:
        log = scene.open()
        log.create(f"wide-{scene.run}", 2)
        for name in (f"wide-{scene.run}", f"absent-{scene.run}"):
            with pytest.raises(Refused, match=name):
                scene.join(log, [name])


class TestCopies:
    ENTRIES = 30_000

    def _filled(self, scene: Scene, machine: str) -> list[str]:
        log = scene.open(machine)
        (source,) = logs = scene.sources(log, 1)
        member = scene.join(log, logs)
        session = until(lambda: member.sessions(0.1), bool)[source,]
        for start in range(0, self.ENTRIES, 10_000):
            session.commit(commit_of(state=[("s", f"g{n}", "m", b"%d" % n) for n in range(start, start + 10_000)]))
        session.commit(commit_of(state=[("s", "g7", "m", None), ("s", "g8", "m", b"new")]))
        log.close()
        scene.restored.clear()
        return logs

    def _restored(self, scene: Scene, machine: str, logs: list[str]) -> int:
        member = scene.join(scene.open(machine), logs, None)
        session = until(lambda: member.sessions(0.1), bool)[tuple(logs)]
        assert session.state.count("s") == self.ENTRIES - 1
        assert session.state.read("s", ["g7", "g8", "g9"]) == {"g8": {"m": b"new"}, "g9": {"m": b"9"}}
        return sum(r.done for r in scene.restored if r.done == r.total)

    def test_a_copy_that_is_up_to_date_is_used(self, scene: Scene) -> None:
        """A restart on the same machine reads next to nothing of the changelog."""
        assert self._restored(scene, "same", self._filled(scene, "same")) < 10

    def test_a_lost_disk_is_made_up_for(self, scene: Scene) -> None:
        """Without the copy everything is read again, and it is told how it goes and how fast."""
        logs = self._filled(scene, "same")
        shutil.rmtree(scene.folder / "same")
        assert self._restored(scene, "same", logs) > self.ENTRIES
        assert scene.restored[0].done < scene.restored[-1].done
        assert all(0 < r.done <= r.total and r.seconds > 0 for r in scene.restored)

    def test_a_damaged_copy_is_thrown_away(self, scene: Scene) -> None:
        logs = self._filled(scene, "same")
        (file,) = (scene.folder / "same").glob("*.db")
        file.write_bytes(b"not a database, " * 1_000)
        assert self._restored(scene, "same", logs) > self.ENTRIES

    def test_a_copy_that_another_process_has_open_is_left_alone(self, scene: Scene) -> None:
        """A member that is not dead yet may hold it: the next one makes another for itself."""
        logs = self._filled(scene, "same")
        holder = scene.open("same").session(f"{scene.group}-other", logs)
        assert holder is not None
        log = scene.open("same")
        first = scene.join(log, logs)
        until(lambda: first.sessions(0.1), bool)
        second = scene.join(scene.open("same"), logs)
        first.lost(tuple(logs), Fenced("for the test"))
        first.close()
        session = until(lambda: second.sessions(0.1), bool)[tuple(logs)]
        assert session.state.count("s") == self.ENTRIES - 1


def test_the_end_is_where_a_new_group_may_start(scene: Scene) -> None:
    """EARLIEST is the first record there is; an offset may be the end as well."""
    log = scene.open()
    (source,) = logs = scene.sources(log, 1)
    log.append(numbered(source, range(2)))
    end = log.ends([source])[Place(source, 0)]
    member = scene.join(log, logs, end)
    session = until(lambda: member.sessions(0.1), bool)[source,]
    assert EARLIEST < 0
    log.append(numbered(source, [9]))
    assert values(take(session, 1)) == [b"9"]
