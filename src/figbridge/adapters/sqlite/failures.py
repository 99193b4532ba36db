"""What SQLite reports, in figbridge's words: no caller sees an error of sqlite3."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from figbridge.errors import FigbridgeError, InvariantError, Unreachable

_ACCESS: Final = "the folder must exist, and this user must be allowed to write to it and to the file"
HOLDER: Final = "find the process that holds it, or allow more patience"

_WORDS: Final = {
    sqlite3.SQLITE_BUSY: ("is locked by another process", HOLDER),
    sqlite3.SQLITE_LOCKED: ("is locked by another process", HOLDER),
    sqlite3.SQLITE_NOTADB: ("is not a SQLite database", "name another file; this one was not changed"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "stop everything that writes to it and restore it from a backup"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _ACCESS),
    sqlite3.SQLITE_READONLY: ("cannot be written", _ACCESS),
    sqlite3.SQLITE_PERM: ("cannot be written", _ACCESS),
    sqlite3.SQLITE_FULL: ("has no room left on its disk", "make room, then start again: no commit was torn"),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "look at the disk and its free space, then start again"),
    sqlite3.SQLITE_PROTOCOL: ("cannot be locked", "put it on a local disk: network file systems lose locks"),
}


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether waiting may help: another connection holds the lock."""
    return _primary(error) == sqlite3.SQLITE_BUSY


def translated(error: sqlite3.Error, path: Path) -> FigbridgeError:
    """Return Unreachable for what the world did, InvariantError for what only a defect of figbridge can do."""
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return Unreachable(f"the log {path} is closed here", hint="open it again", path=str(path))
    what = _WORDS.get(_primary(error))
    if what is None:
        return InvariantError(f"the log {path} refused a statement: {error}", path=str(path))
    return Unreachable(f"the log {path} {what[0]}", hint=what[1], path=str(path), sqlite=str(error))


def _primary(error: sqlite3.Error) -> int:
    # The extended codes say in which of many places it happened; the low byte says what.
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
