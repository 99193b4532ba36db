"""The first path anybody takes: sandbox up, connectors apply, run, trade, verify; each command as a process."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest

from figbridge.sandbox import process

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0


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
        assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if code in (0, 3) else done.stderr

    def sandbox(self, *words: str, code: int = 0) -> Any:
        """Run a command of the sandbox."""
        return self.call("sandbox", *words, "--data", str(self.folder), code=code)

    def run(self, kind: str) -> subprocess.Popen[bytes]:
        """Start the bridge of one shop."""
        words = ["run", "--from", "earliest", "--settings", str(self.folder / f"{kind}.yaml")]
        with (self.folder / f"run-{kind}.log").open("wb") as out:
            return subprocess.Popen([sys.executable, "-m", "figbridge", *words], cwd=ROOT, stdout=out, stderr=out)


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


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_the_monolith_reaches_the_domain_topics(place: Place, kind: str) -> None:
    """What the shop's own ledger says is on the domain topics, each once and in order; both ledgers balance; nothing
    that was sold before the connector began is announced; and a bridge that is missing shows."""
    settings = ["--settings", str(place.folder / f"{kind}.yaml")]
    before = place.sandbox("trade", "--on", kind, "-n", "30")
    place.call("connectors", "apply", *settings)
    place.sandbox("trade", "--on", kind, "-n", "100")
    missing = place.sandbox("verify", "--on", kind, "--patience", "2", code=3)
    assert not missing["equal"]
    assert missing["found"]["events"] == 0
    bridge = place.run(kind)
    try:
        traded = place.sandbox("trade", "--on", kind, "-n", "100")
        found = place.sandbox("verify", "--on", kind)
        status = wait_for_rest(place, settings)
    finally:
        bridge.send_signal(signal.SIGTERM)
        assert bridge.wait(PATIENCE_S) == 0, (place.folder / f"run-{kind}.log").read_text()[-2000:]
    assert found["equal"], found
    assert found["found"]["ledger"] == sum(traded["ledger"].values())
    assert found["found"]["snapshot"] == sum(before["ledger"].values())
    assert found["found"]["events"] == found["found"]["ledger"] - found["found"]["snapshot"]
    assert found["found"]["states"] > 0
    assert status["balanced"]
    assert (status["parked_keys"], status["suspects"], status["quarantined"], status["dead_letters"]) == (0, [], 0, 0)


def wait_for_rest(place: Place, settings: list[str]) -> Any:
    """Wait until the bridge is close behind: heartbeats go on for ever. Returns its status."""
    deadline, pause = monotonic() + PATIENCE_S, Event()
    while True:
        status = place.call("status", *settings)
        if all(source["records_behind"] < 50 for source in status["sources"]):
            return status
        assert monotonic() < deadline, status
        pause.wait(0.2)
