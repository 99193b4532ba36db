"""What every authority store must do: one suite, run on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic
from typing import Any

import pytest

from figbridge.domain.authority import GENESIS, Authority, Cut, Grant, Stage, Tenure, first_broken_link
from figbridge.domain.fact import Cell
from figbridge.errors import InvariantError, Refused, Unreachable
from figbridge.operations.authority import verify

from .authority_stores import (
    DELIVERY,
    OPENER_IDS,
    OPENERS,
    PATIENCE_S,
    SILENCE_S,
    SOON_S,
    Store,
    Stores,
    at,
    by_hand,
    declared,
)


@pytest.fixture(params=OPENERS, ids=OPENER_IDS)
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """Run the test on each kind of store, on an empty one of its own; everything is closed at the end."""
    with request.param(request) as opener:
        opened = Stores(opener)
        yield opened
        opened.close()


@pytest.fixture
def store(stores: Stores) -> Store:
    """Open one handle: most tests need no more."""
    return stores.open()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Run work beside the test."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def wait_until_a_grant_waits(stores: Stores) -> None:
    """Wait until the head is not given to a newcomer; each look waits by itself for SOON_S.

    A store that lets one thread of a process in at a time refuses even before; the processes' suite sees the rest.
    """
    deadline = monotonic() + PATIENCE_S
    probe = stores.open(SOON_S)
    while True:
        try:
            probe_in_another_thread(probe)
        except Unreachable:
            return
        assert monotonic() < deadline, "no grant holds newcomers off"


def probe_in_another_thread(store: Store) -> int:
    """Ask for the version as a newcomer, not as the thread that holds the head."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(store.version).result()


def test_an_empty_store_has_version_0_and_no_cells(store: Store) -> None:
    """Before the first grant, nobody owns anything and the chain holds."""
    assert (store.version(), store.load(), list(store.history())) == (0, Authority(), [])
    assert verify(store) is None


def test_a_grant_is_chained_to_the_one_before(store: Store) -> None:
    """Seq and epoch grow by one, previous is the hash of the head, and what is returned is what is stored."""
    first = store.grant(declared(), tuple)
    other = store.grant(declared(Cell("order.payment")), tuple)
    second = store.grant(by_hand(), lambda: at(7))
    assert [(g.seq, g.epoch, g.previous) for g in (first, other, second)] == [
        (1, 1, GENESIS),
        (2, 1, first.hash),
        (3, 2, other.hash),
    ]
    assert list(store.history()) == [first, other, second]
    assert first_broken_link(store.history()) is None
    assert verify(store) is None


def test_what_is_loaded_is_what_the_chain_says(stores: Stores) -> None:
    """The derived table equals the chain, for every handle, and carries the version and the head."""
    store = stores.open()
    store.grant(declared(), tuple)
    last = store.grant(by_hand(), lambda: (Cut("legacy.log", 0, 7), Cut("delivery.log", 0, 3)))
    authority = stores.open().load()
    assert authority == Authority.of(store.history())
    assert (authority.version, authority.head) == (2, last.hash)
    assert authority.current(DELIVERY) == Tenure(2, "delivery", "legacy", Stage.SERVICE)
    assert [authority.owner(DELIVERY, "legacy.log", 0, o) for o in (6, 7)] == ["legacy", "delivery"]
    assert [authority.owner(DELIVERY, "delivery.log", 0, o) for o in (2, 3)] == ["legacy", "delivery"]


def test_words_survive_as_they_were_said(store: Store) -> None:
    """A reason in any script, with quotes and line ends, gives the same hash when it is read again."""
    draft = declared(Cell("Auftrag.Lieferung", "tenant='ä'; --"))
    told = store.grant(Grant(*(*_fields(draft)[:5], 'Größe "zählt";\n因为 🚚', *_fields(draft)[6:8])), tuple)
    assert list(store.history()) == [told]
    assert verify(store) is None


def _fields(grant: Grant) -> tuple[Any, ...]:
    return tuple(getattr(grant, name) for name in Grant.__dataclass_fields__)


REFUSED: dict[str, tuple[Callable[[], Grant], tuple[Cut, ...], str]] = {
    "unknown cell": (lambda: by_hand(cell=Cell("order.unknown")), at(9), "nobody declared"),
    "declared twice": (declared, (), "declared already"),
    "same owner and stage": (by_hand, at(9), "owns order.delivery already"),
    "cut before the last": (lambda: by_hand("legacy"), at(6), "lies before 7"),
    "no cut": (lambda: by_hand("legacy"), (), "has no cut"),
    "a partition left out": (lambda: by_hand("legacy"), at(9, "other.log"), "has no cut there"),
    "a partition twice": (lambda: by_hand("legacy"), at(9) + at(8), "not one offset for each"),
    "a negative cut": (lambda: by_hand("legacy"), at(9) + at(-1, "other.log"), "not one offset for each"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_rewrite_the_past_is_refused(store: Store, case: str) -> None:
    """A grant that is no change, or would change who owned what was published, is refused and nothing is written."""
    store.grant(declared(), tuple)
    store.grant(by_hand(), lambda: at(7))
    before = (store.load(), list(store.history()))
    draft, cuts, why = REFUSED[case]
    with pytest.raises(Refused, match=why):
        store.grant(draft(), lambda: cuts)
    assert (store.load(), list(store.history())) == before


def test_a_cut_may_lie_where_the_last_one_lies(store: Store) -> None:
    """An epoch in which nothing was said is allowed: it never ruled."""
    store.grant(declared(), tuple)
    store.grant(by_hand(), lambda: at(7))
    store.grant(by_hand("legacy"), lambda: at(7))
    assert store.load().owner(DELIVERY, "legacy.log", 0, 7) == "legacy"


def test_a_cut_is_compared_with_every_earlier_epoch_of_its_cell_only(store: Store) -> None:
    """Another cell's cuts do not matter; a partition that is new in a grant may be cut anywhere."""
    payment = Cell("order.payment")
    store.grant(declared(), tuple)
    store.grant(declared(payment), tuple)
    store.grant(by_hand(), lambda: at(70))
    store.grant(by_hand(cell=payment), lambda: at(7))
    store.grant(by_hand("legacy", payment), lambda: at(8) + at(0, "delivery.log"))
    assert verify(store) is None


def test_when_the_cuts_cannot_be_read_nothing_is_written(store: Store) -> None:
    """An error of the cut reader leaves the store as it was, and free."""
    store.grant(declared(), tuple)

    def broken() -> tuple[Cut, ...]:
        raise ZeroDivisionError("the log is gone")

    with pytest.raises(ZeroDivisionError):
        store.grant(by_hand(), broken)
    assert store.version() == 1
    assert store.grant(by_hand(), lambda: at(7)).seq == 2


def test_an_error_inside_shared_leaves_the_head_free(store: Store) -> None:
    """What a batch raises goes through as it is, and a grant is possible afterwards."""
    with pytest.raises(ZeroDivisionError), store.shared():
        raise ZeroDivisionError
    assert store.grant(declared(), tuple).seq == 1


def test_a_batch_may_read_while_it_holds_the_head(stores: Stores, threads: ThreadPoolExecutor) -> None:
    """Loading inside shared() does not wait behind a waiting grant, and sees the version that is held."""
    store, other = stores.open(), stores.open()
    store.grant(declared(), tuple)
    with store.shared() as version:
        granting = threads.submit(other.grant, by_hand(), lambda: at(7))
        wait_until_a_grant_waits(stores)
        with store.shared() as again:
            assert again == version == store.load().version == store.version() == len(store.history()) == 1
    assert granting.result(PATIENCE_S).seq == 2
    assert store.version() == 2


def test_a_grant_inside_shared_is_a_defect(store: Store) -> None:
    """It would wait for itself for ever."""
    with store.shared(), pytest.raises(InvariantError):
        store.grant(declared(), tuple)


def test_cuts_are_read_only_when_no_batch_holds_the_head(stores: Stores, threads: ThreadPoolExecutor) -> None:
    """Lock, then read the cuts, then write: what a batch commits under shared() lies before the cut."""
    store, other = stores.open(), stores.open()
    store.grant(declared(), tuple)
    end, read = 10, Event()

    def ends() -> tuple[Cut, ...]:
        read.set()
        return at(end)

    with store.shared() as version:
        granting = threads.submit(other.grant, by_hand(), ends)
        wait_until_a_grant_waits(stores)
        assert not read.wait(SILENCE_S), "the cuts were read under a batch"
        end = 20
        assert version == store.version() == 1
        assert not granting.done()
    assert granting.result(PATIENCE_S).cuts == at(20)


def test_while_cuts_are_read_no_batch_holds_the_head(stores: Stores) -> None:
    """A batch cannot begin between the reading of the cuts and the writing of the epoch."""
    store, other = stores.open(), stores.open(SOON_S)
    store.grant(declared(), tuple)

    def ends() -> tuple[Cut, ...]:
        with pytest.raises(Unreachable, match="lock in time") as unreachable:
            probe_in_another_thread(other)
        assert unreachable.value.hint
        return at(7)

    store.grant(by_hand(), ends)
    assert other.version() == 2


def test_a_grant_that_gets_no_lock_in_time_says_so(stores: Stores, threads: ThreadPoolExecutor) -> None:
    """It gives up as Unreachable with a hint, reads no cuts, writes nothing, and newcomers get in again."""
    store, hasty = stores.open(), stores.open(SOON_S)
    store.grant(declared(), tuple)
    asked: list[bool] = []

    def ends() -> tuple[Cut, ...]:
        asked.append(True)
        return at(7)

    with store.shared(), pytest.raises(Unreachable, match="lock in time"):
        threads.submit(hasty.grant, by_hand(), ends).result(PATIENCE_S)
    assert probe_in_another_thread(stores.open()) == 1
    assert not asked


def test_overlapping_batches_do_not_starve_a_grant(stores: Stores, threads: ThreadPoolExecutor) -> None:
    """However many threads hold the head in turn, without a pause between them, a grant gets it."""
    store = stores.open()
    store.grant(declared(), tuple)
    done, begun = Event(), [Event() for _ in range(4)]

    def batches(mine: Event) -> int:
        held = 0
        other = stores.open()
        while not done.is_set():
            with other.shared():
                mine.set()
                done.wait(0.02)  # a batch that takes so long to commit
            held += 1
        return held

    workers: list[Future[int]] = [threads.submit(batches, mine) for mine in begun]
    try:
        assert all(mine.wait(PATIENCE_S) for mine in begun)
        for number in range(3):
            owner = ("delivery", "legacy")[number % 2]
            assert stores.open(10.0).grant(by_hand(owner), lambda n=number: at(n)).seq == number + 2
    finally:
        done.set()
    assert all(worker.result(PATIENCE_S) for worker in workers)
