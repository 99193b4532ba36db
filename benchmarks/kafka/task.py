"""The task of every system: four source logs in, an event for each change of status out, exactly once.

Peers map row by row: they skip BEGIN and END, know nothing of transactions, relations, authority or accounts, and
write flat events. That is less than the bridge does; the figures say so.
"""

from __future__ import annotations

import os
from typing import Any

SOURCES = 4
LOGS = tuple(os.environ.get("BENCH_LOGS", ",".join(f"bench.source{n}.log" for n in range(SOURCES))).split(","))
STATUS = {"P": "placed", "C": "confirmed", "S": "shipped", "X": "cancelled"}
EVENT_OF = {"P": "OrderReopened", "C": "OrderConfirmed", "S": "OrderShipped", "X": "OrderCancelled"}

BOOTSTRAP = os.environ.get("BENCH_BOOTSTRAP", "")
GROUP = os.environ.get("BENCH_GROUP", "")
OUT = os.environ.get("BENCH_OUT", "")
COMMIT_S = float(os.environ.get("BENCH_COMMIT_S", "1.0"))

CONSUMER = {
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 65_536,
    "fetch.queue.backoff.ms": 5,
}
PRODUCER = {
    "linger.ms": 5,
    "queue.buffering.max.messages": 1_000_000,
    "batch.num.messages": 10_000,
    "compression.type": "lz4",
}


def changed(row: dict[str, Any]) -> bool:
    """Say whether a record is a row whose status changed."""
    return row.get("op") == "u" and row["before"]["stat"] != row["after"]["stat"]


def event(row: dict[str, Any]) -> dict[str, Any]:
    """Return the event of such a row, as the peers write it."""
    before, after, source = row["before"], row["after"], row["source"]
    return {
        "specversion": "1.0",
        "id": f"{source['name']}:{source['txId']}:{source['lsn']}:{EVENT_OF[after['stat']]}:order-{after['order_id']}",
        "type": EVENT_OF[after["stat"]],
        "source": source["name"],
        "subject": f"order-{after['order_id']}",
        "time": source["ts_us"],
        "data": {
            "from": STATUS[before["stat"]],
            "to": STATUS[after["stat"]],
            "customer": f"customer-{after['cust_id']}",
            "total": {"amount": after["tot_amt"], "currency": "EUR"},
        },
    }
