"""PostgreSQL, ready for logical decoding, from the binaries in a Python wheel."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from figbridge.adapters.engine.cluster import USER, Cluster
from figbridge.sandbox import ports
from figbridge.sandbox.ports import HOST
from figbridge.sandbox.server import Server

_ASK_FOR_TLS = struct.pack(">ii", 8, 80_877_103)


class Postgres(Server):
    """Own one PostgreSQL server. Its superuser has a password of its own, which `password` tells."""

    def __init__(self, folder: Path, *, port: int = 0, durable: bool = False) -> None:
        super().__init__("postgres", folder, port)
        self._cluster = Cluster(folder, durable=durable)
        self.user = USER

    @property
    def password(self) -> str:
        """Return the superuser's password."""
        return self._cluster.password

    @property
    def address(self) -> str:
        """Return where it is, without the password."""
        return f"postgresql://{self.user}@{HOST}:{self.port}/postgres"

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database, with the password; psycopg and libpq accept it."""
        return f"postgresql://{self.user}:{self.password}@{HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster once."""
        self._cluster.prepare()

    def command(self) -> Sequence[str]:
        """Return the call of the server."""
        return self._cluster.command(self.port)

    def account(self) -> Mapping[str, Any]:
        """Return the account: PostgreSQL refuses to run as root."""
        return self._cluster.account.run()

    def answers(self) -> bool:
        """Ask whether it speaks TLS: it answers with one letter to anybody."""
        return ports.ask(self.port, _ASK_FOR_TLS, 1) in (b"S", b"N")

    def ready(self) -> bool:
        """Say whether it has recovered and takes connections."""
        return self._cluster.ready(self.port) and self.answers()
