"""Declaring, showing, proving and granting authority by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from figbridge.adapters.memory import MemoryLog
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.domain.authority import Cut, Grant, GrantKind, Stage, Tenure
from figbridge.domain.fact import Cell, Fact
from figbridge.errors import Refused
from figbridge.operations.authority import declare, grant, history, show, verify
from figbridge.ports import CutReader, Outgoing

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
LEGACY_LOG, SERVICE_LOG = "figbridge.legacy.log", "figbridge.delivery.log"

DELIVERY = Fact("order.delivery", "Order", "legacy", "delivery", "legacy ships until the service does")
STATUS = Fact("order.status", "Order", "legacy", None, "stays")
STOCK = Fact("stock.level", "Stock", "stock", "legacy", "moved last year")


@pytest.fixture
def store() -> MemoryAuthorityStore:
    """An empty store."""
    return MemoryAuthorityStore()


@pytest.fixture
def log() -> MemoryLog:
    """A legacy log with three records and a service log of two partitions with one."""
    log = MemoryLog()
    log.create(LEGACY_LOG)
    log.create(SERVICE_LOG, 2)
    log.append([Outgoing(LEGACY_LOG, None, b"%d" % n, partition=0) for n in range(3)])
    log.append([Outgoing(SERVICE_LOG, None, b"x", partition=1)])
    return log


def by_hand(store: Any, log: MemoryLog, **other: Any) -> Grant:
    """Grant order.delivery to its service, or otherwise."""
    said = {
        "fact": "order.delivery",
        "to": "delivery",
        "reason": "the cutover of tonight failed half-way",
        "by": "bob",
        "now": NOW,
        "break_glass": True,
        "source_topics": [LEGACY_LOG, SERVICE_LOG],
    }
    return grant(store, log, **(said | other))


def test_declaring_gives_each_fact_its_first_epoch_once(store: MemoryAuthorityStore) -> None:
    """The stage follows from who owns the fact and who will; declared again, nothing is granted."""
    declaration = declare(store, [DELIVERY, STATUS, STOCK], NOW, "ann")
    assert [(g.cell.fact, g.owner, g.successor, g.stage, g.epoch, g.cuts) for g in declaration.granted] == [
        ("order.delivery", "legacy", "delivery", Stage.SHADOW, 1, ()),
        ("order.status", "legacy", None, Stage.LEGACY, 1, ()),
        ("stock.level", "stock", "legacy", Stage.SERVICE, 1, ()),
    ]
    assert {(g.kind, g.by, g.at) for g in declaration.granted} == {
        (GrantKind.DECLARED, "ann", "2026-03-01T10:00:00.000+00:00")
    }
    assert declaration.findings == ()
    again = declare(store, [DELIVERY, STATUS, STOCK], NOW, "ann")
    assert (again.granted, again.findings, store.version()) == ((), (), 3)


def test_only_what_is_new_is_granted(store: MemoryAuthorityStore) -> None:
    """A declaration that stopped half-way is finished by the next one."""
    declare(store, [DELIVERY], NOW, "ann")
    assert [g.cell.fact for g in declare(store, [DELIVERY, STATUS], NOW, "ann").granted] == ["order.status"]


def test_a_fact_that_is_declared_no_longer_is_a_finding(store: MemoryAuthorityStore) -> None:
    """The store keeps it as it is."""
    declare(store, [DELIVERY, STATUS], NOW, "ann")
    declaration = declare(store, [DELIVERY], NOW, "ann")
    assert [(f.code, f.fact) for f in declaration.findings] == [("AUT001", "order.status")]
    assert store.version() == 2


@pytest.mark.parametrize(
    ("authority", "successor", "contradicts"),
    [
        ("legacy", "delivery", False),  # as it was declared first
        ("delivery", "legacy", False),  # as it is now
        ("delivery", None, False),  # as it is now, and nobody will take it back
        ("legacy", None, True),
        ("legacy", "shipping", True),
        ("shipping", "delivery", True),
    ],
)
def test_a_declaration_that_contradicts_history_is_a_finding(
    store: MemoryAuthorityStore, log: MemoryLog, authority: str, successor: str | None, *, contradicts: bool
) -> None:
    """The file may say what was declared first or what holds now; anything else is found and changes nothing."""
    declare(store, [DELIVERY], NOW, "ann")
    by_hand(store, log)
    fact = Fact("order.delivery", "Order", authority, successor, "so")
    declaration = declare(store, [fact], NOW, "ann")
    assert [f.code for f in declaration.findings] == (["AUT002"] if contradicts else [])
    assert store.version() == 2


def test_two_who_declare_at_once_declare_once(store: MemoryAuthorityStore) -> None:
    """Who comes second grants nothing, and is told when the first said otherwise."""
    other = Fact("order.delivery", "Order", "delivery", None, "so")

    class Late(MemoryAuthorityStore):
        """A store in which another process declares between the look and the grant."""

        def grant(self, draft: Grant, cuts: CutReader) -> Grant:
            if self.version() == 0:
                declare(store, [other], NOW, "eve")
            return super().grant(draft, cuts)

    late = Late()
    late._shelf = store._shelf
    declaration = declare(late, [DELIVERY], NOW, "ann")
    assert declaration.granted == ()
    assert [f.code for f in declaration.findings] == ["AUT002"]
    assert [g.by for g in store.history()] == ["eve"]


def test_showing_tells_who_owns_what_and_since_when(store: MemoryAuthorityStore, log: MemoryLog) -> None:
    """One standing per cell, by name, with the grant that made it so."""
    declare(store, [STATUS, DELIVERY], NOW, "ann")
    last = by_hand(store, log)
    assert [(s.cell, s.tenure, s.since.seq) for s in show(store)] == [
        (Cell("order.delivery"), Tenure(2, "delivery", "legacy", Stage.SERVICE), last.seq),
        (Cell("order.status"), Tenure(1, "legacy", None, Stage.LEGACY), 1),
    ]


def test_history_is_of_one_fact(store: MemoryAuthorityStore, log: MemoryLog) -> None:
    """Oldest first; a fact nobody declared has none and is refused with a hint."""
    declare(store, [STATUS, DELIVERY], NOW, "ann")
    by_hand(store, log)
    assert [(g.seq, g.epoch) for g in history(store, "order.delivery")] == [(2, 1), (3, 2)]
    with pytest.raises(Refused, match="nobody declared") as refused:
        history(store, "order.delivry")
    assert refused.value.hint


def test_a_grant_by_hand_begins_at_the_ends_of_the_logs(store: MemoryAuthorityStore, log: MemoryLog) -> None:
    """Every partition of every source log is cut at its present end, and the other system may take it back."""
    declare(store, [DELIVERY], NOW, "ann")
    given = by_hand(store, log)
    assert given.cuts == (Cut(SERVICE_LOG, 0, 0), Cut(SERVICE_LOG, 1, 1), Cut(LEGACY_LOG, 0, 3))
    assert (given.owner, given.successor, given.stage, given.kind) == (
        "delivery",
        "legacy",
        Stage.SERVICE,
        GrantKind.BREAK_GLASS,
    )
    log.append([Outgoing(LEGACY_LOG, None, b"late", partition=0)])
    back = by_hand(store, log, to="legacy")
    assert (back.owner, back.successor, back.stage, back.epoch) == ("legacy", "delivery", Stage.SHADOW, 3)
    owners = [store.load().owner(Cell("order.delivery"), LEGACY_LOG, 0, offset) for offset in (2, 3, 4)]
    assert owners == ["legacy", "delivery", "legacy"]
    assert verify(store) is None


def test_the_ends_are_read_inside_the_exclusive_lock(store: MemoryAuthorityStore, log: MemoryLog) -> None:
    """What is appended before the lock is given lies before the cut."""

    class Busy(MemoryAuthorityStore):
        """A store whose lock comes after another batch was committed."""

        def grant(self, draft: Grant, cuts: CutReader) -> Grant:
            if draft.kind is GrantKind.BREAK_GLASS:
                log.append([Outgoing(LEGACY_LOG, None, b"late", partition=0)])
            return super().grant(draft, cuts)

    busy = Busy()
    declare(busy, [DELIVERY], NOW, "ann")
    assert by_hand(busy, log, source_topics=[LEGACY_LOG]).cuts == (Cut(LEGACY_LOG, 0, 4),)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"break_glass": False}, "no plan"),
        ({"reason": " \n"}, "needs a reason"),
        ({"fact": "order.unknown"}, "nobody declared"),
        ({"to": "shipping"}, "not known"),
        ({"to": "legacy"}, "owns order.delivery already"),
        ({"successor": "shipping"}, "cannot be the other"),
        ({"successor": "delivery"}, "cannot be the other"),
        ({"source_topics": []}, "no source log"),
        ({"source_topics": [LEGACY_LOG, "figbridge.delivry.log"]}, "no source log figbridge.delivry.log"),
    ],
)
def test_a_grant_by_hand_without_its_preconditions_is_refused(
    store: MemoryAuthorityStore, log: MemoryLog, other: dict[str, Any], why: str
) -> None:
    """Refused with a hint, and nothing is changed."""
    declare(store, [DELIVERY], NOW, "ann")
    with pytest.raises(Refused, match=why) as refused:
        by_hand(store, log, **other)
    assert refused.value.hint
    assert store.version() == 1


def test_a_fact_that_stayed_gets_its_successor_by_a_grant_to_its_owner(
    store: MemoryAuthorityStore, log: MemoryLog
) -> None:
    """A service that is built later speaks in shadow from then on, and only then can be granted the fact."""
    declare(store, [STATUS], NOW, "ann")
    with pytest.raises(Refused, match="not known"):
        by_hand(store, log, fact="order.status", to="ordering")
    shadow = by_hand(store, log, fact="order.status", to="legacy", successor="ordering")
    assert (shadow.owner, shadow.successor, shadow.stage) == ("legacy", "ordering", Stage.SHADOW)
    assert by_hand(store, log, fact="order.status", to="ordering").stage is Stage.SERVICE


def test_times_are_written_in_utc(store: MemoryAuthorityStore, log: MemoryLog) -> None:
    """`at` is for people; it does not depend on where they are."""
    declare(store, [DELIVERY], NOW, "ann")
    assert by_hand(store, log).at == by_hand(store, log, to="legacy", now=NOW.astimezone(UTC)).at
