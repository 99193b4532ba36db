"""Join ports to adapters: the one place that knows both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figbridge.domain.fact import LEGACY, Fact
from figbridge.errors import ConfigurationError, Finding, Place, Unreachable
from figbridge.ports import AuthorityStore, Log, Record, Stream

if TYPE_CHECKING:  # a command loads what it uses, and no more
    from figbridge.adapters.engine.postgres import PostgresServer
    from figbridge.adapters.engine.settings import EngineConfig
    from figbridge.adapters.sql.authority_store import SqlAuthorityStore
    from figbridge.domain.authority import Authority
    from figbridge.domain.change import Decoded
    from figbridge.domain.connector import Kind, Wanted
    from figbridge.mapping.compiler import Plan
    from figbridge.mapping.connect.loader import ConnectorDocument
    from figbridge.mapping.loader import Documents
    from figbridge.mapping.rules_types import Tables
    from figbridge.operations.bridge import Bridge, Renewed
    from figbridge.operations.connectors.site import Site
    from figbridge.operations.doctor.examine import Clinic
    from figbridge.operations.drift import LiveTable
    from figbridge.pipeline.edge import Edge
    from figbridge.pipeline.perform import Topics
    from figbridge.pipeline.worker import Observe
    from figbridge.ports import LegacyDatabase, Preflight
    from figbridge.sandbox import Sandbox
    from figbridge.settings import Settings, Source
    from figbridge.telemetry.health import Health

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def documents(directory: Path) -> Documents:
    """Load the documents of a migration; raises ConfigurationError with every finding."""
    from figbridge.mapping.loader import load_mappings

    return load_mappings(directory)


def plan(documents: Documents) -> Plan:
    """Compile the documents."""
    from figbridge.mapping.compiler import compile_plan

    return compile_plan(documents.mappings, documents.services)


def edge(plan: Plan, topics: Topics, source_epochs: dict[str, int] | None = None) -> Edge:
    """Return the functions that the pipeline needs of the outside."""
    from figbridge.adapters import cloudevents
    from figbridge.adapters.debezium.decoder import Decoder
    from figbridge.adapters.debezium.details import previous_end
    from figbridge.pipeline.edge import Edge

    shapes, epoch_columns = plan.shapes(), plan.epoch_columns()

    def decoder() -> Callable[[Record], Decoded]:
        return Decoder(shapes, epoch_columns=epoch_columns).decode

    return Edge(decoder, previous_end, cloudevents.encode, topics, source_epochs or {})


def topics(settings: Settings) -> Topics:
    """Return the names of the topics."""
    from figbridge.pipeline.perform import Topics

    return Topics(settings.topic_prefix)


@contextmanager
def opened_log(settings: Settings) -> Iterator[Log]:
    """Open the log for the time of a command; raises Unreachable when there is none yet, or it does not answer."""
    if settings.log == "embedded" and not settings.log_file.exists():
        raise Unreachable(
            f"there is no log at {settings.log_file}", hint="figbridge run, or name its folder with --data"
        )
    with _log(settings) as log:
        yield log


@contextmanager
def opened_store(settings: Settings) -> Iterator[AuthorityStore]:
    """Open the authority store for the time of a command; raises Unreachable when there is none yet."""
    if settings.authority is None and not settings.authority_file.exists():
        missing = f"there is no authority store at {settings.authority_file}"
        raise Unreachable(missing, hint="figbridge run, or name its folder with --data")
    with _store(settings) as store:
        yield store


@contextmanager
def _store(settings: Settings) -> Iterator[SqlAuthorityStore]:
    from figbridge.adapters.sql.authority_store import SqlAuthorityStore

    if settings.authority is None:
        _make_folder(settings.data)
    with SqlAuthorityStore(_store_address(settings)) as store:
        yield store


def _store_address(settings: Settings) -> str:
    from sqlalchemy import URL

    at = settings.authority
    if at is None:
        return f"sqlite:///{settings.authority_file}"
    address = URL.create(
        "postgresql+psycopg", at.user, at.secret() or None, at.host, at.port, at.database, query=at.options
    )
    return address.render_as_string(hide_password=False)


@contextmanager
def _log(settings: Settings) -> Iterator[Log]:
    _make_folder(settings.data)
    log = _sqlite_log(settings) if settings.kafka is None or settings.log == "embedded" else _kafka_log(settings)
    try:
        yield log
    finally:
        log.close()


def _sqlite_log(settings: Settings) -> Log:
    from figbridge.adapters.sqlite.log import SqliteLog

    return SqliteLog(settings.log_file)


def _kafka_log(settings: Settings) -> Log:
    from figbridge.adapters.kafka.config import Cluster
    from figbridge.adapters.kafka.log import KafkaLog
    from figbridge.telemetry.events import LogEvent, tell

    kafka = settings.kafka
    assert kafka is not None
    cluster = Cluster(
        kafka.servers,
        security=kafka.secrets(),
        instance=kafka.instance,
        replication=kafka.replication,
        session_timeout_ms=kafka.session_timeout_ms,
        max_poll_interval_ms=kafka.max_poll_interval_ms,
        transaction_timeout_ms=kafka.transaction_timeout_ms,
        patience_s=kafka.patience_s,
    )
    return KafkaLog(
        cluster,
        settings.data / "state",
        lambda r: tell(
            LogEvent.STATE_RESTORED if r.done == r.total else LogEvent.STATE_RESTORING,
            changelog=r.changelog,
            records=r.done,
            of=r.total,
            per_second=round(r.done / r.seconds) if r.seconds else 0,
        ),
    )


def starts(settings: Settings, said: Iterable[str]) -> dict[str, int]:
    """Return source log → where to start, from what `--from` said: `earliest`, an offset, or `SOURCE=` and either.

    Raises ConfigurationError for anything else.
    """
    from figbridge.ports import EARLIEST

    names, compiled = topics(settings), plan(documents(settings.mappings))
    logs = {source: log for log, source in sources(compiled, names).items()}
    found: dict[str, int] = {}
    for text in said:
        source, equals, place = text.rpartition("=")
        known = [logs[source]] if equals and source in logs else [] if equals else list(logs.values())
        if not known or not (place == "earliest" or (place.isdecimal() and len(known) == 1)):
            hint = f"earliest, SOURCE=earliest or SOURCE=OFFSET, with one of {', '.join(logs)}"
            raise ConfigurationError([Finding(Place("--from"), "SET021", f"{text!r} is no place to start", hint)])
        found.update(dict.fromkeys(known, EARLIEST if place == "earliest" else int(place)))
    return found


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unreachable(f"{folder} cannot be made: {error.strerror}", hint="choose another with --data") from None


@contextmanager
def bridge(
    settings: Settings,
    now: datetime,
    by: str,
    observe: Observe | None = None,
    start: Mapping[str, int] | None = None,
    health: Health | None = None,
) -> Iterator[Bridge]:
    """Build a bridge with its log, store and connectors, its topics and facts made ready. On brokers the connectors
    run in Kafka Connect; `start` says where a group begins that has never read a source log."""
    from figbridge.operations.bridge import Bridge
    from figbridge.operations.figures import Figures
    from figbridge.pipeline.worker import BY_TIME, EACH_POLL

    documents_ = documents(settings.mappings)
    compiled = plan(documents_)
    names = topics(settings)
    epochs = {name: source.epoch for name, source in settings.sources.items()}
    with _log(settings) as log, _store(settings) as store:
        store.migrate()
        joined, logs = edge(compiled, names, epochs), sources(compiled, names)
        built = Bridge(
            plan=compiled,
            log=log,
            store=store,
            edge=joined,
            sources=logs,
            group=settings.group,
            batch=settings.batch,
            domain_partitions=settings.domain_partitions,
            streams={n: _stream(settings, compiled, log, n, s) for n, s in settings.sources.items()}
            if settings.log == "embedded"
            else {},
            observe=observe,
            start=start or {},
            pace=replace(BY_TIME, seconds=settings.kafka.commit_ms / 1000)
            if settings.log == "kafka" and settings.kafka is not None
            else EACH_POLL,
            figures=Figures(log, settings.group, logs, joined, time.time) if health is not None else None,
            health=health,
        )
        for live, tables in _live_tables(settings, compiled):
            _check_tables(compiled, live, tables)
        built.prepare(documents_.facts or undeclared(documents_), now, by)
        yield built


@contextmanager
def watched(settings: Settings) -> Iterator[tuple[Health | None, str]]:
    """Answer probes and keep figures for the time of a run, where the settings say so; gives the address, or ""."""
    if not settings.listen:
        yield None, ""
        return
    from figbridge.adapters.http.server import served
    from figbridge.telemetry.health import Health
    from figbridge.telemetry.metrics import keep

    health = Health(time.monotonic)
    host, _, port = settings.listen.rpartition(":")
    with served(host.strip("[]"), int(port), health, keep()) as address:
        yield health, address


def renewed(settings: Settings, running: Bridge, now: datetime, by: str) -> Renewed | None:
    """Read the mappings again for a running bridge; None, with a line in the log, when they cannot be used by it."""
    from figbridge.operations.bridge import Renewed
    from figbridge.telemetry.events import LogEvent, tell

    try:
        found = documents(settings.mappings)
        compiled = plan(found)
        if sources(compiled, topics(settings)) != running.sources:
            other = "a service came or went: that needs a restart"
            raise ConfigurationError([Finding(Place(str(settings.mappings)), "SET022", other, "restart the bridge")])
    except ConfigurationError as error:
        tell(LogEvent.MAPPINGS_REFUSED, findings=len(error.findings), first=str(error.findings[0]))
        return None
    facts = tuple(found.facts or undeclared(found))
    epochs = {name: source.epoch for name, source in settings.sources.items()}
    return Renewed(compiled, edge(compiled, topics(settings), epochs), facts, now, by)


def _live_tables(settings: Settings, plan: Plan) -> Iterator[tuple[Mapping[str, LiveTable], tuple[str, ...]]]:
    """Yield the live tables of each source with the names that are captured. A connector's document says of which
    kind its database is; without one it is PostgreSQL."""
    from figbridge.adapters.engine.tables import table_facts

    if settings.log == "kafka" and settings.connect is not None:
        for wanted, document in wanted_connectors(settings, settings.connect.documents):
            if document.name in settings.sources:
                database = _database(wanted, settings.sources[document.name])
                yield database.tables(wanted.capture.tables), wanted.capture.tables
        return
    for name, source in settings.sources.items():
        config = engine_config(plan, name, source, settings.topic_prefix)
        yield table_facts(config.dsn, config.tables), config.tables


def _check_tables(plan: Plan, live: Mapping[str, LiveTable], tables: Iterable[str]) -> None:
    """Hold the mappings against the live tables; raises Refused when the bridge could only park."""
    from figbridge.operations.drift import drifted
    from figbridge.telemetry.events import LogEvent, tell

    for drift in drifted(plan, live, tables):
        tell(LogEvent.TABLE_DRIFTED, table=drift.table, message=drift.message)


def _stream(settings: Settings, plan: Plan, log: Log, name: str, source: Source) -> Stream:
    """Build a connector from the mappings: its tables, their order in a snapshot, their replica identity."""
    from figbridge.adapters.engine.debezium import Engine

    config = engine_config(plan, name, source, settings.topic_prefix)
    return Engine(config, log, settings.data / "engine" / name)


def engine_config(plan: Plan, name: str, source: Source, topic_prefix: str) -> EngineConfig:
    """Return what Debezium is told about a source, derived from the mappings.

    Raises ConfigurationError for a source that neither the mappings nor a service document speaks about.
    """
    from figbridge.adapters.engine.settings import EngineConfig
    from figbridge.mapping.connect.captures import captured

    what = captured(plan, name)
    if what is None:
        hint = f"known: {', '.join((LEGACY, *plan.services))}"
        place = Place(f"sources.{name}")
        raise ConfigurationError([Finding(place, "SET010", f"no document speaks about the source {name}", hint)])
    return EngineConfig(
        prefix=name,
        host=source.host,
        port=source.port,
        user=source.user,
        password=source.secret(),
        database=source.database,
        tables=what.tables,
        full_identity=what.full_identity,
        heartbeat_ms=source.heartbeat_ms,
        topic_prefix=topic_prefix,
    )


def sandbox(folder: Path, kinds: Iterable[str] = (), **options: Any) -> Sandbox:
    """Return the sandbox of a folder, grown by what is asked; see figbridge.sandbox.Sandbox. Raises Refused."""
    from figbridge.sandbox import Sandbox

    return Sandbox(folder, kinds, **options)


@contextmanager
def postgres(folder: Path) -> Iterator[PostgresServer]:
    """Run a PostgreSQL of its own in a folder, for as long as the context lasts. Careless about a power cut."""
    from figbridge.adapters.engine.postgres import PostgresServer

    with PostgresServer(folder, durable=False) as server:
        yield server


@contextmanager
def connectors(settings: Settings, directory: Path | None = None) -> Iterator[Site]:
    """Join connector documents, mappings, Connect, Kafka and databases; nothing is reached before it is needed.

    Raises ConfigurationError with every finding in the documents, or when the settings have no Connect cluster.
    """
    from figbridge.adapters.connect.broker import KafkaBroker
    from figbridge.adapters.connect.rest import ConnectRest
    from figbridge.operations.connectors.site import Site

    cluster, brokers = settings.connect, settings.kafka
    if cluster is None or brokers is None:
        missing = "connect" if cluster is None else "kafka"
        hint = "set connect.url and kafka.servers: see docs/connectors.md"
        raise ConfigurationError([Finding(Place("settings"), "SET011", f"`{missing}` is not set", hint)])
    found = wanted_connectors(settings, directory or cluster.documents)
    rest = ConnectRest(cluster.url, user=cluster.user, password=cluster.secret(), ca_file=str(cluster.ca_file or ""))
    try:
        yield Site(
            tuple(wanted for wanted, _ in found),
            rest,
            KafkaBroker({**brokers.secrets(), "bootstrap.servers": brokers.servers}),
            {
                wanted.capture.name: _database(wanted, settings.sources[document.name])
                for wanted, document in found
                if document.name in settings.sources
            },
            settings.topic_prefix,
        )
    finally:
        rest.close()


def wanted_connectors(settings: Settings, directory: Path) -> tuple[tuple[Wanted, ConnectorDocument], ...]:
    """Return each connector as the files want it, with its document; raises ConfigurationError with every finding."""
    from figbridge.adapters.connect.generated import generated, refused
    from figbridge.domain.connector import Wanted
    from figbridge.mapping.connect.captures import captures
    from figbridge.mapping.connect.loader import load_connectors

    loaded = load_connectors(directory)
    found = captures(loaded, plan(documents(settings.mappings)), settings.topic_prefix)
    findings = [
        Finding(name.place, "CON029", f"`{name}` may not be set: {why}", "take it out of `more`")
        for capture, document in found
        for name in document.more
        if (why := refused(name, capture))
    ]
    if findings:
        raise ConfigurationError(dict.fromkeys(findings))
    return tuple((Wanted(c, generated(c), d.place.file), d) for c, d in found)


def _database(wanted: Wanted, source: Source) -> LegacyDatabase:
    from figbridge.adapters.connect.mariadb import MariaDatabase
    from figbridge.adapters.connect.postgres import PostgresDatabase
    from figbridge.domain.connector import Kind

    if wanted.capture.kind is Kind.MARIADB:
        return MariaDatabase(source.host, source.port, source.user, source.secret())
    return PostgresDatabase(source.host, source.port, source.user, source.database, source.secret())


@contextmanager
def clinic(settings: Settings, directory: Path | None = None) -> Iterator[Clinic]:
    """Join what doctor looks at: with `connect` in the settings the connectors' sources, else the embedded engine's.

    Raises ConfigurationError with every finding in the documents, or when no source is set.
    """
    from figbridge.domain.connector import Kind
    from figbridge.domain.preflight import Patient
    from figbridge.mapping.loader import load_tables
    from figbridge.operations.doctor.examine import Clinic

    compiled = plan(documents(settings.mappings))
    recorded = {kind: load_tables(settings.mappings, kind.value) for kind in Kind}
    if settings.connect is not None:
        with connectors(settings, directory) as site:
            patients = tuple(
                Patient(c.name, c.kind, c.tables, _read(compiled, c.tables), c.full_identity, c.slot, c.publication,
                        c.log.name)
                for c in (wanted.capture for wanted in site.wanted)
            )  # fmt: skip
            yield Clinic(patients, compiled, recorded, {n: _preflight(d) for n, d in site.databases.items()}, site)
        return
    if not settings.sources:
        hint = "set `sources`, or `connect`: see docs/doctor.md"
        raise ConfigurationError([Finding(Place("settings"), "SET012", "no source is set", hint)])
    yield _embedded_clinic(settings, compiled, recorded)


def _embedded_clinic(settings: Settings, compiled: Plan, recorded: Mapping[Kind, Tables | None]) -> Clinic:
    from figbridge.adapters.connect.postgres import PostgresDatabase
    from figbridge.domain.connector import Kind
    from figbridge.domain.preflight import Patient
    from figbridge.operations.doctor.examine import Clinic

    configs = {n: engine_config(compiled, n, s, settings.topic_prefix) for n, s in settings.sources.items()}
    patients = tuple(
        Patient(n, Kind.POSTGRES, c.tables, _read(compiled, c.tables), c.full_identity, c.slot_name,
                c.publication_name, c.topic)
        for n, c in configs.items()
    )  # fmt: skip
    partitions: dict[str, int] = {}
    if settings.log_file.exists():
        with _log(settings) as log:
            partitions = log.topics()
    databases = {
        n: _preflight(PostgresDatabase(s.host, s.port, s.user, s.database, s.secret()))
        for n, s in settings.sources.items()
    }
    return Clinic(patients, compiled, recorded, databases, log_partitions=partitions)


def _read(compiled: Plan, tables: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return table → the columns that mappings and services read."""
    return {table: compiled.tables[table].shape.columns for table in tables}


def _preflight(database: LegacyDatabase) -> Preflight:
    from figbridge.adapters.connect.mariadb import MariaDatabase
    from figbridge.adapters.connect.postgres import PostgresDatabase
    from figbridge.adapters.preflight.mariadb import MariaPreflight
    from figbridge.adapters.preflight.postgres import PostgresPreflight

    if isinstance(database, MariaDatabase):
        return MariaPreflight(database)
    assert isinstance(database, PostgresDatabase)
    return PostgresPreflight(database)


def capture(path: Path) -> Iterator[Record]:
    """Read captured records as one source log."""
    from figbridge.adapters.capture import read_capture

    return read_capture(path)


def sources(plan: Plan, topics: Topics) -> Mapping[str, str]:
    """Return source log topic → source, for the monolith and every service."""
    return {topics.log(name): name for name in (LEGACY, *plan.services)}


def source_topics(log: Log, topics: Topics) -> Mapping[str, str]:
    """Return source log topic → source, for the source logs that exist."""
    head, tail = f"{topics.prefix}.", ".log"
    return {t: t[len(head) : -len(tail)] for t in sorted(log.topics()) if t.startswith(head) and t.endswith(tail)}


def declared_authority(documents: Documents) -> Authority:
    """Return the authority that the documents declare, from the beginning of every log; without facts.yaml, the
    monolith owns every fact."""
    from figbridge.adapters.memory_authority import MemoryAuthorityStore
    from figbridge.operations.authority import declare

    store = MemoryAuthorityStore()
    declare(store, documents.facts or undeclared(documents), EPOCH, "facts.yaml")
    return store.load()


def undeclared(documents: Documents) -> tuple[Fact, ...]:
    """Return the facts that mappings and services name, as the monolith's."""
    names = {f for m in documents.mappings for f, _ in m.facts}
    names |= {e.fact for s in documents.services for e in s.events}
    return tuple(Fact(name, "", LEGACY, None, "") for name in sorted(names))
