"""Where Debezium goes on after a stop: a point between two transactions, stored with the records before it.

What Debezium stores by itself is not safe to go on from: inside a group of rows with one position it skips the rest of
the group, and also at a transaction's end it skips rows of a transaction that was open at that moment, because it
looks for the stored position among the positions of rows, which are not in commit order. So the stored point has no
`lsn_proc`: without it Debezium does not search, and PostgreSQL alone decides what comes, by commit order, exactly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Offset: TypeAlias = dict[str, Any]

_DROPPED: Final = re.compile(r"lsn_proc|messageType|transaction_.*|snapshot|snapshot_completed|last_snapshot_record")
_MESSAGE_LSN: Final = re.compile(rb'"lsn":\s*(\d+)')
_END_ID: Final = re.compile(rb'"id":"[^":]*:(\d+)"')


def resume_point(offset: Mapping[str, Any]) -> Offset | None:
    """Return the offset to start from after a record at an edge; None while the snapshot is not complete.

    The position of an END, and of a message outside a transaction, is that of the byte after it (seen on 18), and
    PostgreSQL sends what commits at or after the position it is asked for: nothing twice, nothing left out.
    """
    if "snapshot" in offset and not (offset.get("last_snapshot_record") or offset.get("snapshot_completed")):
        return None
    return {name: value for name, value in offset.items() if not _DROPPED.fullmatch(name)}


def key(prefix: str) -> bytes:
    """Return the key of the point: in the offsets topic and, byte for byte, in Debezium's store."""
    return json.dumps([prefix, {"server": prefix}], separators=(",", ":")).encode()


def encode(point: Offset) -> bytes:
    """Return the point as the JSON that Debezium's store holds."""
    return json.dumps(point, separators=(",", ":")).encode()


def decode(value: bytes) -> Offset:
    """Return the point of a record of the offsets topic."""
    point: Offset = json.loads(value)
    return point


def end_lsn(value: bytes) -> int:
    """Return the commit position of an END record; 0 when it has none."""
    found = _END_ID.search(value)
    return int(found[1]) if found else 0


def message_lsn(value: bytes) -> int:
    """Return the position of a message record; 0 when it has none."""
    found = _MESSAGE_LSN.search(value)
    return int(found[1]) if found else 0
