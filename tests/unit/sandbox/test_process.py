"""A process is known by its id and the time it started at: nobody else is ever killed in its place."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from figbridge.sandbox import ports, process
from figbridge.sandbox.process import Identity

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
OWNER = """
import pathlib, sys
from figbridge.sandbox import process
folder = pathlib.Path(sys.argv[1])
with process.guarded(folder):
    (folder / "one").mkdir()
    found = process.spawn(["sleep", "600"], folder / "log", folder, env={"PATH": "/bin:/usr/bin"}, account={})
    process.write(folder / "one" / "pid", found)
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Identity]:
    """Give a process that runs."""
    found = process.spawn(["sleep", "600"], tmp_path / "log", tmp_path, env=os.environ, account={})
    yield found
    process.kill(found)


def test_a_process_ends_when_it_is_asked(running: Identity) -> None:
    """It counts as dead at once, also while nobody has waited for it."""
    assert running.alive
    assert process.stop(running, 10)
    assert not running.alive


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    """Nothing that was started is left."""
    log = tmp_path / "log"
    found = process.spawn([sys.executable, "-c", DEAF], log, tmp_path, env=os.environ, account={})
    deadline = time.monotonic() + 20
    while b"deaf" not in log.read_bytes():
        assert time.monotonic() < deadline
    assert not process.stop(found, 0.2)
    assert not found.alive


def test_another_process_with_the_id_is_not_touched(running: Identity, tmp_path: Path) -> None:
    """After a reboot, or when ids have gone round, a stale pid file names somebody else."""
    for stale in (running._replace(started=running.started - 1), running._replace(boot="another")):
        process.write(tmp_path / "pid", stale)
        assert process.read(tmp_path / "pid") == stale
        assert not stale.alive
        process.kill(stale)
        assert process.stop(stale, 0)
        assert running.alive


@pytest.mark.parametrize("text", ["", "{", "12", '{"pid": 1}'])
def test_half_a_pid_file_is_none(tmp_path: Path, text: str) -> None:
    """A crash while it was written leaves no process that nobody can name."""
    (tmp_path / "pid").write_text(text)
    assert process.read(tmp_path / "pid") is None
    assert process.read(tmp_path / "nothing") is None


@pytest.mark.parametrize("goodbye", [True, False])
def test_servers_of_an_owner_that_is_killed_end(tmp_path: Path, goodbye: bool) -> None:
    """Kill -9 of the owner leaves none; an owner that ends in order leaves those that are meant to run."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "ready\n"
    found = process.read(tmp_path / "one" / "pid")
    assert found is not None
    assert found.alive
    if not goodbye:
        owner.kill()
    owner.communicate()  # closes its input, at which it ends in order
    if goodbye:
        assert found.alive
        process.kill(found)
    assert process.wait(found, 20)


def test_free_ports_are_free_and_below_those_of_clients() -> None:
    """A port that the kernel may give to an outgoing connection could be taken when its server starts again."""
    found = {ports.free_port() for _ in range(50)}
    assert len(found) > 45
    assert max(found) < int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
