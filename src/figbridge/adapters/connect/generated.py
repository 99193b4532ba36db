"""From a capture to the configuration of a connector in Kafka Connect: a pure function; nothing is typed by hand.

What Debezium itself is told in either way of running it stands in adapters/debezium/config.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from figbridge.adapters.debezium import config as debezium
from figbridge.domain.connector import Capture, Kind

SIGNAL_COLUMNS: Final = ("id", "type", "data")
"""The columns of a signal table, in Debezium's order."""

_CONNECT: Final[Mapping[str, str]] = {
    "tasks.max": "1",  # Debezium has one task a connector; with more, validation does not complain and nothing changes
    # Refuses to start on workers without exactly.once.source.support: records could come twice.
    "exactly.once.support": "required",
    # A Kafka transaction per poll; PostgreSQL's connector refuses transactions of its own.
    "transaction.boundary": "poll",
    "errors.tolerance": "none",  # `all` acknowledges and skips what cannot be sent
}

_POSTGRES: Final[Mapping[str, str]] = {
    "slot.max.retries": "60",  # the slot of a worker that was killed stays in use until the server notices
    "slot.retry.delay.ms": "1000",
}

_MARIADB: Final[Mapping[str, str]] = {
    "time.precision.mode": "adaptive_time_microseconds",  # every digit; `adaptive` is refused
    # A column type that the parser does not know (INET4) in a table of no interest would stop the connector.
    "schema.history.internal.store.only.captured.tables.ddl": "true",
    "include.query": "false",  # a statement's text holds values of columns that are not read
}


def generated(capture: Capture) -> dict[str, str]:
    """Return the whole configuration of a connector, sorted by name. `more` never replaces what is generated here."""
    return dict(sorted({**capture.more, **own(capture)}.items()))


def refused(setting: str, capture: Capture) -> str:
    """Return why a file may not add a setting; empty when it may."""
    if setting in own(capture):
        return "it follows from the mappings and the document"
    return next((why for pattern, why in _REFUSED if re.match(pattern, setting)), "")


_REFUSED: Final = (
    (r"(transforms|predicates)(\.|$)", "the bridge needs the records as Debezium writes them"),
    (r"(key|value|header)\.converter", "the bridge reads plain JSON"),
    (r"(table|column|schema|database)\.(include|exclude)\.", "what is captured follows from the mappings"),
    (r"message\.key\.columns$", "a key outside the primary key is invented when a row is deleted"),
    (r"unavailable\.value\.placeholder$", "the bridge knows a missing value by Debezium's own mark"),
    (r"(topic\.creation|topic\.naming|signal|notification|schema\.history)\.", "topics follow from the source's name"),
    (r"errors\.", "what cannot be sent must stop the connector"),
)


def own(capture: Capture) -> dict[str, str]:
    """Return the settings that are generated, without those a file adds."""
    kind = _postgres(capture) if capture.kind is Kind.POSTGRES else _mariadb(capture)
    return {
        "name": capture.connector,
        "connector.class": debezium.CLASSES[capture.kind.value],
        "database.hostname": capture.host,
        "database.port": str(capture.port),
        "database.user": capture.user,
        "database.password": capture.password,
        "topic.prefix": capture.name,
        **debezium.tables(capture.tables),
        **_columns(capture),
        "snapshot.mode": capture.snapshot,
        **debezium.SHAPE,
        **debezium.route(capture.log.name, but=capture.notifications.name),
        **_CONNECT,
        "heartbeat.interval.ms": str(capture.heartbeat_ms),
        # Else two connectors of one worker whose sources have one name collide, and the later one waits two minutes.
        "custom.metric.tags": f"connector={capture.connector}",
        **_topic(capture),
        **_signals(capture),
        **kind,
    }


def _postgres(capture: Capture) -> dict[str, str]:
    tls = {"database.sslmode": capture.tls} if capture.tls else {}
    authority = {"database.sslrootcert": capture.tls_ca} if capture.tls_ca else {}
    return {
        "database.dbname": capture.database,
        **debezium.POSTGRES,
        **_POSTGRES,
        "slot.name": capture.slot,
        "publication.name": capture.publication,
        **debezium.identities(capture.full_identity),
        **tls,
        **authority,
    }


def _mariadb(capture: Capture) -> dict[str, str]:
    databases = dict.fromkeys(table.partition(".")[0] for table in (*capture.tables, *_signal_table(capture)))
    tls = {"database.ssl.mode": capture.tls.replace("-", "_")} if capture.tls else {}
    authority = {"database.ssl.truststore": capture.tls_ca} if capture.tls_ca else {}
    assert capture.history is not None, "a MariaDB source has a topic for its schemas"
    return {
        "database.server.id": str(capture.server_id),
        "database.include.list": ",".join(debezium.literal(name) for name in databases),
        **_MARIADB,
        "schema.history.internal.kafka.topic": capture.history.name,
        "schema.history.internal.kafka.bootstrap.servers": capture.kafka,
        **_client(capture, "schema.history.internal.producer.", "schema.history.internal.consumer."),
        **tls,
        **authority,
    }


def _columns(capture: Capture) -> dict[str, str]:
    """Name the columns that are read: what no mapping reads does not leave the database's log. The signal table must
    be among them, or Debezium cannot read its own marks."""
    if not capture.columns:
        return {}
    named = {table: capture.columns.get(table) for table in capture.tables}
    named |= dict.fromkeys(_signal_table(capture), SIGNAL_COLUMNS)
    parts = [
        rf"{debezium.literal(table)}\.({'|'.join(debezium.literal(c) for c in columns)})"
        if columns
        else rf"{debezium.literal(table)}\..*"
        for table, columns in named.items()
    ]
    return {"column.include.list": ",".join(parts)}


def _topic(capture: Capture) -> dict[str, str]:
    """Say how Connect would make the log if somebody deleted it: never as the broker's defaults are."""
    settings = {f"topic.creation.default.{name}": value for name, value in capture.log.settings.items()}
    return {
        "topic.creation.default.partitions": str(capture.log.partitions),
        "topic.creation.default.replication.factor": str(capture.log.replicas),
        **settings,
    }


def _signals(capture: Capture) -> dict[str, str]:
    """Signals come through Kafka. With a signal table the connector marks its snapshots there; without one it reads
    the database's own position and writes nothing."""
    table = _signal_table(capture)
    way = {"signal.data.collection": table[0]} if table else {"read.only": "true"}
    return {
        **way,
        "signal.enabled.channels": "source,kafka" if table else "kafka",
        "signal.kafka.topic": capture.signals.name,
        "signal.kafka.bootstrap.servers": capture.kafka,
        "signal.kafka.groupId": f"{capture.connector}-signals",  # the default is one group for every connector
        "signal.poll.interval.ms": "1000",  # 5 s by default: a person waits for it
        **_client(capture, "signal.consumer."),
        # What Debezium says about its snapshots. It is no part of what the database said, so not for the log.
        "notification.enabled.channels": "sink",
        "notification.sink.topic.name": capture.notifications.name,
    }


def _signal_table(capture: Capture) -> tuple[str, ...]:
    return (capture.signal_table,) if capture.signal_table else ()


def _client(capture: Capture, *prefixes: str) -> dict[str, str]:
    return {f"{prefix}{name}": value for prefix in prefixes for name, value in capture.kafka_client.items()}
