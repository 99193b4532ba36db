"""Holes: what is kept of a suspect after a look at the database, and how decisions about it travel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from figbridge.domain.change import Position
from figbridge.pipeline.collect import Suspect
from figbridge.ports import State

SUSPECTS = "suspects"
SPACE = "holes"
"""In the state: position of the suspect → member → what a decision came to, one member for each decision."""


class Found(msgspec.Struct, frozen=True):
    """A row that stands in the database and that the log never had, in Debezium's form: column → cell."""

    table: str
    cells: dict[str, Any]


class Named(msgspec.Struct, frozen=True):
    """A row by its key."""

    table: str
    key: list[Any]


class HoleDecision(msgspec.Struct, frozen=True):
    """What a check found, or that a person accepts: who, what, why, when (ISO 8601, for people).

    A check of many rows is several records; the last one settles the suspect.
    """

    action: Literal["hole-recover", "hole-accept"]
    source: str
    hole: str
    """Topic/partition@offset of the suspect transaction's END."""
    by: str
    reason: str
    at: str
    at_us: int = 0
    """When the database was read, by its own clock."""
    method: str = ""
    compared_to: int = 0
    """Offset in the source log: what the database was compared with ends before it."""
    rows: list[Found] = []
    gone: list[Named] = []
    """Rows that the log still has, and the database not."""
    last: bool = True
    case: str = ""
    """Why the suspect stays open for a person; empty when everything was found out."""


class HoleOutcome(msgspec.Struct, frozen=True):
    """What a decision came to. `state` is that of the suspect after it."""

    state: Literal["open", "case", "closed", "accepted"]
    by: str
    reason: str
    at: str
    method: str = ""
    recovered: int = 0
    """Rows that were taken in and whose aggregates' state was told."""
    named: list[Named] = []
    """Rows that were taken in and not told, or not taken in, because the log has a later change of them."""
    gone: list[Named] = []
    case: str = ""


read_outcome = msgspec.json.Decoder(HoleOutcome).decode


def suspects_of(state: State) -> Iterator[tuple[str, str, Suspect]]:
    """Yield source, member and suspect of every suspect that is not settled, oldest first within a source."""
    for source, member, value in state.scan(SUSPECTS):
        yield source, member, _suspect(value)


def open_cases(state: State) -> dict[str, str]:
    """Return position → why a person must decide, for the suspects whose newest decision left them a case."""
    newest: dict[str, HoleOutcome] = {}
    for position, _, value in state.scan(SPACE):
        newest[position] = read_outcome(value)
    return {position: outcome.case for position, outcome in newest.items() if outcome.state == "case"}


def _suspect(value: bytes) -> Suspect:
    found = msgspec.json.decode(value)
    found["position"] = Position(*found["position"])
    found["keys"] = tuple((table, tuple(key)) for table, key in found.get("keys", ()))
    return msgspec.convert(found, Suspect)


def members_at(offset: int, members: dict[str, bytes]) -> list[str]:
    """Return the members of a source's suspects that stand at an offset: a transaction may have several doubts."""
    return [member for member in members if member.startswith(f"{offset:020}.")]
