"""Decode the records of one source log: bytes in, one `Decoded` value out, never an exception.

The hot path decodes a row of a mapped table once, into structs generated for its table. To know the table before
decoding, it looks for the table's name in the bytes. That is safe because JSON text holds no unescaped quote, and
because the struct accepts no other table. Whatever the hot path refuses goes the generic way (`generic.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from figbridge.adapters.debezium import envelope, fabricated, generic, headers
from figbridge.adapters.debezium.details import stream_place
from figbridge.adapters.debezium.placeholders import TEXTS, masked
from figbridge.adapters.debezium.reasons import UNREADABLE, Reason, where
from figbridge.adapters.debezium.transactions import decode_edge, edge, stable
from figbridge.domain.change import (
    UNAVAILABLE,
    Dead,
    Decoded,
    Detail,
    Details,
    Marker,
    MarkerKind,
    Position,
    RowChange,
    RowShape,
    Unmapped,
)
from figbridge.ports import Headers, Record

_new: Final = tuple.__new__
_cells: Final = msgspec.structs.astuple
_KEY_CELLS: Final = envelope.KEY_CELLS
_EDGE: Final = b'{"status":"'
_NO_HEAD: Final = "\0"
"""The beginning of no transaction's id."""
_plain: Final = (TEXTS | {UNAVAILABLE}).isdisjoint


class Decoder:
    """Decode records of the tables that mappings use.

    `shapes` is table → shape, tables named `schema.table` (PostgreSQL) or `database.table` (MariaDB, MySQL).
    `signal_table` is the connector's `signal.data.collection`, named the same way. `epoch_columns` is table →
    the columns read as instants: 1970 in one of them marks the `before` of a delete as made up. Raises ValueError
    for a table name without a dot. One decoder is for one source log and one thread.
    """

    def __init__(
        self,
        shapes: Mapping[str, RowShape],
        *,
        signal_table: str | None = None,
        epoch_columns: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._signal_table = signal_table
        self._epochs = {table: frozenset(columns) for table, columns in (epoch_columns or {}).items()}
        self._entries = {name: envelope.entry(shape, binlog=False) for name, shape in shapes.items()}
        self._binlog_entries = {name: envelope.entry(shape, binlog=True) for name, shape in shapes.items()}
        self._by_schema = {e.probe: e for e in self._entries.values()}
        self._by_table: dict[bytes, list[envelope.Entry]] = {}
        for e in self._binlog_entries.values():
            self._by_table.setdefault(e.probe, []).append(e)
        self._binlog = False
        self._last: envelope.Entry | None = None
        self._probe = b"?"
        self._tail = 0
        self._headers: Headers = ()
        self._context = headers.context(())
        self._still = True
        """False when the headers name another key, or cannot be read."""
        self._run: str | None = None
        self._tx_head = _NO_HEAD
        self._tx = ""

    def decode(self, record: Record) -> Decoded:
        """Return what a record says; what cannot be used is Dead with a `Reason`, without any column value."""
        topic, partition, offset, _, value, sent, _ = record
        if value is None:
            return Marker(MarkerKind.TOMBSTONE, _new(Position, record[:3]))
        # Rows of one table come in runs, and what follows the table's name keeps its length: one comparison.
        if value.endswith(self._probe, 0, len(value) - self._tail):
            entry = self._last
        elif value.startswith(_EDGE):
            return self._edge(record, value)
        else:
            entry = self._probe_table(value) if self._binlog else self._probe_schema(value)
        if entry is None:
            return self._other(record, value)
        try:
            row = entry.decode(value)
        except UNREADABLE:
            return self._generic(record)
        try:  # the commonest record, an update, in the fewest steps; what is not as usual goes the longer way below
            before, after, _, transaction, op = _cells(row)
            if op == "u" and before is not None and sent == self._headers and self._still:
                identity = transaction.id
                tx = self._tx if identity.startswith(self._tx_head) else self._transaction(identity)
                if _plain(_cells(after) + _cells(before)) and type(entry.key(after)) in _KEY_CELLS:
                    at = topic, partition, offset
                    return _new(RowChange, (entry.shape, op, before, after, at, tx, self._run, None, True, row))
        except (AttributeError, TypeError):
            pass  # no transaction, no image after, or a list or a map in a cell
        try:
            return self._change(entry, row, record)
        except UNREADABLE:
            return self._generic(record)

    def _transaction(self, identity: str) -> str:
        """Return the stable part of a transaction's id; on PostgreSQL the next rows' ids begin with it."""
        tx = self._tx = stable(identity)
        self._tx_head = f"{tx}:" if len(tx) < len(identity) else _NO_HEAD
        return tx

    def _probe_schema(self, value: bytes) -> envelope.Entry | None:
        start = value.rfind(b'"schema":"')
        end = value.find(b',"txId":', start)
        return self._found(self._by_schema.get(value[start:end]), len(value) - end)

    def _found(self, entry: envelope.Entry | None, tail: int) -> envelope.Entry | None:
        if entry is not None:
            self._last, self._probe, self._tail = entry, entry.probe, tail
        return entry

    def _probe_table(self, value: bytes) -> envelope.Entry | None:
        start = value.rfind(b'"table":"')
        end = value.find(b'"', start + 9) + 1
        entries = self._by_table.get(value[start:end])
        if entries is None:
            return None
        if len(entries) == 1:
            return self._found(entries[0], len(value) - end)
        # Tables of one name in several databases: never remembered, because the probe does not tell them apart.
        database = value.rfind(b'"db":"', 0, start) + 5
        space = value[database : value.find(b'"', database + 1) + 1]
        return next((entry for entry in entries if entry.space == space), None)

    def _change(self, entry: envelope.Entry, row: Any, record: Record) -> RowChange | Dead:
        """Build a row change from an envelope; both the hot and the generic way end here."""
        before, after, op, source, transaction = row.before, row.after, row.op, row.source, row.transaction
        shape = entry.shape
        image = before if op == "d" else after
        tx = None if transaction is None else stable(transaction.id)
        if image is None:
            return Dead(Reason.IMAGE_MISSING, f"{shape.table}: {op}", Position(*record[:3]), tx)
        try:
            plain = _plain(_cells(image)) and (op != "u" or before is None or _plain(_cells(before)))
        except TypeError:  # a list or a map has no hash: look closer
            plain = False
        if not entry.binlog and not plain:  # only PostgreSQL leaves large values out of its log
            before, after = before and masked(before), after and masked(after)
            image = before if op == "d" else after
        if not entry.has_key(image):
            return Dead(Reason.KEY_MISSING, f"{shape.table}: {op}", Position(*record[:3]), tx)
        if record.headers is not self._headers and record.headers != self._headers:
            self._headers, self._context = record.headers, headers.context(record.headers)
            self._run = self._context.run
            self._still = self._context.readable and self._context.moved is None
        run, moved, readable = self._context
        detail: Detail = row
        if op == "r":
            # Snapshot rows belong to no transaction, and only they have a kind of snapshot.
            tx, snapshot = None, source.snapshot if type(source.snapshot) is str else "true"
            nowhere = not entry.binlog and source.lsn is None
            detail = Details(0, source.ts_us, stream_place(record.value) if nowhere else row.place, snapshot)
        if not readable:
            return Dead(Reason.HEADER_UNREADABLE, f"{shape.table}: {op}", Position(*record[:3]), tx)
        other = None if moved is None else headers.moved_key(shape, moved)
        change = RowChange(shape, op, before, after, record[:3], tx, run, other, plain, detail)
        return self._honest(change, entry, record) if op == "d" else change

    def _honest(self, change: RowChange, entry: envelope.Entry, record: Record) -> RowChange:
        """Take out of the `before` of a delete what Debezium made up."""
        # In a binlog 1970 is a real zero date ('0000-00-00' in a NOT NULL column), so there it proves nothing.
        epochs = frozenset[str]() if entry.binlog else self._epochs.get(entry.shape.table, frozenset())
        if not fabricated.looks_fabricated(change, record, epochs):
            return change
        return change._replace(before=fabricated.only_key(entry.shape, change.before))

    def _edge(self, record: Record, value: bytes) -> Decoded:
        try:
            return edge(decode_edge(value), _new(Position, record[:3]))
        except UNREADABLE:
            return self._generic(record)

    def _other(self, record: Record, value: bytes) -> Decoded:
        """Decode the frequent records that are no row of a mapped table without decoding their row."""
        try:
            if value.startswith(b'{"before":'):
                skeleton = envelope.decode_skeleton(value)
                self._binlog = skeleton.source.schema is None
                name = skeleton.source.name()
                if name is not None and name not in self._entries and skeleton.op in {"c", "u", "d", "r"}:
                    tx = stable(skeleton.transaction.id) if skeleton.transaction else None
                    return self._not_mapped(name, _new(Position, record[:3]), tx)
        except UNREADABLE:
            pass  # the generic way says what is wrong
        return self._generic(record)

    def _not_mapped(self, table: str, position: Position, tx: str | None) -> Decoded:
        if table == self._signal_table:
            return Marker(MarkerKind.SIGNAL, position, tx)
        return Unmapped(table, position, tx)

    def _generic(self, record: Record) -> Decoded:
        """Decode a record the slow way: whatever the hot path refused or did not look for."""
        position, tx = Position(*record[:3]), None
        try:
            found = generic.read(record.value or b"", position)
            if not isinstance(found, generic.RowRecord):
                return found
            tx, self._binlog = found.tx, found.binlog
            entry = (self._binlog_entries if found.binlog else self._entries).get(found.table)
            if entry is None:
                return self._not_mapped(found.table, position, tx)
            if found.op == "t":
                return Dead(Reason.TRUNCATE, found.table, position, tx)
            return self._change(entry, msgspec.convert(found.document, entry.envelope), record)
        except generic.Unusable as error:
            return Dead(error.reason, error.detail, position, tx)
        except UNREADABLE as error:
            return Dead(Reason.WRONG_TYPE, where(error), position, tx)
