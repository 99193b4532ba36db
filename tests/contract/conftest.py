"""The adapters that the suite runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from figbridge.adapters.memory import MemoryLog
from figbridge.adapters.sqlite import SqliteLog
from figbridge.ports import Log

from .harness import Harness
from .kafka import KafkaHarness


def memory_harness(_: Path) -> Harness:
    """Another handle on memory is the same object."""
    log = MemoryLog()
    return Harness(lambda: log)


def sqlite_harness(folder: Path) -> Harness:
    """Another handle on a file is another SqliteLog, with connections of its own."""
    return Harness(lambda: SqliteLog(folder / "log.db"))


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.sandbox)])
def make_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    """Run the test on each adapter, on a log of its own; everything is closed at the end."""
    harness: Harness
    match request.param:
        case "memory":
            harness = memory_harness(tmp_path)
        case "sqlite":
            harness = sqlite_harness(tmp_path)
        case _:
            harness = KafkaHarness(request.getfixturevalue("kafka"), tmp_path)
    yield harness
    harness.close()


@pytest.fixture
def log(make_log: Harness) -> Log:
    """Open one handle: most tests need no more."""
    return make_log.open()
