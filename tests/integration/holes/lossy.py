"""A real Debezium over a real PostgreSQL, and a log between it and the bridge that loses chosen records on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from figbridge import bootstrap
from figbridge.adapters.legacy.postgres import PostgresRows
from figbridge.adapters.memory import MemoryLog
from figbridge.operations.holes.check import Checked, Scene, check
from figbridge.operations.holes.look import list_holes
from figbridge.ports import Outgoing, Passed, Record, TopicPartition
from integration.engine.harness import Source, until
from support.rig import GROUP, TOPICS, Rig

Drop = Callable[[list[Record]], list[Record]]
"""Take the rows of one transaction; return those that are sent."""


@dataclass
class Lossy:
    """Copies the source's log into the bridge's, transaction by transaction; `drop` decides what gets lost."""

    source: Source
    mapping: str
    drop: Drop = lambda rows: rows
    runs: int = 0
    rig: Rig = field(init=False)
    _at: int = 0

    def __post_init__(self) -> None:
        self.rig = Rig(self.mapping, log=MemoryLog())

    def pump(self) -> None:
        """Copy what is there, and let the bridge process it."""
        place = TopicPartition(self.source.config.topic, 0)
        found = self.source.log.read(place, self._at, 1_000_000)
        self._at += len(found)
        batch: list[Outgoing] = []
        rows: list[Record] = []
        for record in found:
            value = json.loads(record.value or b"{}")
            if value.get("transaction") is not None:
                rows.append(record)
                continue
            if value.get("status") == "END":
                kept = self.drop(rows)
                batch += (self._restarted(r, i >= len(kept) // 2 and len(kept) < len(rows)) for i, r in enumerate(kept))
                batch.append(self._counted(record, value, len(kept)))
                rows = []
                continue
            batch.append(_sent(record))
        self.rig.write(batch)

    def _restarted(self, record: Record, again: bool) -> Outgoing:
        """Give the rows behind the loss another run, as a restart does."""
        headers = tuple((n, b"after the restart" if again and n.endswith("runId") else v) for n, v in record.headers)
        return _sent(record)._replace(headers=headers)

    def _counted(self, record: Record, value: dict[str, Any], count: int) -> Outgoing:
        """Let END count what was sent, as Debezium does: the loss is not in it (verified)."""
        return _sent(record)._replace(value=json.dumps({**value, "event_count": count}, separators=(",", ":")).encode())

    def until_told(self, tx: int) -> None:
        """Wait until the source's log has a transaction, and let the bridge process it."""
        self.source.until_ended(tx)
        self.pump()

    def check(self) -> list[Checked]:
        """Check every suspect on the live database."""
        scene = Scene(self.rig.log, GROUP, TOPICS, self.rig.plan, self.rig.edge, _Pumping(self), patience_s=30)
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


class _Pumping(PostgresRows):
    """The database; while somebody waits for its mark, the log is copied."""

    def __init__(self, lossy: Lossy) -> None:
        super().__init__(lossy.source.config.dsn)
        object.__setattr__(self, "lossy", lossy)

    def mark(self) -> Passed:
        """Write the mark, and copy the log until it has it."""
        passed = super().mark()
        lossy: Lossy = self.lossy  # type: ignore[attr-defined]
        topic = TopicPartition(lossy.source.config.topic, 0)

        def came() -> bool:
            lossy.pump()
            end = lossy.rig.log.ends([topic.topic])[topic]
            return any(passed(record) for record in lossy.rig.log.read(topic, 0, end))

        until(came, "the mark in the log")
        return passed


def _sent(record: Record) -> Outgoing:
    return Outgoing(record.topic, record.key, record.value, record.headers, record.timestamp, 0)


def history(lossy: Lossy) -> Any:
    """Return the function that reads the bridge's log again."""
    return bootstrap.history(lossy.rig.log)
