"""Whose word it is: verdicts by the position of END, routed to their topics, decided anew when the authority moves."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.domain.authority import Cut, Stage
from figbridge.domain.verdict import Verdict
from figbridge.errors import Fenced, Unreachable
from figbridge.pipeline.account import Account
from support.mappings import orders
from support.monolith import Monolith, insert, update
from support.rig import GROUP, TOPICS, Rig

PLACED = "OrderPlaced: {when: appears, tell: [total], fact: order.placement}"
CONFIRMED = "OrderConfirmed: {when: status placed -> confirmed, tell: [status], fact: order.status}"
READDRESSED = "OrderReaddressed: {when: shipTo changes, tell: [shipTo], fact: order.delivery}"
RENUMBERED = "OrderRenumbered: {when: rekeyed, tell: [], fact: order.delivery}"
ORDER = {"order_id": 7, "number": 1007, "stat": "P", "tot_amt": "1.00", "ship_addr_id": 5}
LOG, OUTBOX_LOG = "figbridge.legacy.log", "figbridge.delivery.log"
DELIVERY = """
service: delivery
version: 3
outbox:
  table: delivery.outbox
  key: id
  columns: {id: id, type: type, aggregate: aggregatetype, subject: aggregateid, payload: payload}
events:
  OrderReaddressed: {fact: order.delivery, aggregate: Order}
"""
OUTBOX = {"outbox": (("id",), ("id", "type", "aggregatetype", "aggregateid", "payload"))}


def bridge_of(rig, tail="", **options):
    """Return a bridge with two addresses, order 7, and the delivery service."""
    events = f"{PLACED}\n{CONFIRMED}\n{READDRESSED}\n{RENUMBERED}"
    bridge = rig(orders(events, tail), services=[DELIVERY], successors={"order.delivery": "delivery"}, **options)
    bridge.know(
        *(insert("addresses", addr_id=n, name="Ada", city=c) for n, c in ((5, "Bonn"), (6, "Ulm"))),
        insert("orders", **ORDER),
    )
    return bridge


def shifted(bridge, fact="order.delivery", offset=None):
    """Let the service own a fact from the end of every log on, or from an offset of the monolith's."""
    ends = {p.topic: end for p, end in bridge.ends().items()}
    at = ends[LOG] if offset is None else offset
    bridge.grant(fact, "delivery", Cut(LOG, 0, at), Cut(OUTBOX_LOG, 0, ends[OUTBOX_LOG]))


def outbox(**cells):
    """Return a transaction of the service that writes one row to its outbox."""
    service = Monolith(OUTBOX, topic=OUTBOX_LOG, schema="delivery")
    row = {"type": "OrderReaddressed", "aggregatetype": "Order", "aggregateid": "order-1007", "payload": '{"to":"x"}'}
    return service.transaction(insert("outbox", id=1, **{**row, **cells}))


def bodies(bridge, kind):
    """Return the events on topics of a kind."""
    return [json.loads(r.value) for r in bridge.records(kind)]


def test_the_owners_word_is_published(rig):
    """An event of the owner goes to the domain topic of its aggregate, keyed by the aggregate's id."""
    bridge = bridge_of(rig)
    bridge.commit(update("orders", {"order_id": 7}, stat="C"))
    (record,) = bridge.records("domain.order")
    assert (record.key, json.loads(record.value)["type"]) == (b"order-1007", "OrderConfirmed")
    assert bridge.claims(Verdict.PUBLISH)


def test_the_word_of_who_will_own_it_is_shadow(rig):
    """While legacy owns a fact, its successor's word is compared only: it goes to the shadow topic, marked."""
    bridge = bridge_of(rig)
    bridge.write(outbox())
    (body,) = bodies(bridge, "shadow.order")
    assert (body["source"], body["verdict"], body["data"]) == ("delivery", "shadow", {"to": "x"})
    assert bodies(bridge, "domain") == []


def test_the_word_of_who_does_not_own_it_is_quarantined_with_all_that_a_person_needs(rig):
    """After the shift legacy's word is unauthorised: before, after, the event, the owner and the transaction."""
    bridge = bridge_of(rig)
    shifted(bridge)
    bridge.commit(update("orders", {"order_id": 7}, ship_addr_id=6))
    (body,) = bodies(bridge, "quarantine")
    end = bridge.ends()[next(p for p in bridge.ends() if p.topic == LOG)] - 1
    assert body["verdict"] == "unauthorised"
    assert body["data"] == {
        "speaker": "legacy", "owner": "delivery", "why": "delivery owns it since epoch 2",
        "before": {"shipTo": {"name": "Ada", "city": "Bonn"}}, "after": {"shipTo": {"name": "Ada", "city": "Ulm"}},
        "event": {"type": "OrderReaddressed", "data": {"shipTo": {"name": "Ada", "city": "Ulm"}}},
        "transaction": {"source": "legacy", "commit": str(bridge.monolith.last_end), "position": f"{LOG}/0@{end}"},
    }  # fmt: skip
    assert bridge.events() == []


def test_a_change_without_an_event_is_unauthorised_too(rig):
    """What no event tells is still legacy's word on a fact that it does not own."""
    bridge = bridge_of(rig, "silent: [carrier changes]")
    shifted(bridge)
    bridge.know(insert("carriers", carrier_id=1, code="DHL"))
    bridge.commit(update("orders", {"order_id": 7}, carrier_id=1))
    (body,) = bodies(bridge, "quarantine")
    assert (body["type"], body["data"]["event"]) == ("order.delivery", None)
    assert body["data"]["after"] == {"carrier": "DHL"}


def test_one_update_gets_a_verdict_for_each_fact(rig):
    """An update that changes two facts of different owners is published for one, quarantined for the other."""
    bridge = bridge_of(rig)
    shifted(bridge)
    bridge.commit(update("orders", {"order_id": 7}, stat="C", ship_addr_id=6))
    assert [b["type"] for b in bodies(bridge, "domain")] == ["OrderConfirmed"]
    assert [b["type"] for b in bodies(bridge, "quarantine")] == ["OrderReaddressed"]
    assert [p.decision.verdict for p in bridge.made[-2:]] == [Verdict.PUBLISH, Verdict.UNAUTHORISED]


def test_what_changes_nothing_of_the_fact_is_a_no_op(rig):
    """Legacy's event about a fact it does not own, of which nothing changed, says nothing."""
    bridge = bridge_of(rig)
    shifted(bridge)
    bridge.commit(update("orders", {"order_id": 7}, order_id=70))
    assert bridge.made[-1].decision.verdict is Verdict.NO_OP
    assert bodies(bridge, "quarantine") == []


def test_the_services_word_is_published_once_it_owns_the_fact(rig):
    """After the shift the service speaks on the same topic that legacy spoke on."""
    bridge = bridge_of(rig)
    shifted(bridge)
    bridge.write(outbox())
    (body,) = bodies(bridge, "domain.order")
    assert (body["source"], body["subject"], body["epoch"], body["mapping"]) == (
        "delivery",
        "order-1007",
        2,
        "delivery",
    )


def test_silence_of_the_owner_is_no_record(rig):
    """What the mapping holds to be of no interest is counted, and written nowhere."""
    bridge = bridge_of(rig, "silent: [notes changes]")
    before = bridge.ends()
    bridge.commit(update("orders", {"order_id": 7}, notes="x"))
    assert bridge.silences()[-1] == ("order.notes", "notes changes")
    assert {p.topic for p, end in bridge.ends().items() if end != before[p]} == {LOG}


@pytest.mark.parametrize(("shift", "owner"), [(-1, "delivery"), (0, "delivery"), (1, "legacy")])
def test_a_transaction_falls_on_one_side_of_a_cut_by_its_end(rig, shift, owner):
    """The offset of END decides for the whole transaction: at or after the cut the new owner's, before it the old's."""
    bridge = bridge_of(rig)
    records = bridge.monolith.transaction(
        update("orders", {"order_id": 7}, ship_addr_id=6), update("orders", {"order_id": 7}, stat="C")
    )
    end = next(end for p, end in bridge.ends().items() if p.topic == LOG) + len(records) - 1
    shifted(bridge, offset=end + shift)
    bridge.write(records)
    found = [p.decision for p in bridge.made if p.decision.claim.cell.fact == "order.delivery"]
    assert [d.owner for d in found[-1:]] == [owner]


class Moving(MemoryAuthorityStore):
    """A store on which somebody grants between a worker's decision and its commit."""

    def __init__(self):
        super().__init__()
        self.before_lock = []

    @contextmanager
    def shared(self):
        if self.before_lock and self._held.version is None:
            self.before_lock.pop()()
        with super().shared() as version:
            yield version


def test_a_grant_between_decision_and_commit_is_decided_again(rig):
    """No batch is committed with verdicts of an authority that has moved."""
    store = Moving()
    bridge = bridge_of(rig, store=store)
    records = bridge.monolith.transaction(update("orders", {"order_id": 7}, ship_addr_id=6))
    start = next(end for p, end in bridge.ends().items() if p.topic == LOG)
    store.before_lock.append(lambda: shifted(bridge, offset=start))
    bridge.write(records)
    assert store.before_lock == []
    assert bridge.made[-1].decision.verdict is Verdict.UNAUTHORISED
    assert bridge.account().claims["made"] == sum(n for v, n in bridge.account().claims.items() if v != "made")
    assert bodies(bridge, "domain") == []


class Gone(MemoryAuthorityStore):
    """A store that may stop to answer."""

    gone = False

    @contextmanager
    def shared(self):
        if self.gone:
            raise Unreachable("no answer")
        with super().shared() as version:
            yield version


def test_nothing_is_committed_while_the_authority_cannot_be_read(rig):
    """An owner is never guessed: nothing is written, and all of it is when the store answers again."""
    store = Gone()
    bridge = bridge_of(rig, store=store)
    before, committed, state = bridge.ends(), bridge.log.committed(GROUP), bridge.account().as_dict()
    store.gone = True
    bridge.log.append(bridge.monolith.transaction(update("orders", {"order_id": 7}, stat="C")))
    for _ in range(2):
        with pytest.raises(Unreachable):
            bridge.worker.step(0)
    assert bridge.log.committed(GROUP) == committed
    assert bridge.account().as_dict() == state
    assert {p for p, end in bridge.ends().items() if end != before[p]} == {next(p for p in before if p.topic == LOG)}
    store.gone = False
    bridge.worker.step(0)
    assert [b["type"] for b in bodies(bridge, "domain")] == ["OrderConfirmed"]


def test_a_worker_that_was_replaced_commits_nothing(rig):
    """The member before is fenced, and what it had not committed is void."""
    bridge = bridge_of(rig)
    bridge.log.append(bridge.monolith.transaction(update("orders", {"order_id": 7}, stat="C")))
    other = Rig(*bridge.texts, services=[DELIVERY], log=bridge.log, store=bridge.store)
    with pytest.raises(Fenced):
        bridge.worker.step(0)
    other.drain()
    other.check()
    assert [b["type"] for b in bodies(other, "domain")] == ["OrderConfirmed"]
    bridge.start()


def test_a_fact_that_nobody_declared_is_quarantined(rig):
    """Without an owner a claim goes to quarantine as parked: nothing is lost, nothing is said."""
    bridge = Rig(orders(PLACED), store=MemoryAuthorityStore())
    bridge.worker.store = MemoryAuthorityStore()
    bridge.write(bridge.monolith.transaction(insert("orders", **ORDER)))
    (body,) = bodies(bridge, "quarantine")
    assert (body["verdict"], body["data"]["why"]) == ("parked", "nobody declared who owns order.placement")
    bridge.check()


def test_a_snapshot_is_one_event_of_each_owner(rig):
    """What a snapshot row states is one event; facts of another owner are not said with it."""
    bridge = bridge_of(rig, "snapshot: OrderKnown")
    before = bridge.ends()
    bridge.write(bridge.monolith.snapshot("orders"))
    (known,) = bridge.events(before)
    assert set(known.data) == {
        "customer",
        "total",
        "lines",
        "status",
        "shipTo",
        "carrier",
        "payments",
        "moves",
        "notes",
    } - {"moves"} | {"payments.moves"}
    (body,) = [json.loads(r.value) for r in bridge.records("domain", before)]
    assert body["fact"] == "order.placement order.status order.delivery order.payment order.notes"
    shifted(bridge)
    before = bridge.ends()
    bridge.write(bridge.monolith.snapshot("orders"))
    said = [json.loads(r.value) for r in bridge.records("domain", before)]
    assert [b["fact"] for b in said] == ["order.placement order.status", "order.payment order.notes"]
    assert not [b for b in said if "shipTo" in b["data"]]
    (body,) = [json.loads(r.value) for r in bridge.records("quarantine", before)]
    assert body["fact"] == "order.delivery"


def test_the_account_is_the_sum_of_its_lines():
    """Two accounts add up line by line, and an account that does not balance says by how much."""
    one = Account()
    one.records.update(read=2, marker=1)
    one.claims.update(made=1, publish=1)
    assert one.unbalanced() == "+1 records"
    both = one.add(one)
    assert (both.records["read"], both.claims["publish"], both.balanced) == (4, 2, False)
    one.records["unchanged"] += 1
    assert one.balanced
    assert one.as_dict()["claims"]["publish"] == 1


def test_topics_are_named_by_what_they_carry():
    """One domain and one shadow topic for each aggregate type, one log for each source."""
    assert TOPICS.domain("Order") == "figbridge.domain.order"
    assert TOPICS.shadow("Order") == "figbridge.shadow.order"
    assert TOPICS.log("delivery") == OUTBOX_LOG
    assert (TOPICS.quarantine, TOPICS.dead_letters, TOPICS.control) == (
        "figbridge.quarantine", "figbridge.dead-letters", "figbridge.control",
    )  # fmt: skip


def test_a_stage_before_the_service_owns_it_keeps_legacys_word(rig):
    """A grant that only changes the stage leaves the owner."""
    bridge = bridge_of(rig)
    ends = {p.topic: end for p, end in bridge.ends().items()}
    bridge.grant("order.delivery", "legacy", Cut(LOG, 0, ends[LOG]), Cut(OUTBOX_LOG, 0, 0), stage=Stage.FENCED)
    bridge.commit(update("orders", {"order_id": 7}, ship_addr_id=6))
    assert [b["epoch"] for b in bodies(bridge, "domain")] == [2]
    bridge.write(outbox())
    assert bridge.made[-1].decision.verdict is Verdict.UNAUTHORISED
