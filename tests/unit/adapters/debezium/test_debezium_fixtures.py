"""Rules that hold for every captured record."""

from __future__ import annotations

from collections import Counter

import pytest
from debezium_records import FILES, records, rows, said, shapes

from figbridge.adapters.debezium.decoder import Decoder
from figbridge.domain.change import UNAVAILABLE, Dead, Unmapped

TRUNCATES = {name for name in FILES if "truncate." in name or "schema-change" in name}


@pytest.mark.parametrize("name", FILES)
def test_no_captured_record_is_dead_but_a_truncate(name):
    """Every record that Debezium really wrote is understood; only a truncate of a mapped table is dead."""
    decoder = Decoder(shapes(name))
    reasons = Counter(d.reason for d in map(decoder.decode, records(name)) if isinstance(d, Dead))
    assert reasons == ({"TRUNCATE": 1} if name in TRUNCATES else {})


@pytest.mark.parametrize("name", FILES)
def test_the_hot_path_and_the_generic_path_agree(name):
    """A record says the same whether decoded by its table's struct or generically."""
    hot, generic = Decoder(shapes(name)), Decoder(shapes(name))
    for record in records(name):
        if record.value is not None:
            assert said(hot.decode(record)) == said(generic._generic(record))


@pytest.mark.parametrize("name", [n for n in FILES if "schemas-on" not in n])
def test_rows_without_schemas_take_the_hot_path(name, monkeypatch):
    """No row of a mapped table needs the generic path, after the first one has told which connector it is."""
    decoder = Decoder(shapes(name))
    slow = []
    monkeypatch.setattr(decoder, "_generic", lambda record: slow.append(record) or Decoder._generic(decoder, record))
    by_way = [(decoder.decode(record), len(slow)) for record in records(name)]
    before = 0
    ways = []
    for decoded, count in by_way:
        if rows([decoded]):
            ways.append("generic" if count > before else "hot")
        before = count
    assert "generic" not in ways[1:]
    assert ways[:1] != ["generic"] or name.startswith("mariadb")


@pytest.mark.parametrize("name", FILES)
def test_tables_that_no_mapping_uses_are_unmapped_with_their_transaction(name):
    """A row of an unknown table is Unmapped and keeps the transaction it counts in."""
    mapped = Decoder(shapes(name))
    unmapped = Decoder({})
    for record in records(name):
        known, unknown = mapped.decode(record), unmapped.decode(record)
        if rows([known]):
            assert unknown == Unmapped(known.shape.table, known.position, known.tx)
        elif isinstance(known, Dead):
            assert unknown == Unmapped(known.detail, known.position, known.tx)
        else:
            assert unknown == known


@pytest.mark.parametrize("name", [n for n in FILES if n.startswith("mariadb")])
def test_mariadb_has_no_unavailable_cells(name):
    """MariaDB's binlog carries every value, so nothing it writes into a row is unavailable."""
    if "alter-table" in name or "schema-change" in name or "ddl" in name:
        return
    decoder = Decoder(shapes(name))
    for change in rows([decoder.decode(record) for record in records(name)]):
        for image in (change.before, change.after):
            assert image is None or change.op == "d" or UNAVAILABLE not in change.shape.cells(image).values()
