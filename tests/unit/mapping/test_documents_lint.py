"""Lint: each rule finds what it is for, at its place, and nothing in a document that is in order."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from documents_support import DESIGN, REPOSITORY, SMALL, documents, edited

from figbridge.mapping import rules
from figbridge.mapping.codes import CODES, severity
from figbridge.mapping.loader import load_mappings, load_tables, parse_facts, parse_service, parse_tables
from figbridge.mapping.rules import lint


def linted(*edits: tuple[str, str], text: str = SMALL, **others: Any) -> list[str]:
    """Return what the lint finds in an edited mapping, one line each."""
    return [str(finding) for finding in lint(documents(edited(text, *edits), **others))]


def test_a_mapping_in_order_has_no_findings() -> None:
    """The small mapping, in which everything is spoken for, has no findings."""
    assert linted() == []


NEVER = "never: [appears and status is confirmed, status confirmed -> placed, disappears]"
SPEAK = "(speak for it: an event, silent or never)"
MISTAKES: dict[str, tuple[list[tuple[str, str]], list[str]]] = {
    "an attribute in no fact": (
        [("order.placement: [total, lines]", "order.placement: [lines]")],
        [
            "m.yaml:16:3: MAP001 `total` is in no fact (add it to the fact that it is owned with)",
        ],
    ),
    "rows in no fact": (
        [("[payments, payments.moves]", "[payments]")],
        ["m.yaml:20:20: MAP001 `payments.moves` is in no fact (add it to the fact that it is owned with)"],
    ),
    "an attribute in two facts": (
        [("order.placement: [total, lines]", "order.placement: [total, status, lines, lines]")],
        [
            "m.yaml:24:28: MAP002 `status` is in order.status already (an attribute is in one fact)",
            "m.yaml:24:43: MAP002 `lines` stands twice (an attribute is in one fact)",
        ],
    ),
    "an event of another fact": (
        [("tell: {was: was.status}, fact: order.status", "tell: {was: was.status}, fact: order.placement")],
        [
            (
                "m.yaml:28:85: MAP003 OrderConfirmed is about order.placement, none of whose attributes it touches "
                "(it touches order.status)"
            ),
        ],
    ),
    "a change nobody speaks for": (
        [("silent: [total changes, city changes, ", "silent: [")],
        [
            f"m.yaml:16:3: MAP004 nobody speaks for a change of `total` {SPEAK}",
            f"m.yaml:17:3: MAP004 nobody speaks for a change of `city` {SPEAK}",
        ],
    ),
    "a change of rows nobody speaks for": (
        [("appears or kind changes or amount changes", "appears or kind changes")],
        [f"m.yaml:20:72: MAP004 nobody speaks for a change of `payments.moves.amount` {SPEAK}"],
    ),
    "transitions nobody speaks for": (
        [(NEVER, "never: [rekeyed]")],
        [
            (
                "m.yaml:15:3: MAP005 `status` has ways nobody speaks for: "
                f"absent -> confirmed; placed -> absent; confirmed -> absent, placed {SPEAK}"
            )
        ],
    ),
    "transitions of rows nobody speaks for": (
        [
            ("when: appears or kind changes or amount changes", "when: appears and kind is debited or amount changes"),
            ("when: disappears,", "when: disappears and was.kind is debited,"),
            ("payments changes]", "payments changes, status is placed and total changes]"),
        ],
        [
            f"m.yaml:20:20: MAP004 nobody speaks for a change of `payments.moves.kind` {SPEAK}",
            (
                "m.yaml:20:20: MAP005 `payments.moves.kind` has ways nobody speaks for: absent -> authorised; "
                f"authorised -> absent, debited; debited -> authorised {SPEAK}"
            ),
        ],
    ),
    "an event without a change": (
        [("when: appears and status is placed", "when: appears or status is placed")],
        [
            (
                "m.yaml:27:23: MAP006 the rule fires whenever the row is touched "
                "(add `X changes`, `X a -> b`, `appears` or `disappears`)"
            )
        ],
    ),
    "an event of what did not change": (
        [("silent: [total changes", "silent: [not total changes, total changes")],
        [
            (
                "m.yaml:35:10: MAP006 the rule silences everything whenever the row is touched "
                "(add `X changes`, `X a -> b`, `appears` or `disappears`)"
            )
        ],
    ),
    "a value that is none": (
        [("status is confirmed, status confirmed ->", "status is confirmd, status confirmed ->")],
        [
            f"m.yaml:15:3: MAP005 `status` has ways nobody speaks for: absent -> confirmed {SPEAK}",
            "m.yaml:36:21: MAP007 `status` is never `confirmd` (did you mean `confirmed`?)",
        ],
    ),
    "values of a transition": (
        [("when: status placed -> confirmed", "when: status placed -> confirmed or status new -> any")],
        ["m.yaml:28:56: MAP007 `status` is never `new` (known: confirmed, placed)"],
    ),
    "a column read and noise": (
        [("noise: [upd_dt]", "noise: [upd_dt, stat]\nunused: {upd_dt: why, address.city: why}")],
        [
            "m.yaml:21:17: MAP008 `stat` is noise and read (take it out of `noise`)",
            "m.yaml:22:10: MAP008 `upd_dt` is noise and unused (noise is enough)",
            "m.yaml:22:23: MAP008 `address.city` is unused and read (take it out of `unused`)",
        ],
    ),
    "a relation nothing uses": (
        [("  city: address.city\n", "  city: city\n")],
        ["m.yaml:6:3: MAP009 nothing uses the relation `address` (read it, or take it out)"],
    ),
    "a lookup nothing uses": (
        [("about:", "lookup: {c: {table: shop.c, key: id, gives: code}}\nabout:")],
        ["m.yaml:13:10: MAP009 nothing uses the code table `c` (read it, or take it out)"],
    ),
    "a column of the id that is noise": (
        [("noise: [upd_dt]", "noise: [number]")],
        ["m.yaml:21:9: MAP010 `number` is noise and part of the id (take it out of `noise`)"],
    ),
    "an event tells what is gone": (
        [("tell: {amount: was.amount}", "tell: {amount: amount, method: method}")],
        ["m.yaml:34:68: MAP011 PaymentWithdrawn tells `amount` from a row that is not there (write `was.X`)"],
    ),
    "an event tells what was not yet": (
        [("tell: [total], fact", "tell: {total: total, was: was.total}, fact")],
        ["m.yaml:27:74: MAP011 OrderPlaced tells `was` from a row that is not there (write `X`)"],
    ),
    "write-back of another fact": (
        [
            (
                "never:",
                "write_back: {order.status: {total: tot_amt, status: stat}, order.placement: {total: amt}}\nnever:",
            )
        ],
        [
            "m.yaml:36:29: MAP019 `total` is not of order.status (known: city, status)",
            "m.yaml:36:78: MAP019 `total` is not read from `amt` (did you mean `tot_amt`?)",
        ],
    ),
    "a reference to nobody": (
        [("  city: address.city", "  city: {ref: Ordr, from: address.city}")],
        ["m.yaml:17:15: MAP018 no mapping and no service has the aggregate `Ordr` (did you mean `Order`?)"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str) -> None:
    """One mistake gives exactly these findings, at their places."""
    edits, expected = MISTAKES[mistake]
    assert linted(*edits) == expected


@pytest.mark.parametrize(
    "edits",
    [
        [("status placed -> confirmed, tell", "was.status is placed and status is confirmed, tell")],
        [("never: [appears and status is confirmed,", "never: [total is null, appears and status is confirmed,")],
        [
            ("C: confirmed}}", "C: confirmed}, otherwise: raw}"),
            ("status confirmed -> placed,", "status confirmed -> Z,"),
        ],
        [(NEVER, "never: [status changes, appears and not status is placed, disappears]")],
        [("payments.moves, when: disappears, tell", "payments.moves, when: kind changes, tell")],
        [("silent: [total changes,", "silent: [total rises, total falls,")],
        [("tell: {amount: was.amount}", "tell: {amount: was.amount, status: status}")],
        [("payments changes]", "payments changes, payments.moves changes]"), ("or kind changes or amount changes", "")],
        [
            ("kind: {code: typ, of: {A: authorised, D: debited}}", "kind: {bool: typ}"),
            ("appears or kind changes", "kind is true and appears or kind false -> true"),
        ],
    ],
)
def test_what_is_in_order_is_left_alone(edits: list[tuple[str, str]]) -> None:
    """Other ways to write what is in order have no findings."""
    assert linted(*edits) == []


def test_the_design_has_the_gaps_that_it_names() -> None:
    """In the design's example a row that appears already confirmed is a gap, as mapping notes say, among others."""
    assert [line.split(" ", 2)[1:] for line in linted(text=DESIGN)] == [
        ["MAP005", f"`status` has ways nobody speaks for: absent -> confirmed, cancelled; confirmed -> placed {SPEAK}"],
        ["MAP018", "no mapping and no service has the aggregate `Customer` (known: Order)"],
        *[
            ["MAP004", f"nobody speaks for a change of `{name}` {SPEAK}"]
            for name in ("total", "placedAt", "carrier", "payments.moves.kind")
        ],
        [
            "MAP005",
            (
                "`payments.moves.kind` has ways nobody speaks for: absent -> authorised, refunded; "
                "authorised -> absent, debited, refunded; debited -> absent, authorised, refunded; "
                f"refunded -> absent, authorised, debited {SPEAK}"
            ),
        ],
        ["MAP004", f"nobody speaks for a change of `payments.moves.amount` {SPEAK}"],
    ]


FACTS = """\
systems: [legacy, delivery]
facts:
  order.status: {record: r, authority: legacy, rule: r}
  order.placement: {record: r, authority: legacy, rule: r}
  order.payment: {record: r, authority: legacy, rule: r}
  order.delivery: {record: r, authority: legacy, rule: r}
"""
SERVICE = """\
service: delivery
version: 1
outbox: {table: d.outbox, key: id, columns: {id: id, type: type, aggregate: agg, subject: subj, payload: data}}
events:
  OrderReaddressed: {fact: order.delivery, aggregate: Order}
"""


def across(facts: str = FACTS, service: str = SERVICE, *mappings: str) -> list[str]:
    """Return what the lint finds across a mapping, facts and a service."""
    declared = parse_facts(facts, "facts.yaml")
    found = documents(
        *(mappings or (SMALL,)),
        facts=declared.facts,
        systems=declared.systems,
        places=declared.places,
        services=(parse_service(service, "s.yaml"),),
    )
    return [str(finding) for finding in lint(found)]


def test_documents_that_fit_together() -> None:
    """Facts, services and mappings that speak of the same things have no findings."""
    assert across() == []


def test_facts_are_declared_and_mapped() -> None:
    """A mapped fact is declared; a declared fact is mapped, or said by a service; a fact has one mapping."""
    assert across(edited(FACTS, ("order.payment", "order.paymnt"))) == [
        "facts.yaml:5:3: MAP013 nobody maps `order.paymnt` (name it in a mapping's `facts`, or in a service's events)",
        "m.yaml:25:3: MAP012 facts.yaml does not declare `order.payment` (did you mean `order.paymnt`?)",
    ]
    second = edited(SMALL, ("mapping: orders", "mapping: copies"))
    assert [line for line in across(FACTS, SERVICE, SMALL, second) if "order.status" in line] == [
        "m1.yaml:23:3: MAP014 the mapping orders has `order.status` (a fact has one mapping)"
    ]


def test_services_speak_of_what_exists() -> None:
    """A service is a system, its facts and aggregates exist."""
    service = edited(
        SERVICE, ("service: delivery", "service: delvery"), ("order.delivery", "order.dlivery"), ("Order}", "Ordr}")
    )
    assert across(service=service) == [
        (
            "facts.yaml:6:3: MAP013 nobody maps `order.delivery` "
            "(name it in a mapping's `facts`, or in a service's events)"
        ),
        "s.yaml:1:1: MAP017 `delvery` is not among the systems (did you mean `delivery`?)",
        (
            "s.yaml:5:3: MAP015 OrderReaddressed is about `order.dlivery`, which does not exist "
            "(did you mean `order.delivery`?)"
        ),
        "s.yaml:5:3: MAP016 OrderReaddressed is about `Ordr`, which no mapping has (did you mean `Order`?)",
    ]


TABLES = """\
tables:
  shop.orders:
    order_id: {type: bigint, key: 1}
    number: {type: integer}
    stat: {type: char(1)}
    tot_amt: {type: "numeric(12,2)"}
    addr_id: {type: integer}
    upd_dt: {type: timestamp without time zone}
  shop.order_lines: {order_id: {type: bigint, key: 1}, line_no: {type: int, key: 2}, item_cd: {type: text}}
  shop.addresses: {addr_id: {type: integer, key: 1}, city: {type: text}}
  shop.payments: {pay_id: {type: int, key: 1}, order_id: {type: bigint}, meth: {type: text}}
  shop.payment_moves: {move_id: {type: int, key: 1}, pay_id: {type: int}, typ: {type: char(1)}, amt: {type: int}}
"""


def against(tables: str, *edits: tuple[str, str]) -> list[str]:
    """Return what the lint finds in the small mapping against tables."""
    return [str(f) for f in lint(documents(edited(SMALL, *edits)), parse_tables(tables))]


def test_a_mapping_that_fits_its_tables() -> None:
    """A mapping that speaks for every column of its tables has no findings."""
    assert against(TABLES) == []


def test_every_column_is_spoken_for() -> None:
    """A column that is neither key, read, noise nor unused is found, in any of the tables."""
    tables = edited(
        TABLES,
        ("number: {type: integer}", "number: {type: integer}\n    flag: {type: text}"),
        ("city:", "zip: {type: text}, city:"),
    )
    hint = "(read them, or list them under `noise` or `unused`)"
    assert against(tables) == [
        f"m.yaml:3:9: MAP031 columns of shop.orders that nobody speaks for: flag {hint}",
        f"m.yaml:6:3: MAP031 columns of shop.addresses that nobody speaks for: zip {hint}",
    ]
    assert against(tables, ("noise: [upd_dt]", "noise: [upd_dt, address.zip]\nunused: {flag: why}")) == []


def test_tables_and_columns_exist() -> None:
    """A table or column that is not there is found where it is named, with the nearest name."""
    tables = edited(TABLES, ("shop.payments:", "shop.paymnts:"), ("typ: {", "type: {"), ("upd_dt:", "upd:"))
    assert against(tables) == [
        (
            "m.yaml:3:9: MAP031 columns of shop.orders that nobody speaks for: upd "
            "(read them, or list them under `noise` or `unused`)"
        ),
        "m.yaml:7:3: MAP030 the database has no table `shop.payments` (did you mean `shop.paymnts`?)",
        (
            "m.yaml:12:7: MAP031 columns of shop.payment_moves that nobody speaks for: type "
            "(read them, or list them under `noise` or `unused`)"
        ),
        "m.yaml:20:33: MAP032 shop.payment_moves has no column `typ` (did you mean `type`?)",
        "m.yaml:21:9: MAP032 shop.orders has no column `upd_dt` (did you mean `upd`?)",
    ]


def test_keys_are_primary_keys() -> None:
    """A key that is not the table's primary key is found; a table without a declared key is left alone."""
    tables = edited(TABLES, ("line_no: {type: int, key: 2}", "line_no: {type: int}"))
    assert against(tables) == ["m.yaml:5:3: MAP034 the key of shop.order_lines is order_id, not order_id, line_no"]
    assert (
        against(edited(tables, ("order_id: {type: bigint, key: 1}, line_no", "order_id: {type: bigint}, line_no")))
        == []
    )


def test_readers_fit_types() -> None:
    """A reader that cannot read its column's type is found; a type that is not known here is left alone."""
    tables = edited(
        TABLES, ("amt: {type: int}", "amt: {type: date}"), ("numeric(12,2)", "bytea"), ("char(1)", "geometry")
    )
    assert against(tables) == [
        "m.yaml:16:18: MAP033 `money` cannot read `tot_amt`, which is bytea (`money` reads decimal, int, text)",
        "m.yaml:20:90: MAP033 `decimal` cannot read `amt`, which is date (`decimal` reads decimal, int, text)",
    ]


def test_the_worked_example_has_no_errors() -> None:
    """The repository's own documents have no findings against their tables, but for what is known."""
    directory = REPOSITORY / "mappings"
    found = lint(load_mappings(directory), load_tables(directory))
    assert [f for f in found if f.code != "MAP005"] == []


def test_every_code_is_documented_and_shown() -> None:
    """Every code that the source uses is in the table, and every code of the table is used, and shown by a test."""
    pattern = re.compile(r'"((?:YAML|DOC|NAME|USE|WHEN|MAP)\d{3})"')
    used = set()
    for path in (REPOSITORY / "src" / "figbridge" / "mapping").glob("*.py"):
        if path.name != "codes.py" and path.name.startswith(
            ("parse", "rules", "grammar", "nodes", "loader", "compiler")
        ):
            used |= set(pattern.findall(path.read_text(encoding="utf-8")))
    tests = (REPOSITORY / "tests" / "unit" / "mapping").glob("test_*.py")
    shown = "\n".join(path.read_text(encoding="utf-8") for path in tests)
    assert used == set(CODES)
    assert {code for code in CODES if code not in shown} == set()
    assert (severity("MAP001"), severity("MAP003")) == ("error", "warning")


def test_every_rule_is_documented() -> None:
    """A rule's docstring is its documentation, and no rule is left out of the lint."""
    listed = {*rules.OF_A_MAPPING, *rules.ACROSS, *rules.AGAINST_TABLES}
    assert all((rule.__doc__ or "").startswith("Demand ") for rule in listed)
    modules = (rules.rules_across, rules.rules_events, rules.rules_facts, rules.rules_tables, rules.rules_transitions)
    written = {
        f
        for module in modules
        for _, f in inspect.getmembers(module, inspect.isfunction)
        if (f.__doc__ or "").startswith("Demand ")
    }
    assert written == listed
