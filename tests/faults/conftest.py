"""A stage for kills: two databases outside the bridge, the monolith and a service that write to them, a consumer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from integration.conftest import database as database
from integration.conftest import new_database as new_database
from integration.conftest import postgres_server as postgres_server

from .scene import Scene

_lines = pytest.StashKey[list[str]]()


@pytest.fixture
def dice() -> Random:
    """The random moments of a test; the same again with the same FIGBRIDGE_FAULTS_SEED."""
    return Random(os.environ.get("FIGBRIDGE_FAULTS_SEED", "1"))


@pytest.fixture
def scene(new_database: Callable[[], str], tmp_path: Path, dice: Random) -> Iterator[Scene]:
    """The shop and the delivery service with their tables, and a bridge that is not started yet."""
    shutil.copytree(Path(__file__).parents[2] / "mappings", tmp_path / "mappings")
    with Scene(tmp_path, new_database(), new_database(), dice) as made:
        yield made


@pytest.fixture
def summary(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Give a line to the end of the run's output."""
    lines = request.config.stash.setdefault(_lines, [])

    def add(line: str) -> None:
        seed = os.environ.get("FIGBRIDGE_FAULTS_SEED", "1")
        lines.append(f"{request.node.name}: {line} (seed {seed}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC)")

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the kills came to."""
    lines = terminalreporter.config.stash.get(_lines, [])
    if lines:
        terminalreporter.section("kills")
        for line in lines:
            terminalreporter.write_line(line)
