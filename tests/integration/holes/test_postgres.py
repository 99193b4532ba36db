"""Holes made for real: of what PostgreSQL committed and Debezium sent, records are lost; the check brings them back."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from figbridge.adapters.legacy.postgres import PostgresRows
from figbridge.operations.holes.check import Checked
from figbridge.operations.holes.look import list_holes
from figbridge.pipeline.collect import Doubt
from figbridge.ports import Record, TopicPartition
from integration.engine.harness import Source
from support.rig import GROUP

from .lossy import Lossy

pytestmark = pytest.mark.embedded

SCHEMA = """
CREATE SCHEMA shop;
CREATE TABLE shop.stock (item_cd text PRIMARY KEY, on_hand int NOT NULL, price numeric(10,2), counted_at timestamptz);
"""
STOCK = """
mapping: stock
version: 1
source: {table: shop.stock, key: item_cd}
about: {aggregate: Stock, id: "stock-{item_cd}"}
read: {onHand: {int: on_hand}, price: {decimal: price}, countedAt: counted_at}
facts: {stock.level: [onHand, price, countedAt]}
events:
  Counted: {when: appears, tell: [onHand, price], fact: stock.level}
  Changed: {when: onHand changes, tell: [onHand, price], fact: stock.level}
  Moved: {when: rekeyed, tell: [onHand, price], fact: stock.level}
  Gone: {when: disappears, tell: [], fact: stock.level}
silent: [price changes, countedAt changes]
snapshot: {type: StockKnown, tell: [onHand, price]}
"""
ROWS = 2000


def tx_of(connection: psycopg.Connection) -> int:
    """Return the number of the transaction that is open."""
    return int(connection.execute("SELECT txid_current()").fetchone()[0])  # type: ignore[index]


def table(source: Source) -> dict[str, dict[str, object]]:
    """Return what the table holds, as the events tell it."""
    with source.connect() as connection:
        rows = connection.execute("SELECT item_cd, on_hand, price::text FROM shop.stock").fetchall()
    return {f"stock-{item}": {"onHand": on_hand, "price": price} for item, on_hand, price in rows}


class Streamed(Lossy):
    """A bridge behind a source of PostgreSQL."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.at = 0
        super().__init__(self._feed, STOCK)

    def _feed(self) -> list[Record]:
        found = self.source.log.read(TopicPartition(self.source.config.topic, 0), self.at, 1_000_000)
        self.at += len(found)
        return found

    def until_told(self, tx: int) -> None:
        """Wait until the source's log has a transaction, and let the bridge process it."""
        self.source.until_ended(tx)
        self.pump()

    def look(self) -> list[Checked]:
        """Check every suspect."""
        return self.check(PostgresRows(self.source.config.dsn))


@pytest.fixture
def lossy(source: Callable[..., Source]) -> Streamed:
    """Return a bridge behind a source that streams; one article is there from before."""
    made = Streamed(source(SCHEMA, "shop.stock"))
    with made.source.connect() as connection:
        connection.execute("INSERT INTO shop.stock VALUES ('A', 1, 2.50, now())")
    made.source.start()
    return made


def middle(rows: list[Record]) -> list[Record]:
    """Lose 150 rows in the middle of a mass of rows."""
    return rows if len(rows) < ROWS else rows[:900] + rows[1050:]


def test_rows_of_a_copy_that_were_lost_come_back(lossy: Streamed) -> None:
    """Of a COPY with a part written inside a savepoint, every lost row is recovered, none invented; topics = table."""
    lossy.drop = middle
    with lossy.source.connect() as connection, connection.transaction():
        tx = tx_of(connection)
        with connection.cursor().copy("COPY shop.stock (item_cd, on_hand, price) FROM STDIN") as stream:
            for n in range(800):
                stream.write_row((f"N{n}", n, f"{n}.10"))
        with connection.transaction(), connection.cursor().copy("COPY shop.stock FROM STDIN") as stream:
            for n in range(800, ROWS):
                stream.write_row((f"N{n}", n, None, "2026-11-21 12:00:00.5+01"))
    lossy.until_told(tx)
    (hole,) = list_holes(lossy.rig.log, GROUP)
    assert {s.doubt for s in hole.doubts} == {Doubt.RESTARTED}
    assert lossy.known() != table(lossy.source)
    (found,) = lossy.look()
    assert (found.method, found.looked_at, found.gone, found.case) == ("commit-time", ROWS, [], "")
    assert {row.key[0] for row in found.missing} == {f"N{n}" for n in range(900, 1050)}
    assert lossy.known() == table(lossy.source)
    assert list_holes(lossy.rig.log, GROUP) == []
    lossy.rig.check()


def test_rows_that_live_on_after_the_loss_are_not_told_twice(lossy: Streamed) -> None:
    """What was changed or deleted since the loss came with its change: only what is still as it was is recovered."""
    lossy.drop = middle
    with lossy.source.connect() as connection:
        with connection.transaction():
            tx = tx_of(connection)
            connection.execute(f"INSERT INTO shop.stock SELECT 'N' || i, i, i FROM generate_series(0, {ROWS - 1}) i")
        lossy.until_told(tx)
        with connection.transaction():
            tx = tx_of(connection)
            connection.execute("UPDATE shop.stock SET on_hand = -1 WHERE item_cd IN ('N901', 'N5')")
            connection.execute("DELETE FROM shop.stock WHERE item_cd IN ('N902', 'N6')")
        lossy.until_told(tx)
    (found,) = lossy.look()
    assert {row.key[0] for row in found.missing} == {f"N{n}" for n in range(900, 1050)} - {"N901", "N902"}
    assert lossy.known() == table(lossy.source)


def test_the_other_half_of_a_changed_key_comes_back(lossy: Streamed) -> None:
    """One `c` of a mass change of keys is lost; Debezium's own END says nothing of it."""
    with lossy.source.connect() as connection:
        with connection.transaction():
            tx = tx_of(connection)
            connection.execute(f"INSERT INTO shop.stock SELECT 'N' || i, i, i FROM generate_series(1, {ROWS}) i")
        lossy.until_told(tx)
        lossy.drop = lambda rows: [r for i, r in enumerate(rows) if i != 1001] if len(rows) > ROWS else rows
        with connection.transaction():
            tx = tx_of(connection)
            connection.execute("UPDATE shop.stock SET item_cd = 'M' || substr(item_cd, 2) WHERE item_cd LIKE 'N%'")
        lossy.until_told(tx)
    (hole,) = list_holes(lossy.rig.log, GROUP)
    assert Doubt.KEY_CHANGE_TORN in {s.doubt for s in hole.doubts}
    (found,) = lossy.look()
    assert len(found.missing) == 1
    assert {k: v for k, v in lossy.known().items() if "-N" not in k} == table(lossy.source)
    assert list_holes(lossy.rig.log, GROUP) == []


def test_a_transaction_that_is_wholly_lost_is_found_by_the_tables(lossy: Streamed) -> None:
    """Inserted and updated rows are recovered; the deleted one is named, and a person accepts it."""
    with lossy.source.connect() as connection:
        connection.execute("INSERT INTO shop.stock VALUES ('B', 1, 1), ('C', 1, 1)")
        with connection.transaction():
            tx = tx_of(connection)
            connection.execute("INSERT INTO shop.stock VALUES ('E', 1, 1)")
        lossy.until_told(tx)
        with connection.transaction():
            tx = tx_of(connection)
            connection.execute("INSERT INTO shop.stock VALUES ('D', 7, 1.00)")
            connection.execute("UPDATE shop.stock SET on_hand = 5 WHERE item_cd = 'B'")
            connection.execute("DELETE FROM shop.stock WHERE item_cd = 'C'")
        lossy.source.until_ended(tx)
        lossy.at = len(lossy.source.entries())  # never copied
        with connection.transaction():
            tx = tx_of(connection)
            connection.execute("UPDATE shop.stock SET on_hand = 3 WHERE item_cd = 'A'")
        lossy.until_told(tx)
    (hole,) = list_holes(lossy.rig.log, GROUP)
    assert {s.doubt for s in hole.doubts} == {Doubt.GAP_BEFORE}
    (found,) = lossy.look()
    assert {row.key[0] for row in found.missing} == {"B", "D"}
    assert [row.key for row in found.gone] == [["C"]]
    assert {k: v for k, v in lossy.known().items() if k != "stock-C"} == table(lossy.source)
    assert [h.state for h in list_holes(lossy.rig.log, GROUP)] == ["case"]


def test_a_suspect_that_lost_nothing_says_nothing(lossy: Streamed) -> None:
    """All rows came: closed, and no event more."""
    lossy.drop = lambda rows: rows
    with lossy.source.connect() as connection, connection.transaction():
        tx = tx_of(connection)
        connection.execute("INSERT INTO shop.stock SELECT 'N' || i, i, i FROM generate_series(1, 50) i")
    lossy.source.until_ended(tx)
    lossy.restarts = lambda rows, i: i > 30
    lossy.pump()
    assert len(list_holes(lossy.rig.log, GROUP)) == 1
    before = len(lossy.rig.records("domain"))
    (found,) = lossy.look()
    assert (found.missing, found.case) == ([], "")
    assert len(lossy.rig.records("domain")) == before
    assert list_holes(lossy.rig.log, GROUP) == []
