"""Make what is live what the files want: everything is checked first, and a plan that is stale is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from figbridge.domain.connector import Kind, Wanted
from figbridge.errors import ConfigurationError, Refused
from figbridge.operations.connectors import look, steer
from figbridge.operations.connectors.check import check
from figbridge.operations.connectors.plan import RESTING, Act, Change, Plan, plan
from figbridge.operations.connectors.site import Site, until

WAIT_S: Final = 120.0
_ACCOUNT: Final = "CON018"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, and what each connector does now; no status when nobody waited."""

    plan: Plan
    done: tuple[Change, ...]
    statuses: tuple[look.Status, ...] = ()


def apply(
    site: Site,
    tell: Tell,
    *,
    digest: str = "",
    unchecked: bool = False,
    fresh: bool = False,
    wait: bool = True,
) -> Applied:
    """Create and change connectors and their topics, and wait until they stream.

    Done again it does nothing. Raises Refused when the live state is not that of the plan with this digest,
    ConfigurationError with every finding before anything is changed, OperationalError when a connector fails.
    `unchecked` goes on where figbridge has no account for the database; `fresh` drops a slot and forgets offsets that
    an earlier connector of the same name left.
    """
    now = plan(site)
    _refuse_stale(now, digest)
    findings = [f for f in check(site, now) if not (unchecked and f.code == _ACCOUNT)]
    if findings:
        raise ConfigurationError(findings)
    _refuse_stale(plan(site), now.digest)  # checking takes a while: somebody may have been faster
    wanted = {w.capture.connector: w for w in site.wanted}
    topics = {t.name: t for w in site.wanted for t in w.capture.topics}
    for change in now.changes:
        if change.name in topics:
            tell(f"{change.act.value} topic {change.name}")
            _topic(site, change)
    for change in now.changes:
        if change.name in wanted:
            tell(f"{change.act.value} connector {change.name}")
            _connector(site, wanted[change.name], change, fresh=fresh)
    moving = tuple(wanted[c.name] for c in now.changes if c.name in wanted and c.state not in RESTING)
    statuses = _wait(site, moving, tell) if wait and moving else ()
    return Applied(now, now.changes, statuses)


def _refuse_stale(now: Plan, digest: str) -> None:
    if digest and now.digest != digest:
        raise Refused(
            f"the plan {digest} is stale: files or live state have moved, and are now {now.digest}",
            hint="figbridge connectors plan, and look again",
            code="CON010",
        )


def _topic(site: Site, change: Change) -> None:
    topic = next(t for w in site.wanted for t in w.capture.topics if t.name == change.name)
    if change.act is Act.CREATE:
        site.broker.create(topic)
    else:
        site.broker.alter(topic.name, {s.setting: s.new for s in change.settings if s.new is not None})


def _connector(site: Site, wanted: Wanted, change: Change, *, fresh: bool) -> None:
    name = wanted.capture.connector
    if change.act is Act.CHANGE:
        site.connect.configure(name, wanted.config)
        return
    # Created stopped, so that what an earlier one left can be looked at before it does harm.
    site.connect.create(name, wanted.config)
    until(lambda: site.connect.connectors().get(name), steer.WAIT_S, f"creation of {name}")
    try:
        _leftovers(site, wanted, fresh=fresh)
    except Refused:
        site.connect.delete(name)
        raise
    steer.resume(site, wanted)


def _leftovers(site: Site, wanted: Wanted, *, fresh: bool) -> None:
    """Refuse to begin beside a slot without offsets, or at offsets without their slot: rows between are in neither."""
    capture, database = wanted.capture, site.database(wanted)
    if capture.kind is not Kind.POSTGRES or database is None:
        if fresh and site.connect.offsets(capture.connector) is not None:
            site.connect.forget_offsets(capture.connector)
        return
    slot, offset = database.slot(capture.slot), site.connect.offsets(capture.connector)
    if slot is not None and slot.active:
        text = f"somebody else reads the slot {capture.slot}"
        raise Refused(text, hint="stop that one: pg_stat_replication names it", code="CON016")
    if fresh:
        if slot is not None:
            database.drop_slot(capture.slot)
        if offset is not None:
            site.connect.forget_offsets(capture.connector)
        return
    hint = "figbridge connectors apply --fresh drops what is left, and makes a new snapshot"
    if slot is not None and offset is None:
        text = f"the slot {capture.slot} is there, and no offsets: a snapshot would miss what commits between the two"
        raise Refused(text, hint=hint, code="CON016")
    if slot is None and offset is not None:
        text = f"offsets of an earlier {capture.name} are there, and its slot is gone: what committed since is lost"
        raise Refused(text, hint=hint, code="CON016")


def _wait(site: Site, wanted: tuple[Wanted, ...], tell: Tell) -> tuple[look.Status, ...]:
    """Wait until each streams or reads its snapshot. Raises OperationalError with the cause when one fails."""

    def moving() -> tuple[look.Status, ...] | None:
        live = site.connect.connectors()
        for each in wanted:
            if each.capture.connector in live:
                steer.refuse_failed(each, live[each.capture.connector])
        found = look.status(site, wanted)
        return found if all(s.motion in look.FINE for s in found) else None

    tell(f"waiting until {', '.join(w.capture.name for w in wanted)} can be seen to stream")
    return until(moving, WAIT_S, "streaming")
