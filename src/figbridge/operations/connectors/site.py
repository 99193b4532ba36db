"""Where connectors live: what the files want, and what they run among."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from figbridge.domain.connector import Live, Wanted
from figbridge.errors import Refused, Unreachable
from figbridge.ports import Broker, Connect, LegacyDatabase

T = TypeVar("T")

_EVERY_S: Final = 0.2


@dataclass(frozen=True)
class Site:
    """Everything that the operations on connectors need."""

    wanted: tuple[Wanted, ...]
    connect: Connect
    broker: Broker
    databases: Mapping[str, LegacyDatabase] = field(default_factory=dict)
    """Connector → its database, for those that figbridge itself has an account for."""
    topic_prefix: str = "figbridge"

    def named(self, name: str) -> Wanted:
        """Return the connector of a name. Raises Refused for one that no file has."""
        for wanted in self.wanted:
            if name in (wanted.capture.name, wanted.capture.connector):
                return wanted
        known = ", ".join(w.capture.name for w in self.wanted)
        raise Refused(f"no document has a connector {name}", hint=f"known: {known}", code="CON026")

    def live(self, wanted: Wanted) -> Live:
        """Return a connector as Connect has it. Raises Refused when it is not there."""
        found = self.connect.connectors().get(wanted.capture.connector)
        if found is None:
            text = f"Connect has no connector {wanted.capture.connector}"
            raise Refused(text, hint="figbridge connectors apply", code="CON002")
        return found

    def database(self, wanted: Wanted) -> LegacyDatabase | None:
        """Return the database of a connector; None when figbridge has no account there."""
        return self.databases.get(wanted.capture.name)


def until(look: Callable[[], T | None], timeout_s: float, what: str) -> T:
    """Look until something is found. Raises Unreachable after the time: a request to Connect is only a request."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() >= deadline:
            hint = "figbridge connectors status; the worker's log says more"
            raise Unreachable(f"{what} has not happened within {timeout_s:.0f} s", hint=hint, code="CON012")
        time.sleep(_EVERY_S)
