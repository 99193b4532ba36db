"""On MariaDB, through Kafka Connect: the forms of every type, and holes that are found by keys and by whole tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from figbridge.errors import Refused
from figbridge.operations.holes.look import list_holes
from figbridge.pipeline.collect import Doubt
from figbridge.ports import Record
from support.rig import GROUP

from .lossy import Lossy
from .maria import Maria

if TYPE_CHECKING:
    from support.servers import Servers

pytestmark = pytest.mark.sandbox

COLUMNS = {
    "small": "smallint",
    "flag": "tinyint(1)",
    "whole": "int",
    "big": "bigint",
    "plain": "int unsigned",
    "words": "text",
    "short": "varchar(20)",
    "padded": "char(5)",
    "exact": "decimal(10,2)",
    "near": "double",
    "day": "date",
    "at": "datetime",
    "at_ms": "datetime(3)",
    "at_us": "datetime(6)",
    "zoned": "timestamp NULL",
    "zoned_ms": "timestamp(3) NULL",
    "zoned_us": "timestamp(6) NULL",
    "clock": "time",
    "clock_us": "time(6)",
    "raw": "varbinary(80)",
    "lump": "blob",
    "tree": "json",
    "mood": "enum('glad','sad')",
    "annum": "year",
}
EVERY = f"CREATE TABLE every_type (id int PRIMARY KEY, {', '.join(f'`{n}` {t}' for n, t in COLUMNS.items())})"
ODD = "CREATE TABLE odd (id int PRIMARY KEY, huge bigint unsigned, twice int AS (id * 2) STORED, spot point)"
VALUES = [
    (
        n, n, n % 2, -n, 2**62 + n, 4_000_000_000 + n, "ß \\ 'x'", "kurz", "ab", "12.50", 0.1 + n, f"19{70 + n}-01-01",
        f"2026-03-29 02:30:0{n}", f"2026-03-29 02:30:00.12{n}", f"2026-03-29 02:30:00.12{n}456",
        f"2026-03-29 12:30:0{n}", f"2026-03-29 12:30:00.{n}00", f"2026-03-29 12:30:00.1{n}0450",
        f"23:59:5{n}", f"00:00:00.00000{n}", bytes(range(70)), bytes([n, 255]), '{"b": 1,   "a": [1]}', "sad", 2026,
    )
    for n in range(3)
]  # fmt: skip
STOCK = """
mapping: stock
version: 1
source: {{table: {0}.stock, key: item_cd}}
about: {{aggregate: Stock, id: "stock-{{item_cd}}"}}
read: {{onHand: {{int: on_hand}}, price: {{decimal: price}}}}
facts: {{stock.level: [onHand, price]}}
events:
  Counted: {{when: appears, tell: [onHand, price], fact: stock.level}}
  Moved: {{when: rekeyed, tell: [onHand, price], fact: stock.level}}
  Gone: {{when: disappears, tell: [], fact: stock.level}}
silent: [onHand changes, price changes]
snapshot: {{type: StockKnown, tell: [onHand, price]}}
"""
ROWS = 400


@pytest.fixture(scope="module")
def maria(servers: Servers) -> Iterator[Maria]:
    """Give a database with a table of every type and one of articles, streamed by a connector."""
    servers.start("connect", "mariadb")
    stock = "CREATE TABLE stock (item_cd varchar(20) PRIMARY KEY, on_hand int NOT NULL, price decimal(10,2))"
    made = Maria(servers, ["every_type", "stock", "odd"], EVERY, ODD, stock, "INSERT INTO stock VALUES ('A', 1, 2.50)")
    yield made
    made.close()


def values(records: list[Record]) -> list[dict[str, Any]]:
    """Return the bodies of records."""
    return [json.loads(record.value or b"{}") for record in records]


def ends(records: list[Record], table: str) -> int:
    """Return how many transactions over a table have ended."""
    counts = [v["data_collections"] for v in values(records) if v.get("status") == "END"]
    return sum(any(c["data_collection"].endswith(f".{table}") for c in each or ()) for each in counts)


def test_rows_come_back_and_have_the_form_that_debezium_gave_them(maria: Maria) -> None:
    """One story, for a connector takes long to start: the forms, a torn key, a lost insert; each row once."""
    lossy = Lossy(list, STOCK.format(maria.name))
    came = maria.until(lambda found: any(v.get("op") == "r" for v in values(found)))

    # every type
    with maria.cursor() as cursor:
        for row in VALUES:
            cursor.execute(f"INSERT INTO {maria.name}.every_type VALUES ({', '.join(['%s'] * len(row))})", row)
        cursor.execute(f"INSERT INTO {maria.name}.every_type (id) VALUES (9)")
    more = maria.until(lambda found: ends(found, "every_type") == 1)
    streamed = {v["after"]["id"]: v["after"] for v in values(more) if v.get("op") == "c"}
    columns = ["id", *COLUMNS]
    found = {row["id"]: row for row in maria.rows.every(f"{maria.name}.every_type", columns)}
    differ = {(n, c): (row[c], streamed[n][c]) for n, row in found.items() for c in columns if row[c] != streamed[n][c]}
    assert differ == {}
    assert found.keys() == streamed.keys() == {0, 1, 2, 9}
    for column in ("huge", "twice", "spot", "nowhere"):
        with pytest.raises(Refused) as refused:
            list(maria.rows.every(f"{maria.name}.odd", ["id", column]))
        assert refused.value.code == "HOL004"
    keyed = [c for c in COLUMNS if c not in ("near", "zoned", "zoned_ms", "zoned_us", "clock", "clock_us")]
    for column in keyed:
        key = (column, "id")
        wanted = [[found[1][c] for c in key]]
        assert list(maria.rows.by_key(f"{maria.name}.every_type", ["id"], key, wanted)) == [{"id": 1}], column

    # a mass of rows, of which some are lost at a restart: no row says when it was committed, so the tables are read
    maria.sql(f"USE {maria.name}", f"INSERT INTO stock SELECT CONCAT('N', seq), seq, 1.00 FROM seq_0_to_{ROWS - 1}")
    mass = maria.until(lambda found: ends(found, "stock") == 1)
    fresh: list[Record] = [*came, *more, *mass]

    def feed() -> list[Record]:
        taken = [*fresh, *maria.records()]
        fresh.clear()
        return taken

    lossy.feed = feed
    lossy.drop = lambda rows: rows[:150] + rows[160:] if len(rows) >= ROWS else rows
    lossy.pump()
    (hole,) = list_holes(lossy.rig.log, GROUP)
    assert {s.doubt for s in hole.doubts} == {Doubt.RESTARTED}
    (checked,) = lossy.check(maria.rows)
    assert (checked.method, checked.gone, checked.case) == ("tables", [], "")
    assert {row.key[0] for row in checked.missing} == {f"N{n}" for n in range(150, 160)}
    assert list_holes(lossy.rig.log, GROUP) == []
    assert lossy.known() == table(maria)

    # the `c` of a changed key: the log names it
    maria.sql(f"UPDATE {maria.name}.stock SET item_cd = 'B' WHERE item_cd = 'A'")
    lossy.drop = lambda rows: rows[:1]
    torn = maria.until(lambda found: ends(found, "stock") == 1)
    fresh.extend(torn)
    kept, lossy.restarts = lossy.restarts, lambda rows, i: False
    lossy.pump()
    lossy.restarts = kept
    holes = list_holes(lossy.rig.log, GROUP)
    assert {s.doubt for s in holes[0].doubts} == {Doubt.KEY_CHANGE_TORN} | {s.doubt for s in holes[0].doubts}
    (checked,) = lossy.check(maria.rows)
    assert [row.key for row in checked.missing] == [["B"]]
    assert {k: v for k, v in lossy.known().items() if k != "stock-A"} == table(maria)
    assert list_holes(lossy.rig.log, GROUP) == []


def table(maria: Maria) -> dict[str, dict[str, Any]]:
    """Return what the table of articles holds, as the events tell it."""
    with maria.cursor() as cursor:
        cursor.execute(f"SELECT item_cd, on_hand, CAST(price AS char) FROM {maria.name}.stock")
        return {f"stock-{item}": {"onHand": on_hand, "price": price} for item, on_hand, price in cursor.fetchall()}
