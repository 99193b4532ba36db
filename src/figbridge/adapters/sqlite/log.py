"""The embedded log: topics, records, groups and state in one SQLite file that several processes may share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

from figbridge.adapters.partition import require_count
from figbridge.adapters.sole import SoleLog
from figbridge.adapters.sqlite.database import Durability
from figbridge.adapters.sqlite.file import LogFile
from figbridge.adapters.sqlite.records import insert, partitions_of, select
from figbridge.adapters.sqlite.session import COMMITTED, SqliteSession
from figbridge.adapters.sqlite.state import SqliteState
from figbridge.ports import Outgoing, Record, State, TopicPartition


class SqliteLog(SoleLog):
    """Open the log in the file `path`, and make it if there is none; its folder must exist.

    Everything raises Unreachable when the file cannot be used, or stays locked for `patience_s` seconds.
    """

    # Durability is FULL by default because of what stands before the log: once a record is appended, Debezium tells
    # the source that it is safe, and the source forgets it. A power cut must not take back such a record; NORMAL
    # would lose the last ones. It costs one fsync per commit, so little for a batch of a thousand.
    def __init__(
        self, path: str | PathLike[str], *, durability: Durability = Durability.FULL, patience_s: float = 30.0
    ) -> None:
        self._file = LogFile(Path(path).absolute(), durability, patience_s)
        try:
            self._writer = self._file.connect()
            self._reader = self._file.connect()  # its own: reading never waits for an append
        except BaseException:
            self._file.close()
            raise

    def create(self, topic: str, partitions: int = 1) -> None:
        """Create a topic; do nothing when it exists with as many partitions; raises Refused when with others."""
        with self._writer.writing() as write:
            self._file.catalogue.learn(write.execute)
            existing = self._file.catalogue.counts.get(topic)
            require_count(topic, existing, partitions)
            if existing is None:
                insert_partition = "INSERT INTO partitions (topic, partition) VALUES (?, ?)"
                write.executemany(insert_partition, ((topic, number) for number in range(partitions)))
        self._file.announce()

    def topics(self) -> dict[str, int]:
        """Return topic → number of partitions."""
        return dict(self._reader.rows("SELECT topic, count(*) FROM partitions GROUP BY topic"))

    def ends(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """Return the offset after the last record of each partition of the topics that exist."""
        rows = partitions_of(self._reader, topics)
        return {TopicPartition(topic, partition): end for _, topic, partition, end in rows}

    def append(self, records: Sequence[Outgoing]) -> None:
        """Append records outside any group, all of them or none. Raises Refused for a topic that does not exist."""
        with self._writer.writing() as write:
            insert(self._file.catalogue, write, records)
        self._file.announce()

    def read(self, place: TopicPartition, offset: int, limit: int) -> list[Record]:
        """Return up to `limit` records from an offset on, without any group; none for a place that does not exist."""
        tp_id = self._file.catalogue.id_of(place, self._reader.rows)
        return [] if tp_id is None else select(self._reader, tp_id, place, offset, limit)

    def state(self, group: str) -> State:
        """Return a read-only view of a group's committed state, without joining the group."""
        return SqliteState(self._reader, group)

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return a group's committed positions (next offset to read), without joining the group."""
        return {TopicPartition(t, p): offset for t, p, offset in self._reader.rows(COMMITTED, (group,))}

    def session(self, group: str, topics: Sequence[str]) -> SqliteSession:
        """Join a consumer group, and fence the member before. Without committed positions it starts at 0."""
        return SqliteSession(self._file, group, topics)

    def close(self) -> None:
        """Close the file, and the sessions that are still open."""
        self._file.close()
