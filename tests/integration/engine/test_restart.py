"""Stopping and starting: every committed row once, whatever else was open at that moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from figbridge.errors import Refused

from .harness import SCHEMA, TABLES, Source, rows, until

pytestmark = pytest.mark.embedded


def test_stop_and_start_goes_on_without_loss_or_repetition(source: Source) -> None:
    """What was written before, between and after two runs is in the log once, in commit order."""
    with source.connect() as db:
        for run in range(3):
            source.start()
            db.execute("INSERT INTO shop.orders VALUES (%s, %s)", [10 * run, run])
            source.engine.stop()
            assert source.engine.failure is None
            db.execute("INSERT INTO shop.orders VALUES (%s, %s)", [10 * run + 1, run])
        source.start()
        until(lambda: len(source.transactions()) == 6, "six transactions")
    ids = [e.image["id"] for t in source.transactions() for e in rows(t)]
    assert ids == [0, 1, 10, 11, 20, 21]
    ends = [t[-1].lsn for t in source.transactions()]
    assert ends == sorted(set(ends))
    assert source.engine.resent == 0


def test_a_transaction_that_was_open_at_the_stored_point_comes_whole(source: Source) -> None:
    """A row of an open transaction stands in the WAL exactly where another one's commit ends. With Debezium's own
    offset everything before that row is skipped; with the stored point nothing is.
    """
    source.start()
    with source.connect() as slow, source.connect() as quick:
        slow.execute("BEGIN")
        slow.execute("INSERT INTO shop.orders VALUES (1, 1)")
        open_tx = slow.execute("SELECT txid_current()").fetchone()[0]  # type: ignore[index]
        quick.execute("BEGIN")
        quick.execute("INSERT INTO shop.orders VALUES (100, 100)")
        done_tx = quick.execute("SELECT txid_current()").fetchone()[0]  # type: ignore[index]
        quick.execute("COMMIT")
        slow.execute("INSERT INTO shop.orders VALUES (2, 2)")
        end = source.until_ended(done_tx)[-1].lsn
        source.engine.stop()
        slow.execute("INSERT INTO shop.orders VALUES (3, 3)")
        slow.execute("COMMIT")
        source.start()
        transaction = source.until_ended(open_tx)
    assert [e.image["id"] for e in rows(transaction)] == [1, 2, 3]
    assert end in {e.value["source"]["lsn"] for e in rows(transaction)}, "the case was not met"


def test_a_message_outside_a_transaction_comes_once_and_hides_nothing(source: Source) -> None:
    """The stored point after a message neither repeats it nor passes over a commit that stands right behind it."""
    source.start()
    with source.connect() as slow, source.connect() as db:
        slow.execute("BEGIN")
        slow.execute("INSERT INTO shop.orders VALUES (1, 1)")
        tx = slow.execute("SELECT txid_current()").fetchone()[0]  # type: ignore[index]
        db.execute("SELECT pg_logical_emit_message(false, 'figbridge', 'mark')")
        slow.execute("COMMIT")
        until(lambda: any(e.kind == "m" for e in source.entries()), "message")
        source.engine.stop()
        source.start()
        source.until_ended(tx)
    assert sum(e.kind == "m" for e in source.entries()) == 1
    assert [t[0].tx for t in source.transactions()] == [tx]


def test_a_slot_that_is_ahead_of_the_log_is_refused(source: Source) -> None:
    """Rather than go on over a gap, the engine says where the log ends and where the slot is."""
    source.start()
    source.engine.stop()
    with source.connect() as db:
        db.execute("INSERT INTO shop.orders VALUES (1, 1)")
        db.execute("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", [source.config.slot_name])
    with pytest.raises(Refused, match="past the log"):
        source.engine.start()
    with source.connect() as db:
        db.execute("SELECT pg_drop_replication_slot(%s)", [source.config.slot_name])
    with pytest.raises(Refused, match="is gone"):
        source.engine.start()


def test_the_slot_is_never_confirmed_beyond_the_log(source: Source) -> None:
    """At any look, what the server may forget is in the log already."""
    source.start()

    def confirmed() -> int:
        with source.connect() as db:
            found = db.execute(
                "SELECT confirmed_flush_lsn - '0/0'::pg_lsn FROM pg_replication_slots WHERE slot_name = %s",
                [source.config.slot_name],
            ).fetchone()
        assert found is not None
        return int(found[0])

    until(source.points, "the snapshot's end")
    with source.connect() as db:
        start = confirmed()
        for n in range(200):
            db.execute("INSERT INTO shop.orders VALUES (%s, 0)", [n])
            assert confirmed() <= _log_position(source)
        until(lambda: confirmed() > start, "a confirmation")
        until(lambda: confirmed() == _log_position(source), "the last confirmation")


def test_a_snapshot_that_was_cut_short_is_made_again(source: Source) -> None:
    """No point is stored before it is complete; the next start drops the slot and reads everything once more."""
    with source.connect() as db:
        db.execute("INSERT INTO shop.orders SELECT i, i FROM generate_series(1, 30000) i")
        source.engine.start()
        until(lambda: source.engine.records > 0, "first rows")
        source.engine.stop()
        before = len(source.entries())
        assert 0 < before < 30_000, "the case was not met"
        assert source.points() == []
        db.execute("INSERT INTO shop.orders VALUES (50000, 0)")
        source.start()
        db.execute("UPDATE shop.orders SET n = -1 WHERE id = 50000")
        until(lambda: source.transactions(), "the update")
    reads = [e.image["id"] for e in source.entries() if e.kind == "r"]
    assert len(reads) == before + 30_001
    assert len(set(reads)) == 30_001
    assert [e.kind for e in rows(source.transactions()[0])] == ["u"]


def test_two_sources_run_in_one_process(shop: str, tmp_path: Path, new_database: Callable[[], str]) -> None:
    """Java starts once; each engine has its slot, its topics and its own order."""
    other = new_database()
    with psycopg.connect(other, autocommit=True) as db:
        db.execute(SCHEMA)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    sources = [
        Source.make(shop, tmp_path / "a", "legacy"),
        Source.make(other, tmp_path / "b", "service"),
    ]
    try:
        for source in sources:
            source.engine.start()
        for source in sources:
            source.engine.wait_streaming(60)
        for number, source in enumerate(sources):
            with source.connect() as db:
                db.execute("INSERT INTO shop.orders SELECT i, %s FROM generate_series(1, 2000) i", [number])
        for number, source in enumerate(sources):
            until(source.transactions, "the transaction")
            assert [e.image["n"] for t in source.transactions() for e in rows(t)] == [number] * 2000
    finally:
        for source in sources:
            source.close()


def test_a_transaction_larger_than_memory_waits_in_a_file(shop: str, tmp_path: Path) -> None:
    """Above `held_rows` the open transaction leaves memory, and is appended whole at its END."""
    source = Source.make(shop, tmp_path, held_rows=100)
    try:
        source.start()
        with source.connect() as db:
            db.execute("INSERT INTO shop.lines SELECT i, i FROM generate_series(1, 5000) i")
        until(source.transactions, "the transaction")
        (transaction,) = source.transactions()
        assert [e.image["id"] for e in rows(transaction)] == list(range(1, 5001))
    finally:
        source.close()


def test_without_a_snapshot_it_goes_on_from_the_slot(shop: str, tmp_path: Path) -> None:
    """A run that was killed before its first append begins at the slot, not at the present."""
    source = Source.make(shop, tmp_path, snapshot="no_data", tables=TABLES)
    try:
        with source.connect() as db:
            db.execute("INSERT INTO shop.orders VALUES (1, 1)")
            db.execute("CREATE PUBLICATION figbridge_legacy FOR TABLE shop.lines, shop.addresses, shop.orders")
            db.execute("SELECT pg_create_logical_replication_slot('figbridge_legacy', 'pgoutput')")
            db.execute("INSERT INTO shop.orders VALUES (2, 2)")
        source.start()
        until(source.transactions, "the transaction")
        assert [e.image["id"] for e in source.entries() if e.kind in "rc"] == [2]
    finally:
        source.close()


def _log_position(source: Source) -> int:
    return max((int(point["lsn"]) for point in source.points()), default=0)
