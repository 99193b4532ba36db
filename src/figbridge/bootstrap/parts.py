"""Make the parts of the pipeline: documents, plan, edge, the names of topics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from figbridge.domain.fact import LEGACY, Fact
from figbridge.ports import Log, Record

if TYPE_CHECKING:  # a command loads what it uses, and no more
    from figbridge.domain.authority import Authority
    from figbridge.domain.change import Decoded
    from figbridge.mapping.compiler import Plan
    from figbridge.mapping.loader import Documents
    from figbridge.pipeline.edge import Edge, Split
    from figbridge.pipeline.letters import History
    from figbridge.pipeline.perform import Topics
    from figbridge.settings import Settings


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def documents(directory: Path) -> Documents:
    """Load the documents of a migration; raises ConfigurationError with every finding."""
    from figbridge.mapping.loader import load_mappings

    return load_mappings(directory)


def plan(documents: Documents) -> Plan:
    """Compile the documents."""
    from figbridge.mapping.compiler import compile_plan

    return compile_plan(documents.mappings, documents.services)


def edge(
    plan: Plan,
    topics: Topics,
    source_epochs: dict[str, int] | None = None,
    splits: Mapping[str, Split] = MappingProxyType({}),
) -> Edge:
    """Return the functions that the pipeline needs of the outside."""
    from figbridge.adapters import cloudevents
    from figbridge.adapters.debezium.about import about
    from figbridge.adapters.debezium.decoder import Decoder
    from figbridge.adapters.debezium.details import previous_end
    from figbridge.pipeline.edge import Edge
    from figbridge.pipeline.letters import About

    shapes, epoch_columns = plan.shapes(), plan.epoch_columns()

    def row_about(record: Record) -> About | None:
        found = about(record)
        return None if found is None else About(*found)

    tables = {topics.log(name): split.tables for name, split in splits.items()}

    def decoder(topic: str) -> Callable[[Record], Decoded]:
        mine = {table: shape for table, shape in shapes.items() if table in tables.get(topic, shapes)}
        return Decoder(mine, epoch_columns=epoch_columns).decode

    return Edge(decoder, previous_end, cloudevents.encode, topics, source_epochs or {}, row_about, splits=splits)


def keeping_letters(edge: Edge, settings: Settings, log: Log) -> Edge:
    """Return an edge that can read its source logs again and keeps dead records as the settings say.

    Raises ConfigurationError for a key file that is missing or holds no key.
    """
    from figbridge.adapters import vault

    keep = settings.dead_letter_payload
    return replace(edge, vault=vault.vault(keep, settings.dead_letter_key_file), history=history(log))


def edge_of(plan: Plan, settings: Settings, log: Log) -> Edge:
    """Return what the pipeline needs of the outside as the settings say it, over a log that is open.

    Raises ConfigurationError as `keeping_letters` and `splits` do.
    """
    return keeping_letters(reading_edge(plan, settings), settings, log)


def reading_edge(plan: Plan, settings: Settings) -> Edge:
    """Return what the pipeline needs of the outside to look at records again. Raises ConfigurationError as `splits`."""
    epochs = {name: source.epoch for name, source in settings.sources.items()}
    return edge(plan, topics(settings), epochs, splits(plan, settings))


def splits(plan: Plan, settings: Settings) -> Mapping[str, Split]:
    """Return stream → what it is of its source, for the sources that connector documents split.

    The documents are what the connectors are made of, so both know the same streams. Raises ConfigurationError with
    every finding in them.
    """
    if settings.log == "embedded" or settings.connect is None:
        return {}
    from figbridge.mapping.connect.captures import captures
    from figbridge.mapping.connect.loader import load_connectors
    from figbridge.pipeline.edge import Split

    found = captures(load_connectors(settings.connect.documents), plan, settings.topic_prefix)
    return {c.name: Split(document.name, frozenset(c.tables)) for c, document in found if document.streams}


def new_letter_key() -> str:
    """Return a new key for dead letters. Raises Unreachable without the extra `encryption`."""
    from figbridge.adapters import vault

    return vault.new_key()


def history(log: Log) -> History:
    """Return the function that reads a log's source logs again."""
    from figbridge.ports import TopicPartition

    def read(topic: str, start: int, end: int) -> Iterator[Record]:
        while start < end and (found := log.read(TopicPartition(topic, 0), start, min(1000, end - start))):
            yield from (record for record in found if record.offset < end)
            start = found[-1].offset + 1

    return read


def topics(settings: Settings) -> Topics:
    """Return the names of the topics."""
    from figbridge.pipeline.perform import Topics

    return Topics(settings.topic_prefix)


def capture(path: Path) -> Iterator[Record]:
    """Read captured records as one source log."""
    from figbridge.adapters.capture import read_capture

    return read_capture(path)


def sources(plan: Plan, topics: Topics, splits: Mapping[str, Split] = MappingProxyType({})) -> Mapping[str, str]:
    """Return source log topic → source, for the monolith and every service; of one that is split, its streams."""
    split = {each.source for each in splits.values()}
    whole = (name for name in (LEGACY, *plan.services) if name not in split)
    return {topics.log(name): name for name in (*splits, *whole)}


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
