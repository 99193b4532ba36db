"""The model of a connector document. Its JSON Schema is made from it."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import Field

from figbridge.mapping.nodes import Scalar
from figbridge.mapping.parse_form import Form, Free, Slug, TableName, Whole, Word, default

_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def milliseconds(text: str) -> int:
    """Return a span such as 500ms, 2s, 30m, 12h or 30d in milliseconds."""
    unit = text.lstrip("0123456789")
    return round(int(text[: -len(unit)]) * _SECONDS[unit] * 1000)


Span: TypeAlias = Annotated[Scalar, Word("a span of time", pattern=r"[1-9][0-9]{0,8}(ms|s|m|h|d)", like="30d")]
Name: TypeAlias = Annotated[Scalar, Word("a source's name", pattern=r"[a-z][a-z0-9_]*", like="legacy")]
KindWord: TypeAlias = Annotated[Scalar, Word("a kind of database", choices=("postgres", "mariadb"))]
SnapshotWord: TypeAlias = Annotated[Scalar, Word("what is read at the first start", choices=("initial", "no_data"))]
ColumnsWord: TypeAlias = Annotated[Scalar, Word("which columns leave the database", choices=("used", "all"))]
TlsWord: TypeAlias = Annotated[
    Scalar,
    Word(
        "how TLS is used",
        choices=("disable", "disabled", "require", "required", "verify-ca", "verify-full", "verify-identity"),
    ),
]
Setting: TypeAlias = Annotated[
    Scalar, Word("a setting's name", pattern=r"[A-Za-z][A-Za-z0-9_.-]*", like="max.batch.size")
]
SettingValue: TypeAlias = Annotated[
    Scalar, Word("a setting's value", schema=("string", "number", "boolean"), pattern=r"[\s\S]*")
]
Servers: TypeAlias = Annotated[
    Scalar, Word("brokers", pattern=r"[^\s,:]+:[0-9]+(,[^\s,:]+:[0-9]+)*", like="broker-1:9092,broker-2:9092")
]


class TlsForm(Form):
    """How the connector's connection to the database is protected."""

    mode: TlsWord = Field(
        description="PostgreSQL: disable, require, verify-ca, verify-full; "
        "MariaDB: disabled, required, verify-ca, verify-identity."
    )
    ca: Free = Field(
        default(""), description="The file with the authority's certificate, on the workers. MariaDB: a truststore."
    )


class DatabaseForm(Form):
    """Where the database is, as the Connect workers reach it."""

    kind: KindWord = Field(description="postgres or mariadb.")
    host: Free = Field(description="The host.")
    port: Whole = Field(0, description="The port; 5432 or 3306 without one.")
    name: Free = Field(default(""), description="The database; PostgreSQL only.")
    user: Free = Field(description="The account, or a reference to it.")
    password: Free = Field(description="A reference: ${file:/path/on/the/worker:key}.")
    tls: TlsForm | None = Field(None, description="TLS towards the database.")


class LogForm(Form):
    """The source log: one topic, one partition, never compacted."""

    retention: Span = Field(description="How long it is kept: longer than the longest outage, and than shadow needs.")
    replicas: Whole = Field(0, description="Copies of each record; without one the broker's default.")


class KafkaForm(Form):
    """The brokers as the Connect workers reach them; for signals and, on MariaDB, the history of schemas."""

    servers: Servers = Field(description="host:port, and more after commas.")
    client: dict[Setting, SettingValue] = Field(
        {}, description="Security settings of the clients; secrets as references."
    )


class ConnectorForm(Form):
    """A source in Kafka Connect. Tables, columns, topics and every other setting follow from the mappings."""

    connector: Name = Field(description="The source: legacy, or a service with a document in services/.")
    database: DatabaseForm = Field(description="The database.")
    log: LogForm = Field(description="The source log.")
    kafka: KafkaForm = Field(description="The brokers, as the workers reach them.")
    heartbeat: Span = Field(default("2s"), description="How often an idle source says that it is alive.")
    snapshot: SnapshotWord = Field(
        default("initial"), description="What is read at the first start: every row, or none."
    )
    columns: ColumnsWord = Field(
        default("used"), description="Columns that leave the database: those that are read, or all."
    )
    signals: TableName = Field(
        default(""), description="The table for Debezium's watermarks; without it nothing is written."
    )
    server_id: Whole = Field(
        0, description="MariaDB: a number that no other replica has; made from the name without one."
    )
    streams: dict[Name, list[Slug]] = Field(
        {}, description="Stream → mappings: each stream is a connector with a log of its own."
    )
    more: dict[Setting, SettingValue] = Field({}, description="Settings of the connector beyond the generated ones.")
