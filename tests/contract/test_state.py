"""What a consumer group remembers."""

from __future__ import annotations

import pytest

from figbridge.ports import Log, Session

from .harness import Harness, commit_of


@pytest.fixture
def member(make_log: Harness, log: Log) -> Session:
    """Join a group that nobody else is in."""
    return make_log.join(log, make_log.name(), [make_log.topic()])


class TestState:
    def test_reading_gives_the_groups_that_exist_with_all_their_members(self, member: Session) -> None:
        entries = [("s", "a", "1", b"x"), ("s", "a", "2", b""), ("s", "b", "1", b"y"), ("other", "a", "3", b"z")]
        member.commit(commit_of(state=entries))
        assert member.state.read("s", ["b", "a", "absent", "a"]) == {"a": {"1": b"x", "2": b""}, "b": {"1": b"y"}}
        assert member.state.read("other", iter(["a"])) == {"a": {"3": b"z"}}
        assert member.state.read("s", []) == {}
        assert member.state.read("empty", ["a"]) == {}

    @pytest.mark.parametrize("number", [1, 2, 8, 9, 513, 1500])
    def test_any_number_of_groups_can_be_read_at_once(self, member: Session, number: int) -> None:
        groups = [f"order-{n}" for n in range(number)]
        member.commit(commit_of(state=[("s", group, "row", group.encode()) for group in groups]))
        found = member.state.read("s", (f"order-{n}" for n in range(-5, number + 5)))
        assert found == {group: {"row": group.encode()} for group in groups}

    def test_a_whole_space_is_scanned_in_order_of_group_and_member(self, member: Session) -> None:
        names = [(f"g{n % 37}", f"m{n}") for n in range(2500)] + [("", ""), ("ü", "ß"), ("Z", "a"), ("g1", "M")]
        member.commit(commit_of(state=[("s", group, item, b"v") for group, item in names]))
        member.commit(commit_of(state=[("t", "g", "m", b"v")]))
        assert list(member.state.scan("s")) == [(group, item, b"v") for group, item in sorted(names)]
        assert list(member.state.scan("absent")) == []

    def test_the_entries_of_a_space_are_counted(self, member: Session) -> None:
        member.commit(commit_of(state=[("s", "a", "1", b"x"), ("s", "a", "2", b"x"), ("t", "a", "1", b"x")]))
        assert [member.state.count(space) for space in ("s", "t", "absent")] == [2, 1, 0]

    def test_a_value_replaces_the_one_before(self, member: Session) -> None:
        member.commit(commit_of(state=[("s", "a", "1", b"old"), ("s", "a", "2", b"kept")]))
        member.commit(commit_of(state=[("s", "a", "1", b"new")]))
        assert member.state.read("s", ["a"]) == {"a": {"1": b"new", "2": b"kept"}}

    def test_a_value_of_none_removes_the_entry_and_an_empty_group(self, member: Session) -> None:
        member.commit(commit_of(state=[("s", "a", "1", b"x"), ("s", "a", "2", b"x")]))
        member.commit(commit_of(state=[("s", "a", "1", None), ("s", "never", "was", None)]))
        assert member.state.read("s", ["a", "never"]) == {"a": {"2": b"x"}}
        member.commit(commit_of(state=[("s", "a", "2", None)]))
        assert member.state.read("s", ["a"]) == {}
        assert member.state.count("s") == 0

    def test_of_two_entries_with_one_name_in_a_commit_the_later_one_holds(self, member: Session) -> None:
        member.commit(commit_of(state=[("s", "a", "1", b"x"), ("s", "a", "1", None), ("s", "a", "2", None)]))
        assert member.state.count("s") == 0
        member.commit(commit_of(state=[("s", "a", "1", None), ("s", "a", "1", b"x"), ("s", "a", "1", b"y")]))
        assert member.state.read("s", ["a"]) == {"a": {"1": b"y"}}

    def test_what_was_read_does_not_change_what_is_stored(self, member: Session) -> None:
        member.commit(commit_of(state=[("s", "a", "1", b"x")]))
        found = member.state.read("s", ["a"])
        found["a"]["2"] = b"mine"
        found.clear()
        assert member.state.read("s", ["a"]) == {"a": {"1": b"x"}}

    def test_each_consumer_group_has_a_state_of_its_own(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic()
        one, two = (make_log.join(log, make_log.name(), [topic]) for _ in range(2))
        one.commit(commit_of(state=[("s", "a", "1", b"one")]))
        two.commit(commit_of(state=[("s", "a", "1", b"two"), ("s", "b", "1", b"two")]))
        two.commit(commit_of(state=[("s", "a", "1", None)]))
        assert list(one.state.scan("s")) == [("a", "1", b"one")]
        assert list(two.state.scan("s")) == [("b", "1", b"two")]
        assert one.state.read("s", ["a", "b"]) == {"a": {"1": b"one"}}
        assert two.state.read("s", ["a", "b"]) == {"b": {"1": b"two"}}
        assert (one.state.count("s"), two.state.count("s"), two.state.count("absent")) == (1, 1, 0)

    def test_the_state_outlives_the_member(self, make_log: Harness, log: Log) -> None:
        topic, group = make_log.topic(), make_log.name()
        session = make_log.join(log, group, [topic])
        session.commit(commit_of(state=[("s", "a", "1", b"x")]))
        session.close()
        assert make_log.join(make_log.open(), group, [topic]).state.read("s", ["a"]) == {"a": {"1": b"x"}}

    def test_a_view_sees_each_commit_and_joins_nothing(self, make_log: Harness, log: Log) -> None:
        topic, group = make_log.topic(), make_log.name()
        view = make_log.open().state(group)
        assert (view.read("s", ["a"]), list(view.scan("s")), view.count("s")) == ({}, [], 0)
        session = make_log.join(log, group, [topic])
        session.commit(commit_of(state=[("s", "a", "1", b"x")]))
        assert view.read("s", ["a"]) == {"a": {"1": b"x"}}
        session.commit(commit_of(state=[("s", "a", "1", b"y")]))
        assert (list(view.scan("s")), view.count("s")) == ([("a", "1", b"y")], 1)
