"""List suspects, with what was found out about each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from figbridge.errors import Refused
from figbridge.operations.shares import state_of
from figbridge.pipeline.collect import Suspect
from figbridge.pipeline.holes import SPACE, HoleOutcome, read_outcome, suspects_of
from figbridge.ports import Log, State


@dataclass(frozen=True, slots=True)
class Hole:
    """One suspect transaction with all its doubts. `state` is open, case (a person must decide), closed or accepted."""

    position: str
    source: str
    state: str
    doubts: tuple[Suspect, ...]
    """Empty for one that is settled: what it was is in the log of the bridge."""
    outcomes: tuple[HoleOutcome, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the tables that may have lost rows; empty when nobody knows which."""
        if any(not suspect.tables for suspect in self.doubts):
            return ()
        return tuple(sorted({table for suspect in self.doubts for table in suspect.tables}))

    @property
    def case(self) -> str:
        """Return why a person must decide; empty when nobody must."""
        return self.outcomes[-1].case if self.state == "case" else ""


def list_holes(log: Log, group: str, *, settled: bool = False) -> list[Hole]:
    """Return the suspects that are not settled, oldest first; with `settled` those that are, too."""
    state = state_of(log, group)
    outcomes = _outcomes(state)
    doubts: dict[tuple[str, str], list[Suspect]] = {}
    for source, _, suspect in suspects_of(state):
        doubts.setdefault((source, str(suspect.position)), []).append(suspect)
    found = [
        Hole(at, source, _state(outcomes.get(at, ())), tuple(of), outcomes.get(at, ()))
        for (source, at), of in doubts.items()
    ]
    if settled:
        open_ones = {hole.position for hole in found}
        found += (Hole(at, _source(at), of[-1].state, (), of) for at, of in outcomes.items() if at not in open_ones)
    return found


def show_hole(log: Log, group: str, position: str) -> Hole:
    """Return one suspect, settled or not. Raises Refused for a position without one."""
    for hole in list_holes(log, group, settled=True):
        if hole.position == position:
            return hole
    raise Refused(f"there is no suspect at {position}", hint="figbridge holes list", code="HOL001")


def open_holes(log: Log, group: str, positions: Iterable[str]) -> list[Hole]:
    """Return the suspects at some positions, else all. Raises Refused for one that is not there or is settled."""
    wanted = list(positions)
    if not wanted:
        return list_holes(log, group)
    found = [show_hole(log, group, position) for position in wanted]
    for hole in found:
        if not hole.doubts:
            hint = f"figbridge holes show {hole.position}"
            raise Refused(f"the suspect at {hole.position} is {hole.state}", hint=hint, code="HOL002")
    return found


def _outcomes(state: State) -> dict[str, tuple[HoleOutcome, ...]]:
    found: dict[str, list[HoleOutcome]] = {}
    for position, _, value in state.scan(SPACE):
        found.setdefault(position, []).append(read_outcome(value))
    return {position: tuple(outcomes) for position, outcomes in found.items()}


def _state(outcomes: tuple[HoleOutcome, ...]) -> str:
    return "case" if outcomes and outcomes[-1].state == "case" else "open"


def _source(position: str) -> str:
    """Return the source of a source log's position: the part of the topic's name before `.log`."""
    return position.partition("/")[0].removesuffix(".log").rpartition(".")[2]


def recovered_before(log: Log, group: str, control: str) -> Iterator[bytes]:
    """Yield the bodies of what earlier checks sent: rows that the log does not have and the bridge does."""
    from figbridge.ports import TopicPartition

    del group
    for (topic, partition), end in sorted(log.ends([control]).items()):
        at = 0
        while at < end and (found := log.read(TopicPartition(topic, partition), at, 1000)):
            yield from (record.value for record in found if record.value is not None)
            at = found[-1].offset + 1
