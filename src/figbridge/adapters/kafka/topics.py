"""The topics of a cluster: make them, count them, tell them apart from others of the same name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import NewTopic

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.failures import error_of, said, told_as
from figbridge.adapters.kafka.greet import admin
from figbridge.adapters.kafka.offsets import Offsets
from figbridge.adapters.partition import require_count
from figbridge.errors import Refused, Unreachable

_ANY_TIME: Final = {"message.timestamp.after.max.ms": str(2**63 - 1)}
"""Events carry the time of the source's commit. Brokers refuse a time that is an hour ahead of theirs, unless told."""

COMPACTED: Final = {
    "cleanup.policy": "compact",
    "delete.retention.ms": str(24 * 3600 * 1000),
    "min.cleanable.dirty.ratio": "0.3",
    "segment.bytes": str(128 * 2**20),
}
"""How a changelog is kept: the last word on each entry, and for a day that it was removed."""


class Pin(NamedTuple):
    """What makes a topic the one it was: its id, and the number of its partitions."""

    id: str
    partitions: int


class Topics(Offsets):
    """Ask a cluster about its topics. `counts` remembers the partitions of those that were seen."""

    def __init__(self, cluster: Cluster) -> None:
        self.counts: dict[str, int] = {}
        self._cluster = cluster
        super().__init__(admin(cluster.client()), cluster.patience_s)

    def refresh(self) -> dict[str, int]:
        """Look which topics there are, and return topic → number of partitions; Kafka's own are left out."""
        with told_as("list topics"):
            found = self._admin.list_topics(timeout=self._timeout_s).topics
        self.counts = {t: len(m.partitions) for t, m in found.items() if m.error is None and not t.startswith("__")}
        return dict(self.counts)

    def need(self, topics: Iterable[str]) -> Mapping[str, int]:
        """Return the counts, after a look at the cluster when one of these topics is not among them."""
        if not self.counts.keys() >= set(topics):
            self.refresh()
        return self.counts

    def create(self, topic: str, partitions: int, config: Mapping[str, str]) -> None:
        """Create a topic; do nothing when it exists with as many partitions; raises Refused when with others."""
        require_count(topic, self.refresh().get(topic), partitions)
        if topic in self.counts:
            return
        new = NewTopic(topic, partitions, self._cluster.replication, config={**_ANY_TIME, **config})
        try:
            self._admin.create_topics([new])[topic].result(self._timeout_s)
        except KafkaException as exception:
            error = error_of(exception)
            if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:  # else another process was as quick
                raise said(error, f"create topic {topic}") from exception
        deadline = monotonic() + self._timeout_s
        while topic not in self.refresh():
            if monotonic() > deadline:
                raise Unreachable(f"topic {topic} was created and is not there", hint="check the brokers", topic=topic)
        require_count(topic, self.counts[topic], partitions)

    def pins(self, topics: Iterable[str]) -> dict[str, Pin]:
        """Return what makes each of these topics the one it is now. Raises Refused for one that does not exist."""
        wanted = list(topics)
        if not wanted:
            return {}
        found = {}
        for topic, future in self._admin.describe_topics(TopicCollection(wanted)).items():
            try:
                described = future.result(self._timeout_s)
            except KafkaException as exception:
                error = error_of(exception)
                if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise Refused(
                        f"topic {topic} does not exist", hint="create it before the bridge runs", topic=topic
                    ) from None
                raise said(error, f"describe topic {topic}") from exception
            found[topic] = Pin(str(described.topic_id), len(described.partitions))
        return found
