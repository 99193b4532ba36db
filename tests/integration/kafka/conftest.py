"""A real broker, and handles on it as other processes would have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.log import KafkaLog
from figbridge.ports import EARLIEST, Member, Session


class Scene:
    """One group over source logs that no other test knows."""

    def __init__(self, servers: str, folder: Path) -> None:
        self.servers, self.folder = servers, folder
        self.admin = AdminClient({"bootstrap.servers": servers})
        self.run = uuid4().hex[:8]
        self.group, self.control = f"bridge-{self.run}", f"control-{self.run}"
        self.restored: list[Any] = []
        self._closers: list[Callable[[], None]] = []
        self._numbers = count(1)

    def open(self, caches: str | None = None, **options: Any) -> KafkaLog:
        """Open the log as another process would; two that name one folder of caches are on one machine."""
        defaults = {"session_timeout_ms": 6_000, "max_poll_interval_ms": 60_000, "refresh_ms": 500, "patience_s": 20.0}
        cluster = Cluster(options.pop("servers", self.servers), **{**defaults, **options})
        log = KafkaLog(cluster, self.folder / (caches or f"machine-{next(self._numbers)}"), self.restored.append)
        self._closers.append(log.close)
        return log

    def sources(self, log: KafkaLog, number: int) -> list[str]:
        """Create source logs and the control topic."""
        names = [f"figbridge.source{n}-{self.run}.log" for n in range(number)]
        for name in (*names, self.control):
            log.create(name)
        return names

    def join(self, log: KafkaLog, sources: list[str], start: int | None = EARLIEST) -> Member:
        """Join the group; `start` None leaves it unsaid."""
        starts = {} if start is None else dict.fromkeys(sources, start)
        return log.join(self.group, sources, [self.control], starts)

    def members(self, group: str) -> int:
        """Return how many members a group has."""
        return len(self.admin.describe_consumer_groups([group])[group].result(20).members)

    def close(self) -> None:
        while self._closers:
            self._closers.pop()()


@pytest.fixture
def scene(kafka: str, tmp_path: Path) -> Iterator[Scene]:
    """Give a group of its own on the session's broker."""
    made = Scene(kafka, tmp_path)
    yield made
    made.close()


def only(member: Member) -> Session:
    """Return the one session of a member."""
    (session,) = member.sessions(0.0).values()
    return session
