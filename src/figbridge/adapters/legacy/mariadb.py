"""Read rows of a MariaDB source: by key, or all of them. No row says when its transaction was committed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from figbridge.adapters.legacy.form_mariadb import reading, written
from figbridge.errors import Refused, Unreachable
from figbridge.ports import Passed, Record

_COLUMNS = """
SELECT column_name, column_type, is_nullable = 'YES', generation_expression IS NOT NULL
FROM information_schema.columns WHERE CONCAT(table_schema, '.', table_name) = %s
"""
_GTID: Final = re.compile(r"(\d+)-(\d+)-(\d+)")


@dataclass(frozen=True)
class MariaRows:
    """Look at one server with an account that may read the tables."""

    host: str
    port: int
    user: str
    password: str = field(default="", repr=False)

    def commit_time(self, tx: str) -> int | None:  # noqa: ARG002 — no row says which transaction wrote it
        """Return None: no row says which transaction wrote it."""
        return None

    def now(self) -> int:
        """Return the server's clock."""
        with self._cursor() as cursor:
            cursor.execute("SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)")
            return int(cursor.fetchone()[0])

    def committed_at(self, table: str, columns: Sequence[str], at_us: int) -> Iterator[dict[str, Any]]:
        """Yield nothing: see `commit_time`."""
        del table, columns, at_us
        return iter(())

    def every(self, table: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield all rows of a table, as of one moment."""
        return self._rows(table, columns, "TRUE", [])

    def by_key(
        self, table: str, columns: Sequence[str], key: Sequence[str], keys: Sequence[Sequence[Any]]
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows with these keys."""
        kinds = self._kinds(table)
        one = " AND ".join(f"{_quoted(column)} = %s" for column in key)
        for start in range(0, len(keys), 200):
            some = keys[start : start + 200]
            cells = [reading(c, kinds[name][0]) for each in some for name, c in zip(key, each, strict=True)]
            yield from self._rows(table, columns, " OR ".join([f"({one})"] * len(some)), cells)

    def estimate(self, table: str) -> int | None:
        """Return the storage engine's estimate."""
        with self._cursor() as cursor:
            sql = "SELECT table_rows FROM information_schema.tables WHERE CONCAT(table_schema, '.', table_name) = %s"
            cursor.execute(sql, [table])
            row = cursor.fetchone()
        return None if row is None or row[0] is None else int(row[0])

    def mark(self) -> Passed:
        """Read where the binlog ends: the log holds what was committed before when it holds that transaction's END, or
        anything behind its BEGIN that is not of it."""
        with self._cursor() as cursor:
            cursor.execute("SELECT @@gtid_binlog_pos")
            wanted = {m[1]: int(m[3]) for m in _GTID.finditer(str(cursor.fetchone()[0]))}
        return _Behind(wanted)

    def _rows(self, table: str, columns: Sequence[str], where: str, cells: list[Any]) -> Iterator[dict[str, Any]]:
        kinds = self._kinds(table)
        for column in columns:
            kind, _, generated = kinds.get(column, ("nothing", True, False))
            if generated or written(None, kind) is NotImplemented:
                text = f"{table}.{column} is of type {kind}, whose form in the log is not known here"
                hint = "have the connector read the table again, then accept the suspect"
                raise Refused(text, hint=hint, code="HOL004")
        names = ", ".join(map(_quoted, columns))
        sql = f"SELECT {names} FROM {_name(table)} WHERE {where}"  # noqa: S608 — names are quoted
        with self._cursor(streaming=True) as cursor:
            cursor.execute(sql, cells)
            for row in cursor:
                yield {c: written(v, kinds[c][0], nullable=kinds[c][1]) for c, v in zip(columns, row, strict=True)}

    def _kinds(self, table: str) -> dict[str, tuple[str, bool, bool]]:
        with self._cursor() as cursor:
            cursor.execute(_COLUMNS, [table])
            found = {name: (str(kind), bool(null), bool(made)) for name, kind, null, made in cursor.fetchall()}
        if not found:
            raise Refused(f"{table} is not in the database", hint="check the table's name", code="HOL004")
        return found

    @contextmanager
    def _cursor(self, *, streaming: bool = False) -> Iterator[Any]:
        try:
            pymysql = import_module("pymysql")
            cursors = import_module("pymysql.cursors")
        except ImportError:
            raise Unreachable(
                "The package pymysql is not installed.", hint="pip install 'figbridge[mariadb]'"
            ) from None
        where = f"The database on {self.host}:{self.port}"
        kind = cursors.SSCursor if streaming else cursors.Cursor
        try:
            connection = pymysql.connect(
                host=self.host, port=self.port, user=self.user, password=self.password, connect_timeout=10,
                charset="utf8mb4", autocommit=True, program_name="figbridge-holes", cursorclass=kind,
                init_command="SET time_zone = '+00:00'",
            )  # fmt: skip
            with connection, connection.cursor() as cursor:
                yield cursor
        except pymysql.err.OperationalError as error:
            hint = "check sources in the settings: host, port, user, password"
            raise Unreachable(f"{where} does not answer: {error.args[-1]}.", hint=hint, code="HOL005") from None
        except pymysql.err.MySQLError as error:
            raise Refused(
                f"{where} says: {error.args[-1]}.", hint="check the account's rights", code="HOL006"
            ) from None


class _Behind:
    """Say when a log is behind a set of GTIDs, domain → sequence number. The newest of each domain says it."""

    def __init__(self, wanted: dict[str, int]) -> None:
        self._wanted = wanted
        self._begun = ""
        self._unseen = set(wanted)

    @property
    def looks_back(self) -> bool:
        """Say whether a domain has not shown a transaction yet: its last one may stand further back."""
        return bool(self._unseen)

    def __call__(self, record: Record) -> bool:
        value = record.value or b""
        if self._begun and b'"id":"' + self._begun.encode() + b'"' not in value:
            self._pass(self._begun)
        self._begun = ""
        if value.startswith(b'{"status":"'):
            found = json.loads(value)
            if found["status"] == "END":
                self._pass(found["id"])
            else:
                self._begun = found["id"]
        return not self._wanted

    def _pass(self, gtid: str) -> None:
        match = _GTID.fullmatch(gtid)
        if match:
            self._unseen.discard(match[1])
        if match and int(match[3]) >= self._wanted.get(match[1], 2**63):
            del self._wanted[match[1]]


def _name(table: str) -> str:
    database, _, name = table.partition(".")
    return f"{_quoted(database)}.{_quoted(name)}"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"
