"""One monolith heard by several connectors: what the log of each stream holds of the same transactions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from figbridge.ports import Outgoing
from support.mappings import orders, stock
from support.monolith import Step, compact, insert, update

ORDERS = orders("Placed: {when: appears, tell: [total], fact: order.placement}", "snapshot: OrderKnown")
STOCK = stock("Counted: {when: onHand changes, tell: [onHand], fact: stock.level}", "snapshot: StockKnown")
DOCUMENT = """\
connector: legacy
database: {kind: postgres, host: db, name: shop, user: cdc, password: "${file:/run/secrets/shop:password}"}
log: {retention: 30d}
kafka: {servers: "kafka:9092"}
streams: {sales: [orders], goods: [stock]}
"""
TABLES = {"sales": {"orders", "order_lines", "addresses", "payments", "payment_moves", "carriers"}, "goods": {"stock"}}


def heard(records: Iterable[Outgoing], tables: Collection[str], topic: str) -> Iterator[Outgoing]:
    """Yield what a connector of some tables says of transactions: the rows of its tables, BEGIN where the first of
    them stands, END with their number; nothing of a transaction without any."""
    begin: Outgoing | None = None
    rows = 0
    for record in records:
        body = json.loads(record.value or b"{}")
        if body.get("status") == "BEGIN":
            begin, rows = record, 0
        elif "source" in body and body["source"]["table"] in tables:
            rows += 1
            if begin is not None:
                said = {**json.loads(begin.value or b"{}"), "id": body["transaction"]["id"]}
                yield begin._replace(topic=topic, value=compact(said))
                begin = None
            yield record._replace(topic=topic)
        elif body.get("status") == "END" and rows:
            counts = [{"data_collection": "shop", "event_count": rows}]
            body = {**body, "event_count": rows, "data_collections": counts}
            yield record._replace(topic=topic, value=compact(body))


def item(on_hand: int) -> Step:
    """Insert the article."""
    return insert("stock", item_cd="A1", on_hand=on_hand, reserved=0)


def sale(number: int, on_hand: int) -> tuple[Step, ...]:
    """Place an order and take its article out of stock, as one transaction does."""
    cells = {"order_id": number, "number": number, "stat": "P", "tot_amt": "1.00"}
    return insert("orders", **cells), update("stock", {"item_cd": "A1"}, on_hand=on_hand)
