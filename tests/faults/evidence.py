"""What the file of the embedded log holds, read with sqlite3 and json alone: no code of figbridge judges itself here.

Every question opens the file and closes it again, so that nobody else holds it when the bridge is killed: the next
bridge must recover it by itself.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple


class Said(NamedTuple):
    """One record of a topic that the bridge writes."""

    topic: str
    partition: int
    offset: int
    key: str
    event: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.event["type"])

    @property
    def subject(self) -> str:
        return str(self.event["subject"])

    @property
    def source(self) -> str:
        return str(self.event["source"])

    @property
    def commit(self) -> str:
        """The position at which the source committed, as the event's id names it."""
        return str(self.event["id"]).split(":")[1]

    @property
    def at(self) -> tuple[str, int]:
        """The source log and the offset of the transaction's END in it."""
        place, _, offset = str(self.event["sourceposition"]).rpartition("@")
        return place.removesuffix("/0"), int(offset)

    @property
    def happening(self) -> bool:
        """Whether something happened; a snapshot's event only states what is."""
        return not self.type.endswith("Known")


class Evidence:
    """Ask the file of a log."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query; none while there is no file with tables yet."""
        if not self.file.exists():
            return []
        try:
            with closing(sqlite3.connect(f"{self.file.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
                return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise

    def end(self, topics: str) -> int:
        """Return how many records the topics have whose names are like this."""
        return sum(end for (end,) in self.ask("SELECT next FROM partitions WHERE topic LIKE ?", topics))

    def said(self, topics: str) -> list[Said]:
        """Return the records of topics, each partition in its order."""
        rows = self.ask(
            "SELECT topic, partition, offset, key, value FROM records JOIN partitions USING (tp_id)"
            " WHERE topic LIKE ? ORDER BY topic, partition, offset",
            topics,
        )
        return [Said(t, p, o, k.decode(), json.loads(v)) for t, p, o, k, v in rows]

    def domain(self) -> list[Said]:
        """Return the domain topics."""
        return self.said("figbridge.domain.%")

    def has_said(self, kind: str, subject: str) -> bool:
        """Say whether an event of a type is among the newest on the domain topics for a subject."""
        rows = self.ask(
            "SELECT value FROM partitions p JOIN records r ON r.tp_id = p.tp_id AND r.offset >= p.next - 200"
            " WHERE topic LIKE 'figbridge.domain.%' AND key = ?",
            subject.encode(),
        )
        return any(json.loads(value)["type"] == kind for (value,) in rows)

    def streams(self, sources: int) -> bool:
        """Say whether every source's snapshot is complete: its point is in the log from then on."""
        points = self.ask("SELECT 1 FROM partitions WHERE topic LIKE 'figbridge.%.offsets' AND next > 0")
        return len(points) == sources

    def state(self, space: str) -> list[tuple[str, str, bytes]]:
        """Return (group, member, value) of what the bridge remembers in a space."""
        return self.ask("SELECT grp, member, value FROM state WHERE space = ? ORDER BY grp, member", space)

    def positions(self) -> dict[str, int]:
        """Return the next offset that the bridge reads, for each topic."""
        return dict(self.ask("SELECT topic, positions.next FROM positions JOIN partitions USING (tp_id)"))
