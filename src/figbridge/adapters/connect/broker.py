"""The topics around a connector: made, checked, and read for progress."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import tenacity
from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
    OffsetSpec,
)

from figbridge.adapters.kafka.failures import MOVING
from figbridge.adapters.kafka.greet import admin, greet
from figbridge.domain.connector import LiveTopic, Topic
from figbridge.errors import FigbridgeError, Refused, Unreachable
from figbridge.ports import Seen

_WAIT_S: Final = 15.0
_BATCH: Final = 2000
_FETCH_S: Final = 0.2
_MOVING: Final = MOVING - {KafkaError.UNKNOWN_TOPIC_OR_PART}  # a topic that is not there is an answer here
_DENIED: Final = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)


class KafkaBroker:
    """Reach a Kafka cluster with these client settings. Raises Unreachable, or Refused with the broker's own words."""

    def __init__(self, client: Mapping[str, str]) -> None:
        self._client = {"client.id": "figbridge-connectors", **client}
        self._servers = client.get("bootstrap.servers", "")
        self._again = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_passes),
            wait=tenacity.wait_fixed(0.2),
            stop=tenacity.stop_after_delay(_WAIT_S),
            reraise=True,
        )
        self._admin = admin({**self._client, "logger": _Silent})
        self._met = False

    def look(self, names: Iterable[str]) -> dict[str, LiveTopic]:
        """Return the topics that exist, by name."""
        wanted = set(names)
        with self._said("list topics"):
            there = self._admin.list_topics(timeout=_WAIT_S).topics
            found = {name: there[name] for name in sorted(wanted) if name in there and there[name].error is None}
            resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in found]
            configs = self._admin.describe_configs(resources, request_timeout=_WAIT_S) if resources else {}
            settings = {resource.name: _set(future.result(_WAIT_S)) for resource, future in configs.items()}
        copies = {name: [len(p.replicas) for p in topic.partitions.values()] for name, topic in found.items()}
        return {name: LiveTopic(name, len(copies[name]), min(copies[name]), settings[name]) for name in found}

    def create(self, topic: Topic) -> None:
        """Create a topic."""
        new = NewTopic(topic.name, topic.partitions, topic.replicas, config=dict(topic.settings))
        with self._said(f"create {topic.name}"):
            for future in self._admin.create_topics([new], request_timeout=_WAIT_S).values():
                future.result(_WAIT_S)

    def alter(self, topic: str, settings: Mapping[str, str]) -> None:
        """Set these settings of a topic, and leave the others."""
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in settings.items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        with self._said(f"change {topic}"):
            for future in self._admin.incremental_alter_configs([resource], request_timeout=_WAIT_S).values():
                future.result(_WAIT_S)

    def end(self, topic: str) -> int:
        """Return the offset after the last committed record of a topic's partition 0; 0 without the topic."""
        with self._said(f"read {topic}"):
            try:
                return self._again(self._end, topic)
            except KafkaException:
                # librdkafka has several errors for a topic that is not there, and the same ones for other troubles.
                if topic in self.look([topic]):
                    raise
                return 0

    def _end(self, topic: str) -> int:
        place, latest = TopicPartition(topic, 0), OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = self._admin.list_offsets(
            {place: latest}, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_WAIT_S
        )
        return int(asked[place].result(_WAIT_S).offset)

    def send(self, topic: str, key: str, value: bytes) -> None:
        """Append one record to partition 0 of a topic and wait until it is durable."""
        failures: list[KafkaError] = []
        with self._said(f"write to {topic}"):
            producer = Producer(
                {**self._client, "acks": "all", "enable.idempotence": True, "message.timeout.ms": int(_WAIT_S * 1000)},
                logger=_Silent,
            )

            def delivered(error: KafkaError | None, _: object) -> None:
                if error is not None:
                    failures.append(error)

            producer.produce(topic, key=key, value=value, partition=0, on_delivery=delivered)
            left = producer.flush(_WAIT_S + 1)
            if failures or left:
                raise KafkaException(failures[0] if failures else KafkaError(KafkaError._MSG_TIMED_OUT))

    def read(self, topic: str, offset: int) -> tuple[int, tuple[bytes, ...]]:
        """Return the values in partition 0 of a topic from an offset to its end, and the offset to read on from."""
        values: list[bytes] = []
        reached = self._each(topic, offset, values.append)
        return reached, tuple(values)

    def snapshot_rows(self, topic: str, offset: int, table: str) -> Seen:
        """Count what a source log says of a table from an offset to its end."""
        found: Counter[str] = Counter()
        name = named(table)

        def count(value: bytes) -> None:
            if name in value:
                found[what_of(value, table)] += 1

        return Seen(self._each(topic, offset, count), found["row"], found["change"])

    def _each(self, topic: str, offset: int, take: Callable[[bytes], None]) -> int:
        """Give every value from an offset to the end; return the offset to read on from."""
        end = self.end(topic)
        if offset >= end:
            return offset
        with self._said(f"read {topic}"), self._consumer() as consumer:
            consumer.assign([TopicPartition(topic, 0, offset)])
            while offset < end:
                messages = consumer.consume(_BATCH, _FETCH_S)
                for message in messages:
                    error, value = message.error(), message.value()
                    if error is not None and error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
                    offset = message.offset() + (error is None)
                    if error is None and value is not None:
                        take(value)
                if any(m.error() is not None for m in messages):
                    break  # the end: what is left before it are markers of transactions
        return max(offset, end)

    @contextmanager
    def _consumer(self) -> Iterator[Any]:
        consumer = Consumer(
            {
                **self._client,
                "group.id": f"figbridge-look-{uuid.uuid4()}",  # never committed: no group comes into being
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
                "auto.offset.reset": "error",
            },
            logger=_Silent,
        )
        try:
            yield consumer
        finally:
            consumer.close()

    @contextmanager
    def _said(self, what: str) -> Iterator[None]:
        if not self._met:
            greet(self._client, _WAIT_S, "CON030")
            self._met = True
        try:
            yield
        except KafkaException as error:
            raise self._failure(error.args[0], what) from None
        except (TimeoutError, ValueError) as error:
            raise Unreachable(f"Kafka at {self._servers} cannot be used: {error}", hint=_HINT, code="CON030") from None

    def _failure(self, error: KafkaError, what: str) -> FigbridgeError:
        if error.code() in _DENIED:
            return Refused(
                f"Kafka refuses to {what}: {error.str()}",
                hint="ask for the rights in docs/connectors.md",
                code="CON031",
            )
        if error.code() < 0 or error.retriable():
            return Unreachable(f"Kafka at {self._servers} does not answer: {error.str()}", hint=_HINT, code="CON030")
        return Refused(f"Kafka refuses to {what}: {error.str()}", hint="the broker's log says more", code="CON031")


_HINT: Final = "check kafka.servers in the settings, and that a broker runs"


def _passes(error: BaseException) -> bool:
    """Say whether an error passes by itself: a topic that was made a moment ago, or a leader that moves."""
    return isinstance(error, KafkaException) and error.args[0].code() in _MOVING


def _set(entries: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings in force that decide what a log keeps, and those that somebody set for the topic."""
    return {
        name: entry.value
        for name, entry in entries.items()
        if name in ("cleanup.policy", "retention.ms", "retention.bytes")
        or entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    }


def named(table: str) -> bytes:
    """Return what a record of a table holds as Connect's converter writes it: only such a record is worth decoding."""
    return f'"table":{json.dumps(table.rpartition(".")[2], ensure_ascii=False)}'.encode()


def what_of(value: bytes, table: str) -> str:
    """Return `row` for a row of an incremental snapshot of this table, `change` for a change, else nothing."""
    try:
        found = json.loads(value)
        source, op = found["source"], found["op"]
        if f"{source.get('schema') or source['db']}.{source['table']}" != table:
            return ""
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    if op == "r":
        return "row" if source.get("snapshot") == "incremental" else ""
    return "change" if op in ("c", "u", "d") else ""


class _SilentLogger:
    """Swallow librdkafka's own lines: an error is told once, by the call that met it."""

    def log(self, *_: object) -> None:
        """Take a line and drop it."""


_Silent: Final[Any] = _SilentLogger()
