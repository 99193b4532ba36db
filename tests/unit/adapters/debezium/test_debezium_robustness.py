"""Whatever the bytes are, decoding gives a value: never an exception, and no cell in a reason."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from debezium_records import FILES, ORDERS, compact, records, shapes, with_value
from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.adapters.debezium.decoder import Decoder
from figbridge.adapters.debezium.details import previous_end
from figbridge.adapters.debezium.reasons import Reason
from figbridge.domain.change import Dead, Decoded, Position
from figbridge.ports import Record

SMALL = [n for n in FILES if not n.endswith(".gz")]
INSERT = records("postgres/insert.jsonl")[0]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def decodes(record: Record, decoder: Decoder) -> None:
    """Check that decoding gives one of the kinds at the record's position."""
    decoded = decoder.decode(record)
    assert isinstance(decoded, get_args(Decoded))
    assert decoded.position == Position(*record[:3])
    if isinstance(decoded, Dead):
        assert decoded.reason in set(Reason)
    assert previous_end(record) is None or isinstance(previous_end(record), str)


@given(st.binary())
def test_arbitrary_bytes_decode(value):
    """Noise is dead, not an error."""
    decodes(INSERT._replace(value=value), Decoder({"shop.orders": ORDERS}))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["__debezium.newkey", "__debezium.oldkey", "__debezium.context.runId", "x"]),
            st.none() | st.binary(),
        )
    )
)
def test_arbitrary_headers_decode(headers):
    """Broken headers are no error either."""
    decodes(INSERT._replace(headers=tuple(headers)), Decoder({"shop.orders": ORDERS}))


@settings(max_examples=300)
@given(st.data())
def test_records_with_changed_bytes_decode(data):
    """A real record with bytes overwritten, cut out or cut off gives some value."""
    name = data.draw(st.sampled_from(SMALL))
    record = data.draw(st.sampled_from([r for r in records(name) if r.value] or [INSERT]))
    value = bytearray(record.value)
    start = data.draw(st.integers(0, len(value) - 1))
    stop = data.draw(st.integers(start, min(len(value), start + 20)))
    value[start:stop] = data.draw(st.binary(max_size=8))
    decodes(record._replace(value=bytes(value)), Decoder(shapes(name)))


@settings(max_examples=300)
@given(st.data())
def test_records_with_changed_fields_decode(data):
    """A real record with any field replaced by any JSON, or left out, gives some value."""
    name = data.draw(st.sampled_from(SMALL))
    record = data.draw(st.sampled_from([r for r in records(name) if r.value] or [INSERT]))
    document = json.loads(record.value)
    place = document
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    if data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(JSON)
    value = json.dumps(document, separators=(",", ":")).encode()
    decodes(record._replace(value=value), Decoder(shapes(name)))


def dead(record: Record) -> tuple[str, str]:
    """Return why a record of orders is dead."""
    decoded = Decoder({"shop.orders": ORDERS}).decode(record)
    assert isinstance(decoded, Dead)
    return decoded.reason, decoded.detail


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"", "NOT_JSON", "as a whole"),
        (b"{", "NOT_JSON", "as a whole"),
        (b'{"a":secret}', "NOT_JSON", "at byte 5"),
        (b'{"a":"\xff\xfe"}', "NOT_UTF8", "in a text"),
        (b"[" * 100_000, "NOT_JSON", "as a whole"),
        (b"{}", "NOT_AN_OBJECT", "the object has no fields"),
        (b'"secret"', "NOT_AN_OBJECT", "the value is no object"),
        (b'{"secret":1}', "UNKNOWN_RECORD", "an object of 1 fields without op, status, ddl"),
        (b'{"ts_ms":"secret"}', "UNKNOWN_RECORD", "an object of 1 fields without op, status, ddl"),
        (b'{"status":"END","id":"1:2","ts_ms":1}', "WRONG_TYPE", "transaction record as a whole"),
        (b'{"status":"secret","id":"1:2","ts_ms":1}', "WRONG_TYPE", "transaction record at $.status"),
    ],
)
def test_what_is_no_record_is_dead_with_its_reason(value, reason, detail):
    """Each way of being no record has its own code, and the detail holds nothing of the record."""
    assert dead(INSERT._replace(value=value)) == (reason, detail)


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        (lambda d: d.update(op="x"), "UNKNOWN_OPERATION", "op is none of c, u, d, r, t, m"),
        (lambda d: d.pop("op"), "UNKNOWN_OPERATION", "op is none of c, u, d, r, t, m"),
        (lambda d: d.pop("source"), "SOURCE_MISSING", "no source"),
        (lambda d: d["source"].pop("table"), "SOURCE_MISSING", "source names no table"),
        (lambda d: d["source"].update(lsn="secret"), "WRONG_TYPE", "at $.source.lsn"),
        (lambda d: [d["source"].pop(t) for t in ("ts_us", "ts_ms")], "WRONG_TYPE", "at $.source.ts_us"),
        (lambda d: d.update(after="secret"), "WRONG_TYPE", "at $.after"),
        (lambda d: d.update(transaction="secret"), "WRONG_TYPE", "transaction at $"),
        (lambda d: d.update(after=None), "IMAGE_MISSING", "shop.orders: c"),
        (lambda d: d.update(op="d"), "IMAGE_MISSING", "shop.orders: d"),
        (lambda d: d["after"].pop("order_id"), "KEY_MISSING", "shop.orders: c"),
        (lambda d: d["after"].update(order_id=None), "KEY_MISSING", "shop.orders: c"),
        (lambda d: d["after"].update(order_id=["secret"]), "KEY_MISSING", "shop.orders: c"),
    ],
)
def test_a_broken_row_is_dead_with_its_reason(change, reason, detail):
    """Each way of being broken has its own code, and the detail holds no cell."""
    assert dead(with_value(INSERT, change)) == (reason, detail)


def test_a_key_of_several_columns_needs_them_all():
    """One missing column of a composite key is a missing key."""
    name = "postgres/transaction-order-and-lines.jsonl"
    record = next(r for r in records(name) if r.value and b'"table":"order_lines"' in r.value)
    decoder = Decoder(shapes(name))
    assert decoder.decode(record).op == "c"
    assert decoder.decode(with_value(record, lambda d: d["after"].pop("line_no"))).reason == "KEY_MISSING"


def test_pretty_printed_json_means_the_same():
    """The hot path's search is a shortcut: white space only costs time."""
    pretty = json.dumps(json.loads(INSERT.value), indent=2).encode()
    decoder = Decoder({"shop.orders": ORDERS})
    assert decoder.decode(INSERT._replace(value=pretty)) == decoder.decode(INSERT)
    assert compact(json.loads(pretty)) == INSERT.value
