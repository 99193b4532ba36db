"""The suite's harness for Kafka: handles as other processes would have them, and a takeover between two of them."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from uuid import uuid4

from hypothesis import Phase

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.log import KafkaLog

from .harness import Harness


class KafkaHarness(Harness):
    """Every handle is the same instance, so that the newest member of a group fences the one before at once.

    Each has a folder of its own for copies of the state, as on another machine.
    """

    examples = 12
    phases = (Phase.explicit, Phase.generate)  # to make a failing run shorter takes hundreds of runs, of seconds each

    def __init__(self, servers: str, folder: Path) -> None:
        self._run = uuid4().hex[:8]
        numbers = count(1)
        cluster = Cluster(servers, instance="contract", session_timeout_ms=6_000, refresh_ms=500, patience_s=20.0)
        super().__init__(lambda: KafkaLog(cluster, folder / f"handle-{next(numbers)}"))

    def name(self, what: str = "group") -> str:
        """Return a name that no other test on the same broker has."""
        return f"{super().name(what)}-{self._run}"
