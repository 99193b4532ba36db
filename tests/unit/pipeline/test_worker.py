"""When the workers of one process commit: by a clock that only moves when somebody waits."""

from __future__ import annotations

import pytest

from figbridge.adapters.memory import MemoryLog
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.operations.authority import declare
from figbridge.pipeline.pace import EACH_POLL, Pace
from figbridge.pipeline.process import Process
from figbridge.pipeline.worker import Workers
from figbridge.ports import TopicPartition
from support.mappings import orders
from support.monolith import insert, shop
from support.rig import NOON, TOPICS, edge_of, facts_of, plan_of

PACE = Pace(seconds=0.05, backlog_seconds=1.0, records=1_000)
LOG = TOPICS.log("legacy")
PLAN = plan_of((orders("Placed: {when: appears, tell: [total], fact: order.placement}"),))


class Scene:
    """Some shares of one process: each a log of its own with one source log."""

    def __init__(self, shares: int, pace: Pace = PACE, batch: int = 1000) -> None:
        self.now, self.waited, self.store = 100.0, [], MemoryAuthorityStore()
        declare(self.store, facts_of(PLAN), NOON, "test")
        self.logs = [MemoryLog() for _ in range(shares)]
        for log in self.logs:
            for topic in (LOG, TOPICS.domain("order"), TOPICS.control):
                log.create(topic)
        self.shop, self.orders = shop(), 0
        self.held = {(f"{LOG}-{n}",): log.session("bridge", [LOG]) for n, log in enumerate(self.logs)}
        edge = edge_of(PLAN)
        self.workers = Workers(
            self, lambda _, session: Process(PLAN, session.state, {LOG: "legacy"}, edge), self.store,
            batch, None, pace, lambda: self.now, self.pause,
        )  # fmt: skip

    def sessions(self, timeout_s: float = 0.0):
        return self.held

    def worked(self) -> None:
        """Be told of a commit."""

    def pause(self, seconds: float) -> None:
        self.waited.append(round(seconds, 6))
        self.now += seconds

    def order(self, share: int = 0, count: int = 1) -> None:
        """Place orders, each in its transaction."""
        for _ in range(count):
            self.orders += 1
            row = insert("orders", order_id=self.orders, number=self.orders, stat="P", tot_amt="1.00")
            self.logs[share].append(list(self.shop.transaction(row)))

    def told(self, share: int = 0) -> int:
        """Return how many events are on the share's domain topic."""
        return self.logs[share].ends([TOPICS.domain("order")])[TopicPartition(TOPICS.domain("order"), 0)]


def test_a_record_after_a_pause_waits_for_nothing() -> None:
    """Nobody is helped by gathering what does not come."""
    scene = Scene(shares=1)
    scene.workers.step(0.2)
    scene.order()
    scene.workers.step(0.2)
    assert (scene.told(), scene.waited) == (1, [])


def test_between_two_commits_there_is_the_time_to_gather() -> None:
    """What came meanwhile is one commit's."""
    scene = Scene(shares=1)
    scene.order()
    scene.workers.step(0.2)
    scene.order(count=2)
    scene.now += 0.02
    scene.workers.step(0.2)
    assert (scene.told(), scene.waited) == (3, [0.03])


@pytest.mark.parametrize("shares", [2, 4])
def test_the_shares_of_a_process_gather_at_the_same_time(shares: int) -> None:
    """They commit in turn: with more shares each commits less often, and the process as often as with one."""
    scene = Scene(shares)
    for share in range(shares):
        scene.order(share)
    scene.workers.step(0.2)
    for share in range(shares):
        scene.order(share)
    scene.workers.step(10)
    assert [scene.told(share) for share in range(shares)] == [2] * shares
    assert scene.waited == [0.05 * shares]


def test_a_share_that_comes_late_does_not_wait_for_the_others() -> None:
    """Its time to gather begins with its own last commit."""
    scene = Scene(shares=2)
    scene.order(0)
    scene.workers.step(0.2)
    scene.order(1)
    scene.workers.step(0.2)
    assert (scene.told(0), scene.told(1), scene.waited) == (1, 1, [])


def test_a_step_waits_no_longer_than_it_is_told() -> None:
    """Whoever looks after the process gets their turn, and nothing is lost by it."""
    scene = Scene(shares=1)
    scene.order()
    scene.workers.step(0.2)
    scene.order()
    assert (scene.workers.step(0.01), scene.told(), scene.waited) == (0, 1, [0.01])
    while scene.told() < 2:
        scene.workers.step(0.01)
    assert sum(scene.waited) == pytest.approx(0.05)


def test_a_backlog_is_worked_on_without_a_pause() -> None:
    """Polls that come back full are gathered up to the limit of one commit, and the next commit follows at once."""
    scene = Scene(shares=1, pace=Pace(seconds=0.05, backlog_seconds=1.0, records=12), batch=6)
    scene.order(count=8)
    scene.workers.step(0.2)
    assert scene.told() == 4  # three records each
    scene.workers.step(0.2)
    scene.workers.step(0.2)
    assert (scene.told(), scene.waited) == (8, [])


def test_by_default_every_poll_is_committed() -> None:
    """A log in a file has nothing to gain from gathering."""
    scene = Scene(shares=1, pace=EACH_POLL, batch=3)
    scene.order(count=2)
    scene.workers.step(0.2)
    scene.workers.step(0.2)
    assert (scene.told(), scene.waited) == (2, [])


def test_a_process_whose_shares_all_went_to_others_stands_by() -> None:
    """Also when it had nothing to do when they went; with the next share it works again."""
    scene = Scene(shares=1)
    scene.workers.step(0.2)
    scene.workers.step(0.2)
    held, scene.held = scene.held, {}
    assert scene.workers.step(0.2) == 0
    scene.order()
    scene.held = held
    scene.workers.step(0.2)
    assert scene.told() == 1
