"""Parked keys: set aside in order while others flow, kept through restarts, judged later as if it were then."""

from __future__ import annotations

import json

from figbridge.ports import Outgoing
from support.mappings import CODES, orders, stock
from support.monolith import delete, insert, shop, update
from support.rig import GROUP, TOPICS

CONFIRMED = "Confirmed: {when: status placed -> confirmed, tell: [total, shipTo, lines], fact: order.status}"
TOTALLED = "Totalled: {when: total changes, tell: {total: total, was: was.total}, fact: order.placement}"
STATED = "Stated: {when: status changes, tell: {status: status, was: was.status}, fact: order.status}"
MENDED = CODES.replace("}", ", Q: questioned}")
ORDER = {"order_id": 7, "number": 1007, "stat": "P", "tot_amt": "1.00", "ship_addr_id": 5}
OTHER = {**ORDER, "order_id": 8, "number": 1008}
KEY = "orders[7]"


def status(stat, order=7, **cells):
    """Change the status of an order."""
    return update("orders", {"order_id": order}, stat=stat, **cells)


def types(said):
    """Return type and aggregate of events."""
    return [(s.type, s.subject) for s in said]


def parked_bridge(rig, **options):
    """Return a bridge with order 7 parked for a code that nobody knows."""
    bridge = rig(orders(f"{STATED}\n{TOTALLED}"), **options)
    bridge.know(insert("orders", **ORDER), insert("orders", **OTHER))
    assert bridge.commit(status("Q")) == []
    return bridge


def test_an_unknown_code_parks_the_key_and_others_flow(rig):
    """Only the key that is unclear is set aside; other keys of the same transaction and later ones flow."""
    bridge = rig(orders(STATED))
    bridge.know(insert("orders", **ORDER), insert("orders", **OTHER))
    assert types(bridge.commit(status("Q"), status("C", order=8))) == [("Stated", "order-1008")]
    assert bridge.parked() == {KEY: ["UNREADABLE"]}
    assert bridge.account().records["parked"] == 1


def test_what_must_never_happen_parks_the_key(rig):
    """`never` parks with its own text as the reason."""
    bridge = rig(orders(STATED, "never: [status any -> cancelled]"))
    bridge.know(insert("orders", **ORDER))
    assert bridge.commit(status("X")) == []
    assert [(k.code, k.why) for k in bridge.parked_keys()] == [("NEVER", "status any -> cancelled")]


def test_later_changes_of_a_parked_key_wait_in_order(rig):
    """What comes after waits behind, even when it could be judged."""
    bridge = parked_bridge(rig)
    assert bridge.commit(update("orders", {"order_id": 7}, tot_amt="2.00")) == []
    assert types(bridge.commit(update("orders", {"order_id": 8}, tot_amt="2.00"))) == [("Totalled", "order-1008")]
    assert bridge.commit(status("C")) == []
    assert bridge.parked() == {KEY: ["UNREADABLE", "WAITS", "WAITS"]}
    assert bridge.parked_keys()[0].changes == 3


def test_release_judges_in_order_with_a_mended_mapping(rig):
    """With a mapping that knows the code, everything that waits is said, in order, under the ids of then."""
    bridge = parked_bridge(rig)
    bridge.commit(update("orders", {"order_id": 7}, tot_amt="2.00"))
    bridge.commit(status("C"))
    before = bridge.ends()
    bridge.start(orders(f"{STATED}\n{TOTALLED}", codes=MENDED))
    bridge.decide(KEY, "release")
    said = bridge.events(before)
    assert [(s.type, s.data) for s in said] == [
        ("Stated", {"status": "questioned", "was": "placed"}),
        ("Totalled", {"total": {"amount": "2.00", "currency": "EUR"}, "was": {"amount": "1.00", "currency": "EUR"}}),
        ("Stated", {"status": "confirmed", "was": "questioned"}),
    ]
    assert bridge.parked() == {}
    assert types(bridge.commit(update("orders", {"order_id": 7}, tot_amt="3.00"))) == [("Totalled", "order-1007")]


def test_what_is_released_has_the_id_and_place_it_would_have_had(rig):
    """An event released later is byte for byte the one that would have been said at once, but for who waited."""
    late = parked_bridge(rig)
    late.start(orders(f"{STATED}\n{TOTALLED}", codes=MENDED))
    late.decide(KEY, "release")
    prompt = rig(orders(f"{STATED}\n{TOTALLED}", codes=MENDED))
    prompt.know(insert("orders", **ORDER), insert("orders", **OTHER))
    prompt.commit(status("Q"))
    assert [r.value for r in late.records("domain")] == [r.value for r in prompt.records("domain")]


def test_release_stops_at_the_first_that_still_fails(rig):
    """What cannot be judged yet stays, and so does everything behind it."""
    bridge = rig(orders(STATED))
    bridge.know(insert("orders", **ORDER))
    for stat in "QZC":
        bridge.commit(status(stat))
    bridge.start(orders(STATED, codes=MENDED))
    bridge.decide(KEY, "release")
    assert [s.data["status"] for s in bridge.events()] == ["questioned"]
    assert bridge.parked() == {KEY: ["WAITS", "WAITS"]}
    decision = next(iter(bridge.log.state(GROUP).scan("decisions")))
    found = json.loads(decision[2])
    assert (found["done"], found["still_parked"]) == (1, "UNREADABLE: status: unknown code 'Z'")


def test_release_with_the_same_mapping_changes_nothing(rig):
    """Nothing is said that was not clear before."""
    bridge = parked_bridge(rig)
    bridge.decide(KEY, "release")
    assert bridge.parked() == {KEY: ["UNREADABLE"]}


def test_discard_drops_what_waits_and_the_key_flows(rig):
    """A discarded key says nothing of what waited, and is judged again from then on."""
    bridge = parked_bridge(rig)
    bridge.commit(status("C"))
    bridge.decide(KEY, "discard")
    assert bridge.parked() == {}
    assert [s.data for s in bridge.commit(status("P"))] == [{"status": "placed", "was": "confirmed"}]


def test_decisions_are_attributed_for_ever(rig):
    """Who decided, why and when is kept with what it did."""
    bridge = parked_bridge(rig)
    bridge.decide(KEY, "discard")
    (decision,) = [json.loads(value) for _, _, value in bridge.log.state(GROUP).scan("decisions")]
    assert decision == {
        "action": "discard", "key": KEY, "by": "ann", "reason": "seen", "at": "2026-11-21T12:00:00Z", "done": 1,
        "still_parked": "",
    }  # fmt: skip


def test_a_decision_that_cannot_be_read_is_kept_and_does_nothing(rig):
    """The control topic is open to writers: what is no decision is counted, kept, and passed over."""
    bridge = parked_bridge(rig)
    bad = [b"{", b"{}", b'{"action":"burn","key":"x","by":"y","reason":"z","at":""}', b"\xff", None, b"[" * 100_000]
    bridge.write([Outgoing(TOPICS.control, None, value) for value in bad])
    kept = [value for key, _, value in bridge.log.state(GROUP).scan("decisions") if key == "unreadable"]
    assert kept == [value or b"" for value in bad]
    assert bridge.parked() == {KEY: ["UNREADABLE"]}


def test_a_decision_on_a_key_that_is_not_parked_does_nothing(rig):
    """It may have been carried out already."""
    bridge = parked_bridge(rig)
    body = {"action": "release", "key": "orders[99]", "by": "ann", "reason": "r", "at": ""}
    bridge.write([Outgoing(TOPICS.control, None, json.dumps(body).encode())])
    assert bridge.parked() == {KEY: ["UNREADABLE"]}


def test_parked_keys_survive_a_restart(rig):
    """A bridge that starts anew goes on holding what was held."""
    bridge = parked_bridge(rig)
    bridge.start()
    assert bridge.commit(status("C")) == []
    assert bridge.parked() == {KEY: ["UNREADABLE", "WAITS"]}


def test_a_parked_change_is_judged_with_the_rows_of_then(rig):
    """Lines, addresses and code tables are told as they were when the change happened, though they moved on since."""
    told = "Stated: {when: status changes, tell: [lines, shipTo, carrier], fact: order.status}"
    bridge = rig(orders(told))
    bridge.know(
        insert("carriers", carrier_id=1, code="DHL"),
        insert("addresses", addr_id=5, name="Ada", city="Bonn"),
        insert("orders", **ORDER, carrier_id=1),
        insert("order_lines", order_id=7, line_no=1, item_cd="A", qty=1),
    )
    bridge.commit(status("Q"))
    bridge.commit(
        update("order_lines", {"order_id": 7, "line_no": 1}, qty=9),
        insert("order_lines", order_id=7, line_no=2, item_cd="B", qty=2),
        update("addresses", {"addr_id": 5}, city="Berlin"),
    )
    bridge.write(bridge.monolith.transaction(update("carriers", {"carrier_id": 1}, code="GLS")))
    bridge.start(orders(told, codes=MENDED))
    bridge.decide(KEY, "release")
    assert bridge.events()[0].data == {
        "lines": [{"sku": "A", "quantity": 1}], "shipTo": {"name": "Ada", "city": "Bonn"}, "carrier": "DHL",
    }  # fmt: skip


def test_a_parked_change_keeps_what_its_own_transaction_wrote(rig):
    """Rows of the same transaction, of code tables and re-keyed ones too, are known when it is judged later."""
    tell = "tell: {now: lines, was: was.lines, carrier: carrier, to: shipTo}"
    told = f"Stated: {{when: status changes, {tell}, fact: order.status}}"
    bridge = rig(orders(told))
    bridge.know(
        insert("orders", **ORDER), *(insert("order_lines", order_id=7, line_no=n, item_cd="A", qty=n) for n in (1, 2))
    )
    steps = [
        insert("carriers", carrier_id=3, code="UPS"),
        insert("addresses", addr_id=6, name="Bo", city="Ulm"),
        update("order_lines", {"order_id": 7, "line_no": 1}, line_no=9),
        update("order_lines", {"order_id": 7, "line_no": 2}, qty=5),
        status("Q", carrier_id=3, ship_addr_id=6),
    ]
    assert bridge.commit(*steps) == []
    bridge.start(orders(told, codes=MENDED))
    bridge.decide(KEY, "release")
    one, two, five = ({"sku": "A", "quantity": n} for n in (1, 2, 5))
    assert bridge.events()[0].data == {
        "now": [five, one], "was": [one, two], "carrier": "UPS", "to": {"name": "Bo", "city": "Ulm"},
    }  # fmt: skip


def test_a_mended_mapping_that_asks_for_more_than_was_kept_stays_parked(rig):
    """Rows that nobody remembered when the key was parked are unknown then, not an empty list."""
    bridge = rig(orders(STATED))
    bridge.know(insert("orders", **ORDER), insert("order_lines", order_id=7, line_no=1, item_cd="A", qty=1))
    bridge.commit(status("Q"))
    bridge.start(orders(STATED.replace("tell: {", "tell: {lines: lines, "), codes=MENDED))
    bridge.decide(KEY, "release")
    assert bridge.events() == []
    (decision,) = [json.loads(value) for _, _, value in bridge.log.state(GROUP).scan("decisions")]
    assert decision["still_parked"].startswith("UNREADABLE: Stated: which rows of shop.order_lines there were")


def test_a_mapping_that_is_gone_leaves_its_keys_parked(rig):
    """A release of a key whose mapping is no more says so, and the bridge goes on."""
    bridge = parked_bridge(rig)
    bridge.start(stock("Rose: {when: onHand rises, tell: [onHand], fact: stock.level}"))
    bridge.decide(KEY, "release")
    assert list(bridge.parked()) == [KEY]
    (decision,) = [json.loads(value) for _, _, value in bridge.log.state(GROUP).scan("decisions")]
    assert decision["still_parked"] == "UNMAPPED: there is no mapping orders any more"


def test_a_parked_key_that_changes_takes_what_waits_along(rig):
    """Re-keying a parked root leaves nobody behind: its changes wait under the new key, in order."""
    bridge = parked_bridge(rig)
    assert bridge.commit(update("orders", {"order_id": 7}, order_id=70)) == []
    assert bridge.commit(update("orders", {"order_id": 70}, stat="C")) == []
    assert bridge.parked() == {"orders[70]": ["UNREADABLE", "WAITS", "WAITS"]}
    bridge.start(orders(f"{STATED}\n{TOTALLED}", codes=MENDED))
    bridge.decide("orders[70]", "release")
    assert [s.data["status"] for s in bridge.events()] == ["questioned", "confirmed"]


def test_a_parked_delete_is_judged_later_too(rig):
    """The end of a parked key waits like any other change."""
    bridge = rig(orders(f"{STATED}\nGone: {{when: disappears, tell: {{was: was.status}}, fact: order.status}}"))
    bridge.know(insert("orders", **ORDER))
    bridge.commit(status("Q"))
    bridge.commit(delete("orders", order_id=7))
    bridge.start(
        orders(f"{STATED}\nGone: {{when: disappears, tell: {{was: was.status}}, fact: order.status}}", codes=MENDED)
    )
    bridge.decide(KEY, "release")
    assert [s.data for s in bridge.events()] == [{"status": "questioned", "was": "placed"}, {"was": "questioned"}]


def test_parked_changes_of_one_transaction_keep_their_numbers(rig):
    """Where every change is judged, what was said before a parked one counts in the number of its id."""
    rose = "Rose: {when: onHand rises, tell: [onHand], fact: stock.level}"
    never = "never: [reserved falls]"
    bridge = rig(stock(rose, never, head="judge: each"))
    bridge.know(insert("stock", item_cd="A1", on_hand=1, reserved=5))
    counts = [{"on_hand": 2}, {"on_hand": 3, "reserved": 4}, {"on_hand": 4}, {"on_hand": 5}]
    steps = [update("stock", {"item_cd": "A1"}, **cells) for cells in counts]
    assert [s.data["onHand"] for s in bridge.commit(*steps)] == [2]
    bridge.start(stock(rose, head="judge: each"))
    bridge.decide('stock["A1"]', "release")
    ids = [json.loads(r.value)["id"].rpartition("stock-A1")[2] for r in bridge.records("domain")]
    assert ids == ["", ":2", ":3", ":4"]


def test_numbers_go_on_where_a_release_stopped(rig):
    """A release that stops inside a transaction leaves the count to the next."""
    rose = "Rose: {when: onHand rises, tell: [onHand], fact: stock.level}"
    first, second = "reserved is 4", "reserved is 3"
    bridge = rig(stock(rose, f"never: [{first}, {second}]", head="judge: each"))
    bridge.know(insert("stock", item_cd="A1", on_hand=1, reserved=5))
    steps = [update("stock", {"item_cd": "A1"}, on_hand=n, reserved=r) for n, r in ((2, 4), (3, 5), (4, 3), (5, 5))]
    assert bridge.commit(*steps) == []
    for never in (f"never: [{second}]", ""):
        bridge.start(stock(rose, never, head="judge: each"))
        bridge.decide('stock["A1"]', "release")
    ids = [json.loads(r.value)["id"].rpartition("stock-A1")[2] for r in bridge.records("domain")]
    assert ids == ["", ":2", ":3", ":4"]


def test_a_snapshot_row_of_a_parked_key_waits_too(rig):
    """A snapshot does not overtake what waits."""
    text = orders(STATED, "snapshot: Known")
    bridge = rig(text, monolith=shop())
    bridge.know(insert("orders", **ORDER))
    bridge.commit(status("Q"))
    bridge.write(bridge.monolith.snapshot("orders"))
    assert bridge.parked() == {KEY: ["UNREADABLE", "WAITS"]}
    bridge.start(orders(STATED, "snapshot: Known", codes=MENDED))
    bridge.decide(KEY, "release")
    assert [s.type for s in bridge.events()] == ["Known", "Stated", "Known"]
