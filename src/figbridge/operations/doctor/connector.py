"""Whether a connector does anything, and whether it is the one that the files want."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from figbridge.domain.connector import Kind
from figbridge.domain.preflight import Unknown
from figbridge.operations.connectors.look import FINE, Motion
from figbridge.operations.connectors.plan import differences
from figbridge.operations.doctor.check import BOTH, Check, Found
from figbridge.operations.doctor.scene import Scene

_APPLY: Final = "figbridge connectors apply"


_WITHOUT_LOSS: Final[Mapping[Kind, tuple[int, int, int]]] = {Kind.POSTGRES: (3, 7, 0), Kind.MARIADB: (3, 5, 0)}


_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def _streams(scene: Scene) -> Iterator[Found]:
    status = scene.cluster.status
    fix = _APPLY if status.motion is Motion.MISSING else f"figbridge connectors status {scene.patient.name}"
    yield Found(scene.patient.name, status.motion in FINE, f"{status.motion.value}: {status.why}", {"repair": fix})


def _as_the_file(scene: Scene) -> Iterator[Found]:
    wanted = scene.cluster.wanted
    changed = differences(scene.cluster.config, wanted.config)
    told = ", ".join(c.setting for c in changed)
    yield Found(wanted.capture.connector, not changed, f"differs in {told}" if changed else "as the file wants it")


def _written(scene: Scene) -> Iterator[Found]:
    capture = scene.cluster.wanted.capture
    odd = sorted(set(scene.cluster.written) - {capture.log.name, capture.notifications.name})
    yield Found(
        capture.connector, not odd, f"writes to {', '.join(odd)} too" if odd else f"writes to {capture.log.name}"
    )


def _version(scene: Scene) -> Iterator[Found]:
    name = scene.cluster.config.get("connector.class", "")
    found = [p.version for p in scene.cluster.plugins if p.name == name]
    numbers = _VERSION.match(found[0]) if found else None
    if numbers is None:
        raise Unknown(f"no worker tells the version of {name or 'the connector'}")
    fine = tuple(int(n) for n in numbers.groups()) >= _WITHOUT_LOSS[scene.patient.kind]
    yield Found(name.rpartition(".")[2], fine, found[0])


CHECKS = (
    Check(
        "PRE050", "the connector", "it streams, reads its snapshot, or has read everything",
        "RUNNING is not believed: the slot must be read and the log must move.", "{repair}", BOTH, _streams,
        connect=True,
    ),
    Check(
        "PRE063", "the configuration", "as the connector's file and the mappings want it",
        "Somebody changed it by hand, or the mappings moved on.", "figbridge connectors plan", BOTH, _as_the_file,
        connect=True,
    ),
    Check(
        "PRE064", "where it writes", "to its log and its notifications only",
        "What stands in another topic has no place among the rows of the log.",
        "figbridge connectors topics; figbridge connectors apply # PUT /connectors/NAME/topics/reset forgets old ones",
        BOTH, _written, connect=True,
    ),
    Check(
        "PRE065", "Debezium's version", "3.7.0 or newer for PostgreSQL, 3.5.0 or newer for MariaDB",
        "3.6.3 loses rows of a COPY when it restarts inside it.",
        "-- set the version in connect/pom.xml, and update the workers", BOTH, _version, connect=True,
    ),
)  # fmt: skip
