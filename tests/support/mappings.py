"""Mappings of the shop's tables for tests: one shape of an order, with the rules that a test is about."""

from __future__ import annotations

_ORDERS = """\
mapping: orders
version: {version}
{head}
source: {{table: shop.orders, key: order_id, before: {before}}}
with:
  lines: {{table: shop.order_lines, key: [order_id, line_no], belongs: order_id}}
  address: {{table: shop.addresses, key: addr_id, pointed: ship_addr_id}}
  payments:
    table: shop.payments
    key: pay_id
    belongs: order_id
    with: {{moves: {{table: shop.payment_moves, key: move_id, belongs: pay_id}}}}
lookup: {{carrier: {{table: shop.carriers, key: carrier_id, gives: code}}}}
about: {{aggregate: Order, id: "order-{{number}}"}}
read:
  status: {{code: stat, of: {codes}}}
  customer: {{ref: Customer, from: cust_id}}
  total: {{money: tot_amt, currency: EUR}}
  notes: {{text: notes}}
  shipTo: {{object: {{name: address.name, city: address.city}}}}
  carrier: {{lookup: carrier, from: carrier_id}}
  lines: {{each: lines, as: {{sku: {{text: item_cd}}, quantity: {{int: qty}}}}}}
  payments: {{method: {{code: meth, of: {{C: card, I: invoice}}}}, amount: {{decimal: amt}}}}
  payments.moves: {{kind: {{code: typ, of: {{A: authorised, D: debited}}}}, amount: {{decimal: amt}}}}
noise: [upd_dt, lines.prc]
facts:
  order.placement: [customer, total, lines]
  order.status: [status]
  order.delivery: [shipTo, carrier]
  order.payment: [payments, payments.moves]
  order.notes: [notes]
events:
{events}
{tail}
"""

_STOCK = """\
mapping: stock
version: 1
{head}
source: {{table: shop.stock, key: item_cd, before: {before}}}
about: {{aggregate: Stock, id: "stock-{{item_cd}}"}}
read: {{onHand: {{int: on_hand}}, reserved: {{int: reserved}}}}
facts: {{stock.level: [onHand], stock.reservation: [reserved]}}
events:
{events}
{tail}
"""

CODES = "{P: placed, C: confirmed, X: cancelled}"


def orders(
    events: str, tail: str = "", *, head: str = "", before: str = "required", codes: str = CODES, version: int = 1
) -> str:
    """Return the mapping of orders with these events, one a line; `tail` holds silent, never and snapshot."""
    indented = "\n".join(f"  {line.strip()}" for line in events.strip().splitlines())
    return _ORDERS.format(events=indented, tail=tail, head=head, before=before, codes=codes, version=version)


def stock(events: str, tail: str = "", *, head: str = "", before: str = "required") -> str:
    """Return the mapping of stock with these events, one a line."""
    indented = "\n".join(f"  {line.strip()}" for line in events.strip().splitlines())
    return _STOCK.format(events=indented, tail=tail, head=head, before=before)
