"""A PostgreSQL server of its own that ends with its owner: for demonstrations, trials and tests."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

from figbridge.adapters.engine.cluster import HOST, USER, Cluster
from figbridge.errors import Unreachable


class PostgresServer:
    """Own one PostgreSQL server on a loopback port. It ends with `stop`, or with the process that started it.

    `port` 0 takes a free port, another one at each start. For the others see Cluster.
    """

    def __init__(self, folder: Path, *, port: int = 0, durable: bool = True, version: int = 18) -> None:
        self.folder = folder
        self.port = port
        self.password = ""
        self._any_port = port == 0
        self._cluster = Cluster(folder, durable=durable, version=version)
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database of this server, with user and password; psycopg and libpq accept it."""
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    @property
    def running(self) -> bool:
        """Say whether the server that this object started is still there."""
        return self._keeper is not None and self._keeper.poll() is None

    def start(self, timeout_s: float = 60.0) -> None:
        """Create the cluster if there is none, start the server and wait until it answers.

        A server that was left in this folder by an owner that is gone is stopped first. Raises Unreachable.
        """
        if self.running:
            return
        cluster = self._cluster
        cluster.prepare()
        self.password = cluster.password
        if self._any_port:
            self.port = _free_port()
        elif _answers(self.port):
            raise Unreachable(f"Port {self.port} is in use.", hint="choose another port, or 0 for a free one")
        keeper = [sys.executable, "-I", str(Path(__file__).with_name("keeper.py"))]
        identity = [str(cluster.account.uid), str(cluster.account.gid)]
        with cluster.log.open("ab") as log:
            self._keeper = subprocess.Popen(  # noqa: S603
                [*keeper, *identity, *cluster.command(self.port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal goes to the owner, which stops things in order
            )
        self._wait_ready(time.monotonic() + timeout_s)

    def stop(self) -> None:
        """Stop the server and wait until it has ended; do nothing when it is not running."""
        if self._keeper is None:
            return
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait()
        self._keeper = None

    def _wait_ready(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            if not self.running:
                raise Unreachable(f"PostgreSQL ended: {self._cluster.last_line()}", hint=f"see {self._cluster.log}")
            if self._cluster.ready(self.port):
                return
            time.sleep(0.02)
        self.stop()
        raise Unreachable("PostgreSQL did not answer in time.", hint=f"see {self._cluster.log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
