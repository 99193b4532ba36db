"""The whole path on MariaDB: the shop trades, Debezium and Kafka carry it, the bridge tells what happened.

The mappings are those of the worked example, unchanged: what differs (a tinyint(1) for a code, zero dates, unsigned
keys, no padding, GTIDs for positions) is the readers' and the decoder's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Place

from faults import verify
from faults.evidence import Said
from figbridge import bootstrap
from figbridge.adapters.connect.mariadb import MariaDatabase
from figbridge.adapters.preflight.mariadb import MariaPreflight
from figbridge.cli.exits import Exit
from figbridge.demo.monolith import Monolith
from figbridge.domain.connector import Kind
from figbridge.errors import Refused
from figbridge.mapping.loader import load_tables
from figbridge.ports import TopicPartition
from figbridge.settings import load_settings

from .conftest import ROOT, Shop
from .test_connectors import said, until
from .test_doctor import doctor

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(420)]


@pytest.fixture
def stage(shop_of: Any) -> Iterator[Any]:
    """Give the shop on MariaDB with some orders, its connector streaming, and the monolith."""
    shop: Shop = shop_of("mariadb")
    at = shop.database
    shop.sql("DROP DATABASE shop")
    dsn = f"mariadb://{quote(at.user)}:{quote(at.password)}@{at.host}:{at.port}"
    with Monolith(dsn, Random(7), lambda: datetime.now(UTC)) as monolith:
        monolith.create_schema()
        shop.sql("CREATE TABLE shop.figbridge_signal (id varchar(64) PRIMARY KEY, type varchar(32), data text)")
        monolith.seed(12)
        assert shop.call("apply") == Exit.OK
        yield SimpleNamespace(shop=shop, monolith=monolith)


def streams(shop: Shop, capsys: pytest.CaptureFixture[str]) -> bool:
    """Say whether the connector has read everything."""
    capsys.readouterr()
    shop.call("status", "-o", "json")
    return said(capsys)[0]["motion"] in ("idle", "streaming")


def has_read(shop: Shop, capsys: pytest.CaptureFixture[str]) -> bool:
    """Say whether the connector has read up to what the database committed last."""
    capsys.readouterr()
    shop.call("status", "-o", "json")
    return said(capsys)[0]["motion"] == "idle"


def run_bridge(shop: Shop) -> dict[str, Any]:
    """Run the bridge on Kafka until it has read what the source log holds; return its account and suspects."""
    settings = load_settings(shop.folder / "figbridge.yaml", log="kafka", data=shop.folder / "data")
    log, quiet = TopicPartition(f"{shop.prefix}.legacy.log", 0), count()
    with bootstrap.bridge(
        settings, datetime.now(UTC), "test", start=bootstrap.starts(settings, ["earliest"])
    ) as bridge:
        # The last offsets of a log may be marks of Kafka's transactions: it is at the end when nothing comes any more.
        begun = lambda: bridge.log.committed(settings.group).get(log, 0) > 0  # noqa: E731
        bridge.run(lambda: False, idle=lambda: begun() and next(quiet) > 20)
        told: dict[str, Any] = {"account": {}, "suspects": []}
        for state in bridge.log.states(settings.group).values():
            for group, name, value in state.scan("account"):
                key = f"{group} {name}"
                told["account"][key] = told["account"].get(key, 0) + int(value)
            told["suspects"] += [member for _, member, _ in state.scan("suspects")]
        return told


def domain_events(shop: Shop) -> list[Said]:
    """Read the domain topics with a consumer of our own, committed records only."""
    consumer = Consumer(
        {
            "bootstrap.servers": shop.servers.bootstrap, "group.id": f"{shop.prefix}-reader",
            "isolation.level": "read_committed", "auto.offset.reset": "earliest", "enable.auto.commit": False,
        }
    )  # fmt: skip
    try:
        topics = consumer.list_topics(timeout=15).topics
        places = [
            Place(name, number, 0)
            for name, topic in topics.items()
            if name.startswith(f"{shop.prefix}.domain.")
            for number in topic.partitions
        ]
        consumer.assign(places)
        ends = {(p.topic, p.partition): consumer.get_watermark_offsets(p, timeout=15)[1] for p in places}
        found: list[Said] = []

        def caught_up() -> bool:
            for message in consumer.consume(5000, 0.5):
                assert message.error() is None, message.error()
                found.append(
                    Said(message.topic(), message.partition(), message.offset(), message.key().decode(),
                         json.loads(message.value()))
                )  # fmt: skip
            here = {(p.topic, p.partition): max(p.offset, 0) for p in consumer.position(places)}
            return all(here[place] >= end for place, end in ends.items())

        until(caught_up, "the domain topics are read", 60)
        return sorted(found, key=lambda s: (s.topic, s.partition, s.offset))
    finally:
        consumer.close()


def test_the_shop_trades_on_mariadb_and_its_ledger_is_told(stage: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Every happening of the ledger is on the domain topics once, in order, with its data; both ledgers balance; doctor
    finds nothing."""
    shop, monolith = stage.shop, stage.monolith
    until(lambda: streams(shop, capsys), "the snapshot is over", 60)
    before = len(monolith.ledger())
    done = monolith.trade(400)
    assert len(done) > 25, "nearly every operation of the shop works on MariaDB"
    assert monolith.ledger() == monolith.stored_ledger()
    until(lambda: has_read(shop, capsys), "the connector has read it all", 90)

    assert [(r["code"], r["about"], r["found"]) for r in doctor(shop, capsys)] == []

    told = run_bridge(shop)
    events = domain_events(shop)
    happened = monolith.ledger()[before:]
    assert verify.the_ledger_is_told(happened, events) == len(happened) > 200
    assert len({e.event["id"] for e in events}) == len(events)
    account = told["account"]
    assert account["records read"] == sum(account.get(f"records {name}", 0) for name in verify.RECORDS)
    assert account["claims made"] == sum(account.get(f"claims {name}", 0) for name in verify.CLAIMS)
    assert (account.get("records parked", 0), account.get("records dead", 0), told["suspects"]) == (0, 0, [])
    assert {"CustomerRegistered", "OrderPlaced", "PaymentReceived", "ShipmentSent", "StockReserved"} <= {
        e.type for e in events
    }
    commits = {e.commit for e in events if e.happening}
    assert all(len(commit.split("-")) == 3 for commit in commits), "a position is a GTID"


def test_a_shop_that_was_closed_goes_on(stage: Any) -> None:
    """What the shop knows by heart is what stands in MariaDB's tables."""
    monolith = stage.monolith
    monolith.trade(60)
    known = monolith.book
    with Monolith(monolith.dsn, Random(9), monolith.clock) as heir:
        for part in ("orders", "addresses", "customers", "stock", "shipments", "numbers"):
            assert getattr(heir.book, part) == getattr(known, part), part
    assert stage.shop.sql("SELECT COUNT(*) FROM shop.customers WHERE birth_dt = '0000-00-00'")[0][0] > 0


def test_the_recorded_tables_are_those_of_the_schema(stage: Any) -> None:
    """mappings/schema/tables.mariadb.yaml says of each column what the server says."""
    recorded = load_tables(ROOT / "mappings", Kind.MARIADB.value)
    assert recorded is not None
    rows = stage.shop.sql(
        "SELECT CONCAT(table_schema, '.', table_name), column_name, column_type, is_nullable = 'YES'"
        " FROM information_schema.columns WHERE table_schema = 'shop'"
        " AND table_name NOT IN ('ledger', 'figbridge_signal') ORDER BY 1, ordinal_position"
    )
    live: dict[str, list[tuple[str, str, bool]]] = {}
    for table, column, kind, nullable in rows:
        live.setdefault(table, []).append((column, kind, bool(nullable)))
    assert {
        t: [(c.name, c.type, c.nullable) for c in cs] for t, cs in recorded.items() if t.startswith("shop.")
    } == live


CASCADE = (
    "ALTER TABLE shop.payment_moves ADD CONSTRAINT gone FOREIGN KEY (pay_id) REFERENCES shop.payments (pay_id)"
    " ON DELETE CASCADE"
)
ILLS = (
    ("SET GLOBAL binlog_row_image = 'MINIMAL'", "PRE032", "binlog_row_image"),
    ("SET GLOBAL gtid_strict_mode = OFF", "PRE034", "gtid_strict_mode"),
    ("SET GLOBAL log_bin_compress = ON", "PRE036", "log_bin_compress"),
    ("SET GLOBAL binlog_expire_logs_seconds = 60", "PRE025", "binlog_expire_logs_seconds"),
    ("SET GLOBAL sql_mode = ''", "PRE041", "shop.orders.crt_dt"),
    ("ALTER TABLE shop.carriers ENGINE = Aria", "PRE039", "shop.carriers"),
    (CASCADE, "PRE038", "shop.payment_moves"),
)  # fmt: skip


def test_each_ill_of_mariadb_is_found_and_its_fix_works(stage: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """One thing broken is one finding more, with the statement that mends it; run, it is gone. The shop's connector
    runs on meanwhile, and nothing else is found."""
    shop = stage.shop
    until(lambda: has_read(shop, capsys), "the snapshot is over", 90)
    assert [(r["code"], r["about"], r["found"]) for r in doctor(shop, capsys)] == []
    for ill, code, about in ILLS:
        shop.sql(ill)
        found = [r for r in doctor(shop, capsys) if r["code"] != "PRE024"]
        assert [(r["code"], r["about"]) for r in found] == [(code, about)], ill
        shop.sql(found[0]["fix"].partition(" --")[0])
        assert [r for r in doctor(shop, capsys) if r["code"] != "PRE024"] == [], found[0]["fix"]


def test_doctor_needs_no_more_than_the_grants_of_the_page(stage: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """An account that may only read the shop's tables can ask everything, and see foreign keys."""
    shop = stage.shop
    shop.sql(
        "CREATE OR REPLACE USER figbridge_look IDENTIFIED BY 'look'",
        "GRANT SELECT ON shop.* TO figbridge_look",
        CASCADE,
    )
    file = shop.folder / "figbridge.yaml"
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings["sources"]["legacy"] |= {"user": "figbridge_look", "password": "look"}
    del settings["sources"]["legacy"]["password_file"]
    file.write_text(json.dumps(settings), encoding="utf-8")
    until(lambda: has_read(shop, capsys), "the snapshot is over", 90)
    assert [r["code"] for r in doctor(shop, capsys)] == ["PRE038"]
    at = shop.database
    look = MariaPreflight(MariaDatabase(at.host, at.port, at.user, at.password))
    for write in ("CREATE TABLE shop.t (a int)", "UPDATE shop.orders SET stat = 'P'", "DROP TABLE shop.ledger"):
        with pytest.raises(Refused, match="READ ONLY transaction"), look.session() as cursor:
            cursor.execute(write)
    shop.sql("DROP USER figbridge_look")
