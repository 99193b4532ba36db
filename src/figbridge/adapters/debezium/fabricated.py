"""Recognise a `before` that Debezium made up.

Under REPLICA IDENTITY DEFAULT the log of a delete holds the key only. Debezium fills every other NOT NULL column
with its declared default or with a fallback of its type (0, "", 1970), and every other column with null.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from figbridge.adapters.debezium.reasons import UNREADABLE
from figbridge.adapters.debezium.schemas import normalise, wrapped
from figbridge.domain.change import UNAVAILABLE, Row, RowChange, RowShape
from figbridge.ports import Record

_ZERO: Final = re.compile(r"-?0+(\.0+)?")
_TEXTS: Final = frozenset({"", "{}", "false", "1970-01-01T00:00:00Z", "00:00:00Z"})
_EPOCHS: Final = frozenset({"1970-01-01T00:00:00Z"})


def is_fallback(cell: Any) -> bool:
    """Tell whether a cell is null or what Debezium writes for a NOT NULL column that the log does not hold."""
    if cell is None or cell is UNAVAILABLE or cell == 0:
        return True
    if isinstance(cell, str):
        return cell in _TEXTS or _ZERO.fullmatch(cell) is not None
    if isinstance(cell, list):
        return all(map(is_fallback, cell))
    return isinstance(cell, dict) and all(map(is_fallback, cell.values()))


def looks_fabricated(change: RowChange, record: Record, epoch: frozenset[str] = frozenset()) -> bool:
    """Tell whether the `before` of a delete says nothing but the key.

    True when every column of the raw record outside the primary key is null or a fallback, or when a column of `epoch`
    (columns read as instants) is exactly 1970. False for other operations and for a table of key columns alone.
    """
    if change.op != "d" or change.before is None:
        return False
    rest = [(c, cell) for c, cell in change.shape.cells(change.before).items() if c not in change.shape.key]
    if any(_is_epoch(cell) for column, cell in rest if column in epoch):
        return True
    # The columns the mappings use are part of all columns: most deletes need no second decoding.
    if not all(is_fallback(cell) for _, cell in rest):
        return False
    others = [cell for column, cell in _raw_before(record).items() if column not in change.shape.key]
    return bool(others) and all(map(is_fallback, others))


def only_key(shape: RowShape, row: Row) -> Row:
    """Return a row image in which only the primary key is known."""
    cells = shape.cells(row)
    return shape.row({column: cells[column] for column in shape.key})


def _is_epoch(cell: Any) -> bool:
    return (type(cell) is int and cell == 0) or (isinstance(cell, str) and cell in _EPOCHS)


def _raw_before(record: Record) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(record.value or b"null")
        if isinstance(document, dict) and wrapped(document):
            document = normalise(document["schema"], document["payload"])
    except UNREADABLE:
        return {}
    before = document.get("before") if isinstance(document, dict) else None
    return before if isinstance(before, dict) else {}
