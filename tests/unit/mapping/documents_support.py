"""What the tests of documents share: the design's example, small edits of it, and findings as lines."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from figbridge.errors import ConfigurationError, Place
from figbridge.mapping.loader import Documents, parse_mapping
from figbridge.mapping.model import Mapping
from figbridge.mapping.nodes import Scalar

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mappings"
REPOSITORY = Path(__file__).parents[3]
DESIGN = (FIXTURES / "design.yaml").read_text(encoding="utf-8")

SMALL = """\
mapping: orders
version: 1
source: {table: shop.orders, key: order_id}
with:
  lines: {table: shop.order_lines, key: [order_id, line_no], belongs: order_id}
  address: {table: shop.addresses, key: addr_id, pointed: addr_id}
  payments:
    table: shop.payments
    key: pay_id
    belongs: order_id
    with:
      moves: {table: shop.payment_moves, key: move_id, belongs: pay_id}
about: {aggregate: Order, id: "order-{number}"}
read:
  status: {code: stat, of: {P: placed, C: confirmed}}
  total: {money: tot_amt, currency: EUR}
  city: address.city
  lines: {each: lines, as: {sku: item_cd}}
  payments: {method: meth}
  payments.moves: {kind: {code: typ, of: {A: authorised, D: debited}}, amount: {decimal: amt}}
noise: [upd_dt]
facts:
  order.status: [status, city]
  order.placement: [total, lines]
  order.payment: [payments, payments.moves]
events:
  OrderPlaced: {when: appears and status is placed, tell: [total], fact: order.placement}
  OrderConfirmed: {when: status placed -> confirmed, tell: {was: was.status}, fact: order.status}
  PaymentMoved:
    for: payments.moves
    when: appears or kind changes or amount changes
    tell: [amount, kind]
    fact: order.payment
  PaymentWithdrawn: {for: payments.moves, when: disappears, tell: {amount: was.amount}, fact: order.payment}
silent: [total changes, city changes, lines changes, payments changes]
never: [appears and status is confirmed, status confirmed -> placed, disappears]
"""


def edited(text: str, *edits: tuple[str, str]) -> str:
    """Return a text with the first of each `old` replaced by `new`; an `old` that is not there is a mistake."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def findings(text: str) -> list[str]:
    """Return what the loader finds in a mapping's text, one line each."""
    try:
        parse_mapping(text, "m.yaml")
    except ConfigurationError as error:
        return [str(finding) for finding in error.findings]
    return []


def placeless(value: Any) -> Any:
    """Return a value with every place taken out, after making sure that no text of the file is left in it."""
    assert not isinstance(value, Scalar)
    if isinstance(value, Place):
        return None
    if dataclasses.is_dataclass(value):
        fields = ((f.name, placeless(getattr(value, f.name))) for f in dataclasses.fields(value))
        return (type(value).__name__, *fields)
    if isinstance(value, dict):
        return {placeless(key): placeless(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(placeless(each) for each in value)
    return value


def documents(*texts: str, **others: Any) -> Documents:
    """Return documents of mappings' texts."""
    mappings: tuple[Mapping, ...] = tuple(parse_mapping(text, f"m{n or ''}.yaml") for n, text in enumerate(texts))
    return Documents(mappings, **others)
