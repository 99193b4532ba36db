"""Fixtures of all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from support.rig import Rig

settings.register_profile("unhurried", deadline=None)  # a busy machine is no finding
settings.load_profile("unhurried")


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
