"""How a bridge stands, seen from outside: both ledgers, lag, parked keys, suspects, letters, authority."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from figbridge.adapters.memory import MemoryLog
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.errors import Unreachable
from figbridge.operations.status import Status, status
from figbridge.ports import TopicPartition
from support.mappings import orders
from support.monolith import insert, update
from support.rig import GROUP, TOPICS, Rig

STATED = "Stated: {when: status changes, tell: [status], fact: order.status}"


def seen(bridge: Rig) -> Status:
    """Look at a bridge."""
    return status(bridge.log, bridge.store, GROUP, bridge.sources)


def test_a_bridge_that_has_done_nothing(rig: Callable[..., Rig]) -> None:
    """Every line of both ledgers is there, and zero."""
    found = seen(rig(orders(STATED)))
    assert (found.balanced, found.unbalanced, found.parked_keys, found.suspects) == (True, "", 0, ())
    assert set(found.account["records"].values()) == {0}
    assert [(s.end, s.committed, s.records_behind, s.last_record_ms) for s in found.sources] == [(0, 0, 0, None)]


def test_what_a_bridge_has_done_and_what_it_has_not(rig: Callable[..., Rig]) -> None:
    """Lag in records with the newest one's time, parked keys, suspects, dead letters, authority."""
    bridge = rig(orders(STATED))
    bridge.know(insert("orders", order_id=7, number=7, stat="P"))
    for stat in "QC":
        bridge.commit(update("orders", {"order_id": 7}, stat=stat))
    rows = bridge.monolith.begin(insert("orders", order_id=8, number=8, stat="P"))
    bridge.write([*rows, bridge.monolith.end(5)])
    bridge.log.append(bridge.monolith.transaction(update("orders", {"order_id": 8}, stat="C")))
    found = seen(bridge)
    assert (found.parked_keys, found.parked_changes, found.quarantined, found.dead_letters) == (1, 2, 0, 0)
    assert [(s.doubt, s.tx, s.tables, s.position) for s in found.suspects] == [
        ("count-differs", "3", ("shop.orders",), f"{TOPICS.log('legacy')}/0@9")
    ]
    assert [(s.source, s.records_behind) for s in found.sources] == [("legacy", 3)]
    assert found.sources[0].last_record_ms is not None
    assert found.authority_version == bridge.store.load().version
    assert found.account["records"]["read"] == found.sources[0].committed
    bridge.drain()


def test_an_authority_that_does_not_answer_is_told(rig: Callable[..., Rig]) -> None:
    """The bridge holds then, and its status says so."""

    class Gone(MemoryAuthorityStore):
        """A store that does not answer."""

        def shared(self) -> AbstractContextManager[int]:
            raise Unreachable("no answer")

    bridge = rig(orders(STATED))
    assert status(bridge.log, Gone(), GROUP, bridge.sources).authority_version is None


class MarkedLog(MemoryLog):
    """A log whose last offset is the mark of a transaction, as on brokers: there is no record at it."""

    def ends(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        return {place: end + (end > 0) for place, end in super().ends(topics).items()}


def test_who_has_read_the_last_record_is_not_behind_for_a_mark_after_it() -> None:
    """Near the end records are counted; the figure says the same."""
    bridge = Rig(orders(STATED), log=MarkedLog())
    bridge.know(insert("orders", order_id=7, number=7, stat="P"))
    (source,) = seen(bridge).sources
    assert (source.end - source.committed, source.records_behind) == (1, 0)
    bridge.log.append(bridge.monolith.transaction(update("orders", {"order_id": 7}, stat="C")))
    (source,) = seen(bridge).sources
    assert (source.end - source.committed, source.records_behind) == (4, 3)
