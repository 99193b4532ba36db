"""Count what transactions with restarts inside them came to, and judge it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """What the transactions so far came to."""

    restarts: Counter[str] = field(default_factory=Counter)
    transactions: int = 0
    rows: int = 0
    delivered: int = 0
    lost: int = 0
    recovered: int = 0
    named: int = 0
    methods: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        """Say it in words."""
        methods = " and ".join(sorted(self.methods))
        kinds = ", ".join(f"{n} x {kind}" for kind, n in sorted(self.restarts.items()))
        return (
            f"{kinds}; {self.transactions} transactions of {self.rows} rows, Debezium delivered {self.delivered}, lost"
            f" {self.lost}; found by {methods or 'nobody'}: {self.recovered} recovered,"
            f" {self.named} only named, none invented; table = topics"
        )
