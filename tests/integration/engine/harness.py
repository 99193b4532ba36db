"""What the engine's tests share: a source in a database, its log, and reading that log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import psycopg.conninfo

from figbridge.adapters.engine.debezium import Engine
from figbridge.adapters.engine.settings import EngineConfig
from figbridge.adapters.sqlite import SqliteLog
from figbridge.ports import Record, TopicPartition

PATIENCE_S = 60.0

SCHEMA = """
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, n bigint, note text DEFAULT 'unsaid');
CREATE TABLE shop.lines (id bigint PRIMARY KEY, n bigint);
CREATE TABLE shop.addresses (id bigint PRIMARY KEY, amount numeric(10,2));
CREATE TABLE shop.elsewhere (id bigint PRIMARY KEY);
"""
TABLES = ("shop.lines", "shop.addresses", "shop.orders")


def until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait until a condition gives something true, and return it."""
    deadline = time.monotonic() + patience_s
    pause = Event()
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        pause.wait(0.02)
    raise AssertionError(f"not in time: {what}")


def config(url: str, prefix: str = "legacy", **more: Any) -> EngineConfig:
    """Describe a database as a source."""
    words: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(url)
    settings = {"tables": TABLES, "full_identity": TABLES, "heartbeat_ms": 200, **more}
    return EngineConfig(
        prefix, words["host"], int(words["port"]), words["user"], words["dbname"],
        password=words["password"], **settings,
    )  # fmt: skip


class Entry:
    """One record of the source log, read."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.value: dict[str, Any] = json.loads(record.value or b"{}")
        self.key: Any = json.loads(record.key) if record.key else None
        self.headers = dict(record.headers)

    @property
    def kind(self) -> str:
        """BEGIN, END, the operation of a change, or heartbeat."""
        return str(self.value.get("status") or self.value.get("op") or "heartbeat")

    @property
    def tx(self) -> int | None:
        if "status" in self.value:
            return int(self.value["id"].split(":")[0])
        return self.value["source"]["txId"] if "source" in self.value else None

    @property
    def lsn(self) -> int:
        return int(self.value["id"].split(":")[1])

    @property
    def image(self) -> dict[str, Any]:
        image: dict[str, Any] = self.value["after"] or self.value["before"]
        return image

    @property
    def table(self) -> str:
        return f"{self.value['source']['schema']}.{self.value['source']['table']}"

    @property
    def previous(self) -> int | None:
        """`source.sequence[0]`: the position of the commit before."""
        before = json.loads(self.value["source"]["sequence"])[0]
        return None if before is None else int(before)


@dataclass
class Source:
    """One source, its log and its engine."""

    url: str
    folder: Path
    log: SqliteLog
    config: EngineConfig
    engine: Engine

    @classmethod
    def make(cls, url: str, folder: Path, prefix: str = "legacy", **more: Any) -> Source:
        settings = config(url, prefix, **more)
        log = SqliteLog(folder / "log.db")
        return cls(url, folder, log, settings, Engine(settings, log, folder / "engine"))

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)

    def start(self) -> None:
        self.engine.start()
        self.engine.wait_streaming(PATIENCE_S)

    def close(self) -> None:
        self.engine.stop()
        self.log.close()

    def entries(self, topic: str | None = None) -> list[Entry]:
        return [Entry(r) for r in self.log.read(TopicPartition(topic or self.config.topic, 0), 0, 10_000_000)]

    def points(self) -> list[dict[str, Any]]:
        return [entry.value for entry in self.entries(self.config.offsets_topic)]

    def transactions(self) -> list[list[Entry]]:
        return list(transactions(self.entries()))

    def until_grown(self, records: int) -> None:
        """Wait until the log has so many records more."""
        place = TopicPartition(self.config.topic, 0)
        goal = self.log.ends([place.topic])[place] + records
        until(lambda: self.log.ends([place.topic])[place] >= goal, f"{records} records")

    def until_ended(self, tx: int) -> list[Entry]:
        """Wait for the END of a transaction and return its records, BEGIN and END included."""
        return until(lambda: next((t for t in self.transactions() if t[0].tx == tx), None), f"END of {tx}")  # type: ignore[no-any-return]


def transactions(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Cut a log into its transactions, with what else stands between BEGIN and END; fail when they overlap."""
    current: list[Entry] | None = None
    for entry in entries:
        if entry.kind == "BEGIN":
            assert current is None, "a transaction began inside another"
            current = [entry]
        elif entry.kind == "END":
            assert current is not None
            assert current[0].tx == entry.tx
            yield [*current, entry]
            current = None
        elif current is not None:
            current.append(entry)
        else:
            assert entry.kind in ("r", "m", "heartbeat"), "a row outside any transaction"
    assert current is None, "the log ends inside a transaction"


def rows(transaction: list[Entry]) -> list[Entry]:
    """Return the changes of rows among the records of a transaction."""
    return [entry for entry in transaction if entry.kind in ("c", "u", "d", "t")]
