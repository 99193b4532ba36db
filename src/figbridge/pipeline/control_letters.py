"""Carry out decisions on dead letters: process their records again, or settle that nothing is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from figbridge.pipeline.bench import Bench
from figbridge.pipeline.letters import SPACE, Letter
from figbridge.pipeline.redo import NotAgain, again, changed_since, looked_at
from figbridge.pipeline.translate import Translated
from figbridge.pipeline.waiting import NOWHERE
from figbridge.ports import Entry, Record
from figbridge.telemetry.events import LogEvent

ACTIONS = ("letter-replay", "letter-discard")


class LetterDecision(msgspec.Struct, frozen=True):
    """One decision on the dead letters of one source transaction: who, what, why, when (ISO 8601, for people)."""

    action: Literal["letter-replay", "letter-discard"]
    letters: list[Letter]
    by: str
    reason: str
    at: str
    clear_to: int = 0
    """Up to this offset the command has seen that nothing changed since what a replay looks at."""


class LetterOutcome(msgspec.Struct, frozen=True):
    """What a decision came to. `state` is that of the letter after it."""

    state: Literal["open", "replayed", "discarded"]
    by: str
    reason: str
    at: str
    code: str = ""
    """Why a replay was not carried out; empty when it was."""
    why: str = ""
    claims: int = 0
    parked: list[str] = []
    """Keys that were parked because their change still cannot be judged."""


read_outcome = msgspec.json.Decoder(LetterOutcome).decode


class LetterCarrier:
    """Carry out decisions on dead letters, each letter's fate once."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._decode = msgspec.json.Decoder(LetterDecision).decode
        self._entries: list[Entry] = []
        self._settled: set[str] = set()

    def take(self, record: Record) -> Iterator[Translated]:
        """Take one decision; yield what a replay says."""
        decision = self._decode(record.value or b"")
        if not decision.letters:
            return
        topic = decision.letters[0].place.topic
        read_to = self._bench.read_to(topic)
        if read_to is None:
            return  # another process holds that source, and reads the same decision
        settled = [letter.position for letter in decision.letters if self._is_settled(letter)]
        said = Translated(NOWHERE)
        if settled:
            why = f"{settled[0]} was replayed or discarded before"
            outcome = LetterOutcome("open", *_who(decision), "SETTLED", why)
        elif decision.action == "letter-discard":
            outcome = LetterOutcome("discarded", *_who(decision))
        else:
            found = self._replay(decision, read_to)
            if isinstance(found, NotAgain):
                outcome = LetterOutcome("open", *_who(decision), found.code, found.why)
            else:
                said = found
                outcome = LetterOutcome(
                    "replayed", *_who(decision), claims=len(said.claims), parked=sorted(said.parked)
                )
        said.news = self._note(record, decision, outcome)
        yield said

    def _replay(self, decision: LetterDecision, read_to: int) -> Translated | NotAgain:
        bench = self._bench
        transaction = again(decision.letters, bench.plan, bench.edge)
        if isinstance(transaction, NotAgain):
            return transaction
        looked = looked_at(transaction, bench.plan, bench.memory)
        start = max(decision.clear_to, transaction.start)
        changed = changed_since(transaction, looked, bench.edge, start, read_to)
        if changed is not None:
            return changed
        said = bench.translators[transaction.position.topic].translate(transaction)
        said.raised = len(transaction.rows)
        return said

    def _is_settled(self, letter: Letter) -> bool:
        if letter.position in self._settled:
            return True
        found = self._bench.state.read(SPACE, [letter.position]).get(letter.position, {})
        return any(read_outcome(value).state != "open" for value in found.values())

    def _note(self, record: Record, decision: LetterDecision, outcome: LetterOutcome) -> list[Any]:
        news = []
        for letter in decision.letters:
            if outcome.state != "open":
                self._settled.add(letter.position)
            value = msgspec.json.encode(outcome)
            self._entries.append(Entry(SPACE, letter.position, f"{record.offset:020}", value))
            told = {"position": letter.position, "state": outcome.state, "code": outcome.code, "claims": outcome.claims}
            news.append((LogEvent.LETTER_DECIDED, told))
        return news

    def entries(self) -> Iterator[Entry]:
        """Yield what the next commit must write."""
        yield from self._entries

    def committed(self) -> None:
        """Note that everything was written."""
        self._entries.clear()
        self._settled.clear()


def _who(decision: LetterDecision) -> tuple[str, str, str]:
    return decision.by, decision.reason, decision.at
