"""What Debezium is told: one frozen description of a source, and a pure function to the connector's settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from figbridge.adapters.debezium import config as debezium
from figbridge.errors import ConfigurationError, Finding, Place

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TABLE = re.compile(r"[^.,:\s]+\.[^.,:\s]+")


@dataclass(frozen=True)
class EngineConfig:
    """Describe one PostgreSQL source. `tables` are `schema.table`, in the order in which the snapshot reads them
    (related tables before their roots). Raises ConfigurationError for a name that Debezium would misread.
    """

    prefix: str
    """The source's name, such as `legacy`: lower case letters, digits, underscores; unique within one process."""
    host: str
    port: int
    user: str
    database: str
    tables: tuple[str, ...]
    password: str = field(default="", repr=False)
    full_identity: tuple[str, ...] = ()
    """Tables that Debezium sets to REPLICA IDENTITY FULL when it starts."""
    slot: str = ""
    publication: str = ""
    heartbeat_ms: int = 1000
    poll_ms: int = 20
    snapshot: str = "initial"
    held_rows: int = 20_000
    """A source transaction of more records than this waits for its END in a temporary file, not in memory."""
    topic_prefix: str = "figbridge"
    """What the names of the source log and of the offsets topic begin with."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Settings for the connector beyond these; they win."""

    def __post_init__(self) -> None:
        wrong = []
        if not _NAME.fullmatch(self.prefix):
            wrong.append(("CFG070", f"the source name {self.prefix!r} is not lower case letters, digits, underscores"))
        wrong += [
            ("CFG071", f"the table {table!r} is not schema.table")
            for table in (*self.tables, *self.full_identity)
            if not _TABLE.fullmatch(table)
        ]
        if not self.tables:
            wrong.append(("CFG072", "no table is captured"))
        if wrong:
            raise ConfigurationError(Finding(Place(f"source {self.prefix}"), code, text) for code, text in wrong)

    @property
    def topic(self) -> str:
        """Name the source log: everything this source says, one partition."""
        return f"{self.topic_prefix}.{self.prefix}.log"

    @property
    def offsets_topic(self) -> str:
        """Name the topic whose last record says where Debezium goes on."""
        return f"{self.topic_prefix}.{self.prefix}.offsets"

    @property
    def slot_name(self) -> str:
        """Name the replication slot."""
        return self.slot or f"figbridge_{self.prefix}"

    @property
    def publication_name(self) -> str:
        """Name the publication."""
        return self.publication or f"figbridge_{self.prefix}"

    @property
    def dsn(self) -> str:
        """Return the connection string for psycopg. It has the password in it."""
        words = {
            "host": self.host, "port": self.port, "user": self.user, "password": self.password, "dbname": self.database,
        }  # fmt: skip
        return " ".join(f"{name}={_quoted(str(value))}" for name, value in words.items() if value != "")


def properties(config: EngineConfig) -> dict[str, str]:
    """Return every setting that the engine gives Debezium, except the file of its offset store."""
    return {
        "name": config.prefix,
        "connector.class": debezium.CLASSES["postgres"],
        "database.hostname": config.host,
        "database.port": str(config.port),
        "database.user": config.user,
        "database.password": config.password,
        "database.dbname": config.database,
        "topic.prefix": config.prefix,
        "slot.name": config.slot_name,
        "publication.name": config.publication_name,
        **debezium.tables(config.tables),
        "snapshot.mode": config.snapshot,
        **debezium.SHAPE,
        **debezium.POSTGRES,
        **debezium.route(config.topic),
        **_ENGINE,
        **debezium.identities(config.full_identity),
        "heartbeat.interval.ms": str(config.heartbeat_ms),
        "poll.interval.ms": str(config.poll_ms),
        **config.more,
    }


_ENGINE = {
    "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
    "offset.flush.interval.ms": "1000",  # how far behind the log the slot may stay
    # A connector that restarts itself would go on from Debezium's offset, inside a transaction that is held here.
    "errors.max.retries": "0",
    # The slot of a process that was killed stays in use until the server notices.
    "slot.max.retries": "60",
    "slot.retry.delay.ms": "500",
    "status.update.interval.ms": "2000",  # also how soon a lost server is noticed; 10 s otherwise
    "offset.mismatch.strategy": "no_validation",  # the engine checks the slot itself, before Debezium starts
    "record.processing.order": "ORDERED",
}


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
