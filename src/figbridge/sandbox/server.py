"""What all servers of the sandbox share: a folder, a port, a process, a log, and how they start and end.

folder/
├── pid           the process, while it should run (process.py)
├── server.log    what it said since it started
├── server.log.1  what it said the time before
└── …             its settings and data
"""

from __future__ import annotations

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from figbridge.errors import Unreachable
from figbridge.sandbox import ports, process
from figbridge.sandbox.process import Identity


class State(StrEnum):
    """Say how a server is."""

    RUNNING = "running"
    """Its process lives and it answers."""
    SILENT = "silent"
    """Its process lives, and it does not answer: it is still starting, or hangs."""
    DIED = "died"
    """It should run, and its process is gone."""
    STOPPED = "stopped"
    """It was stopped, or never started."""


class Server(ABC):
    """Own one server on a loopback port. It runs until `stop`, also when the process that started it has ended."""

    start_s = 180.0
    stop_s = 20.0
    stop_signal = signal.SIGTERM

    def __init__(self, name: str, folder: Path, port: int = 0) -> None:
        self.name = name
        self.folder = folder
        self.port = port or ports.free_port()
        self.log = folder / "server.log"
        self._pid = folder / "pid"

    @property
    @abstractmethod
    def address(self) -> str:
        """Return where clients find it, without any password."""

    @abstractmethod
    def prepare(self) -> None:
        """Write settings and create data, if there are none yet."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the program with its arguments."""

    @abstractmethod
    def answers(self) -> bool:
        """Say whether the server answers now, in its own protocol."""

    def ready(self) -> bool:
        """Say whether a server that was just started can be used."""
        return self.answers()

    def env(self) -> Mapping[str, str]:
        """Return the environment of its process."""
        return os.environ

    def account(self) -> Mapping[str, Any]:
        """Return the arguments for subprocess that choose the account it runs under."""
        return {}

    @property
    def identity(self) -> Identity | None:
        """Return the process that was started last and was not stopped; it may be dead."""
        return process.read(self._pid)

    @property
    def pid(self) -> int | None:
        """Return the id of the process; None when it does not run."""
        found = self.identity
        return found.pid if found is not None and found.alive else None

    def state(self) -> State:
        """Look how the server is; asks it."""
        found = self.identity
        if found is None:
            return State.STOPPED
        if not found.alive:
            return State.DIED
        return State.RUNNING if self.answers() else State.SILENT

    def start(self, timeout_s: float | None = None) -> bool:
        """Start the server unless its process lives, and wait until it can be used. Returns whether it was started.

        Raises Unreachable when its port is taken, it ends, or it is not ready in time (then it is stopped again).
        """
        began = self.begin()
        self.wait_ready(timeout_s)
        return began

    def begin(self) -> bool:
        """Start the server's process unless it lives, without waiting. Returns whether it did. Raises Unreachable."""
        if self.pid is not None:
            return False
        self.check_port()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.log.exists():
                self.log.replace(self.log.with_name("server.log.1"))
            self.prepare()
            words = self.command()
            process.write(
                self._pid, process.spawn(words, self.log, self.folder, env=self.env(), account=self.account())
            )
        except OSError as error:
            raise Unreachable(f"{self.name} does not start: {error}.", hint="see figbridge sandbox logs") from error
        return True

    def check_port(self) -> None:
        """Check that nobody else has the server's port. Raises Unreachable."""
        if ports.in_use(self.port):
            raise Unreachable(
                f"Port {self.port} of {self.name} is in use by another program.",
                hint=f"end that program, or choose another: figbridge sandbox up --port {self.name}=PORT",
                server=self.name,
                port=self.port,
            )

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Wait until the server can be used. Raises Unreachable."""
        limit_s = timeout_s or self.start_s
        deadline = time.monotonic() + limit_s
        while not self.ready():
            if self.pid is None:
                raise Unreachable(f"{self.name} ended: {self.last_words()}.", hint=f"see {self.log}", server=self.name)
            if time.monotonic() > deadline:
                self.stop()
                said = f"{self.name} did not answer within {limit_s:.0f} s; its log ends with: {self.last_words()}."
                raise Unreachable(said, hint=f"see {self.log}", server=self.name)
            time.sleep(0.05)

    def stop(self) -> bool:
        """Stop the server and wait until it has ended. Returns whether it did so without being killed."""
        found = self.identity
        graceful = found is None or not found.alive or process.stop(found, self.stop_s, self.stop_signal)
        self._pid.unlink(missing_ok=True)
        return graceful

    def kill(self) -> None:
        """Kill the server (SIGKILL), as a crash would: `state` says that it died, and `start` mends it."""
        found = self.identity
        if found is not None:
            process.kill(found)

    def tail(self, count: int) -> list[str]:
        """Return the last lines of the log; none when there is no log."""
        try:
            return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        except OSError:
            return []

    def last_words(self) -> str:
        """Return the line of the log that most likely says why the server ended."""
        said = [line.strip() for line in self.tail(1_000) if line.strip() and not line.strip().startswith("at ")]
        telling = [line for line in said if "ERROR" in line or "FATAL" in line or "Exception" in line]
        return (telling or said or ["it left no log"])[-1].rstrip(".")[:300]
