"""Carry out what a check of the database found, and what a person accepts: so replays of the logs find the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from figbridge.domain.change import Key, Op, RowChange
from figbridge.pipeline.bench import Bench
from figbridge.pipeline.footprint import Footprint
from figbridge.pipeline.holes import SPACE, SUSPECTS, Found, HoleDecision, HoleOutcome, Named, members_at
from figbridge.pipeline.letters import position_of
from figbridge.pipeline.translate import Translated
from figbridge.pipeline.waiting import NOWHERE, Origin
from figbridge.ports import Entry, Record
from figbridge.telemetry.events import LogEvent

ACTIONS = ("hole-recover", "hole-accept")


class HoleCarrier:
    """Carry out decisions on suspects. What is settled once is not settled again; rows are taken in all the same."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._decode = msgspec.json.Decoder(HoleDecision).decode
        self._entries: list[Entry] = []

    def take(self, record: Record) -> Iterator[Translated]:
        """Take one decision; yield the state of what it recovers."""
        decision = self._decode(record.value or b"")
        place = position_of(decision.hole)
        read_to = self._bench.read_to(place.topic)
        if read_to is None:
            return  # another process holds that source, and reads the same decision
        said = Translated(NOWHERE)
        named: list[Named] = []
        if decision.rows:
            said, named = self._recover(decision, place.topic, read_to, record.offset)
        state = "accepted" if decision.action == "hole-accept" else "case" if decision.case else "closed"
        if not decision.last:
            state = "open"
        outcome = HoleOutcome(
            state,  # type: ignore[arg-type] # one of the four
            decision.by, decision.reason, decision.at, decision.method,
            len(decision.rows) - len(named), named, decision.gone, decision.case,
        )  # fmt: skip
        self._note(record, decision, place.offset, outcome)
        said.news = ((LogEvent.HOLE_CHECKED, _news(decision, outcome)),)
        yield said

    def _recover(self, decision: HoleDecision, topic: str, read_to: int, offset: int) -> tuple[Translated, list[Named]]:
        """Take rows in, but for those that the log has a later change of, or that no mapping uses any more."""
        bench = self._bench
        changed = self._changed_since(decision, topic, read_to)
        rows: list[RowChange] = []
        named: list[Named] = []
        for found in decision.rows:
            table = bench.plan.tables.get(found.table)
            key = _key(found, () if table is None else table.shape.key)
            if table is None or (found.table, key) in changed:
                named.append(Named(found.table, list(key)))
                continue
            before = bench.memory.row(found.table, key)
            now = table.shape.row(found.cells)
            at = (topic, 0, decision.compared_to)
            rows.append(RowChange(table.shape, Op.READ if before is None else Op.UPDATE, before, now, at, None, None))
        origin = Origin(
            decision.source, f"recovered.{offset}", decision.at_us, topic, 0, decision.compared_to, decision.hole
        )
        said = bench.translators[topic].recover(rows, origin)
        named += (
            Named(row.shape.table, list(row.shape.key_of(row.after))) for row in map(rows.__getitem__, said.untold)
        )
        return said, named

    def _changed_since(self, decision: HoleDecision, topic: str, read_to: int) -> set[tuple[str, Key]]:
        """Return the rows that were changed by records that the check could not see."""
        keys = {
            (found.table, _key(found, self._bench.plan.tables[found.table].shape.key))
            for found in decision.rows
            if found.table in self._bench.plan.tables
        }
        decode = self._bench.edge.decoder(topic)
        changed: set[tuple[str, Key]] = set()
        for later in self._bench.edge.history(topic, decision.compared_to, read_to):
            decoded = decode(later)
            if type(decoded) is RowChange:
                changed |= {place for place in keys if Footprint(self._bench.plan, {place}).touched_by(decoded)}
        return changed

    def _note(self, record: Record, decision: HoleDecision, offset: int, outcome: HoleOutcome) -> None:
        value = msgspec.json.encode(outcome)
        self._entries.append(Entry(SPACE, decision.hole, f"{record.offset:020}", value))
        if outcome.state in ("closed", "accepted"):
            members = self._bench.state.read(SUSPECTS, [decision.source]).get(decision.source, {})
            self._entries += (Entry(SUSPECTS, decision.source, m, None) for m in members_at(offset, members))

    def entries(self) -> Iterator[Entry]:
        """Yield what the next commit must write."""
        yield from self._entries

    def committed(self) -> None:
        """Note that everything was written."""
        self._entries.clear()


def _key(found: Found, columns: Iterable[str]) -> Key:
    return tuple(found.cells.get(column) for column in columns)


def _news(decision: HoleDecision, outcome: HoleOutcome) -> dict[str, object]:
    return {
        "source": decision.source, "position": decision.hole, "state": outcome.state, "method": decision.method,
        "recovered": outcome.recovered, "named": len(outcome.named), "gone": len(decision.gone),
    }  # fmt: skip
