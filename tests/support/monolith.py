"""A monolith without a server: tables in, transactions out, as Debezium writes them into one source log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from figbridge.ports import Outgoing

UNAVAILABLE_TEXT = "__debezium_unavailable_value"
EPOCH_MS = 1_795_268_659_078


class Step(NamedTuple):
    """One statement: `where` holds the key of the row, `cells` what is written."""

    op: str
    table: str
    where: Mapping[str, Any]
    cells: Mapping[str, Any]


def insert(table: str, **cells: Any) -> Step:
    """Insert a row; columns that are not given are null."""
    return Step("insert", table, cells, cells)


def update(table: str, where: Mapping[str, Any], **cells: Any) -> Step:
    """Update the row with this key; a key column among the cells re-keys it."""
    return Step("update", table, where, cells)


def delete(table: str, **where: Any) -> Step:
    """Delete the row with this key."""
    return Step("delete", table, where, {})


def compact(document: object) -> bytes:
    """Write JSON as Debezium does."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass
class Monolith:
    """Tables (name without schema → key and columns) and what a connector says of them.

    `full` is REPLICA IDENTITY FULL; otherwise an update has no old row, and a delete's is made up but for its key.
    `toast` are columns that an update leaves out of its new row unless it writes them.
    """

    tables: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    full: bool = True
    toast: frozenset[str] = frozenset()
    topic: str = "figbridge.legacy.log"
    schema: str = "shop"
    run: str = "run-1"
    lsn: int = 1000
    tx: int = 0
    rows: dict[tuple[str, tuple[Any, ...]], dict[str, Any]] = field(default_factory=dict)
    last_end: int | None = None
    written: Counter[str] = field(default_factory=Counter)
    """How many records of each table were written since the last END."""

    # --- transactions ----------------------------------------------------------------------------

    def transaction(self, *steps: Step) -> list[Outgoing]:
        """Commit the steps as one transaction: BEGIN, its rows, END."""
        rows = self.begin(*steps)
        return [*rows, self.end(len([r for r in rows[1:] if r.value is not None]))]

    def begin(self, *steps: Step) -> list[Outgoing]:
        """Write BEGIN and the rows, and leave the transaction open."""
        self.tx += 1
        return [self.edge("BEGIN", place=self.lsn + 8), *self.statements(steps)]

    def statements(self, steps: Iterable[Step]) -> list[Outgoing]:
        """Write the rows of the open transaction."""
        return [record for step in steps for record in self._step(step)]

    def end(self, count: int, tx: int | None = None) -> Outgoing:
        """Write END; `count` is the number of records it announces."""
        self.lsn += 8
        self.last_end = self.lsn
        return self.edge("END", count, tx)

    def edge(
        self, status: str, count: int | None = None, tx: int | None = None, *, place: int | None = None
    ) -> Outgoing:
        """Write BEGIN or END; BEGIN stands where the first row does."""
        identity = f"{tx or self.tx}:{place or self.lsn}"
        each = [{"data_collection": f"{self.schema}.{t}", "event_count": n} for t, n in self.written.items()]
        counts = None if count is None else each
        self.written.clear()
        body = {"status": status, "id": identity, "event_count": count, "data_collections": counts}
        return self._record({"id": identity}, {**body, "ts_ms": EPOCH_MS + self.tx})

    def snapshot(self, *tables: str) -> list[Outgoing]:
        """Write every row of the tables as a snapshot does."""
        found = [(t, k, r) for t in tables for (name, k), r in self.rows.items() if name == t]
        return [self._row(t, "r", None, row, snapshot="true") for t, _, row in found]

    def fill(self, *steps: Step) -> None:
        """Change the tables without a word of it in the log."""
        list(self.statements(steps))

    def heartbeat(self) -> Outgoing:
        """Write a heartbeat."""
        return self._record({"serverName": "legacy"}, {"ts_ms": EPOCH_MS})

    def key(self, table: str, cells: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the key of a row."""
        return tuple(cells[c] for c in self.tables[table][0])

    # --- rows ------------------------------------------------------------------------------------

    def _step(self, step: Step) -> Iterator[Outgoing]:
        columns = self.tables[step.table][1]
        place = (step.table, self.key(step.table, step.where))
        if step.op == "insert":
            row = self.rows[place] = {**dict.fromkeys(columns), **step.cells}
            yield self._row(step.table, "c", None, row)
            return
        before = self.rows.pop(place)
        if step.op == "delete":
            yield self._row(step.table, "d", self._left(step.table, before), None)
            yield self._record(self._key_of(step.table, before), None)
            return
        after = {**before, **step.cells}
        new = (step.table, self.key(step.table, after))
        self.rows[new] = after
        image = {c: UNAVAILABLE_TEXT if c in self.toast - set(step.cells) and v else v for c, v in after.items()}
        if new == place:
            yield self._row(step.table, "u", dict(before) if self.full else None, image)
            return
        moved = [self._key_of(step.table, r) for r in (after, before)]
        yield self._row(step.table, "d", self._left(step.table, before), None, ("__debezium.newkey", moved[0]))
        yield self._record(moved[1], None)
        yield self._row(step.table, "c", None, image, ("__debezium.oldkey", moved[1]))

    def _left(self, table: str, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the `before` of a delete: the whole row, or the key with nulls that Debezium makes up."""
        return dict(before) if self.full else {**dict.fromkeys(before), **self._key_of(table, before)}

    def _key_of(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        return {c: row[c] for c in self.tables[table][0]}

    def _row(
        self,
        table: str,
        op: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
        *headers: tuple[str, Any],
        snapshot: str | None = None,
    ) -> Outgoing:
        self.lsn += 8
        self.written[table] += 1
        ms = EPOCH_MS + self.tx
        previous = None if self.last_end is None else str(self.last_end)
        source = {
            "connector": "postgresql", "name": "legacy", "ts_ms": ms, "snapshot": snapshot, "db": "retail",
            "sequence": json.dumps([previous, str(self.lsn)], separators=(",", ":")), "ts_us": ms * 1000,
            "schema": self.schema, "table": table, "txId": self.tx, "lsn": self.lsn,
        }  # fmt: skip
        transaction = {"id": f"{self.tx}:{self.lsn}", "total_order": 1, "data_collection_order": 1}
        body = {
            "before": before, "after": after, "source": source,
            "transaction": None if snapshot else transaction, "op": op,
        }  # fmt: skip
        key = self._key_of(table, after or before or {})
        said = tuple((name, compact(value)) for name, value in headers)
        return self._record(key, body, *said, ("__debezium.context.runId", self.run.encode()))

    def _record(self, key: Any, value: Any, *headers: tuple[str, bytes]) -> Outgoing:
        body = None if value is None else compact(value)
        return Outgoing(self.topic, compact(key), body, headers, EPOCH_MS + self.tx)


SHOP: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "orders": (
        ("order_id",),
        ("order_id", "number", "stat", "cust_id", "tot_amt", "notes", "ship_addr_id", "carrier_id", "upd_dt"),
    ),
    "order_lines": (("order_id", "line_no"), ("order_id", "line_no", "item_cd", "qty", "prc", "uid")),
    "addresses": (("addr_id",), ("addr_id", "name", "city")),
    "payments": (("pay_id",), ("pay_id", "order_id", "meth", "amt", "uid")),
    "payment_moves": (("move_id",), ("move_id", "pay_id", "typ", "amt", "uid")),
    "carriers": (("carrier_id",), ("carrier_id", "code")),
    "stock": (("item_cd",), ("item_cd", "on_hand", "reserved")),
}
"""The tables of the shop: an order points at its address, a payment move is two hops away. No mapping reads `uid`."""


def shop(**options: Any) -> Monolith:
    """Return an empty shop."""
    return Monolith(SHOP, **options)
