"""Read a file of captured records as the one source log they would have been.

One record per line: topic, partition, offset, timestamp (ms since 1970), key, value (JSON or null), headers (pairs of
name and text). Records of one topic-partition come out as they are. Records of several (a connector with a topic
per table and one for transactions) are put into the order of the source: whole transactions, in commit order.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from figbridge.adapters.resequence import resequenced
from figbridge.errors import ConfigurationError, Finding, Place, Unreachable
from figbridge.ports import Record

_Natural = Annotated[int, msgspec.Meta(ge=0)]


class _Line(msgspec.Struct):
    topic: Annotated[str, msgspec.Meta(min_length=1)]
    partition: _Natural
    offset: _Natural
    timestamp: int
    key: msgspec.Raw
    value: msgspec.Raw
    headers: list[tuple[str, str | None]]


_decode: Final = msgspec.json.Decoder(_Line).decode


def read_capture(path: Path) -> Iterator[Record]:
    """Return the records of a capture file (`.jsonl` or `.jsonl.gz`) as one source log, in its order.

    Raises ConfigurationError with every malformed line: CAP001 not JSON, CAP002 not a record, CAP003 a record that was
    there before, CAP004 records of several connectors. Raises Unreachable when the file cannot be read.
    """
    records: dict[tuple[str, int, int], Record] = {}
    findings: list[Finding] = []
    for number, line in enumerate(_content(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = _record(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            findings.append(_finding(path, number, error))
            continue
        if record[:3] in records:
            place = Place(str(path), number, 1)
            findings.append(
                Finding(place, "CAP003", f"{record.topic}/{record.partition}@{record.offset} is here twice")
            )
        records[record[:3]] = record
    if findings:
        raise ConfigurationError(findings)
    if len({record[:2] for record in records.values()}) <= 1:
        return iter(sorted(records.values(), key=lambda record: record.offset))
    try:
        return iter(resequenced(records.values()))
    except ValueError as error:
        raise ConfigurationError(
            [Finding(Place(str(path)), "CAP004", str(error), "capture one connector a file")]
        ) from None


def _content(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreachable(f"{path}: {reason}", hint="a capture is a readable .jsonl or .jsonl.gz file") from None


def _record(line: bytes) -> Record:
    given = _decode(line)
    headers = tuple((name, None if text is None else text.encode()) for name, text in given.headers)
    key, value = _json(given.key), _json(given.value)
    return Record(given.topic, given.partition, given.offset, key, value, headers, given.timestamp)


def _json(raw: msgspec.Raw) -> bytes | None:
    """Return JSON in the form in which Debezium writes it; numbers and texts keep their spelling."""
    compact = msgspec.json.format(raw, indent=-1)
    if compact == b"null":
        return None
    if rb"\u" not in compact:
        return compact
    # Debezium writes characters, not their numbers; a file written by another tool may have done otherwise.
    document: Any = json.loads(compact)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _finding(path: Path, number: int, error: Exception) -> Finding:
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        return Finding(Place(str(path), number, 1), "CAP002", f"the line is no captured record: {text}")
    _, found, byte = text.rpartition("(byte ")
    column = int(byte.rstrip(")")) + 1 if found else getattr(error, "start", 0) + 1
    return Finding(Place(str(path), number, column), "CAP001", "the line is not JSON")
