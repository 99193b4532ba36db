"""Where the two databases that the shop runs on differ: a connection, a schema, and a few values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from psycopg import Connection


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of database, as the shop's code knows it."""

    schema: str
    """The file with the shop's tables."""
    cascades: bool
    """Whether foreign keys move lines with their order. On MariaDB nobody would hear of it, so the shop does it."""
    flags: tuple[Any, Any]
    """How true and false are written."""
    no_date: Any
    """What stands for a date that nobody knows."""
    connect: Callable[[str, str], Connection[tuple[Any, ...]]]
    """Open a connection: address, name. The driver is imported here."""
    split: bool = False
    """Whether statements must come one by one."""

    def flag(self, yes: bool) -> Any:  # noqa: FBT001 — a value that is written
        """Return how a truth is written."""
        return self.flags[0] if yes else self.flags[1]

    def statements(self, text: str) -> list[str]:
        """Return the statements of a file, as the driver takes them."""
        return [part for part in text.split(";\n") if part.strip()] if self.split else [text]


def _postgres(dsn: str, name: str) -> Connection[tuple[Any, ...]]:
    import psycopg

    return psycopg.connect(dsn, autocommit=True, application_name=name)


def _mariadb(dsn: str, name: str) -> Any:
    from figbridge.demo.monolith.mariadb import connect

    return connect(dsn, name)


POSTGRES: Final = Dialect("schema.sql", cascades=True, flags=("J", "N"), no_date=None, connect=_postgres)
MARIADB: Final = Dialect(
    "schema_mariadb.sql", cascades=False, flags=(1, 0), no_date="0000-00-00", connect=_mariadb, split=True
)


def dialect_of(dsn: str) -> Dialect:
    """Return the dialect of an address: `mariadb://…` is MariaDB's, anything else PostgreSQL's."""
    return MARIADB if dsn.startswith("mariadb://") else POSTGRES
