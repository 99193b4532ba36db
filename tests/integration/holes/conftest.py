from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from integration.engine.harness import Source

Make = Callable[..., Source]


@pytest.fixture
def source(database: str, tmp_path: Path) -> Iterator[Make]:
    """Make a source of a schema: SQL, and the tables that are captured. It is stopped afterwards."""
    made: list[Source] = []

    def make(sql: str, *tables: str) -> Source:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(sql)
        made.append(Source.make(database, tmp_path, tables=tables, full_identity=tables))
        return made[-1]

    yield make
    for each in made:
        each.close()
