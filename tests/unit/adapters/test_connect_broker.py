"""What a source log says of a table while it is read again."""

from __future__ import annotations

from collections import Counter

import pytest

from figbridge.adapters.connect.broker import named, what_of
from support.records import FIXTURES, captured


@pytest.mark.parametrize(("kind", "rows", "changes"), [("postgres", 70, 835), ("mariadb", 65, 585)])
def test_rows_of_a_snapshot_are_told_from_changes(kind: str, rows: int, changes: int) -> None:
    """Real captures of a table that is read again while it changes, with its signals and marks in the same log."""
    records = captured(FIXTURES / f"debezium/{kind}/one-log/incremental-snapshot.jsonl.gz")
    values = [record.value for record in records if record.value and named("shop.orders") in record.value]
    assert Counter(what_of(value, "shop.orders") for value in values) == {"row": rows, "change": changes}
    assert not any(what_of(value, "other.orders") for value in values)


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_rows_of_the_first_snapshot_are_not_those_of_a_later_one(kind: str) -> None:
    """Both are `r`; only an incremental snapshot says so of itself."""
    values = [record.value for record in captured(FIXTURES / f"debezium/{kind}/one-log/snapshot.jsonl") if record.value]
    assert any(b'"op":"r"' in value and named("shop.orders") in value for value in values)
    assert {what_of(value, "shop.orders") for value in values} == {""}


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"null", b'{"op":"r"}', b'{"source":null,"op":"u"}'])
def test_what_is_no_change_of_a_row_counts_as_nothing(value: bytes) -> None:
    """Heartbeats, marks and what cannot be read are in the same log."""
    assert not what_of(value, "shop.stock")
