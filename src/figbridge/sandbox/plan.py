"""What a sandbox consists of: which servers, how many, on which ports. Kept in its folder between commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from figbridge.errors import Refused
from figbridge.sandbox import ports

KINDS = ("kafka", "connect", "postgres", "mariadb")
FILE = "sandbox.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """Say what a sandbox consists of. `ports` has one for each server by its name, and `controller-N` for brokers.

    The databases skip what keeps data through a crash of the computer (one of the server they survive), unless
    `durable`. `lossy` adds the older Debezium of connect/pom.xml.
    """

    kinds: tuple[str, ...] = KINDS
    brokers: int = 1
    workers: int = 1
    durable: bool = False
    lossy: bool = False
    ports: Mapping[str, int] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """Return the names of its servers, in the order in which they start."""
        made = {
            "kafka": [f"kafka-{n}" for n in range(1, self.brokers + 1)],
            "postgres": ["postgres"],
            "mariadb": ["mariadb"],
            "connect": [f"connect-{n}" for n in range(1, self.workers + 1)],
        }
        return tuple(name for kind, names in made.items() if kind in self.kinds for name in names)

    def parts(self) -> tuple[str, ...]:
        """Return what must be fetched for it."""
        needs = {"kafka": ("kafka",), "connect": ("connectors",), "mariadb": ("mariadb",)}
        named = [part for kind in KINDS if kind in self.kinds for part in needs.get(kind, ())]
        return (*named, *(("lossy",) if self.lossy else ()))

    def with_ports(self, chosen: Mapping[str, int]) -> Plan:
        """Return the plan with a port for every server: the chosen one, the one it had, or a free one.

        Raises Refused when a port is chosen for a server that the plan does not have.
        """
        wanted = [*self.names(), *(f"controller-{n}" for n in range(1, self.brokers + 1) if "kafka" in self.kinds)]
        if unknown := sorted(set(chosen) - set(wanted)):
            raise Refused(
                f"There is no server {unknown[0]} in this sandbox.", hint=f"its servers are {', '.join(wanted)}"
            )
        known = {**self.ports, **chosen}
        taken = set(known.values())
        for name in wanted:
            if name not in known:
                port = ports.free_port()
                while port in taken:
                    port = ports.free_port()
                known[name] = port
                taken.add(port)
        return replace(self, ports=known)

    def grown(self, kinds: Iterable[str], brokers: int | None, workers: int | None, *, lossy: bool) -> Plan:
        """Return the plan with more servers. Raises Refused for another number of brokers: they hold the data."""
        if brokers is not None and brokers != self.brokers and "kafka" in self.kinds:
            raise Refused(
                f"This sandbox has {self.brokers} broker{'s' if self.brokers > 1 else ''}, and its data are on them.",
                hint="figbridge sandbox reset, then up with another number",
            )
        wanted = set(self.kinds) | complete(kinds)
        return replace(
            self,
            kinds=tuple(kind for kind in KINDS if kind in wanted),
            brokers=brokers or self.brokers,
            workers=max(workers or 1, self.workers),
            lossy=lossy or self.lossy,
        )


def complete(kinds: Iterable[str]) -> set[str]:
    """Return kinds of servers with those that they need: Connect keeps everything in Kafka."""
    wanted = set(kinds)
    return wanted | {"kafka"} if "connect" in wanted else wanted


def load(folder: Path) -> Plan | None:
    """Read the plan of a sandbox's folder; None when there is no sandbox. Raises Refused when it cannot be read."""
    file = folder / FILE
    if not file.exists():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return Plan(**{**found, "kinds": tuple(found["kinds"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Refused(f"{file} is not a sandbox's plan.", hint="choose another folder with --data") from error


def save(folder: Path, plan: Plan) -> None:
    """Write the plan of a sandbox whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{FILE}.part"
    part.write_text(json.dumps(asdict(plan), indent=2) + "\n", encoding="utf-8")
    part.replace(folder / FILE)
