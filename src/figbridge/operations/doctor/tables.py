"""The live tables against the mappings: what is read must be there, of the type that is known."""

from __future__ import annotations

from collections.abc import Iterator

from figbridge.domain.preflight import Unknown
from figbridge.mapping import model as m
from figbridge.mapping import uses
from figbridge.mapping.rules_types import can_read, family, readable
from figbridge.operations.doctor.check import BOTH, Check, Found, wrong
from figbridge.operations.doctor.scene import Scene
from figbridge.operations.drift import spoken_for


def _there(scene: Scene) -> Iterator[Found]:
    live = scene.live_tables()
    for table in scene.patient.tables:
        yield Found(table, table in live, "it is there" if table in live else "there is no such table")


def _columns(scene: Scene) -> Iterator[Found]:
    for table in scene.live_tables():
        have = {str(row["column"]) for row in scene.facts.of("columns", table)}
        missing = [c for c in scene.patient.columns.get(table, ()) if c not in have]
        yield Found(table, not missing, f"without {', '.join(missing)}" if missing else "all that are read")


def _keys(scene: Scene) -> Iterator[Found]:
    for table in scene.live_tables():
        keyed = sorted(
            (int(r["key"]), str(r["column"])) for r in scene.facts.of("columns", table) if r["key"] is not None
        )
        have, wanted = [name for _, name in keyed], scene.plan.tables[table].shape.key
        said = ", ".join(have) or "none"
        yield Found(
            table, set(have) == set(wanted), said if set(have) == set(wanted) else f"{said}, not {', '.join(wanted)}"
        )


def _spoken_for(scene: Scene) -> Iterator[Found]:
    for table in scene.live_tables():
        if not scene.plan.tables[table].roles:
            continue  # of a lookup table or an outbox only what is read matters
        spoken = spoken_for(scene.plan, table)
        left = [str(r["column"]) for r in scene.facts.of("columns", table) if r["column"] not in spoken]
        yield Found(table, not left, f"nobody speaks for {', '.join(left)}" if left else "each")


def _types(scene: Scene) -> Iterator[Found]:
    for mapping, table, column, leaf in leaves(scene):
        row = scene.column(table, column)
        if row is not None:
            fine = can_read(type(leaf), str(row["type"]))
            reads = "" if fine else f", and `{type(leaf).__name__.lower()}` reads {readable(type(leaf))}"
            yield Found(f"{table}.{column}", fine, f"{row['type']}{reads}", {"mapping": mapping.name})


def _as_recorded(scene: Scene) -> Iterator[Found]:
    """Hold the live columns against mappings/schema/tables.yaml, from which lint works."""
    if scene.recorded is None:
        raise Unknown("there is no schema/tables.yaml beside the mappings")
    for table, name, row in scene.read_columns():
        recorded = next((c for c in scene.recorded.get(table, ()) if c.name == name), None)
        if recorded is None:
            continue
        told = [
            f"{was} → {now}"
            for was, now, same in (
                (recorded.type, row["type"], _same_type(recorded.type, str(row["type"]))),
                (_null(recorded.nullable), _null(bool(row["nullable"])), recorded.nullable == bool(row["nullable"])),
            )
            if not same
        ]
        if told:
            yield wrong(f"{table}.{name}", "; ".join(told))


def leaves(scene: Scene) -> Iterator[tuple[m.Mapping, str, str, m.Leaf]]:
    """Yield mapping, table, column and reader of everything that is read out of this source."""
    tables = set(scene.live_tables())
    for compiled in scene.plan.mappings.values():
        mapping = compiled.mapping
        for attribute in mapping.attributes:
            for leaf in uses.leaves(attribute.reader):
                table = mapping.node(leaf.column.path).table
                if table in tables:
                    yield mapping, table, leaf.column.name, leaf


def _same_type(recorded: str, live: str) -> bool:
    """Say whether two types are read alike. Another database has other words for the same family."""
    return recorded == live or (family(recorded) == family(live) != "")


def _null(nullable: bool) -> str:  # noqa: FBT001 — a cell of the catalogue
    return "nullable" if nullable else "NOT NULL"


CHECKS = (
    Check(
        "PRE080", "tables", "each that the mappings read is there",
        "Connect starts without a missing table, and sends nothing of it.",
        "-- mind the schema and the spelling of {about} in mappings/", BOTH, _there,
    ),
    Check(
        "PRE081", "columns", "each that the mappings read is there", "A key that needs a missing column is parked.",
        "figbridge mapping lint # after mending mappings/, or the table {about}", BOTH, _columns,
    ),
    Check(
        "PRE082", "primary keys", "the columns that the mapping names", "Rows would be taken for each other.",
        "key: …   # of {about}, in mappings/", BOTH, _keys,
    ),
    Check(
        "PRE083", "columns nobody reads", "read, noise, or unused with a reason: every column is spoken for",
        "A new column is a new fact that nobody translates.",
        "figbridge mapping lint # after adding it to mappings/", BOTH, _spoken_for,
    ),
    Check(
        "PRE084", "types", "of a family that the reader reads", "A value that cannot be read parks its key.",
        "-- take another reader for {about} in the mapping {mapping}", BOTH, _types,
    ),
    Check(
        "PRE085", "types as recorded", "type and nullability are those of mappings/schema/tables.yaml",
        "Lint judged by that file; a column that moved since may mean something else.",
        "-- write {about} into mappings/schema/tables.yaml as it is, then: figbridge mapping lint", BOTH, _as_recorded,
    ),
)  # fmt: skip
