"""Facts and the cells that authority is held for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

ALL: Final = "all"
"""The scope that is a fact's whole key space."""

LEGACY: Final = "legacy"
"""The name of the monolith among the systems."""


class Cell(NamedTuple):
    """A fact in one scope of its key space: what authority is held for."""

    fact: str
    scope: str = ALL

    def __str__(self) -> str:
        return self.fact if self.scope == ALL else f"{self.fact}[{self.scope}]"


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """A copy of a fact that some system keeps: what for, and how stale it may be."""

    system: str
    purpose: str
    staleness: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A named group of attributes that is owned as one, as declared in mappings/facts.yaml.

    `successor` may speak in shadow before it owns the fact; it is None for a fact that stays.
    """

    name: str
    record: str
    authority: str
    successor: str | None
    rule: str
    consumers: tuple[str, ...] = ()
    copies: tuple[LocalCopy, ...] = ()
