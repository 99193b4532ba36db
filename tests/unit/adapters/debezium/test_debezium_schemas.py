"""Records with schemas say the same as records without, in one form of cells."""

from __future__ import annotations

import pytest
from debezium_records import compact, records, rows, shapes

from figbridge.adapters.debezium.decoder import Decoder
from figbridge.adapters.debezium.schemas import CellError, normalise
from figbridge.domain.change import Dead

DECIMAL = {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}, "field": "x"}


def changes(name):
    """Return the streamed rows of a fixture in the order of the source."""
    decoder = Decoder(shapes(name))
    found = rows([decoder.decode(record) for record in records(name)])
    return sorted((c for c in found if c.op != "r"), key=lambda c: (int(c.tx.split("-")[-1]), c.detail.order))


@pytest.mark.parametrize(
    ("database", "bare", "differ"),
    [
        ("postgres", "time-microseconds.jsonl", {"c_num_free"}),
        ("mariadb", "time-microseconds.jsonl", set()),
    ],
)
def test_rows_with_schemas_equal_rows_without(database, bare, differ):
    """Precise decimals and times of every precision come out as the text and microseconds of a bare record."""
    wrapped = changes(f"{database}/variants/schemas-on.jsonl" + (".gz" if database == "postgres" else ""))
    plain = changes(f"{database}/variants/{bare}")
    wrapped, plain = wrapped[-8:], plain[-8:]
    assert [c.op for c in wrapped] == [c.op for c in plain]
    for ours, theirs in zip(wrapped, plain, strict=True):
        assert (ours.detail.order, ours.moved, ours.detail.snapshot) == (
            theirs.detail.order,
            theirs.moved,
            theirs.detail.snapshot,
        )
        for image, other in ((ours.before, theirs.before), (ours.after, theirs.after)):
            if image is None or other is None:
                assert image is other
                continue
            cells, others = ours.shape.cells(image), theirs.shape.cells(other)
            assert {c for c in cells if cells[c] != others[c]} <= differ


@pytest.mark.parametrize(
    ("schema", "cell", "expected"),
    [
        (DECIMAL, "B8Y=", "19.90"),
        (DECIMAL, "/w==", "-0.01"),
        (DECIMAL, "AA==", "0.00"),
        (DECIMAL | {"parameters": {"scale": "0"}}, "AP//////////", "18446744073709551615"),
        (DECIMAL | {"parameters": {"scale": "-2"}}, "Bw==", "700"),
        ({"type": "struct", "name": "io.debezium.data.VariableScaleDecimal"}, {"scale": 1, "value": "fQ=="}, "12.5"),
        ({"name": "io.debezium.time.Timestamp"}, 1711852200123, 1711852200123000),
        ({"name": "io.debezium.time.MicroTimestamp"}, 1711852200123456, 1711852200123456),
        ({"name": "io.debezium.time.NanoTimestamp"}, -1, -1),
        ({"name": "org.apache.kafka.connect.data.Timestamp"}, 5, 5000),
        ({"name": "io.debezium.time.Time"}, 86399999, 86399999000),
        ({"name": "io.debezium.time.MicroTime"}, 7, 7),
        ({"name": "io.debezium.time.NanoTime"}, 7000, 7),
        ({"name": "io.debezium.time.Date"}, 19813, 19813),
        ({"name": "io.debezium.time.ZonedTimestamp"}, "2024-03-31T00:30:00Z", "2024-03-31T00:30:00Z"),
        ({"type": "array", "items": DECIMAL}, ["B8Y=", None], ["19.90", None]),
        (DECIMAL, None, None),
    ],
)
def test_a_cell_takes_the_form_it_has_without_schema(schema, cell, expected):
    """Decimals are text with their scale, instants and times are microseconds, dates are days."""
    assert normalise(schema, cell) == expected


@pytest.mark.parametrize("cell", [19, "not base64", {"scale": 1}, True])
def test_a_cell_that_does_not_fit_its_schema_names_its_column_and_nothing_else(cell):
    """The error says which column, never what is in it."""
    with pytest.raises(CellError) as raised:
        normalise(DECIMAL, cell)
    assert str(raised.value) == "x"


def test_a_row_with_such_a_cell_is_dead():
    """A record whose cell does not fit its schema is not used in part."""
    name = "mariadb/variants/schemas-on.jsonl"
    record = next(r for r in records(name) if r.value and b'"tot_amt":"B8Y="' in r.value)
    broken = record._replace(value=record.value.replace(b'"tot_amt":"B8Y="', b'"tot_amt":"secret"'))
    dead = Decoder(shapes(name)).decode(broken)
    assert isinstance(dead, Dead)
    assert (dead.reason, dead.detail) == ("WRONG_TYPE", "column tot_amt does not fit its schema")


def test_a_null_payload_is_a_tombstone():
    """With schemas on, a tombstone may still be wrapped."""
    record = records("postgres/insert.jsonl")[0]._replace(value=compact({"schema": None, "payload": None}))
    assert Decoder({}).decode(record).kind == "tombstone"
