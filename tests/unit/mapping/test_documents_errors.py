"""Every kind of mistake in a mapping: its code, its exact place, and what the person is told to do."""

from __future__ import annotations

import pytest
from documents_support import DESIGN, SMALL, edited, findings

STATUS = "{code: stat, of: {P: placed, C: confirmed, X: cancelled}, otherwise: park}"

MOVES = (
    "payments.moves: {kind: {code: typ, of: {A: authorised, D: debited, R: refunded}}, "
    "amount: {money: amt, currency: EUR}}"
)

DESIGN_MISTAKES: dict[str, tuple[list[tuple[str, str]], list[str]]] = {
    "unknown key": (
        [("read:  ", "raed:  ")],
        ["m.yaml:2:1: DOC002 `read` is missing", "m.yaml:13:1: DOC001 unknown key `raed` (did you mean `read`?)"],
    ),
    "unknown key below": (
        [("table: shop.orders", "tabel: shop.orders")],
        ["m.yaml:4:9: DOC002 `table` is missing", "m.yaml:4:10: DOC001 unknown key `tabel` (did you mean `table`?)"],
    ),
    "a key too many": (
        [("version: 3", "version: 3\nvalid: yes")],
        ["m.yaml:4:1: DOC001 unknown key `valid` (known: judge, safe, unsure)"],
    ),
    "text for a map": (
        [('{aggregate: Order, id: "order-{number}"}', "Order")],
        ["m.yaml:11:9: DOC003 expected a map with aggregate, id; found text"],
    ),
    "map for a list": (
        [("[upd_dt, row_ver]", "{upd_dt: row_ver}")],
        ["m.yaml:22:9: DOC003 expected a list, found a map"],
    ),
    "text for entries": (
        [
            ("{carrier: {table: shop.carriers, key: carrier_id, gives: code}}", "carrier"),
            ("{lookup: carrier, ", "{ref: X, "),
        ],
        ["m.yaml:10:9: DOC003 expected a map, found text"],
    ),
    "list for a text": ([("{code: stat,", "{code: [stat],")], ["m.yaml:14:20: DOC003 expected a column, found a list"]),
    "no such word": (
        [("before: required", "before: require")],
        ["m.yaml:4:53: DOC004 `require` is none of required, last-known (did you mean `required`?)"],
    ),
    "not a number": (
        [("version: 3", "version: three")],
        ["m.yaml:3:10: DOC005 `three` is not a whole number (write it like `3`)"],
    ),
    "not a type's name": (
        [("{ref: Customer,", "{ref: customer,")],
        ["m.yaml:15:19: DOC005 `customer` is not an UpperCamel name (write it like `OrderPlaced`)"],
    ),
    "not a fact's name": (
        [("  order.status:    [status]", "  Status: [status]")],
        [
            "m.yaml:27:3: DOC005 `Status` is not a fact's name (write it like `order.delivery`)",
            "m.yaml:33:77: NAME004 no fact `order.status` in `facts` (did you mean `order.payment`?)",
            "m.yaml:34:85: NAME004 no fact `order.status` in `facts` (did you mean `order.payment`?)",
        ],
    ),
    "a template without a column": (
        [("order-{number}", "order-number")],
        ["m.yaml:11:32: DOC005 `order-number` is not a template with a column (write it like `order-{number}`)"],
    ),
    "a word of conditions as a name": (
        [("  customer: {ref", "  was: {ref"), ("[customer, total, placedAt, lines]", "[total, placedAt, lines]")],
        [
            "m.yaml:15:3: DOC005 `was` is a word of conditions and cannot be an attribute's name (choose another name)",
            (
                "m.yaml:32:65: NAME001 no attribute `customer` (known: carrier, lines, payments.moves, "
                "payments.moves.amount, payments.moves.kind, placedAt, shipTo, status, total)"
            ),
            (
                "m.yaml:37:12: NAME001 no attribute `customer` (known: carrier, lines, payments.moves, "
                "payments.moves.amount, payments.moves.kind, placedAt, shipTo, status, total)"
            ),
        ],
    ),
    "unknown reader": (
        [("{money: tot_amt", "{mony: tot_amt")],
        ["m.yaml:16:14: DOC006 unknown reader `mony` (did you mean `money`?)"],
    ),
    "unknown reader within": (
        [("price: {money: prc", "price: {moeny: prc")],
        ["m.yaml:20:69: DOC006 unknown reader `moeny` (did you mean `money`?)"],
    ),
    "two readers": (
        [("{money: tot_amt", "{money: tot_amt, int: tot_amt")],
        ["m.yaml:16:30: DOC007 two readers: `money` and `int` (write one)"],
    ),
    "option missing": (
        [(STATUS, "{code: stat}")],
        ["m.yaml:14:13: DOC002 `of` is missing"],
    ),
    "option of another reader": (
        [("{ref: Customer, from: cust_id}", "{ref: Customer, from: cust_id, of: {a: b}}")],
        ["m.yaml:15:44: DOC001 unknown key `of` (known: otherwise)"],
    ),
    "how a relation is joined": (
        [("belongs: pay_id", "blongs: pay_id")],
        [
            (
                "m.yaml:8:21: DOC008 how `moves` is joined is missing "
                "(write `belongs: COLUMN` (its rows name the parent) or `pointed: COLUMN` (the parent names its row))"
            ),
            "m.yaml:8:70: DOC001 unknown key `blongs` (did you mean `belongs`?)",
        ],
    ),
    "a relation joined twice": (
        [("pointed: ship_addr_id", "pointed: ship_addr_id, belongs: order_id")],
        [
            (
                "m.yaml:9:3: DOC008 `address` both belongs and is pointed to "
                "(write `belongs: COLUMN` (its rows name the parent) or `pointed: COLUMN` (the parent names its row))"
            )
        ],
    ),
    "too few columns join": (
        [("belongs: order_id}          #", "belongs: [order_id, x]}  #")],
        ["m.yaml:6:75: USE003 `lines` is joined by 2 columns, the parent's key has 1: order_id"],
    ),
    "a snapshot that is an event": (
        [("snapshot: OrderKnown", "snapshot: OrderPlaced")],
        ["m.yaml:39:11: DOC008 `OrderPlaced` is an event and the snapshot: a snapshot row is never a happening"],
    ),
    "unknown relation of a column": (
        [("[address.first,", "[adress.first,")],
        ["m.yaml:18:37: NAME002 no relation `adress` (did you mean `address`?)"],
    ),
    "unknown relation of each": (
        [("each: lines", "each: lnes")],
        ["m.yaml:20:20: NAME002 no relation `lnes` (did you mean `lines`?)"],
    ),
    "unknown relation of an event": (
        [("for: payments.moves", "for: payment.moves")],
        ["m.yaml:36:27: NAME002 no relation `payment.moves` (did you mean `payments.moves`?)"],
    ),
    "unknown lookup": (
        [("{lookup: carrier,", "{lookup: carier,")],
        ["m.yaml:19:22: NAME003 no lookup `carier` (did you mean `carrier`?)"],
    ),
    "unknown attribute in a fact": (
        [("[shipTo, carrier]", "[shipto, carrier]")],
        ["m.yaml:28:21: NAME001 no attribute `shipto` (did you mean `shipTo`?)"],
    ),
    "unknown attribute in a tell": (
        [("{from: was.status}", "{from: was.stats}")],
        ["m.yaml:34:70: NAME001 no attribute `stats` (did you mean `status`?)"],
    ),
    "unknown attribute in a condition": (
        [("shipTo changes and status", "shipTo changes and statsu")],
        ["m.yaml:35:47: NAME001 no attribute `statsu` (did you mean `status`?)"],
    ),
    "unknown attribute in silent": (
        [("lines changes", "linse changes")],
        ["m.yaml:37:30: NAME001 no attribute `linse` (did you mean `lines`?)"],
    ),
    "unknown attribute to write back": (
        [("{carrier: carrier_id}}", "{carriers: carrier_id}}")],
        ["m.yaml:41:31: NAME001 no attribute `carriers` (did you mean `carrier`?)"],
    ),
    "a relation without attributes": (
        [("lines changes", "address changes")],
        [
            (
                "m.yaml:37:30: NAME001 the relation `address` is no attribute "
                "(its rows have no attributes; declare them in `read` under `address:`)"
            )
        ],
    ),
    "unknown fact of an event": (
        [("fact: order.delivery", "fact: order.delivry")],
        ["m.yaml:35:122: NAME004 no fact `order.delivry` in `facts` (did you mean `order.delivery`?)"],
    ),
    "unknown fact to write back": (
        [("{order.delivery: {carrier", "{order.delivry: {carrier")],
        ["m.yaml:41:14: NAME004 no fact `order.delivry` in `facts` (did you mean `order.delivery`?)"],
    ),
    "unknown table of a step": (
        [("{order_lines: {", "{order_line: {")],
        ["m.yaml:47:18: NAME005 the mapping has no table `order_line` (did you mean `order_lines`?)"],
    ),
    "a table that may be several": (
        [("shop.order_lines", "archive.orders"), ("- insert: {order_lines: {", "- insert: {archive.orders: {")],
        [
            "m.yaml:46:18: NAME005 `orders` may be archive.orders or shop.orders (write the full name)",
            "m.yaml:51:20: NAME005 `orders` may be archive.orders or shop.orders (write the full name)",
        ],
    ),
    "unknown zone": (
        [("Europe/Berlin", "Europe/Berln")],
        ["m.yaml:17:37: NAME006 no time zone `Europe/Berln` (did you mean `Europe/Berlin`?)"],
    ),
    "unknown event expected": (
        [("- OrderPlaced: {id", "- OrderPlacd: {id")],
        ["m.yaml:49:9: NAME008 the mapping has no event `OrderPlacd` (did you mean `OrderPlaced`?)"],
    ),
    "two tests of one name": (
        [("a touch is not an event", "order and lines committed together are one event")],
        ["m.yaml:50:11: NAME009 two tests named `order and lines committed together are one event`"],
    ),
    "no such expectation": (
        [("expect: nothing", "expect: nothin")],
        ["m.yaml:52:13: DOC004 `nothin` is none of nothing, parked (did you mean `nothing`?)"],
    ),
    "a step of two": (
        [
            (
                "[{update: {orders: {order_id: 7, upd_dt: [1, 2]}}}]",
                "[{update: {orders: {order_id: 7}}, truncate: orders}]",
            )
        ],
        [
            (
                "m.yaml:51:10: DOC008 a step is one of insert, update, delete, truncate "
                "(write `insert: {TABLE: {COLUMN: VALUE}}`)"
            )
        ],
    ),
    "a test without steps": (
        [("    tx: [{update: {orders: {order_id: 7, upd_dt: [1, 2]}}}]\n", "")],
        ["m.yaml:50:5: DOC008 `tx` (or `txs`) is missing (the steps of one transaction, or of several)"],
    ),
    "a column of many rows": (
        [("{money: tot_amt", "{money: lines.prc")],
        [
            (
                "m.yaml:16:21: USE001 `lines.prc` is a column of many rows of `lines` "
                "(read it with `each: lines`, or declare attributes of the rows under `lines:`)"
            )
        ],
    ),
    "each of a row that is not below": (
        [("{kind: {code: typ,", "{kinds: {each: lines, as: {a: b}}, kind: {code: typ,")],
        ["m.yaml:21:34: USE001 `lines` is no relation of the rows that are read here (name a relation below them)"],
    ),
    "an attribute of many rows": (
        [("when: status placed -> confirmed", "when: payments.moves.kind any -> debited")],
        [
            (
                "m.yaml:33:28: USE002 `payments.moves.kind` is an attribute of many rows "
                "(judge each row with `for: payments.moves`)"
            )
        ],
    ),
    "all rows judged by a value": (
        [("when: status placed -> confirmed", "when: appears and payments.moves is null")],
        [
            (
                "m.yaml:33:40: USE004 `payments.moves` is all rows of a relation, which only `changes` can judge "
                "(judge each row with `for: payments.moves`)"
            )
        ],
    ),
    "a fact of one attribute of rows": (
        [("[payments.moves]", "[payments.moves.kind]")],
        [
            (
                "m.yaml:29:21: USE005 `payments.moves.kind` is an attribute of rows, "
                "which are owned as a whole (write `payments.moves`)"
            )
        ],
    ),
    "a condition that does not parse": (
        [("when: status placed -> confirmed", "when: status placed -> ")],
        ["m.yaml:33:44: WHEN001 expected `any` or a value, found the end"],
    ),
    "a condition in quotes": (
        [("when: status placed -> confirmed", "when: 'status placed and confirmed'")],
        ["m.yaml:33:43: WHEN001 expected `->`, found `and`"],
    ),
    "was before changes": (
        [("when: status placed -> confirmed", "when: appears or was.status changes")],
        ["m.yaml:33:39: WHEN003 `was.status`: `was.` stands only before `is`"],
    ),
    "a condition too deep": (
        [("lines changes", "not " * 51 + "appears")],
        ["m.yaml:37:30: WHEN002 more than 50 parentheses and nots in one condition"],
    ),
    "a dotted attribute": (
        [("  customer: {ref: Customer, from: cust_id}", "  customer: {ref: Customer, from: cust_id}\n  a.b: c")],
        [
            (
                "m.yaml:16:3: DOC003 a dotted name is a relation "
                "(under `a.b` stand attributes of its rows: `a.b: {kind: {code: …}}`)"
            )
        ],
    ),
    "a name twice in an address": (
        [("[street, postcode city]", "[street, postcode street]")],
        ["m.yaml:18:113: DOC008 `street` stands twice in the address"],
    ),
    "rows that are a column": (
        [(MOVES, "payments.moves: amt")],
        [
            (
                "m.yaml:21:3: DOC003 a dotted name is a relation "
                "(under `payments.moves` stand attributes of its rows: `payments.moves: {kind: {code: …}}`)"
            )
        ],
    ),
    "one attribute of rows broken, another unknown": (
        [("{kind: {code: typ", "{kind: {coed: typ"), ("tell: [amount]", "tell: [amout]")],
        [
            "m.yaml:21:27: DOC006 unknown reader `coed` (did you mean `code`?)",
            "m.yaml:36:85: NAME001 no attribute `amout` (did you mean `amount`?)",
        ],
    ),
    "a key twice": (
        [("  total: ", "  status: stat\n  total: ")],
        ["m.yaml:16:3: YAML003 the key `status` stands twice (first in line 14)"],
    ),
}


def test_the_design_has_no_mistake() -> None:
    """The example of the design loads as it stands."""
    assert findings(DESIGN) == []
    assert findings(SMALL) == []


@pytest.mark.parametrize("mistake", DESIGN_MISTAKES)
def test_a_mistake_is_found_at_its_place(mistake: str) -> None:
    """One mistake gives exactly these findings: no more, at this place, with this hint."""
    edits, expected = DESIGN_MISTAKES[mistake]
    assert findings(edited(DESIGN, *edits)) == expected


def test_all_mistakes_of_a_file_are_found_at_once() -> None:
    """Shape, names, conditions and tests are judged in one go, although the shape is wrong in several places."""
    edits = [
        ("{ref: Customer, from: cust_id}", "{ref: Customer, form: cust_id}"),
        ("Europe/Berlin", "Europe/Berln"),
        ("{lookup: carrier,", "{lookup: carier,"),
        ("each: lines", "each: line"),
        ("any -> cancelled", "any => cancelled"),
        ("fact: order.delivery", "fact: order.delivry"),
        ("{kind: {code: typ", "{kind: {coed: typ"),
        ("expect: nothing", "expect: nothin"),
        ("[upd_dt, row_ver]", "[upd_dt, linse.y]"),
    ]
    assert [line.split(" ")[1] for line in findings(edited(DESIGN, *edits))] == [
        "DOC002",
        "DOC001",
        "NAME006",
        "NAME003",
        "NAME002",
        "DOC006",
        "NAME002",
        "WHEN001",
        "NAME004",
        "DOC004",
    ]


@pytest.mark.parametrize(
    "edits",
    [
        [(STATUS, "{code: stat}")],
        [("kind: {code: typ, of: {A: authorised, D: debited, R: refunded}}", "kind: {code: typ}")],
        [("key: pay_id, belongs", "kee: pay_id, belongs")],
        [("{carrier: {table: shop.carriers, key: carrier_id, gives: code}}", "{carrier: {}}")],
        [("  order.delivery:  [shipTo, carrier]", "  order.delivery:  shipTo")],
        [("{when: appears and status is placed,", "{wen: appears and status is placed,")],
        [("source: {table: shop.orders, key: order_id,", "source: {table: shop.orders,")],
        [("payments.moves: {kind:", "payments.moves: [x]\n  other: {kind:")],
        [("snapshot: OrderKnown", "snapshot: {}")],
        [("key: order_id, before", "kee: [a, b], before"), ("belongs: order_id}  ", "belongs: [a, b]}  ")],
        [
            ("source: {table: shop.orders, key: order_id, before: required}", ""),
            ("belongs: order_id}  ", "belongs: [a, b]}  "),
        ],
        [("read:  ", "raed:  ")],
        [("facts:  ", "fakts:  ")],
        [("with:   ", "wiht:   ")],
    ],
)
def test_what_is_broken_in_shape_is_not_unknown_as_a_name(edits: list[tuple[str, str]]) -> None:
    """A name that was declared, in a part that is wrong in shape, is not reported as unknown where it is used."""
    codes = {line.split(" ")[1][:4] for line in findings(edited(DESIGN, *edits))}
    assert codes == {"DOC0"}


def test_a_refused_alias_has_no_consequences() -> None:
    """Where an alias stood nothing else is reported."""
    text = edited(DESIGN, ("version: 3", "version: &v 3"), ("before: required", "before: *v"), ("[status]", "*v"))
    assert [line.split(" ")[1] for line in findings(text)] == ["YAML004"] * 3


def test_findings_come_in_the_order_of_the_file() -> None:
    """Findings are sorted by their place."""
    lines = findings(edited(SMALL, ("version: 1", "version: x"), ("noise: [upd_dt]", "noise: upd_dt")))
    assert lines == [
        "m.yaml:2:10: DOC005 `x` is not a whole number (write it like `3`)",
        "m.yaml:21:8: DOC003 expected a list, found text",
    ]
