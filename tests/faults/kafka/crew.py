"""Several processes of `figbridge run` that stand by for each other, and what can happen to them.

One that finds the store or the brokers gone when it starts ends and says so; whoever runs it starts it again, as
docker-compose.yml does. So does the crew.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random

from figbridge.cli.exits import Exit

SESSION_MS = 3_000
"""After how long the group misses a process: short, so that a campaign has many takeovers."""
END_S = 30.0
"""How long an end in order may take."""

MACHINES = 5


class Crew:
    """Start processes of the bridge, and kill, freeze or end any of them. One that ends by itself is a failure."""

    def __init__(self, folder: Path, settings: Path, told: Mapping[str, str], dice: Random) -> None:
        self.dice = dice
        self.told = dict(told)
        self._folder = folder
        self._settings = settings
        self._numbers = 0
        self._living: dict[int, subprocess.Popen[bytes]] = {}
        self._machine: dict[int, int] = {}
        self.frozen: set[int] = set()
        self.started_again = 0
        """How often one could not start, because what it needs was gone."""

    @property
    def environment(self) -> dict[str, str]:
        """Return what a process of figbridge must be told beside the settings file."""
        return {
            **os.environ,
            "PYTHONFAULTHANDLER": "1",
            "FIGBRIDGE_KAFKA__SESSION_TIMEOUT_MS": str(SESSION_MS),
            "FIGBRIDGE_KAFKA__PATIENCE_S": "180",
            **self.told,
        }

    def __len__(self) -> int:
        return len(self._living)

    def start(self) -> int:
        """Start one more, on a machine that has none: a machine is a folder, with copies of state that went stale
        there since. Returns its number."""
        self._numbers += 1
        number = self._numbers
        free = set(range(MACHINES)) - {self._machine[n] for n in self._living}
        self._machine[number] = self.dice.choice(sorted(free))
        with (self._folder / f"bridge-{number}.log").open("ab") as out:
            self._living[number] = subprocess.Popen(
                [sys.executable, "-m", "figbridge", "run", "--settings", str(self._settings), "--log-format", "json",
                 "--from", "earliest", "--data", str(self._folder / f"machine-{self._machine[number]}")],
                env={**self.environment, "FIGBRIDGE_BATCH": str(self.dice.choice([20, 100, 1000]))},
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        return number

    def any(self) -> int:
        """Choose one that is not frozen."""
        return self.dice.choice([n for n in self._living if n not in self.frozen])

    def holder(self, log: str) -> int | None:
        """Return which one says that it holds a source log; None when nobody does that lives."""
        for number in self._living:
            holds = False
            for line in self._said(number).splitlines():
                event = json.loads(line) if line.startswith("{") else {}
                if log in event.get("logs", ()):
                    holds = event["event"] == "sources_taken"
            if holds and number not in self.frozen:
                return number
        return None

    def kill(self, number: int) -> None:
        """Kill one with signal 9; it must have lived until now."""
        self.check()
        process = self._living.pop(number)
        process.kill()
        assert process.wait() == -signal.SIGKILL, self.last_words(number)

    def freeze(self, number: int) -> None:
        """Stop one where it stands."""
        self.check()
        self._living[number].send_signal(signal.SIGSTOP)
        self.frozen.add(number)

    def thaw(self, number: int) -> None:
        """Let one go on that was frozen: it does not know what it has missed."""
        self._living[number].send_signal(signal.SIGCONT)
        self.frozen.discard(number)

    def end(self, number: int) -> None:
        """End one in order."""
        self._living[number].send_signal(signal.SIGTERM)
        self._ended(number)

    def _ended(self, number: int) -> None:
        """Wait until one has ended that was told to, once: a second signal would hit Python while it shuts down."""
        process = self._living.pop(number)
        try:
            code = process.wait(END_S)
            # One that was started a moment ago dies of the signal: it has not come to say or do anything yet.
            unborn = code == -signal.SIGTERM and not self.last_words(number)
            assert code == 0 or unborn, f"process {number} ended with {code}: {self.last_words(number)}"
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # it says where each thread stands
            process.wait()
            raise AssertionError(f"process {number} does not end: {self.last_words(number)}") from None

    def end_all(self) -> None:
        """End all in order."""
        self.check()
        for process in self._living.values():
            process.send_signal(signal.SIGTERM)
        for number in list(self._living):
            self._ended(number)

    def command(self, *words: str) -> str:
        """Run another command of figbridge beside them, and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "figbridge", *words, "--settings", str(self._settings)],
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def check(self) -> None:
        """Fail when one has ended by itself, but for one that could not start: another one starts in its place."""
        for number, process in list(self._living.items()):
            code = process.poll()
            if code == Exit.FAILED and "OPS001" in self._said(number) and "bridge_started" not in self._said(number):
                del self._living[number]
                self.started_again += 1
                self.start()
            else:
                assert code is None, f"process {number} ended by itself with {code}: {self.last_words(number)}"

    def last_words(self, number: int) -> str:
        """Return the end of what one said."""
        return self._said(number)[-4000:]

    def _said(self, number: int) -> str:
        return (self._folder / f"bridge-{number}.log").read_text()

    def close(self) -> None:
        """Leave nothing behind, whatever has happened."""
        for process in self._living.values():
            process.kill()
            process.wait()
        self._living.clear()
