"""A PostgreSQL source, looked at from beside its connector: tables, the slot, where the WAL ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from figbridge.adapters.engine import extra, tables
from figbridge.domain.connector import LiveColumn, LiveTable, Slot
from figbridge.domain.lsn import lsn_text
from figbridge.errors import Refused, Unreachable

_SLOT = """
SELECT active, confirmed_flush_lsn - '0/0'::pg_lsn, pg_current_wal_lsn() - confirmed_flush_lsn
FROM pg_replication_slots WHERE slot_name = %s AND database = current_database()
"""


@dataclass(frozen=True)
class PostgresDatabase:
    """Look at one database with an account that may read the catalogue."""

    host: str
    port: int
    user: str
    database: str
    password: str = field(default="", repr=False)

    def tables(self, names: Iterable[str]) -> dict[str, LiveTable]:
        """Return the tables that exist, by name."""
        with self._connection() as connection:
            found = tables.read(connection, names)
        return {
            name: LiveTable(name, tuple(LiveColumn(c.name, c.type, c.key) for c in facts.columns), facts.rows)
            for name, facts in found.items()
        }

    def slot(self, name: str) -> Slot | None:
        """Return a replication slot of this database; None without one."""
        with self._connection() as connection:
            row = connection.execute(_SLOT, [name]).fetchone()
        return Slot(name, bool(row[0]), int(row[1] or 0), int(row[2] or 0)) if row else None

    def position(self) -> str:
        """Return the LSN at which the WAL ends."""
        with self._connection() as connection:
            return lsn_text(int(connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()[0]))

    def drop_slot(self, name: str) -> None:
        """Drop a replication slot; do nothing without one. Raises Refused while somebody reads it."""
        with self._connection() as connection:
            connection.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", [name]
            )

    def _connection(self) -> AbstractContextManager[Any]:
        return connected(self)


@contextmanager
def connected(database: PostgresDatabase, options: str = "", program: str = "figbridge-connectors") -> Iterator[Any]:
    """Open a session; `options` are the server's, such as `-c name=value`. Raises Unreachable, or Refused with the
    database's own words."""
    psycopg = extra.load("psycopg")
    where = f"The database {database.database} on {database.host}:{database.port}"
    try:
        with psycopg.connect(
            host=database.host, port=database.port, user=database.user, password=database.password or None,
            dbname=database.database, autocommit=True, connect_timeout=10, application_name=program, options=options,
        ) as connection:  # fmt: skip
            yield connection
    except psycopg.OperationalError as error:
        hint = "check sources in the settings: host, port, user, password, database"
        raise Unreachable(f"{where} does not answer: {tables.line(error)}.", hint=hint, code="CON040") from None
    except psycopg.Error as error:
        raise Refused(
            f"{where} says: {tables.line(error)}.", hint="check the account's rights", code="CON041"
        ) from None
