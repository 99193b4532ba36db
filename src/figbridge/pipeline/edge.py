"""What the pipeline needs of the outside besides its ports, as functions that bootstrap joins to adapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from figbridge.domain.change import Decoded
from figbridge.pipeline.collect import PreviousEnd
from figbridge.pipeline.letters import About, ByReference, History, Vault, no_history
from figbridge.pipeline.perform import Encode, Topics
from figbridge.ports import Record


@dataclass(frozen=True, slots=True)
class Edge:
    """What the pipeline needs of the outside, as functions: see figbridge.adapters.debezium and cloudevents."""

    decoder: Callable[[], Callable[[Record], Decoded]]
    """Make a decoder; each source log has its own."""
    previous_end: PreviousEnd
    encode: Encode
    topics: Topics = field(default_factory=Topics)
    source_epochs: dict[str, int] = field(default_factory=dict)
    about: Callable[[Record], About | None] = lambda _: None
    """Return a row's table and columns without a mapping; None for what is no row."""
    vault: Vault = field(default_factory=ByReference)
    history: History = no_history
    """Read a source log again, from before what is committed."""
