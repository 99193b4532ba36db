"""Related rows: children, grandchildren, rows that are pointed at, code tables, and rules for each row."""

from __future__ import annotations

from support.mappings import orders
from support.monolith import delete, insert, update

ORDER = {"order_id": 7, "number": 1007, "stat": "P", "tot_amt": "19.90"}
OTHER = {"order_id": 8, "number": 1008, "stat": "P", "tot_amt": "5.00"}
READDRESSED = "OrderReaddressed: {when: shipTo changes, tell: {to: shipTo, before: was.shipTo}, fact: order.delivery}"
RECEIVED = (
    "PaymentReceived: {for: payments.moves, when: appears and kind is debited, tell: [amount], fact: order.payment}"
)
OPENED = "PaymentOpened: {for: payments, when: appears, tell: [method, amount], fact: order.payment}"


def ada(city="Bonn", addr_id=5):
    """Insert Ada's address."""
    return insert("addresses", addr_id=addr_id, name="Ada", city=city)


def test_an_address_edited_without_naming_an_order_changes_the_orders_that_point_at_it(rig):
    """A row that is pointed at names nobody: every aggregate that points at it has changed."""
    bridge = rig(orders(READDRESSED))
    bridge.know(ada(), insert("orders", **ORDER, ship_addr_id=5), insert("orders", **OTHER, ship_addr_id=5))
    said = bridge.commit(update("addresses", {"addr_id": 5}, city="Berlin"))
    data = {"to": {"name": "Ada", "city": "Berlin"}, "before": {"name": "Ada", "city": "Bonn"}}
    assert said == [("OrderReaddressed", "order-1007", data), ("OrderReaddressed", "order-1008", data)]


def test_an_order_pointed_at_another_address_changes(rig):
    """Pointing at another row is a change of what is read from it."""
    bridge = rig(orders(READDRESSED))
    bridge.know(ada(), ada("Berlin", 6), insert("orders", **ORDER, ship_addr_id=5))
    said = bridge.commit(update("orders", {"order_id": 7}, ship_addr_id=6))
    assert said[0].data == {"to": {"name": "Ada", "city": "Berlin"}, "before": {"name": "Ada", "city": "Bonn"}}


def test_pointing_at_a_like_row_is_no_change(rig):
    """An order pointed at another row with the same cells has the same address."""
    bridge = rig(orders(READDRESSED))
    bridge.know(ada(), ada(addr_id=6), insert("orders", **ORDER, ship_addr_id=5))
    assert bridge.commit(update("orders", {"order_id": 7}, ship_addr_id=6)) == []


def test_an_address_that_nobody_points_at_is_nothing(rig):
    """A row that no aggregate points at is remembered and says nothing."""
    bridge = rig(orders(READDRESSED))
    assert bridge.commit(ada()) == []
    assert bridge.commit(update("addresses", {"addr_id": 5}, city="Berlin")) == []
    assert bridge.account().records["unchanged"] == 2
    bridge.know(insert("orders", **ORDER, ship_addr_id=None))
    said = bridge.commit(update("orders", {"order_id": 7}, ship_addr_id=5))
    assert said[0].data == {"to": {"name": "Ada", "city": "Berlin"}, "before": None}


def test_a_rule_for_each_row_fires_once_for_each(rig):
    """`for:` judges a rule once for each row of the relation, two hops away too."""
    bridge = rig(orders(f"{OPENED}\n{RECEIVED}"))
    bridge.know(insert("orders", **ORDER), insert("payments", pay_id=3, order_id=7, meth="C", amt="9"))
    said = bridge.commit(
        insert("payments", pay_id=4, order_id=7, meth="I", amt="1"),
        insert("payment_moves", move_id=1, pay_id=3, typ="D", amt="4"),
        insert("payment_moves", move_id=2, pay_id=3, typ="A", amt="9"),
        insert("payment_moves", move_id=3, pay_id=4, typ="D", amt="1"),
    )
    assert [(s.type, s.data["amount"]) for s in said] == [
        ("PaymentOpened", "1"),
        ("PaymentReceived", "4"),
        ("PaymentReceived", "1"),
    ]
    assert {s.subject for s in said} == {"order-1007"}


def test_a_rule_for_each_row_needs_no_attribute_of_the_row(rig):
    """A rule may turn on rows coming and going of a relation that nothing is read of."""
    text = orders("LineCame: {for: lines, when: appears, tell: {total: total}, fact: order.placement}").replace(
        "lines: {each: lines, as: {sku: {text: item_cd}, quantity: {int: qty}}}", ""
    )
    bridge = rig(text.replace("[customer, total, lines]", "[customer, total]").replace(", lines.prc]", "]"))
    bridge.know(insert("orders", **ORDER))
    said = bridge.commit(insert("order_lines", order_id=7, line_no=1), insert("order_lines", order_id=7, line_no=2))
    assert [s.type for s in said] == ["LineCame", "LineCame"]


def test_a_row_may_be_re_keyed(rig):
    """`rekeyed` in a rule for rows is that the row's own key changed."""
    bridge = rig(orders("PaymentRenumbered: {for: payments, when: rekeyed, tell: [method], fact: order.payment}"))
    bridge.know(insert("orders", **ORDER), insert("payments", pay_id=3, order_id=7, meth="C", amt="9"))
    assert bridge.commit(update("payments", {"pay_id": 3}, pay_id=30)) == [
        ("PaymentRenumbered", "order-1007", {"method": "card"})
    ]


def test_a_rule_for_a_row_sees_was_change_rises_and_falls_of_the_row(rig):
    """In a rule for rows names mean the row first: was, change, rises and falls are the row's."""
    told = "tell: {by: change.amount, was: was.amount}, fact: order.payment"
    rose = f"MoveRose: {{for: payments.moves, when: amount rises, {told}}}"
    fell = f"MoveFell: {{for: payments.moves, when: amount falls, {told}}}"
    bridge = rig(orders(f"{rose}\n{fell}"))
    bridge.know(
        insert("orders", **ORDER),
        insert("payments", pay_id=3, order_id=7, meth="C", amt="9"),
        *(insert("payment_moves", move_id=n, pay_id=3, typ="A", amt="2.50") for n in (1, 2, 3)),
    )
    said = bridge.commit(
        update("payment_moves", {"move_id": 1}, amt="4.00"),
        update("payment_moves", {"move_id": 2}, amt="0.50"),
        update("payment_moves", {"move_id": 3}, typ="D"),
    )
    assert said == [
        ("MoveRose", "order-1007", {"by": "1.50", "was": "2.50"}),
        ("MoveFell", "order-1007", {"by": "-2.00", "was": "2.50"}),
    ]


def test_a_rule_for_a_row_sees_its_parents_and_the_root(rig):
    """Names that the row does not have mean its parent's, then the root's."""
    when = "appears and method is card and status is placed"
    rule = f"Debited: {{for: payments.moves, when: {when}, tell: [method, total], fact: order.payment}}"
    bridge = rig(orders(rule))
    bridge.know(
        insert("orders", **ORDER),
        insert("payments", pay_id=3, order_id=7, meth="C", amt="9"),
        insert("payments", pay_id=4, order_id=7, meth="I", amt="9"),
    )
    said = bridge.commit(*(insert("payment_moves", move_id=n, pay_id=n, typ="D", amt="1") for n in (3, 4)))
    assert said == [
        ("Debited", "order-1007", {"method": "card", "total": {"amount": "19.90", "currency": "EUR"}})
    ]  # fmt: skip


def test_a_change_of_the_root_may_be_an_event_for_each_row(rig):
    """A rule for rows that turns on the root fires for every row, also for those that were there long before."""
    rule = (
        "LineConfirmed: {for: payments, when: status placed -> confirmed, tell: [method, amount], fact: order.payment}"
    )
    bridge = rig(orders(rule))
    bridge.know(
        insert("orders", **ORDER),
        *(insert("payments", pay_id=n, order_id=7, meth="C", amt=str(n)) for n in (3, 4)),
        insert("payments", pay_id=5, order_id=None, meth="C", amt="5"),
    )
    bridge.start()
    said = bridge.commit(
        update("orders", {"order_id": 7}, stat="C"), insert("payments", pay_id=6, order_id=7, meth="I", amt="6")
    )
    assert sorted(s.data["amount"] for s in said) == ["3", "4", "6"]


def test_a_change_of_the_parent_may_be_an_event_for_each_row_below_it(rig):
    """A rule for grandchildren that turns on their parent fires for the rows of that parent."""
    rule = "MoveMoved: {for: payments.moves, when: method changes, tell: [amount, method], fact: order.payment}"
    bridge = rig(orders(rule))
    bridge.know(
        insert("orders", **ORDER),
        *(insert("payments", pay_id=n, order_id=7, meth="C", amt="1") for n in (3, 4)),
        *(insert("payment_moves", move_id=n, pay_id=n, typ="A", amt=str(n)) for n in (3, 4)),
    )
    bridge.start()
    said = bridge.commit(update("payments", {"pay_id": 3}, meth="I"))
    assert said == [("MoveMoved", "order-1007", {"amount": "3", "method": "invoice"})]


def test_rows_that_disappear_with_their_root_are_judged_without_it(rig):
    """When the root goes with its rows, its attributes are on the was side only."""
    when = "disappears and status is not null"
    gone = f"MoveGone: {{for: payments.moves, when: {when}, tell: {{amount: was.amount}}, fact: order.payment}}"
    bridge = rig(orders(gone, "silent: [disappears]"))
    rows = [
        insert("orders", **ORDER),
        insert("payments", pay_id=3, order_id=7, meth="C", amt="9"),
        *(insert("payment_moves", move_id=n, pay_id=3, typ="A", amt=str(n)) for n in (1, 2)),
    ]
    bridge.know(*rows)
    assert [s.data["amount"] for s in bridge.commit(delete("payment_moves", move_id=1))] == ["1"]
    said = bridge.commit(delete("payment_moves", move_id=2), delete("payments", pay_id=3), delete("orders", order_id=7))
    assert said == []


def test_a_grandchild_that_comes_to_another_root_changes_both(rig):
    """A payment with its moves that is booked to another order leaves one and comes to the other."""
    when = "payments changes or payments.moves changes"
    changed = f"Changed: {{when: {when}, tell: {{n: payments, m: payments.moves}}, fact: order.payment}}"
    bridge = rig(orders(changed))
    bridge.know(
        insert("orders", **ORDER),
        insert("orders", **OTHER),
        insert("payments", pay_id=3, order_id=7, meth="C", amt="9"),
        insert("payment_moves", move_id=1, pay_id=3, typ="D", amt="4"),
    )
    payment, move = {"method": "card", "amount": "9"}, {"kind": "debited", "amount": "4"}
    assert bridge.commit(update("payments", {"pay_id": 3}, order_id=8)) == [
        ("Changed", "order-1007", {"n": [], "m": []}),
        ("Changed", "order-1008", {"n": [payment], "m": [move]}),
    ]


def test_a_code_table_gives_the_meaning_of_an_id(rig):
    """A lookup reads the code of the row with this id, as it is now."""
    rule = "CarrierAssigned: {when: carrier changes, tell: {to: carrier, before: was.carrier}, fact: order.delivery}"
    bridge = rig(orders(rule))
    bridge.know(
        insert("carriers", carrier_id=1, code="DHL"),
        insert("carriers", carrier_id=2, code="UPS"),
        insert("orders", **ORDER, carrier_id=1),
    )
    assert bridge.commit(update("orders", {"order_id": 7}, carrier_id=2))[0].data == {"to": "UPS", "before": "DHL"}
    said = bridge.commit(insert("carriers", carrier_id=3, code="GLS"), update("orders", {"order_id": 7}, carrier_id=3))
    assert said[0].data == {"to": "GLS", "before": "UPS"}


def test_a_line_before_its_order_parks_the_order(rig):
    """A line committed before its order waits under the order's key, and so does the order: nobody guesses."""
    placed = "OrderPlaced: {when: appears, tell: [lines], fact: order.placement}"
    bridge = rig(orders(f"{placed}\nRevised: {{when: lines changes, tell: [lines], fact: order.placement}}"))
    assert bridge.commit(insert("order_lines", order_id=7, line_no=1, item_cd="A1", qty=2)) == []
    assert bridge.commit(insert("orders", **ORDER)) == []
    assert bridge.parked() == {"orders[7]": ["UNRESOLVED", "WAITS"]}
    assert bridge.commit(insert("orders", **OTHER)) != []


def test_a_row_that_leads_nowhere_is_parked_by_itself(rig):
    """A grandchild whose parent nobody knows parks under its own name; other keys flow."""
    bridge = rig(orders(RECEIVED))
    bridge.know(insert("orders", **ORDER))
    assert bridge.commit(insert("payment_moves", move_id=1, pay_id=99, typ="D", amt="4")) == []
    assert bridge.parked() == {'orders["payments.moves",1]': ["UNRESOLVED"]}


def test_a_row_that_belongs_to_nobody_is_nothing(rig):
    """A child without a parent (null) is of no aggregate; it appears when it gets one, disappears when it loses it."""
    closed = "PaymentClosed: {for: payments, when: disappears, tell: {method: was.method}, fact: order.payment}"
    bridge = rig(orders(f"{OPENED}\n{closed}"))
    bridge.know(insert("orders", **ORDER))
    assert bridge.commit(insert("payments", pay_id=3, order_id=None, meth="C", amt="9")) == []
    assert [s.type for s in bridge.commit(update("payments", {"pay_id": 3}, order_id=7))] == ["PaymentOpened"]
    assert [s.type for s in bridge.commit(update("payments", {"pay_id": 3}, order_id=None))] == ["PaymentClosed"]


NESTED = """
mapping: orders
version: 1
source: {table: shop.orders, key: order_id}
with:
  payments:
    table: shop.payments
    key: pay_id
    belongs: order_id
    with:
      moves: {table: shop.payment_moves, key: move_id, belongs: pay_id}
      place: {table: shop.addresses, key: addr_id, pointed: meth}
about: {aggregate: Order, id: "order-{order_id}"}
read:
  booked:
    each: payments
    as:
      amount: {money: amt, currency: {column: parent.notes}}
      city: place.city
      moves: {each: payments.moves, as: {typ: typ}}
facts: {order.payment: [booked]}
events: {Booked: {when: booked changes, tell: {now: booked, was: was.booked}, fact: order.payment}}
"""


def test_a_list_inside_a_list_holds_the_rows_below_each_row(rig):
    """Rows listed inside a listed row are that row's own; a cell of the root or of a pointed row counts as well."""
    bridge = rig(NESTED)
    bridge.know(
        insert("addresses", addr_id=1, city="Bonn"),
        insert("orders", order_id=7, notes="EUR"),
        *(insert("payments", pay_id=n, order_id=7, meth=1, amt=str(n)) for n in (3, 4)),
        *(insert("payment_moves", move_id=n, pay_id=n, typ="D") for n in (3, 4)),
    )

    def booked(*currency_city_types):
        return [
            {"amount": {"amount": str(n), "currency": currency}, "city": city, "moves": [{"typ": t} for t in types]}
            for n, (currency, city, types) in zip((3, 4), currency_city_types, strict=True)
        ]

    known = [("EUR", "Bonn", "D"), ("EUR", "Bonn", "D")]
    steps = [
        (insert("payment_moves", move_id=9, pay_id=4, typ="A"), [known[0], ("EUR", "Bonn", "DA")]),
        (update("addresses", {"addr_id": 1}, city="Berlin"), [("EUR", "Berlin", "D"), ("EUR", "Berlin", "DA")]),
        (update("orders", {"order_id": 7}, notes="USD"), [("USD", "Berlin", "D"), ("USD", "Berlin", "DA")]),
        (update("payment_moves", {"move_id": 9}, pay_id=3), [("USD", "Berlin", "DA"), ("USD", "Berlin", "D")]),
    ]
    for step, after in steps:
        bridge.start()
        assert bridge.commit(step) == [("Booked", "order-7", {"was": booked(*known), "now": booked(*after)})]
        known = after
