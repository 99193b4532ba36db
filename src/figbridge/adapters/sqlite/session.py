"""One member of a consumer group: what it polls and what it commits."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from figbridge.adapters.sqlite.file import LogFile
from figbridge.adapters.sqlite.records import insert, partitions_of, select
from figbridge.adapters.sqlite.state import SqliteState, apply
from figbridge.errors import Fenced
from figbridge.ports import Commit, Record, State, TopicPartition

_JOIN = """
    INSERT INTO consumers (name, generation) VALUES (?, 1)
    ON CONFLICT (name) DO UPDATE SET generation = generation + 1
    RETURNING grp_id, generation
"""
_GENERATION = "SELECT generation FROM consumers WHERE grp_id = ?"
_POSITION = "INSERT INTO positions VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next"
COMMITTED = """
    SELECT topic, partition, positions.next FROM positions JOIN partitions USING (tp_id)
    WHERE grp_id = (SELECT grp_id FROM consumers WHERE name = ?)
"""


class SqliteSession:
    """The newest member of a consumer group, as long as nobody joins after it, in this process or another."""

    def __init__(self, file: LogFile, group: str, topics: Sequence[str]) -> None:
        self._file = file
        self._group = group
        self._topics = tuple(topics)
        self._database = file.connect()
        with self._database.writing() as write:
            ((self._grp_id, self._generation),) = write.execute(_JOIN, (group,)).fetchall()
        self.state: State = SqliteState(self._database, group)
        self._last = 0
        self._next = self.committed()

    def poll(self, limit: int, timeout_s: float) -> list[Record]:
        """Return up to `limit` next records, in order within each partition; empty after `timeout_s` without any.
        Raises Fenced when another member has taken over, Unreachable when the file cannot be read."""
        deadline = monotonic() + timeout_s
        while True:
            seen = self._database.version()  # before looking: what is written after it ends the wait
            self._require_newest(self._database.rows(_GENERATION, (self._grp_id,)))
            records = self._take(limit)
            if records or monotonic() >= deadline:
                return records
            self._file.wait(self._database, seen, deadline)

    def assigned(self) -> frozenset[TopicPartition]:
        """Return the partitions this member holds now: all of its topics, none when it is fenced."""
        if self._database.rows(_GENERATION, (self._grp_id,)) != [(self._generation,)]:
            return frozenset()
        return frozenset(TopicPartition(t, p) for _, t, p, _ in partitions_of(self._database, self._topics))

    def committed(self) -> dict[TopicPartition, int]:
        """Return the group's committed positions (next offset to read)."""
        return {TopicPartition(t, p): offset for t, p, offset in self._database.rows(COMMITTED, (self._group,))}

    def rewind(self) -> None:
        """Go back to the committed positions: what was polled and not committed is polled again."""
        self._next = self.committed()

    def commit(self, commit: Commit) -> dict[TopicPartition, int]:
        """Make the commit durable and return, for each partition written to, the offset after its last record.
        Raises Fenced, Unreachable, or Refused for a place that does not exist, with nothing written."""
        catalogue = self._file.catalogue
        with self._database.writing() as write:
            self._require_newest(write.execute(_GENERATION, (self._grp_id,)).fetchall())
            ends = insert(catalogue, write, commit.records)
            ids = [(catalogue.required_id(place, write.execute), at) for place, at in commit.positions.items()]
            write.executemany(_POSITION, [(self._grp_id, tp_id, at) for tp_id, at in ids])
            apply(write, self._grp_id, commit.state)
        self._file.announce()
        return ends

    def close(self) -> None:
        """Leave the group; its positions and state stay."""
        self._file.disconnect(self._database)

    def _require_newest(self, generation: list[tuple[int]]) -> None:
        if generation != [(self._generation,)]:
            raise Fenced(
                f"another member has taken over group {self._group}",
                hint="stop this one: what it did not commit is void",
                group=self._group,
            )

    def _take(self, limit: int) -> list[Record]:
        held = partitions_of(self._database, self._topics)  # asked each time: a topic may be created after joining
        # The partition after the one that filled the last poll comes first: a busy one does not starve the others.
        held.sort(key=lambda row: (row[0] <= self._last, row[0]))
        taken: list[Record] = []
        for tp_id, topic, partition, end in held:
            place = TopicPartition(topic, partition)
            start = self._next.get(place, 0)
            if start >= end:
                continue
            part = select(self._database, tp_id, place, start, limit - len(taken))
            if part:
                taken += part
                self._next[place] = part[-1].offset + 1
            if len(taken) >= limit:
                self._last = tp_id
                break
        return taken
