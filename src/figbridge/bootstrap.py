"""Join ports to adapters: the one place that knows both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from figbridge.adapters import cloudevents
from figbridge.adapters.debezium.decoder import Decoder
from figbridge.adapters.debezium.details import details
from figbridge.domain.authority import Authority
from figbridge.domain.change import Decoded
from figbridge.domain.fact import LEGACY, Fact
from figbridge.mapping.compiler import Plan, compile_plan
from figbridge.mapping.loader import Documents, load_mappings
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.perform import Topics
from figbridge.ports import AuthorityStore, Log, Record
from figbridge.settings import Settings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def documents(directory: Path) -> Documents:
    """Load the documents of a migration; raises ConfigurationError with every finding."""
    return load_mappings(directory)


def plan(documents: Documents) -> Plan:
    """Compile the documents."""
    return compile_plan(documents.mappings, documents.services)


def previous_end(record: Record) -> str | None:
    """Return which END a row's record says came before its transaction."""
    return details(record).sequence_previous


def edge(plan: Plan, topics: Topics, source_epochs: dict[str, int] | None = None) -> Edge:
    """Return the functions that the pipeline needs of the outside."""
    shapes, epoch_columns = plan.shapes(), plan.epoch_columns()

    def decoder() -> Callable[[Record], Decoded]:
        return Decoder(shapes, epoch_columns=epoch_columns).decode

    return Edge(decoder, previous_end, cloudevents.encode, topics, source_epochs or {})


def log(settings: Settings) -> Log:
    """Open the embedded log."""
    from figbridge.adapters.sqlite.log import SqliteLog

    settings.data.mkdir(parents=True, exist_ok=True)
    return SqliteLog(settings.log_file)


def store(settings: Settings) -> AuthorityStore:
    """Open the embedded authority store."""
    from figbridge.adapters.sql.authority_store import SqlAuthorityStore

    settings.data.mkdir(parents=True, exist_ok=True)
    return SqlAuthorityStore(settings.authority_url)


def capture(path: Path) -> Iterator[Record]:
    """Read captured records as one source log."""
    from figbridge.adapters.capture import read_capture

    return read_capture(path)


def sources(plan: Plan, topics: Topics) -> Mapping[str, str]:
    """Return source log topic → source, for the monolith and every service."""
    names = ("legacy", *plan.services)
    return {topics.log(name): name for name in names}


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
