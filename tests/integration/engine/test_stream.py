"""What arrives in the source log, record by record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from figbridge.adapters.engine.tables import table_facts
from figbridge.errors import Refused, Unreachable

from .harness import TABLES, Source, rows, until

pytestmark = pytest.mark.embedded


def test_snapshot_reads_tables_in_the_declared_order(source: Source) -> None:
    """Related tables come before their roots: the order of `tables`, not of names, sizes or creation."""
    with source.connect() as db:
        for table in ("orders", "addresses", "lines"):
            db.execute(f"INSERT INTO shop.{table} SELECT i FROM generate_series(1, 300) i")
        db.execute("INSERT INTO shop.lines SELECT i FROM generate_series(301, 900) i")
    source.start()
    entries = until(lambda: [e for e in source.entries() if e.kind == "r"], "snapshot")
    assert list(dict.fromkeys(e.table for e in entries)) == list(TABLES)
    assert len(entries) == 1500


def test_null_stays_null_in_a_column_with_a_default(source: Source) -> None:
    """A null is never replaced by the column's default, neither in the snapshot nor in the stream."""
    with source.connect() as db:
        db.execute("INSERT INTO shop.orders VALUES (1, 1, NULL)")
        source.start()
        tx = _tx(source, "INSERT INTO shop.orders VALUES (2, 2, NULL)")
    (row,) = rows(source.until_ended(tx))
    assert row.value["after"] == {"id": 2, "n": 2, "note": None}
    assert row.value["source"]["snapshot"] is None
    assert [e.value["after"]["note"] for e in source.entries() if e.kind == "r"] == [None]


def test_transaction_is_contiguous_and_closed_by_its_end(source: Source) -> None:
    """BEGIN, the rows of two interleaved transactions apart and in commit order, END with the right count."""
    source.start()
    with source.connect() as one, source.connect() as two:
        one.execute("BEGIN")
        first = _run(one, "INSERT INTO shop.orders VALUES (1, 1)")
        second = _run(two, "BEGIN; INSERT INTO shop.orders VALUES (2, 2); INSERT INTO shop.lines VALUES (2, 2)")
        one.execute("INSERT INTO shop.lines VALUES (1, 1); INSERT INTO shop.addresses VALUES (1, 1.50)")
        two.execute("COMMIT")
        one.execute("COMMIT")
    transaction = source.until_ended(first)
    assert [t[0].tx for t in source.transactions()] == [second, first]
    assert [e.table for e in rows(transaction)] == ["shop.orders", "shop.lines", "shop.addresses"]
    assert transaction[-1].value["event_count"] == 3
    assert {e.tx for e in rows(transaction)} == {first}
    assert rows(transaction)[2].value["after"]["amount"] == "1.50"


def test_key_update_is_a_delete_and_a_create_that_name_each_other(source: Source) -> None:
    """The old and the new key are in the headers as plain JSON, as Kafka Connect writes them; no tombstone."""
    source.start()
    with source.connect() as db:
        db.execute("INSERT INTO shop.orders VALUES (10, 5, 'x')")
    tx = _tx(source, "UPDATE shop.orders SET id = 11 WHERE id = 10")
    gone, come = rows(source.until_ended(tx))
    assert (gone.kind, gone.key, gone.headers["__debezium.newkey"]) == ("d", {"id": 10}, b'{"id":11}')
    assert (come.kind, come.key, come.headers["__debezium.oldkey"]) == ("c", {"id": 11}, b'{"id":10}')
    assert gone.value["before"] == {"id": 10, "n": 5, "note": "x"}
    assert come.headers["__debezium.context.connectorLogicalName"] == b"legacy"
    assert gone.headers["__debezium.context.runId"] == come.headers["__debezium.context.runId"]


def test_full_identity_holds_from_the_first_row_on(source: Source) -> None:
    """The replica identity is set before the slot exists, so no row of the stream lacks its old values."""
    source.start()
    facts = table_facts(source.url, [*TABLES, "shop.elsewhere", "shop.nowhere"])
    assert {table: fact.identity for table, fact in facts.items()} == {
        **dict.fromkeys(TABLES, "full"), "shop.elsewhere": "default",
    }  # fmt: skip
    orders = facts["shop.orders"]
    assert [(c.name, c.type, c.nullable) for c in orders.columns] == [
        ("id", "bigint", False), ("n", "bigint", True), ("note", "text", True),
    ]  # fmt: skip
    assert orders.key == ("id",)


def test_heartbeats_come_while_nothing_happens_and_store_no_new_point(source: Source) -> None:
    """An idle source has a watermark in the log, and costs one record for each."""
    source.start()
    until(lambda: sum(e.kind == "heartbeat" for e in source.entries()) >= 4, "four heartbeats")
    assert len(source.points()) == 1


def test_truncate_and_messages_stand_at_their_place(source: Source) -> None:
    """A TRUNCATE is said; a message in a transaction stands inside it, one outside stands by itself."""
    source.start()
    with source.connect() as db:
        db.execute("SELECT pg_logical_emit_message(false, 'outside', 'x')")
        db.execute("BEGIN")
        tx = _run(db, "INSERT INTO shop.lines VALUES (1, 1)")
        db.execute("SELECT pg_logical_emit_message(true, 'inside', 'y')")
        db.execute("TRUNCATE shop.lines")
        db.execute("COMMIT")
    transaction = source.until_ended(tx)
    assert [e.kind for e in transaction if e.kind != "heartbeat"] == ["BEGIN", "c", "m", "t", "END"]
    inside = {e.record.offset for e in transaction}
    (outside,) = [e for e in source.entries() if e.kind == "m" and e.record.offset not in inside]
    assert outside.value["message"]["prefix"] == "outside"


def test_rows_of_tables_that_are_not_captured_leave_no_trace(source: Source) -> None:
    """The publication is filtered: a transaction that touches only other tables has neither BEGIN nor END."""
    source.start()
    _tx(source, "INSERT INTO shop.elsewhere VALUES (1)")
    tx = _tx(source, "INSERT INTO shop.elsewhere VALUES (2); INSERT INTO shop.lines VALUES (2)")
    transaction = source.until_ended(tx)
    assert [t[0].tx for t in source.transactions()] == [tx]
    assert transaction[-1].value["event_count"] == 1


def test_a_database_that_does_not_answer_is_said_in_one_sentence(shop: str, tmp_path: Path) -> None:
    """Start fails at once with a hint, before Debezium would try for minutes."""
    made = Source.make(shop.rsplit("/", 1)[0] + "/nowhere", tmp_path)
    with pytest.raises(Unreachable, match="cannot be used"):
        made.engine.start()
    made.close()


def test_a_table_that_does_not_exist_is_refused(shop: str, tmp_path: Path) -> None:
    """A name that matches nothing would otherwise be captured as silence."""
    made = Source.make(shop, tmp_path, full_identity=("shop.nothing",))
    with pytest.raises(Refused, match=r"no table shop\.nothing"):
        made.engine.start()
    made.close()


def _tx(source: Source, statements: str) -> int:
    with source.connect() as db:
        db.execute("BEGIN")
        tx = _run(db, statements)
        db.execute("COMMIT")
        return tx


def _run(db: psycopg.Connection[Any], statements: str) -> int:
    db.execute(statements)
    return int(db.execute("SELECT txid_current()").fetchone()[0])  # type: ignore[index]
