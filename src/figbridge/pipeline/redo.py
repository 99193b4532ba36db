"""Process dead records again, as their transaction would have been processed: the same ids, the same verdicts.

The unit is what is dead of one source transaction. It is refused, never guessed at, when a record is still dead, when
the transaction never ended, or when something that judging it looks at has changed since (docs/adr/0025).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from figbridge.domain.change import Dead, Op, Position, RowChange
from figbridge.mapping.compiler import Plan
from figbridge.pipeline.collect import Transaction
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.footprint import Footprint, footprint
from figbridge.pipeline.letters import Letter, position_of, recall
from figbridge.pipeline.memory import RowMemory
from figbridge.pipeline.translate import service_claim


@dataclass(frozen=True, slots=True)
class NotAgain:
    """Why dead records cannot be processed again: a stable code, and the reason in words without any value."""

    code: str
    why: str


def again(letters: Sequence[Letter], plan: Plan, edge: Edge) -> Transaction | NotAgain:
    """Return the dead records of one transaction as a transaction, decoded with the mappings as they are now."""
    first = letters[0]
    if any(letter.reason == "NEVER_ENDED" for letter in letters):
        return NotAgain("NEVER_ENDED", "its transaction has no END: whether it was committed is not in the log")
    if first.start < 0 or not first.end:
        return NotAgain("NO_PLACE", "the letter does not say where its transaction stands: an older version wrote it")
    decode = edge.decoder(first.place.topic)
    rows: list[RowChange] = []
    for letter in sorted(letters, key=lambda each: each.place.offset):
        record = recall(letter, edge.vault, edge.history)
        if record is None:
            return NotAgain("GONE", f"the source log has no record at {letter.position} any more")
        decoded = decode(record)
        if isinstance(decoded, Dead):
            return NotAgain("STILL_DEAD", f"{letter.position}: {decoded.reason}, {decoded.detail}")
        if not isinstance(decoded, RowChange):
            return NotAgain("NOT_A_ROW", f"{letter.position} is no row of a table that a mapping uses now")
        service = plan.tables[decoded.shape.table].service
        claim = service_claim(service, decoded) if service is not None and decoded.op == Op.CREATE else None
        if isinstance(claim, Dead):
            return NotAgain("STILL_DEAD", f"{letter.position}: {claim.reason}, {claim.detail}")
        if (decoded.tx or "") != first.tx and decoded.op != Op.READ:
            return NotAgain("ANOTHER_TRANSACTION", f"{letter.position} says now that it is of another transaction")
        rows.append(decoded)
    if rows[0].op == Op.READ or rows[0].tx is None:
        row = rows[0]
        place, at_us, snapshot = str(row.detail.place), row.detail.at_us, row.op == Op.READ
        return Transaction("", place, at_us, row.position, rows[:1], snapshot=snapshot, start=row.at[2])
    return Transaction(first.tx, first.commit, first.at_us, position_of(first.end), rows, start=first.start)


def looked_at(transaction: Transaction, plan: Plan, memory: RowMemory) -> Footprint:
    """Return what judging the transaction looks at, by what is remembered now."""
    return footprint(transaction.rows, plan, memory)


def changed_since(transaction: Transaction, looked: Footprint, edge: Edge, start: int, end: int) -> NotAgain | None:
    """Say whether something that judging looks at was changed by another record from `start` to before `end`."""
    topic = transaction.position.topic
    own = {row.at[2] for row in transaction.rows}
    records = (r for r in edge.history(topic, start, end) if r.offset not in own)
    found = looked.first_change(records, edge.decoder(topic))
    return None if found is None else changed_at(found)


def changed_at(position: Position) -> NotAgain:
    """Say that a change at a position is in the way."""
    return NotAgain("CHANGED_SINCE", f"the row or its aggregate was changed by another record, at {position}")
