"""The same range gives the same bytes: another batch size, another log, a restart at any record, twice in a row."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest

from figbridge.adapters.memory import MemoryLog
from figbridge.adapters.sqlite.log import SqliteLog
from figbridge.ports import Outgoing
from support.histories import History, everything
from support.monolith import insert, shop
from support.records import LOG, ONE_LOG, captured, captured_plan, named
from support.rig import Rig, plan_of

SMALL = [path for path in ONE_LOG if path.suffix == ".jsonl"]
BEFORE = ("required", "last-known")


def outgoing(path):
    """Return a capture as records to append."""
    return [Outgoing(LOG, r.key, r.value, r.headers, r.timestamp, 0) for r in captured(path)]


@cache
def generated(before):
    """Return a generated history as records: a snapshot, then transactions with heartbeats between them."""
    random = Random(7)
    monolith, sketch = shop(full=before == "required", toast=frozenset({"notes"})), shop()
    carriers = [insert("carriers", carrier_id=n, code=str(n)) for n in (1, 2)]
    for each in (monolith, sketch):
        each.fill(*carriers)
    history = History(random, sketch)
    records = monolith.snapshot("carriers")
    for n in range(12):
        steps = history.transaction()
        records += monolith.transaction(*steps)
        records += [monolith.heartbeat()] * (n % 3 == 0)
    return tuple(records)


class Run:
    """One run of a bridge over records, which may stop at any record and start again from what is committed."""

    def __init__(self, plan, log, records):
        self.plan, self.log = plan, log
        self.rig = Rig(plan=plan, log=log)
        log.append(list(records))

    def restart(self, batch=1000):
        """Start a new bridge over what is committed; the one before is fenced."""
        self.rig = Rig(plan=self.plan, log=self.log, store=self.rig.store, batch=batch)

    def whole(self, batch=1000):
        """Process everything to the end, and return what was written."""
        self.rig.worker.batch = batch
        self.rig.drain()
        self.rig.check()
        return self.rig.written()


CASES = [pytest.param(captured_plan(), outgoing(path), id=named(path)) for path in SMALL]
CASES += [pytest.param(plan_of((everything(b),)), generated(b), id=f"generated, {b}") for b in BEFORE]
LARGE = [pytest.param(captured_plan(), outgoing(p), id=named(p)) for p in ONE_LOG if p.suffix == ".gz"]


@pytest.fixture
def sqlite(tmp_path):
    """Open SQLite logs, on files of their own; all are closed at the end."""
    opened = []

    def make():
        opened.append(SqliteLog(tmp_path / f"{len(opened)}.db"))
        return opened[-1]

    yield make
    for log in opened:
        log.close()


@pytest.mark.parametrize(("plan", "records"), CASES + LARGE)
def test_the_batch_size_makes_no_difference(plan, records):
    """Whatever is polled at once, the same is written, under the same ids."""
    expected = Run(plan, MemoryLog(), records).whole()
    for batch in (1, 2, 7):
        assert Run(plan, MemoryLog(), records).whole(batch) == expected


@pytest.mark.parametrize(("plan", "records"), CASES)
def test_a_restart_at_any_record_makes_no_difference(plan, records):
    """A bridge that stops after any record, inside a transaction too, and starts anew writes the same, once."""
    expected = Run(plan, MemoryLog(), records).whole()
    for stop in range(1, len(records)):
        run = Run(plan, MemoryLog(), records)
        run.rig.worker.batch = 1
        for _ in range(stop):
            run.rig.worker.step(0)
        run.restart()
        assert run.whole() == expected, stop


@pytest.mark.parametrize(("plan", "records"), CASES + LARGE)
def test_a_restart_after_every_transaction_makes_no_difference(plan, records):
    """A bridge that starts anew whenever something was committed writes the same as one that never stops."""
    expected = Run(plan, MemoryLog(), records).whole()
    run, position = Run(plan, MemoryLog(), records), 0
    run.rig.worker.batch = 1
    while run.rig.worker.step(0):
        committed = run.log.committed("bridge")
        if sum(committed.values()) > position:
            position = sum(committed.values())
            run.restart(batch=1)
    assert run.whole() == expected


@pytest.mark.parametrize(("plan", "records"), CASES)
def test_sqlite_writes_what_memory_writes(plan, records, sqlite):
    """The log makes no difference either, with a restart after every transaction."""
    expected = Run(plan, MemoryLog(), records).whole()
    assert Run(plan, sqlite(), records).whole() == expected
    run, position = Run(plan, sqlite(), records), 0
    run.rig.worker.batch = 1
    while run.rig.worker.step(0):
        committed = sum(run.log.committed("bridge").values())
        if committed > position:
            position = committed
            run.restart(batch=1)
    assert run.whole() == expected


@pytest.mark.parametrize(("plan", "records"), CASES + LARGE)
def test_no_id_stands_twice(plan, records):
    """Every record of a domain topic has an id of its own."""
    written = Run(plan, MemoryLog(), records).whole()
    values = [r.value for place, found in written.items() if ".domain." in place.topic for r in found]
    ids = [value.split(b'"id":"', 1)[1].split(b'"', 1)[0] for value in values]
    assert len(set(ids)) == len(ids)


ENDED = [case for case in CASES if case.id not in ("mariadb/one-log/schema-change.jsonl", "mariadb/one-log/xa.jsonl")]
"""MariaDB's TRUNCATE and XA PREPARE have no END, by which they could be recognised: their dead letters come again."""


@pytest.mark.parametrize("restart", [False, True], ids=["going on", "started anew"])
@pytest.mark.parametrize(("plan", "records"), ENDED)
def test_what_comes_twice_is_said_once(plan, records, restart):
    """A whole range that Debezium sends again after a crash says nothing again, but for rows of a snapshot."""
    run = Run(plan, MemoryLog(), records)
    once = run.whole()
    if restart:
        run.restart()
    run.log.append(list(records))
    twice = run.whole()
    known = [place for place, found in once.items() if any(b"Known" in (r.value or b"") for r in found)]
    assert {p: r for p, r in twice.items() if p not in known} == {p: r for p, r in once.items() if p not in known}
