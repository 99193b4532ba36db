"""What single captured cases say, to the last field."""

from __future__ import annotations

import json

from debezium_records import ORDER, ORDERS, records, rows, shapes, with_value

from figbridge.adapters.debezium.decoder import Decoder
from figbridge.adapters.debezium.transactions import parted, stable
from figbridge.domain.change import (
    UNAVAILABLE,
    Begin,
    Dead,
    End,
    Marker,
    MarkerKind,
    Position,
    Unmapped,
)
from figbridge.mapping.rows import make_shape

RUN = "01a1fe51-5047-77a3-a301-7b245c87d06f"
PAYMENTS = make_shape("shop.payments", ["pay_id"], ["order_id"])


def decode(name, *shapes, **options):
    """Decode a fixture file with one decoder."""
    decoder = Decoder({shape.table: shape for shape in shapes or (ORDERS,)}, **options)
    return [decoder.decode(record) for record in records(name)]


def test_an_insert_is_a_create_with_its_transaction_time_and_place():
    """PostgreSQL: place is the row's LSN, tx the part of the id that does not change, time the commit's."""
    row, begin, end = decode("postgres/insert.jsonl")
    position = Position("legacy.shop.order", 0, 0)
    assert row[:-1] == (ORDERS, "c", None, ORDERS.row(ORDER), position, "3427", RUN, None, True)
    found = row.detail
    assert (found.order, found.at_us, found.place, found.snapshot) == (1, 1795268110600926, 304539448, None)
    assert begin == Begin("3427", Position("legacy.transaction", 0, 3), 304539448)
    assert end == End(
        "3427", "304539696", 1, (("shop.orders", 1),), 1795268110600000, Position("legacy.transaction", 0, 4)
    )


def test_a_mariadb_row_stands_at_file_position_and_row_of_its_gtid():
    """MariaDB: place is file:pos:row, and the GTID is the transaction on rows, BEGIN and END alike."""
    delete, _, create, begin, end = decode("mariadb/key-update.jsonl")
    assert delete.detail.place == create.detail.place == "binlog.000001:20212:0"
    assert {delete.tx, create.tx, begin.tx, end.tx, end.commit} == {"0-7-62"}
    assert (end.announced, end.tables) == (2, (("shop.orders", 2),))


def test_a_mariadb_row_without_a_file_stands_at_its_gtid():
    """Where the binlog's file is not known, the GTID is the place."""

    def forget(document):
        document["source"]["file"] = None

    record = with_value(records("mariadb/insert.jsonl")[0], forget)
    change = Decoder({"shop.orders": ORDERS}).decode(record)
    assert change.detail.place == change.tx == json.loads(record.value)["source"]["gtid"]


def test_an_update_under_full_has_both_images():
    """REPLICA IDENTITY FULL gives the whole old row."""
    [change] = rows(decode("postgres/update-full.jsonl"))
    assert (change.op, change.before.c2, change.after.c2) == ("u", "P", "C")


def test_an_update_under_default_has_no_before():
    """REPLICA IDENTITY DEFAULT gives nothing of the old row."""
    [change] = rows(decode("postgres/update-default.jsonl"))
    assert (change.op, change.before, change.after.c2) == ("u", None, "X")


def test_a_delete_under_full_keeps_its_before_and_is_followed_by_a_tombstone():
    """A real old row is left alone, also by the search for made-up ones."""
    decoded = decode("postgres/delete-full.jsonl", epoch_columns={"shop.orders": {"crt_dt"}})
    delete = rows(decoded)[1]
    assert delete.before == ORDERS.row(ORDER | {"order_id": delete.before.c0})
    assert decoded[2] == Marker(
        MarkerKind.TOMBSTONE, Position("legacy.shop.order", delete.position.partition, delete.position.offset + 1)
    )


def test_a_delete_under_default_with_an_epoch_instant_knows_its_key_only():
    """1970 in a column read as an instant marks the whole before as made up, declared defaults included."""
    delete = rows(decode("postgres/delete-default.jsonl", epoch_columns={"shop.orders": {"crt_dt"}}))[1]
    assert delete.before == ORDERS.row({"order_id": 11})
    assert delete.before.c4 is UNAVAILABLE


def test_a_delete_under_default_with_declared_defaults_is_not_recognised_without_instants():
    """Declared defaults ('P', 1) look like values: only the instants tell."""
    delete = rows(decode("postgres/delete-default.jsonl"))[1]
    assert delete.before.c2 == "P"


def test_a_delete_of_nothing_but_fallbacks_knows_its_key_only():
    """Null, 0, '' and '0.00' in all columns, also those no mapping uses, is what Debezium makes up."""

    def blank(document):
        document["before"] |= {"stat": "", "row_ver": 0}

    record = with_value(records("postgres/delete-default.jsonl")[1], blank)
    narrow = make_shape("shop.orders", ["order_id"], ["cust_id", "tot_amt"])
    assert Decoder({"shop.orders": narrow}).decode(record).before == narrow.row({"order_id": 11})
    # The column that tells is not among those the mapping uses.
    told = with_value(record, lambda document: document["before"].update(addr_txt="Hauptstr. 1"))
    assert Decoder({"shop.orders": narrow}).decode(told).before.c1 == 0


def test_a_zero_date_in_a_binlog_is_no_sign_of_a_made_up_row():
    """MariaDB writes '0000-00-00' as 1970, so there the whole before stays."""
    record = with_value(records("mariadb/delete.jsonl")[1], lambda d: d["before"].update(crt_dt=0))
    delete = Decoder({"shop.orders": ORDERS}, epoch_columns={"shop.orders": {"crt_dt"}}).decode(record)
    assert (delete.op, delete.before.c4, delete.before.c2) == ("d", 0, "P")


def test_a_key_update_is_a_delete_and_a_create_that_name_each_other():
    """`moved` is the other key: the new one on the delete, the old one on the create."""
    for name in ("postgres/key-update.jsonl", "mariadb/key-update.jsonl", "postgres/one-log/key-update.jsonl"):
        delete, create = (c for c in rows(decode(name)) if c.moved)
        assert (delete.op, create.op) == ("d", "c")
        assert (delete.moved, create.moved) == ((create.after.c0,), (delete.before.c0,))
        assert (delete.detail.place, delete.tx) == (create.detail.place, create.tx)


def test_a_changed_message_key_that_is_not_the_primary_key_moves_no_row():
    """A header that does not hold the whole primary key says nothing about it."""
    changes = rows(decode("postgres/payments-keyed-by-order-full.jsonl", PAYMENTS))
    assert [c.op for c in changes].count("d") == 2
    assert {c.moved for c in changes} == {None}
    lines = make_shape("shop.order_lines", ["order_id", "line_no"], [])
    assert {c.moved for c in rows(decode("postgres/key-update-line-moves.jsonl", lines))} == {None}


def test_a_key_update_whose_header_cannot_be_read_is_dead():
    """A moved row is never taken for a deleted one because its header is broken."""
    record = records("postgres/key-update.jsonl")[0]
    broken = record._replace(headers=(("__debezium.newkey", b"Struct{id=2}"), *record.headers[1:]))
    assert Decoder({"shop.orders": ORDERS}).decode(broken) == Dead(
        "HEADER_UNREADABLE", "shop.orders: d", Position(*record[:3]), "3461"
    )


def test_headers_are_read_in_every_form():
    """Plain text, bare JSON and schema/payload headers give the same run and the same other key."""
    for name in ("headers-json-converter.jsonl", "schemas-on.jsonl.gz", "time-microseconds.jsonl"):
        changes = rows(decode(f"postgres/variants/{name}"))
        moved = [(c.op, c.moved) for c in changes if c.moved]
        assert moved == [("d", (901,)), ("c", (900,))]
        assert all(len(c.run) == 36 and "schema" not in c.run for c in changes)


def test_snapshot_rows_keep_their_kind_and_belong_to_no_transaction():
    """Every kind of snapshot marker is text, on rows that have neither transaction nor order."""
    for name, first in (("postgres/one-log/snapshot.jsonl", {"first"}), ("mariadb/one-log/snapshot.jsonl", set())):
        changes = rows([Decoder(shapes(name)).decode(r) for r in records(name)])
        kinds = {c.detail.snapshot for c in changes}
        assert kinds == first | {"first_in_data_collection", "true", "last_in_data_collection", "last"}
        assert {(c.op, c.tx, c.detail.order, c.before) for c in changes} == {("r", None, 0, None)}


def test_a_snapshot_marker_may_be_json_true():
    """Documentation shows a boolean where the connector writes text: both are the kind "true"."""
    record = with_value(records("postgres/one-log/snapshot.jsonl")[1], lambda d: d["source"].update(snapshot=True))
    table = json.loads(record.value)["source"]["table"]
    shape = shapes("postgres/one-log/snapshot.jsonl")[f"shop.{table}"]
    assert Decoder({shape.table: shape}).decode(record).detail.snapshot == "true"


def test_rows_of_an_incremental_snapshot_stand_where_the_stream_stood():
    """PostgreSQL gives them no LSN, so their place is the last part of `sequence`."""
    for name in ("postgres/one-log/incremental-snapshot.jsonl.gz", "mariadb/one-log/incremental-snapshot.jsonl.gz"):
        reads = [(r, d) for r, d in zip(records(name), decode(name), strict=True) if getattr(d, "op", "") == "r"]
        assert len(reads) > 60
        for record, change in reads:
            source = json.loads(record.value)["source"]
            place = json.loads(source["sequence"])[1] if source["sequence"] else f"{source['file']}:{source['pos']}:0"
            assert (change.detail.snapshot, change.tx, change.detail.order, change.detail.place) == (
                "incremental",
                None,
                0,
                place,
            )


def test_rows_of_the_signal_table_are_markers_that_count_in_their_transaction():
    """A signal is no row of the business, but END counts it."""
    name = "postgres/one-log/incremental-snapshot.jsonl.gz"
    signals = [d for d in decode(name, signal_table="shop.dbz_signal") if getattr(d, "kind", "") == "signal"]
    assert len(signals) > 2
    assert all(signal.tx.isdecimal() for signal in signals)
    assert not any(isinstance(d, Unmapped) for d in decode(name, signal_table="shop.dbz_signal"))


def test_a_message_counts_in_its_transaction_or_in_none():
    """A transactional logical message has the transaction's id, another one has none."""
    found = [d.tx for d in decode("postgres/logical-message.jsonl") if getattr(d, "kind", "") == MarkerKind.MESSAGE]
    assert found == [None, "3598", "3598"]


def test_heartbeats_and_schema_changes_are_markers():
    """Records without a row are told apart by their fields, whatever topic they are on."""
    assert {d.kind for d in decode("postgres/one-log/heartbeat.jsonl")} == {MarkerKind.HEARTBEAT}
    assert {d.kind for d in decode("mariadb/one-log/heartbeat.jsonl")} == {MarkerKind.HEARTBEAT}
    decoded = decode("mariadb/one-log/schema-change.jsonl")
    assert [d.kind for d in decoded if isinstance(d, Marker)] == [MarkerKind.SCHEMA]


def test_a_truncate_of_a_mapped_table_is_dead_and_of_another_is_unmapped():
    """Nothing says which rows went, so a person decides; END still counts the record."""
    shape = make_shape("shop.suppliers", ["sup_id"], ["name"])
    truncate = next(d for d in decode("postgres/truncate.jsonl", shape) if isinstance(d, Dead))
    assert (truncate.reason, truncate.detail, truncate.tx) == ("TRUNCATE", "shop.suppliers", "3540")
    other = decode("postgres/truncate.jsonl")
    assert Unmapped("shop.suppliers", truncate.position, "3540") in other


def test_without_transaction_metadata_rows_have_no_transaction():
    """`provide.transaction.metadata=false` leaves tx None and order 0."""
    name = "postgres/variants/no-transaction-metadata.jsonl"
    assert {(c.tx, c.detail.order) for c in rows(decode(name))} == {(None, 0)}


def test_a_column_that_a_record_does_not_carry_is_unavailable():
    """A stored generated column is in snapshot rows and absent from streamed ones: not null, unknown."""
    name = "postgres/defaults-and-generated.jsonl"
    table = next(iter(shapes(name)))
    shape = make_shape(table, shapes(name)[table].key, ["vat"])
    assert {c.after.c1 for c in rows(decode(name, shape))} == {UNAVAILABLE}


def test_time_comes_from_milliseconds_when_there_are_no_microseconds():
    """Older connectors have `source.ts_ms` only."""
    record = with_value(records("postgres/insert.jsonl")[0], lambda d: d["source"].pop("ts_us"))
    assert Decoder({"shop.orders": ORDERS}).decode(record).detail.at_us == 1795268110600000


def test_tables_of_one_name_in_several_schemas_or_databases_are_told_apart():
    """The schema or database is part of the name, on the hot path too."""
    for name, space in (("postgres/insert.jsonl", "schema"), ("mariadb/insert.jsonl", "db")):
        other = make_shape("outlet.orders", ["order_id"], ["stat"])
        decoder = Decoder({"shop.orders": ORDERS, "outlet.orders": other})
        here = records(name)[0]
        there = with_value(here, lambda d, space=space: d["source"].update({space: "outlet"}))
        found = [decoder.decode(record).shape.table for record in (here, there, there, here, there)]
        assert found == ["shop.orders", "outlet.orders", "outlet.orders", "shop.orders", "outlet.orders"]


def test_a_row_that_quotes_another_tables_source_is_not_mistaken_for_it():
    """Text inside a cell cannot lead the decoder to another table."""
    bait = '"source":{"version":"3","schema":"shop","table":"payments","txId":1'

    def quote(document):
        document["after"]["notes"] = bait
        document["after"]["flag2"] = {"schema": "shop", "table": "payments"}

    record = with_value(records("postgres/insert.jsonl")[0], quote)
    change = Decoder({"shop.orders": ORDERS, "shop.payments": PAYMENTS}).decode(record)
    assert (change.shape, change.after.c9) == (ORDERS, bait)


def test_a_misleading_end_of_a_record_is_not_mistaken_for_its_source():
    """Where the search finds another table's name, the struct refuses and the record is read in full."""
    decoder = Decoder({"shop.orders": ORDERS, "shop.payments": PAYMENTS})
    bait = {"schema": "shop", "table": "payments", "txId": 1}
    record = with_value(records("postgres/insert.jsonl")[0], lambda d: d.update(later=bait))
    record = with_value(record, lambda d: d["after"].update(pay_id=1))
    assert decoder.decode(record).shape is ORDERS


def test_a_snapshot_row_with_a_transaction_block_still_belongs_to_none():
    """Operation `r` is a reading, whatever transaction the stream was in."""

    def enrol(document):
        document["transaction"] = {"id": "1:2", "total_order": 3, "data_collection_order": 3}
        document["op"] = "r"

    change = Decoder({"shop.orders": ORDERS}).decode(with_value(records("postgres/insert.jsonl")[0], enrol))
    assert (change.op, change.tx, change.detail.order) == ("r", None, 0)


def test_ids_keep_the_part_that_all_records_of_a_transaction_share():
    """PostgreSQL's LSN part goes, the GTIDs of MariaDB and MySQL stay whole; END's LSN is the commit."""
    mysql = "3e11fa47-71ca-11e1-9e33-c80aa9429562:23"
    assert [stable(i) for i in ("3427:304539448", "0:1", "0-7-62", mysql)] == ["3427", "0", "0-7-62", mysql]
    assert [parted(i)[1] for i in ("3427:304539448", "0-7-62", mysql)] == ["304539448", "", ""]
