"""A real Debezium over a real PostgreSQL, and a log between it and the bridge that loses chosen records on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from figbridge.adapters.memory import MemoryLog
from figbridge.operations.holes.check import Checked, Scene, check
from figbridge.operations.holes.look import list_holes
from figbridge.ports import Outgoing, Passed, Record, RowReader, TopicPartition
from integration.engine.harness import until
from support.lossy import Passing
from support.rig import GROUP, TOPICS, Rig

Drop = Callable[[list[Record]], list[Record]]
"""Take the rows of one transaction; return those that are sent."""


@dataclass
class Lossy:
    """Copies what a connector says into the bridge's log, transaction by transaction; `drop` decides what gets lost.

    `feed` gives what has come since it was asked last, from offset 0 of the topic.
    """

    feed: Callable[[], list[Record]]
    mapping: str
    drop: Drop = lambda rows: rows
    restarts: Callable[[list[Record], int], bool] = lambda rows, i: False
    """Say whether a row that is sent came after a restart, though none was lost."""
    rig: Rig = field(init=False)

    def __post_init__(self) -> None:
        self.rig = Rig(self.mapping, log=MemoryLog())

    def pump(self) -> None:
        """Copy what is there, and let the bridge process it."""
        batch: list[Outgoing] = []
        rows: list[Record] = []
        for record in self.feed():
            value = json.loads(record.value or b"{}")
            if value.get("transaction") is not None:
                rows.append(record)
            elif value.get("status") == "END":
                kept = self.drop(rows)
                behind = [len(kept) < len(rows) and i >= len(kept) // 2 for i in range(len(kept))]
                batch += (_restarted(r, behind[i] or self.restarts(kept, i)) for i, r in enumerate(kept))
                batch.append(_counted(record, value, len(kept)))
                rows = []
            else:
                batch.append(_sent(record))
        self.rig.write(batch)

    def check(self, database: RowReader) -> list[Checked]:
        """Check every suspect on the live database."""
        reader = _Pumping(database, self)
        scene = Scene(self.rig.log, GROUP, TOPICS, self.rig.plan, self.rig.edge, reader, patience_s=30)  # type: ignore[arg-type]
        found = [check(scene, h, by="ann", reason="seen", at="2026-11-21") for h in list_holes(self.rig.log, GROUP)]
        self.rig.drain()
        return found

    def known(self) -> dict[str, dict[str, Any]]:
        """Return what the topics say of each aggregate: its newest state, happenings applied in their order."""
        found: dict[str, dict[str, Any]] = {}
        for said in self.rig.events():
            if said.type == "Gone":
                found.pop(said.subject, None)
            else:
                found.setdefault(said.subject, {}).update(said.data)
        return found


class _Pumping:
    """The database; while somebody waits for its mark, the log is copied."""

    def __init__(self, database: RowReader, lossy: Lossy) -> None:
        self._database, self._lossy = database, lossy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def mark(self) -> Passed:
        """Write the mark, and copy the log until it has it."""
        log, topic = self._lossy.rig.log, TopicPartition(TOPICS.log("legacy"), 0)
        end = log.ends([topic.topic])[topic]
        passed = self._database.mark()

        def at() -> Record | None:
            self._lossy.pump()
            return next((record for record in log.read(topic, 0, 1_000_000) if passed(record)), None)

        found = until(at, "the mark in the log")
        return Passing(found.offset, looks_back=found.offset < end)


def _restarted(record: Record, again: bool) -> Outgoing:
    """Give a row behind the restart another run."""
    headers = tuple((n, b"after the restart" if again and n.endswith("runId") else v) for n, v in record.headers)
    return _sent(record)._replace(headers=headers)


def _counted(record: Record, value: dict[str, Any], count: int) -> Outgoing:
    """Let END count what was sent, as Debezium does on PostgreSQL: the loss is not in it (verified)."""
    return _sent(record)._replace(value=json.dumps({**value, "event_count": count}, separators=(",", ":")).encode())


def _sent(record: Record) -> Outgoing:
    return Outgoing(TOPICS.log("legacy"), record.key, record.value, record.headers, record.timestamp, 0)
