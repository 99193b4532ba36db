"""Bring a copy of the state up to date with its changelog, and say how it goes."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka import TopicPartition as Place

from figbridge.adapters.kafka.cache import Cache
from figbridge.adapters.kafka.changelog import Mark, read
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.failures import passes, said, told_as
from figbridge.adapters.kafka.records import gathered
from figbridge.adapters.kafka.restoring import Restoring, Tell
from figbridge.adapters.kafka.topics import Topics
from figbridge.errors import Unreachable
from figbridge.ports import Entry, TopicPartition

_CHUNK: Final = 500
_WRITE: Final = 20_000
_WAIT_S: Final = 0.2


class Follower:
    """Read one changelog into one copy, from where the copy is to where the changelog ends."""

    def __init__(self, cluster: Cluster, topics: Topics, changelog: str, cache: Cache) -> None:
        self._cluster = cluster
        self._topics = topics
        self._place = TopicPartition(changelog, 0)
        self._cache = cache
        self._consumer: Consumer | None = None
        self._checked = False

    def catch_up(self, tell: Tell | None = None, alive: Callable[[], None] | None = None) -> Mark:
        """Read to the end and return the last mark. `alive` is called between chunks. Raises Unreachable."""
        end = self._topics.ends([self._place])[self._place]
        if not self._checked:
            topic_id = self._topics.pins([self._place.topic])[self._place.topic].id
            self._cache.begin(topic_id, end)
            self._checked = True
        start = self._cache.reached.next
        if start < end:
            with told_as(f"read {self._place.topic}"):
                self._read(start, end, tell, alive)
        return self._cache.reached.mark or Mark()

    def _read(self, start: int, end: int, tell: Tell | None, alive: Callable[[], None] | None) -> None:
        self._consumer = consumer = self._consumer or Consumer(
            # From the first record there is: what compaction has taken away need not be read.
            {**self._cluster.reader(), "auto.offset.reset": "earliest", "queued.min.messages": 100_000}
        )
        consumer.assign([Place(*self._place, start)])
        began = heard = monotonic()
        offset, entries, mark = start, list[Entry](), None
        done = 0
        while offset < end:
            messages = gathered(consumer, _CHUNK, _WAIT_S)
            if alive is not None:
                alive()
            if messages:
                heard = monotonic()
            elif monotonic() - heard > self._cluster.patience_s:
                raise Unreachable(f"{self._place.topic} does not answer", hint="check the brokers")
            for message in messages:
                if message.error() is not None:
                    offset = max(offset, _end_of(message))
                    continue
                found = read(message.key() or b"", message.value())
                if isinstance(found, Mark):
                    mark = found
                else:
                    entries.append(found)
                offset, done = int(message.offset() or 0) + 1, done + 1
            if len(entries) >= _WRITE:
                self._cache.apply(entries, offset, mark)
                entries.clear()
                if tell is not None:
                    tell(Restoring(self._place.topic, done, end - start, monotonic() - began))
        self._cache.apply(entries, offset, mark)
        consumer.unassign()
        if tell is not None:
            tell(Restoring(self._place.topic, done, done, monotonic() - began))

    def close(self) -> None:
        """Stop reading; the copy stays open."""
        if self._consumer is not None:
            self._consumer.close()


def _end_of(message: Message) -> int:
    """Return the offset that the end of the partition was met at. Raises what else the message reports."""
    error = message.error()
    if error is not None and error.code() == KafkaError._PARTITION_EOF:
        return int(message.offset() or 0)
    if error is not None and passes(error):
        return 0
    assert error is not None
    raise said(error, f"read {message.topic()}")
