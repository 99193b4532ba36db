"""The bridge in a process of its own, as `figbridge run` starts it: Debezium, log, store and worker die together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE_S = 300.0
"""How long something may take that must come. Only a failure ever waits so long."""

LOOK_S = 0.02

# A Java that lives for seconds is up in half the time without its second compiler.
JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}


class Child:
    """Run the bridge, kill it without a word, and run it again over the same files."""

    def __init__(self, folder: Path, mappings: Path, sources: Mapping[str, Mapping[str, Any]]) -> None:
        self.data = folder / "data"
        self.says = folder / "bridge.log"
        self.mappings = mappings
        self.kills = 0
        self._sources = json.dumps(sources)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Return what `figbridge` must be told to speak with this bridge."""
        told = {"SOURCES": self._sources, "DATA": str(self.data), "MAPPINGS": str(self.mappings)}
        return {**os.environ, **JAVA, **{f"FIGBRIDGE_{name}": value for name, value in told.items()}}

    def start(self, batch: int = 1000) -> None:
        """Start it; `batch` is how many records it reads at most before it commits."""
        assert self._process is None
        with self.says.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "figbridge", "run", "--log-format", "json"],
                env={**self.environment, "FIGBRIDGE_BATCH": str(batch)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def kill(self) -> None:
        """Kill it with signal 9. It must have lived until now."""
        self.check()
        assert self._process is not None
        self._process.kill()
        assert self._process.wait() == -signal.SIGKILL, self.last_words
        self._process = None
        self.kills += 1

    def stop(self) -> None:
        """End it in order."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(PATIENCE_S) == 0, self.last_words
        self._process = None

    def end(self) -> None:
        """Leave nothing behind, whatever has happened."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def command(self, *words: str) -> None:
        """Run another command of figbridge beside it."""
        done = subprocess.run(
            [sys.executable, "-m", "figbridge", *words],
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def check(self) -> None:
        """Fail when it has ended by itself."""
        assert self._process is not None
        assert self._process.poll() is None, f"the bridge ended by itself: {self.last_words}"

    @property
    def last_words(self) -> str:
        """Return the end of what it said."""
        return self.says.read_text()[-2000:]

    def until(self, condition: Callable[[], T], what: str) -> T:
        """Wait until a condition gives something true, and return it; fail when the bridge ends before."""
        deadline = time.monotonic() + PATIENCE_S
        pause = Event()
        while True:
            value = condition()
            if value:
                return value
            self.check()
            assert time.monotonic() < deadline, f"not in time: {what}; {self.last_words}"
            pause.wait(LOOK_S)
