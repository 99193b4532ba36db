"""The table of articles on both databases. `no` never changes: it says which article a key stands for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql

if TYPE_CHECKING:
    from support.servers import Database

ARTICLES = "(item_cd varchar(20) PRIMARY KEY, no int NOT NULL, on_hand int NOT NULL)"
RENAMED = "UPDATE {0} SET item_cd = CONCAT('{1}-', no)"


class Postgres:
    """A database of its own on PostgreSQL."""

    kind = "postgres"

    def __init__(self, at: Database, name: str) -> None:
        self.at, self.name, self.table = at, name, "shop.stock"
        with self._session("postgres") as admin:
            admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type] # a name of the test's own
        with self._session(name) as session:
            session.execute(f"CREATE SCHEMA shop; CREATE TABLE {self.table} {ARTICLES}")

    def copy(self, mark: str, numbers: range) -> None:
        """Load articles with one COPY: rows of a page share one position."""
        copy = f"COPY {self.table} FROM STDIN"
        with self._session(self.name) as session, session.cursor() as cursor, cursor.copy(copy) as stream:
            for no in numbers:
                stream.write_row((f"{mark}-{no}", no, no))

    def rename(self, mark: str) -> None:
        """Change the key of every article in one transaction."""
        with self._session(self.name) as session:
            session.execute(RENAMED.format(self.table, mark))

    def articles(self) -> dict[str, dict[str, int]]:
        """Return what the table holds, as events tell it."""
        with self._session(self.name) as session:
            return _told(session.execute(f"SELECT item_cd, no, on_hand FROM {self.table}").fetchall())

    def leave(self) -> None:
        """Drop the slot that a deleted connector has left: the server has few."""
        with self._session(self.name) as session:
            session.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                " WHERE database = current_database() AND NOT active"
            )

    def _session(self, database: str) -> psycopg.Connection[Any]:
        at = self.at
        return psycopg.connect(
            host=at.host, port=at.port, user=at.user, password=at.password, dbname=database, autocommit=True
        )


class MariaDb:
    """A database of its own on MariaDB."""

    kind = "mariadb"

    def __init__(self, at: Database, name: str) -> None:
        self.at, self.name, self.table = at, name, f"{name}.stock"
        with self._cursor() as cursor:
            cursor.execute(f"CREATE TABLE {self.table} {ARTICLES}")

    def copy(self, mark: str, numbers: range) -> None:
        """Load articles with one statement: rows of an event share one position."""
        rows = f"SELECT CONCAT('{mark}-', seq), seq, seq FROM seq_{numbers[0]}_to_{numbers[-1]}"
        with self._cursor() as cursor:
            cursor.execute(f"INSERT INTO {self.table} {rows}")

    def rename(self, mark: str) -> None:
        """Change the key of every article in one transaction."""
        with self._cursor() as cursor:
            cursor.execute(RENAMED.format(self.table, mark))

    def articles(self) -> dict[str, dict[str, int]]:
        """Return what the table holds, as events tell it."""
        with self._cursor() as cursor:
            cursor.execute(f"SELECT item_cd, no, on_hand FROM {self.table}")
            return _told(cursor.fetchall())

    def leave(self) -> None:
        """Leave everything: a binlog has no slots."""

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        at = self.at
        words = {"host": at.host, "port": at.port, "user": at.user, "password": at.password, "autocommit": True}
        with closing(pymysql.connect(**words)) as connection, connection.cursor() as cursor:  # type: ignore[call-overload]
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {self.name}")
            cursor.execute(f"USE {self.name}")
            yield cursor


def _told(rows: Any) -> dict[str, dict[str, int]]:
    return {f"stock-{key}": {"no": no, "onHand": on_hand} for key, no, on_hand in rows}
