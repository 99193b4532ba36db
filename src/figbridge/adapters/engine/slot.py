"""Look at the replication slot before Debezium does: it must not be ahead of the log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from figbridge.adapters.engine import extra, position
from figbridge.adapters.engine.settings import EngineConfig
from figbridge.adapters.engine.tables import line, unreachable
from figbridge.domain.lsn import lsn_text
from figbridge.errors import Refused

_WAIT_S = 30.0
_LOST = "begin with a new log and a new snapshot: runbooks/log-lost-records.md"


def prepare(config: EngineConfig, point: position.Offset | None) -> position.Offset | None:
    """Check the slot against the log's point, and return the point to start from, None for a snapshot.

    Without a point, a slot that an interrupted snapshot left is dropped; without a snapshot, it is the point.

    Over an existing slot Debezium would read its snapshot apart from the slot's position, and a transaction between
    the two would be in neither. Over a slot that it makes itself, both are one.
    Raises Refused when the slot is ahead, gone, or in use, Unreachable when the database does not answer.
    """
    with _connection(config) as connection:
        _set_identity(connection, config)
        return _check_slot(connection, config, point)


@contextmanager
def _connection(config: EngineConfig) -> Iterator[Any]:
    psycopg = extra.load("psycopg")
    try:
        with psycopg.connect(config.dsn, autocommit=True, connect_timeout=10) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise unreachable(f"{config.database} on {config.host}:{config.port}", error) from None
    except psycopg.Error as error:
        raise Refused(f"The database says: {line(error)}.", hint="check the user's rights and the tables") from error


def _set_identity(connection: Any, config: EngineConfig) -> None:
    """Set REPLICA IDENTITY FULL before the slot exists. Debezium does so only when it begins to stream: what is
    written while its snapshot runs would come without the old values.
    """
    for table in config.full_identity:
        schema, _, name = table.partition(".")
        row = connection.execute(
            "SELECT c.relreplident = 'f', format('%%I.%%I', n.nspname, c.relname) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
            [schema, name],
        ).fetchone()
        if row is None:
            raise Refused(f"There is no table {table}.", hint="check the mapping's table names")
        if not row[0]:
            connection.execute(f"ALTER TABLE {row[1]} REPLICA IDENTITY FULL")


def _check_slot(connection: Any, config: EngineConfig, point: position.Offset | None) -> position.Offset | None:
    name = config.slot_name
    active, confirmed = _state(connection, name)
    deadline = time.monotonic() + _WAIT_S
    while active and time.monotonic() < deadline:  # the server sees the end of a killed process a little later
        time.sleep(0.05)
        active, confirmed = _state(connection, name)
    if active:
        raise Refused(
            f"The slot {name} is in use.",
            hint="another engine reads it: stop that one, or name another slot",
            code="SRC003",
        )
    if point is None:
        if confirmed is None:
            return None
        if config.snapshot == "initial":
            connection.execute("SELECT pg_drop_replication_slot(%s)", [name])
            return None
        return {"lsn": confirmed}
    if confirmed is None:
        raise Refused(
            f"The slot {name} is gone, so changes after {lsn_text(int(point['lsn']))} may be lost.",
            hint=_LOST,
            code="SRC002",
        )
    if confirmed > int(point["lsn"]):
        raise Refused(
            f"The slot {name} is at {lsn_text(confirmed)}, past the log at "
            f"{lsn_text(int(point['lsn']))}: changes between are lost.",
            hint=_LOST,
            code="SRC002",
        )
    return point


def _state(connection: Any, name: str) -> tuple[bool, int | None]:
    row = connection.execute(
        "SELECT active, confirmed_flush_lsn - '0/0'::pg_lsn FROM pg_replication_slots WHERE slot_name = %s", [name]
    ).fetchone()
    return (bool(row[0]), int(row[1])) if row else (False, None)


def active(config: EngineConfig) -> bool:
    """Say whether the server sends the slot's stream to somebody."""
    with _connection(config) as connection:
        return _state(connection, config.slot_name)[0]


def connected(prefix: str) -> bool:
    """Say whether Debezium streams, by its own metrics: so only after the snapshot. Java must run."""
    jpype = extra.load("jpype")
    server = jpype.JClass("java.lang.management.ManagementFactory").getPlatformMBeanServer()
    bean = jpype.JClass("javax.management.ObjectName")(
        f"debezium.postgres:type=connector-metrics,context=streaming,server={prefix}"
    )
    return bool(server.isRegistered(bean)) and bool(server.getAttribute(bean, "Connected"))
