"""Reading captured records back as one source log."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from figbridge.adapters.capture import read_capture
from figbridge.adapters.debezium.decoder import Decoder
from figbridge.domain.change import Begin, End, Marker, Unmapped
from figbridge.errors import ConfigurationError, Unreachable

ROOT = Path(__file__).parents[2] / "fixtures" / "debezium"
FILES = sorted(ROOT.rglob("*.jsonl*"))


def text(path):
    """Return the text of a capture."""
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")


def compact(document):
    """Write JSON as Debezium does."""
    return None if document is None else json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def said(path):
    """Decode a capture without mappings."""
    decoder = Decoder({})
    return [decoder.decode(record) for record in read_capture(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_captured_record_comes_out_once_with_its_bytes(path):
    """Key, value, headers and timestamp of each line come out exactly once, in offsets that only grow."""
    lines = [json.loads(line) for line in text(path).split("\n") if line]
    expected = Counter(
        (compact(r["key"]), compact(r["value"]), tuple((n, t.encode()) for n, t in r["headers"]), r["timestamp"])
        for r in lines
    )
    records = list(read_capture(path))
    assert Counter((r.key, r.value, r.headers, r.timestamp) for r in records) == expected
    offsets = [r.offset for r in records]
    assert offsets == sorted(set(offsets))
    assert len({r[:2] for r in records}) <= 1


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rows_of_a_transaction_stand_between_its_begin_and_its_end(path):
    """No row with a transaction stands before its BEGIN, after its END, or inside another transaction."""
    decoded = said(path)
    announced = {d.tx for d in decoded if isinstance(d, Begin)}
    current = None
    for d in decoded:
        if isinstance(d, Begin):
            current = d.tx
        elif isinstance(d, End):
            assert d.tx == current
            current = None
        elif isinstance(d, Unmapped | Marker) and d.tx in announced:
            assert d.tx == current


def test_transactions_come_in_the_order_of_their_end():
    """Commit order, not the order of the first row: B, which ended first, then A, each with its rows in order."""
    decoded = said(ROOT / "postgres" / "transactions-interleaved.jsonl")
    kinds = ["Begin", "Unmapped", "Unmapped", "End", "Begin", "Unmapped", "Unmapped", "End"]
    assert [type(d).__name__ for d in decoded] in (kinds, kinds[:4] + kinds[4:7] + ["Unmapped", "End"])
    first, second = (d.tx for d in decoded if isinstance(d, End))
    assert int(first) > int(second)


def test_rows_of_a_transaction_come_in_their_total_order():
    """The order inside a transaction is the source's, across topics and partitions."""
    for database in ("postgres", "mariadb"):
        records = read_capture(ROOT / database / "transaction-several-tables.jsonl")
        documents = [json.loads(r.value) for r in records if r.value]
        orders = [d["transaction"]["total_order"] for d in documents if d.get("transaction")]
        assert orders == list(range(1, len(orders) + 1))
        assert len(orders) > 5


def test_the_transaction_topic_decides_even_against_the_clock(tmp_path):
    """A clock that was set back between two transactions does not change their order."""
    path = tmp_path / "skewed.jsonl"
    lines = [
        json.loads(line) for line in text(ROOT / "postgres" / "transactions-interleaved.jsonl").split("\n") if line
    ]
    late = max(line["value"]["source"]["txId"] for line in lines if "source" in line["value"])
    for line in lines:
        if line["value"].get("source", {}).get("txId") == late:  # it ended first
            line["value"]["ts_ns"] += 3600 * 10**9
    path.write_text("\n".join(json.dumps(line) for line in lines))
    assert [d.tx for d in said(path)] == [d.tx for d in said(ROOT / "postgres" / "transactions-interleaved.jsonl")]


def test_a_resequenced_log_is_named_after_the_connector_and_dense():
    """The log is what one connector would have written with everything in one topic."""
    records = list(read_capture(ROOT / "mariadb" / "key-update.jsonl"))
    assert {r[:2] for r in records} == {("figbridge.legacy.log", 0)}
    assert [r.offset for r in records] == [0, 1, 2, 3, 4]
    ops = [json.loads(r.value) if r.value else {} for r in records]
    assert [d.get("status") or d.get("op") for d in ops] == ["BEGIN", "d", None, "c", "END"]


def test_a_schema_change_stands_with_the_begin_of_its_gtid():
    """MariaDB: BEGIN, then the DDL record, and rows of the new form only after it."""
    records = list(read_capture(ROOT / "mariadb" / "alter-table.jsonl"))
    documents = [json.loads(r.value) if r.value else {} for r in records]
    begun = None
    for document in documents:
        if document.get("status") == "BEGIN":
            begun = document["id"]
        if "ddl" in document:
            assert document["source"]["gtid"] in {begun, None}
    added = next(i for i, d in enumerate(documents) if "ADD COLUMN vat_no" in str(d.get("ddl")))
    columns = [set(d["after"]) for d in documents[:added] if d.get("after")]
    assert columns
    assert not any("vat_no" in c for c in columns)


def test_one_log_comes_out_as_it_is():
    """A capture of one topic-partition keeps topic, partition and offsets, also the gaps."""
    path = ROOT / "postgres" / "one-log" / "transaction.jsonl"
    lines = [json.loads(line) for line in text(path).split("\n") if line]
    assert [r[:3] for r in read_capture(path)] == [(r["topic"], r["partition"], r["offset"]) for r in lines]


def test_every_malformed_line_is_a_finding(tmp_path):
    """All findings at once, each with file, line and column."""
    good = text(ROOT / "postgres" / "heartbeat.jsonl").split("\n")[0]
    path = tmp_path / "capture.jsonl"
    path.write_text(
        "\n".join([good, '{"topic": oops}', '{"topic":"t"}', "", good, good.replace('"partition":0', '"partition":-1')])
    )
    with pytest.raises(ConfigurationError) as raised:
        read_capture(path)
    found = [(f.place.line, f.place.column, f.code) for f in raised.value.findings]
    assert found == [(2, 11, "CAP001"), (3, 1, "CAP002"), (5, 1, "CAP003"), (6, 1, "CAP002")]
    assert str(raised.value.findings[0]).startswith(f"{path}:2:11: CAP001 ")


def test_records_of_several_connectors_are_refused(tmp_path):
    """Two connectors have two logs: one order over both does not exist."""
    lines = [text(ROOT / "postgres" / name) for name in ("insert.jsonl", "variants/headers-json-converter.jsonl")]
    path = tmp_path / "both.jsonl"
    path.write_text("".join(lines))
    with pytest.raises(ConfigurationError, match="CAP004"):
        read_capture(path)


def test_a_file_that_cannot_be_read_is_unreachable(tmp_path):
    """A missing file, a folder and a broken archive are not the capture's content."""
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(gzip.compress(b"x" * 1000)[:-9])
    plain = tmp_path / "plain.jsonl.gz"
    plain.write_bytes(b"{}")
    for path in (tmp_path / "missing.jsonl", tmp_path, broken, plain):
        with pytest.raises(Unreachable, match="OPS001"):
            read_capture(path)


def test_spelling_by_another_tool_is_brought_to_debeziums(tmp_path):
    """White space goes, escaped characters become characters, numbers keep their digits."""
    path = tmp_path / "spelled.jsonl"
    path.write_text(
        '{"topic":"t","partition":0,"offset":0,"timestamp":1,'
        '"key":{"a": 1.50},"value":{"b": "\\u00e4\\n"},"headers":[]}\n'
    )
    [record] = read_capture(path)
    assert (record.key, record.value) == (b'{"a":1.50}', '{"b":"ä\\n"}'.encode())


def test_an_empty_file_is_an_empty_log(tmp_path):
    """Nothing captured is nothing said."""
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")
    assert list(read_capture(path)) == []
