"""The load: Debezium envelopes of a 12-column orders row, about 893 bytes, in transactions with BEGIN and END.

60 % of the updates are a status transition that makes one event, 40 % touch only `upd_dt` and `row_ver`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from random import Random

from figbridge.ports import Record

MAPPING = """
mapping: orders
version: 1
source: {table: shop.orders, key: order_id, before: required}
about: {aggregate: Order, id: "order-{order_id}"}
read:
  status: {code: stat, of: {P: placed, C: confirmed, S: shipped, X: cancelled}, otherwise: park}
  customer: {ref: Customer, from: cust_id}
  total: {money: tot_amt, currency: EUR}
  placedAt: {instant: crt_dt, zone: Europe/Berlin}
  channel: {code: chan, of: {W: web, T: till, A: app}}
  note: {text: notes}
noise: [upd_dt, row_ver]
unused: {flag2: dead, addr_txt: "the address has a table of its own", ext_ref: not needed}
facts:
  order.placement: [customer, total, placedAt, channel]
  order.status: [status]
  order.note: [note]
events:
  OrderPlaced: {when: appears, tell: [customer, total, placedAt, channel], fact: order.placement}
  OrderConfirmed: {when: status placed -> confirmed, tell: [customer, total, channel], fact: order.status}
  OrderShipped: {when: status confirmed -> shipped, tell: [customer, total, channel], fact: order.status}
  OrderCancelled: {when: status any -> cancelled, tell: {from: was.status, total: total}, fact: order.status}
  OrderReopened: {when: status any -> placed, tell: [total], fact: order.status}
silent: [customer changes, total changes, placedAt changes, channel changes, note changes]
never: [disappears]
"""

_NEXT = {"P": "C", "C": "S", "S": "P"}


def envelope(before: dict[str, object], after: dict[str, object], tx: int, end: int, lsn: int, number: int) -> bytes:
    """Return the value of one update, as Debezium's JsonConverter writes it without schemas.

    `end` is where the transaction before it ended, `lsn` where the row itself stands.
    """
    at = 1_795_268_659_078_889 + lsn
    body = {
        "before": before,
        "after": after,
        "source": {
            "version": "3.6.3.Final", "connector": "postgresql", "name": "legacy", "ts_ms": at // 1000,
            "snapshot": None, "db": "retail", "sequence": f'["{end}","{lsn}"]', "ts_us": at,
            "ts_ns": at * 1000, "schema": "shop",
            "table": "orders", "txId": tx, "lsn": lsn, "xmin": None, "origin": None, "origin_lsn": None,
        },
        "transaction": {"id": f"{tx}:{lsn}", "total_order": number, "data_collection_order": number},
        "op": "u", "ts_ms": at // 1000, "ts_us": at, "ts_ns": at * 1000,
    }  # fmt: skip
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


_HEADERS = (
    ("__debezium.context.connectorLogicalName", b"legacy"),
    ("__debezium.context.taskId", b"0"),
    ("__debezium.context.connectorName", b"postgresql"),
    ("__debezium.context.runId", b"01a1fe59-c0c4-760e-8242-d0e476d13d44"),
)


def records(rows: int, topic: str, *, seed: int = 1, orders: int = 20_000) -> Iterator[Record]:
    """Yield the records of at least `rows` updates, in transactions of 1 to 10 rows with their BEGIN and END."""
    rng = Random(seed)
    state: dict[int, dict[str, object]] = {}
    offsets, lsn, made = count(), 537_000_000, 0
    end = lsn
    for tx in count(14_000):
        if made >= rows:
            return
        size = rng.randint(1, 10)
        yield _edge(topic, next(offsets), "BEGIN", f"{tx}:{lsn + 152}", None)  # where its first row stands
        # Each row once: of a row that changes twice in a transaction the bridge tells the net, and peers both.
        for number, order in enumerate(rng.sample(range(1, orders), size), start=1):
            lsn += 152
            before = state.get(order) or _row(order)
            after = {**before, "upd_dt": 1_717_236_000_000_000 + lsn, "row_ver": int(str(before["row_ver"])) + 1}
            if rng.random() < 0.6:
                after["stat"] = _NEXT[str(before["stat"])]
            state[order] = after
            value = envelope(before, after, tx, end, lsn, number)
            yield Record(topic, 0, next(offsets), b'{"order_id":%d}' % order, value, _HEADERS, 1_795_268_659_666)
        made += size
        end = lsn = lsn + 152
        yield _edge(topic, next(offsets), "END", f"{tx}:{lsn}", size)


def _row(order: int) -> dict[str, object]:
    return {
        "order_id": order, "cust_id": order % 997, "stat": "P", "tot_amt": f"{order % 500}.90",
        "crt_dt": 1_717_236_000_000_000, "upd_dt": 1_717_236_000_000_000, "row_ver": 1, "addr_txt": None,
        "flag2": "N", "notes": None, "chan": "W", "ext_ref": None,
    }  # fmt: skip


def _edge(topic: str, offset: int, status: str, identity: str, events: int | None) -> Record:
    tables = None if events is None else [{"data_collection": "shop.orders", "event_count": events}]
    body = {"status": status, "id": identity, "event_count": events, "data_collections": tables, "ts_ms": 1795268659078}
    return Record(
        topic,
        0,
        offset,
        json.dumps({"id": identity}).encode(),
        json.dumps(body, separators=(",", ":")).encode(),
        (),
        1_795_268_659_666,
    )
