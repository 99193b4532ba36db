"""A real PostgreSQL for a session, and a fresh database for each test."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.servers import engine_answers

if TYPE_CHECKING:
    import psycopg

_numbers = count(1)


class Server(NamedTuple):
    """Where the session's PostgreSQL is; its user may do everything."""

    host: str
    port: int
    user: str
    password: str

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{database}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Give the session's one PostgreSQL server."""
    with _server() as server:
        yield server


@pytest.fixture
def new_database(postgres_server: Server) -> Iterator[Callable[[], str]]:
    """Give a maker of databases: each call gives the URL of one that nobody has used."""
    import psycopg

    names: list[str] = []
    with psycopg.connect(postgres_server.url(), autocommit=True) as admin:

        def make() -> str:
            names.append(f"test_{next(_numbers)}")
            admin.execute(f"CREATE DATABASE {names[-1]}")
            return postgres_server.url(names[-1])

        yield make
        for name in names:
            _drop(admin, name)


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """Give the URL of a database that no other test has used; it is dropped afterwards with its slots."""
    return new_database()


def _drop(admin: psycopg.Connection[Any], name: str) -> None:
    slots = "SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = %s"
    deadline = time.monotonic() + 90
    while found := admin.execute(slots, [name]).fetchall():
        assert time.monotonic() < deadline, "a slot stays in use"
        for slot, pid in found:
            if pid is None:
                admin.execute("SELECT pg_drop_replication_slot(%s)", [slot])
            else:
                admin.execute("SELECT pg_terminate_backend(%s)", [pid])
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def _server() -> Iterator[Server]:
    """Start PostgreSQL: in a container when an engine for containers answers, else from the wheel. The one choice."""
    if engine_answers():
        from testcontainers.community.postgres import PostgresContainer

        words = "-c wal_level=logical -c track_commit_timestamp=on -c max_replication_slots=20 -c max_wal_senders=20"
        with PostgresContainer("postgres:18", driver=None).with_command(words) as box:
            port = int(box.get_exposed_port(box.port))
            yield Server(box.get_container_host_ip(), port, box.username, box.password)
        return
    from figbridge.adapters.engine.postgres import HOST, USER, PostgresServer

    # Not tmp_path: its parents are closed to the account that the server runs under when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="figbridge-pg-"))
    try:
        with PostgresServer(folder, durable=False) as server:
            yield Server(HOST, server.port, USER, server.password)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
