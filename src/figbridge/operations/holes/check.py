"""Ask the source's database what a suspect lost: read rows, hold them against the log, send what is missing.

The order matters. The log's end is read before the database, so whatever is committed later stands behind it; the
database writes a mark after it was read, so that the log is known to hold everything that was read (docs/adr/0026).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import msgspec

from figbridge.domain.change import Key, Row
from figbridge.errors import Refused, Unreachable
from figbridge.mapping.compiler import Plan
from figbridge.operations.holes.images import Images, Place, read_images
from figbridge.operations.holes.look import Hole, recovered_before
from figbridge.operations.holes.plan import Look, Method, look_of
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.holes import Found, HoleDecision, Named
from figbridge.pipeline.perform import Topics
from figbridge.ports import Log, Outgoing, Passed, Record, RowReader, TopicPartition

_MANY = 500
"""Rows in one record of the control topic."""

_AROUND = 10_000
"""Records before and behind a suspect that are read too: another transaction may have the very same commit time."""

Watch = Callable[[Iterable[Any], str, int | None], Iterator[Any]]
"""Pass items through and show how it goes: items, what they are, how many there are if that is known."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a check works with."""

    log: Log
    group: str
    topics: Topics
    plan: Plan
    edge: Edge
    database: RowReader
    watch: Watch = lambda items, *_: iter(items)
    patience_s: float = 60.0
    """How long the log, and the bridge, may take to come to where the database was read."""


@dataclass(slots=True)
class Checked:
    """What a check found. `missing` are rows that the log never had, `gone` rows that only the log has."""

    hole: str
    method: str
    looked_at: int
    missing: list[Named] = field(default_factory=list)
    gone: list[Named] = field(default_factory=list)
    case: str = ""
    """Why a person must decide; empty when everything was found out."""
    sent: int = 0
    """Records on the control topic: the bridge takes the rows in with its next batch."""


def check(scene: Scene, hole: Hole, *, by: str, reason: str, at: str) -> Checked:
    """Check one suspect, and send what was found to the bridge. A suspect that cannot be checked becomes a case.

    Raises Unreachable when the database does not answer, or log and bridge do not come to where it was read in time.
    """
    topic = hole.position.partition("/")[0]
    start = max(hole.doubts[0].position.offset + 1, _end(scene.log, topic))
    at_us = scene.database.now()
    try:
        look = look_of(hole, scene.plan, scene.edge, scene.database)
        rows = _read(scene, look)
    except Refused as error:
        if error.code != "HOL004":
            raise
        look, rows = Look(Method.TABLES, hole.tables), {}
        return _send(scene, hole, Checked(hole.position, "", 0, case=error.message), {}, start, at_us, (by, reason, at))
    end = start
    if look.method is not Method.COMMIT_TIME:
        end = _behind(scene, topic, start, scene.database.mark())
    images = _images(scene, hole, look, topic, start if look.method is Method.COMMIT_TIME else end)
    found = Checked(hole.position, look.method.value, len(rows))
    lost = {p: row for p, row in rows.items() if not images.has(p, row) and images.seen_at.get(p, -1) < start}
    moving = [p for p in rows if not images.has(p, rows[p]) and p not in lost]
    found.missing = [Named(table, list(key)) for table, key in lost]
    if look.method is Method.TABLES:
        ghosts = (p for p in images.alive() if p not in rows and images.seen_at[p] < start)
        found.gone = [Named(table, list(key)) for table, key in ghosts]
    if found.gone:
        found.case = f"{len(found.gone)} rows that the log still has are not in the database"
    elif moving:
        found.case = f"{len(moving)} rows changed while they were read: check again"
    elif look.method is Method.TABLES and _begins(scene.log, topic) > 0 and lost:
        found.case, lost, found.missing = "the log has lost its beginning: what it never had cannot be told", {}, []
    return _send(scene, hole, found, lost, end, at_us, (by, reason, at))


def accept(scene_log: Log, topics: Topics, hole: Hole, *, by: str, reason: str, at: str) -> None:
    """Close a suspect as it is, by a person's word. Raises Refused without a reason."""
    require_reason(reason)
    decision = HoleDecision("hole-accept", hole.source, hole.position, by, reason, at)
    scene_log.create(topics.control)
    scene_log.append([Outgoing(topics.control, hole.position.encode(), msgspec.json.encode(decision))])


def require_reason(reason: str) -> None:
    """Demand that a decision has a reason. Raises Refused."""
    if not reason.strip():
        raise Refused("a decision needs a reason", hint="--reason '…'", code="PRK002")


# --- reading ---------------------------------------------------------------------------------------


def _read(scene: Scene, look: Look) -> dict[Place, Row]:
    """Return the rows to hold against the log, by table and key."""
    rows: dict[Place, Row] = {}
    for table in look.tables:
        shape = scene.plan.tables[table].shape
        if look.method is Method.COMMIT_TIME:
            found = scene.database.committed_at(table, shape.columns, look.at_us)
        elif look.method is Method.KEYS:
            keys = [key for of, key in look.keys if of == table]
            found = scene.database.by_key(table, shape.columns, shape.key, keys)
        else:
            found = scene.database.every(table, shape.columns)
        total = scene.database.estimate(table) if look.method is Method.TABLES else None
        for cells in scene.watch(found, f"rows of {table}", total):
            row = shape.row(cells)
            rows[table, shape.key_of(row)] = row
    return rows


def _images(scene: Scene, hole: Hole, look: Look, topic: str, end: int) -> Images:
    """Return what the bridge knows of the rows by the log, and by what earlier checks recovered."""
    begin = _begins(scene.log, topic)
    if look.method is Method.COMMIT_TIME:  # a row's newest version is of the suspect: it stands in it, or nowhere
        begin = max(begin, hole.doubts[0].start - _AROUND)
        end = min(end, hole.doubts[0].position.offset + _AROUND)
    records = scene.watch(scene.edge.history(topic, begin, end), "records of the log", end - begin)
    images = read_images(records, scene.edge, frozenset(look.tables))
    for body in recovered_before(scene.log, scene.group, scene.topics.control):
        _take_recovered(body, scene.plan, images, topic)
    return images


def _take_recovered(body: bytes, plan: Plan, images: Images, topic: str) -> None:
    try:
        decision = msgspec.json.decode(body, type=HoleDecision)
    except (msgspec.MsgspecError, ValueError):
        return  # a decision of another kind
    for found in decision.rows if decision.hole.startswith(f"{topic}/") else ():
        if found.table not in images.tables:
            continue
        shape = plan.tables[found.table].shape
        row = shape.row(found.cells)
        place: tuple[str, Key] = (found.table, shape.key_of(row))
        if images.seen_at.get(place, -1) < decision.compared_to:
            images.newest[place] = row
            images.seen_at[place] = decision.compared_to - 1


def _behind(scene: Scene, topic: str, start: int, passed: Passed) -> int:
    """Wait until the log holds everything that was committed when the database was read; return where that is."""
    deadline, at, back = time.monotonic() + scene.patience_s, start, 1000
    while passed.looks_back and start > 0:
        if any(passed(record) for record in scene.edge.history(topic, max(0, start - back), start)):
            return start
        if back >= start:
            break
        back *= 10
    while True:
        for record in scene.edge.history(topic, at, _end(scene.log, topic)):
            at = record.offset + 1
            if passed(record):
                return at
        if time.monotonic() > deadline:
            text = f"{topic} has not come to where the database was read within {scene.patience_s:.0f} s"
            raise Unreachable(text, hint="is the connector streaming? figbridge status", code="HOL003")
        _PAUSE.wait(0.1)


_PAUSE = Event()


def _end(log: Log, topic: str) -> int:
    return log.ends([topic]).get(TopicPartition(topic, 0), 0)


def _begins(log: Log, topic: str) -> int:
    """Return the offset of the oldest record that the log still has."""
    found: list[Record] = log.read(TopicPartition(topic, 0), 0, 1)
    return found[0].offset if found else 0


# --- sending ---------------------------------------------------------------------------------------


def _send(
    scene: Scene, hole: Hole, found: Checked, lost: dict[Place, Row], end: int, at_us: int, who: tuple[str, str, str]
) -> Checked:
    """Send what was found, once the bridge has come to where the log was read: rows stand behind what it knows."""
    _until_read(scene, hole.position.partition("/")[0], end)
    rows = [Found(table, _cells(scene.plan, table, row)) for (table, _), row in lost.items()]
    parts = [rows[i : i + _MANY] for i in range(0, len(rows), _MANY)] or [[]]
    decisions = [
        HoleDecision(
            "hole-recover", hole.source, hole.position, *who, at_us, found.method, end, part,
            found.gone if last else [], last, found.case if last else "",
        )
        for part, last in zip(parts, [False] * (len(parts) - 1) + [True], strict=True)
    ]  # fmt: skip
    control = scene.topics.control
    scene.log.create(control)
    scene.log.append([Outgoing(control, hole.position.encode(), msgspec.json.encode(d)) for d in decisions])
    found.sent = len(decisions)
    return found


def _cells(plan: Plan, table: str, row: Row) -> dict[str, Any]:
    return plan.tables[table].shape.cells(row)


def _until_read(scene: Scene, topic: str, end: int) -> None:
    deadline = time.monotonic() + scene.patience_s
    while scene.log.committed(scene.group).get(TopicPartition(topic, 0), 0) < end:
        if time.monotonic() > deadline:
            text = f"the bridge has not read {topic} up to {end} within {scene.patience_s:.0f} s"
            raise Unreachable(text, hint="figbridge run", code="HOL003")
        _PAUSE.wait(0.1)
