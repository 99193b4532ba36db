"""Where records came to stand, told by one delivery report a partition instead of one a record."""

from __future__ import annotations

from confluent_kafka import Message

from figbridge.ports import TopicPartition


class Delivered:
    """Learn the offset after the last record of each partition, from one delivery report a partition."""

    def __init__(self) -> None:
        self.ends: dict[TopicPartition, int] = {}

    def __call__(self, error: object, message: Message) -> None:
        """Take one report; it is the client that calls."""
        if error is None:
            place = TopicPartition(str(message.topic()), int(message.partition() or 0))
            self.ends[place] = int(message.offset() or 0) + 1
