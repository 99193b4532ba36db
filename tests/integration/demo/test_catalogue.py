"""The mappings' catalogue of tables is the databases' own."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from figbridge.demo.delivery import DeliveryService
from figbridge.demo.monolith import Monolith

from .shop_tables import ask

pytestmark = pytest.mark.embedded
TABLES = Path(__file__).parents[3] / "mappings" / "schema" / "tables.yaml"
NOT_CAPTURED = ("shop.ledger", "delivery.deliveries")

CATALOGUE = """
SELECT n.nspname || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       array_position(string_to_array(i.indkey::text, ' ')::int[], a.attnum::int)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE n.nspname IN ('shop', 'delivery') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY 1, a.attnum
"""


def test_the_catalogue_of_the_mappings_is_that_of_the_databases(shop: Monolith) -> None:
    """Tables, columns in their order, types, null and place in the primary key."""
    with DeliveryService(shop.dsn, Random(1), shop.clock) as delivery:
        delivery.create_schema()
    live: dict[str, dict[str, dict[str, Any]]] = {}
    for table, column, kind, nullable, place in ask(shop, CATALOGUE):
        entry = {"type": kind, "nullable": nullable} | ({"key": place} if place else {})
        live.setdefault(table, {})[column] = entry
    for table in NOT_CAPTURED:
        del live[table]
    written = yaml.safe_load(TABLES.read_text(encoding="utf-8"))["tables"]
    assert written == live
    assert {t: list(c) for t, c in written.items()} == {t: list(c) for t, c in live.items()}


def test_old_rows_are_logged_only_where_the_administrator_allowed_it(shop: Monolith) -> None:
    """Two tables have REPLICA IDENTITY FULL; the mappings of the others say last-known."""
    query = """SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
               WHERE nspname = 'shop' AND relkind = 'r' AND relreplident = 'f' ORDER BY 1"""
    assert ask(shop, query) == [("customers",), ("stock",)]


def test_most_foreign_keys_are_missing(shop: Monolith) -> None:
    """Three relations are kept by the database, the others by hope."""
    query = """SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'
               ORDER BY 1"""
    assert ask(shop, query) == [
        ("shop.order_lines", "shop.orders"),
        ("shop.orders", "shop.addresses"),
        ("shop.payment_moves", "shop.payments"),
    ]
