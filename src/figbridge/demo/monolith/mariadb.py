"""A connection to MariaDB that takes what the shop's code says to PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pymysql import Connection as Raw

# An old shop: a date may be zero, and what does not fit is cut off without a word.
_FIRST: Final = "SET SESSION sql_mode = ''"


def connect(dsn: str, name: str) -> Connection:
    """Open a connection to `mariadb://user:password@host:port`; every transaction is begun by name."""
    import pymysql

    at = urlsplit(dsn)
    return Connection(
        pymysql.connect(
            host=at.hostname or "127.0.0.1",
            port=at.port or 3306,
            user=unquote(at.username or ""),
            password=unquote(at.password or ""),
            charset="utf8mb4",
            autocommit=True,
            program_name=name,
            init_command=_FIRST,
        )
    )


class Cursor:
    """Run statements; a list that PostgreSQL compares with ANY is one that MariaDB looks IN."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raw.close()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run one statement."""
        # An empty list is no SQL; nothing is equal to NULL.
        told = [tuple(v) or (None,) if isinstance(v, list) else v for v in values]
        self._raw.execute(statement.replace("= ANY(%s)", "IN %s"), told)


class Connection:
    """What the shop uses of a connection. There is no pipeline: each statement is a journey."""

    def __init__(self, raw: Raw[Any]) -> None:
        self._raw = raw

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Say whether it is closed."""
        return not self._raw.open

    def execute(self, statement: str | bytes, values: Sequence[Any] = ()) -> Any:
        """Run one statement and return its rows."""
        cursor = self._raw.cursor()
        cursor.execute(statement.decode() if isinstance(statement, bytes) else statement, tuple(values) or None)
        return cursor

    def cursor(self) -> Cursor:
        """Return a cursor."""
        return Cursor(self._raw.cursor())

    def pipeline(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()

    def rollback(self) -> None:
        """Undo what is not committed."""
        self._raw.rollback()

    def close(self) -> None:
        """Close it."""
        if self._raw.open:
            self._raw.close()
