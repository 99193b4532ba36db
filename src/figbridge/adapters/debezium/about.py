"""Say of a row's record what needs no mapping: its table, and the columns that its images carry."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from figbridge.adapters.debezium import generic
from figbridge.adapters.debezium.reasons import UNREADABLE
from figbridge.domain.change import Position
from figbridge.ports import Record


class About(NamedTuple):
    """The table of a row's record, and the columns of its key and both its images; none when they cannot be told."""

    table: str
    columns: frozenset[str]


def about(record: Record) -> About | None:
    """Return what a record is about; None for one that is no readable row."""
    try:
        found = generic.read(record.value or b"", Position(*record[:3]))
        if not isinstance(found, generic.RowRecord):
            return None
        images = [found.document[side] for side in ("before", "after")]
        columns = frozenset(name for image in images if isinstance(image, dict) for name in image)
        key = msgspec.json.decode(record.key) if record.key else {}
    except (generic.Unusable, *UNREADABLE):
        return None
    if not isinstance(key, dict):
        return About(found.table, frozenset())
    return About(found.table, columns | frozenset(key.get("payload", key) if "schema" in key else key))
