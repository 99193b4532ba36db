"""What a consumer group remembers, in the same file and the same transaction as its records."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from figbridge.adapters.sqlite.database import Database
from figbridge.ports import Entry

_CHUNKS: Final = (1, 8, 64, 512)
"""How many groups one statement asks for. Few sizes, so that each statement is prepared once."""

_PAGE: Final = 1000

_READ: Final = """
    SELECT grp, member, value FROM state
    WHERE grp_id = (SELECT grp_id FROM consumers WHERE name = ?) AND space = ? AND grp IN (:groups)
"""
_READS: Final = {size: _READ.replace(":groups", ", ".join("?" * size)) for size in _CHUNKS}
_SCAN: Final = """
    SELECT grp, member, value FROM state
    WHERE grp_id = (SELECT grp_id FROM consumers WHERE name = ?) AND space = ?
    ORDER BY grp, member LIMIT ?
"""
_SCAN_ON: Final = """
    SELECT grp, member, value FROM state
    WHERE grp_id = (SELECT grp_id FROM consumers WHERE name = ?) AND space = ? AND (grp, member) > (?, ?)
    ORDER BY grp, member LIMIT ?
"""
_COUNT: Final = """
    SELECT count(*) FROM state WHERE grp_id = (SELECT grp_id FROM consumers WHERE name = ?) AND space = ?
"""
_PUT: Final = "INSERT INTO state VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_REMOVE: Final = "DELETE FROM state WHERE grp_id = ? AND space = ? AND grp = ? AND member = ?"


class SqliteState:
    """A view of what is committed for one consumer group; empty for a group that nobody has joined."""

    def __init__(self, database: Database, group: str) -> None:
        self._database = database
        self._group = group

    def read(self, space: str, groups: Iterable[str]) -> dict[str, dict[str, bytes]]:
        """Return group → member → value for the groups that exist."""
        found: dict[str, dict[str, bytes]] = {}
        wanted = iter(dict.fromkeys(groups))
        while chunk := list(islice(wanted, _CHUNKS[-1])):
            size = next(size for size in _CHUNKS if size >= len(chunk))
            chunk += chunk[-1:] * (size - len(chunk))  # the same one again changes nothing
            for group, member, value in self._database.rows(_READS[size], (self._group, space, *chunk)):
                found.setdefault(group, {})[member] = value
        return found

    def scan(self, space: str) -> Iterator[tuple[str, str, bytes]]:
        """Yield (group, member, value) of a whole space, in order of group and member.

        It reads page by page and holds no lock in between: a commit meanwhile may be seen from some place on.
        """
        page = self._database.rows(_SCAN, (self._group, space, _PAGE))
        while page:
            yield from page
            if len(page) < _PAGE:
                return
            page = self._database.rows(_SCAN_ON, (self._group, space, *page[-1][:2], _PAGE))

    def count(self, space: str) -> int:
        """Return the number of entries of a space."""
        return int(self._database.rows(_COUNT, (self._group, space))[0][0])


def apply(write: sqlite3.Connection, grp_id: int, entries: Sequence[Entry]) -> None:
    """Put and remove entries within the caller's transaction; of two with the same name the later one holds."""
    last = {(grp_id, space, group, member): value for space, group, member, value in entries}
    write.executemany(_PUT, ((*name, value) for name, value in last.items() if value is not None))
    write.executemany(_REMOVE, (name for name, value in last.items() if value is None))
