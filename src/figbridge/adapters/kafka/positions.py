"""Where a group stands, asked from outside it.

Not with the admin client: its ListConsumerGroupOffsets ends the process with a segmentation fault when the answer is
that another broker, or not yet any, has the group (librdkafka issue 5040; seen with 2.16 right after a broker's start).
"""

from __future__ import annotations

from threading import Lock
from time import monotonic, sleep
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.failures import error_of, passes, said
from figbridge.adapters.kafka.read import close_idle
from figbridge.adapters.kafka.topics import Topics
from figbridge.ports import TopicPartition

_AGAIN_S: Final = 0.05


class Positions:
    """Ask for groups' positions with consumers that never join them. Safe between threads: they take turns."""

    def __init__(self, cluster: Cluster, topics: Topics) -> None:
        self._cluster = cluster
        self._topics = topics
        self._lock = Lock()
        self._consumers: dict[str, Consumer] = {}

    def of(self, group: str) -> dict[TopicPartition, int]:
        """Return a group's committed positions, those of finished transactions only. Raises Unreachable or Refused."""
        places = [Place(topic, p) for topic, count in self._topics.refresh().items() for p in range(count)]
        with self._lock:
            found = self._ask(group, places) if places else []
        for each in found:
            if each.error is not None and each.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:  # gone this moment
                raise said(each.error, f"read the positions of group {group}")
        return {TopicPartition(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

    def _ask(self, group: str, places: list[Place]) -> list[Place]:
        if group not in self._consumers:
            self._consumers[group] = Consumer(self._cluster.asker(group))
        deadline = monotonic() + self._cluster.patience_s
        while True:
            try:
                return self._consumers[group].committed(places, timeout=max(_AGAIN_S, deadline - monotonic()))
            except KafkaException as exception:
                error = error_of(exception)
                if not passes(error) or monotonic() > deadline:
                    raise said(error, f"read the positions of group {group}") from exception
            sleep(_AGAIN_S)

    def close(self) -> None:
        """Close the consumers; no group notices. Whoever waits in another thread for brokers keeps theirs."""
        close_idle(self._lock, self._consumers)
