"""Dead letters: all that is needed to find a dead record again and to process it as it would have been then.

A letter names the record by its position in the source log. The payload is in the letter only if the vault keeps it
there: encrypted, or in clear where the mapping declares every column of the table safe (docs/adr/0025).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from figbridge.domain.change import Dead, Position
from figbridge.pipeline.collect import Transaction
from figbridge.pipeline.waiting import Origin
from figbridge.ports import Record

SPACE = "letters"
"""In the state: position of the record → member → what was decided about its letter, one member for each decision."""


class Letter(msgspec.Struct, frozen=True):
    """One dead letter. The fields after `position` have defaults for letters of versions that did not write them."""

    reason: str
    detail: str
    source: str
    position: str
    """Topic/partition@offset of the record: the letter's name."""
    tx: str = ""
    """The transaction that the record stands in; empty outside any."""
    commit: str = ""
    """Commit position of the transaction, as in the ids of its events."""
    at_us: int = 0
    start: int = -1
    """Offset of the transaction's first record; -1 when it has no END, or the letter's version did not write it."""
    end: str = ""
    """Position of the transaction's END: where its claims are judged."""
    mappings: dict[str, int] = {}
    """Name → version of the mappings that speak about the record's table; of all when the table is not known."""
    payload: dict[str, Any] = {}
    """What the vault kept of the record; empty by reference."""

    @property
    def place(self) -> Position:
        """Return the position of the record."""
        return position_of(self.position)


read_letter = msgspec.json.Decoder(Letter).decode


def position_of(text: str) -> Position:
    """Return the position that a text names. Raises ValueError for a text that names none.

    >>> position_of("figbridge.legacy.log/0@12")
    Position(topic='figbridge.legacy.log', partition=0, offset=12)
    """
    place, _, offset = text.rpartition("@")
    topic, _, partition = place.rpartition("/")
    if not topic:
        raise ValueError("not topic/partition@offset")
    return Position(topic, int(partition), int(offset))


class About(NamedTuple):
    """What can be said of a row's record without a mapping: its table, and the columns that it carries, if any."""

    table: str
    columns: frozenset[str]


class Vault(Protocol):
    """What a letter keeps of its record. Makes nothing of values but what it returns."""

    def keep(self, record: Record, *, safe: bool) -> dict[str, Any]:
        """Return what the letter shall hold; `safe` when every column of the record may be shown in clear."""

    def open(self, kept: Mapping[str, Any], place: Position) -> Record | None:
        """Return the record that was kept; None when nothing was. Raises Refused when it cannot be opened."""


class ByReference:
    """Keep nothing: the source log has the record."""

    def keep(self, record: Record, *, safe: bool) -> dict[str, Any]:  # noqa: ARG002 — the protocol's
        """Return nothing."""
        return {}

    def open(self, kept: Mapping[str, Any], place: Position) -> Record | None:  # noqa: ARG002 — the protocol's
        """Return nothing."""
        return None


History = Callable[[str, int, int], Iterable[Record]]
"""Read a source log again: topic, first offset, offset after the last. Records that are gone are left out."""


def no_history(topic: str, start: int, end: int) -> Iterable[Record]:  # noqa: ARG001 — what a log would be asked
    """Give nothing: there is no log to read again."""
    return ()


def recall(letter: Letter, vault: Vault, history: History) -> Record | None:
    """Return the record of a letter: out of the letter, else out of the source log; None when it is in neither."""
    place = letter.place
    kept = vault.open(letter.payload, place)
    if kept is not None:
        return kept
    return next((r for r in history(place.topic, place.offset, place.offset + 1) if r.offset == place.offset), None)


_CHUNK: Final = 200


class LetterWriter:
    """Write the letters of one process."""

    def __init__(
        self,
        vault: Vault,
        history: History,
        about: Callable[[Record], About | None],
        versions: Callable[[str | None], dict[str, int]],
        safe: Mapping[str, frozenset[str]],
    ) -> None:
        self._vault = vault
        self._history = history
        self._about = about
        self._versions = versions
        self._safe = safe
        self._topic = ""
        self._near: dict[int, Record] = {}

    def write(self, dead: Dead, origin: Origin, transaction: Transaction | None) -> Letter:
        """Return the letter of a dead record."""
        place = dead.position
        record = self._record(place)
        about = None if record is None else self._about(record)
        safe = about is not None and about.columns and about.columns <= self._safe.get(about.table, frozenset())
        return Letter(
            dead.reason,
            dead.detail,
            origin.source,
            str(place),
            tx=transaction.tx if transaction is not None else dead.tx or "",
            commit=origin.commit,
            at_us=origin.at_us,
            start=transaction.start if transaction is not None else -1,
            end=str(origin.position),
            mappings=self._versions(about.table if about is not None else None),
            payload={} if record is None else self._vault.keep(record, safe=bool(safe)),
        )

    def _record(self, place: Position) -> Record | None:
        """Read the record again, with those behind it: after a change of the connector all of them are dead."""
        if place.topic != self._topic or place.offset not in self._near:
            self._topic = place.topic
            self._near = {r.offset: r for r in self._history(place.topic, place.offset, place.offset + _CHUNK)}
        return self._near.get(place.offset)
