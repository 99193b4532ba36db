"""The settings of Debezium that both ways of running it share: each stands here once, with the reason.

The embedded engine (adapters/engine) adds how it keeps offsets; Kafka Connect (adapters/connect) adds its workers'
part. What a setting does was seen live, on the versions of connect/pom.xml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

JSON: Final = "org.apache.kafka.connect.json.JsonConverter"
CLASSES: Final = {
    "postgres": "io.debezium.connector.postgresql.PostgresConnector",
    "mariadb": "io.debezium.connector.mariadb.MariaDbConnector",
}

SHAPE: Final[Mapping[str, str]] = {
    "provide.transaction.metadata": "true",  # a transaction is judged at its END
    "tombstones.on.delete": "false",  # the log is never compacted
    "skipped.operations": "none",  # a TRUNCATE is said, not left out
    "decimal.handling.mode": "string",  # keeps every digit and the scale
    # The default turns a value that cannot be converted into null, with a line in a log that nobody reads.
    "event.converting.failure.handling.mode": "fail",
    "event.processing.failure.handling.mode": "fail",
    # replace.null.with.default is true by default: a null would be the column's default, which nobody wrote.
    **{
        f"{part}.converter{name}": value
        for part in ("key", "value", "header")
        for name, value in (("", JSON), (".schemas.enable", "false"), (".replace.null.with.default", "false"))
    },
}

POSTGRES: Final[Mapping[str, str]] = {
    "plugin.name": "pgoutput",
    "publication.autocreate.mode": "filtered",  # only the captured tables leave the database
    "time.precision.mode": "adaptive",  # every digit that the column has
    "slot.drop.on.stop": "false",  # what commits while nobody reads is kept
}

_LITERAL: Final = re.compile(r"([\\.^$|()\[\]{}*+?])")


def route(topic: str, *, but: str = "") -> dict[str, str]:
    """Return the settings that send rows, markers, schema changes and heartbeats to one topic; all but one topic's."""
    return {
        "transforms": "one",
        "transforms.one.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.one.regex": rf"(?!{literal(but)}$).*" if but else ".*",
        "transforms.one.replacement": topic.replace("\\", "\\\\").replace("$", "\\$"),
    }


def literal(name: str) -> str:
    """Return a regular expression that matches a table's or column's name and nothing else."""
    return _LITERAL.sub(r"\\\1", name)


def tables(names: Iterable[str]) -> dict[str, str]:
    """Return the setting that names the tables. A snapshot follows the order of the list."""
    return {"table.include.list": ",".join(literal(name) for name in names)}


def identities(names: Iterable[str]) -> dict[str, str]:
    """Return the setting that makes Debezium set tables to REPLICA IDENTITY FULL; none without a table, as an empty
    value is refused."""
    values = ",".join(f"{name}:FULL" for name in names)
    return {"replica.identity.autoset.values": values} if values else {}
