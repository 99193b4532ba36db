"""What the source log and the topics beside it must be, and that one log holds what a mapping joins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from figbridge.domain.connector import Live, LiveTopic, Topic
from figbridge.domain.preflight import Unknown
from figbridge.operations.doctor.check import BOTH, Check, Found
from figbridge.operations.doctor.scene import Scene

_ESCAPED: Final = re.compile(r"\\(.)")
_ALTER: Final = "kafka-configs.sh --bootstrap-server {servers} --alter --entity-type topics --entity-name {about}"


def _pairs(scene: Scene) -> Iterator[tuple[Topic, LiveTopic | None]]:
    for topic in scene.topics:
        yield topic, scene.cluster.topics.get(topic.name)


def _there(scene: Scene) -> Iterator[Found]:
    if not scene.connected:
        found = scene.log_partitions is not None
        yield Found(scene.patient.log, found, "it is there" if found else "there is no log yet")
        return
    for topic, live in _pairs(scene):
        yield Found(topic.name, live is not None, "it is there" if live else "there is no such topic")


def _one_partition(scene: Scene) -> Iterator[Found]:
    if not scene.connected:
        if scene.log_partitions is None:
            raise Unknown("there is no log yet")
        yield Found(scene.patient.log, scene.log_partitions == 1, f"{scene.log_partitions} partitions")
        return
    for topic, live in _pairs(scene):
        if live is not None:
            many = f"{live.partitions} partition{'' if live.partitions == 1 else 's'}"
            yield Found(topic.name, live.partitions == topic.partitions, many)


def _never_compacted(scene: Scene) -> Iterator[Found]:
    for topic, live in _pairs(scene):
        if live is not None:
            policy = _known(live, "cleanup.policy")
            yield Found(topic.name, policy == "delete", policy, _servers(scene))


def _kept(scene: Scene) -> Iterator[Found]:
    outage = scene.limits.outage_s * 1000
    for topic, live in _pairs(scene):
        if live is None:
            continue
        kept, wanted = int(_known(live, "retention.ms")), int(topic.settings.get("retention.ms", "-1"))
        least = float("inf") if wanted == -1 else max(float(wanted), outage)
        fine = kept == -1 or kept >= least
        need = "-1" if wanted == -1 else str(int(max(wanted, outage)))
        yield Found(topic.name, fine, _span(kept), {**_servers(scene), "retention": need})


def _not_by_size(scene: Scene) -> Iterator[Found]:
    for topic, live in _pairs(scene):
        if live is not None:
            size = _known(live, "retention.bytes")
            yield Found(
                topic.name, size == "-1", "no limit" if size == "-1" else f"{int(size):,} bytes", _servers(scene)
            )


def _one_log(scene: Scene) -> Iterator[Found]:
    """Look at what live connectors capture, not at the files: those were checked when they were read."""
    logs = {
        name: found
        for name, live in scene.cluster.others.items()
        if live.config.get("topic.prefix") and _same_source(scene, live) and (found := _captured(live))
    }
    if scene.cluster.live is None:
        raise Unknown(f"Connect has no connector {scene.cluster.wanted.capture.connector}")
    for name, compiled in scene.plan.mappings.items():
        mapping = compiled.mapping
        joined = {n.table for n in mapping.nodes} | {lookup.table for lookup in mapping.lookups}
        if not joined & set(scene.patient.tables):
            continue  # of another stream of this source, which is examined by itself
        holders = {log: len(joined & tables) for log, tables in logs.items() if joined & tables}
        fine = len(holders) == 1 and next(iter(holders.values())) == len(joined)
        told = ", ".join(f"{log} has {n} of {len(joined)} tables" for log, n in sorted(holders.items()))
        yield Found(name, fine, told or "no connector has its tables")


def _same_source(scene: Scene, live: Live) -> bool:
    """Say whether a connector reads the same server: another source may have tables of the same names."""
    mine = scene.cluster.wanted.config
    names = ("connector.class", "database.hostname", "database.port", "database.dbname")
    return all(live.config.get(name) == mine.get(name) for name in names)


def _captured(live: Live) -> set[str]:
    return {_ESCAPED.sub(r"\1", name) for name in live.config.get("table.include.list", "").split(",") if name}


def _known(live: LiveTopic, setting: str) -> str:
    if setting not in live.settings:
        raise Unknown(f"the broker does not tell {setting} of {live.name}")
    return live.settings[setting]


def _servers(scene: Scene) -> dict[str, str]:
    return {"servers": scene.cluster.wanted.capture.kafka or "BROKER"}


def _span(ms: int) -> str:
    return "for ever" if ms == -1 else f"{ms / 86_400_000:,.1f} days"


CHECKS = (
    Check(
        "PRE070", "topics", "the source log is there, and on brokers the topics beside it",
        "Connect would make a missing topic by itself, or fail.", "{start}", BOTH, _there,
    ),
    Check(
        "PRE071", "partitions", "one", "With two, rows of one transaction stand in no order among each other.",
        "-- a log cannot lose partitions: another connector name, a new log, a new snapshot", BOTH, _one_partition,
    ),
    Check(
        "PRE072", "compaction", "cleanup.policy is delete",
        "Compaction keeps the last record of a key: transitions, deletes and transactions vanish.",
        f"{_ALTER} --add-config cleanup.policy=delete", BOTH, _never_compacted, connect=True,
    ),
    Check(
        "PRE073", "retention", "as long as the connector's file says, and at least --outage-hours (24)",
        "What is deleted before the bridge has read it is lost.",
        f"{_ALTER} --add-config retention.ms={{retention}}", BOTH, _kept, connect=True,
    ),
    Check(
        "PRE074", "retention by size", "retention.bytes is -1",
        "On a busy day a limit by size deletes sooner than the retention says.",
        f"{_ALTER} --add-config retention.bytes=-1", BOTH, _not_by_size, connect=True,
    ),
    Check(
        "PRE075", "one log for each mapping",
        "one live connector captures all tables that a mapping joins, and no second one any",
        "Only one log knows the order of what a mapping joins; a table in two logs is told twice.",
        "figbridge connectors plan # put {about}'s tables into one stream of connect/{source}.yaml, then apply",
        BOTH, _one_log, connect=True,
    ),
)  # fmt: skip
