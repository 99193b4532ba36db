"""What looks as if rows were lost is named; what Debezium sent again is recognised; prepared rows never happened."""

from __future__ import annotations

import pytest

from figbridge.domain.change import Op
from figbridge.mapping.rows import make_shape
from figbridge.pipeline.collect import Doubt, suspects
from support.records import FIXTURES, Made, captured, collected

RAN = FIXTURES / "debezium"


def doubts(transactions):
    """Return the doubts of transactions."""
    return [s.doubt for t in transactions for s in t.suspects]


def test_a_run_that_changes_inside_a_transaction_is_a_doubt():
    """The connector's task started again between two rows of a transaction."""
    made = Made()
    made.begin()
    made.row(1, run="a")
    made.row(2, run="b")
    assert doubts(made.end(2)) == [Doubt.RESTARTED]


def test_a_run_that_changes_between_transactions_is_none():
    """A restart at an edge loses nothing."""
    made = Made()
    for run, tx in (("a", "1"), ("b", "2")):
        made.begin(tx)
        made.row(1, run=run, tx=tx)
        assert doubts(made.end(1, tx, commit=tx)) == []


def test_a_second_begin_of_the_same_transaction_goes_on_with_it():
    """MariaDB begins anew after a restart inside a transaction: its rows are one transaction, and suspect."""
    made = Made()
    made.begin("0-7-5")
    made.row(1, tx="0-7-5")
    assert made.begin("0-7-5") == []
    made.row(2, tx="0-7-5")
    (whole,) = made.end(2, "0-7-5", "0-7-5")
    assert (len(whole.rows), doubts([whole]), whole.markers) == (2, [Doubt.RESTARTED], 3)


def test_a_key_change_without_its_other_half_is_a_doubt():
    """A `d` that names a new key whose `c` never came."""
    made = Made()
    made.begin()
    made.row(1, Op.DELETE, moved=2)
    assert doubts(made.end(1)) == [Doubt.KEY_CHANGE_TORN]
    made.begin("2")
    made.row(1, Op.DELETE, tx="2", moved=2)
    made.row(2, Op.CREATE, tx="2", moved=1)
    assert doubts(made.end(2, "2", "101")) == []


def test_key_changes_of_two_tables_do_not_stand_in_for_each_other():
    """The same keys in another table complete nothing."""
    invoices = make_shape("shop.invoices", ["order_id"], ["order_id", "stat"])
    made = Made()
    made.begin()
    made.row(1, Op.DELETE, moved=2)
    made.row(1, Op.DELETE, moved=2, shape=invoices)
    made.row(2, Op.CREATE, moved=1)
    (whole,) = made.end(3)
    assert [(s.doubt, s.tables) for s in whole.suspects] == [(Doubt.KEY_CHANGE_TORN, ("shop.invoices",))]


@pytest.mark.parametrize("announced", [0, 1, 3])
def test_an_end_that_counts_otherwise_is_a_doubt(announced):
    """END announced another number of records than came."""
    made = Made()
    made.begin()
    made.row(1)
    made.row(2)
    found = made.end(announced)
    assert doubts(found) == [Doubt.COUNT_DIFFERS]
    assert found[0].suspects[0].detail == f"END announces {announced} records, 2 came"


def test_a_count_that_differs_names_every_table_that_end_announces():
    """Also one of which no row came."""
    made = Made()
    made.begin()
    made.row(1)
    (whole,) = made.end(3, tables=(("shop.lines", 2), ("shop.orders", 1)))
    assert [s.tables for s in whole.suspects] == [("shop.lines", "shop.orders")]


def test_where_nobody_knows_what_was_lost_any_table_is_suspected():
    """What came before the first row, a transaction that is missing whole, an END that names no table."""
    made = Made(ends={"": "100"})
    made.previous[1] = "150"
    made.begin(place=60)
    made.row(1, place=61)
    (whole,) = made.end(2, commit="200")
    assert {s.doubt: s.tables for s in whole.suspects} == {
        Doubt.COUNT_DIFFERS: (),
        Doubt.FIRST_MISSING: (),
        Doubt.GAP_BEFORE: (),
    }


def test_a_first_row_that_is_not_where_begin_stands_is_a_doubt():
    """BEGIN names the place of the transaction's first record; another first row says that one was skipped."""
    made = Made()
    made.begin(place=50)
    made.row(1, place=50)
    assert doubts(made.end(1)) == []
    made.begin("2", place=60)
    made.row(1, tx="2", place=61)
    assert doubts(made.end(1, "2", "101")) == [Doubt.FIRST_MISSING]


def test_a_gap_before_a_transaction_is_a_doubt():
    """Its first row names another transaction as the one before than the log holds."""
    made = Made()
    made.begin()
    made.row(1)
    made.end(1, commit="100")
    made.previous[made.offset + 1] = "100"
    made.begin("2")
    made.row(1, tx="2")
    assert doubts(made.end(1, "2", "200")) == []
    made.previous[made.offset + 1] = "250"
    made.begin("3")
    made.row(1, tx="3")
    assert doubts(made.end(1, "3", "300")) == [Doubt.GAP_BEFORE]


def test_the_last_end_survives_a_restart():
    """A collector that goes on from what is committed sees the gap, and what was sent again."""
    made = Made(ends={"": "100"})
    made.previous[1] = "150"
    made.begin()
    made.row(1)
    assert doubts(made.end(1, commit="200")) == [Doubt.GAP_BEFORE]
    made = Made(ends={"": "100"})
    made.begin()
    made.row(1)
    assert [t.resent for t in made.end(1, commit="100")] == [True]


def test_prepared_rows_are_never_published_as_happened():
    """XA: rows come at PREPARE, without END. They are dead letters and a suspect, for nobody knows their end."""
    made = Made()
    made.begin("0-7-1")
    made.row(1, tx="0-7-1")
    (held,) = made.begin("0-7-2")
    assert (held.rows, [d.reason for d in held.dead], doubts([held])) == ([], ["NEVER_ENDED"], [Doubt.NEVER_ENDED])
    assert held.suspects[0].tables == ("shop.orders",)


def test_captured_prepared_transactions_never_happened():
    """Of the captured XA transactions only the plain commit between them is a transaction with rows."""
    found = collected(captured(RAN / "mariadb" / "one-log" / "xa.jsonl"))
    assert [len(t.rows) for t in found if t.rows] == [1]
    assert doubts(found) == [Doubt.NEVER_ENDED] * 2


def test_a_truncate_is_a_dead_record_and_no_suspect():
    """TRUNCATE on MariaDB has BEGIN and no END; its record is dead, and no row was lost."""
    found = collected(captured(RAN / "mariadb" / "truncate.jsonl"))
    assert [d.reason for t in found for d in t.dead] == ["TRUNCATE"]
    assert doubts(found) == []


def test_what_was_sent_again_after_a_crash_is_recognised():
    """A transaction that the log has had whole says nothing again: rows are counted, dead letters not resent."""
    captured_ = captured(RAN / "postgres" / "one-log" / "transaction.jsonl")
    again = [r._replace(offset=r.offset + len(captured_)) for r in captured_]
    first, second = collected([*captured_, *again])
    assert (len(first.rows), first.resent, len(second.rows), second.resent) == (6, False, 0, True)
    assert (second.repeated, second.markers) == (6, 2)
    assert doubts([first, second]) == []


def test_a_later_transaction_of_another_domain_does_not_hide_one_sent_again():
    """MariaDB counts in each domain: a GTID is compared with the newest of its own domain."""
    made = Made()
    said = []
    for tx in ("0-7-12", "9-77-3", "0-7-12", "9-77-3", "0-7-13"):
        made.begin(tx)
        made.row(1, tx=tx)
        said += made.end(1, tx, tx)
    assert [t.resent for t in said] == [False, False, True, True, False]


def test_suspects_are_kept_by_source_and_position():
    """A suspect becomes state that a person can look at, in the order of the log."""
    made = Made()
    made.begin()
    made.row(1)
    (whole,) = made.end(3)
    (entry,) = suspects(whole, "legacy")
    assert (entry.space, entry.group, entry.member) == ("suspects", "legacy", f"{2:020}.count-differs")
    assert suspects(None, "legacy") == []
