"""What stands in the tables, read only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from figbridge.domain.preflight import Row
from figbridge.mapping import model as m
from figbridge.mapping.rules_types import family
from figbridge.operations.doctor.check import BOTH, MARIADB, Check, Found, NotAsked
from figbridge.operations.doctor.scene import Scene
from figbridge.operations.doctor.tables import leaves
from figbridge.ports import Preflight

_MANY: Final = 200
"""So many distinct values are looked at; a column with more is no code."""


_SHOWN: Final = 5


_BEYOND: Final = 1 << 63


def _codes(scene: Scene) -> Iterator[Found]:
    database = _asked(scene)
    for mapping, table, column, leaf in leaves(scene):
        row = scene.column(table, column)
        if not isinstance(leaf, m.Code | m.Bool) or not leaf.of or row is None:
            continue
        known = {code for code, _ in leaf.of}
        counted = database.values(table, column, _MANY)
        odd = [(v, n) for v, n in counted if v is not None and not _is_known(v.strip(), known, leaf, row)]
        told = ", ".join(f"{v[:20]!r} in {n:,} rows" for v, n in odd[:_SHOWN])
        more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
        yield Found(
            f"{table}.{column}",
            not odd,
            f"unknown: {told}{more}" if odd else f"{len(counted)} known",
            {"mapping": mapping.name},
        )


def _numbers(scene: Scene) -> Iterator[Found]:
    database = _asked(scene)
    for table, name, row in scene.read_columns():
        kind = str(row["type"]).lower()
        if kind.startswith("bigint") and "unsigned" in kind:
            _, high = database.extremes(table, name)
            yield Found(f"{table}.{name}", int(high or 0) < _BEYOND, f"at most {int(high or 0):,}")


def _zeros(scene: Scene) -> Iterator[Found]:
    database = _asked(scene)
    for table, name, row in scene.read_columns():
        told_as_null = bool(row["nullable"]) and not str(row["type"]).lower().startswith("timestamp")
        if family(str(row["type"])) in ("date", "instant") and not told_as_null:
            low, _ = database.extremes(table, name)
            zero = (low or "").startswith("0000-00-00")
            yield Found(f"{table}.{name}", not zero, "there are zero dates" if zero else "no zero date")


def _asked(scene: Scene) -> Preflight:
    if scene.scanned is None:
        raise NotAsked
    return scene.scanned


def _is_known(value: str, known: set[str], leaf: m.Leaf, row: Row) -> bool:
    """Say whether the reader knows a value: of numbers and booleans `bool` reads 0 and 1 without being told."""
    natural = isinstance(leaf, m.Bool) and family(str(row["type"])) in ("int", "bool") and not known & {"0", "1"}
    return value in known or (natural and value in ("0", "1", "true", "false"))


CHECKS = (
    Check(
        "PRE086", "codes in the tables", "each value of a column that is read as a code is in the mapping",
        "A row with an unknown code parks its key as soon as it changes.",
        "-- add the codes of {about} to the mapping {mapping}", BOTH, _codes, scans=True,
    ),
    Check(
        "PRE087", "unsigned values", "none above 2^63 - 1", "Such a number arrives negative.",
        "-- take {about} out of mappings/, or make it smaller", MARIADB, _numbers, scans=True,
    ),
    Check(
        "PRE088", "zero dates in the tables", "none where null cannot stand for them",
        "It arrives as 1970: a date that nobody wrote.",
        "-- let {about} be NULL, and set the rows to NULL", MARIADB, _zeros, scans=True,
    ),
)  # fmt: skip
