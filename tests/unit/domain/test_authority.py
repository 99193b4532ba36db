"""Authority is a function of log position: total, exclusive, and the same on every replay."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.domain.authority import Authority, Cut, Grant, GrantKind, Stage, first_broken_link
from figbridge.domain.fact import Cell

from .histories import CELLS, OFFSETS, PLACES, chain, histories


def starts(grant: Grant, topic: str, partition: int) -> int:
    """Return where an epoch begins in a partition, read off the grant: its cut, or the first record."""
    return next((c.offset for c in grant.cuts if (c.topic, c.partition) == (topic, partition)), 0)


def ruler(grants: list[Grant], cell: Cell, topic: str, partition: int, offset: int) -> Grant | None:
    """Judge by the definition alone: the newest grant of the cell that began at or before the offset."""
    mine = [g for g in grants if g.cell == cell]
    begun = [g for g in mine if starts(g, topic, partition) <= offset]
    return (begun or mine[:1] or [None])[-1]


@given(histories())
def test_every_position_of_a_declared_cell_has_exactly_one_owner(grants: list[Grant]) -> None:
    """For every cell and position the owner is that of the newest grant begun there; undeclared cells have none."""
    authority = Authority.of(grants)
    for cell in CELLS:
        for topic, partition in PLACES:
            for offset in OFFSETS:
                expected = ruler(grants, cell, topic, partition, offset)
                tenure = authority.tenure(cell, topic, partition, offset)
                assert (tenure and tenure.epoch) == (expected and expected.epoch)
                assert authority.owner(cell, topic, partition, offset) == (expected and expected.owner)
                assert (tenure is None) == (cell not in authority.cells())


@given(histories(min_size=1))
def test_the_epoch_changes_only_at_cuts(grants: list[Grant]) -> None:
    """Along a partition the tenure changes at cuts and nowhere else, and its epoch only grows."""
    authority = Authority.of(grants)
    for cell in authority.cells():
        for topic, partition in PLACES:
            cuts = {starts(g, topic, partition) for g in grants if g.cell == cell}
            seen = [authority.tenure(cell, topic, partition, offset) for offset in OFFSETS]
            for offset, before, after in zip(OFFSETS[1:], seen, seen[1:], strict=False):
                assert before is not None
                assert after is not None
                assert before == after or (offset in cuts and before.epoch < after.epoch)


@given(histories(min_size=1), st.data())
def test_later_grants_do_not_reach_back_before_their_cuts(grants: list[Grant], data: st.DataObject) -> None:
    """The tenure at a position is the one known when the last cut at or before it was made: replays agree."""
    known = data.draw(st.integers(1, len(grants)))
    early, late = Authority.of(grants[:known]), Authority.of(grants)
    for cell in early.cells():
        for topic, partition in PLACES:
            later = [starts(g, topic, partition) for g in grants[known:] if g.cell == cell]
            for offset in range(min(later, default=OFFSETS[-1])):
                assert late.tenure(cell, topic, partition, offset) == early.tenure(cell, topic, partition, offset)


@given(histories(), st.randoms(use_true_random=False))
def test_what_was_asked_before_does_not_change_the_answer(grants: list[Grant], random: Any) -> None:
    """The views that are kept for the hot path never change what is answered, nor what is equal."""
    asked, fresh = Authority.of(grants), Authority.of(grants)
    places = [(c, t, p, o) for c in CELLS for t, p in PLACES for o in OFFSETS]
    random.shuffle(places)
    answers = {place: asked.tenure(*place) for place in places}
    assert {place: fresh.tenure(*place) for place in sorted(places)} == answers
    assert asked == fresh == Authority.of(grants)


@given(histories())
def test_a_table_put_together_from_its_epochs_is_the_same(grants: list[Grant]) -> None:
    """What a store keeps of a chain, version, head and epochs, answers as the chain does."""
    authority = Authority.of(grants)
    epochs = [(cell, epoch) for cell in authority.cells() for epoch in authority.epochs(cell)]
    assert Authority.of_epochs(authority.version, authority.head, epochs) == authority
    assert authority.version == len(grants)
    assert [authority.current(c) for c in authority.cells()] == [
        authority.epochs(c)[-1].tenure for c in authority.cells()
    ]


@given(histories())
def test_a_chain_as_it_was_made_holds(grants: list[Grant]) -> None:
    """No link of an untouched chain is called broken."""
    assert first_broken_link(grants) is None


OTHER: dict[str, Any] = {
    "cell": Cell("order.delivery", "bucket=3"),
    "owner": "mallory",
    "successor": "mallory",
    "stage": "won",
    "kind": "won",
    "reason": "no reason",
    "by": "mallory",
    "at": "1999-12-31",
    "seq": 77,
    "epoch": 77,
    "cuts": (Cut("legacy.log", 0, 41),),
    "previous": "f" * 64,
    "hash": "f" * 64,
}


def test_every_field_of_a_grant_is_tampered_with() -> None:
    """A field that is added to Grant must be added to the tampering below."""
    assert set(OTHER) == {f.name for f in fields(Grant)}


@given(histories(min_size=1), st.data())
@settings(max_examples=300)
def test_the_first_tampered_link_is_named(grants: list[Grant], data: st.DataObject) -> None:
    """Whatever single field is changed in whatever link, that link is named and no other."""
    place = data.draw(st.integers(0, len(grants) - 1))
    name = data.draw(st.sampled_from(sorted(OTHER)))
    tampered = [*grants[:place], replace(grants[place], **{name: OTHER[name]}), *grants[place + 1 :]]
    broken = first_broken_link(tampered)
    assert broken is not None
    assert broken.seq == place + 1
    assert broken.why


@given(histories(min_size=2), st.data())
def test_a_link_that_was_rewritten_with_its_hash_breaks_the_next(grants: list[Grant], data: st.DataObject) -> None:
    """Who changes a link and computes its hash anew is found at the link that names the old one."""
    place = data.draw(st.integers(0, len(grants) - 2))
    link = replace(grants[place], reason="another")
    forged = replace(link, hash=link.digest())
    broken = first_broken_link([*grants[:place], forged, *grants[place + 1 :]])
    assert broken is not None
    assert broken.seq == place + 2


@given(histories(min_size=2), st.data())
def test_a_link_that_is_gone_or_moved_is_named(grants: list[Grant], data: st.DataObject) -> None:
    """A gap and an exchange of neighbours are found where the wrong link stands."""
    place = data.draw(st.integers(0, len(grants) - 2))
    gap = first_broken_link([*grants[:place], *grants[place + 1 :]])
    moved = first_broken_link([*grants[:place], grants[place + 1], grants[place], *grants[place + 2 :]])
    assert gap is not None
    assert moved is not None
    assert gap.seq == moved.seq == place + 1


def test_an_epoch_that_does_not_grow_breaks_the_chain() -> None:
    """Hashes that hold do not help a chain in which a burnt epoch comes again."""
    draft = Grant(CELLS[0], "legacy", None, Stage.LEGACY, GrantKind.DECLARED, "so", "ann", "2026-03-01")
    first, second = chain([(draft, ()), (draft, ())])
    again = replace(second, epoch=1)
    broken = first_broken_link([first, replace(again, hash=again.digest())])
    assert broken is not None
    assert broken.seq == 2
    assert "does not grow" in broken.why


def test_the_hash_covers_the_cuts_in_any_order_alike() -> None:
    """The order in which a log tells its partitions is not part of what was granted."""
    draft = Grant(CELLS[0], "legacy", None, Stage.LEGACY, GrantKind.DECLARED, "so", "ann", "2026-03-01")
    cuts = (Cut("b", 0, 1), Cut("a", 1, 2), Cut("a", 0, 3))
    (one,), (two,) = chain([(draft, cuts)]), chain([(draft, cuts[::-1])])
    assert one == two
    assert one.cuts == tuple(sorted(cuts))
