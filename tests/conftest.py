"""Fixtures of all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.rig import Rig


@pytest.fixture(scope="session")
def kafka_servers() -> str:
    """Return where a real broker listens."""
    import os

    return os.environ["FIGBRIDGE_TEST_KAFKA"]


@pytest.fixture
def rig() -> Iterator[Callable[..., Rig]]:
    """Make bridges in memory; at the end of the test both ledgers of each must balance."""
    from support.rig import Rig

    made: list[Rig] = []

    def make(*mappings: str, **options: Any) -> Rig:
        made.append(Rig(*mappings, **options))
        return made[-1]

    yield make
    for each in made:
        each.check()
