"""What a look at a source's database gave: answers to named questions, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from figbridge.domain.connector import Kind

Row = Mapping[str, Any]


class Unknown(Exception):
    """Something cannot be known from here; says why. What is unknown is never fine."""


@dataclass(frozen=True, slots=True)
class Patient:
    """One source as doctor examines it: what is captured, and what carries it into its log."""

    name: str
    kind: Kind
    tables: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    """Table → the columns that mappings read."""
    full_identity: tuple[str, ...]
    slot: str
    publication: str
    log: str
    """The topic of the source log."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Answers by the question's name; a question that failed is in `refused` with the database's words."""

    answers: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    why: str = "nobody asked the database"
    """Why the other questions have no answer."""

    def rows(self, question: str) -> tuple[Row, ...]:
        """Return the answer to a question. Raises Unknown with the reason when there is none."""
        if question in self.answers:
            return self.answers[question]
        raise Unknown(self.refused.get(question, self.why))

    def named(self, question: str, name: str) -> str:
        """Return the `value` of the row with this `name`. Raises Unknown when there is none."""
        found = self.optional(question, name)
        if found is None:
            raise Unknown(f"the database has no {name}")
        return found

    def optional(self, question: str, name: str) -> str | None:
        """Return the `value` of the row with this `name`; None for what this version of the database does not have."""
        for row in self.rows(question):
            if str(row["name"]).lower() == name:
                return None if row["value"] is None else str(row["value"])
        return None

    def of(self, question: str, table: str) -> tuple[Row, ...]:
        """Return the rows that speak about a table."""
        return tuple(row for row in self.rows(question) if row["table"] == table)
