"""The delivery service: the successor of the shop for where orders go and who carries them.

It has a schema of its own, `delivery`: a small store and an outbox, written together. What it says has the form of the
shop's own events, so that consumers of the domain topic notice nothing when the word passes to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from uuid import UUID

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

SCHEMA = """
CREATE SCHEMA delivery;
CREATE TABLE delivery.deliveries (
    order_id   varchar(60) PRIMARY KEY,  -- as the world knows it: order-1007
    ship_to    jsonb,
    carrier    varchar(10),
    version    integer NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE delivery.outbox (
    id            uuid PRIMARY KEY,
    aggregatetype varchar(60) NOT NULL,
    aggregateid   varchar(60) NOT NULL,
    type          varchar(60) NOT NULL,
    payload       jsonb NOT NULL,
    created_at    timestamptz NOT NULL
);
"""

Address = Mapping[str, Any]
"""What events tell as shipTo: {"name": …, "text": {"street", "postcode", "city"}}, or {"raw": …} as the text."""


class Delivery(NamedTuple):
    """A row of the store: where an order goes and who carries it."""

    order: str
    ship_to: dict[str, Any] | None
    carrier: str | None
    version: int


class Said(NamedTuple):
    """A row of the outbox: one event of the service."""

    id: str
    aggregate: str
    subject: str
    type: str
    payload: dict[str, Any]


class Unknown(LookupError):
    """The service has never heard of this order."""


class DeliveryService:
    """Keep deliveries in a database and say each change of them through the outbox, in one transaction.

    Orders are named as the world knows them (`order-1007`). Event ids come from `rng`, times from `clock` (aware).
    """

    def __init__(self, dsn: str, rng: Random, clock: Callable[[], datetime]) -> None:
        self.dsn = dsn
        self.rng = rng
        self.clock = clock
        self._connection: Connection[tuple[Any, ...]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next operation opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> Connection[tuple[Any, ...]]:
        """Return the service's connection; psycopg (extra `embedded`) is imported when it is first opened."""
        if self._connection is None:
            import psycopg

            self._connection = psycopg.connect(self.dsn, autocommit=True, application_name="delivery")
        return self._connection

    def create_schema(self) -> None:
        """Create the service's tables."""
        self.connection.execute(SCHEMA)

    def accept(self, order: str, ship_to: Address | None, carrier: str | None = None) -> None:
        """Take an order over as somebody else told it; nothing is said. A known order is overwritten."""
        with self._transaction() as cursor:
            cursor.execute(
                "INSERT INTO delivery.deliveries VALUES (%s, %s, %s, 1, %s) ON CONFLICT (order_id) DO UPDATE SET"
                " ship_to = excluded.ship_to, carrier = excluded.carrier, version = deliveries.version + 1,"
                " updated_at = excluded.updated_at",
                (order, _json(ship_to), carrier, self.clock()),
            )

    def readdress(self, order: str, ship_to: Address) -> UUID:
        """Send an order elsewhere and say so; returns the event's id. Raises Unknown."""
        with self._transaction() as cursor:
            known = _locked(cursor, order)
            self._store(cursor, order, "ship_to", _json(ship_to))
            return self._say(cursor, order, "OrderReaddressed", {"shipTo": ship_to, "before": known.ship_to})

    def assign_carrier(self, order: str, carrier: str) -> UUID:
        """Choose who carries an order and say so; returns the event's id. Raises Unknown."""
        with self._transaction() as cursor:
            _locked(cursor, order)
            self._store(cursor, order, "carrier", carrier)
            return self._say(cursor, order, "CarrierAssigned", {"carrier": carrier})

    def find(self, order: str) -> Delivery | None:
        """Return what the store holds of an order."""
        row = self.connection.execute(f"{_SELECT} WHERE order_id = %s", (order,)).fetchone()
        return None if row is None else Delivery(*row)

    def deliveries(self) -> list[Delivery]:
        """Return the whole store, by order."""
        return [Delivery(*row) for row in self.connection.execute(f"{_SELECT} ORDER BY order_id")]

    def said(self) -> list[Said]:
        """Return the outbox, oldest first."""
        query = "SELECT id::text, aggregatetype, aggregateid, type, payload FROM delivery.outbox ORDER BY created_at"
        return [Said(*row) for row in self.connection.execute(query)]

    @contextmanager
    def _transaction(self) -> Iterator[Cursor[tuple[Any, ...]]]:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            yield cursor

    def _store(self, cursor: Cursor[tuple[Any, ...]], order: str, column: str, value: str) -> None:
        cursor.execute(
            f"UPDATE delivery.deliveries SET {column} = %s, version = version + 1, updated_at = %s WHERE order_id = %s",  # noqa: S608
            (value, self.clock(), order),
        )

    def _say(self, cursor: Cursor[tuple[Any, ...]], order: str, kind: str, payload: Mapping[str, Any]) -> UUID:
        event = UUID(int=self.rng.getrandbits(128), version=4)
        cursor.execute(
            "INSERT INTO delivery.outbox VALUES (%s, 'Order', %s, %s, %s, %s)",
            (event, order, kind, _json(payload), self.clock()),
        )
        return event


_SELECT = "SELECT order_id, ship_to, carrier, version FROM delivery.deliveries"


def _locked(cursor: Cursor[tuple[Any, ...]], order: str) -> Delivery:
    row = cursor.execute(f"{_SELECT} WHERE order_id = %s FOR UPDATE", (order,)).fetchone()
    if row is None:
        raise Unknown(order)
    return Delivery(*row)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
