"""Read partitions from offsets that were told, fairly: a busy partition does not starve the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka import TopicPartition as Place

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.failures import passes, said, told_as
from figbridge.adapters.kafka.records import gathered, record_of
from figbridge.ports import Record, TopicPartition

_CHUNK: Final = 500
"""How many messages one call takes. Of 5,000 the first are out of the processor's cache when the last are decoded."""

_AHEAD: Final = 10_000
"""How many records of several partitions are held, so that those behind a busy partition's are found."""


class Fetch:
    """Read some partitions. Everything raises Unreachable or Refused."""

    def __init__(self, cluster: Cluster) -> None:
        self._consumer = Consumer(cluster.reader())
        self._waiting: dict[tuple[str, int], deque[Record]] = {}
        self._last: tuple[str, int] | None = None

    def start(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets on, and forget what was read and not taken."""
        self._waiting = {(topic, partition): deque() for topic, partition in positions}
        with told_as("read"):
            self._consumer.assign([Place(*place, offset) for place, offset in positions.items()])

    def take(self, limit: int, timeout_s: float) -> list[Record]:
        """Return up to `limit` next records, in order within each partition; waits when there are none."""
        waiting = self._waiting
        if len(waiting) == 1:
            return self._converted(gathered(self._consumer, min(limit, _CHUNK), timeout_s))
        held = sum(map(len, waiting.values()))
        if held < max(limit, _AHEAD):  # also when there is enough: behind these may be another partition's
            for record in self._converted(gathered(self._consumer, _CHUNK, 0.0 if held else timeout_s)):
                waiting[record.topic, record.partition].append(record)
        return self._shared_out(limit)

    def _shared_out(self, limit: int) -> list[Record]:
        """Take from each partition in turn; the next call begins after the one that filled this one."""
        places = list(self._waiting)
        turn = places.index(self._last) + 1 if self._last in places else 0
        taken: list[Record] = []
        for place in (*places[turn:], *places[:turn]):
            records = self._waiting[place]
            if len(records) <= limit - len(taken):
                taken += records
                records.clear()
            else:
                taken += [records.popleft() for _ in range(limit - len(taken))]
            if len(taken) >= limit:
                self._last = place
                break
        return taken

    def _converted(self, messages: list[Message]) -> list[Record]:
        return [record_of(m) for m in messages if m.error() is None or _passing(m)]

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()


def _passing(message: Message) -> bool:
    """Return False for a report that is no record and needs nothing. Raises what the others report."""
    error = message.error()
    assert error is not None
    if error.code() == KafkaError._PARTITION_EOF or passes(error):
        return False
    raise said(error, f"read {message.topic()}/{message.partition()}")
