"""Records into Kafka and out of it: the hot path. No callback per record, no clock, no copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

from confluent_kafka import Consumer, Message, Producer

from figbridge.adapters.kafka.delivered import Delivered
from figbridge.adapters.kafka.producer import put_patiently
from figbridge.adapters.partition import partition_of
from figbridge.ports import Headers, Outgoing, Record

_new = tuple.__new__  # Record(…) checks its arguments in Python: half as fast


def gathered(consumer: Consumer, limit: int, timeout_s: float) -> list[Message]:
    """Return up to `limit` messages that are there; when there are none, wait for the first and take what follows.

    `consume` alone would wait for as many as were asked for.
    """
    found: list[Message] = consumer.consume(limit, 0)
    if not found and timeout_s > 0:
        first = consumer.poll(timeout_s)
        found = [] if first is None else [first, *(consumer.consume(limit - 1, 0) if limit > 1 else ())]
    return found


def record_of(message: Message) -> Record:
    """Return a message without error as a record."""
    headers = message.headers()
    return _new(
        Record,
        (
            message.topic(),
            message.partition(),
            message.offset(),
            message.key(),
            message.value(),
            tuple(headers) if headers else (),
            message.timestamp()[1],
        ),
    )


def placed(records: Sequence[Outgoing], counts: Mapping[str, int]) -> list[int]:
    """Return the partition of each record: as adapters/partition.py says, which is librdkafka's `consistent`.

    Raises Refused for a topic or partition that does not exist.
    """
    return [
        crc32(record[1]) % counts[record[0]]
        if record[5] is None and record[1] is not None and record[0] in counts
        else partition_of(record, counts)
        for record in records
    ]


def put(
    producer: Producer, records: Sequence[Outgoing], partitions: Sequence[int], lists: dict[Headers, Any]
) -> Delivered:
    """Hand records to the producer; the ends are known once its transaction is committed."""
    delivered = Delivered()
    # By the last record of each partition: a later one overwrites an earlier one.
    last = {(record[0], partition): at for at, (record, partition) in enumerate(zip(records, partitions, strict=True))}
    reported = set(last.values())
    produce: Callable[..., None] = producer.produce
    for at, ((topic, key, value, headers, timestamp, _), partition) in enumerate(zip(records, partitions, strict=True)):
        listed = None
        if headers:
            listed = lists.get(headers)
            if listed is None:  # thousands in a row carry the same: a list is made once
                if len(lists) > 1_000:
                    lists.clear()
                listed = lists[headers] = list(headers)
        report = delivered if at in reported else None
        try:
            produce(topic, value, key, partition, report, None, timestamp, listed)
        except BufferError:
            put_patiently(producer, topic, value, key, partition, report, None, timestamp, listed)
    return delivered


def put_entries(
    producer: Producer, changelog: str, entries: Sequence[tuple[bytes, bytes | None]], marked: Delivered
) -> None:
    """Hand a commit's state to the producer; where its last record stands is known once it is committed."""
    produce: Callable[..., None] = producer.produce
    last = len(entries) - 1
    for at, (key, value) in enumerate(entries):
        report = marked if at == last else None
        try:
            produce(changelog, value, key, 0, report)
        except BufferError:
            put_patiently(producer, changelog, value, key, 0, report)
