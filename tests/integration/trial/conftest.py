"""A sandbox whose only door is the command line, with the worked example on it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest

from figbridge.sandbox import process

ROOT = Path(__file__).parents[3]
PATIENCE_S = 120.0


class Place:
    """A sandbox of its own, with the command line as its only door."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def call(self, *words: str, code: int = 0) -> Any:
        """Run a command to its end, and return what it printed as JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "figbridge", *words, "-o", "json"],
            cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:] + self.logs()
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if code in (0, 3) else done.stderr

    def logs(self) -> str:
        """Return the ends of what the bridges and the servers wrote: what a command found is often their doing."""
        files = [*self.folder.glob("run-*.log"), *self.folder.glob("*/server.log")]
        return "".join(f"\n== {file.name} of {file.parent.name}\n{_end_of(file)}" for file in files)

    def sandbox(self, *words: str, code: int = 0) -> Any:
        """Run a command of the sandbox."""
        return self.call("sandbox", *words, "--data", str(self.folder), code=code)

    def run(self, kind: str) -> subprocess.Popen[bytes]:
        """Start the bridge of one shop."""
        words = ["run", "--verbose", "--from", "earliest", "--settings", str(self.folder / f"{kind}.yaml")]
        with (self.folder / f"run-{kind}.log").open("wb") as out:
            return subprocess.Popen([sys.executable, "-m", "figbridge", *words], cwd=ROOT, stdout=out, stderr=out)

    def end(self, bridge: subprocess.Popen[bytes], kind: str) -> None:
        """Tell a bridge to end, and see that it does so without complaint."""
        bridge.send_signal(signal.SIGTERM)
        assert bridge.wait(PATIENCE_S) == 0, (self.folder / f"run-{kind}.log").read_text()[-2000:]

    def wait_for(self, settings: list[str], rests: Callable[[dict[str, Any]], bool]) -> Any:
        """Wait until that is true of each source in the status; returns the status."""
        deadline, pause = monotonic() + PATIENCE_S, Event()
        while True:
            status = self.call("status", *settings)
            if all(rests(source) for source in status["sources"]):
                return status
            assert monotonic() < deadline, status
            pause.wait(0.2)


def _end_of(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")[-4000:]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A sandbox with all four servers, started and stopped by the command line."""
    # Not tmp_path: its parents are closed to the account that PostgreSQL runs under when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="figbridge-trial-"))
    folder.chmod(0o755)
    made = Place(folder / "sandbox")
    made.folder.mkdir()
    with process.guarded(made.folder):
        try:
            made.sandbox("up")
            yield made
        finally:
            made.sandbox("reset", "--yes")
            shutil.rmtree(folder, ignore_errors=True)
