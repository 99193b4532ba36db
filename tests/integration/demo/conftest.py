"""A shop in a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from figbridge.demo.monolith import Monolith

from .shop_tables import News, a_shop


@pytest.fixture
def shop(database: str) -> Iterator[Monolith]:
    """A shop with its tables, and a dozen orders in every state."""
    pytest.importorskip("psycopg")
    with a_shop(database) as shop:
        shop.create_schema()
        shop.seed(12)
        yield shop


@pytest.fixture
def news(shop: Monolith) -> News:
    """What the ledger says since somebody asked last."""
    return News(shop)
