from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from .harness import SCHEMA, Source


@pytest.fixture
def shop(database: str) -> str:
    """Give a database with the shop's tables."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SCHEMA)
    return database


@pytest.fixture
def source(shop: str, tmp_path: Path) -> Iterator[Source]:
    """Give the shop as a source that is not started yet; it is stopped afterwards."""
    made = Source.make(shop, tmp_path)
    yield made
    made.close()
