"""From documents and mappings to captures: which tables and columns each connector takes out of its database."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from figbridge.domain.connector import Capture, Kind, Topic
from figbridge.domain.fact import LEGACY
from figbridge.mapping.compiler import Plan
from figbridge.mapping.connect.loader import ConnectorDocument
from figbridge.mapping.nodes import Findings, did_you_mean

_WEEK_MS = 7 * 86_400_000
_FIRST_ID, _IDS = 100_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class Captured:
    """What is captured of a source: tables in the order of a snapshot, and those that need the whole old row."""

    tables: tuple[str, ...]
    full_identity: tuple[str, ...]


def captured(plan: Plan, source: str) -> Captured | None:
    """Return what the mappings need of a source; None for one that neither they nor a service speak about."""
    if source == LEGACY:
        tables = tuple(t for t in plan.snapshot_order() if plan.tables[t].service is None)
        return Captured(tables, plan.full_identity())
    if source in plan.services:
        return Captured((plan.services[source].table,), ())
    return None


def captures(
    documents: Iterable[ConnectorDocument], plan: Plan, topic_prefix: str
) -> tuple[tuple[Capture, ConnectorDocument], ...]:
    """Return each connector's capture with its document. Raises ConfigurationError with every finding."""
    findings = Findings()
    found: list[tuple[Capture, ConnectorDocument]] = []
    for document in documents:
        whole = captured(plan, document.name)
        if whole is None or not whole.tables:
            known = [LEGACY, *plan.services]
            text = f"no document speaks about the source `{document.name}`"
            findings.add(document.place, "CON022", text, did_you_mean(document.name, known))
            continue
        for stream, tables in _streams(document, plan, whole, findings).items():
            found.append((_capture(document, plan, whole, stream, tables, topic_prefix), document))
    _refuse_same_names(found, findings)
    findings.check()
    return tuple(found)


def _streams(
    document: ConnectorDocument, plan: Plan, whole: Captured, findings: Findings
) -> Mapping[str, tuple[str, ...]]:
    """Return stream → tables; one stream without a name where the file does not split the source."""
    if not document.streams:
        return {"": whole.tables}
    if document.name != LEGACY:
        findings.add(document.place, "CON023", f"the source `{document.name}` has one table: it has no streams")
        return {}
    users = {t: {role.compiled.mapping.name for role in plan.tables[t].roles} for t in whole.tables}
    for compiled in plan.mappings.values():
        for lookup in compiled.mapping.lookups:
            users[lookup.table].add(compiled.mapping.name)
    stream_of = _stream_of(document, plan, findings)
    for table, mappings_of in users.items():
        streams = {stream_of[m] for m in mappings_of if m in stream_of}
        if len(streams) > 1:
            text = f"the streams {', '.join(sorted(streams))} share {table}"
            hint = f"{', '.join(sorted(mappings_of))} join it: put them into one stream"
            findings.add(document.place, "CON024", text, hint)
    _refuse_same_words(document, plan, stream_of, findings)
    return {
        stream: tuple(t for t in whole.tables if any(stream_of.get(m) == stream for m in users[t]))
        for stream in document.streams
    }


def _stream_of(document: ConnectorDocument, plan: Plan, findings: Findings) -> Mapping[str, str]:
    """Return mapping → stream."""
    stream_of: dict[str, str] = {}
    for stream, mappings in document.streams.items():
        if not mappings:
            findings.add(document.place, "CON023", f"the stream `{stream}` has no mapping", "name one, or take it out")
        for mapping in mappings:
            if mapping not in plan.mappings:
                hint = did_you_mean(mapping, plan.mappings)
                findings.add(mapping.place, "CON023", f"there is no mapping `{mapping}`", hint)
            elif mapping in stream_of:
                hint = f"it is in `{stream_of[mapping]}`"
                findings.add(mapping.place, "CON023", f"the mapping `{mapping}` is in two streams", hint)
            stream_of.setdefault(str(mapping), stream)
    for name in plan.mappings:
        if name not in stream_of:
            findings.add(document.place, "CON023", f"the mapping `{name}` is in no stream", "name it in one of them")
    return stream_of


def _refuse_same_words(
    document: ConnectorDocument, plan: Plan, stream_of: Mapping[str, str], findings: Findings
) -> None:
    """Demand that each fact and event type is of one stream. What one transaction says twice is numbered in its ids,
    and two logs would each count from one: consumers would drop the second as known."""
    first: dict[str, str] = {}
    for name, compiled in plan.mappings.items():
        mapping = compiled.mapping
        snapshot = [mapping.snapshot.type] if mapping.snapshot is not None else []
        for word in (*(fact for fact, _ in mapping.facts), *(event.type for event in mapping.events), *snapshot):
            other = first.setdefault(word, name)
            if name in stream_of and stream_of.get(other, stream_of[name]) != stream_of[name]:
                text = f"the streams {stream_of[other]} and {stream_of[name]} both say `{word}`"
                hint = f"put {other} and {name} into one stream, or name one of them otherwise"
                findings.add(document.place, "CON032", text, hint)


def _capture(
    document: ConnectorDocument, plan: Plan, whole: Captured, stream: str, tables: tuple[str, ...], prefix: str
) -> Capture:
    name = f"{document.name}_{stream}" if stream else document.name
    maria = document.kind is Kind.MARIADB
    history = Topic(f"{prefix}.{name}.schemas", document.replicas, {"cleanup.policy": "delete", "retention.ms": "-1"})
    return Capture(
        name=name,
        kind=document.kind,
        host=document.host,
        port=document.port,
        database=document.database,
        user=document.user,
        password=document.password,
        tables=tables,
        columns={} if document.all_columns else {t: plan.tables[t].shape.columns for t in tables},
        full_identity=() if maria else tuple(t for t in whole.full_identity if t in tables),
        log=_kept(f"{prefix}.{name}.log", document.replicas, document.retention_ms),
        signals=_kept(f"{prefix}.{name}.signals", document.replicas, _WEEK_MS),
        notifications=_kept(f"{prefix}.{name}.notifications", document.replicas, _WEEK_MS),
        topic_prefix=prefix,
        signal_table=document.signals,
        heartbeat_ms=document.heartbeat_ms,
        snapshot=document.snapshot,
        kafka=document.servers,
        kafka_client=document.client,
        history=history if maria else None,
        server_id=(document.server_id or _server_id(f"{prefix}.{name}")) if maria else 0,
        tls=document.tls,
        tls_ca=document.tls_ca,
        more={str(k): v for k, v in document.more.items()},
    )


def _kept(name: str, replicas: int, retention_ms: int) -> Topic:
    """Describe a topic that keeps its records by time. Compacted, a log would forget what happened; by size, it would
    forget it sooner than the retention says."""
    settings = {"cleanup.policy": "delete", "retention.ms": str(retention_ms), "retention.bytes": "-1"}
    return Topic(name, replicas, settings)


def _server_id(name: str) -> int:
    """Make a number for a binlog reader out of its name: the same on every computer, and of one's own."""
    return _FIRST_ID + zlib.crc32(name.encode()) % _IDS


def _refuse_same_names(found: list[tuple[Capture, ConnectorDocument]], findings: Findings) -> None:
    first: dict[str, ConnectorDocument] = {}
    for capture, document in found:
        other = first.setdefault(capture.name, document)
        if other is not document:
            text = f"a stream of `{other.name}` and `{document.name}` are both named `{capture.name}`"
            findings.add(document.place, "CON025", text, "rename the stream")
