"""What a bridge has done and how it stands: both ledgers, lag, parked keys, suspects, letters, authority."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

from figbridge.domain.verdict import Verdict
from figbridge.errors import Unreachable
from figbridge.operations.dead_letters import count_letters
from figbridge.pipeline.account import Account
from figbridge.pipeline.collect import Counted
from figbridge.pipeline.holes import open_cases, suspects_of
from figbridge.pipeline.parking import SPACE as PARKED
from figbridge.ports import AuthorityStore, Log, State, TopicPartition

_MARKS: Final = 20


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How far a source log has been read."""

    source: str
    topic: str
    end: int
    committed: int
    records_behind: int
    last_record_ms: int | None
    """The timestamp of the newest record in the log, milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class SuspectStatus:
    """A transaction that may have lost rows on its way into the log."""

    source: str
    doubt: str
    tx: str
    position: str
    tables: tuple[str, ...]
    detail: str
    case: str = ""
    """Why a person must decide, when a check of the database could not close it."""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `figbridge status` shows."""

    group: str
    account: Mapping[str, Mapping[str, int]]
    balanced: bool
    unbalanced: str
    sources: tuple[SourceStatus, ...]
    parked_keys: int
    parked_changes: int
    suspects: tuple[SuspectStatus, ...]
    quarantined: int
    """Claims that went to quarantine."""
    dead_letters: int
    dead_letters_open: int
    """Those that nobody has replayed or discarded."""
    authority_version: int | None
    """None when the authority store cannot be read: then the bridge holds."""


def status(log: Log, store: AuthorityStore, group: str, sources: Mapping[str, str]) -> Status:
    """Look at a bridge from outside; it may be running or not. Raises Unreachable when its log cannot be read."""
    states = log.states(group)
    account = reduce(Account.add, map(Account.of, states.values()), Account())
    letters, still_open = count_letters(log, group, account.records[Counted.DEAD])
    parked = [g for state in states.values() for g, _, _ in state.scan(PARKED)]
    return Status(
        group=group,
        account=account.as_dict(),
        balanced=account.balanced,
        unbalanced=account.unbalanced(),
        sources=tuple(_source(log, group, topic, source) for topic, source in sources.items()),
        parked_keys=len(set(parked)),
        parked_changes=len(parked),
        suspects=tuple(s for state in states.values() for s in suspects(state)),
        quarantined=account.claims[Verdict.UNAUTHORISED] + account.claims[Verdict.PARKED],
        dead_letters=letters,
        dead_letters_open=still_open,
        authority_version=_version(store),
    )


def suspects(state: State) -> Iterable[SuspectStatus]:
    """Yield the suspects of every source, oldest first."""
    cases = open_cases(state)
    for source, _, found in suspects_of(state):
        at = str(found.position)
        yield SuspectStatus(
            source, found.doubt.value, found.tx, at, tuple(found.tables), found.detail, cases.get(at, "")
        )


def _source(log: Log, group: str, topic: str, source: str) -> SourceStatus:
    place = TopicPartition(topic, 0)
    end = log.ends([topic]).get(place, 0)
    committed = log.committed(group).get(place, 0)
    # The last offsets of a log on brokers may be marks of transactions, which are no records.
    last = log.read(place, max(0, end - _MARKS), _MARKS) if end else []
    near = committed >= end - _MARKS
    behind = sum(record.offset >= committed for record in last) if near else end - committed
    return SourceStatus(source, topic, end, committed, behind, last[-1].timestamp if last else None)


def _version(store: AuthorityStore) -> int | None:
    try:
        return store.load().version
    except Unreachable:
        return None
