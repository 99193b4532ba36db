"""What the tests of connectors share: a capture, and the answers of a real Connect 4.3.1 with Debezium 3.7.0."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from figbridge.domain.connector import Capture, Kind, Topic

ANSWERS = Path(__file__).parents[2] / "fixtures" / "connect"
PASSWORD = "${file:/run/secrets/shop.properties:password}"


def topic(name: str) -> Topic:
    """Return a topic that is kept for a day."""
    return Topic(name, -1, {"cleanup.policy": "delete", "retention.ms": "86400000", "retention.bytes": "-1"})


def capture(**changes: Any) -> Capture:
    """Return a capture of two tables on PostgreSQL, with changes."""
    made = Capture(
        name="legacy",
        kind=Kind.POSTGRES,
        host="db",
        port=5432,
        database="shop",
        user="cdc",
        password=PASSWORD,
        tables=("shop.lines", "shop.orders"),
        columns={"shop.lines": ("id", "qty"), "shop.orders": ("id", "stat")},
        full_identity=("shop.orders",),
        log=topic("figbridge.legacy.log"),
        signals=topic("figbridge.legacy.signals"),
        notifications=topic("figbridge.legacy.notifications"),
        kafka="kafka-1:9092",
    )
    return replace(made, **changes)


def mariadb(**changes: Any) -> Capture:
    """Return a capture of the same tables on MariaDB."""
    history = topic("figbridge.legacy.schemas")
    base: dict[str, Any] = {"kind": Kind.MARIADB, "database": "", "history": history, "server_id": 5401}
    return capture(**{**base, "full_identity": (), **changes})


def answer(name: str) -> dict[str, Any]:
    """Return a recorded answer: method, path, status, body."""
    found: dict[str, Any] = json.loads((ANSWERS / f"{name}.json").read_text(encoding="utf-8"))
    return found
