"""Wait for what must come, and ask Kafka Connect until it has time."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import Any

import requests

PATIENCE_S = 400.0


def until(look: Callable[[], Any], what: str, pause_s: float = 0.02) -> Any:
    """Wait until a look gives something true, and return it."""
    deadline, pause = monotonic() + PATIENCE_S, Event()
    while not (found := look()):
        assert monotonic() < deadline, f"not in time: {what}"
        pause.wait(pause_s)
    return found


def ask(method: str, url: str) -> None:
    """Ask Connect for something; in a rebalance it refuses everything (409)."""
    until(lambda: requests.request(method, url, timeout=60).status_code < 300, url, 0.1)
