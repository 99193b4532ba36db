"""The store's PostgreSQL goes away while its head is held: what failed is told, never the driver's own error."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from figbridge.adapters.sql.authority_store import SqlAuthorityStore
from figbridge.errors import Unreachable
from integration.conftest import new_database as new_database
from integration.conftest import postgres_server as postgres_server

pytestmark = pytest.mark.embedded


@pytest.fixture
def store(new_database: Callable[[], str]) -> Iterator[tuple[SqlAuthorityStore, Callable[[], None]]]:
    """A store, and how to cut everybody's connection to it."""
    url = new_database()

    def cut() -> None:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with SqlAuthorityStore(url.replace("postgresql://", "postgresql+psycopg://")) as made:
        made.migrate()
        yield made, cut


def test_a_lost_connection_does_not_hide_what_failed_inside(
    store: tuple[SqlAuthorityStore, Callable[[], None]],
) -> None:
    """What the work inside raises comes out; the store can be used again."""
    made, cut = store

    def work() -> None:
        cut()
        raise KeyError

    with pytest.raises(KeyError), made.shared():
        work()
    assert made.version() == 0


def test_a_connection_that_is_lost_at_the_end_is_told_as_unreachable(
    store: tuple[SqlAuthorityStore, Callable[[], None]],
) -> None:
    """The lock was gone before the end: nobody may believe that no grant came between."""
    made, cut = store
    with pytest.raises(Unreachable), made.shared():
        cut()
    assert made.version() == 0
