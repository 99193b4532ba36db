"""The delivery service writes its store and its outbox together, in the form of the shop's own events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import psycopg
import pytest

from figbridge.demo.delivery import DeliveryService, Unknown
from figbridge.demo.monolith import Ticks

pytestmark = pytest.mark.embedded

HOME = {"name": "Ada Muster", "text": {"street": "Hauptstr. 1", "postcode": "10115", "city": "Berlin"}}
AWAY = {"name": "Ada Muster", "text": {"raw": "Packstation 114"}}


@pytest.fixture
def delivery(database: str) -> Iterator[DeliveryService]:
    """A service that knows one order."""
    clock = Ticks(datetime(2024, 6, 1, 8, tzinfo=UTC))
    with DeliveryService(database, Random(1), clock) as service:
        service.create_schema()
        service.accept("order-1007", HOME, "DHL")
        yield service


def test_what_was_taken_over_is_known_and_not_said(delivery: DeliveryService) -> None:
    """To take over what the shop told is no happening."""
    assert delivery.find("order-1007") == ("order-1007", HOME, "DHL", 1)
    assert delivery.said() == []


def test_readdressing_writes_store_and_outbox(delivery: DeliveryService) -> None:
    """The event has the shop's form: shipTo and before."""
    event = delivery.readdress("order-1007", AWAY)
    assert delivery.deliveries() == [("order-1007", AWAY, "DHL", 2)]
    payload = {"shipTo": AWAY, "before": HOME}
    assert delivery.said() == [(str(event), "Order", "order-1007", "OrderReaddressed", payload)]


def test_assigning_a_carrier_writes_store_and_outbox(delivery: DeliveryService) -> None:
    """The event has the shop's form: the carrier's code."""
    delivery.assign_carrier("order-1007", "UPS")
    assert [(s.type, s.payload) for s in delivery.said()] == [("CarrierAssigned", {"carrier": "UPS"})]
    assert delivery.deliveries() == [("order-1007", HOME, "UPS", 2)]


def test_an_unknown_order_is_refused(delivery: DeliveryService) -> None:
    """The service says nothing of orders it has never heard of."""
    with pytest.raises(Unknown):
        delivery.readdress("order-1", AWAY)
    assert delivery.said() == []
    assert delivery.find("order-1") is None


def test_store_and_outbox_are_one_transaction(delivery: DeliveryService) -> None:
    """If the outbox refuses, the store keeps what it had."""
    delivery.connection.execute("ALTER TABLE delivery.outbox ADD CHECK (type <> 'OrderReaddressed')")
    with pytest.raises(psycopg.errors.CheckViolation):
        delivery.readdress("order-1007", AWAY)
    assert delivery.find("order-1007") == ("order-1007", HOME, "DHL", 1)


def test_taking_over_again_overwrites(delivery: DeliveryService) -> None:
    """A later word of the shop counts while the shop owns the fact."""
    delivery.accept("order-1007", AWAY)
    assert delivery.find("order-1007") == ("order-1007", AWAY, None, 2)


def test_event_ids_come_from_the_seed(delivery: DeliveryService) -> None:
    """Ids are UUIDs of version 4, the same for the same seed."""
    first = delivery.readdress("order-1007", AWAY)
    assert first.version == 4
    delivery.rng = Random(1)
    with pytest.raises(psycopg.errors.UniqueViolation):
        delivery.readdress("order-1007", HOME)
