"""Dead letters from outside: list them, look at one, and send decisions to the bridge that holds their source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from figbridge.errors import Refused
from figbridge.mapping.compiler import Plan
from figbridge.operations.dead_reasons import EXPLANATIONS, WAYS_OUT
from figbridge.operations.shares import state_of
from figbridge.pipeline.control_letters import LetterDecision, LetterOutcome, read_outcome
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.letters import SPACE, Letter, read_letter, recall
from figbridge.pipeline.memory import RowMemory
from figbridge.pipeline.perform import Topics
from figbridge.pipeline.redo import NotAgain, again, changed_at, looked_at
from figbridge.ports import Log, Outgoing, Record, State, TopicPartition

Watch = Callable[[Iterable[Record], int], Iterator[Record]]
"""Pass records through and show how it goes; the number is how many there are."""


@dataclass(frozen=True, slots=True)
class LetterStatus:
    """One letter with its state: open, replayed or discarded, and how its newest decision ended."""

    position: str
    reason: str
    detail: str
    source: str
    state: str
    at_us: int
    """Commit time of its transaction, microseconds since 1970; 0 outside any."""
    letter: Letter = field(repr=False)
    decisions: tuple[LetterOutcome, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterShown:
    """One letter for a person: what it means, what was decided, and the next command."""

    status: LetterStatus
    explanation: str
    next: tuple[str, ...]
    record: dict[str, Any] | None
    """Key and value of the dead record, only when they are asked for."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One decision as it was sent: the letters of one source transaction."""

    action: str
    positions: tuple[str, ...]


def list_letters(
    log: Log, group: str, topics: Topics, *, state: str = "", reason: str = "", source: str = ""
) -> Iterator[LetterStatus]:
    """Yield the dead letters in the order in which they were written; filters that are empty let everything pass."""
    decided = _decided(state_of(log, group))
    for letter in _letters(log, topics):
        found = _status(letter, decided.get(letter.position, ()))
        if state in ("", found.state) and reason in ("", letter.reason) and source in ("", letter.source):
            yield found


def count_letters(log: Log, group: str, dead: int) -> tuple[int, int]:
    """Return how many letters a group has written, and how many of them nobody has settled, without reading them.

    `dead` is the account's line: a record that was replayed has left it, a discarded one stays. Ends of topics say
    nothing of it: on brokers the marks of transactions take offsets, too.
    """
    states = Counter(_state(outcomes) for outcomes in _decided(state_of(log, group)).values())
    return dead + states["replayed"], max(0, dead - states["discarded"])


def show_letter(log: Log, group: str, topics: Topics, edge: Edge, position: str, *, values: bool) -> LetterShown:
    """Return one letter with its explanation. Raises Refused for a position without a letter."""
    (found,) = _named(log, group, topics, [position])
    letter = found.letter
    ways = [f"figbridge explain {position}"]
    if found.state == "open":
        ways += [f"figbridge dead-letters {action} {position} --reason '…'" for action in ("replay", "discard")]
    record = recall(letter, edge.vault, edge.history) if values else None
    shown = None if record is None else {"key": _text(record.key), "value": _text(record.value)}
    explanation = EXPLANATIONS.get(letter.reason, "An older or newer version of figbridge knows this reason.")
    return LetterShown(found, explanation, tuple(ways), shown)


def discard(
    log: Log, group: str, topics: Topics, positions: Sequence[str], *, by: str, reason: str, at: str
) -> list[Sent]:
    """Settle that nothing is said of dead records. Raises Refused, with nothing sent, when one has no open letter."""
    _require_reason(reason)
    letters = [found.letter for found in _open(_named(log, group, topics, positions))]
    decisions = [LetterDecision("letter-discard", [letter], by, reason, at) for letter in letters]
    return _send(log, topics, decisions)


def replay(
    log: Log,
    group: str,
    topics: Topics,
    plan: Plan,
    edge: Edge,
    positions: Sequence[str],
    *,
    by: str,
    reason: str,
    at: str,
    watch: Watch = lambda records, _: iter(records),
) -> list[Sent]:
    """Have the bridge process dead records again, each with all that is dead of its transaction.

    Raises Refused, with nothing sent, when one has no open letter or cannot be replayed safely.
    """
    _require_reason(reason)
    everything = list(list_letters(log, group, topics))
    wanted = _open(_pick(everything, positions))
    still_open = [each for each in everything if each.state != "replayed"]
    memory = RowMemory(plan, state_of(log, group))
    committed = {topic: offset for (topic, _), offset in log.committed(group).items()}
    decisions: list[LetterDecision] = []
    taken: set[str] = set()
    for status in sorted(wanted, key=lambda each: each.letter.place):
        if status.position in taken:
            continue
        letters = _beside(status.letter, [each.letter for each in everything if each.state == "open"])
        taken |= {letter.position for letter in letters}
        transaction = again(letters, plan, edge)
        if isinstance(transaction, NotAgain):
            raise _refused(status.position, transaction)
        topic = transaction.position.topic
        end = committed.get(topic, 0)
        dead = {each.letter.place.offset for each in still_open if each.letter.place.topic == topic}
        looked = looked_at(transaction, plan, memory)
        records = watch(edge.history(topic, transaction.start, end), end - transaction.start)
        found = looked.first_change((r for r in records if r.offset not in dead), edge.decoder(topic))
        if found is not None:
            raise _refused(status.position, changed_at(found))
        decisions.append(LetterDecision("letter-replay", letters, by, reason, at, end))
    return _send(log, topics, decisions)


def _beside(letter: Letter, others: Iterable[Letter]) -> list[Letter]:
    """Return what is dead of a letter's transaction: a transaction is processed as a whole, or not at all."""
    if not letter.tx:
        return [letter]
    found = {each.position: each for each in others if (each.source, each.end) == (letter.source, letter.end)}
    return sorted(found.values(), key=lambda each: each.place.offset)


def _letters(log: Log, topics: Topics) -> Iterator[Letter]:
    for place, end in sorted(log.ends([topics.dead_letters]).items()):
        at = 0
        while at < end and (found := log.read(TopicPartition(*place), at, 1000)):
            yield from (read_letter(record.value or b"{}") for record in found)
            at = found[-1].offset + 1


def _decided(state: State) -> dict[str, tuple[LetterOutcome, ...]]:
    found: dict[str, list[LetterOutcome]] = {}
    for position, _, value in state.scan(SPACE):
        found.setdefault(position, []).append(read_outcome(value))
    return {position: tuple(outcomes) for position, outcomes in found.items()}


def _state(outcomes: Iterable[LetterOutcome]) -> str:
    return next((outcome.state for outcome in outcomes if outcome.state != "open"), "open")


def _status(letter: Letter, outcomes: tuple[LetterOutcome, ...]) -> LetterStatus:
    return LetterStatus(
        letter.position, letter.reason, letter.detail, letter.source, _state(outcomes), letter.at_us, letter, outcomes
    )


def _named(log: Log, group: str, topics: Topics, positions: Sequence[str]) -> list[LetterStatus]:
    return _pick(list_letters(log, group, topics), positions)


def _pick(letters: Iterable[LetterStatus], positions: Sequence[str]) -> list[LetterStatus]:
    found = {each.position: each for each in letters if each.position in positions}
    for position in positions:
        if position not in found:
            text = f"there is no dead letter of the record at {position}"
            raise Refused(text, hint="figbridge dead-letters list", code="LET001")
    return [found[position] for position in positions]


def _open(letters: Iterable[LetterStatus]) -> list[LetterStatus]:
    found = list(letters)
    for each in found:
        if each.state != "open":
            hint = f"figbridge dead-letters show {each.position}"
            raise Refused(f"{each.position} is {each.state}", hint=hint, code="LET002")
    return found


def _refused(position: str, why: NotAgain) -> Refused:
    return Refused(
        f"{position} cannot be replayed: {why.code}, {why.why}", hint=WAYS_OUT[why.code], code="LET004", why=why.code
    )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("a decision needs a reason", hint="--reason '…'", code="PRK002")


def _send(log: Log, topics: Topics, decisions: Sequence[LetterDecision]) -> list[Sent]:
    log.create(topics.control)
    log.append([Outgoing(topics.control, d.letters[0].position.encode(), msgspec.json.encode(d)) for d in decisions])
    return [Sent(_ACTION[d.action], tuple(letter.position for letter in d.letters)) for d in decisions]


_ACTION: dict[str, Literal["replay", "discard"]] = {"letter-replay": "replay", "letter-discard": "discard"}


def _text(part: bytes | None) -> str | None:
    return None if part is None else part.decode("utf-8", "replace")
