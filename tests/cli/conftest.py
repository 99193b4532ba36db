from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from figbridge.cli.main import run
from figbridge.settings import Settings

from .support import Said, feed, write_mappings

Figbridge = Callable[..., Said]


@pytest.fixture
def figbridge(capsys: pytest.CaptureFixture[str]) -> Figbridge:
    """Call a command in this process; the result is its exit code and what it printed where."""

    def call(*arguments: str | Path) -> Said:
        capsys.readouterr()
        code = run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return Said(int(code), out, err)

    return call


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("bridge")
    settings = Settings(mappings=write_mappings(folder), data=folder / "data")
    feed(settings, ["update-default", "one-log/transaction", "one-log/schema-change"])
    return settings


@pytest.fixture
def bridge(_made: Settings, tmp_path: Path) -> Settings:
    """Give a bridge that has worked: an order told, one key parked, one dead letter, one suspect. It may be changed."""
    data = tmp_path / "data"
    shutil.copytree(_made.data, data)
    return Settings(mappings=_made.mappings, data=data)
