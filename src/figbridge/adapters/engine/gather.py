"""Cut the stream of records into atoms that end at a transaction's edge, and hold back what is not complete.

Edges: an END; and outside a transaction each record by itself (snapshot rows, heartbeats, messages). Inside one,
heartbeats and incremental-snapshot rows stand where they stand and close nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from figbridge.adapters.engine.held import Held
from figbridge.adapters.engine.position import end_lsn, message_lsn
from figbridge.errors import InvariantError
from figbridge.ports import Headers, Outgoing


class Entry(NamedTuple):
    """One record as Debezium gives it, in bytes."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Atom(NamedTuple):
    """What is appended together. `edge` is the index of its last record in the batch it came with."""

    records: Held
    edge: int


class Gatherer:
    """Hold the open transaction of one source. `floor` is the position up to which the log is complete."""

    def __init__(self, topic: str, *, floor: int, limit: int, folder: Path) -> None:
        self.floor = floor
        self.resent = 0
        """Records that were in the log already and came again; they were left out."""
        self.held_most = 0
        """The most records that one transaction has made wait."""
        self._topic = topic
        self._limit = limit
        self._folder = folder
        self._open: Held | None = None

    @property
    def waiting(self) -> int:
        """Return how many records wait for their END."""
        return len(self._open) if self._open is not None else 0

    def take(self, batch: Sequence[Entry], timestamp: int) -> Atom | None:
        """Return what is complete after this batch, or None. `timestamp` is milliseconds since 1970.

        Raises InvariantError when a transaction begins inside another, or a row stands outside any.
        """
        ready = Held(self._limit, self._folder)
        edge = -1
        for index, entry in enumerate(batch):
            record = Outgoing(self._topic, entry.key, entry.value, entry.headers, timestamp, 0)
            status = _status(entry)
            if self._open is not None:
                if status == "BEGIN":
                    raise InvariantError("A source transaction began inside another.", key=entry.key)
                self._open.append(record)
                self.held_most = max(self.held_most, len(self._open))
                if status == "END":
                    ready = self._close(ready, end_lsn(entry.value or b""))
                    edge = index
            elif status == "BEGIN":
                self._open = Held(self._limit, self._folder)
                self._open.append(record)
            else:
                self._alone(ready, record)
                edge = index
        if edge < 0:
            ready.close()
            return None
        return Atom(ready, edge)

    def close(self) -> None:
        """Forget what waits: it is not in the log, so it will be sent again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _close(self, ready: Held, lsn: int) -> Held:
        """Put the open transaction behind what is ready, unless the log has it."""
        transaction, self._open = self._open, None
        assert transaction is not None
        if lsn <= self.floor:
            self.resent += len(transaction)
            transaction.close()
            return ready
        self.floor = lsn
        return ready.joined(transaction)

    def _alone(self, ready: Held, record: Outgoing) -> None:
        """Take a record that stands outside any transaction."""
        operation = _operation(record.value)
        if operation in (b"c", b"u", b"d", b"t"):
            raise InvariantError("A row stands outside any source transaction.", key=record.key)
        if operation == b"m":
            lsn = message_lsn(record.value or b"")
            if lsn <= self.floor:
                self.resent += 1
                return
            self.floor = lsn
        ready.append(record)


def _status(entry: Entry) -> str | None:
    """Return BEGIN or END for a transaction's marker. A row's value starts with another field, so no text of a row
    is taken for one.
    """
    value = entry.value
    if value is None or not value.startswith(b'{"status":"'):
        return None
    return "BEGIN" if value.startswith(b'{"status":"BEGIN"') else "END"


def _operation(value: bytes | None) -> bytes | None:
    """Return the field `op` of a change; None for a record that has none."""
    if value is None:
        return None
    if value.startswith(b'{"op":"m"'):
        return b"m"
    if not value.startswith(b'{"before":'):
        return None
    at = value.rfind(b'"op":"')
    return value[at + 6 : at + 7] if at >= 0 else None
