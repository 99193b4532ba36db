"""What a connector must capture, and what one is found to do. One connector is one stream of a source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

_ODD = re.compile(r"[^a-z0-9_]")  # what PostgreSQL refuses in the name of a slot


class Kind(Enum):
    """Name the kind of a source's database."""

    POSTGRES = "postgres"
    MARIADB = "mariadb"


@dataclass(frozen=True, slots=True)
class Topic:
    """Describe a topic: its partitions, its copies (-1: the broker's default) and the settings that must hold."""

    name: str
    replicas: int
    settings: Mapping[str, str]
    partitions: int = 1


@dataclass(frozen=True, slots=True)
class LiveTopic:
    """A topic as the broker has it; of its settings those that somebody asked for."""

    name: str
    partitions: int
    replicas: int
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Capture:
    """Everything that a connector's configuration is generated from.

    `tables` are `schema.table` (`database.table` on MariaDB), in the order in which the snapshot reads them.
    `user` and `password` are as the connector gets them: a secret is a reference such as `${file:…}`.
    """

    name: str
    """The stream's name, Debezium's `topic.prefix`: the source, or source_stream where the file splits a source."""
    kind: Kind
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    tables: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    """Table → the columns that leave the database; a table that is not in it sends all of them."""
    full_identity: tuple[str, ...]
    """Tables that Debezium sets to REPLICA IDENTITY FULL when it starts; PostgreSQL only."""
    log: Topic
    signals: Topic
    notifications: Topic
    topic_prefix: str = "figbridge"
    signal_table: str = ""
    """The table that Debezium writes its watermarks to; without one it works without writing to the database."""
    heartbeat_ms: int = 2000
    snapshot: str = "initial"
    kafka: str = ""
    """The brokers, as the Connect worker reaches them."""
    kafka_client: Mapping[str, str] = field(default_factory=dict)
    """How Debezium's own Kafka clients (signals, schema history) log in there."""
    history: Topic | None = None
    """Where Debezium keeps the schemas of a MariaDB source."""
    server_id: int = 0
    tls: str = ""
    tls_ca: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    """Settings beyond the generated ones."""

    @property
    def slot(self) -> str:
        """Name the replication slot."""
        return _ODD.sub("_", f"{self.topic_prefix}_{self.name}".lower())

    @property
    def publication(self) -> str:
        """Name the publication."""
        return self.slot

    @property
    def connector(self) -> str:
        """Name the connector in Connect, which others may share."""
        return f"{self.topic_prefix}-{self.name}"

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Return every topic that must be there before the connector starts."""
        return (self.log, self.signals, self.notifications, *([self.history] if self.history else []))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A connector as the files want it: its configuration for Connect, and the file that says so."""

    capture: Capture
    config: Mapping[str, str]
    file: str


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a live connector. `cause` is the innermost reason why it failed, `trace` all of it."""

    id: int
    state: str
    worker: str
    cause: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """A connector as Connect has it. Secrets in `config` that are not references are hidden."""

    name: str
    state: str
    worker: str
    config: Mapping[str, str]
    tasks: tuple[Task, ...] = ()
    cause: str = ""

    @property
    def failed(self) -> Task | None:
        """Return the first task that failed."""
        return next((t for t in self.tasks if t.state == "FAILED"), None)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A connector class that the Connect workers have."""

    name: str
    version: str
    kind: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A replication slot: whether somebody reads it, where it is, and how far the database is ahead of it."""

    name: str
    active: bool
    confirmed: int
    behind_bytes: int


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """A column as the database has it; `key` is its place in the primary key from 0, None outside it."""

    name: str
    type: str
    key: int | None


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table as the database has it; `rows` is the planner's estimate, -1 when nobody has counted."""

    name: str
    columns: tuple[LiveColumn, ...]
    rows: int = -1

    @property
    def key(self) -> tuple[str, ...]:
        """Return the primary key's columns in the key's order; empty without a primary key."""
        keyed = sorted((c.key, c.name) for c in self.columns if c.key is not None)
        return tuple(name for _, name in keyed)
