"""Examine a PostgreSQL source. One session, read only by the server's own word, one statement for each question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from figbridge.adapters.connect.postgres import PostgresDatabase, connected
from figbridge.adapters.engine import extra
from figbridge.adapters.engine.tables import line
from figbridge.domain.preflight import Facts, Patient, Row
from figbridge.errors import FigbridgeError

# A look must not stand in the way of the monolith: it gives up rather than wait for a lock.
_OPTIONS: Final = "-c default_transaction_read_only=on -c lock_timeout=2s -c statement_timeout=30s"
_SCAN: Final = "-c default_transaction_read_only=on -c lock_timeout=2s"

# to_jsonb gives columns that only newer servers have, and null on the others.
QUESTIONS: Final[Mapping[str, str]] = {
    "settings": """
        SELECT name, setting AS value FROM pg_settings WHERE name IN ('wal_level', 'max_replication_slots',
        'max_slot_wal_keep_size', 'track_commit_timestamp', 'server_version_num')""",
    "tables": """
        SELECT n.nspname || '.' || c.relname AS table, c.relreplident::text AS identity, c.relkind::text AS kind,
               c.relispartition AS partition, c.relpersistence::text AS persistence
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY(%(tables)s)""",
    "columns": """
        SELECT n.nspname || '.' || c.relname AS table, a.attname AS column,
               format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
               a.attgenerated <> '' AS generated, a.attndims AS dimensions,
               array_position(i.indkey::int2[], a.attnum) AS key
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
        WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY(%(tables)s)
          AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY c.oid, a.attnum""",
    "slot": """
        SELECT plugin, active, database = current_database() AS here, temporary, wal_status,
               pg_current_wal_lsn() - confirmed_flush_lsn AS behind_bytes,
               to_jsonb(s)->>'invalidation_reason' AS invalidated,
               extract(epoch FROM now() - (to_jsonb(s)->>'inactive_since')::timestamptz) AS inactive_s
        FROM pg_replication_slots s WHERE slot_name = %(slot)s""",
    "slots": "SELECT count(*) AS used FROM pg_replication_slots",
    "sender": """
        SELECT r.state, extract(epoch FROM r.flush_lag) AS lag_s
        FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid
        WHERE s.slot_name = %(slot)s""",
    "publication": """
        SELECT pubviaroot AS via_root, pubinsert AND pubupdate AND pubdelete AND pubtruncate AS everything
        FROM pg_publication WHERE pubname = %(publication)s""",
    "published": """
        SELECT schemaname || '.' || tablename AS table, to_jsonb(t)->'attnames' AS columns,
               to_jsonb(t)->>'rowfilter' AS filter
        FROM pg_publication_tables t WHERE pubname = %(publication)s""",
}


@dataclass(frozen=True)
class PostgresPreflight:
    """Examine one database with an account that may read the catalogue."""

    database: PostgresDatabase

    def facts(self, patient: Patient) -> Facts:
        """Answer every question; one that the account may not ask is told with the database's words."""
        values = {"tables": list(patient.tables), "slot": patient.slot, "publication": patient.publication}
        answers: dict[str, tuple[Row, ...]] = {}
        refused: dict[str, str] = {}
        try:
            with self.session() as connection:
                for question, statement in QUESTIONS.items():
                    try:
                        answers[question] = _ask(connection, statement, values)
                    except extra.load("psycopg").Error as error:
                        if connection.broken:
                            raise
                        refused[question] = line(error)
        except FigbridgeError as error:
            return Facts(answers, refused, error.message)
        return Facts(answers, refused)

    def values(self, table: str, column: str, limit: int) -> tuple[tuple[str | None, int], ...]:
        """Return the distinct values of a column as text, with their counts. Raises Unreachable or Refused."""
        sql = extra.load("psycopg.sql")
        statement = sql.SQL("SELECT {}::text, count(*) FROM {} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {}").format(
            sql.Identifier(column), sql.Identifier(*table.split(".", 1)), sql.Literal(limit)
        )
        with self.session(_SCAN) as connection:
            return tuple((value, int(count)) for value, count in connection.execute(statement))

    def extremes(self, table: str, column: str) -> tuple[str | None, str | None]:
        """Return the lowest and the highest value of a column as text. Raises Unreachable or Refused."""
        sql = extra.load("psycopg.sql")
        name = sql.Identifier(column)
        statement = sql.SQL("SELECT min({})::text, max({})::text FROM {}").format(
            name, name, sql.Identifier(*table.split(".", 1))
        )
        with self.session(_SCAN) as connection:
            low, high = connection.execute(statement).fetchone()
            return low, high

    @contextmanager
    def session(self, options: str = _OPTIONS) -> Iterator[Any]:
        """Open a session in which the server refuses every write. Raises Unreachable."""
        with connected(self.database, options, "figbridge-doctor") as connection:
            yield connection


def _ask(connection: Any, statement: str, values: Mapping[str, Any]) -> tuple[Row, ...]:
    cursor = connection.execute(statement, values)
    names = [column.name for column in cursor.description]
    return tuple(dict(zip(names, row, strict=True)) for row in cursor)
