"""Writers of overlapping transactions that leave the truth in a table: what each transaction did, in its own commit."""

from __future__ import annotations

import json
import random
import threading
from itertools import count
from types import TracebackType
from typing import Any

import psycopg

Did = tuple[str, str, int]
"""Table, operation, primary key."""

TRUTH = "CREATE TABLE shop.truth (tx bigint PRIMARY KEY, did json)"


class Writers:
    """Run writers in threads until the block ends."""

    def __init__(self, url: str, number: int) -> None:
        self._url = url
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self._ids = count(1)
        self._threads = [threading.Thread(target=self._guarded, args=[n]) for n in range(number)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if kind is None and self._failures:
            raise self._failures[0]

    def _guarded(self, number: int) -> None:
        try:
            self._write(random.Random(number))
        except BaseException as error:  # noqa: BLE001
            self._failures.append(error)

    def _write(self, dice: random.Random) -> None:
        mine: list[int] = []
        with psycopg.connect(self._url, autocommit=True) as db:
            while not self._stop.wait(dice.random() * 0.06):
                kept = list(mine)
                with db.transaction(force_rollback=dice.random() < 0.05) as block:
                    did: list[Did] = []
                    for _ in range(dice.choice([1, 1, 2, 3, 8])):
                        did += self._step(db, dice, mine)
                    tx = _one(db, "SELECT txid_current()")
                    db.execute("INSERT INTO shop.truth VALUES (%s, %s)", [tx, json.dumps(did)])
                mine = kept if block.force_rollback else mine[-200:]

    def _step(self, db: psycopg.Connection[Any], dice: random.Random, mine: list[int]) -> list[Did]:
        """Do one statement, and tell what it did to the captured tables."""
        chance = dice.random()
        if chance < 0.1:
            db.execute("INSERT INTO shop.elsewhere VALUES (%s)", [next(self._ids)])
            return []
        if chance < 0.2:
            ids = [next(self._ids) for _ in range(dice.randint(10, 60))]
            with db.cursor() as cursor, cursor.copy("COPY shop.lines FROM STDIN") as stream:
                for one in ids:
                    stream.write_row((one, one))
            return [("shop.lines", "c", one) for one in ids]
        if chance < 0.55 or not mine:
            mine.append(next(self._ids))
            db.execute("INSERT INTO shop.orders VALUES (%s, 0)", [mine[-1]])
            return [("shop.orders", "c", mine[-1])]
        one = mine.pop(dice.randrange(len(mine)))
        if chance < 0.7:
            db.execute("DELETE FROM shop.orders WHERE id = %s", [one])
            return [("shop.orders", "d", one)]
        if chance < 0.8:
            mine.append(next(self._ids))
            db.execute("UPDATE shop.orders SET id = %s WHERE id = %s", [mine[-1], one])
            return [("shop.orders", "d", one), ("shop.orders", "c", mine[-1])]
        mine.append(one)
        db.execute("UPDATE shop.orders SET n = n + 1 WHERE id = %s", [one])
        return [("shop.orders", "u", one)]


def truth(url: str) -> dict[int, list[Did]]:
    """Return what the committed transactions did to the captured tables, without those that did nothing there."""
    with psycopg.connect(url, autocommit=True) as db:
        found = db.execute("SELECT tx, did FROM shop.truth").fetchall()
    return {tx: [(str(t), str(o), int(k)) for t, o, k in did] for tx, did in found if did}


def _one(db: psycopg.Connection[Any], query: str) -> int:
    row = db.execute(query).fetchone()
    assert row is not None
    return int(row[0])
