"""A server's process that outlives the command that started it, known by its id and the time it started at.

An id alone is not enough: after a crash or a reboot the kernel gives it to somebody else, whom nobody wants to kill.

Run as a program (`python -I process.py FOLDER`) it is the guard of a folder's servers; so it imports only the standard
library.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_children: dict[int, subprocess.Popen[bytes]] = {}


class Identity(NamedTuple):
    """Name one process for ever: its id, its start in clock ticks since the computer booted, and which boot."""

    pid: int
    started: int
    boot: str

    @property
    def alive(self) -> bool:
        """Say whether exactly this process still runs; a dead child that nobody waited for does not."""
        child = _children.get(self.pid)
        if child is not None and child.poll() is not None:
            del _children[self.pid]
        return _look(self.pid) == self


def spawn(
    command: Sequence[str], log: Path, folder: Path, *, env: Mapping[str, str], account: Mapping[str, Any]
) -> Identity:
    """Start a program in a session of its own, its output at the end of `log`; Ctrl-C in a terminal does not reach it.

    Raises OSError when the program does not start.
    """
    with log.open("ab") as out:
        child = subprocess.Popen(  # noqa: S603
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=folder,
            env=dict(env),
            start_new_session=True,
            **account,
        )
    _children[child.pid] = child
    return _look(child.pid) or Identity(child.pid, 0, "")


def read(file: Path) -> Identity | None:
    """Return the process that a pid file names; None without one, or when half of it was written."""
    with suppress(OSError, ValueError, TypeError):
        return Identity(**json.loads(file.read_text(encoding="utf-8")))
    return None


def write(file: Path, identity: Identity) -> None:
    """Write a pid file whole or not at all."""
    part = file.with_name(f"{file.name}.part")
    part.write_text(json.dumps(identity._asdict()), encoding="utf-8")
    part.replace(file)


def stop(identity: Identity, timeout_s: float) -> bool:
    """Ask a process to end (SIGTERM), kill it when it does not in time, and return whether it ended by itself.

    A process that is stopped (SIGSTOP) is continued first: it could not hear.
    """
    _signal(identity, signal.SIGCONT)
    _signal(identity, signal.SIGTERM)
    if wait(identity, timeout_s):
        return True
    kill(identity)
    return False


def kill(identity: Identity) -> None:
    """Kill a process (SIGKILL) and wait until it is gone."""
    _signal(identity, signal.SIGKILL)
    wait(identity, 10.0)


def wait(identity: Identity, timeout_s: float) -> bool:
    """Wait until a process has ended; return whether it has."""
    deadline = time.monotonic() + timeout_s
    while identity.alive:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Have every server of a folder killed when this process dies before the end of the block, kill -9 included."""
    # The guard holds the other end of its standard input, which closes when this process dies, however it does.
    words = [sys.executable, "-I", __file__, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True) as guard:  # noqa: S603
        try:
            yield
        finally:
            assert guard.stdin is not None
            with suppress(BrokenPipeError):
                guard.stdin.write(b".")  # said goodbye: what still runs is meant to


def _guard(folder: Path) -> None:
    """Wait for the owner's goodbye, or its death; then kill the processes that the folder's pid files name."""
    if sys.stdin.buffer.read(1):
        return
    for file in folder.glob("*/pid"):
        found = read(file)
        if found is not None:
            kill(found)


def _signal(identity: Identity, number: int) -> None:
    if identity.alive:
        with suppress(ProcessLookupError):
            os.kill(identity.pid, number)


def _look(pid: int) -> Identity | None:
    """Return the process that has an id now; None when it is gone, or dead and not yet waited for.

    A process that was killed looks dead as soon as its first thread is; its ports are free when the last one is.
    """
    try:
        # The second field is the program's name in parentheses, which may hold anything: count from its end.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        if fields[0] in "ZX" and len(list(Path(f"/proc/{pid}/task").iterdir())) <= 1:
            return None
        return Identity(pid, int(fields[19]), _BOOT.read_text().strip())
    except OSError:
        return None


if __name__ == "__main__":
    _guard(Path(sys.argv[1]))
