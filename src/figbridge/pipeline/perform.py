"""Carry verdicts out as records: the owner's word, the shadow's, quarantine, dead letters. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple, assert_never

import msgspec

from figbridge.domain.claim import Claim
from figbridge.domain.event import event_id
from figbridge.domain.verdict import Decision, Verdict
from figbridge.mapping.values import iso_us
from figbridge.pipeline.letters import Letter
from figbridge.pipeline.waiting import Origin
from figbridge.ports import CONTENT_TYPE, Outgoing

Encode = Callable[..., bytes]
"""Encode an event: see figbridge.adapters.cloudevents.encode."""

_PUBLISH: Final = Verdict.PUBLISH
_new: Final = tuple.__new__


@dataclass(frozen=True, slots=True)
class Topics:
    """Name the topics that the bridge writes and reads besides source logs."""

    prefix: str = "figbridge"

    def log(self, source: str) -> str:
        """Return the source log of a source."""
        return f"{self.prefix}.{source}.log"

    def domain(self, aggregate: str) -> str:
        """Return the domain topic of an aggregate type."""
        return f"{self.prefix}.domain.{aggregate.lower()}"

    def shadow(self, aggregate: str) -> str:
        """Return the shadow topic of an aggregate type."""
        return f"{self.prefix}.shadow.{aggregate.lower()}"

    @property
    def quarantine(self) -> str:
        """Return the topic of words that nobody may say."""
        return f"{self.prefix}.quarantine"

    @property
    def dead_letters(self) -> str:
        """Return the topic of records that cannot be used."""
        return f"{self.prefix}.dead-letters"

    @property
    def control(self) -> str:
        """Return the topic of people's decisions, which the bridge reads."""
        return f"{self.prefix}.control"


class Said(NamedTuple):
    """The claims of one transaction, and where it came from."""

    origin: Origin
    claims: Sequence[Claim]
    before: Mapping[tuple[str, str], int] = {}
    """How often each happening (event type or fact, subject) was said of this transaction before."""


class Performed(NamedTuple):
    """One decision with the id of its event and the record that carries it out, if any."""

    origin: Origin
    decision: Decision
    event_id: str
    record: Outgoing | None


class Performer:
    """Make records of decisions. `source_epochs` is raised when a source's database is restored or replaced.

    `source_of` names the source that a stream is a part of: a happening has the id that it would have without streams.
    """

    def __init__(
        self,
        encode: Encode,
        topics: Topics,
        source_epochs: dict[str, int] | None = None,
        source_of: Callable[[str], str] = str,
    ) -> None:
        self._encode = encode
        self._topics = topics
        self._epochs = source_epochs or {}
        self._source_of = source_of
        self._domain = cache(topics.domain)

    def perform(self, said: Said, decisions: Sequence[Decision]) -> list[Performed]:
        """Return each decision of a transaction with its record; state events of one unit and owner are one record."""
        origin = said.origin
        time = iso_us(origin.at_us)
        at_ms = origin.at_us // 1000
        position = f"{origin.topic}/{origin.partition}@{origin.offset}"
        source = self._source_of(origin.source)
        head = f"{source}.{self._epochs.get(source, 1)}:{origin.commit}"
        encode, domain, seen = self._encode, self._domain, dict(said.before)
        found = origin.recovered or None
        performed: list[Performed] = []
        groups = _grouped(decisions) if decisions and decisions[0].claim.state else zip(decisions)
        for group in groups:
            decision = group[0]
            claim, verdict, _, epoch, _ = decision
            speaker, (fact, scope), aggregate, subject, event, _, _, _, _, mapping, version, _ = claim
            kind = fact if event is None else event.type
            happening = (kind, subject)
            if happening in seen:
                nth = seen[happening] = seen[happening] + 1
            else:
                nth = seen[happening] = 1
            identity = event_id(head, kind, subject, nth)
            record = None
            if verdict is _PUBLISH:
                topic, data, word = domain(aggregate), _told(group), None
            else:
                topic, data, word = self._elsewhere(group, origin)
            if topic:
                if len(group) > 1:
                    fact = " ".join(d.claim.cell.fact for d in group)
                value = encode(
                    identity,
                    speaker,
                    kind,
                    subject,
                    time,
                    fact,
                    scope,
                    epoch,
                    mapping,
                    version,
                    position,
                    data,
                    word,
                    found,
                )
                record = _new(Outgoing, (topic, subject.encode(), value, CONTENT_TYPE, at_ms, None))
            performed.append(_new(Performed, (origin, decision, identity, record)))
            if len(group) > 1:
                performed += (Performed(origin, other, identity, None) for other in group[1:])
        return performed

    def _elsewhere(self, group: Sequence[Decision], origin: Origin) -> tuple[str, Mapping[str, Any], str | None]:
        """Return topic, data and word of what is not published; no topic for what leaves no record."""
        decision = group[0]
        match decision.verdict:
            case Verdict.SHADOW:
                topic, data = self._topics.shadow(decision.claim.aggregate), _told(group)
            case Verdict.UNAUTHORISED | Verdict.PARKED:
                topic, data = self._topics.quarantine, _quarantined(decision, origin)
            case Verdict.NO_OP | Verdict.SILENT | Verdict.PUBLISH:
                topic, data = "", {}
            case _:
                assert_never(decision.verdict)
        return topic, data, decision.verdict.value

    def dead(self, letter: Letter) -> Outgoing:
        """Return the record of a dead letter."""
        return Outgoing(self._topics.dead_letters, None, msgspec.json.encode(letter), (), letter.at_us // 1000)


def _grouped(decisions: Iterable[Decision]) -> Iterator[list[Decision]]:
    """Put the state claims of one unit that have one verdict and owner together; all others stand alone."""
    group: list[Decision] = []
    for decision in decisions:
        if group and not (decision.claim.state and _same(group[0], decision)):
            yield group
            group = []
        if decision.claim.state:
            group.append(decision)
        else:
            yield [decision]
    if group:
        yield group


def _same(a: Decision, b: Decision) -> bool:
    return a.verdict == b.verdict and a.owner == b.owner and a.claim.subject == b.claim.subject


def _told(group: Sequence[Decision]) -> Mapping[str, Any]:
    """Return the data of an event; that of all its facts, for a snapshot's."""
    event = group[0].claim.event
    assert event is not None
    if len(group) == 1:
        return event.data
    data: dict[str, Any] = {}
    for decision in group:
        if decision.claim.event is not None:
            data.update(decision.claim.event.data)
    return data


def _quarantined(decision: Decision, origin: Origin) -> dict[str, Any]:
    """Return what a person needs to judge an unauthorised word: before and after, transaction, owner."""
    claim = decision.claim
    return {
        "speaker": claim.speaker,
        "owner": decision.owner,
        "why": decision.why,
        "before": claim.was,
        "after": claim.now,
        "event": None if claim.event is None else {"type": claim.event.type, "data": claim.event.data},
        "transaction": {"source": origin.source, "commit": origin.commit, "position": str(origin.position)},
    }
