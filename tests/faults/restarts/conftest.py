"""Servers of the sandbox whose Connect also has the Debezium that loses rows of a COPY."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from figbridge.sandbox import Sandbox, process
from support.servers import KINDS, LocalServers

if TYPE_CHECKING:
    from support.servers import Servers


@pytest.fixture(scope="session")
def lossy(servers: Servers) -> Iterator[LocalServers]:
    """Give the session's servers; as processes of this computer, for containers have neither that Debezium nor a
    process to kill."""
    if isinstance(servers, LocalServers):
        _start(servers)
        yield servers
        return
    local = LocalServers()
    with process.guarded(local.folder):
        try:
            _start(local)
            yield local
        finally:
            local.stop()


def _start(servers: LocalServers) -> None:
    box = Sandbox(servers.folder, KINDS, lossy=True)
    box.server("connect-1").stop()  # if it runs: a worker looks for plugins when it starts
    box.up()
    servers.start(*KINDS)
