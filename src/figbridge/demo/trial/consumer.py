"""A consumer as somebody else would write it: it knows Kafka and JSON, and nothing of figbridge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from figbridge.errors import Unreachable

_LOOK_S = 0.2
_ANSWER_S = 10.0


class Told(NamedTuple):
    """One event of a topic."""

    topic: str
    partition: int
    offset: int
    event: dict[str, Any]

    @property
    def subject(self) -> str:
        """Return whom it is about."""
        return str(self.event["subject"])

    @property
    def type(self) -> str:
        """Return what happened."""
        return str(self.event["type"])

    @property
    def happening(self) -> bool:
        """Say whether something happened; an event of a snapshot only states what is."""
        return not self.type.endswith("Known")

    @property
    def at(self) -> int:
        """Return the offset of the transaction's end in its source log."""
        return int(str(self.event["sourceposition"]).rpartition("@")[2])

    @property
    def commit(self) -> str:
        """Return the position at which the source committed, as the event's id names it."""
        return str(self.event["id"]).split(":")[1]


class Follower:
    """Read topics from their beginning and follow them; only what was committed is seen."""

    def __init__(self, servers: str, first: str) -> None:
        settings = {"bootstrap.servers": servers, "isolation.level": "read_committed", "log_level": 0}
        self._admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        self._consumer = Consumer({**settings, "group.id": f"look-{uuid4().hex}", "enable.auto.commit": False})
        self._first = first
        self._read: dict[tuple[str, int], int] = {}

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def topics(self) -> int:
        """Find the topics whose names begin as was said, and return how many there are. Raises Unreachable."""
        try:
            known = self._admin.list_topics(timeout=_ANSWER_S).topics
        except KafkaException as error:
            raise Unreachable("The brokers do not answer.", hint="figbridge sandbox status") from error
        found = {(name, p) for name, topic in known.items() if name.startswith(self._first) for p in topic.partitions}
        if found - set(self._read):
            self._read = {place: self._read.get(place, 0) for place in sorted(found)}
            self._consumer.assign([TopicPartition(*place, offset) for place, offset in self._read.items()])
        return len({name for name, _ in found})

    def look(self) -> Iterator[Told]:
        """Yield what has come since the last look; waits a moment when nothing has."""
        for message in self._consumer.consume(1000, _LOOK_S):
            error = message.error()
            if error is not None:
                if error.retriable():
                    continue
                raise Unreachable(f"The brokers say: {error.str()}.", hint="figbridge sandbox status")
            topic, partition, offset = str(message.topic()), int(message.partition() or 0), int(message.offset() or 0)
            self._read[topic, partition] = offset + 1
            yield Told(topic, partition, offset, json.loads(message.value() or b"null"))
