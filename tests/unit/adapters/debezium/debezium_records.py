"""Real captured records for tests: one file per case, as Debezium wrote them."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path

from figbridge.domain.change import Decoded, RowChange
from figbridge.mapping.rows import make_shape
from figbridge.ports import Record

ROOT = Path(__file__).parents[3] / "fixtures" / "debezium"
FILES = sorted(str(p.relative_to(ROOT)) for p in ROOT.rglob("*.jsonl*"))

ORDERS = make_shape(
    "shop.orders",
    ["order_id"],
    ["order_id", "cust_id", "stat", "tot_amt", "crt_dt", "upd_dt", "row_ver", "addr_txt", "flag2", "notes"],
)
ORDER = {
    "order_id": 10,
    "cust_id": 42,
    "stat": "P",
    "tot_amt": "19.90",
    "crt_dt": 1717236000000000,
    "upd_dt": 1717236000000000,
    "row_ver": 1,
    "addr_txt": "Hauptstr. 1\n10115 Berlin",
    "flag2": "N",
    "notes": None,
}
"""The order that most cases insert."""


def compact(document: object) -> bytes | None:
    """Write JSON as Debezium does."""
    return None if document is None else json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


@cache
def records(name: str) -> tuple[Record, ...]:
    """Return the records of a fixture file in the order of its lines, on the topics they came on."""
    path = ROOT / name
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")
    found = []
    for line in text.split("\n"):
        if line:
            r = json.loads(line)
            headers = tuple((name, None if text is None else text.encode()) for name, text in r["headers"])
            key, value = compact(r["key"]), compact(r["value"])
            found.append(Record(r["topic"], r["partition"], r["offset"], key, value, headers, r["timestamp"]))
    return tuple(found)


@cache
def shapes(name: str):
    """Return a shape for each table with rows in a fixture file, with all its columns and its real primary key."""
    columns: dict[str, dict[str, None]] = {}
    keys = {"shop.order_lines": ["order_id", "line_no"]}
    for record in records(name):
        document = json.loads(record.value or b"{}")
        document = document.get("payload", document)
        if document.get("op") in {"c", "u", "d", "r"}:
            source = document["source"]
            table = f"{source.get('schema') or source['db']}.{source['table']}"
            columns.setdefault(table, {}).update(dict.fromkeys(document["after"] or document["before"]))
    return {t: make_shape(t, keys.get(t, [next(iter(c))]), c) for t, c in columns.items()}


def said(decoded: Decoded) -> tuple[object, ...]:
    """Return all that a record says, its details too, as values that can be compared."""
    if not isinstance(decoded, RowChange):
        return decoded
    detail = decoded.detail
    return (*decoded[:-1], detail.order, detail.at_us, detail.place, detail.snapshot)


def rows(decoded: list[Decoded]) -> list[RowChange]:
    """Return the row changes among decoded records."""
    return [d for d in decoded if isinstance(d, RowChange)]


def with_value(record: Record, change) -> Record:
    """Return a record whose value's document went through a function that edits it in place."""
    document = json.loads(record.value)
    change(document)
    return record._replace(value=compact(document))
