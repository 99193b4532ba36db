"""A row that is written to either database arrives on Kafka, exactly once, whoever runs the servers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql
import pytest
import requests
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

if TYPE_CHECKING:
    from support.servers import Database, Servers

pytestmark = pytest.mark.sandbox

PATIENCE_S = 60.0


def until(look: Callable[[], Any], what: str) -> Any:
    """Wait until a look gives something true, and return it."""
    deadline, pause = time.monotonic() + PATIENCE_S, Event()
    while time.monotonic() < deadline:
        if found := look():
            return found
        pause.wait(0.1)
    raise AssertionError(f"not in time: {what}")


def read(bootstrap: str, topic: str) -> Iterator[Any]:
    """Yield the committed values of a topic from its beginning, and None while there is no more."""
    settings = {"bootstrap.servers": bootstrap, "group.id": f"read-{topic}", "isolation.level": "read_committed"}
    consumer = Consumer({**settings, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    try:
        while True:
            message = consumer.poll(0.2)
            yield None if message is None or message.error() else json.loads(message.value() or b"null")
    finally:
        consumer.close()


def connector(database: Database, kind: str, **more: str) -> dict[str, str]:
    """Return the settings of a connector that puts everything on one topic, its password only by reference."""
    return {
        "tasks.max": "1",
        "exactly.once.support": "required",
        "database.hostname": database.inside_host,
        "database.port": str(database.inside_port),
        "database.user": database.user_ref,
        "database.password": database.password_ref,
        "topic.prefix": kind,
        "transforms": "log",
        "transforms.log.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.log.regex": ".*",
        "transforms.log.replacement": f"seen.{kind}",
        "topic.creation.default.replication.factor": "-1",
        "topic.creation.default.partitions": "1",
        **more,
    }


def rows(bootstrap: str, topic: str, marker: int) -> list[tuple[str, int]]:
    """Return operation and id of every row up to the one with the marker's id."""
    found: list[tuple[str, int]] = []
    values = read(bootstrap, topic)
    deadline = time.monotonic() + PATIENCE_S
    for value in values:
        assert time.monotonic() < deadline, f"the marker is not on {topic}; there is {found}"
        if value and "op" in value:
            found.append((value["op"], value["after"]["id"]))
            if found[-1][1] == marker:
                break
    values.close()  # type: ignore[attr-defined]
    return found


def test_a_broker_takes_transactions(kafka: str) -> None:
    """What is committed in a transaction is seen, what is aborted is not, on however few brokers."""
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([NewTopic("transactions", 1)]).values():
        future.result()
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": "stack"})
    producer.init_transactions()
    for number, end in ((1, producer.abort_transaction), (2, producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce("transactions", json.dumps(number))
        producer.flush()
        end()
    values = read(kafka, "transactions")
    assert until(lambda: next(values), "the committed record") == 2
    values.close()  # type: ignore[attr-defined]


def test_a_row_of_postgres_arrives(stack: Servers) -> None:
    """Snapshot, then stream: each row once, and the password is nowhere in what Connect tells."""
    db = stack.postgres
    words = {"host": db.host, "port": db.port, "user": db.user, "password": db.password, "dbname": "postgres"}
    with psycopg.connect(**words, autocommit=True) as connection:  # type: ignore[arg-type]
        settings = ("wal_level", "track_commit_timestamp")
        assert [connection.execute(f"SHOW {s}").fetchone() for s in settings] == [("logical",), ("on",)]
        connection.execute("CREATE SCHEMA seen")
        connection.execute("CREATE TABLE seen.orders (id int PRIMARY KEY)")
        connection.execute("INSERT INTO seen.orders VALUES (1)")
        create(stack, "postgres", connector(
            db, "pg", **{
                "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
                "database.dbname": "postgres",
                "plugin.name": "pgoutput",
                "table.include.list": "seen.orders",
                "publication.autocreate.mode": "filtered",
            },
        ))  # fmt: skip
        active = "SELECT 1 FROM pg_replication_slots WHERE active"
        until(lambda: connection.execute(active).fetchone(), "the slot to be active")
        connection.execute("INSERT INTO seen.orders VALUES (2)")
    assert rows(stack.bootstrap, "seen.pg", marker=2) == [("r", 1), ("c", 2)]
    assert db.password not in requests.get(f"{stack.connect}/connectors/postgres", timeout=10).text


def test_a_row_of_mariadb_arrives(stack: Servers) -> None:
    """The binlog is as Debezium needs it: rows, whole images, GTIDs, positions."""
    db = stack.mariadb
    words: Any = {"host": db.host, "port": db.port, "user": db.user, "password": db.password}
    with pymysql.connect(**words, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@binlog_format, @@binlog_row_image, @@gtid_strict_mode, @@binlog_legacy_event_pos")
        assert cursor.fetchone() == ("ROW", "FULL", 1, 1)
        cursor.execute("CREATE DATABASE seen")
        cursor.execute("CREATE TABLE seen.orders (id int PRIMARY KEY)")
        cursor.execute("INSERT INTO seen.orders VALUES (1)")
        create(stack, "mariadb", connector(
            db, "maria", **{
                "connector.class": "io.debezium.connector.mariadb.MariaDbConnector",
                "database.server.id": "4711",
                "database.include.list": "seen",
                "include.schema.changes": "false",
                "schema.history.internal.kafka.bootstrap.servers": stack.inside_bootstrap,
                "schema.history.internal.kafka.topic": "history.maria",
            },
        ))  # fmt: skip
        values = read(stack.bootstrap, "seen.maria")
        first = until(lambda: next(values), "the row of the snapshot")
        values.close()  # type: ignore[attr-defined]
        assert first["op"] == "r"
        cursor.execute("INSERT INTO seen.orders VALUES (2)")
    assert rows(stack.bootstrap, "seen.maria", marker=2) == [("r", 1), ("c", 2)]


def create(stack: Servers, name: str, settings: dict[str, str]) -> None:
    """Create a connector; its task must run."""
    url = f"{stack.connect}/connectors/{name}"
    answer = requests.put(f"{url}/config", json=settings, timeout=60)
    assert answer.status_code == 201, answer.text

    def running() -> bool:
        tasks = requests.get(f"{url}/status", timeout=10).json().get("tasks", [])
        assert not [t["trace"] for t in tasks if t["state"] == "FAILED"]
        return bool(tasks) and tasks[0]["state"] == "RUNNING"

    until(running, f"{name} to run")
