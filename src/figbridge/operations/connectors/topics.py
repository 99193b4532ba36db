"""The topics of connectors: what they are for, what they are, and whether the connector has written to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from figbridge.operations.connectors.site import Site


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic of one connector. `partitions` is 0 for one that does not exist; `kept` says for how long, in words."""

    connector: str
    topic: str
    purpose: str
    partitions: int
    replicas: int
    kept: str
    end: int
    written: bool
    wanted: bool = True


def topics(site: Site) -> tuple[TopicState, ...]:
    """Return the topics that each connector should have, and those that it has written to besides."""
    live = site.connect.connectors()
    names = [t.name for w in site.wanted for t in w.capture.topics]
    written = {
        w.capture.name: site.connect.topics(w.capture.connector) if w.capture.connector in live else ()
        for w in site.wanted
    }
    there = site.broker.look([*names, *(t for topics in written.values() for t in topics)])
    found = []
    for wanted in site.wanted:
        own = written[wanted.capture.name]
        purposes = {
            wanted.capture.log.name: "the source log",
            wanted.capture.signals.name: "signals to Debezium",
            wanted.capture.notifications.name: "what Debezium says of snapshots",
            **({wanted.capture.history.name: "schemas"} if wanted.capture.history else {}),
        }
        for name in dict.fromkeys([*purposes, *own]):
            topic = there.get(name)
            found.append(
                TopicState(
                    connector=wanted.capture.name,
                    topic=name,
                    purpose=purposes.get(name, "nothing that the files know"),
                    partitions=topic.partitions if topic else 0,
                    replicas=topic.replicas if topic else 0,
                    kept=_kept(topic.settings) if topic else "not there",
                    end=site.broker.end(name) if topic else 0,
                    written=name in own,
                    wanted=name in purposes,
                )
            )
    return tuple(found)


def _kept(settings: Mapping[str, str]) -> str:
    if settings.get("cleanup.policy", "delete") != "delete":
        return f"COMPACTED ({settings['cleanup.policy']})"
    hours = int(settings.get("retention.ms", "-1")) / 3_600_000
    return "for ever" if hours < 0 else f"{hours / 24:g} days" if hours >= 24 else f"{hours:g} hours"
