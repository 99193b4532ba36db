"""The topics of a cluster: make them, count them, tell them apart from others of the same name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import monotonic, sleep
from typing import Final, NamedTuple

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.failures import error_of, said, told_as
from figbridge.adapters.partition import require_count
from figbridge.errors import Refused, Unreachable
from figbridge.ports import TopicPartition

_SETTLE_S: Final = 2.0
"""How long the end of a log may lie behind an open transaction before that transaction is not waited for."""
_AGAIN_S: Final = 0.05
_MOVING: Final = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError._TRANSPORT,
    }
)
"""What the admin client gives up on and a moment later is true no more."""

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


class Topics:
    """Ask a cluster about its topics. `counts` remembers the partitions of those that were seen."""

    def __init__(self, cluster: Cluster) -> None:
        self.counts: dict[str, int] = {}
        self._cluster = cluster
        self._timeout_s = cluster.patience_s
        self._admin = AdminClient(cluster.client())

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
        new = NewTopic(topic, partitions, self._cluster.replication, config=dict(config))
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

    def ends(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset after the last record that may be read of each partition, transactions' marks included.

        A commit that was answered may become visible a moment later, so what is open is waited for, but not for long.
        """
        wanted = list(places)
        written = self._ends(wanted, IsolationLevel.READ_UNCOMMITTED)
        deadline = monotonic() + _SETTLE_S
        while True:
            stable = self._ends(wanted, IsolationLevel.READ_COMMITTED)
            if all(stable[place] >= written[place] for place in wanted) or monotonic() > deadline:
                return stable

    def starts(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset of the first record that each partition still has."""
        return self._offsets(list(places), OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED)

    def _ends(self, places: list[TopicPartition], isolation: IsolationLevel) -> dict[TopicPartition, int]:
        return self._offsets(places, OffsetSpec.latest(), isolation)

    def _offsets(
        self, places: list[TopicPartition], spec: OffsetSpec, isolation: IsolationLevel
    ) -> dict[TopicPartition, int]:
        if not places:
            return {}
        asked = {Place(*place): spec for place in places}
        deadline = monotonic() + self._timeout_s
        while True:
            try:
                answers = self._admin.list_offsets(asked, isolation_level=isolation, request_timeout=self._timeout_s)
                return {
                    TopicPartition(p.topic, p.partition): f.result(self._timeout_s).offset for p, f in answers.items()
                }
            except KafkaException as exception:
                error = error_of(exception)
                if error.code() not in _MOVING or monotonic() > deadline:
                    raise said(error, "ask where topics end") from exception
            sleep(_AGAIN_S)  # a partition is just made, or has just changed its leader

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return a group's committed positions, those of finished transactions only."""
        from confluent_kafka import ConsumerGroupTopicPartitions

        asked = [ConsumerGroupTopicPartitions(group)]
        with told_as(f"read the positions of group {group}"):
            answer = self._admin.list_consumer_group_offsets(asked, require_stable=True)[group].result(self._timeout_s)
        found = answer.topic_partitions or ()
        return {TopicPartition(p.topic, p.partition): p.offset for p in found if p.offset >= 0}
