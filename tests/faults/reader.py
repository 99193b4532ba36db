"""A consumer in a process of its own: what it sees together in one transaction of the file, each time it changes.

It writes one line of JSON for each look: where the domain topics end, where the bridge stands in its source logs, and
both ledgers. It ends when its standard input does.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

LOOK_S = 0.002


def main(file: Path, out: TextIO) -> None:
    """Look until standard input ends."""
    ended = threading.Event()
    threading.Thread(target=wait_for_the_end, args=[ended], daemon=True).start()
    connection = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30)
    seen: int | None = None
    while not ended.wait(LOOK_S):
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != seen:
            seen = version
            out.write(json.dumps(look(connection)) + "\n")
    connection.close()
    out.flush()


def wait_for_the_end(ended: threading.Event) -> None:
    """Set the event when standard input ends."""
    sys.stdin.read()
    ended.set()


def look(connection: sqlite3.Connection) -> dict[str, Any]:
    """Read everything in one transaction."""
    connection.execute("BEGIN")
    ends = connection.execute(
        "SELECT topic || '/' || partition, coalesce((SELECT max(offset) + 1 FROM records r WHERE r.tp_id = p.tp_id), 0)"
        " FROM partitions p WHERE topic LIKE 'figbridge.domain.%'"
    ).fetchall()
    positions = connection.execute(
        "SELECT topic, positions.next FROM positions JOIN partitions USING (tp_id)"
    ).fetchall()
    account = connection.execute(
        "SELECT grp || ' ' || member, CAST(value AS TEXT) FROM state WHERE space = 'account'"
    ).fetchall()
    connection.execute("COMMIT")
    return {"ends": dict(ends), "positions": dict(positions), "account": {name: int(n) for name, n in account}}


if __name__ == "__main__":
    with Path(sys.argv[2]).open("a") as stream:
        main(Path(sys.argv[1]), stream)
