"""`figbridge sandbox`, as a person uses it: each command a process of its own, servers that outlive them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from figbridge.sandbox import Sandbox, State, plan, process

pytestmark = pytest.mark.sandbox


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a sandbox's folder that PostgreSQL's account can reach; whatever runs there is ended afterwards."""
    made = Path(tempfile.mkdtemp(prefix="figbridge-life-"))
    made.chmod(0o755)
    yield made / "box"
    if (made / "box").exists():
        Sandbox(made / "box").reset()
    shutil.rmtree(made)


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own; it must not show a traceback."""
    command = [sys.executable, "-m", "figbridge", "sandbox", *words, "--data", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr
    return done


def states(folder: Path, expected_exit: int) -> dict[str, Any]:
    """Return the state of each server, as `status` tells it, which must end with an exit code."""
    done = call(folder, "status", "-o", "json")
    assert done.returncode == expected_exit, done.stderr
    return {seen["name"]: seen["state"] for seen in json.loads(done.stdout)}


def pids(folder: Path) -> dict[str, int | None]:
    """Return the process of each server."""
    return {seen.name: seen.pid for seen in Sandbox(folder).status()}


@contextmanager
def maria(box: Sandbox) -> Iterator[Any]:
    """Connect to the sandbox's MariaDB; a server that has died in between is no error here."""
    found = box.mariadb
    connection = pymysql.connect(
        host="127.0.0.1", port=found.port, user=found.user, password=found.password, autocommit=True
    )
    try:
        yield connection
    finally:
        connection._force_close()


def test_servers_outlive_the_command_and_a_crash_is_mended(folder: Path) -> None:
    """Up, up again, kill -9, status, up, down: what was committed, on the same ports, in as many processes."""
    names = ("kafka-1", "postgres", "mariadb")
    assert states(folder, 0) == {}
    assert call(folder, "up", "kafka", "postgres", "mariadb").returncode == 0
    assert states(folder, 0) == dict.fromkeys(names, "running")
    before, box = pids(folder), Sandbox(folder)
    admin = AdminClient({"bootstrap.servers": box.bootstrap})
    admin.create_topics([NewTopic("kept", 1)])["kept"].result()
    again = call(folder, "up")
    assert (again.returncode, pids(folder)) == (0, before)
    assert "everything ran already" in again.stderr

    with psycopg.connect(box.postgres.url(), autocommit=True) as postgres, maria(box) as mariadb:
        postgres.execute("CREATE TABLE kept (n int)")
        mariadb.cursor().execute("CREATE DATABASE kept")
        mariadb.cursor().execute("CREATE TABLE kept.kept (n int)")
        for n in range(100):
            postgres.execute("INSERT INTO kept VALUES (%s)", [n])
            mariadb.cursor().execute("INSERT INTO kept.kept VALUES (%s)", [n])
        for pid in before.values():  # at once: nobody has had the time to write anything out
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
    assert states(folder, 3) == dict.fromkeys(names, "died")
    assert call(folder, "up").returncode == 0
    assert states(folder, 0) == dict.fromkeys(names, "running")
    assert "kept" in AdminClient({"bootstrap.servers": box.bootstrap}).list_topics(timeout=20).topics
    with psycopg.connect(box.postgres.url()) as postgres, maria(box) as mariadb, mariadb.cursor() as cursor:
        assert postgres.execute("SELECT count(*) FROM kept").fetchone() == (100,)
        cursor.execute("SELECT count(*) FROM kept.kept")
        assert cursor.fetchone() == (100,)

    assert call(folder, "down").returncode == 0
    assert call(folder, "up", "postgres", "mariadb").returncode == 0
    assert states(folder, 0) == {"kafka-1": "stopped", "postgres": "running", "mariadb": "running"}
    alive = [found for name in names if (found := box.server(name).identity)]
    assert call(folder, "down").returncode == 0
    assert [found.alive for found in alive] == [False] * 2
    assert states(folder, 0) == dict.fromkeys(names, "stopped")


def test_a_server_that_hangs_is_seen_and_stopped(folder: Path) -> None:
    """A process that lives and does not answer is not called running; down ends it all the same."""
    assert call(folder, "up", "postgres").returncode == 0
    box = Sandbox(folder)
    found = box.postgres.identity
    assert found is not None
    os.kill(found.pid, signal.SIGSTOP)
    assert states(folder, 3) == {"postgres": "silent"}
    assert call(folder, "down").returncode == 0
    assert not found.alive
    assert "database system is shut down" in box.postgres.log.read_text(), "it was continued and asked, not killed"


def test_a_stale_pid_file_is_recognised_by_the_start_of_the_process(folder: Path) -> None:
    """Here the id belongs to this test: it is not taken for the server, and not killed."""
    box = Sandbox(folder, ["postgres"])
    box.up()
    box.down()
    itself = process._look(os.getpid())
    assert itself is not None
    process.write(folder / "postgres" / "pid", itself._replace(started=itself.started - 1))
    assert box.status()[0].state is State.DIED
    assert box.up() == ["postgres"]
    assert box.down() == ["postgres"]


def test_a_port_in_use_is_said_before_anything_starts(folder: Path) -> None:
    """One sentence with the port and the server; nothing is half up."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = call(folder, "up", "kafka", "postgres", "--port", f"postgres={port}")
    assert done.returncode == 1
    assert f"Port {port} of postgres is in use" in done.stderr
    assert "hint:" in done.stderr
    assert set(pids(folder).values()) <= {None}


def test_what_the_plan_forbids_is_refused(folder: Path) -> None:
    """Another number of brokers, an unknown server, another port for what runs: exit 4, and nothing changed."""
    assert call(folder, "up", "postgres").returncode == 0
    plan.save(folder, Sandbox(folder, ["kafka"]).plan)
    before = pids(folder)
    for words in (("up", "--brokers", "3"), ("logs", "nothing"), ("up", "--port", "postgres=20001")):
        done = call(folder, *words)
        assert (done.returncode, done.stdout) == (4, "")
        assert "hint:" in done.stderr
    assert pids(folder) == before


def test_logs_are_at_hand_and_no_password_is_in_what_is_said(folder: Path) -> None:
    """The end of each log, in every form; where the passwords are is said, not what they are."""
    done = call(folder, "up", "postgres")
    box = Sandbox(folder)
    logs = call(folder, "logs", "postgres", "-n", "5")
    assert "ready to accept connections" in logs.stdout
    assert list(json.loads(call(folder, "logs", "-o", "json").stdout)) == ["postgres"]
    assert box.postgres.password
    for said in (done, logs, call(folder, "status", "-o", "yaml")):
        assert box.postgres.password not in said.stdout + said.stderr
    assert str(box.secrets) in done.stderr
    assert [oct(p.stat().st_mode & 0o777) for p in (box.secrets, *box.secrets.iterdir())] == ["0o700", "0o600"]


def test_reset_asks_and_then_leaves_nothing(folder: Path) -> None:
    """Without an answer nothing is deleted; with --yes the servers end and the data go."""
    assert call(folder, "up", "postgres").returncode == 0
    assert call(folder, "reset").returncode == 130
    assert states(folder, 0) == {"postgres": "running"}
    assert call(folder, "reset", "--yes").returncode == 0
    assert not folder.exists()


def test_one_command_at_a_time_changes_a_sandbox(folder: Path) -> None:
    """While one command works, another is refused, and not half done beside it; a look is always allowed."""
    plan.save(folder, Sandbox(folder, ["postgres"]).plan)
    with Sandbox(folder)._alone():
        for words in (("up",), ("down",), ("reset", "--yes")):
            done = call(folder, *words)
            assert done.returncode == 4
            assert "Another command works" in done.stderr
        assert states(folder, 0) == {"postgres": "stopped"}
