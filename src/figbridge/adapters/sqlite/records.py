"""Records into the file and out of it: the hot path."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from json import dumps
from time import time_ns
from typing import Any, Final, TypeAlias

from figbridge.adapters.partition import partition_of, require
from figbridge.adapters.sqlite.database import Database
from figbridge.adapters.sqlite.headers import packed, unpacked
from figbridge.ports import Outgoing, Record, TopicPartition

_INSERT: Final = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)"
_SELECT: Final = """
    SELECT offset, key, value, headers, timestamp FROM records WHERE tp_id = ? AND offset >= ? ORDER BY offset LIMIT ?
"""
_PARTITIONS: Final = """
    SELECT tp_id, topic, partition, next FROM partitions WHERE topic IN (SELECT value FROM json_each(?))
"""

_Run: TypeAlias = Callable[[str], Iterable[Any]]


class Catalogue:
    """Remember which topics the file has. None is ever removed or resized, so what was seen stays true."""

    def __init__(self) -> None:
        self.ids: dict[tuple[str, int], int] = {}
        self.counts: dict[str, int] = {}

    def learn(self, run: _Run) -> None:
        """Read all topics; `run` executes a statement and gives its rows."""
        ids = {(t, p): i for i, t, p in run("SELECT tp_id, topic, partition FROM partitions")}
        counts: dict[str, int] = {}
        for topic, _ in ids:
            counts[topic] = counts.get(topic, 0) + 1
        # Ids first: a thread that finds a topic in `counts` finds its partitions in `ids`.
        self.ids.update(ids)
        self.counts.update(counts)

    def id_of(self, place: TopicPartition, run: _Run) -> int | None:
        """Return the id of a partition; None when it does not exist."""
        if place not in self.ids:
            self.learn(run)
        return self.ids.get(place)

    def required_id(self, place: TopicPartition, run: _Run) -> int:
        """Return the id of a partition. Raises Refused when it does not exist."""
        tp_id = self.id_of(place, run)
        if tp_id is None:
            require(place, self.counts)
        return self.ids[place]


def insert(catalogue: Catalogue, write: sqlite3.Connection, records: Sequence[Outgoing]) -> dict[TopicPartition, int]:
    """Append within the caller's transaction; return the next offset of each partition written to.

    Raises Refused for a topic or partition that does not exist; the caller's transaction ends with it.
    """
    if any(topic not in catalogue.counts for topic in {record.topic for record in records}):
        catalogue.learn(write.execute)
    counts, ids = catalogue.counts, catalogue.ids
    ends: dict[tuple[str, int], int] = {}
    rows = []
    now = time_ns() // 1_000_000
    for record in records:
        topic, key, value, headers, timestamp, _ = record
        place = (topic, partition_of(record, counts))
        offset = ends.get(place)
        if offset is None:
            ((offset,),) = write.execute("SELECT next FROM partitions WHERE tp_id = ?", (ids[place],))
        rows.append((ids[place], offset, key, value, packed(headers), timestamp or now))
        ends[place] = offset + 1
    write.executemany(_INSERT, rows)
    write.executemany("UPDATE partitions SET next = ? WHERE tp_id = ?", [(end, ids[p]) for p, end in ends.items()])
    return {TopicPartition(*place): end for place, end in ends.items()}


def partitions_of(database: Database, topics: Iterable[str]) -> list[tuple[int, str, int, int]]:
    """Return id, topic, partition and next offset of each partition of the topics that exist."""
    return database.rows(_PARTITIONS, (dumps(list(topics)),))


def select(database: Database, tp_id: int, place: TopicPartition, offset: int, limit: int) -> list[Record]:
    """Return up to `limit` records of one partition from an offset on."""
    topic, partition = place
    new = tuple.__new__  # Record(…) checks its arguments in Python: half as fast
    return [
        new(Record, (topic, partition, at, key, value, unpacked(headers) if headers else (), timestamp))
        for at, key, value, headers, timestamp in database.rows(_SELECT, (tp_id, offset, limit))
    ]
