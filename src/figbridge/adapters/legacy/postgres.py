"""Read rows of a PostgreSQL source: by commit time, by key, or all of them."""

from __future__ import annotations

import base64
import math
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from figbridge.adapters.legacy.form_postgres import cell, same
from figbridge.errors import Refused, Unreachable
from figbridge.ports import Passed, Record

_TYPES = """
SELECT a.attname, CASE WHEN t.typtype = 'd' THEN b.typname ELSE t.typname END, t.typtype = 'e', a.attgenerated <> '',
       CASE WHEN a.atttypmod >= 0 THEN a.atttypmod END
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""
_PREFIX: Final = "figbridge.check"
_CHUNK: Final = 2000


@dataclass(frozen=True)
class PostgresRows:
    """Look at one database with an account that may read the tables."""

    dsn: str = field(repr=False)
    where: str = "The database"

    def commit_time(self, tx: str) -> int | None:
        """Return when a transaction was committed; None without track_commit_timestamp, or for one that is too old."""
        xid = "(%s::bigint %% 4294967296)::text::xid"
        sql = f"SELECT (extract(epoch FROM pg_xact_commit_timestamp({xid})) * 1000000)::bigint"  # noqa: S608 — constants
        try:
            return self._one(sql, [tx])
        except Refused:
            return None  # the setting is off, or the number is no transaction's any more

    def now(self) -> int:
        """Return the database's clock."""
        found = self._one("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", [])
        assert found is not None
        return found

    def committed_at(self, table: str, columns: Sequence[str], at_us: int) -> Iterator[dict[str, Any]]:
        """Yield the rows whose `xmin` was committed then: rows written inside a savepoint too, for it is the time of
        the whole transaction (verified). `xmin` itself differs in a savepoint."""
        where = "(extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint = %s"
        return self._rows(table, columns, where, [at_us])

    def every(self, table: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield all rows of a table, as of one moment."""
        return self._rows(table, columns, "true", [])

    def by_key(
        self, table: str, columns: Sequence[str], key: Sequence[str], keys: Sequence[Sequence[Any]]
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows with these keys, whose cells are in Debezium's form."""
        kinds = self._kinds(table)
        forms = zip(key, self._forms(table, key), strict=True)
        one = " AND ".join(same(_quoted(column), kinds[column][0], form) for column, form in forms)
        for start in range(0, len(keys), 200):
            some = keys[start : start + 200]
            cells = [_text(c) for each in some for c in each]
            yield from self._rows(table, columns, " OR ".join([f"({one})"] * len(some)), cells)

    def estimate(self, table: str) -> int | None:
        """Return the planner's estimate."""
        found = self._one("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [_name(table)])
        return None if found is None or found < 0 else found

    def mark(self) -> Passed:
        """Write a message of no table into the stream: what was committed before it stands before it."""
        token = uuid.uuid4().hex
        self._one("SELECT (pg_logical_emit_message(true, %s, %s) - '0/0'::pg_lsn)::bigint", [_PREFIX, token])
        return _Written(base64.b64encode(token.encode()))

    def _rows(self, table: str, columns: Sequence[str], where: str, cells: list[Any]) -> Iterator[dict[str, Any]]:
        forms = self._forms(table, columns)
        sql = f"SELECT {', '.join(forms)} FROM {_name(table)} WHERE {where}"  # noqa: S608 — names are quoted
        with self._connected() as connection, connection.cursor("figbridge_check") as cursor:
            cursor.itersize = _CHUNK
            cursor.execute(sql, cells)
            for row in cursor:
                yield {column: _finite(value) for column, value in zip(columns, row, strict=True)}

    def _kinds(self, table: str) -> dict[str, tuple[str, bool, bool, int | None]]:
        """Return column → type, whether it is an enumeration, whether it is generated, and its precision."""
        with self._connected() as connection:
            found = {c[0]: c[1:] for c in connection.execute(_TYPES, [_name(table)]).fetchall()}
        if not found:
            raise Refused(f"{table} is not in the database", hint="check the table's name", code="HOL004")
        return found

    def _forms(self, table: str, columns: Sequence[str]) -> list[str]:
        found = self._kinds(table)
        forms: list[str] = []
        for column in columns:
            kind, enum, generated, precision = found.get(column, ("nothing", False, False, None))
            form = None if generated else cell(_quoted(column), kind, precision, enum=enum)
            if form is None:
                text = f"{table}.{column} is of type {kind}, whose form in the log is not known here"
                hint = "have the connector read the table again, then accept the suspect"
                raise Refused(text, hint=hint, code="HOL004")
            forms.append(form)
        return forms

    def _one(self, sql: str, cells: list[Any]) -> int | None:
        with self._connected() as connection:
            row = connection.execute(sql, cells).fetchone()
        return None if row is None or row[0] is None else int(row[0])

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        try:
            psycopg = import_module("psycopg")
        except ImportError:
            raise Unreachable(
                "The package psycopg is not installed.", hint="pip install 'figbridge[postgres]'"
            ) from None
        try:
            with psycopg.connect(self.dsn, connect_timeout=10, application_name="figbridge-holes") as connection:
                yield connection
        except psycopg.OperationalError as error:
            hint = "check sources in the settings: host, port, user, password"
            raise Unreachable(f"{self.where} does not answer: {_said(error)}.", hint=hint, code="HOL005") from None
        except psycopg.Error as error:
            raise Refused(
                f"{self.where} says: {_said(error)}.", hint="check the account's rights", code="HOL006"
            ) from None


@dataclass(frozen=True)
class _Written:
    """Say when a log has a message. It was just written, so the log has it ahead."""

    content: bytes
    looks_back: bool = False

    def __call__(self, record: Record) -> bool:
        return record.value is not None and self.content in record.value


def _said(error: Exception) -> str:
    """Return the first line of a server's message: the next ones may quote values."""
    return (str(error).strip().splitlines() or ["nothing"])[0].rstrip(".")


def _finite(value: Any) -> Any:
    """Return a number that JSON cannot say as the word that Debezium writes; any other value as it is."""
    if type(value) is not float or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name(table: str) -> str:
    schema, _, name = table.partition(".")
    return f"{_quoted(schema)}.{_quoted(name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'
