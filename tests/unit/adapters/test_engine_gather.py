"""Cutting the stream at transaction edges, and the point that is stored with each piece."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from figbridge.adapters.engine import position
from figbridge.adapters.engine.gather import Entry, Gatherer
from figbridge.domain.lsn import lsn_text
from figbridge.errors import InvariantError

BEAT = Entry(b'{"serverName":"legacy"}', b'{"ts_ms":1}')
READ = Entry(b'{"id":1}', b'{"before":null,"after":{"x":"\\"op\\":\\"c"},"op":"r","ts_ms":1}')


def begin(tx: int) -> Entry:
    """Give a BEGIN."""
    return Entry(b'{"id":"%d:1"}' % tx, b'{"status":"BEGIN","id":"%d:1","event_count":null}' % tx)


def end(tx: int, lsn: int) -> Entry:
    """Give an END with its commit's position."""
    return Entry(b"{}", b'{"status":"END","id":"%d:%d","event_count":1}' % (tx, lsn))


def row(number: int) -> Entry:
    """Give a created row."""
    return Entry(b'{"id":%d}' % number, b'{"before":null,"after":{"id":%d},"op":"c","ts_ms":1}' % number)


def message(lsn: int) -> Entry:
    """Give a message outside a transaction."""
    return Entry(b'{"prefix":"p"}', b'{"op":"m","ts_ms":1,"source":{"lsn":%d}}' % lsn)


@pytest.fixture
def gatherer(tmp_path: Path) -> Iterator[Gatherer]:
    """Give one whose log is complete up to 100, and that holds three records in memory."""
    made = Gatherer("log", floor=100, limit=3, folder=tmp_path)
    yield made
    made.close()


def values(gatherer: Gatherer, *batch: Entry) -> list[bytes | None] | None:
    """Return the values of what a batch completes; None when it completes nothing."""
    atom = gatherer.take(batch, 7)
    if atom is None:
        return None
    with closing(atom.records) as records:
        return [record.value for record in records]


def test_an_open_transaction_waits_for_its_end(gatherer: Gatherer) -> None:
    """Nothing of it is given before; then all of it, with what stood between."""
    first, second = [begin(1), row(1), BEAT], [row(2), row(3), end(1, 200), BEAT, begin(2)]
    assert values(gatherer, *first) is None
    assert gatherer.waiting == 3
    atom = gatherer.take(second, 7)
    assert atom is not None
    assert atom.edge == 3
    with closing(atom.records) as records:
        assert [r.value for r in records] == [e.value for e in (*first, *second[:4])]
        assert [tuple(r)[3:] for r in records] == [((), 7, 0)] * 7
        assert records[-1].value == BEAT.value
        assert [r.value for r in records[1:3]] == [row(1).value, BEAT.value]
    assert gatherer.waiting == 1


def test_records_outside_a_transaction_are_edges(gatherer: Gatherer) -> None:
    """Snapshot rows, heartbeats and messages are given at once."""
    assert values(gatherer, READ, BEAT, message(101)) == [READ.value, BEAT.value, message(101).value]


def test_what_the_log_has_is_left_out(gatherer: Gatherer) -> None:
    """A transaction that ends, or a message that stands, not after the floor came again."""
    batch = [begin(1), row(1), end(1, 100), message(100), begin(2), row(2), end(2, 101), message(101), message(102)]
    assert values(gatherer, *batch) == [e.value for e in (*batch[4:7], batch[8])]
    assert gatherer.resent == 5


def test_only_repeats_give_an_edge_without_records(gatherer: Gatherer) -> None:
    """The slot may be confirmed past them."""
    atom = gatherer.take([begin(1), row(1), end(1, 90)], 7)
    assert atom is not None
    assert (len(atom.records), atom.edge) == (0, 2)


@pytest.mark.parametrize("batch", [[begin(1), begin(2)], [row(1)]], ids=["begin inside", "row outside"])
def test_an_impossible_order_stops_everything(gatherer: Gatherer, batch: list[Entry]) -> None:
    """A defect is not appended."""
    with pytest.raises(InvariantError):
        gatherer.take(batch, 7)


def test_any_cutting_into_batches_gives_the_same_log(tmp_path: Path) -> None:
    """Batches and the limit of memory change nothing but when records are given."""
    stream: list[Entry] = []
    for tx in range(40):
        stream += [begin(tx), *(row(n) for n in range(tx % 9)), BEAT, end(tx, 200 + tx), *([BEAT] * (tx % 3))]
    for seed in range(30):
        dice = random.Random(seed)
        gatherer = Gatherer("log", floor=0, limit=dice.choice([1, 2, 5, 1000]), folder=tmp_path)
        got: list[bytes | None] = []
        at = 0
        while at < len(stream):
            size = dice.randint(1, 25)
            got += values(gatherer, *stream[at : at + size]) or []
            at += size
        assert got == [entry.value for entry in stream]
        assert gatherer.waiting == 0
        gatherer.close()


def test_the_point_has_nothing_that_makes_debezium_search() -> None:
    """Only the commit's position is left, and what an incremental snapshot needs."""
    offset = {
        "transaction_id": "7", "transaction_data_collection_order_s.t": 1, "lsn_proc": 9, "messageType": "COMMIT",
        "lsn_commit": 9, "lsn": 9, "txId": 7, "ts_usec": 1, "incremental_snapshot_collections": "[]",
    }  # fmt: skip
    left = {"lsn_commit": 9, "lsn": 9, "txId": 7, "ts_usec": 1, "incremental_snapshot_collections": "[]"}
    assert position.resume_point(offset) == left
    assert position.decode(position.encode(left)) == left


@pytest.mark.parametrize(("last", "point"), [(False, None), (True, {"lsn": 5})])
def test_a_snapshot_has_no_point_before_its_last_row(last: bool, point: dict[str, int] | None) -> None:
    """So that it is made again when it is cut short."""
    offset = {"snapshot": "INITIAL", "last_snapshot_record": last, "snapshot_completed": False, "lsn": 5}
    assert position.resume_point(offset) == point


def test_the_key_is_the_one_of_debeziums_store() -> None:
    """Byte for byte: the store finds its offset by it."""
    assert position.key("legacy") == b'["legacy",{"server":"legacy"}]'
    assert lsn_text(0x1_016F9508) == "1/16F9508"
