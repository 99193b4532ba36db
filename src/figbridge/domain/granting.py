"""What the store of authority refuses: a grant that would change who owned what has already been published."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from figbridge.domain.authority import Cut, Grant, GrantKind, Tenure


class Objection(NamedTuple):
    """Say why a grant may not be appended, and what to do instead."""

    why: str
    hint: str


def objection_to(
    draft: Grant, cuts: tuple[Cut, ...], current: Tenure | None, earlier: Iterable[Cut]
) -> Objection | None:
    """Judge a draft against its cell's newest tenure and all cuts of its cell; None when it may be appended."""
    if draft.kind is GrantKind.DECLARED:
        if current is None:
            return None
        return Objection(f"{draft.cell} was declared already", "only its first epoch is declared; compare the two")
    if current is None:
        return Objection(f"nobody declared who owns {draft.cell}", "declare the fact in mappings/facts.yaml first")
    if (draft.owner, draft.stage) == (current.owner, current.stage):
        return Objection(
            f"{draft.owner} owns {draft.cell} already, in stage {draft.stage} since epoch {current.epoch}",
            "nothing needs to be granted",
        )
    return _objection_to_cuts(draft, cuts, earlier)


def _objection_to_cuts(draft: Grant, cuts: tuple[Cut, ...], earlier: Iterable[Cut]) -> Objection | None:
    begins = {(c.topic, c.partition): c.offset for c in cuts}
    if not begins:
        # Without a cut the new epoch would hold from the first record of every log.
        return Objection(f"the grant of {draft.cell} has no cut", "name the source logs that speak about it")
    if len(begins) != len(cuts) or min(begins.values()) < 0:
        return Objection(f"the cuts of {draft.cell} are not one offset for each partition", "read the ends again")
    for cut in sorted(earlier):
        begin = begins.get((cut.topic, cut.partition))
        place = f"{cut.topic}/{cut.partition}"
        if begin is None:
            return Objection(
                f"an earlier epoch of {draft.cell} began in {place}, and the grant has no cut there",
                "name every source log of the earlier grants",
            )
        if begin < cut.offset:
            return Objection(
                f"the cut {place}@{begin} lies before {cut.offset}, where an earlier epoch of {draft.cell} began",
                "the log may have been emptied or replaced; authority does not go back in it",
            )
    return None
