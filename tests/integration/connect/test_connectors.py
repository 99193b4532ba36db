"""Connectors on a real Kafka Connect, PostgreSQL and MariaDB: from the files to rows on one source log, and back."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
import requests

from figbridge.cli.exits import Exit

from .conftest import Shop

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(420)]

KINDS = ("postgres", "mariadb")


def until(look: Callable[[], Any], what: str, timeout_s: float = 30.0) -> Any:
    """Wait until a look gives something true, and return it."""
    deadline, pause = time.monotonic() + timeout_s, Event()
    while not (found := look()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        pause.wait(0.2)
    return found


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what a command said in JSON."""
    return json.loads(capsys.readouterr().out)


def change_by_hand(shop: Shop, **settings: str | None) -> None:
    """Change a connector behind figbridge's back."""
    url = f"{shop.servers.connect}/connectors/{shop.connector}/config"
    config = requests.get(url, timeout=30).json()
    for name, value in settings.items():
        config.pop(name.replace("_", "."), None)
        if value is not None:
            config[name.replace("_", ".")] = value

    def put() -> bool:
        return requests.put(url, json=config, timeout=60).status_code == 200  # 409: a rebalance

    until(put, "a change by hand")


@pytest.mark.parametrize("kind", KINDS)
def test_the_life_of_a_connector(shop_of: Any, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Plan, apply, rows on one log, apply again; a change by hand shows, a stale plan is refused; it is steered."""
    shop: Shop = shop_of(kind)
    # The plan creates everything, and changes nothing.
    assert shop.call("plan", "-o", "json") == Exit.FINDINGS
    first = said(capsys)
    assert first["findings"] == []
    assert {c["act"] for c in (*first["plan"]["connectors"], *first["plan"]["topics"])} == {"create"}
    assert shop.connector not in requests.get(f"{shop.servers.connect}/connectors", timeout=30).json()
    assert shop.call("apply", "--plan", first["plan"]["digest"], "-o", "json") == Exit.OK
    assert said(capsys)["statuses"][0]["motion"] in ("streaming", "snapshot")
    topic = shop.broker.look([shop.log])[shop.log]
    assert (topic.partitions, topic.settings["cleanup.policy"]) == (1, "delete")
    assert topic.settings["retention.ms"] == "86400000"

    # Rows of the snapshot and of the stream stand in the one log; a column that nobody reads does not.
    until(lambda: len(shop.rows("stock", "r")) == 3000, "the snapshot of the stock")
    shop.sql(
        "INSERT INTO shop.orders (order_id, number, cust_id, stat, tot_amt, crt_dt, guest_mail)"
        " VALUES (7, 1007, NULL, 'P', 19.90, '2026-01-02 03:04:05', 'ada@example.test')"
    )
    (order,) = until(lambda: shop.rows("orders", "c"), "the order")
    assert (order["order_id"], order["tot_amt"], order["notes"]) == (7, "19.90", None)
    assert "guest_mail" not in order

    # Done again, it does nothing.
    assert shop.call("apply", "-o", "json") == Exit.OK
    assert said(capsys)["done"] == []
    assert shop.call("plan", "-o", "json") == Exit.OK
    reviewed = said(capsys)["plan"]["digest"]

    # Somebody changes it by hand.
    change_by_hand(shop, heartbeat_interval_ms="700", skipped_operations=None)
    assert shop.call("plan", "-o", "json") == Exit.FINDINGS
    (moved,) = said(capsys)["plan"]["connectors"]
    assert (moved["act"], moved["settings"]) == (
        "change",
        [
            {"setting": "heartbeat.interval.ms", "old": "700", "new": "500"},
            {"setting": "skipped.operations", "old": None, "new": "none"},
        ],
    )
    assert shop.call("apply", "--plan", reviewed) == Exit.REFUSED
    assert "CON010" in capsys.readouterr().err
    assert shop.call("apply") == Exit.OK
    capsys.readouterr()
    _steer(shop, capsys)
    _offsets(shop, capsys)
    _delete(shop, capsys)


def _steer(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Pause, resume, stop, restart: each has happened when the command ends."""
    for words, motion, code in (
        (("pause", "legacy"), "paused", Exit.OK),
        (("resume", "legacy"), "fine", Exit.OK),
        (("restart", "legacy"), "fine", Exit.OK),
        (("stop", "legacy"), "stopped", Exit.OK),
        (("status",), "stopped", Exit.FINDINGS),
    ):
        assert shop.call(*words, "-o", "json") == code, words
        told = said(capsys)
        found = (told[0] if isinstance(told, list) else told)["motion"]
        assert found == motion or (motion == "fine" and found in ("streaming", "idle")), words
    # What makes no sense now is refused, and said why.
    for words, code in ((("restart", "legacy"), "CON009"), (("pause", "legacy"), "CON009")):
        assert shop.call(*words) == Exit.REFUSED
        assert code in capsys.readouterr().err


def _offsets(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Offsets are told in words, set to a position of the database only, and forgotten only with the slot."""
    assert shop.call("offsets", "show", "legacy", "-o", "json") == Exit.OK
    told = said(capsys)
    assert told["position"]
    assert told["words"]
    for nonsense in ("nonsense", "F/FFFFFFFF", "0-1-999999999"):
        assert shop.call("offsets", "reset", "legacy", "--to", nonsense, "--yes") == Exit.REFUSED
        assert "CON033" in capsys.readouterr().err
    assert shop.call("offsets", "show", "legacy", "-o", "json") == Exit.OK
    assert said(capsys)["raw"] == told["raw"]
    _go_on_from(shop, told["position"], capsys)
    if shop.kind == "postgres":
        assert shop.call("offsets", "reset", "legacy", "--yes") == Exit.REFUSED
        assert "CON016" in capsys.readouterr().err
    assert shop.call("offsets", "reset", "legacy", "--drop-slot", "--yes", "-o", "json") == Exit.OK
    assert said(capsys)["position"] == ""


def _go_on_from(shop: Shop, position: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A position that was checked is one that it goes on from: what commits next comes, once."""
    where = shop.sql("SELECT pg_current_wal_lsn()")[0][0] if shop.kind == "postgres" else position
    assert shop.call("offsets", "reset", "legacy", "--to", where, "--yes") == Exit.OK
    shop.sql("UPDATE shop.stock SET on_hand = 77 WHERE item_cd = 'A7'")
    assert shop.call("resume", "legacy") == Exit.OK
    until(lambda: [r for r in shop.rows("stock", "u") if r["on_hand"] == 77], "the update after the position")
    assert len([r for r in shop.rows("stock", "u") if r["on_hand"] == 77]) == 1
    assert shop.call("offsets", "reset", "legacy", "--yes") == Exit.REFUSED
    assert "CON011" in capsys.readouterr().err
    assert shop.call("stop", "legacy") == Exit.OK
    capsys.readouterr()


def _delete(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.call("delete", "legacy", "--yes", "-o", "json") == Exit.OK
    assert said(capsys)["deleted"] == shop.connector
    assert shop.call("status", "-o", "json") == Exit.FINDINGS
    assert said(capsys)[0]["motion"] == "missing"
    assert shop.call("pause", "legacy") == Exit.REFUSED
    assert "CON002" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_read_again_while_the_stream_goes_on(
    shop_of: Any, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every row of the table comes as `r` once more, with progress on stderr; a condition reads only some."""
    shop: Shop = shop_of(kind)
    assert shop.call("apply") == Exit.OK
    until(lambda: len(shop.rows("stock", "r")) == 3000, "the first snapshot")
    capsys.readouterr()
    assert shop.call("snapshot", "shop.stock", "-o", "json") == Exit.OK
    told = capsys.readouterr()
    ended = json.loads(told.out)
    assert ended["phase"] == "done"
    assert "rows/s" not in told.err
    times = Counter(row["item_cd"] for row in shop.rows("stock", "r"))
    assert (len(times), min(times.values()) >= 2) == (3000, True)
    if "once more" not in told.err:  # Debezium's threads may spoil a snapshot; then rows of both attempts come
        assert ended["rows"] == 3000
        assert "shop.stock: done, 3,000" in told.err
        assert times.total() == 6000
    assert shop.call("snapshot", "shop.stock", "--where", "item_cd = 'A5'", "-o", "json") == Exit.OK
    told = capsys.readouterr()
    assert json.loads(told.out)["rows"] == 1 or "once more" in told.err
    # What cannot be read is refused before anything is asked.
    assert shop.call("snapshot", "shop.ledger") == Exit.REFUSED
    assert "CON034" in capsys.readouterr().err
    assert shop.call("stop", "legacy") == Exit.OK
    assert shop.call("snapshot", "shop.stock") == Exit.REFUSED
    assert "CON035" in capsys.readouterr().err


def test_what_connect_does_not_check_is_checked_before(shop_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing table or column, an unknown setting, a secret that is not there: findings, and nothing half applied."""
    shop: Shop = shop_of("postgres")
    document = shop.folder / "connect" / "legacy.yaml"
    good = document.read_text(encoding="utf-8")
    shop.sql("DROP TABLE shop.shipments", "ALTER TABLE shop.stock RENAME COLUMN reserved TO held")
    document.write_text(good + "more: {heartbeat.intervall.ms: 5, max.batch.size: many}\n", encoding="utf-8")
    assert shop.call("apply") == Exit.FINDINGS
    err = capsys.readouterr().err
    for words in (
        "CON014 the database has no table shop.shipments",
        "CON015 shop.stock has no column reserved",
        "CON013 PostgresConnector does not know the setting `heartbeat.intervall.ms`",
        "CON004 max.batch.size:",
    ):
        assert words in err, err
    document.write_text(good.replace(shop.database.password_ref, "${file:/none.properties:password}"), encoding="utf-8")
    assert shop.call("validate") == Exit.FINDINGS
    capsys.readouterr()
    assert shop.broker.look([shop.log]) == {}
    assert shop.connector not in requests.get(f"{shop.servers.connect}/connectors", timeout=30).json()
    # Without an account to look with, it is said that nobody looked.
    shop.write(sources=False)
    assert shop.call("apply") == Exit.FINDINGS
    assert "CON018" in capsys.readouterr().err


def test_running_is_not_believed(shop_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A slot that is dropped under a stopped connector: it fails with its reason and the way on, and nothing hides it.
    A new beginning beside what is left is refused until somebody says so."""
    shop: Shop = shop_of("postgres")
    assert shop.call("apply") == Exit.OK
    until(lambda: len(shop.rows("stock", "r")) == 3000, "the snapshot")
    assert shop.call("stop", "legacy") == Exit.OK
    slot = f"{shop.prefix}_legacy"
    shop.sql(f"SELECT pg_drop_replication_slot('{slot}')")
    capsys.readouterr()
    assert shop.call("resume", "legacy", "-o", "json") != Exit.OK
    capsys.readouterr()
    until(lambda: shop.call("status", "-o", "json") and said(capsys)[0]["motion"] == "failed", "the failure is seen")
    assert shop.call("status", "-o", "json") == Exit.FINDINGS
    (found,) = said(capsys)
    assert "no longer available on the server" in found["why"]
    assert "offsets reset" in found["why"]
    # Deleted, its offsets stay, without a slot: what committed in between is in neither.
    assert shop.call("delete", "legacy", "--yes") == Exit.OK
    shop.sql(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
        f" WHERE slot_name = '{slot}' AND NOT active"
    )
    capsys.readouterr()
    assert shop.call("apply") == Exit.REFUSED
    assert "CON016" in capsys.readouterr().err
    assert shop.connector not in requests.get(f"{shop.servers.connect}/connectors", timeout=30).json()
    assert shop.call("apply", "--fresh") == Exit.OK
    until(lambda: len(shop.rows("stock", "r")) == 6000, "the second snapshot")


def test_a_log_with_two_partitions_is_refused(shop_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The order of transactions needs one; compaction and retention are mended."""
    from dataclasses import replace

    from figbridge.domain.connector import Topic

    shop: Shop = shop_of("postgres")
    wrong = Topic(shop.log, -1, {"cleanup.policy": "compact"}, partitions=2)
    shop.broker.create(wrong)
    assert shop.call("apply") == Exit.FINDINGS
    assert f"CON017 the topic {shop.log} has partitions 2, not 1" in capsys.readouterr().err
    notes = replace(wrong, name=f"{shop.prefix}.legacy.notifications", partitions=1)
    shop.broker.create(notes)
    assert shop.call("plan", "-o", "json") == Exit.FINDINGS
    acts = {c["name"]: c["act"] for c in said(capsys)["plan"]["topics"]}
    assert (acts[shop.log], acts[notes.name]) == ("conflict", "change")


def test_plugins_and_topics_are_listed(shop_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What the workers have; what each topic is for, and whether it was written to."""
    shop: Shop = shop_of("postgres")
    assert shop.call("plugins", "-o", "json") == Exit.OK
    assert "io.debezium.connector.postgresql.PostgresConnector" in {p["name"] for p in said(capsys)}
    assert shop.call("apply") == Exit.OK
    capsys.readouterr()
    assert shop.call("topics", "-o", "json") == Exit.OK
    found = {t["topic"]: t for t in said(capsys)}
    assert found[shop.log]["purpose"] == "the source log"
    assert found[shop.log]["partitions"] == 1
    assert all(t["wanted"] for t in found.values()), "everything goes to the topics that the files know"


def test_a_service_is_a_connector_of_its_own(shop_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Its outbox, and nothing of the shop, comes through a log of its own; the shop's connector stays what it is."""
    shop: Shop = shop_of("postgres")
    legacy = shop.folder / "connect" / "legacy.yaml"
    text = legacy.read_text(encoding="utf-8")
    legacy.unlink()
    (shop.folder / "connect" / "delivery.yaml").write_text(text.replace("connector: legacy", "connector: delivery"))
    settings = shop.folder / "figbridge.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"legacy": {', '"delivery": {'), encoding="utf-8")
    assert shop.call("apply", "-o", "json") == Exit.OK
    capsys.readouterr()
    shop.sql(
        "INSERT INTO delivery.outbox VALUES (gen_random_uuid(), 'Order', 'order-7', 'CarrierAssigned', '{}', now())",
        "INSERT INTO shop.carriers VALUES (3, 'GLS', 'z')",
    )

    def tables() -> set[str]:
        _, values = shop.broker.read(f"{shop.prefix}.delivery.log", 0)
        return {r["source"]["table"] for r in map(json.loads, values) if "op" in r}

    assert until(tables, "the row of the outbox") == {"outbox"}
    assert shop.call("delete", "delivery", "--yes") == Exit.OK
    shop.sql(f"SELECT pg_drop_replication_slot('{shop.prefix}_delivery')")
