"""What each form of a mapping document becomes."""

from __future__ import annotations

import pytest
from documents_support import DESIGN, SMALL, edited

from figbridge.errors import Place
from figbridge.mapping import model as m
from figbridge.mapping.loader import parse_mapping
from figbridge.mapping.when import And, Appears, Becomes, Changes, Disappears, Is, Name, Or


def reader(written: str) -> m.Reader:
    """Return the reader that a form of the attribute `it` becomes."""
    lookup = "lookup: {carrier: {table: shop.c, key: id, gives: code}}"
    text = edited(SMALL, ("read:\n", f"{lookup}\nread:\n  it: {written}\n"))
    return next(a.reader for a in parse_mapping(text).attributes if a.name == "it")


HERE = m.Column("", "c")
READERS: dict[str, m.Reader] = {
    "c": m.Plain(HERE),
    "address.c": m.Plain(m.Column("address", "c")),
    "{text: c}": m.Text(HERE),
    "{text: c, trim: both}": m.Text(HERE, "both"),
    "{int: c}": m.Int(HERE),
    "{decimal: c}": m.Decimal(HERE),
    "{money: c, currency: EUR, minor: 2}": m.Money(HERE, "EUR", 2),
    "{money: c, currency: {column: address.cur}}": m.Money(HERE, m.Column("address", "cur")),
    "{bool: c}": m.Bool(HERE),
    "{bool: c, of: {Y: true, N: false}}": m.Bool(HERE, (("Y", True), ("N", False))),
    "{code: c, of: {NO: norway, 01: one, 1: other, null: none}}": m.Code(
        HERE, (("NO", "norway"), ("01", "one"), ("1", "other"), ("null", "none"))
    ),
    "{lookup: carrier, from: c}": m.Lookup("carrier", HERE),
    "{ref: Customer, from: c}": m.Ref("Customer", HERE),
    "{instant: c, zone: Europe/Berlin}": m.Instant(HERE, "Europe/Berlin"),
    "{instant: c, zone: UTC, unit: ns, fold: later}": m.Instant(HERE, "UTC", "ns", "later"),
    "{date: c}": m.Date(HERE),
    "{time: c, unit: ms}": m.Time(HERE, "ms"),
    "{json: c}": m.Json(HERE),
    "{uuid: c}": m.Uuid(HERE),
    "{address: c, lines: [street, postcode city]}": m.Address(HERE, (("street",), ("postcode", "city"))),
    "{join: [c, address.d]}": m.Join((HERE, m.Column("address", "d"))),
    "{join: [c], by: ', '}": m.Join((HERE,), ", "),
    "{constant: 01}": m.Constant("01"),
    "{object: {a: c, was: {int: c}}}": m.Object((("a", m.Plain(HERE)), ("was", m.Int(HERE)))),
    "{each: payments.moves, as: {a: c, b: parent.c, d: parent.parent.c, e: payments.c, f: address.c}}": m.Each(
        "payments.moves",
        (
            ("a", m.Plain(m.Column("payments.moves", "c"))),
            ("b", m.Plain(m.Column("payments", "c"))),
            ("d", m.Plain(HERE)),
            ("e", m.Plain(m.Column("payments", "c"))),
            ("f", m.Plain(m.Column("address", "c"))),
        ),
    ),
    "{each: payments, as: {moves: {each: moves, as: {a: c}}}}": m.Each(
        "payments", (("moves", m.Each("payments.moves", (("a", m.Plain(m.Column("payments.moves", "c"))),))),)
    ),
    "{int: c, otherwise: raw}": m.Fallible(m.Int(HERE), m.Otherwise.RAW),
    "{int: c, otherwise: null}": m.Fallible(m.Int(HERE), m.Otherwise.NULL),
    "{int: c, otherwise: park}": m.Int(HERE),
}


@pytest.mark.parametrize("written", READERS)
def test_a_reader_becomes(written: str) -> None:
    """Each form of a reader, with each of its options, becomes this value."""
    assert reader(written) == READERS[written]


def test_the_nearest_relation_wins() -> None:
    """A relation's name is looked for at the row first, then above."""
    moves = "moves: {table: shop.payment_moves, key: move_id, belongs: pay_id}"
    bank = "address: {table: shop.bank, key: id, pointed: bank_id}"
    text = edited(
        SMALL,
        (moves, f"{moves}\n      {bank}"),
        ("payments: {method: meth}", "payments: {method: meth, bank: address.name, shop: parent.address.name}"),
    )
    readers = {(a.path, a.name): a.reader for a in parse_mapping(text).attributes}
    assert readers["payments", "bank"] == m.Plain(m.Column("payments.address", "name"))
    assert readers["payments", "shop"] == m.Plain(m.Column("address", "name"))
    assert readers["", "city"] == m.Plain(m.Column("address", "city"))


def test_nodes_of_the_design() -> None:
    """Relations stand after their parents, with keys, links, and the source's `before` where none is written."""
    mapping = parse_mapping(
        edited(DESIGN, ("before: required}", "before: last-known}"), ("key: pay_id,", "key: pay_id, before: required,"))
    )
    assert [(n.path, n.table, n.key, n.kind, n.parent, n.link, str(n.before)) for n in mapping.nodes] == [
        ("", "shop.orders", ("order_id",), m.Kind.ROOT, "", (), "last-known"),
        ("lines", "shop.order_lines", ("order_id", "line_no"), m.Kind.BELONGS, "", ("order_id",), "last-known"),
        ("payments", "shop.payments", ("pay_id",), m.Kind.BELONGS, "", ("order_id",), "required"),
        ("payments.moves", "shop.payment_moves", ("move_id",), m.Kind.BELONGS, "payments", ("pay_id",), "last-known"),
        ("address", "shop.addresses", ("addr_id",), m.Kind.POINTED, "", ("ship_addr_id",), "last-known"),
    ]
    assert mapping.root.table == "shop.orders"


def test_the_design_loads_as_it_stands() -> None:
    """The design's example becomes the mapping that the design describes."""
    mapping = parse_mapping(DESIGN, "design.yaml")
    assert (mapping.name, mapping.version, mapping.aggregate) == ("orders", 3, "Order")
    assert (mapping.judge, mapping.unsure) == (m.Judge.NET, m.Unsure.PARK)
    assert mapping.id == ("order-", m.Column("", "number"))
    carriers = m.LookupTable("carrier", "shop.carriers", "carrier_id", "code", Place("design.yaml", 10, 10))
    assert mapping.lookups == (carriers,)
    assert [(a.path, a.name) for a in mapping.attributes] == [
        *[("", name) for name in ("status", "customer", "total", "placedAt", "shipTo", "carrier", "lines")],
        ("payments.moves", "kind"),
        ("payments.moves", "amount"),
    ]
    ship_to = next(a for a in mapping.attributes if a.name == "shipTo")
    first, last, text = (m.Column("address", name) for name in ("first", "last", "txt"))
    address = m.Fallible(m.Address(text, (("street",), ("postcode", "city"))), m.Otherwise.RAW)
    assert ship_to.reader == m.Object((("name", m.Join((first, last))), ("text", address)))
    assert ship_to.place == Place("design.yaml", 18, 3)
    assert mapping.noise == (m.Column("", "upd_dt"), m.Column("", "row_ver"))
    assert mapping.unused == ((m.Column("", "flag2"), "dead since 2014, confirmed by billing"),)
    assert dict(mapping.facts)["order.payment"] == ("payments.moves",)
    events = {event.type: event for event in mapping.events}
    assert list(events) == ["OrderPlaced", "OrderConfirmed", "OrderCancelled", "OrderReaddressed", "PaymentReceived"]
    assert events["OrderPlaced"].when == And((Appears(), Is(Name("status"), "placed")))
    assert events["OrderCancelled"].when == Becomes("status", None, "cancelled")
    assert events["OrderReaddressed"].tell == (m.Told("shipTo", "shipTo", "now"), m.Told("before", "shipTo", "was"))
    received = events["PaymentReceived"]
    assert (received.path, received.fact) == ("payments.moves", "order.payment")
    assert received.when == And((Appears(), Is(Name("payments.moves.kind"), "debited")))
    assert received.tell == (m.Told("amount", "payments.moves.amount", "now"),)
    assert [(rule.text, rule.when) for rule in mapping.never] == [
        ("status cancelled -> any", Becomes("status", "cancelled", None)),
        ("disappears", Disappears()),
    ]
    assert mapping.silent[1].place == Place("design.yaml", 37, 30)
    assert mapping.snapshot == m.SnapshotRule("OrderKnown", None, Place("design.yaml", 39, 11))
    assert mapping.write_back == (("order.delivery", (("carrier", "carrier_id"),)),)


def test_the_tests_of_the_design() -> None:
    """Cells of tests are typed as Debezium gives them; a pair in an update is before and after."""
    first, second = parse_mapping(DESIGN, "design.yaml").tests
    order, line = first.transactions[0]
    assert (order.op, order.table) == ("insert", "shop.orders")
    assert order.cells == {"order_id": 7, "number": 1007, "stat": "P", "cust_id": 42, "tot_amt": "19.90"}
    assert (line.table, line.cells["line_no"]) == ("shop.order_lines", 1)
    assert first.expect == (
        m.Expected(
            "OrderPlaced",
            {"id": "order-1007", "customer": "customer-42", "lines": [{"sku": "A1", "quantity": 2}]},
            "",
            Place("design.yaml", 49, 9),
        ),
    )
    assert second.transactions[0][0].cells == {"order_id": 7, "upd_dt": (1, 2)}
    assert second.expect == ()


def test_cells_of_every_kind() -> None:
    """Plain integers, true, false and null are themselves; everything else, and all that is quoted, is text."""
    text = SMALL + (
        "tests:\n  - name: kinds\n    given: [{carriers: {id: 1}}]\n"
        "    txs: [[insert: {orders: {a: 7, b: -1, c: 007, d: 19.90, e: '7', f: true, g: 'true', h: null, i: ~, j: yes,"
        " k: 12345678901234567890, l: [1, x], m: {n: 2}, o: ''}}],"
        " [update: {shop.orders: {a: [null, x], b: [1], c: [1, 2, 3]}}], [delete: {orders: {a: 1}}],"
        " [truncate: order_lines]]\n"
        "    expect: [parked: unknown code, OrderPlaced: {}]\n"
    )
    text = edited(text, ("read:\n", "lookup: {c: {table: shop.carriers, key: id, gives: code}}\nread:\n"))
    (test,) = parse_mapping(text).tests
    assert test.given[0].table == "shop.carriers"
    (insert,), (update,), (delete,), (truncate,) = test.transactions
    assert insert.cells == {
        "a": 7,
        "b": -1,
        "c": "007",
        "d": "19.90",
        "e": "7",
        "f": True,
        "g": "true",
        "h": None,
        "i": None,
        "j": "yes",
        "k": "12345678901234567890",
        "l": [1, "x"],
        "m": {"n": 2},
        "o": "",
    }
    assert update.cells == {"a": (None, "x"), "b": [1], "c": [1, 2, 3]}
    assert (delete.op, truncate.op, truncate.table) == ("delete", "truncate", "shop.order_lines")
    assert [(e.type, e.parked, dict(e.data)) for e in test.expect] == [
        ("", "unknown code", {}),
        ("OrderPlaced", "", {}),
    ]


def test_a_test_may_want_anything_parked() -> None:
    """`expect: parked` is satisfied by any parked key."""
    text = SMALL + "tests: [{name: p, tx: [insert: {orders: {a: 1}}], expect: parked}]\n"
    (expected,) = parse_mapping(text).tests[0].expect
    assert (expected.type, expected.parked) == ("", "any")


def test_names_in_a_rule_for_rows_are_the_rows_first() -> None:
    """A name means the row's attribute, then its parents', then the root's; the model holds full names."""
    text = edited(
        SMALL,
        ("payments: {method: meth}", "payments: {method: meth, kind: sort}"),
        (
            "when: appears or kind changes or amount changes",
            "when: kind changes or method changes or total changes or was.payments.kind is x or lines changes",
        ),
        ("tell: [amount, kind]", "tell: [amount, payments.kind, status]"),
    )
    event = next(e for e in parse_mapping(text).events if e.type == "PaymentMoved")
    assert event.when == Or(
        (
            Changes("payments.moves.kind"),
            Changes("payments.method"),
            Changes("total"),
            Is(Name("payments.kind", "was"), "x"),
            Changes("lines"),
        )
    )
    assert event.tell == (
        m.Told("amount", "payments.moves.amount", "now"),
        m.Told("kind", "payments.kind", "now"),
        m.Told("status", "status", "now"),
    )


def test_tell_as_a_map() -> None:
    """Each value is an attribute now, as it was, or its change."""
    text = edited(SMALL, ("tell: [total]", "tell: {a: total, b: was.total, c: change.total, moves: payments.moves}"))
    assert parse_mapping(text).events[0].tell == (
        m.Told("a", "total", "now"),
        m.Told("b", "total", "was"),
        m.Told("c", "total", "change"),
        m.Told("moves", "payments.moves", "now"),
    )


def test_a_snapshot_may_name_what_it_tells() -> None:
    """A snapshot is a name, or a type with the attributes that it tells."""
    mapping = parse_mapping(SMALL + "snapshot: {type: OrderKnown, tell: [status, payments.moves]}\n")
    assert mapping.snapshot is not None
    assert (mapping.snapshot.type, mapping.snapshot.tell) == ("OrderKnown", ("status", "payments.moves"))
    assert parse_mapping(SMALL).snapshot is None


def test_a_template_of_several_columns() -> None:
    """The id's template is literal text and columns of the root in turn."""
    mapping = parse_mapping(edited(SMALL, ("order-{number}", "{tenant}/o-{number}!")))
    assert mapping.id == (m.Column("", "tenant"), "/o-", m.Column("", "number"), "!")


def test_columns_of_relations_may_be_noise() -> None:
    """Noise and unused columns may be those of any relation, also of many rows."""
    mapping = parse_mapping(
        edited(SMALL, ("noise: [upd_dt]", "noise: [lines.upd_dt]\nunused: {payments.moves.ref: why}"))
    )
    assert mapping.noise == (m.Column("lines", "upd_dt"),)
    assert mapping.unused == ((m.Column("payments.moves", "ref"), "why"),)


def test_an_attribute_may_have_a_relations_name() -> None:
    """Under a relation's name stand attributes of its rows, unless it is `each`, `object` or a column."""
    for written in ("{each: lines, as: {a: b}}", "{object: {a: b}}", "b"):
        text = edited(SMALL, ("lines: {each: lines, as: {sku: item_cd}}", f"lines: {written}"))
        assert ("", "lines") in [(a.path, a.name) for a in parse_mapping(text).attributes]
    text = edited(SMALL, ("lines: {each: lines, as: {sku: item_cd}}", "lines: {code: cd, text: note}"))
    rows = [(a.name, a.reader) for a in parse_mapping(text).attributes if a.path == "lines"]
    assert rows == [("code", m.Plain(m.Column("lines", "cd"))), ("text", m.Plain(m.Column("lines", "note")))]


def test_defaults_of_a_mapping() -> None:
    """What is not written has the design's default."""
    mapping = parse_mapping(SMALL)
    assert (mapping.judge, mapping.unsure, mapping.root.before) == (m.Judge.NET, m.Unsure.PARK, m.Before.REQUIRED)
    other = parse_mapping(edited(SMALL, ("source: {", "judge: each\nunsure: skip\nsource: {before: last-known, ")))
    assert (other.judge, other.unsure, other.root.before) == (m.Judge.EACH, m.Unsure.SKIP, m.Before.LAST_KNOWN)
