"""Hold the shop's own ledger against what a consumer reads on the domain topics."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from figbridge.demo.monolith import Happening, by_subject
from figbridge.demo.trial.consumer import Follower, Told
from figbridge.demo.trial.place import Trial

_MOST = 20


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of it. `snapshot` happenings lie before the connector's first start: nobody announces those."""

    ledger: int
    snapshot: int
    events: int
    states: int
    """Events that state what a snapshot knew."""
    transactions: int
    differences: tuple[str, ...]
    """The first twenty."""
    differing: int
    seconds: float

    @property
    def equal(self) -> bool:
        """Say whether the domain topics tell the ledger, each happening once and in order."""
        return self.differing == 0


def verify(trial: Trial, patience_s: float, tell: Callable[[int, int], None] = lambda _, __: None) -> Verified:
    """Read the domain topics until they tell the ledger, or nothing new has come for `patience_s`.

    `tell` hears how many happenings were read, of how many. Raises Unreachable when the brokers do not answer.
    """
    began = last = time.monotonic()
    with trial.shop(Random(0)) as shop:  # noqa: S311 — it does nothing here
        ledger = shop.stored_ledger()
    told: list[Told] = []
    with Follower(trial.box.bootstrap, f"{trial.prefix}.domain.") as follower:
        while True:
            follower.topics()
            found = list(follower.look())
            told += found
            now = time.monotonic()
            last = now if found else last
            tell(sum(1 for t in told if t.happening), len(ledger))
            if not found and (whole(ledger, told) or now - last > patience_s):
                return judge(ledger, told, now - began)


def whole(ledger: Sequence[Happening], told: Sequence[Told]) -> bool:
    """Say whether the last happening of each subject that was told of is there, and the ledger's last one, too."""
    if not ledger:
        return True
    counts = Counter(t.subject for t in told if t.happening)
    expected = by_subject(list(ledger))
    cut = split(expected, counts)
    return max((h.seq for h in cut.untold), default=0) < min((h.seq for h in cut.told), default=0)


@dataclass(frozen=True, slots=True)
class Cut:
    """A ledger in two: what was told, and what lies before."""

    untold: tuple[Happening, ...]
    told: tuple[Happening, ...]


def split(expected: dict[str, list[Happening]], counts: Counter[str]) -> Cut:
    """Take as many of the last happenings of each subject as were told of it."""
    untold: list[Happening] = []
    told: list[Happening] = []
    for subject, happenings in expected.items():
        at = max(0, len(happenings) - counts[subject])
        untold += happenings[:at]
        told += happenings[at:]
    return Cut(tuple(untold), tuple(told))


def judge(ledger: Sequence[Happening], told: Sequence[Told], seconds: float = 0.0) -> Verified:
    """Compare: each happening after the snapshot once, in order, with its data, one transaction as one commit."""
    said = [t for t in told if t.happening and t.event["source"] == "legacy"]
    expected, found = by_subject(list(ledger)), _by_subject(said)
    cut = split(expected, Counter({subject: len(events) for subject, events in found.items()}))
    first = min((h.tx for h in cut.told), default=None)
    differences = [
        f"lost: {h.type} of {h.subject}, transaction {h.tx} of the shop"
        for h in cut.untold
        if first is None or h.tx >= first
    ]
    differences += _twice(said) + _out_of_place(said)
    later = by_subject(list(cut.told))
    for subject, events in found.items():
        differences += _compared(subject, later.get(subject, []), events)
    differences += _torn(later, found)
    return Verified(
        ledger=len(ledger),
        snapshot=len(cut.untold) if first is not None else 0,
        events=len(said),
        states=sum(1 for t in told if not t.happening),
        transactions=len({t.commit for t in said}),
        differences=tuple(differences[:_MOST]),
        differing=len(differences),
        seconds=round(seconds, 1),
    )


def _by_subject(said: Iterable[Told]) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = defaultdict(list)
    for event in said:
        found[event.subject].append(event)
    return found


def _twice(said: Sequence[Told]) -> list[str]:
    counted = Counter(str(t.event["id"]) for t in said)
    return [f"said {n} times: the event {name}" for name, n in counted.items() if n > 1]


def _out_of_place(said: Sequence[Told]) -> list[str]:
    """In each partition the events stand in the order of the source log."""
    found: list[str] = []
    last: dict[tuple[str, int], int] = {}
    for event in said:
        place = event.topic, event.partition
        if event.at < last.get(place, 0):
            found.append(f"out of order: {event.event['id']} in {event.topic}/{event.partition}@{event.offset}")
        last[place] = max(event.at, last.get(place, 0))
    return found


def _compared(subject: str, happenings: Sequence[Happening], events: Sequence[Told]) -> list[str]:
    expected, found = [h.type for h in happenings], [t.type for t in events]
    if expected != found:
        return [f"{subject}: the ledger says {', '.join(expected) or 'nothing'}; told is {', '.join(found)}"]
    return [
        f"{subject}: {h.type} tells other values than the ledger"
        for h, t in zip(happenings, events, strict=True)
        if {name: t.event["data"].get(name) for name in h.data} != h.data
    ]


def _torn(later: dict[str, list[Happening]], found: dict[str, list[Told]]) -> list[str]:
    """Find transactions of the shop that are told as more than one commit, and commits that tell more than one."""
    commits: dict[int, set[str]] = defaultdict(set)
    transactions: dict[str, set[int]] = defaultdict(set)
    for subject, happenings in later.items():
        for happening, event in zip(happenings, found[subject], strict=False):
            commits[happening.tx].add(event.commit)
            transactions[event.commit].add(happening.tx)
    torn = [f"transaction {tx} of the shop is told as {len(c)} commits" for tx, c in commits.items() if len(c) > 1]
    return torn + [f"the commit {c} tells {len(t)} transactions" for c, t in transactions.items() if len(t) > 1]
