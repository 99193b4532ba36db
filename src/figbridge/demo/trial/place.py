"""Where the worked example lives on a sandbox: one place for each kind of database the shop runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from figbridge.demo.delivery import DeliveryService
from figbridge.demo.monolith import Monolith
from figbridge.errors import Refused
from figbridge.sandbox import Sandbox
from figbridge.sandbox.mariadb import MariaDb
from figbridge.sandbox.ports import HOST
from figbridge.sandbox.postgres import Postgres

KINDS: Final = ("postgres", "mariadb")
NEEDS: Final = ("kafka", "connect", "postgres")
"""What every place needs; a shop elsewhere than on PostgreSQL needs that, too."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One shop with its successor, and the bridge between them: names of databases, topics and files."""

    box: Sandbox
    kind: str

    @property
    def prefix(self) -> str:
        """Return the first part of its topics."""
        return f"shop_{self.kind}"

    @property
    def settings(self) -> Path:
        """Return the settings file for every command of figbridge."""
        return self.box.folder / f"{self.kind}.yaml"

    @property
    def documents(self) -> Path:
        """Return the folder of its connector documents."""
        return self.box.folder / f"connect-{self.kind}"

    def database(self, of: str) -> str:
        """Return the name of the database of `legacy`, `delivery` or `authority`."""
        return "shop" if of == "legacy" and self.kind == "mariadb" else f"{self.kind}_{of}"

    def shop(self, dice: Random) -> Monolith:
        """Return the monolith at its database."""
        if self.kind == "mariadb":
            maria = self.box.mariadb
            return Monolith(f"mariadb://{maria.user}:{maria.password}@{HOST}:{maria.port}", dice, now)
        return Monolith(self.box.postgres.url(self.database("legacy")), dice, now)

    def server(self, of: str) -> Postgres | MariaDb:
        """Return the server that has a database; only the shop is ever on another than PostgreSQL."""
        return self.box.mariadb if of == "legacy" and self.kind == "mariadb" else self.box.postgres

    def delivery(self, dice: Random) -> DeliveryService:
        """Return the delivery service at its database."""
        return DeliveryService(self.box.postgres.url(self.database("delivery")), dice, now)


def places(box: Sandbox) -> list[Trial]:
    """Return the places that a sandbox's servers allow; none without Kafka, Connect and PostgreSQL."""
    has = set(box.plan.kinds)
    return [Trial(box, kind) for kind in KINDS if has >= {*NEEDS, kind}]


def place(box: Sandbox, kind: str) -> Trial:
    """Return one place. Raises Refused when it was not made, or its servers do not run."""
    found = {trial.kind: trial for trial in places(box)}.get(kind)
    if found is None or not found.settings.exists():
        raise Refused(f"There is no shop on {kind} in {box.folder}.", hint="figbridge sandbox up")
    down = [name for name in box.plan.names() if box.server(name).pid is None]
    if down:
        raise Refused(f"{', '.join(down)} of {box.folder} does not run.", hint="figbridge sandbox up")
    return found


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


Tell = Callable[[str], None]
