"""How a restore goes, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Restoring:
    """How far a restore is: records of the changelog read, how many there are at most, and since when."""

    changelog: str
    done: int
    total: int
    seconds: float


Tell = Callable[[Restoring], None]
"""Called now and then while a state is restored, and once at its end."""
