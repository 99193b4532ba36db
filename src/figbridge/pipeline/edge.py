"""What the pipeline needs of the outside besides its ports, as functions that bootstrap joins to adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from figbridge.domain.change import Decoded
from figbridge.pipeline.collect import PreviousEnd
from figbridge.pipeline.letters import About, ByReference, History, Vault, no_history
from figbridge.pipeline.perform import Encode, Topics
from figbridge.ports import Record


class Split(NamedTuple):
    """What a stream is of the source that is split: a part of its tables, in a source log of its own."""

    source: str
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Edge:
    """What the pipeline needs of the outside, as functions: see figbridge.adapters.debezium and cloudevents."""

    decoder: Callable[[str], Callable[[Record], Decoded]]
    """Make the decoder of a source log, by its topic: of a stream it knows that stream's tables, and no others."""
    previous_end: PreviousEnd
    encode: Encode
    topics: Topics = field(default_factory=Topics)
    source_epochs: dict[str, int] = field(default_factory=dict)
    about: Callable[[Record], About | None] = lambda _: None
    """Return a row's table and columns without a mapping; None for what is no row."""
    vault: Vault = field(default_factory=ByReference)
    history: History = no_history
    """Read a source log again, from before what is committed."""
    splits: Mapping[str, Split] = field(default_factory=dict)
    """Stream → what it is of its source. A source that is not split is not in it."""

    def source_of(self, name: str) -> str:
        """Return the source that a stream is a part of; a source that is not split is its own."""
        return self.splits[name].source if name in self.splits else name
