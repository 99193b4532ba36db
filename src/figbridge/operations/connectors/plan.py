"""What `apply` would do: the difference between what the files want and what is live, with a digest over both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from figbridge.domain.connector import Live, LiveTopic, Topic, Wanted
from figbridge.domain.secret import is_reference, is_secret
from figbridge.operations.connectors.site import Site

_DEFAULT_REPLICAS = -1
RESTING = ("PAUSED", "STOPPED")
"""States that somebody asked for."""


class Act(Enum):
    """Say what becomes of a connector or a topic."""

    CREATE = "create"
    CHANGE = "change"
    KEEP = "keep"
    FOREIGN = "foreign"
    """It has a name of ours and no file wants it; `apply` leaves it."""
    CONFLICT = "conflict"
    """A topic that cannot be made what it must be."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting as it is and as it will be; None where it is not there."""

    setting: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one connector or topic. `state` is what a connector does now, empty for one that is not there."""

    name: str
    act: Act
    settings: tuple[SettingChange, ...] = ()
    state: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change, and the digest that `apply --plan` holds against the live state."""

    connectors: tuple[Change, ...]
    topics: tuple[Change, ...]
    digest: str

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return what `apply` would do."""
        return tuple(c for c in (*self.topics, *self.connectors) if c.act in (Act.CREATE, Act.CHANGE))

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """Return what `apply` refuses."""
        return tuple(c for c in self.topics if c.act is Act.CONFLICT)


def plan(site: Site) -> Plan:
    """Compare the files with Connect and Kafka; nothing is changed."""
    live = site.connect.connectors()
    topics = [topic for wanted in site.wanted for topic in wanted.capture.topics]
    there = site.broker.look(topic.name for topic in topics)
    return compare(site.wanted, live, topics, there, site.topic_prefix)


def compare(
    wanted: tuple[Wanted, ...],
    live: Mapping[str, Live],
    topics: list[Topic],
    there: Mapping[str, LiveTopic],
    topic_prefix: str,
) -> Plan:
    """Return the plan: a pure function of what is wanted and what is there."""
    ours = {w.capture.connector for w in wanted}
    connectors = [connector_change(w, live.get(w.capture.connector)) for w in wanted]
    connectors += [
        Change(name, Act.FOREIGN, state=found.state, note="no file wants it; apply leaves it")
        for name, found in sorted(live.items())
        if name.startswith(f"{topic_prefix}-") and name not in ours
    ]
    return Plan(
        tuple(connectors),
        tuple(topic_change(topic, there.get(topic.name)) for topic in topics),
        digest(wanted, live, topics, there),
    )


def connector_change(wanted: Wanted, live: Live | None) -> Change:
    """Return what becomes of one connector."""
    name = wanted.capture.connector
    if live is None:
        return Change(name, Act.CREATE, differences({}, wanted.config))
    settings = differences(live.config, wanted.config)
    if settings:
        return Change(name, Act.CHANGE, settings, live.state, "the task starts again: see docs/connectors.md#restarts")
    note = f"it is {live.state}, and stays so" if live.state in RESTING else ""
    return Change(name, Act.KEEP, (), live.state, note)


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[SettingChange, ...]:
    """Return the settings that differ, sorted. A secret that is no reference is never shown."""
    return tuple(
        SettingChange(name, _shown(name, old.get(name)), _shown(name, new.get(name)))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def _shown(name: str, value: str | None) -> str | None:
    """Hide a secret; the adapter has done so already for what is live."""
    return "(hidden)" if value and is_secret(name) and not is_reference(value) else value


def topic_change(topic: Topic, live: LiveTopic | None) -> Change:
    """Return what becomes of one topic. Partitions cannot become fewer, and a second one would break the order."""
    if live is None:
        copies = "the broker's default" if topic.replicas == _DEFAULT_REPLICAS else str(topic.replicas)
        made = {"partitions": str(topic.partitions), "replicas": copies, **topic.settings}
        return Change(topic.name, Act.CREATE, differences({}, made))
    if live.partitions != topic.partitions:
        wrong = SettingChange("partitions", str(live.partitions), str(topic.partitions))
        note = "the order of transactions needs one partition: move the topic away and begin with a new log"
        return Change(topic.name, Act.CONFLICT, (wrong,), note=note)
    if topic.replicas != _DEFAULT_REPLICAS and live.replicas < topic.replicas:
        few = SettingChange("replicas", str(live.replicas), str(topic.replicas))
        return Change(topic.name, Act.CONFLICT, (few,), note="add copies with kafka-reassign-partitions")
    settings = {name: value for name, value in live.settings.items() if name in topic.settings}
    changed = differences(settings, topic.settings)
    return Change(topic.name, Act.CHANGE if changed else Act.KEEP, changed)


def digest(
    wanted: tuple[Wanted, ...], live: Mapping[str, Live], topics: list[Topic], there: Mapping[str, LiveTopic]
) -> str:
    """Return a digest over what is wanted and what is live. It does not move with what passes by itself: a task that
    fails or starts again, a worker that takes over."""
    seen = {
        "wanted": {w.capture.connector: dict(w.config) for w in wanted},
        "live": {
            w.capture.connector: (dict(found.config), found.state if found.state in RESTING else "")
            for w in wanted
            if (found := live.get(w.capture.connector)) is not None
        },
        "topics": {t.name: (t.partitions, t.replicas, dict(t.settings)) for t in topics},
        "there": {n: (t.partitions, t.replicas, dict(t.settings)) for n, t in there.items()},
    }
    text = json.dumps(seen, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
