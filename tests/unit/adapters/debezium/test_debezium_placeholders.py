"""Values that PostgreSQL left out of its log are UNAVAILABLE, in every shape their placeholder takes."""

from __future__ import annotations

import base64
import json
import uuid

import pytest
from debezium_records import ORDERS, records, rows, shapes, with_value

from figbridge.adapters.debezium.decoder import Decoder
from figbridge.adapters.debezium.placeholders import PLACEHOLDER, is_placeholder
from figbridge.domain.change import UNAVAILABLE

RAW = PLACEHOLDER.encode()
# Java's UUID.nameUUIDFromBytes of the placeholder: MD5 without a namespace.
NAMED = str(uuid.uuid3(type("NoNamespace", (), {"bytes": b""}), PLACEHOLDER))
SHAPES = {
    "text": PLACEHOLDER,
    "bytea": base64.b64encode(RAW).decode(),
    "bytea as hex": RAW.hex(),
    "int[]": list(RAW),
    "text[]": [PLACEHOLDER],
    "bytea[]": [base64.b64encode(RAW).decode()],
    "uuid[]": [NAMED],
    "hstore as map": {PLACEHOLDER: PLACEHOLDER},
    "hstore as json": json.dumps({PLACEHOLDER: PLACEHOLDER}, separators=(",", ":")),
}


def decode(record):
    """Decode one record of orders."""
    return Decoder({"shop.orders": ORDERS}).decode(record)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_placeholder_is_unavailable_in_each_shape_and_each_image(shape):
    """The cell is neither the placeholder nor null, in a new row and in an old one; the others stay."""
    update = with_value(records("postgres/update-full.jsonl")[0], lambda d: d["after"].update(notes=SHAPES[shape]))
    change = decode(update)
    assert (change.after.c9, change.after.c2, change.before.c9) == (UNAVAILABLE, "C", None)
    update = with_value(records("postgres/update-full.jsonl")[0], lambda d: d["before"].update(notes=SHAPES[shape]))
    change = decode(update)
    assert (change.before.c9, change.before.c2, change.after.c9) == (UNAVAILABLE, "P", None)
    delete = with_value(records("postgres/delete-full.jsonl")[1], lambda d: d["before"].update(notes=SHAPES[shape]))
    assert decode(delete).before.c9 is UNAVAILABLE


@pytest.mark.parametrize(
    "cell",
    [
        f"{PLACEHOLDER}!",
        [PLACEHOLDER, PLACEHOLDER],
        [*RAW, 1],
        [1],
        [None, None],
        {"a": PLACEHOLDER},
        {},
        [],
        95,
        NAMED,
    ],
)
def test_what_only_resembles_a_placeholder_stays(cell):
    """A value is left alone unless it is exactly a placeholder of some type."""
    assert not is_placeholder(cell)
    assert (
        decode(with_value(records("postgres/insert.jsonl")[0], lambda d: d["after"].update(notes=cell))).after.c9
        == cell
    )


def test_a_placeholder_in_the_key_leaves_the_row_without_key():
    """A row whose key the log did not carry is dead, not keyed by the placeholder."""
    record = with_value(records("postgres/insert.jsonl")[0], lambda d: d["after"].update(order_id=PLACEHOLDER))
    assert decode(record).reason == "KEY_MISSING"


def test_captured_placeholders_of_all_types():
    """json, jsonb, bytea, int[], text[] and text as PostgreSQL's connector really writes them."""
    name = "postgres/toast-unchanged-other-types.jsonl"
    decoder = Decoder(shapes(name))
    written, update = rows([decoder.decode(record) for record in records(name)])
    cells = update.shape.cells(update.after)
    unavailable = {column for column, cell in cells.items() if cell is UNAVAILABLE}
    assert unavailable == {"c_text", "c_json", "c_jsonb", "c_bytea", "c_ints", "c_texts"}
    assert UNAVAILABLE not in written.shape.cells(written.after).values()
    [change] = rows([decode(record) for record in records("postgres/toast-unchanged-default.jsonl")])
    assert (change.after.c9, change.after.c2) == (UNAVAILABLE, "X")
