"""Events as they leave: CloudEvents 1.0 in structured mode, byte for byte the same on every replay."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from figbridge.adapters.cloudevents import CloudEvent
from figbridge.ports import CONTENT_TYPE, Outgoing
from support.mappings import orders, stock
from support.monolith import insert, update

PLACED = "OrderPlaced: {when: appears, tell: [total, notes], fact: order.placement}"
ORDER = {"order_id": 7, "number": 1007, "stat": "P", "tot_amt": "19.90", "notes": 'a "quoted" ß'}
REQUIRED = {"id", "source", "specversion", "type"}
OPTIONAL = {"datacontenttype", "dataschema", "subject", "time", "data"}


def test_one_event_byte_for_byte(rig):
    """The whole record of one event: value, key, headers, time."""
    bridge = rig(orders(PLACED))
    bridge.commit(insert("orders", **ORDER))
    (record,) = bridge.records("domain")
    assert (
        record.value
        == (
            '{"id":"legacy.1:1016:OrderPlaced:order-1007","source":"legacy","type":"OrderPlaced","subject":"order-1007",'
            '"time":"2026-11-21T13:44:19.079000Z","fact":"order.placement","scope":"all","epoch":1,"mapping":"orders",'
            '"mappingversion":1,"sourceposition":"figbridge.legacy.log/0@2",'
            '"data":{"total":{"amount":"19.90","currency":"EUR"},"notes":"a \\"quoted\\" ß"},"specversion":"1.0"}'
        ).encode()
    )
    assert (record.key, record.headers, record.timestamp) == (b"order-1007", CONTENT_TYPE, 1795268659079)


def test_what_the_specification_requires_is_there(rig):
    """Every event has the required attributes, none of them empty, and `data` is its only other standard one."""
    bridge = rig(orders(PLACED))
    bridge.commit(insert("orders", **ORDER))
    body = json.loads(bridge.records("domain")[0].value)
    assert body.keys() >= REQUIRED
    assert all(isinstance(body[name], str) and body[name] for name in REQUIRED | {"subject", "time"})
    assert body["specversion"] == "1.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", body["time"])
    assert dict(CONTENT_TYPE) == {"content-type": b"application/cloudevents+json; charset=utf-8"}


def test_extensions_have_names_that_every_binding_can_carry():
    """Extension names are lower-case letters and digits, at most twenty, and their values are text or whole numbers."""
    extensions = {f.encode_name: f.type for f in msgspec.structs.fields(CloudEvent)}
    extensions = {name: kind for name, kind in extensions.items() if name not in REQUIRED | OPTIONAL}
    optional = {"verdict", "recovered"}
    assert extensions.keys() == {"fact", "scope", "epoch", "mapping", "mappingversion", "sourceposition"} | optional
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in extensions)
    assert all(kind in (str, int, str | msgspec.UnsetType) for kind in extensions.values())


def test_an_id_says_where_and_what_and_never_changes(rig):
    """Source and its epoch, commit position, type and aggregate: not the mapping's version, not the offset."""
    found = []
    for version in (1, 2):
        bridge = rig(orders(PLACED, version=version))
        bridge.write([bridge.monolith.heartbeat()] * version)
        bridge.commit(insert("orders", **ORDER))
        found.append(json.loads(bridge.records("domain")[0].value))
    assert [b["mappingversion"] for b in found] == [1, 2]
    assert found[0]["sourceposition"] != found[1]["sourceposition"]
    assert found[0]["id"] == found[1]["id"]


def test_what_happens_twice_in_a_transaction_is_numbered(rig):
    """The second time the same thing happens to an aggregate in one transaction has a number; others count apart."""
    opened = "Opened: {for: payments, when: appears, tell: [amount], fact: order.payment}"
    bridge = rig(orders(f"{opened}\nPlaced: {{when: appears, tell: [], fact: order.placement}}"))
    steps = []
    for order in (7, 8):
        steps.append(insert("orders", **{**ORDER, "order_id": order, "number": 1000 + order}))
        steps += [insert("payments", pay_id=order * 10 + n, order_id=order, meth="C", amt=str(n)) for n in range(3)]
    bridge.commit(*steps)
    ids = {json.loads(r.value)["id"].partition(":")[2].partition(":")[2] for r in bridge.records("domain")}
    expected = {f"Opened:order-{n}{nth}" for n in (1007, 1008) for nth in ("", ":2", ":3")}
    assert ids == expected | {"Placed:order-1007", "Placed:order-1008"}


def test_a_claim_without_an_event_has_an_id_too(rig):
    """What no event tells is named by its fact."""
    bridge = rig(orders("Never: {when: appears, tell: [], fact: order.status}"))
    bridge.know(insert("orders", **ORDER))
    bridge.commit(update("orders", {"order_id": 7}, notes="x"))
    assert bridge.made[-1].event_id == "legacy.1:1032:order.notes:order-1007"


def test_a_snapshot_event_has_the_snapshots_position(rig):
    """The state of a snapshot row is named by where the snapshot stood, and the key."""
    bridge = rig(stock("Rose: {when: onHand rises, tell: [onHand], fact: stock.level}", "snapshot: StockKnown"))
    bridge.know(insert("stock", item_cd="A1", on_hand=3, reserved=1))
    body = json.loads(bridge.records("domain")[0].value)
    assert (body["id"], body["data"]) == ("legacy.1:1016:StockKnown:stock-A1", {"onHand": 3, "reserved": 1})


def test_a_dead_letter_holds_no_value_of_the_record(rig):
    """A dead letter says why and where, and nothing of what the record held."""
    bridge = rig(orders(PLACED))
    bridge.write([Outgoing(bridge.monolith.topic, b"k", b"secret", (), 5)])
    (letter,) = bridge.records("dead-letters")
    assert json.loads(letter.value) == {
        "reason": "NOT_JSON", "detail": "at byte 0", "source": "legacy", "position": "figbridge.legacy.log/0@0",
        "tx": "", "commit": "0", "at_us": 0, "start": 0, "end": "figbridge.legacy.log/0@0",
        "mappings": {"orders": 1}, "payload": {},
    }  # fmt: skip


@pytest.mark.parametrize("number", [10**19, 2**70, -(2**70)])
def test_numbers_beyond_64_bits_leave_as_they_came(rig, number):
    """A number that a column can hold is told, remembered and parked whole, however large."""
    text = orders(
        "Noted: {when: notes changes, tell: {now: notes, was: was.notes}, fact: order.notes}", before="last-known"
    )
    bridge = rig(text.replace("{text: notes}", "notes"))
    bridge.commit(insert("orders", **{**ORDER, "notes": number}))
    bridge.start()
    assert bridge.commit(update("orders", {"order_id": 7}, notes=1))[0].data == {"now": 1, "was": number}
    bridge.commit(update("orders", {"order_id": 7}, stat="Q", notes=number))
    bridge.start()
    assert bridge.parked() == {"orders[7]": ["UNREADABLE"]}
