"""Where a group stands is asked before it ever read anything, and while brokers begin to answer for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from figbridge.sandbox import process
from support.servers import LocalServers

from .conftest import Scene

pytestmark = pytest.mark.sandbox

TESTS = Path(__file__).parents[2]


@pytest.fixture
def fresh() -> Iterator[str]:
    """Give a broker that no group has ever asked anything: its coordinators are loaded by the first question."""
    local = LocalServers()
    with process.guarded(local.folder):
        try:
            local.start("kafka")
            yield local.bootstrap
        finally:
            local.stop()


def test_an_unknown_group_stands_nowhere(scene: Scene) -> None:
    """It is no error, and it makes no group."""
    log = scene.open()
    log.create(f"some-{scene.run}")
    assert log.committed(f"unknown-{scene.run}") == {}
    assert scene.members(f"unknown-{scene.run}") == 0


def test_asking_while_coordinators_are_loaded_is_waited_for(fresh: str) -> None:
    """The admin client's question ended the process here with signal 11, or an error that would be over in a moment."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])}
    command = [sys.executable, "-m", "integration.kafka.unknown", fresh]
    asked = subprocess.run(command, cwd=TESTS, env=env, capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stdout) == (0, "True\n"), asked.stderr
