"""What a service says through its outbox: declared events are claims, all else is a dead letter with its reason."""

from __future__ import annotations

import json

import pytest

from figbridge.domain.authority import Cut
from support.mappings import orders
from support.monolith import Monolith, delete, insert, update
from support.rig import TOPICS

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
COLUMNS = ("id", "type", "aggregatetype", "aggregateid", "payload")
LOG = "figbridge.delivery.log"
ROW = {
    "type": "OrderReaddressed",
    "aggregatetype": "Order",
    "aggregateid": "order-1007",
    "payload": '{"to": {"city": "Ulm"}}',
}


@pytest.fixture
def service(rig):
    """Return a bridge on which the service owns its fact, and the service's database."""
    bridge = rig(orders("Placed: {when: appears, tell: [], fact: order.placement}"), services=[DELIVERY])
    bridge.grant("order.delivery", "delivery", Cut(TOPICS.log("legacy"), 0, 0), Cut(LOG, 0, 0))
    return bridge, Monolith({"outbox": (("id",), COLUMNS)}, topic=LOG, schema="delivery")


def said(service, *steps):
    """Let the service commit steps; returns what was published and the reasons of dead letters."""
    bridge, database = service
    known = bridge.ends()
    bridge.write(database.transaction(*steps))
    letters = [json.loads(r.value)["reason"] for r in bridge.records("dead-letters", known)]
    return [(s.type, s.subject, s.data) for s in bridge.events(known)], letters


def row(number=1, **cells):
    """Insert a row of the outbox; a cell of `...` is left out of the record."""
    return insert("outbox", id=number, **{**ROW, **cells})


def test_a_declared_event_is_the_services_claim(service):
    """Type and subject are the columns', the data is the payload's, fact and aggregate the document's."""
    assert said(service, row()) == ([("OrderReaddressed", "order-1007", {"to": {"city": "Ulm"}})], [])
    bridge, _ = service
    body = json.loads(bridge.records("domain")[0].value)
    assert (body["source"], body["fact"], body["mapping"], body["mappingversion"]) == (
        "delivery",
        "order.delivery",
        "delivery",
        3,
    )
    assert body["id"].startswith("delivery.1:")


def test_a_payload_may_be_an_object_already(service):
    """A JSON column that the connector expands is taken as it is."""
    assert said(service, row(payload={"to": 1}))[0] == [("OrderReaddressed", "order-1007", {"to": 1})]


def test_several_events_of_one_transaction_keep_their_order_and_numbers(service):
    """A service may say several things in one transaction, also the same thing twice."""
    events, _ = said(service, *(row(n, payload=f'{{"n": {n}}}') for n in (1, 2)), row(3, aggregateid="order-9"))
    assert [(s, d.get("n")) for _, s, d in events] == [("order-1007", 1), ("order-1007", 2), ("order-9", None)]
    bridge, _ = service
    ids = sorted(json.loads(r.value)["id"] for r in bridge.records("domain"))
    assert len(set(ids)) == 3


def test_an_event_that_nobody_declared_is_dead(service):
    """A type that the document does not declare asserts nothing."""
    assert said(service, row(type="OrderEaten")) == ([], ["OUTBOX_UNKNOWN_TYPE"])
    assert said(service, row(2, type=5)) == ([], ["OUTBOX_UNKNOWN_TYPE"])


@pytest.mark.parametrize("payload", ["[1]", "1", '"text"', "null", "{", "", "[" * 100_000, "9" * 5000, [1], 5, True])
def test_a_payload_that_is_no_object_is_dead(service, payload):
    """Data is a JSON object, or the record is dead; nothing raises."""
    assert said(service, row(payload=payload)) == ([], ["OUTBOX_NOT_AN_OBJECT"])


@pytest.mark.parametrize("column", ["type", "aggregateid", "payload"])
@pytest.mark.parametrize("cell", [None, "__debezium_unavailable_value"])
def test_a_row_without_type_subject_or_payload_is_dead(service, column, cell):
    """Null or unavailable: there is nothing to say, or nobody to say it of."""
    assert said(service, row(**{column: cell})) == ([], ["OUTBOX_INCOMPLETE"])


def test_a_column_that_the_outbox_does_not_have_is_dead(rig):
    """A document that names a column the table lacks says so with every record."""
    other = DELIVERY.replace("payload: payload", "payload: body")
    bridge = rig(orders("Placed: {when: appears, tell: [], fact: order.placement}"), services=[other])
    bridge.write(Monolith({"outbox": (("id",), COLUMNS)}, topic=LOG, schema="delivery").transaction(row()))
    assert [json.loads(r.value)["reason"] for r in bridge.records("dead-letters")] == ["OUTBOX_INCOMPLETE"]


def test_housekeeping_of_the_outbox_says_nothing(service):
    """Only an inserted row speaks: deleting or touching one is housekeeping, a snapshot's row is history."""
    bridge, database = service
    said(service, row())
    assert said(service, update("outbox", {"id": 1}, type="OrderEaten")) == ([], [])
    bridge.write(database.snapshot("outbox"))
    assert said(service, delete("outbox", id=1)) == ([], [])
    assert len(bridge.records("domain")) == 1


def test_a_dead_row_leaves_the_rest_of_its_transaction(service):
    """One row that cannot be used does not silence the others."""
    events, letters = said(service, row(1, type="OrderEaten"), row(2))
    assert ([t for t, _, _ in events], letters) == (["OrderReaddressed"], ["OUTBOX_UNKNOWN_TYPE"])
    bridge, _ = service
    assert (bridge.account().records["dead"], bridge.account().records["translated"]) == (1, 1)
