"""What carriers of decisions work with: the parts of one process that its source logs' records go through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from figbridge.mapping.compiler import Plan
from figbridge.pipeline.collect import Collector
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.memory import RowMemory
from figbridge.pipeline.translate import Translator
from figbridge.ports import State


@dataclass(frozen=True, slots=True)
class Bench:
    """The parts of one process. Translators and collectors stand under the topics of the source logs it holds."""

    plan: Plan
    edge: Edge
    state: State
    memory: RowMemory
    translators: Mapping[str, Translator]
    collectors: Mapping[str, Collector]

    def read_to(self, topic: str) -> int | None:
        """Return up to which offset a source log has been translated; None for one that this process does not hold."""
        collector = self.collectors.get(topic)
        return None if collector is None else collector.edge
