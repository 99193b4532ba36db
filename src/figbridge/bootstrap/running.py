"""Build a running bridge: its log, store and connectors, its probes, its other mappings."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figbridge.bootstrap.parts import documents, edge_of, plan, sources, splits, topics, undeclared
from figbridge.bootstrap.sites import engine_config, legacy_database, wanted_connectors
from figbridge.bootstrap.stores import log_of, store_of
from figbridge.errors import ConfigurationError, Finding, Place
from figbridge.ports import Log, Stream

if TYPE_CHECKING:  # a command loads what it uses, and no more
    from figbridge.adapters.engine.postgres import PostgresServer
    from figbridge.mapping.compiler import Plan
    from figbridge.operations.bridge import Bridge, Renewed
    from figbridge.operations.drift import LiveTable
    from figbridge.pipeline.worker import Observe
    from figbridge.sandbox import Sandbox
    from figbridge.settings import Settings, Source
    from figbridge.telemetry.health import Health


def starts(settings: Settings, said: Iterable[str]) -> dict[str, int]:
    """Return source log → where to start, from what `--from` said: `earliest`, an offset, or `SOURCE=` and either.

    Raises ConfigurationError for anything else.
    """
    from figbridge.ports import EARLIEST

    names, compiled = topics(settings), plan(documents(settings.mappings))
    logs = {source: log for log, source in sources(compiled, names, splits(compiled, settings)).items()}
    found: dict[str, int] = {}
    for text in said:
        source, equals, place = text.rpartition("=")
        known = [logs[source]] if equals and source in logs else [] if equals else list(logs.values())
        if not known or not (place == "earliest" or (place.isdecimal() and len(known) == 1)):
            hint = f"earliest, SOURCE=earliest or SOURCE=OFFSET, with one of {', '.join(logs)}"
            raise ConfigurationError([Finding(Place("--from"), "SET021", f"{text!r} is no place to start", hint)])
        found.update(dict.fromkeys(known, EARLIEST if place == "earliest" else int(place)))
    return found


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
    from figbridge.operations.lag import Lag
    from figbridge.pipeline.pace import BY_TIME, EACH_POLL

    documents_ = documents(settings.mappings)
    compiled = plan(documents_)
    names = topics(settings)
    with log_of(settings, health) as log, store_of(settings) as store:
        store.migrate()
        joined = edge_of(compiled, settings, log)
        logs = sources(compiled, names, joined.splits)
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
            figures=Figures(logs.values(), time.time) if health is not None else None,
            lag=Lag(log, settings.group, logs, joined, time.time) if health is not None else None,
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
        read = splits(compiled, settings)
        if sources(compiled, topics(settings), read) != running.sources or read != running.edge.splits:
            other = "a service came or went, or the streams of a source are others: that needs a restart"
            raise ConfigurationError([Finding(Place(str(settings.mappings)), "SET022", other, "restart the bridge")])
    except ConfigurationError as error:
        tell(LogEvent.MAPPINGS_REFUSED, findings=len(error.findings), first=str(error.findings[0]))
        return None
    facts = tuple(found.facts or undeclared(found))
    return Renewed(compiled, edge_of(compiled, settings, running.log), facts, now, by)


def _live_tables(settings: Settings, plan: Plan) -> Iterator[tuple[Mapping[str, LiveTable], tuple[str, ...]]]:
    """Yield the live tables of each source with the names that are captured. A connector's document says of which
    kind its database is; without one it is PostgreSQL."""
    from figbridge.adapters.engine.tables import table_facts

    if settings.log == "kafka" and settings.connect is not None:
        for wanted, document in wanted_connectors(settings, settings.connect.documents):
            if document.name in settings.sources:
                database = legacy_database(wanted, settings.sources[document.name])
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


@contextmanager
def postgres(folder: Path) -> Iterator[PostgresServer]:
    """Run a PostgreSQL of its own in a folder, for as long as the context lasts. Careless about a power cut."""
    from figbridge.adapters.engine.postgres import PostgresServer

    with PostgresServer(folder, durable=False) as server:
        yield server


def sandbox(folder: Path, kinds: Iterable[str] = (), **options: Any) -> Sandbox:
    """Return the sandbox of a folder, grown by what is asked; see figbridge.sandbox.Sandbox. Raises Refused."""
    from figbridge.sandbox import Sandbox

    return Sandbox(folder, kinds, **options)
