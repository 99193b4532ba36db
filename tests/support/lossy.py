"""A monolith whose connector loses rows, and its database to ask: the tables that the monolith really has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from figbridge.operations.holes.check import Checked, Scene, accept, check
from figbridge.operations.holes.look import Hole, list_holes, open_holes
from figbridge.ports import Outgoing, Record
from support.monolith import EPOCH_MS, Monolith, Step
from support.rig import GROUP, TOPICS, Rig

NOW_US = 2_000_000_000_000_000


@dataclass
class Passing:
    """Say that the log has everything from a record on; True and False stand for any record and none."""

    offset: int | bool
    looks_back: bool = False

    def __call__(self, record: Record) -> bool:
        return self.offset if isinstance(self.offset, bool) else record.offset >= self.offset


class Rows:
    """Read the monolith's tables. `committed` is tx → the rows whose newest version it wrote; None keeps no times."""

    def __init__(self, bridge: Rig, committed: dict[int, set[tuple[str, tuple[Any, ...]]]] | None = None) -> None:
        self.bridge = bridge
        self.committed = committed
        self.read: list[str] = []
        self.after: Callable[[], None] = lambda: None
        """What happens in the monolith after it was read, before it writes the mark."""

    def commit_time(self, tx: str) -> int | None:
        return None if self.committed is None or int(tx) not in self.committed else (EPOCH_MS + int(tx)) * 1000

    def now(self) -> int:
        return NOW_US

    def committed_at(self, table: str, columns: Sequence[str], at_us: int) -> Iterator[dict[str, Any]]:
        self.read.append("committed_at")
        assert self.committed is not None
        for place in sorted(self.committed[at_us // 1000 - EPOCH_MS]):
            if place[0] == table.removeprefix("shop."):
                yield self._cells(place, columns)

    def every(self, table: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        self.read.append("every")
        for place in list(self.bridge.monolith.rows):
            if place[0] == table.removeprefix("shop."):
                yield self._cells(place, columns)

    def by_key(
        self, table: str, columns: Sequence[str], key: Sequence[str], keys: Sequence[Sequence[Any]]
    ) -> Iterator[dict[str, Any]]:
        self.read.append("by_key")
        for each in keys:
            place = (table.removeprefix("shop."), tuple(each))
            if place in self.bridge.monolith.rows:
                yield self._cells(place, columns)

    def estimate(self, table: str) -> int | None:
        return None

    def mark(self) -> Passing:
        self.after()
        end = self.bridge.ends()[self.bridge.monolith.topic, 0]  # type: ignore[index]
        self.bridge.write([self.bridge.monolith.heartbeat()])
        return Passing(end)

    def _cells(self, place: tuple[str, tuple[Any, ...]], columns: Sequence[str]) -> dict[str, Any]:
        row = self.bridge.monolith.rows[place]
        return {column: row[column] for column in columns}


def rows_of(records: Sequence[Outgoing]) -> list[Outgoing]:
    """Return the rows among the records of a transaction, without BEGIN, tombstones and END."""
    return [r for r in records[1:-1] if r.value is not None]


def lose(
    bridge: Rig, *steps: Step, lost: Sequence[int], restart: int | None = None, announced: int | None = None
) -> int:
    """Commit steps in the monolith, and write to the log all but the lost records; returns the transaction's number.

    With `restart` the connector's run changes at that record. END announces what was sent, as Debezium does, or
    `announced` records.
    """
    monolith: Monolith = bridge.monolith
    begin, *written = monolith.begin(*steps)
    sent = [r for r in written if r.value is not None]
    kept = [record for i, record in enumerate(sent) if i not in lost]
    if restart is not None:
        run = monolith.run = monolith.run + "+"
        kept = [r._replace(headers=(*r.headers[:-1], (r.headers[-1][0], run.encode()))) if i >= restart else r
                for i, r in enumerate(kept)]  # fmt: skip
    bridge.write([begin, *kept, monolith.end(len(kept) if announced is None else announced)])
    return monolith.tx


def checked(bridge: Rig, database: Rows, position: str | None = None) -> list[Checked]:
    """Check every suspect, or one, and let the bridge take in what was found."""
    scene = Scene(bridge.log, GROUP, TOPICS, bridge.plan, bridge.edge, database, patience_s=5)
    wanted = open_holes(bridge.log, GROUP, [] if position is None else [position])
    found = [check(scene, hole, by="ann", reason="seen", at="2026-11-21") for hole in wanted]
    bridge.drain()
    return found


def accepted(bridge: Rig, hole: Hole) -> None:
    """Accept a suspect, and let the bridge carry it out."""
    accept(bridge.log, TOPICS, hole, by="ann", reason="told by hand", at="2026-11-21")
    bridge.drain()


def open_ones(bridge: Rig) -> list[tuple[str, str]]:
    """Return state and case of every suspect that is not settled."""
    return [(hole.state, hole.case) for hole in list_holes(bridge.log, GROUP)]
