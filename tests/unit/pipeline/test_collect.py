"""Collecting: a record belongs to its transaction by id, it is whole at its END, and no edge lies inside one."""

from __future__ import annotations

import pytest

from figbridge.domain.change import Dead, MarkerKind, Op, RowChange, Unmapped
from support.records import CAPTURES, ONE_LOG, Made, captured, collected, decoded, named


def numbers(transaction):
    """Return the keys of a transaction's rows."""
    return [(r.after or r.before).c0 for r in transaction.rows]


def test_a_transaction_is_whole_at_its_end():
    """Nothing comes out before END; then all rows, in order, with the commit position and time of END."""
    made = Made()
    assert [made.begin(), made.row(1), made.row(2)] == [[], [], []]
    (whole,) = made.end(2)
    assert (numbers(whole), whole.commit, whole.at_us, whole.position.offset) == ([1, 2], "100", 7, 3)
    assert (whole.markers, whole.unmapped, whole.suspects) == (2, 0, [])


def test_the_edge_never_passes_an_open_transaction():
    """What may be committed ends where the open transaction begins."""
    made = Made()
    assert made.collector.edge == 0
    made.marker(MarkerKind.HEARTBEAT)
    assert made.collector.edge == 1
    made.begin()
    made.row()
    made.marker(MarkerKind.HEARTBEAT)
    assert made.collector.edge == 1
    made.end(1)
    assert made.collector.edge == 5


@pytest.mark.parametrize("path", CAPTURES, ids=named)
def test_the_edge_of_a_capture_stands_where_no_transaction_is_open(path):
    """After each captured record the edge stands before the first row that is not out yet, and only grows."""
    collector = Made().collector
    edge, read, out, came = 0, 0, 0, 0
    for said, record in decoded(captured(path)):
        came += isinstance(said, RowChange | Dead)
        out += sum(len(t.rows) + len(t.dead) for t in collector.feed(said, record))
        assert edge <= collector.edge <= record.offset + 1
        edge = collector.edge
        read += collector.read()
        assert read == edge
        if edge == record.offset + 1:
            assert out == came


def test_heartbeats_stand_inside_and_count_for_nothing():
    """A heartbeat between the rows of a transaction is a marker, and END does not count it."""
    made = Made()
    made.begin()
    made.row(1)
    made.marker(MarkerKind.HEARTBEAT)
    made.row(2)
    (whole,) = made.end(2)
    assert (whole.markers, whole.unmapped, whole.suspects) == (3, 0, [])


def test_messages_signals_and_unmapped_rows_count_in_the_end():
    """END counts messages, signal rows and rows of tables that no mapping uses: they are no reason for doubt."""
    made = Made()
    made.begin()
    made.row(1)
    made.marker(MarkerKind.MESSAGE, "1")
    made.marker(MarkerKind.SIGNAL, "1")
    made.feed(Unmapped("shop.other", made.at(), "1"))
    made.feed(Unmapped("shop.other", made.at(), "elsewhere"))
    (whole,) = made.end(4)
    assert (whole.markers, whole.unmapped, whole.suspects) == (4, 2, [])


def test_rows_of_an_incremental_snapshot_come_out_before_the_transaction_they_stand_in():
    """They belong to no transaction, were read before it, and wait for its end: nothing is committed twice."""
    made = Made()
    made.begin()
    made.row(1)
    assert made.row(9, Op.READ, tx=None) == []
    assert made.collector.edge == 0
    made.row(2)
    found = made.end(2)
    assert [(t.snapshot, numbers(t)) for t in found] == [(True, [9]), (False, [1, 2])]
    assert found[1].suspects == []


def test_transactions_that_stand_between_each_other_are_kept_apart_by_their_id():
    """A row of another transaction closes the one before; without BEGIN nothing says that it should have ended."""
    made = Made()
    assert made.row(1, tx="1") == []
    (first,) = made.row(2, tx="2")
    assert (first.tx, numbers(first), first.suspects) == ("1", [1], [])
    (second,) = made.collector.finish()
    assert (second.tx, numbers(second)) == ("2", [2])


def test_rows_without_transaction_metadata_are_each_their_own():
    """A row that names no transaction is judged by itself."""
    made = Made()
    (first,) = made.row(1, tx=None)
    assert (first.tx, first.snapshot, numbers(first)) == ("", False, [1])


def test_a_transaction_without_rows_is_two_markers():
    """BEGIN and END of a transaction that touched no captured table."""
    made = Made()
    made.begin()
    (whole,) = made.end(0)
    assert (whole.rows, whole.markers, whole.suspects) == ([], 2, [])


def test_a_begin_without_end_and_rows_is_nothing():
    """DDL on MariaDB writes BEGIN and no END: there is nothing to lose."""
    made = Made()
    made.begin("0-7-1")
    assert made.begin("0-7-2") == []
    assert made.collector.loose() == (1, 0)
    assert made.collector.edge == 1


def test_a_dead_record_belongs_to_its_transaction():
    """A record that cannot be used is part of its transaction, and END counts it."""
    made = Made()
    made.begin()
    made.feed(Dead("WRONG_TYPE", "", made.at(), "1"))
    made.row(1)
    (whole,) = made.end(2)
    assert ([d.reason for d in whole.dead], whole.suspects) == (["WRONG_TYPE"], [])


def test_a_dead_record_of_no_transaction_stands_alone():
    """Outside any transaction it comes out at once, inside one with it."""
    made = Made()
    (alone,) = made.feed(Dead("NOT_JSON", "", made.at()))
    assert (alone.tx, len(alone.dead)) == ("", 1)
    made.begin()
    assert made.feed(Dead("NOT_JSON", "", made.at())) == []
    (whole,) = made.end(1)
    assert len(whole.dead) == 1


@pytest.mark.parametrize("path", ONE_LOG, ids=named)
def test_captured_transactions_are_whole_and_beyond_doubt(path):
    """What real connectors write collects without a suspect, but for what was prepared and never committed."""
    found = collected(captured(path))
    doubts = [s.doubt for t in found for s in t.suspects]
    assert doubts == (["never-ended"] * 2 if path.name == "xa.jsonl" else [])
    rows = sum(len(t.rows) + len(t.dead) for t in found)
    assert rows == sum(isinstance(said, RowChange | Dead) for said, _ in decoded(captured(path)))
