"""What only a log in a file must do: be shared by processes, survive their death, and name what is wrong with it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest

from figbridge.adapters.sqlite import Durability, SqliteLog
from figbridge.errors import Fenced, Unreachable
from figbridge.ports import Commit, Entry, Outgoing, TopicPartition

PLACE = TopicPartition("t", 0)
IMPORTS = """
import sys
from figbridge.adapters.sqlite import Durability, SqliteLog
from figbridge.errors import Unreachable
from figbridge.ports import Commit, Entry, Outgoing, TopicPartition
log = SqliteLog(sys.argv[1])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "log.db"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteLog]:
    """Open a log with one topic of one partition."""
    log = SqliteLog(path)
    log.create("t")
    yield log
    log.close()


def child(path: Path, program: str) -> subprocess.Popen[str]:
    """Start another process that has the log open as `log`; it ends when its input is closed."""
    command = [sys.executable, "-W", "error", "-c", IMPORTS + program, str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def records(numbers: range) -> list[Outgoing]:
    """Return records with the numbers as values."""
    return [Outgoing("t", None, b"%d" % n) for n in numbers]


class TestProcesses:
    def test_processes_that_append_at_once_lose_nothing_and_give_no_offset_twice(
        self, log: SqliteLog, path: Path
    ) -> None:
        program = "for n in range(200): log.append([Outgoing('t', None, b'%d' % n)] * 5)\nlog.close()"
        children = [child(path, program) for _ in range(3)]
        for n in range(200):
            log.append([Outgoing("t", None, b"%d" % n)] * 5)
        for process in children:
            with process:
                process.communicate(timeout=120)
            assert process.returncode == 0
        found = log.read(PLACE, 0, 100_000)
        assert [record.offset for record in found] == list(range(4 * 1000))
        for n in range(200):
            assert sum(record.value == b"%d" % n for record in found) == 4 * 5

    def test_processes_that_make_one_file_at_once_all_get_a_log(self, path: Path) -> None:
        children = [child(path, "log.create('t', 3); print(log.topics()); log.close()") for _ in range(4)]
        for process in children:
            with process:
                out, _ = process.communicate(timeout=120)
            assert (process.returncode, out) == (0, "{'t': 3}\n")

    def test_a_waiting_poll_gets_what_another_process_appends(self, log: SqliteLog, path: Path) -> None:
        session = log.session("g", ["t"])
        with child(path, "sys.stdin.readline(); log.append([Outgoing('t', None, b'hello')]); log.close()") as process:
            assert session.poll(1, 0.0) == []
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
            assert [record.value for record in session.poll(10, 60.0)] == [b"hello"]

    def test_a_member_in_another_process_takes_over(self, log: SqliteLog, path: Path) -> None:
        session = log.session("g", ["t"])
        with child(path, "log.session('g', ['t']).close(); log.close()") as process:
            with pytest.raises(Fenced):
                session.poll(1, 60.0)
            assert process.wait(60) == 0
        with pytest.raises(Fenced):
            session.commit(Commit(records(range(1)), {}, []))
        assert log.ends(["t"]) == {PLACE: 0}

    def test_a_topic_created_by_another_process_can_be_written_and_read(self, log: SqliteLog, path: Path) -> None:
        with child(path, "log.create('late', 2); log.close()") as process:
            assert process.wait(60) == 0
        log.append([Outgoing("late", None, b"v", partition=1)])
        assert [record.value for record in log.read(TopicPartition("late", 1), 0, 10)] == [b"v"]


class TestDeath:
    @pytest.mark.parametrize("durability", list(Durability))
    def test_a_killed_process_leaves_whole_commits_and_all_that_it_was_told_of(
        self, path: Path, durability: Durability
    ) -> None:
        """Each commit n writes records, a position and an entry that say n; it is told on the child's output."""
        program = f"""
log.close()
log = SqliteLog(sys.argv[1], durability=Durability({durability.value!r}))
log.create('t'); log.create('out', 2)
session = log.session('g', ['t'])
start = session.committed().get(TopicPartition('t', 0), 0)
for n in range(start + 1, 10**9):
    log.append([Outgoing('t', None, b'%d' % n)])
    said = [Outgoing('out', None, b'%d' % n, partition=p) for p in (0, 1)]
    session.commit(Commit(said * 20, {{TopicPartition('t', 0): n}}, [Entry('s', 'g', 'm', b'%d' % n)]))
    print(n, flush=True)
"""
        told = 0
        for kill_after in (1, 7, 30):
            with child(path, program) as process:
                assert process.stdout
                for _ in range(kill_after):
                    told = int(process.stdout.readline())
                process.kill()
                told = max([told, *map(int, process.stdout.read().split("\n")[:-1])])
            log = SqliteLog(path)
            state = log.state("g").read("s", ["g"])["g"]["m"]
            reached = int(state)
            assert told <= reached <= told + 1
            for partition in (0, 1):
                found = log.read(TopicPartition("out", partition), 0, 1_000_000)
                assert [r.value for r in found] == [b"%d" % n for n in range(1, reached + 1) for _ in range(20)]
                assert [r.offset for r in found] == list(range(20 * reached))
            session = log.session("g", ["t"])
            assert session.committed() == {PLACE: reached}
            log.close()

    def test_no_reader_sees_half_a_commit(self, log: SqliteLog, path: Path) -> None:
        log.create("out", 2)
        session, reader, done, torn = log.session("g", ["t"]), SqliteLog(path), Event(), list[str]()

        def look() -> None:
            while not done.is_set():
                ends = reader.ends(["out"])
                if len(set(ends.values())) > 1:
                    torn.append(f"{ends}")
                if reader.state("g").count("s") < max(ends.values()):
                    torn.append(f"state behind {ends}")

        watcher = Thread(target=look)
        watcher.start()
        try:
            for n in range(200):
                pair = [Outgoing("out", None, b"v", partition=p) for p in (0, 1)]
                session.commit(Commit(pair, {}, [Entry("s", "g", f"{n}", b"v")]))
        finally:
            done.set()
            watcher.join()
            reader.close()
        assert torn == []


class TestTrouble:
    @pytest.mark.parametrize("folder", ["absent/log.db", "a-file/log.db", "/proc/log.db", "."])
    def test_a_folder_that_cannot_be_written_is_named(self, tmp_path: Path, folder: str) -> None:
        (tmp_path / "a-file").write_bytes(b"")
        with pytest.raises(Unreachable, match="cannot be opened") as caught:
            SqliteLog(tmp_path / folder)
        assert str(tmp_path / folder) in caught.value.message
        assert caught.value.hint

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_file_that_may_not_be_written_is_named(self, log: SqliteLog, path: Path) -> None:
        log.close()
        path.chmod(0o444)
        with pytest.raises(Unreachable):
            SqliteLog(path).create("other")

    def test_a_file_that_is_not_a_database_is_refused_and_left_alone(self, path: Path) -> None:
        path.write_bytes(b"invoices of 2024\n" * 1000)
        with pytest.raises(Unreachable, match="is not a SQLite database"):
            SqliteLog(path)
        assert path.read_bytes() == b"invoices of 2024\n" * 1000

    def test_a_database_of_another_program_is_refused_and_left_alone(self, path: Path) -> None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE invoices (id)")
        other.close()
        before = path.read_bytes()
        with pytest.raises(Unreachable, match="another program"):
            SqliteLog(path)
        assert path.read_bytes() == before

    def test_a_file_of_a_newer_format_is_refused(self, log: SqliteLog, path: Path) -> None:
        log.close()
        newer = sqlite3.connect(path)
        newer.execute("PRAGMA user_version = 99")
        newer.close()
        with pytest.raises(Unreachable, match="format 99"):
            SqliteLog(path)

    def test_a_damaged_file_is_named(self, log: SqliteLog, path: Path) -> None:
        log.append([Outgoing("t", None, b"v" * 1000)] * 1000)
        log.close()
        with path.open("r+b") as file:
            file.seek(8192)
            file.write(b"\xff" * 400_000)
        with pytest.raises(Unreachable, match="damaged"):
            SqliteLog(path).append(records(range(1)))

    def test_a_full_disk_tears_no_commit_and_room_mends_it(self, log: SqliteLog, path: Path) -> None:
        program = """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, hard))
sent = 0
try:
    while True:
        log.append([Outgoing('t', None, b'v' * 1000)] * 100)
        sent += 100
except Unreachable as error:
    assert error.hint, error
assert sent and log.ends(['t']) == {TopicPartition('t', 0): sent}
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.append([Outgoing('t', None, b'v')])
print(sent + 1)
log.close()
"""
        with child(path, program) as process:
            out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert [record.offset for record in log.read(PLACE, 0, 10**6)] == list(range(int(out)))

    def test_a_lock_held_longer_than_our_patience_is_named_and_nothing_is_written(
        self, log: SqliteLog, path: Path
    ) -> None:
        hasty, holder = SqliteLog(path, patience_s=0.05), sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unreachable, match="was locked by another writer") as caught:
            hasty.append(records(range(1)))
        assert caught.value.hint
        assert log.read(PLACE, 0, 10) == [], "readers need no lock"
        holder.execute("ROLLBACK")
        holder.close()
        hasty.append(records(range(1)))
        assert log.ends(["t"]) == {PLACE: 1}
        hasty.close()

    def test_a_short_lock_of_another_process_is_waited_for(self, log: SqliteLog, path: Path) -> None:
        holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")
        appender = Thread(target=log.append, args=(records(range(3)),))
        appender.start()
        appender.join(0.2)
        assert appender.is_alive()
        holder.execute("ROLLBACK")
        holder.close()
        appender.join(30)
        assert log.ends(["t"]) == {PLACE: 3}

    def test_a_closed_log_says_so(self, log: SqliteLog) -> None:
        session = log.session("g", ["t"])
        log.close()
        log.close()
        for use in (log.topics, lambda: log.append(records(range(1))), lambda: session.poll(1, 0.0)):
            with pytest.raises(Unreachable, match="closed"):
                use()

    def test_closing_ends_a_waiting_poll(self, log: SqliteLog) -> None:
        session, failures, polling = log.session("g", ["t"]), list[Unreachable](), Event()

        def wait() -> None:
            try:
                polling.set()
                session.poll(1, 60.0)
            except Unreachable as error:
                failures.append(error)

        waiter, before = Thread(target=wait), monotonic()
        waiter.start()
        polling.wait(30)
        log.close()
        waiter.join(30)
        assert len(failures) == 1
        assert monotonic() - before < 30
