"""Positions in PostgreSQL's log: numbers to Debezium, two hexadecimal halves to people."""

from __future__ import annotations

import re
from typing import Final

_LSN: Final = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")


def lsn_text(lsn: int) -> str:
    """Write a position as PostgreSQL does: 5012A30 → 0/5012A30."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text: str) -> int | None:
    """Read a position as PostgreSQL writes it; None for anything else."""
    found = _LSN.fullmatch(text)
    return (int(found[1], 16) << 32) + int(found[2], 16) if found else None
