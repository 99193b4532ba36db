"""Authority: which system owns a cell at each position of the log. Never a function of the clock."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple

from figbridge.domain.fact import Cell

GENESIS: Final = "0" * 64
"""The hash before the first grant of a chain."""


class Stage(StrEnum):
    """Say where a cell is on its way from the monolith to a service."""

    LEGACY = "legacy"
    SHADOW = "shadow"
    FENCED = "fenced"
    SEALED = "sealed"
    SERVICE = "service"
    COMPLETE = "complete"


class GrantKind(StrEnum):
    """Say how a grant came to be."""

    DECLARED = "declared"
    """From mappings/facts.yaml, from the beginning of every log."""
    BREAK_GLASS = "break-glass"
    """By hand, without plan, gates and approval."""


@dataclass(frozen=True, slots=True, order=True)
class Cut:
    """The offset at which an epoch begins in one partition of a source log, always at a transaction's edge."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Grant:
    """One link of the authority log. `hash` covers every other field and the hash of the grant before it."""

    cell: Cell
    owner: str
    successor: str | None
    stage: Stage
    kind: GrantKind
    reason: str
    by: str
    at: str
    """When it was recorded, ISO 8601 in UTC; for people, never for routing."""
    seq: int = 0
    epoch: int = 0
    cuts: tuple[Cut, ...] = ()
    """A partition that is not named began after the grant: the epoch holds from its first record."""
    previous: str = GENESIS
    hash: str = ""

    def digest(self) -> str:
        """Return the SHA-256 that `hash` must be, over a canonical JSON of all other fields."""
        body = asdict(replace(self, hash=""))
        body["cell"] = list(self.cell)
        return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def chained(self, *, seq: int, epoch: int, cuts: tuple[Cut, ...], previous: str) -> Grant:
        """Return this grant as the next link of a chain."""
        link = replace(self, seq=seq, epoch=epoch, cuts=tuple(sorted(cuts)), previous=previous, hash="")
        return replace(link, hash=link.digest())


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """Name the first grant of a chain that does not hold, and why."""

    seq: int
    why: str


def first_broken_link(grants: Sequence[Grant]) -> BrokenLink | None:
    """Walk a chain from its beginning; None when every link holds."""
    previous, epochs = GENESIS, dict[Cell, int]()
    for expected, grant in enumerate(grants, start=1):
        if grant.seq != expected:
            return BrokenLink(expected, f"grant {expected} is missing, {grant.seq} stands in its place")
        if grant.previous != previous:
            return BrokenLink(grant.seq, "it does not name the hash of the grant before it")
        if grant.hash != grant.digest():
            return BrokenLink(grant.seq, "its content does not give its hash")
        if grant.epoch <= epochs.get(grant.cell, 0):
            return BrokenLink(grant.seq, f"epoch {grant.epoch} of {grant.cell} does not grow")
        previous, epochs[grant.cell] = grant.hash, grant.epoch
    return None


@dataclass(frozen=True, slots=True)
class Tenure:
    """One epoch of one cell: who owns it, and who else may speak, compared only."""

    epoch: int
    owner: str
    successor: str | None
    stage: Stage


class Epoch(NamedTuple):
    """A tenure with the cuts at which it begins; in a partition that is not named, from its first record."""

    tenure: Tenure
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class _View:
    """The epochs of one cell as one partition sees them: `cuts[i]` is the first offset of `tenures[i]`, ascending."""

    cuts: tuple[int, ...]
    tenures: tuple[Tenure, ...]


@dataclass(frozen=True, slots=True)
class Authority:
    """Answer who owns a cell at a position: total over declared cells, exactly one owner, the same on every replay.

    `version` and `head` are the seq and hash of the newest grant that it is derived from.
    """

    version: int = 0
    head: str = GENESIS
    _epochs: dict[Cell, tuple[Epoch, ...]] = field(default_factory=dict)
    _views: dict[tuple[Cell, str, int], _View] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, grants: Iterable[Grant]) -> Authority:
        """Derive the table from the log of grants, oldest first."""
        version, head, epochs = 0, GENESIS, list[tuple[Cell, Epoch]]()
        for grant in grants:
            version, head = grant.seq, grant.hash
            tenure = Tenure(grant.epoch, grant.owner, grant.successor, grant.stage)
            epochs.append((grant.cell, Epoch(tenure, grant.cuts)))
        return cls.of_epochs(version, head, epochs)

    @classmethod
    def of_epochs(cls, version: int, head: str, epochs: Iterable[tuple[Cell, Epoch]]) -> Authority:
        """Put together a table that was derived before; the epochs of each cell oldest first."""
        by_cell: dict[Cell, list[Epoch]] = {}
        for cell, epoch in epochs:
            by_cell.setdefault(cell, []).append(epoch)
        return cls(version, head, {c: tuple(e) for c, e in by_cell.items()})

    def cells(self) -> tuple[Cell, ...]:
        """Return every cell that has an owner."""
        return tuple(self._epochs)

    def epochs(self, cell: Cell) -> tuple[Epoch, ...]:
        """Return the epochs of a cell, oldest first; empty for a cell nobody declared."""
        return self._epochs.get(cell, ())

    def current(self, cell: Cell) -> Tenure | None:
        """Return the newest epoch of a cell; None for a cell nobody declared."""
        epochs = self._epochs.get(cell)
        return epochs[-1].tenure if epochs else None

    def tenure(self, cell: Cell, topic: str, partition: int, offset: int) -> Tenure | None:
        """Return the epoch in force at a position; None for a cell nobody declared."""
        view = self._views.get((cell, topic, partition))
        if view is None:
            epochs = self._epochs.get(cell)
            if epochs is None:
                return None
            view = self._views[cell, topic, partition] = _view(epochs, topic, partition)
        if offset >= view.cuts[-1]:  # the hot path: one integer comparison
            return view.tenures[-1]
        return view.tenures[bisect_right(view.cuts, offset) - 1] if offset >= view.cuts[0] else view.tenures[0]

    def owner(self, cell: Cell, topic: str, partition: int, offset: int) -> str | None:
        """Return the system that owns a cell at a position; None for a cell nobody declared."""
        tenure = self.tenure(cell, topic, partition, offset)
        return tenure.owner if tenure else None


def _view(epochs: tuple[Epoch, ...], topic: str, partition: int) -> _View:
    """Lay the epochs of a cell along one partition; one whose cut is not before the next one's never ruled there."""
    starts: list[int] = []
    tenures: list[Tenure] = []
    for tenure, cuts in epochs:
        start = next((c.offset for c in cuts if (c.topic, c.partition) == (topic, partition)), 0)
        while starts and starts[-1] >= start:
            starts.pop()
            tenures.pop()
        starts.append(start)
        tenures.append(tenure)
    return _View(tuple(starts), tuple(tenures))
