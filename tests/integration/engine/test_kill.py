"""kill -9 at any moment: the log ends at a transaction's edge, and goes on there."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from .harness import Entry, Source, rows, until
from .writers import TRUTH, Writers, truth

pytestmark = [pytest.mark.embedded, pytest.mark.faults, pytest.mark.timeout(1800)]

KILLS = int(os.environ.get("FIGBRIDGE_KILLS", "6"))
CHILD = Path(__file__).with_name("child.py")


class Child:
    """An engine in a process of its own, started again after each kill."""

    def __init__(self, source: Source) -> None:
        self._command = [sys.executable, str(CHILD), str(source.folder), json.dumps(asdict(source.config))]
        self._process: subprocess.Popen[str] | None = None

    def start(self, holding: int = 0) -> None:
        command = [*self._command, str(holding)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, word: str) -> str:
        """Wait for a line of the child that begins with a word."""
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(word):
                return line
        raise AssertionError(f"the child ended before it said {word}")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def stop(self) -> int:
        """End the child in order, and return how many records came again."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        resent = int(self.say("stopped").split()[1])
        assert self._process.stdout is not None
        self._process.stdout.close()
        assert self._process.wait(30) == 0
        self._process = None
        return resent


@pytest.fixture
def child(source: Source) -> Iterator[Child]:
    """Give a child that is not started yet; it is killed afterwards."""
    made = Child(source)
    yield made
    made.kill()


def test_kills_under_writers_lose_and_repeat_nothing(source: Source, child: Child) -> None:
    """Every committed row is in the log once, whole transactions, ENDs in commit order, each naming the one before."""
    with source.connect() as db:
        db.execute(TRUTH)
    child.start()
    child.say("streaming")
    dice = random.Random(os.getpid())
    with Writers(source.url, 4):
        for number in range(KILLS):
            if number % 3:
                source.until_grown(dice.randrange(2000))
            child.kill()
            child.start()
            if number % 3 != 1:
                child.say("streaming")
    with source.connect() as db:
        db.execute("INSERT INTO shop.addresses VALUES (1, 1)")
    until(lambda: any(e.kind == "c" and e.table == "shop.addresses" for e in source.entries()), "the last row", 300)
    assert child.stop() == 0
    transactions = source.transactions()
    got = {t[0].tx: [(e.table, e.kind, e.image["id"]) for e in rows(t)] for t in transactions[:-1]}
    assert got == truth(source.url)
    assert len(got) == len(transactions) - 1
    assert [t[-1].value["event_count"] for t in transactions[:-1]] == [len(did) for did in got.values()]
    ends = [t[-1].lsn for t in transactions]
    assert ends == sorted(set(ends))
    assert [previous(t) for t in transactions] == [{None}, *({end} for end in ends[:-1])]


def test_a_kill_inside_a_copy_loses_none_of_it(source: Source, child: Child) -> None:
    """30,000 rows that share positions by the page: with Debezium's own offset the rest of a page is lost."""
    child.start(holding=1)
    child.say("streaming")
    with source.connect() as db, db.cursor().copy("COPY shop.lines FROM STDIN") as stream:
        for number in range(30_000):
            stream.write_row((number, number))
    for held in (5_000, 12_000, 25_000, 0):
        child.say("holding")
        child.kill()
        assert source.transactions() == []
        child.start(holding=held)
    until(source.transactions, "the COPY", 120)
    child.stop()
    (transaction,) = source.transactions()
    assert [e.image["id"] for e in rows(transaction)] == list(range(30_000))
    assert transaction[-1].value["event_count"] == 30_000


def test_a_kill_inside_a_snapshot_leaves_nothing_out(source: Source, child: Child) -> None:
    """Rows that were written while a snapshot was cut short are in the next snapshot or behind it."""
    with source.connect() as db:
        db.execute("INSERT INTO shop.orders SELECT i, 0 FROM generate_series(1, 20000) i")
        child.start()
        until(lambda: source.log.topics() and source.entries(), "first rows")
        child.kill()
        db.execute("INSERT INTO shop.orders VALUES (30001, 0)")
        child.start()
        db.execute("INSERT INTO shop.orders VALUES (30002, 0)")
        child.say("streaming")
        db.execute("INSERT INTO shop.orders VALUES (30003, 0)")
        until(lambda: any(e.kind == "c" and e.image["id"] == 30003 for e in source.entries()), "the last row")
    child.stop()
    seen = [e.image["id"] for e in source.entries() if e.kind in "rc"]
    assert set(seen) == {*range(1, 20_001), 30_001, 30_002, 30_003}
    assert seen.count(30_003) == 1


def previous(transaction: list[Entry]) -> set[int | None]:
    """Return what the rows of a transaction say of the commit before."""
    return {entry.previous for entry in rows(transaction)}
