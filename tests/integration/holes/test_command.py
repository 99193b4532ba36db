"""The commands over a bridge that runs: a row that was never sent is found, told, and the status ends well again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import psycopg
import psycopg.conninfo
import pytest

from figbridge import bootstrap
from figbridge.cli.main import run
from figbridge.ports import Outgoing, TopicPartition
from figbridge.settings import Settings, load_settings
from figbridge.telemetry.events import telling
from integration.engine.harness import until
from support.rig import TOPICS

from .test_postgres import SCHEMA, STOCK

pytestmark = pytest.mark.embedded

LOG = TopicPartition(TOPICS.log("legacy"), 0)
DOMAIN = "figbridge.domain.stock"


@pytest.fixture
def settings_file(database: str, tmp_path: Path) -> Path:
    """Write the settings and mappings of a bridge over a database of its own, with one article in it."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute("INSERT INTO shop.stock VALUES ('A', 1, 2.50, now())")
    words = psycopg.conninfo.conninfo_to_dict(database)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "stock.yaml").write_text(STOCK)
    source = {
        "host": words["host"], "port": int(words["port"] or 0), "user": words["user"], "password": words["password"],
        "database": words["dbname"], "heartbeat_ms": 200,
    }  # fmt: skip
    settings = {"data": str(tmp_path / "data"), "mappings": str(tmp_path / "mappings"), "sources": {"legacy": source}}
    path = tmp_path / "figbridge.yaml"
    path.write_text(json.dumps(settings))
    return path


@pytest.fixture
def running(settings_file: Path) -> Iterator[Settings]:
    """Run the bridge until the test ends."""
    settings, stop = load_settings(settings_file), Event()

    def work() -> None:
        with bootstrap.bridge(settings, datetime.now(UTC), "ann") as bridge:
            bridge.run(stop.is_set)

    thread = Thread(target=work)
    with telling(io.StringIO()):
        thread.start()
        yield settings
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def told(settings: Settings) -> list[dict[str, object]]:
    """Return the events on the topic of articles."""
    with bootstrap.opened_log(settings) as log:
        places = [TopicPartition(DOMAIN, n) for n in range(settings.domain_partitions)]
        return [json.loads(r.value or b"") for place in places for r in log.read(place, 0, 1000)]


def doubt(settings: Settings) -> None:
    """Write an END into the source log that announces a row that did not come."""
    with bootstrap.opened_log(settings) as log:
        records = log.read(LOG, 0, 100_000)
        last = next(r for r in reversed(records) if (r.value or b"").startswith(b'{"status":"END"'))
        end = json.loads(last.value or b"")
        tx, _, lsn = end["id"].partition(":")
        identity = f"{int(tx) + 1}:{int(lsn) + 1}"
        counts = [{"data_collection": "shop.stock", "event_count": 1}]
        began = {**end, "status": "BEGIN", "id": identity, "event_count": None, "data_collections": None}
        ended = {**end, "id": identity, "event_count": 1, "data_collections": counts}
        bodies = [json.dumps(b, separators=(",", ":")).encode() for b in (began, ended)]
        log.append([Outgoing(LOG.topic, last.key, body, (), last.timestamp, 0) for body in bodies])


def test_a_row_that_was_never_sent_is_found_by_the_command(
    running: Settings, settings_file: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Doubt, check, recovered state, status 0: as a person does it, on a bridge that goes on working."""
    words = ["--settings", str(settings_file)]
    until(lambda: running.log_file.exists() and any(e["subject"] == "stock-A" for e in _quiet(running)), "the snapshot")
    with psycopg.connect(database, autocommit=True) as connection:
        until(lambda: connection.execute("SELECT 1 FROM pg_replication_slots WHERE active").fetchone(), "streaming")
        connection.execute("INSERT INTO shop.stock VALUES ('B', 1, 1.00, now())")
        until(lambda: any(e["subject"] == "stock-B" for e in told(running)), "an ordinary row")
        connection.execute("ALTER PUBLICATION figbridge_legacy DROP TABLE shop.stock")
        connection.execute("INSERT INTO shop.stock VALUES ('LOST', 7, 3.00, now())")
        connection.execute("ALTER PUBLICATION figbridge_legacy ADD TABLE shop.stock")
        connection.execute("INSERT INTO shop.stock VALUES ('C', 1, 1.00, now())")
        until(lambda: any(e["subject"] == "stock-C" for e in told(running)), "another ordinary row")
    doubt(running)
    until(lambda: run(["status", *words]) == 3, "a suspect")
    capsys.readouterr()
    assert run(["holes", "check", *words, "-o", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["method"], found["missing"]) == ("tables", [{"table": "shop.stock", "key": ["LOST"]}])
    until(lambda: run(["status", *words]) == 0, "no suspect any more")
    recovered = [e for e in told(running) if "recovered" in e]
    assert [(e["subject"], e["type"], e["data"]) for e in recovered] == [
        ("stock-LOST", "StockKnown", {"onHand": 7, "price": "3.00"})
    ]
    capsys.readouterr()
    assert run(["holes", "list", "--all", *words]) == 0
    assert "closed" in capsys.readouterr().out


def _quiet(settings: Settings) -> list[dict[str, object]]:
    """Return the events, none while the bridge is only making its topics."""
    with bootstrap.opened_log(settings) as log:
        if DOMAIN not in log.topics():
            return []
    return told(settings)
