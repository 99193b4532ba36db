"""Who owns what: declare it, show it, tell its history, prove it, change it by hand, and find who owned it then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from figbridge.domain.authority import (
    Authority,
    BrokenLink,
    Cut,
    Epoch,
    Grant,
    GrantKind,
    Stage,
    Tenure,
    first_broken_link,
)
from figbridge.domain.fact import LEGACY, Cell, Fact
from figbridge.errors import Refused
from figbridge.ports import AuthorityStore, Log


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Say how the declared facts and the store of authority differ. `code` is AUT001 or AUT002."""

    code: str
    fact: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """Tell what declaring the facts added to the store, and what it found and did not touch."""

    granted: tuple[Grant, ...]
    findings: tuple[Contradiction, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Tell who owns a cell now, and the grant that made it so."""

    cell: Cell
    tenure: Tenure
    since: Grant


def declare(store: AuthorityStore, facts: Iterable[Fact], now: datetime, by: str) -> Declaration:
    """Give each fact that the store does not know its first epoch, from the beginning of every log; safe to repeat.

    A fact in the store that is declared no longer (AUT001), or otherwise than the store has it (AUT002), is a finding
    and changes nothing. `now` carries its zone. Raises Unreachable.
    """
    declared = tuple(facts)
    known = set(store.load().cells())
    granted = tuple(g for f in declared if Cell(f.name) not in known for g in _first(store, f, now, by))
    return Declaration(granted, _contradictions(declared, store.load()))


def show(store: AuthorityStore) -> tuple[Standing, ...]:
    """Return the newest epoch of every cell, by name. Raises Unreachable."""
    newest = {grant.cell: grant for grant in store.history()}
    return tuple(Standing(cell, _tenure(newest[cell]), newest[cell]) for cell in sorted(newest))


def history(store: AuthorityStore, fact: str) -> tuple[Grant, ...]:
    """Return every grant of a fact, oldest first. Raises Unreachable, and Refused for a fact nobody declared."""
    grants = tuple(g for g in store.history() if g.cell.fact == fact)
    if not grants:
        raise _undeclared(fact)
    return grants


def verify(store: AuthorityStore) -> BrokenLink | None:
    """Walk the chain, then compare the derived table and the head with it; None when all of it holds.

    The chain alone cannot show that its newest links were cut off: the head and the derived table do.
    Raises Unreachable.
    """
    with store.shared():  # no grant between the two readings
        grants, derived = store.history(), store.load()
    return first_broken_link(grants) or _first_difference(grants, derived)


def grant(
    store: AuthorityStore,
    log: Log,
    fact: str,
    to: str,
    reason: str,
    by: str,
    now: datetime,
    *,
    break_glass: bool,
    source_topics: Iterable[str],
    successor: str | None = None,
) -> Grant:
    """Give a fact to a system by hand, from the present ends of its source logs on; the other one may take it back.

    `source_topics` are all logs that may speak about the fact. `successor` names the other system where the store does
    not know one yet. `now` carries its zone. Raises Refused, with nothing changed, and Unreachable.
    """
    if not break_glass:
        raise Refused(
            "a grant by hand has no plan, no gates and no approval",
            hint="say that it is break-glass; it is recorded as such",
        )
    if not reason.strip():
        raise Refused("a grant by hand needs a reason", hint="say why, for those who read the history later")
    topics = tuple(sorted(set(source_topics)))
    if not topics:
        raise Refused("no source log is named", hint="name every log whose records may speak about the fact")
    cell = Cell(fact)
    current = store.load().current(cell)
    if current is None:
        raise _undeclared(fact)
    other = _other_than(to, current, successor, fact)
    draft = Grant(
        cell=cell,
        owner=to,
        successor=other,
        stage=_stage(to, other),
        kind=GrantKind.BREAK_GLASS,
        reason=reason.strip(),
        by=by,
        at=_utc(now),
    )

    def cuts() -> tuple[Cut, ...]:
        ends = log.ends(topics)
        missing = sorted(set(topics) - {place.topic for place in ends})
        if missing:
            raise Refused(
                f"there is no source log {missing[0]}",
                hint="mend its name; a log that does not exist yet needs no cut, leave it out",
            )
        return tuple(Cut(place.topic, place.partition, end) for place, end in ends.items())

    return store.grant(draft, cuts)


def _first(store: AuthorityStore, fact: Fact, now: datetime, by: str) -> tuple[Grant, ...]:
    draft = Grant(
        cell=Cell(fact.name),
        owner=fact.authority,
        successor=fact.successor,
        stage=_stage(fact.authority, fact.successor),
        kind=GrantKind.DECLARED,
        reason=fact.rule,
        by=by,
        at=_utc(now),
    )
    try:
        return (store.grant(draft, tuple),)
    except Refused:
        if store.load().current(draft.cell) is None:
            raise
        return ()  # another process was faster; whether it said the same, the findings tell


def _contradictions(facts: tuple[Fact, ...], authority: Authority) -> tuple[Contradiction, ...]:
    names = {f.name for f in facts}
    gone = (
        Contradiction(
            "AUT001",
            cell.fact,
            f"{cell} is in the store of authority and declared no longer",
            "declare it again; a fact is never forgotten, its history answers who owned it",
        )
        for cell in sorted(authority.cells())
        if cell.fact not in names
    )
    return (*gone, *(c for f in facts for c in _contradiction(f, authority.epochs(Cell(f.name)))))


def _contradiction(fact: Fact, epochs: tuple[Epoch, ...]) -> tuple[Contradiction, ...]:
    """Accept what was declared first, and what holds now: the file may be brought up to date after a grant, or not."""
    first, last = epochs[0].tenure, epochs[-1].tenure
    said = (fact.authority, fact.successor)
    if said in ((first.owner, first.successor), (last.owner, last.successor), (last.owner, None)):
        return ()
    return (
        Contradiction(
            "AUT002",
            fact.name,
            f"{fact.name} is declared with {_pair(*said)}, the store has {_pair(last.owner, last.successor)} "
            f"since epoch {last.epoch}",
            "declare what the store has; to change the store, grant",
        ),
    )


def _both(tenure: Tenure) -> tuple[str, str | None]:
    return tenure.owner, tenure.successor


def _pair(owner: str, successor: str | None) -> str:
    return f"authority {owner} and {f'successor {successor}' if successor else 'no successor'}"


def _other_than(to: str, current: Tenure, successor: str | None, fact: str) -> str | None:
    other = successor or (current.successor if to == current.owner else current.owner)
    known = {current.owner, current.successor} - {None}
    if to not in known:
        raise Refused(
            f"{to} is not known for {fact}: {' and '.join(sorted(k for k in known if k))}",
            hint="grant it to one of these; a new system becomes the successor of the owner first",
        )
    if other == to or (current.successor and other not in known):
        raise Refused(f"{other} cannot be the other system of {fact}", hint=f"it is {_pair(*_both(current))}")
    return other


def _stage(owner: str, successor: str | None) -> Stage:
    if owner != LEGACY:
        return Stage.SERVICE
    return Stage.SHADOW if successor else Stage.LEGACY


def _first_difference(grants: Iterable[Grant], derived: Authority) -> BrokenLink | None:
    chain = tuple(grants)
    expected = Authority.of(chain)
    for link in chain:
        stands = next((e for e in derived.epochs(link.cell) if e.tenure.epoch == link.epoch), None)
        if stands is None:
            return BrokenLink(link.seq, f"the derived table has no epoch {link.epoch} of {link.cell}")
        if stands != Epoch(_tenure(link), link.cuts):
            return BrokenLink(link.seq, f"the derived table has epoch {link.epoch} of {link.cell} otherwise")
    if derived != expected:
        return BrokenLink(len(chain) + 1, "the head or the derived table says more than the chain")
    return None


def _tenure(link: Grant) -> Tenure:
    return Tenure(link.epoch, link.owner, link.successor, link.stage)


def _undeclared(fact: str) -> Refused:
    return Refused(f"nobody declared who owns {fact}", hint="mind its spelling, or declare it in mappings/facts.yaml")


def _utc(now: datetime) -> str:
    assert now.tzinfo is not None, "a time of day without its zone is none"
    return now.astimezone(UTC).isoformat(timespec="milliseconds")
