"""The tables of the file, and how a new file comes to have them."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x66696762
"""`figb`: says that a SQLite file is ours, so that no other program's database is ever written to."""

VERSION: Final = 1

# Records of 1 to 2 kB are the usual ones. A table without rowid moves what is larger than a quarter of a page to
# overflow pages, so 4 kB would be slow for them; and every commit writes whole pages for the scattered entries
# of the state, so 16 kB and more would be slow for those.
PAGE_BYTES: Final = 8192

TABLES: Final = (
    """
    CREATE TABLE partitions (
        tp_id     INTEGER PRIMARY KEY,
        topic     TEXT    NOT NULL,
        partition INTEGER NOT NULL,
        next      INTEGER NOT NULL DEFAULT 0, -- kept, not derived: an offset is never given twice, even after pruning
        UNIQUE (topic, partition)
    ) STRICT
    """,
    """
    CREATE TABLE records (
        tp_id     INTEGER NOT NULL,
        offset    INTEGER NOT NULL,
        key       BLOB,
        value     BLOB,
        headers   BLOB, -- MessagePack of [[name, value], …]; NULL for none
        timestamp INTEGER NOT NULL,
        PRIMARY KEY (tp_id, offset)
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE TABLE consumers (
        grp_id     INTEGER PRIMARY KEY,
        name       TEXT    NOT NULL UNIQUE,
        generation INTEGER NOT NULL -- the newest member's number: an older one is fenced
    ) STRICT
    """,
    """
    CREATE TABLE positions (
        grp_id INTEGER NOT NULL,
        tp_id  INTEGER NOT NULL,
        next   INTEGER NOT NULL,
        PRIMARY KEY (grp_id, tp_id)
    ) WITHOUT ROWID, STRICT
    """,
    """
    CREATE TABLE state (
        grp_id INTEGER NOT NULL, -- the consumer group
        space  TEXT    NOT NULL,
        grp    TEXT    NOT NULL, -- the entry's own group within the space
        member TEXT    NOT NULL,
        value  BLOB    NOT NULL,
        PRIMARY KEY (grp_id, space, grp, member)
    ) WITHOUT ROWID, STRICT
    """,
)
