"""A real MariaDB, and what Debezium in Kafka Connect writes of it to a topic."""

from __future__ import annotations

import time
from contextlib import contextmanager
from itertools import count
from threading import Event
from typing import TYPE_CHECKING, Any

import pymysql
import requests
from confluent_kafka import Consumer, TopicPartition

from figbridge.adapters.debezium import config
from figbridge.adapters.legacy.mariadb import MariaRows
from figbridge.ports import Record
from support.rig import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.servers import Servers

PATIENCE_S = 90.0
_numbers = count(1)


class Maria:
    """One database of its own with a connector over it."""

    def __init__(self, servers: Servers, tables: list[str], *statements: str) -> None:
        self.servers, self.at = servers, servers.mariadb
        self.name = f"holes{next(_numbers)}"
        self.tables = [f"{self.name}.{table}" for table in tables]
        self.sql(f"CREATE DATABASE {self.name}", f"USE {self.name}", *statements)
        self.rows = MariaRows(self.at.host, self.at.port, self.at.user, self.at.password)
        self._create()
        self._consumer = Consumer(
            {"bootstrap.servers": servers.bootstrap, "group.id": self.name, "isolation.level": "read_committed"}
        )
        self._consumer.assign([TopicPartition(self.topic, 0, 0)])
        self._offset = 0

    @property
    def topic(self) -> str:
        return f"seen.{self.name}"

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """Give a cursor in a transaction that is committed at the end."""
        words = {"host": self.at.host, "port": self.at.port, "user": self.at.user, "password": self.at.password}
        with pymysql.connect(**words) as connection, connection.cursor() as cursor:  # type: ignore[call-overload]
            yield cursor
            connection.commit()

    def sql(self, *statements: str) -> None:
        """Run statements, committed together where the database can."""
        with self.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def records(self) -> list[Record]:
        """Return what the topic has more than before, as records of the legacy log."""
        found: list[Record] = []
        while (message := self._consumer.poll(0.3)) is not None:
            assert message.error() is None, message.error()
            headers = tuple((name, value) for name, value in message.headers() or ())
            place = TOPICS.log("legacy"), 0, self._offset
            found.append(Record(*place, message.key(), message.value(), headers, message.timestamp()[1]))
            self._offset += 1
        return found

    def until(self, enough: Any) -> list[Record]:
        """Return what comes until it is enough."""
        deadline, found, pause = time.monotonic() + PATIENCE_S, list[Record](), Event()
        while not enough(found):
            assert time.monotonic() < deadline, f"not in time; {len(found)} records came"
            found += self.records()
            pause.wait(0.05)
        return found

    def close(self) -> None:
        """Delete the connector and the database."""
        self._consumer.close()
        requests.delete(f"{self.servers.connect}/connectors/{self.name}", timeout=30)
        self.sql(f"DROP DATABASE {self.name}")

    def _create(self) -> None:
        settings = {
            **config.SHAPE,
            **config.tables(tuple(self.tables)),
            "connector.class": "io.debezium.connector.mariadb.MariaDbConnector",
            "tasks.max": "1",
            "exactly.once.support": "required",
            "time.precision.mode": "adaptive_time_microseconds",
            "database.hostname": self.at.inside_host,
            "database.port": str(self.at.inside_port),
            "database.user": self.at.user_ref,
            "database.password": self.at.password_ref,
            "database.server.id": str(5000 + int(self.name[5:])),
            "database.include.list": self.name,
            "topic.prefix": self.name,
            "heartbeat.interval.ms": "500",
            "include.schema.changes": "false",
            "schema.history.internal.kafka.bootstrap.servers": self.servers.inside_bootstrap,
            "schema.history.internal.kafka.topic": f"history.{self.name}",
            "transforms": "log",
            "transforms.log.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.log.regex": ".*",
            "transforms.log.replacement": self.topic,
            "topic.creation.default.replication.factor": "-1",
            "topic.creation.default.partitions": "1",
        }
        answer = requests.put(f"{self.servers.connect}/connectors/{self.name}/config", json=settings, timeout=60)
        assert answer.status_code == 201, answer.text
