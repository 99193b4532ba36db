"""Being in a consumer group: which partitions are ours, and the proof of it that each commit carries.

The member's consumer reads nothing. Its partitions are paused, and each session reads with a consumer of its own: so
a partition can be restored, read again or given up without touching the others, and nothing that was fetched for
an old owner is ever in the way (docs/adr/0018).
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.failures import error_of, passes, said, told_as
from figbridge.errors import Fenced
from figbridge.ports import TopicPartition

_QUIET: Final = frozenset(
    {
        KafkaError._PARTITION_EOF,
        KafkaError._MAX_POLL_EXCEEDED,  # the group was left; the next poll joins it again
        KafkaError._AUTO_OFFSET_RESET,  # of a partition that this consumer does not read
    }
)

_REMEMBERED: Final = 20
"""So many of the newest troubles with brokers are looked at together."""


class Membership:
    """Be a member of a group over some topics. Must be served more often than `max.poll.interval.ms`."""

    def __init__(self, cluster: Cluster, group: str, topics: Sequence[str]) -> None:
        self.group = group
        self._held: dict[TopicPartition, int] = {}
        self._turns = 0
        self._failed: Fenced | None = None
        self._closed = False
        self._heartbeat_s = cluster.member(group)["heartbeat.interval.ms"] / 1_000
        self._timeout_s = cluster.patience_s
        self._told: list[KafkaError] = []
        self._consumer = Consumer({**cluster.member(group), "error_cb": self._told.append})
        with told_as(f"join group {group}"):
            self._consumer.subscribe(
                list(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
            )

    def serve(self, timeout_s: float = 0.0) -> None:
        """Take part in the group: send and hear what is due. Raises Fenced when another instance has this name."""
        if self._failed is None and not self._closed:
            message = self._consumer.poll(timeout_s)
            error = message.error() if message is not None else None
            if error is not None:
                self._heard(error)
            self._not_let_in()
        if self._failed is not None:
            raise self._failed

    def held(self) -> dict[TopicPartition, int]:
        """Return the partitions that are ours, each with the number of its turn: another number, another turn."""
        return dict(self._held) if self._failed is None and not self._closed else {}

    def settle(self) -> None:
        """Wait until the group has had time to tell a member that was away that it is one no longer."""
        deadline = monotonic() + 2 * self._heartbeat_s
        while (left := deadline - monotonic()) > 0:
            self.serve(min(left, 0.1))

    def proof(self) -> Any:
        """Return what a transaction shows the group's coordinator: who we are, in which generation."""
        return self._consumer.consumer_group_metadata()

    def committed(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the group's committed positions; waits for transactions that are being ended."""
        with told_as(f"read the positions of group {self.group}"):
            found = self._consumer.committed([Place(*p) for p in places], timeout=self._timeout_s) if places else []
        for each in found:
            if each.error is not None:
                raise said(each.error, f"read the positions of group {self.group}")
        return {TopicPartition(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

    def close(self) -> None:
        """Leave the group; an instance with a name stays in it for the session's timeout, for its successor."""
        if not self._closed:
            self._closed = True
            self._held.clear()
            # librdkafka 2.16 spins for ever when a member is closed that was fenced with an assignment it had not yet
            # heard of. So whatever waits is heard first.
            while self._consumer.poll(0) is not None:
                pass
            self._consumer.close()

    def _not_let_in(self) -> None:
        """Raise Refused when no broker is left and the reason is a certificate or the account: librdkafka would try
        for ever, and the group would look quiet. Brokers that are only away are waited for."""
        told, down = self._told, {KafkaError._ALL_BROKERS_DOWN}
        if down <= {error.code() for error in told}:
            why = next((e for e in told if e.code() in (KafkaError._SSL, KafkaError._AUTHENTICATION)), None)
            if why is not None:
                raise said(why, f"be in group {self.group}")
        del told[:-_REMEMBERED]

    def _heard(self, error: KafkaError) -> None:
        if error.code() in (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID) or error.fatal():
            self._held.clear()
            self._failed = Fenced(
                f"another member has taken over group {self.group}",
                hint="stop this one: what it did not commit is void",
                group=self.group,
                kafka=error.name(),
            )
        elif error.code() not in _QUIET and not passes(error):
            raise said(error, f"be in group {self.group}")

    def _assigned(self, consumer: Consumer, places: list[Place]) -> None:
        self._turns += 1
        self._held.update({TopicPartition(p.topic, p.partition): self._turns for p in places})
        try:
            consumer.incremental_assign([Place(p.topic, p.partition, OFFSET_END) for p in places])
            if places:
                consumer.pause([Place(p.topic, p.partition) for p in places])
        except KafkaException as exception:
            # Fenced between the assignment and this call. An assignment that is never answered makes close() spin.
            consumer.unassign()
            self._heard(error_of(exception))

    def _revoked(self, _: Consumer, places: list[Place]) -> None:
        # No transaction is open here: a session opens and ends it within one call, and this is called between two.
        for place in places:
            self._held.pop(TopicPartition(place.topic, place.partition), None)
