"""A local copy of a changelog in a SQLite file: entries and how far they go, written together.

It is only ever a copy. Lost, damaged, too old or held by another process, it is made again from the changelog.
"""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from typing import Final

import msgspec

from figbridge.adapters.kafka.changelog import Mark
from figbridge.adapters.sqlite.database import Database, Durability
from figbridge.adapters.sqlite.file import LogFile
from figbridge.adapters.sqlite.state import SqliteState, apply
from figbridge.errors import Unreachable
from figbridge.ports import Entry, State

_STATE: Final = "state"
_ABOUT: Final = "about"
_FRESH_S: Final = 12 * 3600
"""How old a copy may be and still be brought up to date: removals are told for a day (COMPACTED), and then no more."""


class Reached(msgspec.Struct, frozen=True):
    """How far a copy goes: in which topic, to which offset, since when, and the mark it read last."""

    topic_id: str = ""
    next: int = 0
    at: float = 0.0
    mark: Mark | None = None


class Cache:
    """Hold one changelog's entries. Raises Unreachable when not even a temporary file can be written."""

    def __init__(self, path: Path | None) -> None:
        self.reached = Reached()
        self._lock: TextIOWrapper | None = None
        self._folder: TemporaryDirectory[str] | None = None
        kept = self._locked(path) if path is not None else None
        try:
            self._open(kept or self._temporary())
        except Unreachable:
            if kept is None:
                raise
            kept.unlink(missing_ok=True)  # damaged: a copy is not worth repairing
            self._open(kept)
        self.state: State = SqliteState(self._database, _STATE)

    def begin(self, topic_id: str, end: int) -> None:
        """Empty the copy unless it can be brought up to date: it is of this topic, goes not beyond it, and is fresh."""
        reached = self.reached
        if reached.topic_id != topic_id or reached.next > end or not 0 <= time() - reached.at < _FRESH_S:
            self._database.rows("DELETE FROM state")
            self.reached = Reached(topic_id)

    def apply(self, entries: Sequence[Entry], offset: int, mark: Mark | None) -> None:
        """Write entries, and that the copy goes to an offset."""
        reached = Reached(self.reached.topic_id, offset, time(), mark or self.reached.mark)
        with self._database.writing() as write:
            apply(write, self._state_id, entries)
            apply(write, self._about_id, [Entry("", "", "", msgspec.json.encode(reached))])
        self.reached = reached

    def close(self) -> None:
        """Close the file; a temporary one is removed."""
        self._file.close()
        if self._lock is not None:
            self._lock.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _locked(self, path: Path) -> Path | None:
        """Return the path when this process may have the file; None when it cannot be, or another process has it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.with_suffix(".lock").open("a")
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return None
        self._lock = lock
        return path

    def _temporary(self) -> Path:
        try:
            self._folder = TemporaryDirectory(prefix="figbridge-state-")
        except OSError as error:
            raise Unreachable(
                f"no temporary file can be made: {error.strerror}", hint="make room on the disk"
            ) from None
        return Path(self._folder.name) / "state.db"

    def _open(self, path: Path) -> None:
        # Without waiting for the disk: after a power cut the copy is older, or made again.
        self._file = LogFile(path, Durability.NORMAL, 30.0)
        try:
            self._database: Database = self._file.connect()
            with self._database.writing() as write:
                for name in (_STATE, _ABOUT):
                    write.execute("INSERT OR IGNORE INTO consumers (name, generation) VALUES (?, 1)", (name,))
                ids = dict(write.execute("SELECT name, grp_id FROM consumers").fetchall())
            self._state_id, self._about_id = ids[_STATE], ids[_ABOUT]
            about = SqliteState(self._database, _ABOUT).read("", [""])
            self.reached = msgspec.json.decode(about[""][""], type=Reached) if about else self.reached
        except BaseException:
            self._file.close()
            raise
