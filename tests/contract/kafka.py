"""The suite's harness for Kafka: handles as other processes would have them, and a takeover between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from uuid import uuid4

from hypothesis import Phase

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.log import KafkaLog
from figbridge.adapters.kafka.session import KafkaSession
from figbridge.errors import Fenced
from figbridge.ports import Log, Session

from .harness import Harness, until


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

    def take_over(self, log: Log, group: str, topics: Sequence[str]) -> Session:
        """Join, and wait until the member before has had its heartbeat refused: only then it can know.

        It must have come to be a member first: of two that join at once, nobody knows whom the brokers hear last.
        """
        before = [m for m in self._members if isinstance(m, KafkaSession) and m._hold.membership.group == group]
        for member in before:
            until(lambda old=member: _heard(old) or old._hold.membership.held(), bool)
        session = super().take_over(log, group, topics)
        for member in before:
            until(lambda old=member: _heard(old), bool)
        return session


def _heard(session: KafkaSession) -> bool:
    try:
        session._hold.membership.serve(0.1)
    except Fenced:
        return True
    return False
