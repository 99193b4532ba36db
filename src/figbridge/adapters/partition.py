"""Where an outgoing record goes: the rule that every log without a broker of its own shares."""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

from figbridge.errors import Refused
from figbridge.ports import Outgoing, TopicPartition


def partition_of(record: Outgoing, topics: Mapping[str, int]) -> int:
    """Return the partition of a record: the one it names, else CRC-32 of its key modulo the topic's partitions.

    `topics` is topic → number of partitions. No key is partition 0, so that a replay chooses the same one.
    Raises Refused for a topic that does not exist or a partition that it does not have.

    >>> partition_of(Outgoing("orders", b"order-40", b"{}"), {"orders": 12})
    2
    """
    count = topics.get(record.topic)
    if count is None:
        raise _missing(record.topic)
    partition = record.partition
    if partition is None:
        # librdkafka's `consistent` partitioner: a key stays where it is when the log moves to Kafka.
        return crc32(record.key) % count if count > 1 and record.key is not None else 0
    if not 0 <= partition < count:
        raise _outside(TopicPartition(record.topic, partition), count)
    return partition


def require(place: TopicPartition, topics: Mapping[str, int]) -> None:
    """Raise Refused unless the topic exists and has the partition."""
    count = topics.get(place.topic)
    if count is None:
        raise _missing(place.topic)
    if not 0 <= place.partition < count:
        raise _outside(place, count)


def require_count(topic: str, existing: int | None, wanted: int) -> None:
    """Raise Refused unless a topic can have the wanted number of partitions; `existing` is None for a new topic."""
    if wanted < 1:
        raise Refused(f"topic {topic} needs at least one partition, not {wanted}", topic=topic, partitions=wanted)
    if existing is not None and existing != wanted:
        raise Refused(
            f"topic {topic} exists with {existing} partitions, not {wanted}",
            hint="another number would move keys to other partitions; use the number it has, or another topic",
            topic=topic,
            partitions=existing,
        )


def _missing(topic: str) -> Refused:
    """Return the error for a topic that does not exist."""
    return Refused(f"topic {topic} does not exist", hint="create it before anything is written to it", topic=topic)


def _outside(place: TopicPartition, count: int) -> Refused:
    return Refused(
        f"topic {place.topic} has {count} partitions and none with the number {place.partition}",
        topic=place.topic,
        partition=place.partition,
    )
