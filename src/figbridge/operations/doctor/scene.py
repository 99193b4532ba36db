"""What the checks of one source look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from figbridge.domain.connector import Live, LiveTopic, Plugin, Topic, Wanted
from figbridge.domain.preflight import Facts, Patient, Row, Unknown
from figbridge.mapping.compiler import Plan
from figbridge.mapping.rules_types import Tables
from figbridge.operations.connectors.look import Status
from figbridge.ports import Preflight

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too much, and how long an outage must be survived."""

    lag_bytes: int = 1 << 30
    lag_s: float = 300.0
    outage_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """What Connect and the brokers say about one source."""

    wanted: Wanted
    live: Live | None
    status: Status
    offset: Mapping[str, Any] | None
    written: tuple[str, ...]
    """The topics that the connector has written to."""
    plugins: tuple[Plugin, ...]
    topics: Mapping[str, LiveTopic]
    others: Mapping[str, Live] = field(default_factory=dict)
    """Every connector of the cluster, this one too."""

    @property
    def config(self) -> Mapping[str, str]:
        """Return the live configuration. Raises Unknown without a connector."""
        if self.live is None:
            raise Unknown(f"Connect has no connector {self.wanted.capture.connector}")
        return self.live.config


@dataclass(frozen=True)
class Scene:
    """One source with everything around it. What could not be reached raises Unknown when a check looks at it."""

    patient: Patient
    facts: Facts
    plan: Plan
    recorded: Tables | None
    """The tables as mappings/schema/tables.yaml has them, or the file beside it for this kind of database."""
    limits: Limits
    connected: bool
    """Whether a Connect cluster carries this source; else the embedded engine does."""
    reached: Cluster | None = None
    unreached: str = ""
    """Why Connect or the brokers could not be asked."""
    log_partitions: int | None = None
    """Partitions of the log in the embedded file; None when there is none yet, or it is on brokers."""
    scanned: Preflight | None = None
    """The database, when somebody asked for whole tables to be read."""

    @property
    def cluster(self) -> Cluster:
        """Return what Connect and the brokers say. Raises Unknown when they do not."""
        if self.reached is None:
            raise Unknown(self.unreached or "nobody asked Connect")
        return self.reached

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Return the topics that the source must have."""
        return self.cluster.wanted.capture.topics

    @property
    def fields(self) -> dict[str, Any]:
        """Return what fills the placeholders of any fix."""
        return {
            "source": self.patient.name,
            "slot": self.patient.slot,
            "publication": self.patient.publication,
            "log": self.patient.log,
            "start": "figbridge connectors apply" if self.connected else "figbridge run",
        }

    def live_tables(self) -> tuple[str, ...]:
        """Return the captured tables that exist; those that do not are told by one check alone."""
        there = {str(row["table"]) for row in self.facts.rows("tables")}
        return tuple(name for name in self.patient.tables if name in there)

    def column(self, table: str, name: str) -> Row | None:
        """Return a live column; None without it."""
        return next((row for row in self.facts.of("columns", table) if row["column"] == name), None)

    def read_columns(self) -> tuple[tuple[str, str, Row], ...]:
        """Return table, column and facts of each column that mappings read and the database has."""
        return tuple(
            (table, name, row)
            for table in self.live_tables()
            for name in self.patient.columns.get(table, ())
            if (row := self.column(table, name)) is not None
        )


def quoted(name: str, mark: str = '"') -> str:
    """Return a dotted name as SQL takes it.

    >>> quoted("shop.orders"), quoted("Shop.order"), quoted("a.B c", "`")
    ('shop.orders', '"Shop".order', 'a.`B c`')
    """
    return ".".join(
        part if _PLAIN.fullmatch(part) else mark + part.replace(mark, mark * 2) + mark for part in name.split(".")
    )
