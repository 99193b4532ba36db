"""What librdkafka is told: where the brokers are, and the settings that exactly-once and speed depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from logging import Logger
from typing import Any, Final

from figbridge.errors import ConfigurationError, Finding, Place

PASSED_ON: Final = ("security.", "sasl.", "ssl.", "enable.ssl.", "broker.address.", "client.")
"""First parts of the settings that are passed on to librdkafka as they are; all others are decided here."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Say where a Kafka cluster is and how this process takes part in it.

    `instance` names the process for good (group.instance.id): a new process of the same name takes over at once from
    the old one, which is fenced; without it a process that died is missed after `session_timeout_ms`.
    """

    servers: str
    security: Mapping[str, str] = field(default_factory=dict, repr=False)
    instance: str = ""
    replication: int = -1
    """Replicas of topics that are created; -1 leaves it to the brokers."""
    session_timeout_ms: int = 10_000
    max_poll_interval_ms: int = 120_000
    """How long a batch may take before its member counts as dead."""
    transaction_timeout_ms: int = 30_000
    """How long a transaction that nobody ends hides what comes after it."""
    socket_timeout_ms: int = 10_000
    refresh_ms: int = 10_000
    """How often topics are looked at: for new ones, and whether those in use are still the same."""
    patience_s: float = 60.0
    """How long a broker that does not answer is waited for."""

    def __post_init__(self) -> None:
        wrong = sorted(name for name in self.security if not name.startswith(PASSED_ON))
        if wrong:
            hint = f"only settings that begin with {', '.join(PASSED_ON)} are passed on"
            raise ConfigurationError(
                Finding(Place("kafka.security"), "SET020", f"{name} is not a security setting", hint) for name in wrong
            )

    def client(self) -> dict[str, Any]:
        """Return what every client is told."""
        return {
            "client.id": "figbridge",
            **self.security,
            "bootstrap.servers": self.servers,
            "socket.timeout.ms": self.socket_timeout_ms,
            "socket.keepalive.enable": True,
            "reconnect.backoff.max.ms": 2_000,
            "topic.metadata.refresh.interval.ms": self.refresh_ms,
            # Its own lines would stand among the log's, many a second while brokers are away. What they say is said
            # by the errors of the calls that fail (failures.py, greet.py).
            "log_level": 0,
        }

    def member(self, group: str) -> dict[str, Any]:
        """Return the settings of the consumer that is in the group. It reads nothing: see membership.py."""
        static = {"group.instance.id": self.instance} if self.instance else {}
        return {
            **self.client(),
            **static,
            "group.id": group,
            "partition.assignment.strategy": "cooperative-sticky",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "session.timeout.ms": self.session_timeout_ms,
            "heartbeat.interval.ms": max(200, min(3_000, self.session_timeout_ms // 10)),
            "max.poll.interval.ms": self.max_poll_interval_ms,
            "allow.auto.create.topics": False,
            "queued.max.messages.kbytes": 1_024,
        }

    def asker(self, group: str) -> dict[str, Any]:
        """Return the settings of a consumer that asks where a group stands, and is never in it.

        Only with this isolation do the brokers make it wait for transactions that may still move the positions.
        """
        return {**self.client(), "group.id": group, "enable.auto.commit": False, "isolation.level": "read_committed"}

    def reader(self) -> dict[str, Any]:
        """Return the settings of a consumer that reads partitions it was told, from offsets it was told."""
        return {
            **self.client(),
            "group.id": "figbridge-reader",  # librdkafka asks for one; it is never joined and nothing is committed
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "check.crcs": True,
            "allow.auto.create.topics": False,
            # One answer gathers for 20 ms at low rates: a record that comes in its own answer costs twenty times as
            # much. At high rates a megabyte is there at once.
            "fetch.min.bytes": 1_000_000,
            "fetch.wait.max.ms": 20,
            "fetch.queue.backoff.ms": 10,
            "queued.min.messages": 20_000,
            "queued.max.messages.kbytes": 65_536,
        }

    def producer(self, transactional_id: str, logger: Logger) -> dict[str, Any]:
        """Return the settings of a transactional producer."""
        return {
            **self.client(),
            "transactional.id": transactional_id,
            "transaction.timeout.ms": self.transaction_timeout_ms,
            "message.timeout.ms": max(1_000, self.transaction_timeout_ms - 1_000),
            "partitioner": "consistent",
            "linger.ms": 5,
            "batch.size": 1_000_000,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 200_000,
            "queue.buffering.max.kbytes": 262_144,
            "allow.auto.create.topics": False,
            "log_level": 6,
            "logger": logger,
        }
