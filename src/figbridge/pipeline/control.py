"""People's decisions on parked keys: read from the control topic, in order, and done in the commit they are read in.

So a command never writes the bridge's state behind its back, and every decision is attributed for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

import msgspec

from figbridge.mapping.judged import Park
from figbridge.pipeline.parking import ParkingLot
from figbridge.pipeline.translate import Translated, happenings, release
from figbridge.pipeline.waiting import Origin
from figbridge.ports import Entry, Record


class Decision(msgspec.Struct, frozen=True):
    """One decision on one parked key: who, what, why, when (ISO 8601, for people)."""

    action: Literal["release", "discard"]
    key: str
    by: str
    reason: str
    at: str


class Control:
    """Carry out decisions on parked keys."""

    def __init__(self, parking: ParkingLot) -> None:
        self._parking = parking
        self._decode = msgspec.json.Decoder(Decision).decode
        self._entries: list[Entry] = []
        self._read = 0

    def take(self, record: Record) -> Iterator[Translated]:
        """Take one decision; yield what released changes say, in their order, up to one that still cannot be judged."""
        self._read += 1
        member = f"{record.offset:020}"
        try:
            decision = self._decode(record.value or b"")
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._entries.append(Entry("decisions", "unreadable", member, record.value or b""))
            return
        done, left = 0, ""
        origin: Origin | None = None
        told: Counter[tuple[str, str]] = Counter()
        for name, waiting in self._parking.waiting(decision.key):
            if waiting.origin != origin:
                origin, told = waiting.origin, Counter()
            if decision.action == "release":
                said = release(self._parking.thaw(waiting, told))
                if isinstance(said, Park):
                    left = f"{said.code}: {said.why}"
                    self._parking.said(decision.key, origin, told)
                    break
                yield said
                told.update(happenings(said.claims))
            self._parking.remove(decision.key, name)
            done += 1
        outcome = {**msgspec.to_builtins(decision), "done": done, "still_parked": left}
        self._entries.append(Entry("decisions", decision.key, member, msgspec.json.encode(outcome)))

    def read(self) -> int:
        """Take the number of decisions read since the last call."""
        read, self._read = self._read, 0
        return read

    def entries(self) -> Iterator[Entry]:
        """Yield what the next commit must write."""
        yield from self._entries

    def committed(self) -> None:
        """Note that everything was written."""
        self._entries.clear()
