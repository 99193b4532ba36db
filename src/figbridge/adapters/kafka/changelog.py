"""The state as records of a compacted topic: one record an entry, and one that says how far the whole is.

A key is the JSON of [space, group, member]; a tombstone removes the entry. The mark, under a key that no entry has,
is written by every commit: compaction keeps the last one, so whoever reads to the end knows which commit it was,
where its consumer stood, and which topics it was about.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from figbridge.adapters.kafka.topics import Pin
from figbridge.ports import Entry, TopicPartition

MARK: Final = b"mark"

_encode = msgspec.json.Encoder().encode
_key = msgspec.json.Decoder(tuple[str, str, str]).decode


class Mark(msgspec.Struct, frozen=True):
    """What a commit says of itself. `writer` tells two processes apart that count the same."""

    number: int = 0
    writer: str = ""
    positions: tuple[tuple[str, int, int], ...] = ()
    pins: dict[str, Pin] = {}

    def at(self) -> dict[TopicPartition, int]:
        """Return the next offset to read, per partition."""
        return {TopicPartition(topic, partition): offset for topic, partition, offset in self.positions}


_mark = msgspec.json.Decoder(Mark).decode


def written(entries: Iterable[Entry], mark: Mark) -> list[tuple[bytes, bytes | None]]:
    """Return keys and values for the changelog; of two entries with one name the later one holds."""
    last = {(space, group, member): value for space, group, member, value in entries}
    return [*((_encode(name), value) for name, value in last.items()), (MARK, _encode(mark))]


def read(key: bytes, value: bytes | None) -> Entry | Mark:
    """Return what a record of the changelog says."""
    if key == MARK:
        return _mark(value or b"{}")
    return Entry(*_key(key), value)


def changelog_of(group: str, topic: str = "") -> str:
    """Return the name of the changelog of a group over a source log, or of a group over whatever it reads.

    >>> changelog_of("bridge", "figbridge.legacy.log")
    'figbridge.legacy.log.bridge.state'
    """
    return f"{topic}.{group}.state" if topic else f"{group}.state"
