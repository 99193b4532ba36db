"""What PostgreSQL sends of rows: identities, generated columns, partitions."""

from __future__ import annotations

from collections.abc import Iterator

from figbridge.operations.doctor.check import POSTGRES, Check, Found, wrong
from figbridge.operations.doctor.postgres import publication
from figbridge.operations.doctor.scene import Scene, quoted

_IDENTITY = {"d": "DEFAULT", "n": "NOTHING", "f": "FULL", "i": "USING INDEX"}


def _identity(scene: Scene) -> Iterator[Found]:
    for table in scene.live_tables():
        (row,) = scene.facts.of("tables", table)
        keyed = any(c["key"] is not None for c in scene.facts.of("columns", table))
        whole = table in scene.patient.full_identity or not keyed
        found = _IDENTITY.get(str(row["identity"]), str(row["identity"]))
        fine = found == "FULL" or (found == "DEFAULT" and not whole)
        why = ", and a mapping says `before: required`" if table in scene.patient.full_identity and not fine else ""
        why = why or (", and it has no primary key" if not keyed and not fine else "")
        yield Found(table, fine, found + why, {"table": quoted(table)})


def _generated(scene: Scene) -> Iterator[Found]:
    for table, name, row in scene.read_columns():
        if row["generated"]:
            yield wrong(f"{table}.{name}", "generated", {"table": quoted(table), "column": quoted(name)})


def _partitions(scene: Scene) -> Iterator[Found]:
    for table in scene.live_tables():
        (row,) = scene.facts.of("tables", table)
        if row["kind"] == "p":
            via = bool(publication(scene)["via_root"])
            yield Found(
                table, via, f"partitioned, changes come {'as it' if via else 'under the names of its partitions'}"
            )
        elif row["partition"]:
            via = bool(publication(scene)["via_root"])
            yield Found(table, not via, f"a partition, changes come {'under another name' if via else 'as it'}")


def _logged(scene: Scene) -> Iterator[Found]:
    for table in scene.live_tables():
        (row,) = scene.facts.of("tables", table)
        fine = row["persistence"] == "p"
        yield Found(table, fine, "logged" if fine else "UNLOGGED", {"table": quoted(table)})


def _arrays(scene: Scene) -> Iterator[Found]:
    for table, name, row in scene.read_columns():
        if int(row["dimensions"] or 0) > 1:
            yield wrong(f"{table}.{name}", f"{row['type']} of {row['dimensions']} dimensions")


CHECKS = (
    Check(
        "PRE008", "replica identity",
        "FULL where a mapping says `before: required` or the table has no primary key, else FULL or DEFAULT",
        "Under DEFAULT an update has no old row, and a delete's is invented; under an index its key is invented, too.",
        "ALTER TABLE {table} REPLICA IDENTITY FULL;", POSTGRES, _identity,
    ),
    Check(
        "PRE009", "generated columns", "no mapping reads one",
        "A generated column is in snapshot rows and absent from streamed ones.",
        "-- read the columns that {about} is made of instead, in mappings/", POSTGRES, _generated,
    ),
    Check(
        "PRE010", "partitioned tables", "changes come under the name that the mappings know",
        "A change that comes under a partition's name is of a table that no mapping has.",
        "ALTER PUBLICATION {publication} SET (publish_via_partition_root = true); -- false when {about} is a partition",
        POSTGRES, _partitions,
    ),
    Check(
        "PRE011", "logged tables", "every captured table is logged", "Changes of an UNLOGGED table are in no log.",
        "ALTER TABLE {table} SET LOGGED;", POSTGRES, _logged,
    ),
    Check(
        "PRE012", "arrays", "no mapping reads an array of two or more dimensions",
        "It arrives as a list of nulls, without an error.",
        "-- read {about} in another shape, such as jsonb, or say in mappings/ why it is unused", POSTGRES, _arrays,
    ),
)  # fmt: skip
