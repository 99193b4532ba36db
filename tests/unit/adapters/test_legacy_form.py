"""Forms of values that need no server: which types are known, and when a log is behind a set of GTIDs."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figbridge.adapters.legacy.form_mariadb import reading, written
from figbridge.adapters.legacy.form_postgres import cell
from figbridge.adapters.legacy.mariadb import _Behind
from figbridge.ports import Record


@given(st.one_of(
    st.tuples(st.just("date"), st.dates()),
    st.tuples(st.just("datetime(6)"), st.datetimes()),
    st.tuples(st.just("datetime(3)"), st.datetimes().map(lambda d: d.replace(microsecond=d.second * 1000))),
    st.tuples(st.just("varbinary(9)"), st.binary()),
    st.tuples(st.just("int(11)"), st.integers()),
    st.tuples(st.just("varchar(9)"), st.text()),
))  # fmt: skip
def test_a_key_is_read_back_as_it_was_written(kind_and_value: tuple[str, Any]) -> None:
    """What Debezium's form says of a key finds the row."""
    kind, value = kind_and_value
    assert reading(written(value, kind), kind) == value


@pytest.mark.parametrize(
    ("value", "kind", "nullable", "form"),
    [
        (Decimal("12.50"), "decimal(10,2)", True, "12.50"),
        (Decimal("1E+2"), "decimal(10,0)", True, "100"),
        (datetime(2026, 3, 29, 12, 30, 0, 100_000), "timestamp(3)", True, "2026-03-29T12:30:00.100Z"),  # noqa: DTZ001 — as the driver gives it
        (datetime(2026, 3, 29, 12, 30), "timestamp", True, "2026-03-29T12:30:00Z"),  # noqa: DTZ001 — as the driver gives it
        (timedelta(hours=-838, minutes=-59, seconds=-59), "time", True, -3_020_399_000_000),
        ("0000-00-00", "date", True, None),
        ("0000-00-00", "date", False, 0),
        ("0000-00-00 00:00:00", "timestamp", True, "1970-01-01T00:00:00Z"),
        (date(1969, 12, 31), "date", True, -1),
    ],
)
def test_values_of_mariadb_have_debeziums_form(value: Any, kind: str, nullable: bool, form: Any) -> None:
    """Those that were verified and that a test on a live server does not easily make."""
    assert written(value, kind, nullable=nullable) == form


@pytest.mark.parametrize("kind", ["bigint(20) unsigned", "point", "bit(8)", "inet6", "set('a')", ""])
def test_types_of_mariadb_whose_form_is_not_known_are_refused(kind: str) -> None:
    """Never guessed."""
    assert written(None, kind) is NotImplemented


@pytest.mark.parametrize("kind", ["point", "interval", "timetz", "_int4", "hstore", "bit", "money", "tsvector"])
def test_types_of_postgresql_whose_form_is_not_known_are_refused(kind: str) -> None:
    """Never guessed."""
    assert cell('"x"', kind, None, enum=False) is None


def edge(status: str, gtid: str) -> Record:
    """Return a record of the transaction topic."""
    body = {"status": status, "id": gtid, "ts_ms": 1, "event_count": 1, "data_collections": []}
    return Record("t", 0, 0, None, json.dumps(body, separators=(",", ":")).encode(), (), 0)


HEARTBEAT = Record("t", 0, 0, None, b'{"ts_ms":1}', (), 0)
ROW = Record("t", 0, 0, None, b'{"transaction":{"id":"0-1-7","total_order":1}}', (), 0)


@pytest.mark.parametrize(
    ("records", "passes"),
    [
        ([edge("BEGIN", "0-1-7"), ROW, edge("END", "0-1-7")], True),
        ([edge("END", "0-1-8")], True),
        ([edge("END", "0-1-6"), HEARTBEAT], False),
        ([edge("BEGIN", "0-1-7"), ROW], False),
        ([edge("BEGIN", "0-1-7"), HEARTBEAT], True),
        ([edge("END", "9-1-7"), HEARTBEAT], False),
        ([HEARTBEAT, ROW], False),
    ],
)
def test_a_log_is_behind_a_gtid_when_its_transaction_is_whole(records: list[Record], passes: bool) -> None:
    """By its END, or a later one's; by anything behind a BEGIN that has no END, as DDL. Each domain for itself."""
    behind = _Behind({"0": 7})
    said = [behind(record) for record in records]
    assert any(said) is passes


def test_a_database_that_has_written_nothing_is_passed_at_once() -> None:
    """There is nothing to wait for."""
    behind = _Behind({})
    assert behind(HEARTBEAT)
    assert not behind.looks_back
