"""Generated histories of grants: what a store could have let through, cuts that never go back."""

from __future__ import annotations

from hypothesis import strategies as st

from figbridge.domain.authority import GENESIS, Cut, Grant, GrantKind, Stage
from figbridge.domain.fact import Cell

CELLS = (Cell("order.delivery"), Cell("order.payment"), Cell("order.status", "tenant=7"))
PLACES = (("legacy.log", 0), ("delivery.log", 0), ("delivery.log", 1))
SYSTEMS = ("legacy", "delivery", "billing")
OFFSETS = range(45)
"""Every offset worth asking for: cuts lie at 0 to 40."""


def chain(drafts: list[tuple[Grant, tuple[Cut, ...]]]) -> list[Grant]:
    """Chain drafts with their cuts, as a store does."""
    links: list[Grant] = []
    for draft, cuts in drafts:
        epoch = max((g.epoch for g in links if g.cell == draft.cell), default=0) + 1
        previous = links[-1].hash if links else GENESIS
        links.append(draft.chained(seq=len(links) + 1, epoch=epoch, cuts=cuts, previous=previous))
    return links


@st.composite
def histories(draw: st.DrawFn, min_size: int = 0) -> list[Grant]:
    """Draw a chain of grants over a few cells; a partition, once cut, is cut again at the same offset or later."""
    size = draw(st.integers(min_size, 12))
    drafts: list[tuple[Grant, tuple[Cut, ...]]] = []
    ends: dict[tuple[Cell, str, int], int] = {}
    declared: set[Cell] = set()
    for number in range(size):
        cell = draw(st.sampled_from(CELLS))
        cuts: list[Cut] = []
        if cell in declared:
            for topic, partition in PLACES:
                last = ends.get((cell, topic, partition))
                if last is not None or draw(st.booleans()):
                    offset = draw(st.integers(last or 0, 40))
                    ends[cell, topic, partition] = offset
                    cuts.append(Cut(topic, partition, offset))
        owner, successor = draw(st.permutations(SYSTEMS))[:2]
        draft = Grant(
            cell=cell,
            owner=owner,
            successor=draw(st.sampled_from([successor, None])),
            stage=draw(st.sampled_from(Stage)),
            kind=GrantKind.BREAK_GLASS if cell in declared else GrantKind.DECLARED,
            reason=f"reason {number}",
            by=draw(st.sampled_from(["ann", "bob"])),
            at="2026-03-01T00:00:00.000+00:00",
        )
        declared.add(cell)
        drafts.append((draft, tuple(cuts)))
    return chain(drafts)
