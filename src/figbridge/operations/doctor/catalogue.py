"""Every check, in the order in which they are told: the database, how far behind it is, the connector, the log, the
tables."""

from __future__ import annotations

from typing import Final

from figbridge.operations.doctor import (
    connector,
    lag,
    mariadb,
    mariadb_rows,
    postgres,
    postgres_rows,
    scans,
    settings,
    tables,
    topics,
)
from figbridge.operations.doctor.check import Check

CATALOGUE: Final[tuple[Check, ...]] = (
    *postgres.CHECKS,
    *postgres_rows.CHECKS,
    *lag.CHECKS,
    *mariadb.CHECKS,
    *mariadb_rows.CHECKS,
    *connector.CHECKS,
    *settings.CHECKS,
    *topics.CHECKS,
    *tables.CHECKS,
    *scans.CHECKS,
)
