"""The probes tell a stuck process from one that waits, and one that stands by from one that cannot work."""

from __future__ import annotations

from figbridge.telemetry.health import Health


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_process_that_has_not_looked_for_work_is_alive_but_neither_started_nor_ready():
    """Restoring a large state takes a while: nobody should restart it for that, or send it anything."""
    health = Health(Clock(), stalled_s=10)
    assert health.live().yes
    assert not health.started().yes
    assert not health.ready().yes


def test_a_worker_that_does_not_come_round_is_stuck():
    """After the time that the longest commit may take, only a restart helps."""
    clock = Clock()
    health = Health(clock, stalled_s=10)
    health.looked(1)
    clock.now += 10
    assert health.live().yes
    clock.now += 0.5
    assert health.live() == (False, "the worker has been stuck for 10 s")


def test_standing_by_is_ready():
    """A process that holds nothing can take over at once; it is not a failure of a rollout."""
    health = Health(Clock())
    health.looked(0)
    assert health.ready() == (True, "another process holds the source logs; this one stands by")
    health.looked(2)
    assert health.ready() == (True, "working")


def test_trouble_makes_it_unready_and_not_dead_until_work_goes_on():
    """An unreachable store is no reason to restart: it would not be reachable after that either."""
    health = Health(Clock())
    health.looked(1)
    health.troubled("the authority store cannot be read")
    assert health.ready() == (False, "the authority store cannot be read")
    assert health.live().yes
    assert health.started().yes
    health.looked(1)
    assert health.ready().yes


def test_a_process_that_restores_a_large_state_is_not_stuck():
    """It says how far it is, again and again; a process that was never started before is still starting."""
    clock = Clock()
    health = Health(clock, stalled_s=10)
    health.restoring("1 of 9")
    assert not health.started().yes
    health.looked(1)
    for done in range(5):
        clock.now += 8
        health.restoring(f"{done} of 9")
        assert health.live().yes
        assert health.ready() == (False, f"{done} of 9")


def test_a_process_that_stops_is_not_ready():
    """It takes no more work, whatever else it says."""
    health = Health(Clock())
    health.looked(1)
    health.stopping()
    assert health.ready() == (False, "stopping")
