"""People's decisions: read from the control topic, in order, and done in the commit they are read in.

So a command never writes the bridge's state behind its back, and every decision is attributed for ever. Decisions on
parked keys are carried out here; those on dead letters and on holes by carriers of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal, Protocol

import msgspec

from figbridge.mapping.judged import Park
from figbridge.pipeline.parking import ParkingLot
from figbridge.pipeline.translate import Translated, happenings, release
from figbridge.pipeline.waiting import Origin
from figbridge.ports import Entry, Record

_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


class Decision(msgspec.Struct, frozen=True):
    """One decision on one parked key: who, what, why, when (ISO 8601, for people)."""

    action: Literal["release", "discard"]
    key: str
    by: str
    reason: str
    at: str


class Carrier(Protocol):
    """Carry out decisions of one kind."""

    def take(self, record: Record) -> Iterator[Translated]:
        """Take one decision; yield what it makes the bridge say. Raises what msgspec raises for an unreadable one."""

    def entries(self) -> Iterator[Entry]:
        """Yield what the next commit must write."""

    def committed(self) -> None:
        """Note that everything was written."""


class _Head(msgspec.Struct):
    action: str


class Control:
    """Carry out decisions; `carriers` is action → who carries it out, for all but those on parked keys."""

    def __init__(self, parking: ParkingLot, carriers: Mapping[str, Carrier]) -> None:
        self._parking = parking
        self._carriers = carriers
        self._head = msgspec.json.Decoder(_Head).decode
        self._decode = msgspec.json.Decoder(Decision).decode
        self._entries: list[Entry] = []
        self._read = 0

    def take(self, record: Record) -> Iterator[Translated]:
        """Take one decision; yield what it makes the bridge say, in its order."""
        self._read += 1
        try:
            carrier = self._carriers.get(self._head(record.value or b"").action)
            yield from carrier.take(record) if carrier is not None else self._parked(record)
        except _UNREADABLE:
            self._entries.append(Entry("decisions", "unreadable", f"{record.offset:020}", record.value or b""))

    def _parked(self, record: Record) -> Iterator[Translated]:
        """Take a decision on a parked key; yield what released changes say, up to one that still cannot be judged."""
        decision = self._decode(record.value or b"")
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
        self._entries.append(Entry("decisions", decision.key, f"{record.offset:020}", msgspec.json.encode(outcome)))

    def read(self) -> int:
        """Take the number of decisions read since the last call."""
        read, self._read = self._read, 0
        return read

    def entries(self) -> Iterator[Entry]:
        """Yield what the next commit must write."""
        yield from self._entries
        for carrier in self._each():
            yield from carrier.entries()

    def committed(self) -> None:
        """Note that everything was written."""
        self._entries.clear()
        for carrier in self._each():
            carrier.committed()

    def _each(self) -> list[Carrier]:
        return list({id(carrier): carrier for carrier in self._carriers.values()}.values())
