"""A MariaDB source, looked at from beside its connector: tables, and where the binlog ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from figbridge.domain.connector import LiveColumn, LiveTable, Slot
from figbridge.errors import Refused, Unreachable

_COLUMNS = """
SELECT c.table_schema, c.table_name, c.column_name, c.column_type, k.ordinal_position, t.table_rows
FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
LEFT JOIN information_schema.key_column_usage k
  ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name
  AND k.constraint_name = 'PRIMARY'
WHERE t.table_type = 'BASE TABLE' AND CONCAT(c.table_schema, '.', c.table_name) IN ({})
ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""


@dataclass(frozen=True)
class MariaDatabase:
    """Look at one server with an account that sees the tables."""

    host: str
    port: int
    user: str
    password: str = field(default="", repr=False)

    def tables(self, names: Iterable[str]) -> dict[str, LiveTable]:
        """Return the tables that exist, by name (`database.table`)."""
        wanted = list(names)
        if not wanted:
            return {}
        found: dict[str, list[LiveColumn]] = {}
        rows: dict[str, int] = {}
        with self._cursor() as cursor:
            cursor.execute(_COLUMNS.format(", ".join(["%s"] * len(wanted))), wanted)
            for schema, table, column, kind, key, estimate in cursor.fetchall():
                name = f"{schema}.{table}"
                rows[name] = -1 if estimate is None else int(estimate)
                found.setdefault(name, []).append(LiveColumn(column, kind, None if key is None else int(key) - 1))
        return {name: LiveTable(name, tuple(columns), rows[name]) for name, columns in found.items()}

    def slot(self, name: str) -> Slot | None:  # noqa: ARG002 — a binlog has no slots
        """Return None: who reads a binlog leaves no trace in the database."""
        return None

    def position(self) -> str:
        """Return the set of GTIDs that the binlog ends with."""
        with self._cursor() as cursor:
            cursor.execute("SELECT @@gtid_binlog_pos")
            return str(cursor.fetchone()[0])

    def drop_slot(self, name: str) -> None:
        """Do nothing: a binlog has no slots."""

    def _cursor(self) -> AbstractContextManager[Any]:
        return opened(self)


@contextmanager
def opened(database: MariaDatabase, first: str | None = None, program: str = "figbridge-connectors") -> Iterator[Any]:
    """Open a session and give its cursor; `first` is a statement that is run before anything else. Raises Unreachable,
    or Refused with the database's own words."""
    try:
        pymysql = import_module("pymysql")
    except ImportError:
        raise Unreachable(
            "The package pymysql is not installed.", hint="pip install 'figbridge[mariadb]'", code="CON042"
        ) from None
    where = f"The database on {database.host}:{database.port}"
    try:
        connection = pymysql.connect(
            host=database.host, port=database.port, user=database.user, password=database.password, connect_timeout=10,
            charset="utf8mb4", autocommit=True, program_name=program, init_command=first,
        )  # fmt: skip
    except pymysql.err.MySQLError as error:
        hint = "check sources in the settings: host, port, user, password"
        raise Unreachable(f"{where} does not answer: {error.args[-1]}.", hint=hint, code="CON040") from None
    with connection, connection.cursor() as cursor:
        try:
            yield cursor
        except pymysql.err.MySQLError as error:
            if connection.open:
                hint = "check the account's rights"
                raise Refused(f"{where} says: {error.args[-1]}.", hint=hint, code="CON041") from None
            # Of a connection that is gone the server has said nothing; the driver has closed it.
            raise Unreachable(f"{where} is gone: {error.args[-1]}.", hint="try again", code="CON040") from None
