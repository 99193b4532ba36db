"""What the monolith's own memory holds of its database: enough to choose what to do next without asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from figbridge.demo.monolith.invent import CARRIERS
from figbridge.demo.monolith.ledger import Level

if TYPE_CHECKING:
    from psycopg import Connection

STATUS = {"P": "placed", "C": "confirmed", "S": "shipped", "X": "cancelled"}
METHOD = {"C": "card", "I": "invoice", "T": "transfer"}
MOVE = {"A": "authorised", "D": "debited", "R": "refunded"}
SEGMENT = {"PRV": "private", "B2B": "business", "EMP": "employee"}


def money(amount: Decimal) -> dict[str, str]:
    """Return an amount as events tell it."""
    return {"amount": str(amount), "currency": "EUR"}


@dataclass(slots=True)
class Address:
    """A row of shop.addresses."""

    key: int
    first: str
    last: str
    txt: str

    def told(self) -> dict[str, Any]:
        """Return the address as events tell it."""
        lines = self.txt.splitlines()
        parts = lines[1].split(None, 1) if len(lines) == 2 else []
        read = {"street": lines[0], "postcode": parts[0], "city": parts[1]} if len(parts) == 2 else {"raw": self.txt}
        return {"name": f"{self.first} {self.last}", "text": read}


@dataclass(slots=True)
class Line:
    """A row of shop.order_lines."""

    item: str
    qty: int
    price: Decimal


@dataclass(slots=True)
class Move:
    """A row of shop.payment_moves."""

    key: int
    kind: str
    amount: Decimal


@dataclass(slots=True)
class Payment:
    """A row of shop.payments, with its moves."""

    key: int
    method: str
    amount: Decimal
    moves: list[Move] = field(default_factory=list)

    def has(self, kind: str) -> bool:
        """Say whether money moved in this way."""
        return any(m.kind == kind for m in self.moves)


@dataclass(slots=True)
class Order:
    """A row of shop.orders, with its lines and payments. A spoiled one broke a rule and is left alone by `trade`."""

    key: int
    number: int
    customer: int | None
    status: str
    total: Decimal
    address: int
    carrier: int | None
    notes: str | None = None
    lines: dict[int, Line] = field(default_factory=dict)
    payments: list[Payment] = field(default_factory=list)
    history: int = 1
    """How many rows of its history there are."""
    spoiled: bool = False

    @property
    def subject(self) -> str:
        """Return the id by which the world knows the order."""
        return f"order-{self.number}"

    @property
    def carrier_code(self) -> str | None:
        """Return the code of the carrier."""
        return None if self.carrier is None else CARRIERS[self.carrier][0]

    @property
    def is_open(self) -> bool:
        """Say whether the order may still change."""
        return self.status in "PC"


@dataclass(slots=True)
class Shipment:
    """A row of shop.shipments."""

    key: int
    number: int
    """The number of its order."""
    carrier: int
    status: str
    parcel: str | None = None

    @property
    def told_carrier(self) -> str:
        """Return the code of the carrier."""
        return CARRIERS[self.carrier][0]


@dataclass(slots=True)
class Customer:
    """A row of shop.customers."""

    key: int
    name: str
    email: str
    segment: str
    newsletter: bool


@dataclass(slots=True)
class Book:
    """Everything the monolith knows, by the key the outside would use; `last` holds the last key of each table."""

    orders: dict[int, Order] = field(default_factory=dict)
    """By number."""
    addresses: dict[int, Address] = field(default_factory=dict)
    shipments: dict[int, Shipment] = field(default_factory=dict)
    customers: dict[int, Customer] = field(default_factory=dict)
    stock: dict[str, Level] = field(default_factory=dict)
    pointing: dict[int, set[int]] = field(default_factory=dict)
    """Address → the numbers of the orders that point at it."""
    numbers: list[int] = field(default_factory=list)
    """The numbers of all orders, oldest first."""
    last: dict[str, int] = field(default_factory=dict)

    def next(self, table: str) -> int:
        """Return the next key of a table; a key that was taken for nothing stays unused."""
        self.last[table] = self.last.get(table, 0) + 1
        return self.last[table]

    def add(self, order: Order) -> None:
        """Enter an order."""
        self.orders[order.number] = order
        self.numbers.append(order.number)
        self.pointing.setdefault(order.address, set()).add(order.number)

    def drop(self, order: Order) -> None:
        """Forget an order."""
        del self.orders[order.number]
        self.numbers.remove(order.number)
        self.pointing[order.address].discard(order.number)

    def repoint(self, order: Order, address: int) -> None:
        """Enter that an order points at another address."""
        self.pointing[order.address].discard(order.number)
        self.pointing.setdefault(address, set()).add(order.number)
        order.address = address

    def at(self, address: int) -> list[Order]:
        """Return the orders that point at an address, oldest first."""
        return [self.orders[n] for n in sorted(self.pointing.get(address, ()))]

    def shipments_of(self, order: Order) -> list[Shipment]:
        """Return the shipments of an order."""
        return [s for s in self.shipments.values() if s.number == order.number]


_LAST = {
    "orders": "SELECT coalesce(max(number) - 1000, 0) FROM shop.orders",
    "addresses": "SELECT coalesce(max(addr_id), 0) FROM shop.addresses",
    "payments": "SELECT coalesce(max(pay_id), 0) FROM shop.payments",
    "payment_moves": "SELECT coalesce(max(move_id), 0) FROM shop.payment_moves",
    "shipments": "SELECT coalesce(max(ship_id), 0) FROM shop.shipments",
    "customers": "SELECT coalesce(max(cust_id), 0) FROM shop.customers",
    "order_history": "SELECT coalesce(max(hist_id), 0) FROM shop.order_history",
    "ledger": "SELECT coalesce(max(seq), 0) FROM shop.ledger",
    "tx": "SELECT coalesce(max(tx), 0) FROM shop.ledger",
}


def read(connection: Connection[tuple[Any, ...]]) -> Book:
    """Read the book of a database that somebody traded in before, in the order in which it was written."""
    book = Book()
    for table, query in _LAST.items():
        row = connection.execute(query).fetchone()
        book.last[table] = row[0] if row else 0
    for row in connection.execute("SELECT addr_id, first, last, txt FROM shop.addresses ORDER BY 1"):
        book.addresses[row[0]] = Address(*row)
    for key, name, email, segment, news in connection.execute(
        "SELECT cust_id, name, email, trim(seg), news FROM shop.customers ORDER BY 1"
    ):
        book.customers[key] = Customer(key, name, email, segment, newsletter=news in ("J", 1))
    for item, on_hand, reserved in connection.execute(
        "SELECT trim(item_cd), on_hand, reserved FROM shop.stock ORDER BY 1"
    ):
        book.stock[item] = Level(on_hand, reserved)
    _read_orders(connection, book)
    return book


def _read_orders(connection: Connection[tuple[Any, ...]], book: Book) -> None:
    by_key: dict[int, Order] = {}
    for row in connection.execute(
        "SELECT order_id, number, cust_id, stat, tot_amt, ship_addr_id, carrier_id, notes"
        " FROM shop.orders ORDER BY number"
    ):
        order = by_key[row[0]] = Order(*row)
        order.spoiled = order.status not in STATUS
        book.add(order)
    for key, no, item, qty, price in connection.execute(
        "SELECT order_id, line_no, trim(item_cd), qty, prc FROM shop.order_lines ORDER BY 1, 2"
    ):
        by_key[key].lines[no] = Line(item, qty, price)
    for key, count in connection.execute("SELECT order_id, count(*) FROM shop.order_history GROUP BY 1"):
        by_key[key].history = count
    payments: dict[int, Payment] = {}
    for key, pay, method, amount in connection.execute(
        "SELECT order_id, pay_id, meth, amt FROM shop.payments ORDER BY pay_id"
    ):
        payments[pay] = Payment(pay, method, amount)
        by_key[key].payments.append(payments[pay])
    for pay, *move in connection.execute("SELECT pay_id, move_id, typ, amt FROM shop.payment_moves ORDER BY move_id"):
        payments[pay].moves.append(Move(*move))
    for row in connection.execute(
        "SELECT s.ship_id, o.number, s.carrier_id, s.stat, s.parcel_no"
        " FROM shop.shipments s JOIN shop.orders o USING (order_id) ORDER BY 1"
    ):
        book.shipments[row[0]] = Shipment(*row)
