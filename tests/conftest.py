"""Fixtures of all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import settings

if TYPE_CHECKING:
    from support.rig import Rig
    from support.servers import Servers

settings.register_profile("unhurried", deadline=None)  # a busy machine is no finding
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _as_at_the_start() -> None:
    """Take back what a process is given once for its log: each test meets it as a new process does, in any order."""
    structlog.reset_defaults()


@pytest.fixture
def rig() -> Iterator[Callable[..., Rig]]:
    """Make bridges in memory; at the end of the test both ledgers of each must balance."""
    from support.rig import Rig

    made: list[Rig] = []

    def make(*mappings: str, **options: Any) -> Rig:
        made.append(Rig(*mappings, **options))
        return made[-1]

    yield make
    for each in made:
        each.check()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Give the session's real servers; each is started when a test first asks for it. Mark such tests `sandbox`."""
    from support.servers import servers

    with servers() as made:
        yield made


@pytest.fixture(scope="session")
def kafka(servers: Servers) -> str:
    """Give the address of a real Kafka, which takes transactions and makes no topic by itself."""
    servers.start("kafka")
    return servers.bootstrap


@pytest.fixture(scope="session")
def stack(servers: Servers) -> Servers:
    """Give a real Kafka, Kafka Connect with Debezium, PostgreSQL and MariaDB."""
    from support.servers import KINDS

    servers.start(*KINDS)
    return servers
