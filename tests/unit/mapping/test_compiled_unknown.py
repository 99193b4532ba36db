"""Known, null, unavailable: a rule fires only on true, and what stays unknown is parked or skipped, never guessed."""

from __future__ import annotations

from functools import partial

import pytest

from figbridge.domain.verdict import Verdict
from support.mappings import orders, stock
from support.monolith import UNAVAILABLE_TEXT, delete, insert, shop, update

ORDER = {"order_id": 7, "number": 1007, "stat": "P", "tot_amt": "19.90", "notes": "a long story"}
NOTED = "Noted: {when: notes changes, tell: [notes], fact: order.notes}"
CONFIRMED = "Confirmed: {when: status placed -> confirmed, tell: [notes], fact: order.status}"
TOTALLED = "Totalled: {when: total changes, tell: [total], fact: order.placement}"
TOAST = frozenset({"notes"})
HALF_KNOWN = insert("orders", **{**ORDER, "notes": UNAVAILABLE_TEXT})
LAST_KNOWN = partial(orders, before="last-known")


def reasons(bridge):
    """Return code and reason of each parked key."""
    return [(k.code, k.why) for k in bridge.parked_keys()]


def test_null_is_a_value(rig):
    """Null is known: from null to a text is a change, and is told as null."""
    bridge = rig(orders("Noted: {when: notes changes, tell: {notes: notes, was: was.notes}, fact: order.notes}"))
    bridge.know(insert("orders", **{**ORDER, "notes": None}))
    assert bridge.commit(update("orders", {"order_id": 7}, notes="x"))[0].data == {"notes": "x", "was": None}
    assert bridge.commit(update("orders", {"order_id": 7}, notes=None))[0].data == {"notes": None, "was": "x"}


def test_a_value_that_the_log_left_out_is_the_one_before(rig):
    """A large value that an update does not write is filled in from the row before, and has not changed."""
    for before, full in (("required", True), ("last-known", False)):
        bridge = rig(orders(f"{NOTED}\n{CONFIRMED}", before=before), monolith=shop(full=full, toast=TOAST))
        bridge.know(insert("orders", **ORDER))
        said = bridge.commit(update("orders", {"order_id": 7}, stat="C"))
        assert [(s.type, s.data) for s in said] == [("Confirmed", {"notes": "a long story"})]


def test_a_value_left_out_after_a_change_of_key_is_the_newest(rig):
    """The value that a re-keyed row's record leaves out is the one written earlier in the transaction."""
    for before, full in (("required", True), ("last-known", False)):
        bridge = rig(orders(NOTED, before=before), monolith=shop(full=full, toast=TOAST))
        bridge.know(insert("orders", **ORDER))
        said = bridge.commit(
            update("orders", {"order_id": 7}, notes="another story"), update("orders", {"order_id": 7}, order_id=9)
        )
        assert [s.data for s in said] == [{"notes": "another story"}]


def test_an_unknown_change_parks_with_the_side_that_is_missing(rig):
    """A rule that stays unknown parks the key, and says which value is missing on which side."""
    bridge = rig(orders(f"{NOTED}\n{CONFIRMED}", before="last-known"), monolith=shop(full=False, toast=TOAST))
    bridge.monolith.fill(insert("orders", **ORDER))
    assert bridge.commit(update("orders", {"order_id": 7}, stat="C")) == []
    assert reasons(bridge) == [("UNSURE", "Confirmed: was.status is unavailable")]


def test_what_the_log_left_out_has_not_changed_even_when_nobody_knows_it(rig):
    """A large value that is unknown on both sides has not changed: the log leaves out only what did not."""
    bridge = rig(LAST_KNOWN(f"{NOTED}\n{TOTALLED}"), monolith=shop(full=False, toast=TOAST))
    bridge.know(HALF_KNOWN)
    assert [s.type for s in bridge.commit(update("orders", {"order_id": 7}, tot_amt="1.00"))] == ["Totalled"]


def test_an_event_that_would_tell_an_unavailable_value_parks(rig):
    """What is not known is not told: the key parks with the name of the value."""
    confirmed = "Confirmed: {when: status any -> confirmed, tell: [notes], fact: order.status}"
    bridge = rig(LAST_KNOWN(confirmed), monolith=shop(full=False, toast=TOAST))
    bridge.know(HALF_KNOWN)
    assert bridge.commit(update("orders", {"order_id": 7}, stat="C")) == []
    assert reasons(bridge) == [("UNAVAILABLE", "Confirmed: notes is unavailable")]
    assert UNAVAILABLE_TEXT not in str(bridge.records("domain"))


def test_skip_counts_what_stays_unknown_and_goes_on(rig):
    """With `unsure: skip` an unknown rule is noted, and the others are judged."""
    bridge = rig(LAST_KNOWN(f"{NOTED}\n{TOTALLED}", head="unsure: skip"), monolith=shop(full=False))
    bridge.know(HALF_KNOWN)
    said = bridge.commit(update("orders", {"order_id": 7}, tot_amt="1.00", notes="x"))
    assert [s.type for s in said] == ["Totalled"]
    assert bridge.skipped == ["Noted"]
    assert bridge.parked() == {}


def test_a_deciding_item_makes_the_unknown_one_irrelevant(rig):
    """`and` with one false item is false, whatever is unknown beside it; `or` with a true one is true."""
    both = "Both: {when: status changes and notes changes, tell: [status], fact: order.status}"
    either = "Either: {when: total changes or notes changes, tell: [total], fact: order.placement}"
    bridge = rig(LAST_KNOWN(f"{both}\n{either}"), monolith=shop(full=False))
    bridge.know(HALF_KNOWN)
    said = bridge.commit(update("orders", {"order_id": 7}, tot_amt="1.00", notes="x"))
    assert [s.type for s in said] == ["Either"]


def test_an_unknown_never_parks_too(rig):
    """Whether something happened that must never happen must be known."""
    bridge = rig(LAST_KNOWN(CONFIRMED, "never: [notes changes]"), monolith=shop(full=False))
    bridge.know(HALF_KNOWN)
    assert bridge.commit(update("orders", {"order_id": 7}, notes="x")) == []
    assert reasons(bridge) == [("UNSURE", "never notes changes: was.notes is unavailable")]


def test_what_must_never_happen_parks_whatever_else_happened(rig):
    """`never` is judged before the events, and none of them is said."""
    bridge = rig(orders(CONFIRMED, "never: [total falls]"))
    bridge.know(insert("orders", **ORDER))
    assert bridge.commit(update("orders", {"order_id": 7}, stat="C", tot_amt="1.00")) == []
    assert reasons(bridge) == [("NEVER", "total falls")]


def test_what_must_never_be_is_asked_of_an_order_whose_line_changed(rig):
    """A state that must never be is looked at when anything of the aggregate changes, and is known then."""
    bridge = rig(
        orders("Revised: {when: lines changes, tell: [], fact: order.placement}", "never: [status is cancelled]")
    )
    bridge.know(insert("orders", **ORDER), insert("orders", **{**ORDER, "order_id": 8, "number": 1008}))
    bridge.know(insert("order_lines", order_id=7, line_no=1, item_cd="A", qty=1))
    bridge.start()
    assert len(bridge.commit(update("order_lines", {"order_id": 7, "line_no": 1}, qty=2))) == 1
    assert bridge.parked() == {}


def test_an_unknown_code_parks_with_the_code_and_its_attribute(rig):
    """A code that nobody knows is not guessed: the key parks, and the reason holds the code."""
    bridge = rig(orders(CONFIRMED))
    bridge.know(insert("orders", **ORDER))
    assert bridge.commit(update("orders", {"order_id": 7}, stat="Q")) == []
    assert reasons(bridge) == [("UNREADABLE", "status: unknown code 'Q'")]


def test_an_unreadable_value_that_an_event_tells_names_the_event(rig):
    """A value that cannot be read only when it is told parks, and the reason names the event that tells it."""
    bridge = rig(orders("Noted: {when: notes changes, tell: [status], fact: order.notes}"))
    bridge.monolith.fill(insert("orders", **{**ORDER, "stat": "Q"}))
    assert bridge.commit(update("orders", {"order_id": 7}, notes="x")) == []
    assert reasons(bridge) == [("UNREADABLE", "Noted: unknown code 'Q'")]


def test_an_unreadable_value_before_is_unknown(rig):
    """A value that could not be read before makes the change unknown; that it can be read now is told."""
    bridge = rig(orders("Stated: {when: status any -> placed, tell: [status], fact: order.status}"))
    bridge.monolith.fill(insert("orders", **{**ORDER, "stat": "Q"}))
    assert bridge.commit(update("orders", {"order_id": 7}, stat="P")) == []
    assert reasons(bridge) == [("UNSURE", "Stated: was.status is unavailable")]


@pytest.mark.parametrize("otherwise", ["raw", "null"])
def test_otherwise_says_what_an_unreadable_value_becomes(rig, otherwise):
    """`otherwise` gives a value that cannot be read as it is, or as null; a list where a code should be too."""
    text = orders("Stated: {when: status changes, tell: [status], fact: order.status}")
    text = text.replace("X: cancelled}}", f"X: cancelled}}, otherwise: {otherwise}}}")
    for cell in ("Q", ["Q"]):
        bridge = rig(text)
        bridge.know(insert("orders", **ORDER))
        said = bridge.commit(update("orders", {"order_id": 7}, stat=cell))
        assert said[0].data == {"status": {"raw": str(cell)} if otherwise == "raw" else None}


def test_a_row_before_that_is_required_and_missing_parks(rig):
    """`before: required` over a table whose log has no row before: no rule is asked."""
    rises = "Rose: {when: onHand rises, tell: [onHand], fact: stock.level}"
    bridge = rig(stock(rises), monolith=shop(full=False))
    bridge.know(insert("stock", item_cd="A1", on_hand=1, reserved=0))
    assert bridge.commit(update("stock", {"item_cd": "A1"}, on_hand=2)) == []
    assert reasons(bridge) == [("BEFORE_MISSING", "the record has no image of the row before the change")]


def test_a_made_up_row_before_is_not_believed(rig):
    """What Debezium makes up for the row before a delete is never told."""
    gone = "Gone: {when: disappears, tell: {onHand: was.onHand}, fact: stock.level}"
    bridge = rig(stock(gone), monolith=shop(full=False))
    bridge.know(insert("stock", item_cd="A1", on_hand=7, reserved=0))
    assert bridge.commit(delete("stock", item_cd="A1")) == []
    assert reasons(bridge) == [("UNAVAILABLE", "Gone: onHand is unavailable")]


def test_a_row_that_was_there_and_nobody_knew_does_not_appear(rig):
    """An update of a related row that is not remembered is not the row's beginning: that is unknown."""
    opened = "PaymentOpened: {for: payments, when: appears, tell: [method], fact: order.payment}"
    changed = "PaymentChanged: {for: payments, when: method changes, tell: [method], fact: order.payment}"
    bridge = rig(orders(f"{opened}\n{changed}", before="last-known"), monolith=shop(full=False))
    bridge.know(insert("orders", **ORDER))
    bridge.monolith.fill(insert("payments", pay_id=3, order_id=7, meth="C", amt="1"))
    assert bridge.commit(update("payments", {"pay_id": 3}, meth="I")) == []
    assert reasons(bridge) == [("UNSURE", "PaymentChanged: was.payments.method is unavailable")]


def test_a_list_with_a_row_that_nobody_knows_is_not_told(rig):
    """When a row may or may not have belonged to the order, what the order's list was is unknown."""
    revised = "Revised: {when: total changes, tell: {was: was.payments}, fact: order.placement}"
    bridge = rig(orders(revised, before="last-known"), monolith=shop(full=False))
    bridge.know(insert("orders", **ORDER))
    bridge.monolith.fill(insert("payments", pay_id=3, order_id=7, meth="C", amt="1"))
    said = bridge.commit(update("payments", {"pay_id": 3}, meth="I"), update("orders", {"order_id": 7}, tot_amt="1"))
    assert said == []
    assert reasons(bridge) == [("UNAVAILABLE", "Revised: was is unavailable")]


def test_an_unauthorised_change_shows_only_rows_that_are_known(rig):
    """The before and after of a claim leave out rows that nobody knows, and never hold a placeholder."""
    bridge = rig(LAST_KNOWN(TOTALLED), monolith=shop(full=False))
    bridge.know(insert("orders", **ORDER), insert("order_lines", order_id=7, line_no=2, item_cd="A", qty=2))
    bridge.monolith.fill(insert("order_lines", order_id=7, line_no=1, item_cd="A", qty=1))
    bridge.commit(*(update("order_lines", {"order_id": 7, "line_no": n}, qty=5) for n in (1, 2)))
    found = [c for c in bridge.claims(Verdict.SILENT) if c.cell.fact == "order.placement"]
    assert found[-1].was == {"lines": [{"sku": "A", "quantity": 2}]}


def test_an_amount_beside_other_things_is_not_money(rig):
    """A row with an attribute called amount has changed when any attribute of it has."""
    bridge = rig(orders("Paid: {when: payments changes, tell: [payments], fact: order.payment}"))
    bridge.know(insert("orders", **ORDER), insert("payments", pay_id=3, order_id=7, meth="C", amt="1"))
    said = bridge.commit(update("payments", {"pay_id": 3}, meth="I"))
    assert said[0].data == {"payments": [{"method": "invoice", "amount": "1"}]}
