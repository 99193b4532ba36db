"""What is refused is exactly what could change who owned what has already been published."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from figbridge.domain.authority import Authority, Cut, Grant, GrantKind, Stage
from figbridge.domain.fact import Cell
from figbridge.domain.granting import objection_to

from .histories import CELLS, OFFSETS, PLACES, chain, histories


@given(
    histories(min_size=1),
    st.sampled_from(CELLS),
    st.dictionaries(st.sampled_from(PLACES), st.integers(0, 45)),
    st.sampled_from(GrantKind),
)
def test_what_is_let_through_never_rewrites_the_past(
    grants: list[Grant], cell: Cell, begins: dict[tuple[str, int], int], kind: GrantKind
) -> None:
    """After a grant without objection, every position before its cuts has the tenure it had."""
    before = Authority.of(grants)
    draft = Grant(cell, "newcomer", "legacy", Stage.SERVICE, kind, "so", "ann", "2026-03-01")
    cuts = tuple(Cut(t, p, o) for (t, p), o in begins.items())
    earlier = [c for e in before.epochs(draft.cell) for c in e.cuts]
    if objection_to(draft, cuts, before.current(draft.cell), earlier) is not None:
        return
    after = Authority.of(chain([(g, g.cuts) for g in grants] + [(draft, cuts)]))
    for place in {(c.topic, c.partition) for c in earlier} | set(begins):
        for offset in OFFSETS:
            old, new = (a.tenure(draft.cell, *place, offset) for a in (before, after))
            assert new == old or old is None or offset >= begins[place]
