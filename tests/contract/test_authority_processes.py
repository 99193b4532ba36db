"""The two sides of the head's lock between processes: what threads of one process cannot show."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any

import pytest

from figbridge.adapters.sql.authority_store import SqlAuthorityStore
from figbridge.domain.authority import Cut
from figbridge.errors import Unreachable

from .authority_stores import PATIENCE_S, SILENCE_S, SOON_S, URL_IDS, URLS, at, by_hand, declared

SPAWN = multiprocessing.get_context("spawn")
"""Never fork: a child would inherit what SQLite believes of its parent's locks."""


@pytest.fixture(params=URLS, ids=URL_IDS)
def url(request: pytest.FixtureRequest) -> str:
    """Run the test on each database that processes share, with the fact declared."""
    address: str = request.param(request)
    with SqlAuthorityStore(address) as store:
        store.migrate()
        store.grant(declared(), tuple)
    return address


@contextmanager
def process(work: Any, *args: Any) -> Iterator[Connection]:
    """Run work in another process, on the other end of a pipe; wait for its end."""
    mine, theirs = SPAWN.Pipe()
    child = SPAWN.Process(target=work, args=(theirs, *args))
    child.start()
    theirs.close()
    try:
        yield mine
    finally:
        child.join(PATIENCE_S)
        child.kill()
        child.join()
        mine.close()


def hear(pipe: Connection) -> Any:
    """Return what the process says next."""
    assert pipe.poll(PATIENCE_S), "nothing was said in time"
    return pipe.recv()


def granting(pipe: Connection, url: str) -> None:
    """Grant, and tell each step."""

    def ends() -> tuple[Cut, ...]:
        pipe.send("reads the cuts")
        return at(7)

    with SqlAuthorityStore(url) as store:
        pipe.send("asks")
        pipe.send(store.grant(by_hand(), ends).seq)


def probing(pipe: Connection, url: str) -> None:
    """Look until a newcomer is held off."""
    deadline = monotonic() + PATIENCE_S
    with SqlAuthorityStore(url, SOON_S) as store:
        while monotonic() < deadline:
            try:
                store.version()
            except Unreachable:
                pipe.send("held off")
                return


def batches(pipe: Connection, url: str) -> None:
    """Hold the head again and again without a pause, until told to stop."""
    held = 0
    with SqlAuthorityStore(url) as store:
        stop = False
        while not stop:
            with store.shared():
                if held == 0:
                    pipe.send("holds")
                stop = pipe.poll(0.02)  # a batch that takes so long to commit
            held += 1
    pipe.send(held)


def test_a_batch_in_one_process_holds_off_a_grant_in_another(url: str) -> None:
    """While a process is inside shared(), a grant elsewhere does not read the cuts; it holds off newcomers, and
    goes first when the batch is done."""
    with SqlAuthorityStore(url) as store, process(granting, url) as grant:
        with store.shared() as version:
            assert hear(grant) == "asks"
            with process(probing, url) as probe:
                assert hear(probe) == "held off"
            assert not grant.poll(), "the cuts were read under a batch"
            assert version == store.version() == 1
        assert hear(grant) == "reads the cuts"
        assert hear(grant) == 2
        assert store.version() == 2


def test_a_thread_beside_a_batch_does_not_overtake_a_waiting_grant(url: str) -> None:
    """A file lock belongs to the process, yet a second thread waits until the grant of another process is done."""
    with SqlAuthorityStore(url) as store, process(granting, url) as grant, ThreadPoolExecutor(1) as threads:
        with store.shared():
            assert hear(grant) == "asks"
            with process(probing, url) as probe:
                assert hear(probe) == "held off"
            beside = threads.submit(store.version)
            with pytest.raises(FutureTimeout):
                beside.result(SILENCE_S)
        assert beside.result(PATIENCE_S) == 2
        assert hear(grant) == "reads the cuts"
        assert hear(grant) == 2


def test_overlapping_batches_of_many_processes_do_not_starve_a_grant(url: str) -> None:
    """However many processes hold the head in turn, without a pause between them, a grant gets it."""
    with process(batches, url) as one, process(batches, url) as two, process(batches, url) as three:
        workers = (one, two, three)
        assert [hear(w) for w in workers] == ["holds"] * 3
        try:
            with SqlAuthorityStore(url, 20.0) as store:
                for number in range(3):
                    owner = ("delivery", "legacy")[number % 2]
                    assert store.grant(by_hand(owner), lambda n=number: at(n)).seq == number + 2
        finally:
            for worker in workers:
                worker.send("stop")
        assert all(hear(w) > 0 for w in workers)


def dying(pipe: Connection, url: str, inside: str) -> None:
    """Hold the head until killed."""

    def ends() -> tuple[Cut, ...]:
        pipe.send("holds")
        pipe.poll(None)
        return ()

    with SqlAuthorityStore(url) as store:
        if inside == "grant":
            store.grant(by_hand(), ends)
        else:
            with store.shared():
                ends()


@pytest.mark.parametrize("inside", ["shared", "grant"])
def test_a_process_that_dies_leaves_the_head_free(url: str, inside: str) -> None:
    """A kill inside a batch or a grant holds nothing up and leaves the store as it was."""
    mine, theirs = SPAWN.Pipe()
    child = SPAWN.Process(target=dying, args=(theirs, url, inside))
    child.start()
    theirs.close()
    assert hear(mine) == "holds"
    child.kill()
    child.join()
    mine.close()
    with SqlAuthorityStore(url) as store:
        assert store.version() == 1
        assert store.grant(by_hand(), lambda: at(7)).seq == 2
