"""The two ledgers: every record read is counted once, every claim made is counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from figbridge.domain.verdict import Verdict
from figbridge.pipeline.collect import Counted, Transaction
from figbridge.ports import Entry, State

SPACE = "account"


@dataclass(slots=True)
class Account:
    """Both ledgers of one consumer group, since its beginning. `read` and `made` are counted apart from the rest."""

    records: Counter[str] = field(default_factory=Counter)
    claims: Counter[str] = field(default_factory=Counter)

    def read(self, counted: Counted, n: int = 1) -> None:
        """Count records as what they were."""
        self.records[counted] += n

    def take(self, transaction: Transaction | None, rows: list[Counted]) -> None:
        """Count a transaction: its rows as what they were, and what it held besides."""
        for counted in set(rows) if len(rows) > 1 else rows:
            self.records[counted] += rows.count(counted)
        if transaction is not None:
            self.loose(transaction.markers, transaction.unmapped)
            self.records[Counted.UNCHANGED] += transaction.repeated
            self.records[Counted.DEAD] += len(transaction.dead)

    def loose(self, markers: int, unmapped: int) -> None:
        """Count records that are no row of a mapped table."""
        self.records[Counted.MARKER] += markers
        self.records[Counted.UNMAPPED] += unmapped

    @property
    def balanced(self) -> bool:
        """Say whether both ledgers add up."""
        return self.unbalanced() == ""

    def unbalanced(self) -> str:
        """Return which ledger does not add up, and by how much; empty when both do."""
        read = self.records["read"] - sum(self.records[c] for c in Counted)
        made = self.claims["made"] - sum(self.claims[v] for v in Verdict)
        parts = [f"{read:+} records"] * (read != 0) + [f"{made:+} claims"] * (made != 0)
        return ", ".join(parts)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Return both ledgers with every line, also those that are zero."""
        return {
            "records": {"read": self.records["read"], **{c.value: self.records[c] for c in Counted}},
            "claims": {"made": self.claims["made"], **{v.value: self.claims[v] for v in Verdict}},
        }

    def add(self, other: Account) -> Account:
        """Return the sum of two accounts."""
        return Account(self.records + other.records, self.claims + other.claims)

    def entries(self) -> Iterator[Entry]:
        """Yield the account as state, to be committed with what it counts."""
        for ledger, counts in (("records", self.records), ("claims", self.claims)):
            for line, n in counts.items():
                yield Entry(SPACE, ledger, str(line), str(n).encode())

    @classmethod
    def of(cls, state: State) -> Account:
        """Read the account of a consumer group."""
        found = state.read(SPACE, ["records", "claims"])
        return cls(*(Counter({k: int(v) for k, v in found.get(g, {}).items()}) for g in ("records", "claims")))
