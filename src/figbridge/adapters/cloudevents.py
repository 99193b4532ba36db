"""CloudEvents 1.0, structured mode, JSON: how events leave.

Source: the CloudEvents specification 1.0.2 and its JSON event format. Extension names are lower-case letters and
digits, as the specification demands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class CloudEvent(msgspec.Struct, frozen=True):
    """One event as it leaves. `source` is the system whose word it is; `time` is the source's commit time."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    fact: str
    """The fact it is about; several, with blanks between, in a snapshot's event."""
    scope: str
    epoch: int
    mapping: str
    mappingversion: int
    sourceposition: str
    """Topic/partition@offset of the transaction's END in the source log."""
    data: Mapping[str, Any]
    verdict: str | msgspec.UnsetType = msgspec.UNSET
    """Set on what is not the owner's word: shadow, unauthorised."""
    recovered: str | msgspec.UnsetType = msgspec.UNSET
    """Set on state that a check of the database found and the log never had: the suspect transaction's position."""
    specversion: str = "1.0"


_encode = msgspec.json.Encoder().encode


def encode(
    event_id: str,
    source: str,
    event_type: str,
    subject: str,
    time: str,
    fact: str,
    scope: str,
    epoch: int,
    mapping: str,
    version: int,
    position: str,
    data: Mapping[str, Any],
    verdict: str | None = None,
    recovered: str | None = None,
) -> bytes:
    """Return an event as JSON."""
    word = msgspec.UNSET if verdict is None else verdict
    found = msgspec.UNSET if recovered is None else recovered
    return _encode(
        CloudEvent(
            event_id,
            source,
            event_type,
            subject,
            time,
            fact,
            scope,
            epoch,
            mapping,
            version,
            position,
            data,
            word,
            found,
        )
    )
