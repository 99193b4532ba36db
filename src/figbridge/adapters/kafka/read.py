"""Read a partition without any group: what is there now, and no waiting for more."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import Final

from confluent_kafka import Consumer, KafkaError
from confluent_kafka import TopicPartition as Place

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.failures import passes, said, told_as
from figbridge.adapters.kafka.records import gathered, record_of
from figbridge.adapters.kafka.topics import Topics
from figbridge.errors import Unreachable
from figbridge.ports import Record, TopicPartition

_CHUNK: Final = 500
_WAIT_S: Final = 0.2
_CLOSE_S: Final = 1.0
"""How long a close waits for whoever asks at that moment."""


class Reader:
    """Read any partition. Safe between threads: they take turns."""

    def __init__(self, cluster: Cluster, topics: Topics) -> None:
        self._cluster = cluster
        self._topics = topics
        self._lock = Lock()
        self._consumers: dict[str, Consumer] = {}
        """By topic: one that goes on to another topic first waits for most of a second."""

    def read(self, place: TopicPartition, offset: int, limit: int) -> list[Record]:
        """Return up to `limit` records from an offset on; none for a place that does not exist."""
        if not 0 <= place.partition < self._topics.need([place.topic]).get(place.topic, 0):
            return []
        end = self._topics.ends([place])[place]
        start = max(offset, self._topics.starts([place])[place])
        if start >= end or limit < 1:
            return []
        with self._lock, told_as(f"read {place.topic}/{place.partition}"):
            return self._read(place, start, end, limit)

    def _read(self, place: TopicPartition, start: int, end: int, limit: int) -> list[Record]:
        if place.topic not in self._consumers:
            self._consumers[place.topic] = Consumer(self._cluster.reader())
        consumer = self._consumers[place.topic]
        consumer.assign([Place(*place, start)])
        found: list[Record] = []
        deadline = monotonic() + self._cluster.patience_s
        offset = start
        while offset < end and len(found) < limit:
            messages = gathered(consumer, min(_CHUNK, limit - len(found)), _WAIT_S)
            if messages:
                deadline = monotonic() + self._cluster.patience_s
            elif monotonic() > deadline:
                raise Unreachable(f"{place.topic}/{place.partition} does not answer", hint="check the brokers")
            for message in messages:
                error = message.error()
                if error is None:
                    found.append(record_of(message))
                elif error.code() != KafkaError._PARTITION_EOF and not passes(error):
                    raise said(error, f"read {place.topic}/{place.partition}")
                if error is None or error.code() == KafkaError._PARTITION_EOF:
                    offset = max(offset, int(message.offset() or 0) + (error is None))
        consumer.unassign()
        # What was committed after the end was looked up may have come as well; it is as true.
        return found

    def close(self) -> None:
        """Close the consumers. Whoever waits in another thread for brokers that are gone keeps theirs: nobody
        waits for them here."""
        close_idle(self._lock, self._consumers)


def close_idle(lock: Lock, consumers: dict[str, Consumer]) -> None:
    """Close consumers that a lock guards, unless somebody uses them for longer than a close may wait."""
    if lock.acquire(timeout=_CLOSE_S):
        try:
            while consumers:
                consumers.popitem()[1].close()
        finally:
            lock.release()
