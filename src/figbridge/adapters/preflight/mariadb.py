"""Examine a MariaDB source. One session, read only by the server's own word, one statement for each question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from figbridge.adapters.connect.mariadb import MariaDatabase, opened
from figbridge.domain.preflight import Facts, Patient, Row
from figbridge.errors import FigbridgeError

_READ_ONLY: Final = "SET SESSION tx_read_only = 1, SESSION lock_wait_timeout = 2, SESSION max_statement_time = 30"
_SCAN: Final = "SET SESSION tx_read_only = 1, SESSION lock_wait_timeout = 2"

QUESTIONS: Final[Mapping[str, str]] = {
    "variables": """
        SELECT variable_name AS name, variable_value AS value FROM information_schema.global_variables
        WHERE variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image', 'binlog_row_value_options',
        'binlog_legacy_event_pos', 'log_bin_compress', 'gtid_strict_mode', 'server_id', 'sql_mode', 'time_zone',
        'system_time_zone', 'binlog_expire_logs_seconds', 'version', 'gtid_binlog_pos', 'skip_parallel_replication')""",
    "status": """
        SELECT variable_name AS name, variable_value AS value FROM information_schema.global_status
        WHERE variable_name IN ('COM_XA_PREPARE', 'UPTIME')""",
    "tables": """
        SELECT CONCAT(table_schema, '.', table_name) AS `table`, engine FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND CONCAT(table_schema, '.', table_name) IN %(tables)s""",
    "columns": """
        SELECT CONCAT(c.table_schema, '.', c.table_name) AS `table`, c.column_name AS `column`, c.column_type AS type,
               c.is_nullable = 'YES' AS nullable, c.generation_expression IS NOT NULL AS generated, 0 AS dimensions,
               c.extra LIKE '%%auto_increment%%' AS counted, s.seq_in_index - 1 AS `key`
        FROM information_schema.columns c
        LEFT JOIN information_schema.statistics s ON s.table_schema = c.table_schema AND s.table_name = c.table_name
          AND s.column_name = c.column_name AND s.index_name = 'PRIMARY'
        WHERE CONCAT(c.table_schema, '.', c.table_name) IN %(tables)s
        ORDER BY c.table_schema, c.table_name, c.ordinal_position""",
}


@dataclass(frozen=True)
class MariaPreflight:
    """Examine one server with an account that may read the captured tables."""

    database: MariaDatabase

    def facts(self, patient: Patient) -> Facts:
        """Answer every question; one that the account may not ask is told with the database's words."""
        answers: dict[str, tuple[Row, ...]] = {}
        refused: dict[str, str] = {}
        try:
            with self.session() as cursor:
                for question, statement in QUESTIONS.items():
                    _answer(cursor, question, statement, {"tables": patient.tables}, answers, refused)
                names = [str(row["table"]) for row in answers.get("tables", ())]
                answers["definitions"] = tuple({"table": name, **_definition(cursor, name)} for name in names)
        except FigbridgeError as error:
            return Facts(answers, refused, error.message)
        return Facts(answers, refused)

    def values(self, table: str, column: str, limit: int) -> tuple[tuple[str | None, int], ...]:
        """Return the distinct values of a column as text, with their counts. Raises Unreachable or Refused."""
        name = _quoted(column)
        statement = (
            f"SELECT CAST({name} AS CHAR), COUNT(*) FROM {_quoted(*table.split('.', 1))}"  # noqa: S608 — quoted names
            f" GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {int(limit)}"
        )
        with self.session(_SCAN) as cursor:
            cursor.execute(statement)
            return tuple((value, int(count)) for value, count in cursor.fetchall())

    def extremes(self, table: str, column: str) -> tuple[str | None, str | None]:
        """Return the lowest and the highest value of a column as text. Raises Unreachable or Refused."""
        name = _quoted(column)
        statement = (
            f"SELECT CAST(MIN({name}) AS CHAR), CAST(MAX({name}) AS CHAR)"  # noqa: S608 — quoted names
            f" FROM {_quoted(*table.split('.', 1))}"
        )
        with self.session(_SCAN) as cursor:
            cursor.execute(statement)
            low, high = cursor.fetchone()
            return low, high

    @contextmanager
    def session(self, first: str = _READ_ONLY) -> Iterator[Any]:
        """Open a session in which the server refuses every write. Raises Unreachable or Refused."""
        with opened(self.database, first, "figbridge-doctor") as cursor:
            yield cursor


def _answer(
    cursor: Any,
    question: str,
    statement: str,
    values: Mapping[str, Any],
    answers: dict[str, tuple[Row, ...]],
    refused: dict[str, str],
) -> None:
    errors = import_module("pymysql").err
    try:
        cursor.execute(statement, values)
    except errors.MySQLError as error:
        if not cursor.connection.open:
            raise
        refused[question] = str(error.args[-1])
        return
    names = [column[0].lower() for column in cursor.description]
    answers[question] = tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())


def _definition(cursor: Any, table: str) -> dict[str, Any]:
    """Return a table's own text. The catalogue of foreign keys hides them from an account that may only read."""
    errors = import_module("pymysql").err
    try:
        cursor.execute(f"SHOW CREATE TABLE {_quoted(*table.split('.', 1))}")
    except errors.MySQLError as error:
        if not cursor.connection.open:
            raise
        return {"text": None, "why": str(error.args[-1])}
    return {"text": cursor.fetchone()[1], "why": ""}


def _quoted(*parts: str) -> str:
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)
