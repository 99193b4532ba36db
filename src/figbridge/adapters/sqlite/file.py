"""What the log and its sessions share about one file."""

from __future__ import annotations

from pathlib import Path
from threading import Condition, Lock
from time import monotonic
from typing import Final

from figbridge.adapters.sqlite.database import Database, Durability
from figbridge.adapters.sqlite.records import Catalogue

_STEP_S: Final = 0.005
"""How long another process's append may go unnoticed. Waiting costs 1 to 3 % of a core."""


class LogFile:
    """Open connections to one file, know its topics, and pass the word when something was written."""

    def __init__(self, path: Path, durability: Durability, patience_s: float) -> None:
        self.path = path
        self.catalogue = Catalogue()
        self._durability = durability
        self._patience_s = patience_s
        self._writers = Lock()
        self._written = Condition()
        self._open: list[Database] = []

    def connect(self) -> Database:
        """Open one more connection. Raises Unreachable."""
        database = Database(self.path, self._durability, self._patience_s, self._writers)
        self._open.append(database)
        return database

    def disconnect(self, database: Database) -> None:
        """Close one connection; do nothing when it is closed."""
        database.close()
        if database in self._open:
            self._open.remove(database)

    def close(self) -> None:
        """Close every connection."""
        for database in tuple(self._open):
            self.disconnect(database)

    def announce(self) -> None:
        """Wake the sessions of this process that wait for records."""
        with self._written:
            self._written.notify_all()

    def wait(self, database: Database, seen: int, deadline: float) -> None:
        """Return when the file has changed since version `seen`, or at the deadline of the monotonic clock."""
        while database.version() == seen and (remaining := deadline - monotonic()) > 0:
            with self._written:
                self._written.wait(min(_STEP_S, remaining))
