"""What to do about the reasons for which connectors fail."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 320

_HINTS: Final = (
    (
        r"no longer available on the server|purged|Could not find first log file",
        "the database has dropped what comes next: stop, offsets reset --drop-slot, resume; then compare the tables",
    ),
    (r"is active for PID|already active", "another process reads the slot: stop that one"),
    (r"filtered publication|No table filters", "no captured table was found: figbridge connectors validate"),
    (r"must be owner of|(?i:replica identity)", "the account must own the tables that need REPLICA IDENTITY FULL"),
    (r"permission denied|Access denied|must be superuser", "see the grants in docs/connectors.md#grants"),
    (r"password authentication|no pg_hba|Connection refused|Communications link", "check the address and the account"),
    (r"wal_level", "set wal_level=logical and restart PostgreSQL"),
    (r"couldn't be parsed", "Debezium does not know the statement: see docs/connectors.md#limits"),
    (
        r"RecordTooLarge|max\.request\.size",
        "raise producer.override.max.request.size and the log's max.message.bytes",
    ),
    (r"[Ff]enced", "another task of the same name has taken over: figbridge connectors restart"),
)


def hint(cause: str, name: str) -> str:
    """Return what to do about a cause."""
    for pattern, advice in _HINTS:
        if re.search(pattern, cause):
            return advice
    return f"mend it, then figbridge connectors restart {name}; the whole trace: figbridge connectors status -o json"


def short(cause: str) -> str:
    """Return a cause of a length that a person reads: its beginning and its end say most."""
    half = _LONGEST // 2
    return cause if len(cause) <= _LONGEST else f"{cause[:half]} … {cause[-half:]}"
