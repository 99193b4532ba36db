"""Positions in MariaDB's log: sets of GTIDs, domain-server-number, of which a domain's newest stands for all before."""

from __future__ import annotations

import re
from typing import Final

_GTID: Final = re.compile(r"(\d+)-(\d+)-(\d+)")


def gtids(text: str) -> dict[str, int] | None:
    """Return domain → number of a set such as `0-1-28,9-77-2`; None for what is none. An empty text is empty."""
    found: dict[str, int] = {}
    for part in text.split(",") if text else ():
        match = _GTID.fullmatch(part)
        if match is None:
            return None
        found[match[1]] = max(int(match[3]), found.get(match[1], 0))
    return found


def covers(position: str, other: str) -> bool:
    """Say whether everything up to the other position is before this one. False for what is no position."""
    mine, theirs = gtids(position), gtids(other)
    if mine is None or theirs is None:
        return False
    return all(mine.get(domain, -1) >= number for domain, number in theirs.items())
