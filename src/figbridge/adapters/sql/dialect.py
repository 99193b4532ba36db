"""All that SQLite and PostgreSQL do differently.

Shared against exclusive. On PostgreSQL a batch reads the head row FOR SHARE, which holds ROW SHARE on its table; a
grant locks that table in EXCLUSIVE mode. Table locks queue in order, so holders that come later wait behind a waiting
grant (a row lock alone lets them overtake it for ever). On SQLite an open read transaction holds SHARED on the file
and a grant begins EXCLUSIVE; while it waits it holds PENDING, which keeps new readers out. That is so only without a
write-ahead log, and only between processes: see Gates.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakValueDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from figbridge.errors import Refused, Unreachable

_EXCLUSIVE = "figbridge_exclusive"
_MIGRATION_LOCK = 0x66696762  # "figb": nothing else exists to be locked before the first migration


class Dialect(Protocol):
    """Say what one database does in its own way."""

    def engine(self, url: URL, wait_s: float) -> Engine:
        """Return an engine whose statements wait at most `wait_s` for a lock."""

    def gate(self, engine: Engine, wait_s: float) -> AbstractContextManager[None]:
        """Return what a shared holder must pass inside its own process. Raises Unreachable after `wait_s`."""

    def lock_head(self, connection: Connection) -> None:
        """Wait until this transaction of an `alone` engine is the only one that holds the head."""

    def lock_schema(self, connection: Connection) -> None:
        """Wait until this transaction of an `alone` engine is the only one that migrates."""

    def append_only(self, table: str) -> tuple[str, ...]:
        """Return the statements that make the database refuse to change or delete rows of a table."""

    def trouble(self, error: SQLAlchemyError) -> tuple[str, str]:
        """Return what is wrong, to stand after "the authority store at …", and a hint."""


class Gates:
    """Let one shared holder per file and process in at a time.

    The operating system grants a file lock to the process: while one thread holds SHARED, SQLite lets the next thread
    join without looking whether a grant in another process is pending. Overlapping threads would starve it for ever.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, _Gate] = WeakValueDictionary()
        self._guard = threading.Lock()

    @contextmanager
    def passing(self, file: str, wait_s: float) -> Iterator[None]:
        """Hold the gate of a file. Raises Unreachable after `wait_s` seconds."""
        with self._guard:
            gate = self._locks.setdefault(str(Path(file).resolve()), _Gate())
        if not gate.lock.acquire(timeout=wait_s):
            raise Unreachable(f"the authority store at {file} is held by another thread for more than {wait_s:g} s")
        try:
            yield
        finally:
            gate.lock.release()


class _Gate:
    """A lock that can be referred to weakly."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class _Sqlite:
    _gates = Gates()

    def engine(self, url: URL, wait_s: float) -> Engine:
        if url.database in (None, "", ":memory:"):
            raise Refused("an authority store in SQLite needs a file", hint="MemoryAuthorityStore needs none")
        # No pool: a pooled connection would outlive a fork (which breaks SQLite's locks) and a file put in its place.
        engine = create_engine(url, connect_args={"timeout": wait_s, "isolation_level": None}, poolclass=NullPool)

        def on_connect(connection: sqlite3.Connection, _record: object) -> None:
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
            if mode != "delete":
                raise Unreachable(
                    f"the authority store at {url.database} is in journal mode {mode}, where readers hold off no grant",
                    hint="close whatever else has the file open",
                )
            connection.execute("PRAGMA synchronous=EXTRA")  # a grant outlives a power cut
            connection.execute("PRAGMA foreign_keys=ON")

        def on_begin(connection: Connection) -> None:
            alone = connection.get_execution_options().get(_EXCLUSIVE)
            connection.exec_driver_sql("BEGIN EXCLUSIVE" if alone else "BEGIN")

        event.listen(engine, "connect", on_connect)
        event.listen(engine, "begin", on_begin)
        return engine

    def gate(self, engine: Engine, wait_s: float) -> AbstractContextManager[None]:
        return self._gates.passing(str(engine.url.database), wait_s)

    def lock_head(self, connection: Connection) -> None:
        """BEGIN EXCLUSIVE holds it already."""

    def lock_schema(self, connection: Connection) -> None:
        """BEGIN EXCLUSIVE holds it already."""

    def append_only(self, table: str) -> tuple[str, ...]:
        return tuple(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
            for verb in ("UPDATE", "DELETE")
        )

    def trouble(self, error: SQLAlchemyError) -> tuple[str, str]:
        original = error.orig if isinstance(error, DBAPIError) else None
        if getattr(original, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
            return _LOCKED
        return _MISSING if "no such table" in str(original) else _other(original or error)


class _PostgreSql:
    def engine(self, url: URL, wait_s: float) -> Engine:
        connect: dict[str, Any] = {"connect_timeout": max(2, round(wait_s))}
        engine = create_engine(url, connect_args=connect, isolation_level="READ COMMITTED", pool_pre_ping=True)

        def on_begin(connection: Connection) -> None:
            # LOCAL: a pooler between us and the server may hand the next transaction another connection.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(wait_s * 1000))}")

        event.listen(engine, "begin", on_begin)
        return engine

    def gate(self, engine: Engine, wait_s: float) -> AbstractContextManager[None]:  # noqa: ARG002 the server queues
        return nullcontext()

    def lock_head(self, connection: Connection) -> None:
        connection.exec_driver_sql("LOCK TABLE head IN EXCLUSIVE MODE")

    def lock_schema(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")

    def append_only(self, table: str) -> tuple[str, ...]:
        refuse = f"{table}_append_only()"
        says = f"$$ BEGIN RAISE EXCEPTION '{table} are append-only'; END $$"
        on = f"ON {table} FOR EACH"
        return (
            f"CREATE FUNCTION {refuse} RETURNS trigger LANGUAGE plpgsql AS {says}",
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE {on} ROW EXECUTE FUNCTION {refuse}",
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE {on} STATEMENT EXECUTE FUNCTION {refuse}",
        )

    def trouble(self, error: SQLAlchemyError) -> tuple[str, str]:
        original = error.orig if isinstance(error, DBAPIError) else None
        known = {"55P03": _LOCKED, "42P01": _MISSING}
        return known.get(getattr(original, "sqlstate", None) or "", _other(original or error))


_LOCKED = ("did not give its lock in time", "another process is committing or granting; try again when it is done")
_MISSING = ("has no tables, or those of another version", "migrate it; if it is new, check its address first")


def _other(error: BaseException) -> tuple[str, str]:
    return f"does not answer: {str(error).strip().splitlines()[0]}", "nothing is decided until it can be read again"


_DIALECTS: dict[str, Dialect] = {"sqlite": _Sqlite(), "postgresql": _PostgreSql()}


def dialect_of(name: str) -> Dialect:
    """Return the dialect of a name as SQLAlchemy gives it. Raises Refused for a database that is not supported."""
    dialect = _DIALECTS.get(name)
    if dialect is None:
        raise Refused(f"{name} cannot hold an authority store", hint=f"use one of {', '.join(_DIALECTS)}")
    return dialect


def engine_for(url: str, wait_s: float) -> Engine:
    """Return an engine for an address with its driver: sqlite+pysqlite:///FILE or postgresql+psycopg://….

    Waits at most `wait_s` seconds for a lock. Raises Refused for an address that is none or not supported.
    """
    try:
        address = make_url(url)
    except ArgumentError:  # its text would repeat the address with the password
        raise Refused("the address of the authority store is none", hint="sqlite+pysqlite:///FILE") from None
    return dialect_of(address.get_backend_name()).engine(address, wait_s)


def alone(engine: Engine) -> Engine:
    """Return the same engine for transactions that are to hold an exclusive lock."""
    return engine.execution_options(**{_EXCLUSIVE: True})
