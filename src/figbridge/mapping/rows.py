"""Generate the row type of a table: one struct per table, with the columns the mappings use and no others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from figbridge.domain.change import UNAVAILABLE, RowShape


def make_shape(table: str, key: Iterable[str], columns: Iterable[str]) -> RowShape:
    """Build the shape of a table, with a generated struct for its row images.

    The struct is frozen, has the cells in fields c0, c1, … in the order of `columns`, is encoded under the
    column names (Debezium's `before` and `after`), and holds UNAVAILABLE where a record carries no cell.
    Key columns that `columns` leaves out are put in front. Raises ValueError for a column named twice, for a
    table without key, and for a column name that JSON would have to escape.
    """
    keys, named = tuple(map(str, key)), tuple(map(str, columns))
    if not keys:
        raise ValueError(f"{table} has no key column")
    names = tuple(c for c in keys if c not in named) + named
    if len(set(names)) != len(names):
        raise ValueError(f"a column of {table} is named twice")
    # omit_defaults: a remembered row that is written to the state leaves out the cells that nobody knows.
    fields = [(f"c{i}", Any, UNAVAILABLE) for i in range(len(names))]
    # gc=False: a row holds what JSON can say, so it can never be part of a reference cycle.
    row_type = msgspec.defstruct(
        "Row",
        fields,
        rename={f"c{i}": column for i, column in enumerate(names)},
        frozen=True,
        gc=False,
        omit_defaults=True,
    )
    return RowShape(table, keys, names, row_type)
