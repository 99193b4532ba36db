"""A row that is read from the database has the form that Debezium gave it, cell for cell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from figbridge.adapters.legacy.postgres import PostgresRows
from figbridge.errors import Refused
from integration.engine.harness import Source, until

pytestmark = pytest.mark.embedded

COLUMNS = {
    "small": "smallint",
    "whole": "integer",
    "big": "bigint",
    "yes": "boolean",
    "words": "text",
    "short": "varchar(20)",
    "padded": "char(5)",
    "exact": "numeric(10,2)",
    "free": "numeric",
    "near": "double precision",
    "nearer": "real",
    "day": "date",
    "at": "timestamp",
    "at_ms": "timestamp(3)",
    "zoned": "timestamptz",
    "zoned_ms": "timestamptz(3)",
    "zoned_s": "timestamptz(0)",
    "clock": "time",
    "clock_ms": "time(3)",
    "raw": "bytea",
    "tree": "jsonb",
    "text_tree": "json",
    "ident": "uuid",
    "mood": "shop.mood",
    "mail": "shop.mail",
}
SCHEMA = f"""
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('glad', 'sad');
CREATE DOMAIN shop.mail AS text;
CREATE TABLE shop.every (id int PRIMARY KEY, {", ".join(f'"{n}" {t}' for n, t in COLUMNS.items())});
CREATE TABLE shop.odd (id int PRIMARY KEY, spot point, twice int GENERATED ALWAYS AS (id * 2) STORED);
"""
UUID = "6f1ed002-ab5b-4c5e-9d5b-0f1f0c3b2a11"
INSTANTS = (
    "2026-11-21 12:00:00.123456+01",
    "2026-11-21 12:00:00.1+01",
    "2026-11-21 12:00:00+01",
    "0044-03-15 00:00+00",
)
VALUES = [
    (
        n, n, -n, 2**62 + n, n % 2 == 0, "ß \\ 'x'", "kurz", "ab", "12.50", f"1{'0' * n}.500", 0.1 + n, 0.1 + n,
        f"19{70 + n}-01-01", f"2026-03-29 02:30:00.12{n}456", f"2026-03-29 02:30:00.12{n}", instant, instant, instant,
        f"23:59:59.00000{n}", f"00:00:00.00{n}", bytes(range(70)), '{"b": 1,   "a": [1]}', '{"b": 1,   "a": [1]}', UUID,
        "glad", "a@b",
    )
    for n, instant in enumerate(INSTANTS)
]  # fmt: skip
EXTREME = {
    "free": "NaN",
    "near": "NaN",
    "nearer": "-Infinity",
    "day": "infinity",
    "at": "-infinity",
    "at_ms": "infinity",
    "zoned": "infinity",
    "clock": "24:00",
}


@pytest.fixture
def every(source: Callable[..., Source]) -> Source:
    """Return a source with rows of every type, ordinary, extreme and null, that were streamed."""
    made = source(SCHEMA, "shop.every")
    made.start()
    with made.connect() as connection:
        for row in VALUES:
            connection.execute(f"INSERT INTO shop.every VALUES ({', '.join(['%s'] * len(row))})", row)
        names, cells = ", ".join(f'"{n}"' for n in EXTREME), ", ".join(["%s"] * len(EXTREME))
        connection.execute(f"INSERT INTO shop.every (id, {names}) VALUES (100, {cells})", list(EXTREME.values()))
        connection.execute("INSERT INTO shop.every (id) VALUES (101)")
    until(lambda: len(made.transactions()) == len(VALUES) + 2, "all rows")
    return made


def test_every_type_is_read_as_debezium_writes_it(every: Source) -> None:
    """Numbers, texts, times in their precision, bytes, documents, enumerations; what is infinite, and what is null."""
    streamed = {t[1].image["id"]: t[1].image for t in every.transactions()}
    columns = ["id", *COLUMNS]
    found = {row["id"]: row for row in PostgresRows(every.config.dsn).every("shop.every", columns)}
    assert found.keys() == streamed.keys()
    for number, row in found.items():
        differ = {c: (row[c], streamed[number][c]) for c in columns if row[c] != streamed[number][c]}
        assert differ == {}, number


def test_rows_are_found_by_keys_of_any_type(every: Source) -> None:
    """A key is compared in the form that the log has it in."""
    rows = PostgresRows(every.config.dsn)
    first = next(row for row in rows.every("shop.every", ["id", *COLUMNS]) if row["id"] == 1)
    for column in COLUMNS:
        if column not in ("tree", "text_tree", "near", "nearer"):
            key = (column, "id")
            (found,) = rows.by_key("shop.every", ["id"], key, [[first[c] for c in key]])
            assert found == {"id": 1}, column
    assert list(rows.by_key("shop.every", ["id"], ["id"], [[99], [3], [0]])) == [{"id": 0}, {"id": 3}]


@pytest.mark.parametrize("column", ["spot", "twice", "nowhere"])
def test_a_form_that_is_not_known_is_refused(every: Source, column: str) -> None:
    """A type that is not in the list, a column that streamed rows do not carry, one that is not there."""
    with pytest.raises(Refused) as refused:
        list(PostgresRows(every.config.dsn).every("shop.odd", ["id", column]))
    assert refused.value.code == "HOL004"


def test_a_database_that_keeps_no_commit_times_says_so(every: Source) -> None:
    """A transaction that never was has none; one that was has the time of its rows."""
    rows = PostgresRows(every.config.dsn)
    last = every.transactions()[-1]
    tx = last[0].tx
    assert rows.commit_time(str(tx)) == last[1].value["source"]["ts_us"]
    assert rows.commit_time("4000000000") is None
    assert [r["id"] for r in rows.committed_at("shop.every", ["id"], last[1].value["source"]["ts_us"])] == [101]
