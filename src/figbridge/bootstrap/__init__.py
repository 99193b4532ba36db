"""Join ports to adapters: the one place that knows both."""

from figbridge.bootstrap.parts import (
    EPOCH,
    capture,
    declared_authority,
    documents,
    edge,
    edge_of,
    history,
    keeping_letters,
    new_letter_key,
    plan,
    reading_edge,
    source_topics,
    sources,
    splits,
    topics,
    undeclared,
)
from figbridge.bootstrap.running import bridge, postgres, renewed, sandbox, starts, watched
from figbridge.bootstrap.sites import clinic, connectors, row_reader, wanted_connectors
from figbridge.bootstrap.stores import opened_log, opened_store

__all__ = [
    "EPOCH",
    "bridge",
    "capture",
    "clinic",
    "connectors",
    "declared_authority",
    "documents",
    "edge",
    "edge_of",
    "history",
    "keeping_letters",
    "new_letter_key",
    "opened_log",
    "opened_store",
    "plan",
    "postgres",
    "reading_edge",
    "renewed",
    "row_reader",
    "sandbox",
    "source_topics",
    "sources",
    "splits",
    "starts",
    "topics",
    "undeclared",
    "wanted_connectors",
    "watched",
]
