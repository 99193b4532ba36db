"""What a rule sees: an aggregate at both edges of a transaction, and nothing in between."""

from __future__ import annotations

from figbridge.domain.verdict import Verdict
from support.mappings import orders, stock
from support.monolith import delete, insert, shop, update

PLACED = "OrderPlaced: {when: appears, tell: [status, total, lines], fact: order.placement}"
CONFIRMED = (
    "OrderConfirmed: {when: status placed -> confirmed, tell: {was: was.status, now: status}, fact: order.status}"
)
REVISED = "OrderRevised: {when: lines changes, tell: {lines: lines, before: was.lines}, fact: order.placement}"
ERASED = "OrderErased: {when: disappears, tell: {status: was.status, lines: was.lines}, fact: order.status}"
RENUMBERED = "OrderRenumbered: {when: rekeyed, tell: [status, lines], fact: order.status}"
ORDER = {"order_id": 7, "number": 1007, "stat": "P", "tot_amt": "19.90"}
LINE = {"order_id": 7, "line_no": 1, "item_cd": "A1", "qty": 2, "prc": "9.95"}
EUR = {"currency": "EUR"}


def kinds(said):
    """Return the types of events."""
    return [s.type for s in said]


def test_order_and_lines_of_one_transaction_are_one_event(rig):
    """An order with its lines committed together is one OrderPlaced that tells all of it."""
    bridge = rig(orders(f"{PLACED}\n{REVISED}"))
    said = bridge.commit(insert("orders", **ORDER), insert("order_lines", **LINE))
    assert said == [
        ("OrderPlaced", "order-1007", {
            "status": "placed", "total": {"amount": "19.90", **EUR}, "lines": [{"sku": "A1", "quantity": 2}]
        })
    ]  # fmt: skip


def test_lines_written_before_their_order_are_the_same_event(rig):
    """What counts are the edges of the transaction: the order of its rows makes no difference."""
    bridge = rig(orders(f"{PLACED}\n{REVISED}"))
    said = bridge.commit(insert("order_lines", **LINE), insert("orders", **ORDER))
    assert kinds(said) == ["OrderPlaced"]
    assert said[0].data["lines"] == [{"sku": "A1", "quantity": 2}]


def test_a_rule_sees_was_and_now_at_the_edges(rig):
    """`was` is the value before the transaction, `now` the value after it."""
    bridge = rig(orders(CONFIRMED))
    bridge.know(insert("orders", **ORDER))
    assert bridge.commit(update("orders", {"order_id": 7}, stat="C")) == [
        ("OrderConfirmed", "order-1007", {"was": "placed", "now": "confirmed"})
    ]


def test_a_value_that_passes_by_inside_a_transaction_is_nothing(rig):
    """Placed → confirmed → placed inside one transaction has not happened."""
    bridge = rig(orders(CONFIRMED))
    bridge.know(insert("orders", **ORDER))
    steps = [update("orders", {"order_id": 7}, stat=stat) for stat in "CXP"]
    assert bridge.commit(*steps) == []
    assert bridge.claims() == [c for c in bridge.claims() if c.state]
    assert bridge.account().records["unchanged"] == 3


def test_a_value_that_is_passed_through_is_not_seen(rig):
    """Placed → confirmed → cancelled is placed → cancelled."""
    cancelled = "OrderCancelled: {when: status any -> cancelled, tell: {from: was.status}, fact: order.status}"
    bridge = rig(orders(f"{CONFIRMED}\n{cancelled}"))
    bridge.know(insert("orders", **ORDER))
    said = bridge.commit(*(update("orders", {"order_id": 7}, stat=stat) for stat in "CX"))
    assert said == [("OrderCancelled", "order-1007", {"from": "placed"})]


def test_each_judges_change_by_change(rig):
    """A mapping that says `judge: each` sees every change."""
    rises = "StockRose: {when: onHand rises, tell: {by: change.onHand}, fact: stock.level}"
    falls = "StockFell: {when: onHand falls, tell: {by: change.onHand}, fact: stock.level}"
    steps = [update("stock", {"item_cd": "A1"}, on_hand=n) for n in (12, 9, 10)]
    for head, expected in (("judge: each", [2, -3, 1]), ("", [])):
        bridge = rig(stock(f"{rises}\n{falls}", head=head))
        bridge.know(insert("stock", item_cd="A1", on_hand=10, reserved=0))
        assert [s.data["by"] for s in bridge.commit(*steps)] == expected


def test_each_on_one_mapping_leaves_the_others_net(rig):
    """`judge: each` is a mapping's own: an order in the same transaction is still one event."""
    rises = "StockFell: {when: onHand falls, tell: {by: change.onHand}, fact: stock.level}"
    bridge = rig(orders(f"{PLACED}\n{REVISED}"), stock(rises, head="judge: each"))
    bridge.know(insert("stock", item_cd="A1", on_hand=10, reserved=0))
    said = bridge.commit(
        insert("orders", **ORDER),
        update("stock", {"item_cd": "A1"}, on_hand=9),
        insert("order_lines", **LINE),
        update("stock", {"item_cd": "A1"}, on_hand=8),
    )
    assert kinds(said) == ["OrderPlaced", "StockFell", "StockFell"]
    assert said[0].data["lines"] == [{"sku": "A1", "quantity": 2}]


def test_each_takes_both_records_of_a_changed_key_as_one_change(rig):
    """A key change comes as two records and is one change, also where every change is judged."""
    moved = "StockRenamed: {when: rekeyed, tell: [onHand], fact: stock.level}"
    gone = "StockGone: {when: disappears, tell: {onHand: was.onHand}, fact: stock.level}"
    for before in ("required", "last-known"):
        bridge = rig(
            stock(f"{moved}\n{gone}", head="judge: each", before=before), monolith=shop(full=before == "required")
        )
        bridge.know(insert("stock", item_cd="A1", on_hand=10, reserved=0))
        said = bridge.commit(update("stock", {"item_cd": "A1"}, item_cd="A2"))
        assert said == [("StockRenamed", "stock-A2", {"onHand": 10})]


def test_an_order_that_comes_and_goes_inside_a_transaction_is_nothing(rig):
    """Appearing and disappearing in one transaction is neither."""
    bridge = rig(orders(f"{PLACED}\n{ERASED}"))
    said = bridge.commit(
        insert("orders", **ORDER),
        insert("order_lines", **LINE),
        delete("order_lines", order_id=7, line_no=1),
        delete("orders", order_id=7),
    )
    assert said == []
    assert bridge.claims() == []


def test_what_disappears_is_told_as_it_was(rig):
    """`was` of a row that disappears is its last state, with the lines that went with it."""
    bridge = rig(orders(ERASED))
    bridge.know(insert("orders", **ORDER), insert("order_lines", **LINE))
    said = bridge.commit(delete("order_lines", order_id=7, line_no=1), delete("orders", order_id=7))
    assert said == [("OrderErased", "order-1007", {"status": "placed", "lines": [{"sku": "A1", "quantity": 2}]})]


def test_a_row_deleted_and_inserted_again_has_changed(rig):
    """Delete and insert of one key in one transaction is a change of the row, not its end and beginning."""
    bridge = rig(orders(f"{PLACED}\n{CONFIRMED}\n{ERASED}"))
    bridge.know(insert("orders", **ORDER))
    said = bridge.commit(delete("orders", order_id=7), insert("orders", **{**ORDER, "stat": "C"}))
    assert kinds(said) == ["OrderConfirmed"]


def test_a_changed_key_is_neither_an_end_nor_a_beginning(rig):
    """A root whose key changes is re-keyed, with its children, and does not appear or disappear."""
    for full in (True, False):
        bridge = rig(
            orders(f"{PLACED}\n{ERASED}\n{REVISED}\n{RENUMBERED}", before="required" if full else "last-known"),
            monolith=shop(full=full),
        )
        bridge.know(insert("orders", **ORDER), insert("order_lines", **LINE))
        said = bridge.commit(
            update("orders", {"order_id": 7}, order_id=907),
            update("order_lines", {"order_id": 7, "line_no": 1}, order_id=907),
        )
        assert said == [
            ("OrderRenumbered", "order-1007", {"status": "placed", "lines": [{"sku": "A1", "quantity": 2}]})
        ]


def test_a_key_that_changes_there_and_back_has_not_changed(rig):
    """1 → 2 → 1 inside one transaction is not a re-keyed row."""
    bridge = rig(orders(f"{PLACED}\n{ERASED}\n{RENUMBERED}"))
    bridge.know(insert("orders", **ORDER))
    said = bridge.commit(update("orders", {"order_id": 7}, order_id=8), update("orders", {"order_id": 8}, order_id=7))
    assert said == []


def test_two_rows_may_change_places(rig):
    """Two orders that swap their keys in one transaction are both re-keyed, and known under their new keys."""
    bridge = rig(orders(f"{PLACED}\n{ERASED}\n{RENUMBERED}\n{REVISED}"))
    other = {**ORDER, "order_id": 8, "number": 1008, "stat": "C"}
    bridge.know(insert("orders", **ORDER), insert("orders", **other), insert("order_lines", **LINE))
    said = bridge.commit(
        update("orders", {"order_id": 7}, order_id=0),
        update("orders", {"order_id": 8}, order_id=7),
        update("orders", {"order_id": 0}, order_id=8),
        update("order_lines", {"order_id": 7, "line_no": 1}, order_id=8),
    )
    assert [(s.type, s.subject) for s in said] == [
        ("OrderRenumbered", "order-1007"),
        ("OrderRenumbered", "order-1008"),
    ]
    said = bridge.commit(
        update("order_lines", {"order_id": 8, "line_no": 1}, qty=3), insert("order_lines", **{**LINE, "line_no": 2})
    )
    assert [(s.type, s.subject) for s in said] == [("OrderRevised", "order-1007"), ("OrderRevised", "order-1008")]


def test_a_line_that_moves_changes_both_orders(rig):
    """A line that moves to another order changes the one it left and the one it came to."""
    bridge = rig(orders(REVISED))
    bridge.know(
        insert("orders", **ORDER),
        insert("orders", **{**ORDER, "order_id": 8, "number": 1008}),
        insert("order_lines", **LINE),
        insert("order_lines", order_id=8, line_no=5, item_cd="B2", qty=1),
    )
    line, other = {"sku": "A1", "quantity": 2}, {"sku": "B2", "quantity": 1}
    said = bridge.commit(update("order_lines", {"order_id": 7, "line_no": 1}, order_id=8))
    assert said == [
        ("OrderRevised", "order-1007", {"before": [line], "lines": []}),
        ("OrderRevised", "order-1008", {"before": [other], "lines": [line, other]}),
    ]


def test_a_line_with_another_number_is_still_one_line(rig):
    """A line whose own key changes is told once on each side."""
    told = "tell: {lines: lines, before: was.lines}, fact: order.placement"
    bridge = rig(orders(f"Touched: {{when: lines changes or total changes, {told}}}"))
    bridge.know(insert("orders", **ORDER), insert("order_lines", **LINE))
    said = bridge.commit(
        update("order_lines", {"order_id": 7, "line_no": 1}, line_no=9), update("orders", {"order_id": 7}, tot_amt="1")
    )
    line = {"sku": "A1", "quantity": 2}
    assert said == [("Touched", "order-1007", {"lines": [line], "before": [line]})]


def test_a_change_that_nobody_speaks_for_is_a_silent_claim_with_that_reason(rig):
    """Every change is spoken for, or said to be silent because nobody speaks for it."""
    bridge = rig(orders(CONFIRMED))
    bridge.know(insert("orders", **ORDER))
    assert bridge.commit(update("orders", {"order_id": 7}, cust_id=3, notes="x")) == []
    assert bridge.silences() == [
        ("order.placement", "no event speaks for customer"),
        ("order.notes", "no event speaks for notes"),
    ]
    assert [(dict(c.was), dict(c.now)) for c in bridge.claims(Verdict.SILENT)] == [
        ({"customer": None}, {"customer": "customer-3"}),
        ({"notes": None}, {"notes": "x"}),
    ]


def test_what_is_silent_gives_its_own_rule_as_the_reason(rig):
    """A silent claim names the rule that is silent about this change, not another that is true as well."""
    bridge = rig(orders(CONFIRMED, "silent: [notes changes, customer changes and status is placed]"))
    bridge.know(insert("orders", **ORDER))
    assert bridge.commit(update("orders", {"order_id": 7}, cust_id=3, notes="x")) == []
    assert bridge.silences() == [
        ("order.placement", "customer changes and status is placed"),
        ("order.notes", "notes changes"),
    ]


def test_an_appearing_row_that_no_event_speaks_for_says_its_facts(rig):
    """A row that appears without an event is a claim of each of its facts, with all that is known of them."""
    bridge = rig(orders(CONFIRMED))
    assert bridge.commit(insert("orders", **ORDER)) == []
    reason = "no event speaks for a row that appears"
    assert [s for s in bridge.silences() if s[0] == "order.status"] == [("order.status", reason)]
    assert len(bridge.silences()) == 5
    found = {c.cell.fact: dict(c.now) for c in bridge.claims()}
    assert found["order.status"] == {"status": "placed"}
    assert found["order.placement"]["total"] == {"amount": "19.90", **EUR}


def test_a_disappearing_row_that_no_event_speaks_for_says_what_it_was(rig):
    """A row that disappears without an event claims each of its facts, with what is known of it before."""
    bridge = rig(orders(CONFIRMED, "silent: [disappears]"))
    bridge.know(insert("orders", **ORDER))
    assert bridge.commit(delete("orders", order_id=7)) == []
    assert {reason for _, reason in bridge.silences()} == {"disappears"}
    found = {c.cell.fact: (dict(c.was), dict(c.now)) for c in bridge.claims(Verdict.SILENT)}
    assert found["order.status"] == ({"status": "placed"}, {})


def test_an_unknown_rule_does_not_hide_that_nobody_speaks(rig):
    """With `unsure: skip`, a rule that stays unknown does not keep a row's end from being a claim."""
    events = "Ended: {when: disappears and was.carrier is DHL, tell: [], fact: order.delivery}"
    bridge = rig(orders(events, head="unsure: skip"))
    bridge.know(insert("orders", **ORDER, carrier_id=5))
    assert bridge.commit(delete("orders", order_id=7)) == []
    assert bridge.skipped == ["Ended"]
    assert ("order.status", "no event speaks for a row that disappears") in bridge.silences()


def test_events_come_in_the_order_of_the_file_and_aggregates_by_their_first_row(rig):
    """Events of one aggregate come as the file has them, aggregates by their first row in the transaction."""
    first = "Second: {when: status changes, tell: [status], fact: order.status}"
    second = "First: {when: total changes, tell: [total], fact: order.placement}"
    bridge = rig(orders(f"{first}\n{second}"))
    bridge.know(*(insert("orders", **{**ORDER, "order_id": n, "number": 1000 + n}) for n in (7, 8)))
    said = bridge.commit(
        update("orders", {"order_id": 8}, tot_amt="1"),
        update("orders", {"order_id": 7}, tot_amt="2", stat="C"),
        update("orders", {"order_id": 8}, stat="C"),
    )
    assert [(s.type, s.subject[-1]) for s in said] == [("Second", "8"), ("First", "8"), ("Second", "7"), ("First", "7")]


def test_there_is_a_claim_for_each_fact_that_changed(rig):
    """Each changed fact is claimed: by an event that tells it, or as its new state."""
    bridge = rig(orders(CONFIRMED))
    bridge.know(insert("orders", **ORDER))
    bridge.commit(update("orders", {"order_id": 7}, stat="C", tot_amt="5", notes="x"))
    found = [(c.cell.fact, c.event.type if c.event else "", c.changed) for c in bridge.claims() if not c.state]
    assert found == [("order.status", "OrderConfirmed", True), ("order.placement", "", True), ("order.notes", "", True)]


def test_noise_is_nothing(rig):
    """A change of noise alone makes no claim."""
    bridge = rig(orders(f"{CONFIRMED}\n{REVISED}"))
    bridge.know(insert("orders", **ORDER), insert("order_lines", **LINE))
    said = bridge.commit(
        update("orders", {"order_id": 7}, upd_dt=5), update("order_lines", {"order_id": 7, "line_no": 1}, prc="1")
    )
    assert said == []
    assert [c for c in bridge.claims() if not c.state] == []
    assert bridge.account().records["unchanged"] == 2


def test_the_change_of_a_value_that_did_not_change_is_nothing_more_nor_less(rig):
    """`change.X` of a number that stays is zero, whether or not its column was touched."""
    told = "tell: {onHand: change.onHand, reserved: change.reserved}, fact: stock.level"
    bridge = rig(stock(f"Moved: {{when: onHand changes or reserved changes, {told}}}"))
    bridge.know(insert("stock", item_cd="A1", on_hand=10, reserved=1))
    said = bridge.commit(update("stock", {"item_cd": "A1"}, on_hand=8))
    assert said == [("Moved", "stock-A1", {"onHand": -2, "reserved": 0})]
