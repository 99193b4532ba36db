"""Reach Kafka Connect and the databases: for connectors, for the doctor, for holes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from figbridge.bootstrap.parts import documents, plan
from figbridge.bootstrap.stores import log_of
from figbridge.domain.fact import LEGACY
from figbridge.errors import ConfigurationError, Finding, Place, Refused

if TYPE_CHECKING:  # a command loads what it uses, and no more
    from figbridge.adapters.engine.settings import EngineConfig
    from figbridge.domain.connector import Kind, Wanted
    from figbridge.mapping.compiler import Plan
    from figbridge.mapping.connect.loader import ConnectorDocument
    from figbridge.mapping.rules_types import Tables
    from figbridge.operations.connectors.site import Site
    from figbridge.operations.doctor.examine import Clinic
    from figbridge.ports import LegacyDatabase, Preflight, RowReader
    from figbridge.settings import Settings, Source


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
                wanted.capture.name: legacy_database(wanted, settings.sources[document.name])
                for wanted, document in found
                if document.name in settings.sources
            },
            settings.topic_prefix,
        )
    finally:
        rest.close()


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


def legacy_database(wanted: Wanted, source: Source) -> LegacyDatabase:
    """Return a source's database, of the kind that its connector document names."""
    from figbridge.adapters.connect.mariadb import MariaDatabase
    from figbridge.adapters.connect.postgres import PostgresDatabase
    from figbridge.domain.connector import Kind

    if wanted.capture.kind is Kind.MARIADB:
        return MariaDatabase(source.host, source.port, source.user, source.secret())
    return PostgresDatabase(source.host, source.port, source.user, source.database, source.secret())


def row_reader(settings: Settings, name: str) -> RowReader:
    """Return a source's database to read rows of. Raises Refused when the settings do not say where it is."""
    source = settings.sources.get(name)
    if source is None:
        hint = f"name it under sources.{name}: see docs/settings.md"
        raise Refused(f"the settings do not say where the database of {name} is", hint=hint, code="HOL007")
    where = f"The database on {source.host}:{source.port}"
    if source.kind == "mariadb":
        from figbridge.adapters.legacy.mariadb import MariaRows

        return MariaRows(source.host, source.port, source.user, source.secret())
    from figbridge.adapters.engine.settings import EngineConfig
    from figbridge.adapters.legacy.postgres import PostgresRows

    place = EngineConfig(
        name, source.host, source.port, source.user, source.database, ("any.table",), source.secret()
    )  # fmt: skip
    return PostgresRows(place.dsn, where)


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
        with log_of(settings) as log:
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
