"""The desk every operation works at: a connection, one transaction at a time, the ledger, the clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from figbridge.demo.monolith import book as books
from figbridge.demo.monolith.dialect import dialect_of
from figbridge.demo.monolith.ledger import Happening, Level, stock_happenings

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

BERLIN = ZoneInfo("Europe/Berlin")


class NothingToDo(Exception):
    """There is no row that this operation could be done to."""


class Ticks:
    """A clock that goes on by a step each time it is read.

    >>> clock = Ticks(datetime(2024, 6, 1, 8, tzinfo=UTC), timedelta(seconds=7))
    >>> clock().isoformat(), clock().isoformat()
    ('2024-06-01T08:00:00+00:00', '2024-06-01T08:00:07+00:00')
    """

    def __init__(self, start: datetime, step: timedelta = timedelta(seconds=1)) -> None:
        self._next = start
        self._step = step

    def __call__(self) -> datetime:
        """Return the time and go on."""
        now = self._next
        self._next += self._step
        return now


def instant(wall: datetime) -> str:
    """Return what a wall clock of Berlin says to whoever cannot ask: the earlier instant, in UTC."""
    return wall.replace(tzinfo=BERLIN, fold=0).astimezone(UTC).isoformat().replace("+00:00", "Z")


class Transaction:
    """One transaction of the shop: statements, the rows of captured tables they change, and what happened."""

    def __init__(self, cursor: Cursor[tuple[Any, ...]], op: str, wall: datetime, stock: dict[str, Level]) -> None:
        self.wall = wall
        self.changes = 0
        self.op = op
        self.happenings: list[tuple[str, str, dict[str, Any]]] = []
        self.levels: dict[str, Level] = {}
        self._stock = stock
        self._cursor = cursor

    def run(self, statement: str, *values: Any, rows: int = 1) -> None:
        """Run a statement that changes `rows` rows of captured tables."""
        self._cursor.execute(statement, values)
        self.changes += rows

    def many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement once for each row of values."""
        for row in rows:
            self.run(statement, *row)

    def happened(self, kind: str, subject: str, /, **data: Any) -> None:
        """Enter a happening into the ledger."""
        self.happenings.append((kind, subject, data))

    def move_stock(self, item: str, *, on_hand: int = 0, reserved: int = 0) -> None:
        """Add to an article's counters, as the shop does: by a delta, naming no order."""
        self.run(
            "UPDATE shop.stock SET on_hand = on_hand + %s, reserved = reserved + %s, upd_dt = %s WHERE item_cd = %s",
            on_hand, reserved, self.wall, item,
        )  # fmt: skip
        was = self.levels.get(item, self._stock[item])
        self.levels[item] = Level(was.on_hand + on_hand, was.reserved + reserved)

    def close(self) -> None:
        """Enter the net change of each article's counters."""
        for item, level in self.levels.items():
            for kind, data in stock_happenings(self._stock[item], level):
                self.happened(kind, f"stock-{item}", **data)


class Desk:
    """What every operation needs. Only one desk may write to a database at a time: it knows the rows by heart.

    The book is read from the database at the first operation. `clock` gives aware times.
    """

    def __init__(self, dsn: str, rng: Random, clock: Callable[[], datetime]) -> None:
        self.dsn = dsn
        self.dialect = dialect_of(dsn)
        self.rng = rng
        self.clock = clock
        self.committed_changes = 0
        self._ledger: list[Happening] = []
        self._connection: Connection[tuple[Any, ...]] | None = None
        self._book: books.Book | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and forget the rows; the next operation opens another and reads them again."""
        self._book = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> Connection[tuple[Any, ...]]:
        """Return the shop's own connection."""
        if self._connection is None:
            self._connection = connect(self.dsn, "shop")
        return self._connection

    @property
    def book(self) -> books.Book:
        """Return what the shop knows of its rows."""
        if self._book is None:
            self._book = books.read(self.connection)
        return self._book

    def create_schema(self) -> None:
        """Create the shop's tables in an empty database."""
        ddl = resources.files("figbridge.demo.monolith").joinpath(self.dialect.schema).read_text(encoding="utf-8")
        for statement in self.dialect.statements(ddl):
            self.connection.execute(statement.encode())

    def ledger(self) -> list[Happening]:
        """Return what this object committed, in commit order."""
        return list(self._ledger)

    def stored_ledger(self) -> list[Happening]:
        """Return what the database says was committed: the truth after a crash."""
        query = "SELECT seq, tx, op, type, subject, data FROM shop.ledger ORDER BY seq"
        return [
            # MariaDB's json is text.
            Happening(seq, tx, op, kind, subject, json.loads(data) if isinstance(data, str) else data)
            for seq, tx, op, kind, subject, data in self.connection.execute(query)
        ]

    @contextmanager
    def transaction(self, op: str, connection: Connection[tuple[Any, ...]] | None = None) -> Iterator[Transaction]:
        """Run one transaction; what it says happened is committed with it, and entered only once it is."""
        book, on = self.book, connection or self.connection
        wall = self.clock().astimezone(BERLIN).replace(tzinfo=None)
        number = book.next("tx")
        try:
            with on.pipeline(), on.cursor() as cursor:  # one journey to the server and back, COMMIT included
                cursor.execute("BEGIN")
                tx = Transaction(cursor, op, wall, book.stock)
                yield tx
                tx.close()
                entries = [
                    Happening(seq, number, op, kind, subject, json.loads(json.dumps(data)))
                    for seq, (kind, subject, data) in enumerate(tx.happenings, start=book.last["ledger"] + 1)
                ]
                for entry in entries:
                    cursor.execute("INSERT INTO shop.ledger VALUES (%s, %s, %s, %s, %s, %s)", entry.row())
                cursor.execute("COMMIT")
        except BaseException:
            if not on.closed:
                on.rollback()
            raise
        book.last["ledger"] += len(entries)
        book.stock.update(tx.levels)
        self._ledger += entries
        self.committed_changes += tx.changes

    def pick(self, wanted: Callable[[books.Order], bool], number: int | None = None) -> books.Order:
        """Return the order with this number, or any that is wanted; raises NothingToDo."""
        orders, numbers = self.book.orders, self.book.numbers
        if number is not None:
            return orders[number]
        for _ in range(20 if numbers else 0):
            order = orders[self.rng.choice(numbers)]
            if not order.spoiled and wanted(order):
                return order
        found = [o for o in orders.values() if not o.spoiled and wanted(o)]
        if not found:
            raise NothingToDo
        return self.rng.choice(found)


def connect(dsn: str, name: str) -> Connection[tuple[Any, ...]]:
    """Open a connection on which every transaction is begun by name; its driver is imported here."""
    return dialect_of(dsn).connect(dsn, name)
