"""One connection to the file: patient with locks, safe between threads, and silent about sqlite3."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from threading import Event, Lock, RLock
from time import monotonic
from typing import Any, Final

from figbridge.adapters.sqlite.failures import HOLDER, is_busy, translated
from figbridge.adapters.sqlite.schema import APPLICATION_ID, PAGE_BYTES, TABLES, VERSION
from figbridge.errors import Unreachable

_NAP_S: Final = 0.02
"""How long SQLite itself waits for a lock. Its naps grow to 100 ms, so that a process in a tight loop starves the
others; within 20 ms they stay at 10 ms and less, and the loop around it is as patient as we want."""

_WAL_BYTES: Final = 16 * 2**20
"""The size at which the write-ahead log is copied into the file. Small: every commit near it waits for two more
fsyncs. Large: every reader searches it, and a start after a crash reads all of it."""

_CACHE_KIB: Final = 32 * 1024


class Durability(StrEnum):
    """Say what a commit survives. Each survives kill -9; only `full` survives a power cut."""

    FULL = "full"
    NORMAL = "normal"


class Database:
    """Hold one connection. Many may be open, in many threads and processes; `writers` queues those of one log.

    Every method raises Unreachable when the file cannot be used, or stays locked for `patience_s`.
    """

    def __init__(self, path: Path, durability: Durability, patience_s: float, writers: Lock) -> None:
        self._path = path
        self._patience_s = patience_s
        self._writers = writers
        self._lock = RLock()
        try:
            self._connection = sqlite3.connect(path, timeout=_NAP_S, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise translated(error, path) from error
        try:
            self._prepare(durability)
        except BaseException:
            self._connection.close()
            raise

    def rows(self, sql: str, arguments: Sequence[object] = ()) -> list[Any]:
        """Run one statement outside any transaction and return all its rows, as tuples."""
        with self._lock:
            try:
                return self._patiently(sql, arguments)
            except sqlite3.Error as error:
                raise translated(error, self._path) from error

    def version(self) -> int:
        """Return a number that differs after another connection, of any process, has changed the file."""
        return int(self.rows("PRAGMA data_version")[0][0])

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock: what is done inside becomes durable at the end, or nothing does."""
        # Threads of one log queue here and take over at once, instead of napping at the file's lock.
        if not self._writers.acquire(timeout=self._patience_s):
            raise self._locked()
        try:
            with self._lock, self._transaction() as connection:
                yield connection
        finally:
            self._writers.release()

    def close(self) -> None:
        """Close the connection; do nothing when it is closed."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        try:
            # Immediate: a transaction that reads first and writes later could not get the lock without a retry.
            self._patiently("BEGIN IMMEDIATE", ())
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # after some errors SQLite has rolled back by itself
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise translated(error, self._path) from error

    def _patiently(self, sql: str, arguments: Sequence[object]) -> list[Any]:
        deadline = None
        while True:
            try:
                return self._connection.execute(sql, arguments).fetchall()
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                now = monotonic()
                deadline = deadline or now + self._patience_s
                if now >= deadline:
                    raise self._locked() from error
                Event().wait(0.001)  # some locks are refused at once, without SQLite's own wait

    def _locked(self) -> Unreachable:
        return Unreachable(
            f"the log {self._path} was locked by another writer for {self._patience_s:g} s",
            hint=HOLDER,
            path=str(self._path),
        )

    def _prepare(self, durability: Durability) -> None:
        """Make the file a log if it is empty; touch nothing in a file that is something else."""
        # In this order: another process may be making the log between the two looks, tables and id in one transaction.
        filled = self.rows("SELECT 1 FROM sqlite_master LIMIT 1")
        if filled and self.rows("PRAGMA application_id") != [(APPLICATION_ID,)]:
            raise self._foreign("is a database of another program", "name another file; this one was not changed")
        self.rows(f"PRAGMA page_size = {PAGE_BYTES}")  # only a file without pages takes it
        if self.rows("PRAGMA journal_mode = WAL") != [("wal",)]:
            raise self._foreign("cannot have a write-ahead log", "put it on a local disk")
        self.rows(f"PRAGMA synchronous = {durability.value}")
        self.rows(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self.rows(f"PRAGMA wal_autocheckpoint = {_WAL_BYTES // PAGE_BYTES}")
        self.rows(f"PRAGMA journal_size_limit = {4 * _WAL_BYTES}")  # a slow reader may have let it grow
        if self._schema_version() == 0:
            with self.writing() as connection:
                if self._schema_version() == 0:  # another process may have been first
                    for table in TABLES:
                        connection.execute(table)
                    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    connection.execute(f"PRAGMA user_version = {VERSION}")
        if self._schema_version() != VERSION:
            found = self._schema_version()
            raise self._foreign(f"has format {found}, not {VERSION}", "use the figbridge that wrote it")

    def _schema_version(self) -> int:
        return int(self.rows("PRAGMA user_version")[0][0])

    def _foreign(self, what: str, hint: str) -> Unreachable:
        return Unreachable(f"the log {self._path} {what}", hint=hint, path=str(self._path))
