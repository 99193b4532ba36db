"""What a PostgreSQL server must be set to, and what its publication must carry."""

from __future__ import annotations

from collections.abc import Iterator

from figbridge.domain.preflight import Row, Unknown
from figbridge.operations.doctor.check import POSTGRES, Check, Found, wrong
from figbridge.operations.doctor.scene import Scene, quoted

_IDENTITY = {"d": "DEFAULT", "n": "NOTHING", "f": "FULL", "i": "USING INDEX"}


def _wal_level(scene: Scene) -> Iterator[Found]:
    value = scene.facts.named("settings", "wal_level")
    yield Found("wal_level", value == "logical", value)


def _commit_times(scene: Scene) -> Iterator[Found]:
    value = scene.facts.named("settings", "track_commit_timestamp")
    yield Found("track_commit_timestamp", value == "on", value)


def _kept_wal(scene: Scene) -> Iterator[Found]:
    value = scene.facts.named("settings", "max_slot_wal_keep_size")
    yield Found("max_slot_wal_keep_size", value == "-1", value if value == "-1" else f"{value} MB")


def _free_slots(scene: Scene) -> Iterator[Found]:
    most = int(scene.facts.named("settings", "max_replication_slots"))
    used = int(scene.facts.rows("slots")[0]["used"])
    has_one = bool(scene.facts.rows("slot"))
    yield Found("max_replication_slots", has_one or used < most, f"{used} of {most} in use", {"wanted": used + 4})


def publication(scene: Scene) -> Row:
    """Return the publication. Raises Unknown without one: only the check for it says that it is missing."""
    found = scene.facts.rows("publication")
    if not found:
        raise Unknown(f"there is no publication {scene.patient.publication}")
    return found[0]


def _published(scene: Scene) -> Iterator[Found]:
    name = scene.patient.publication
    if not scene.facts.rows("publication"):
        yield wrong(name, "there is no such publication", {"repair": scene.fields["start"]})
        return
    listed = {str(row["table"]) for row in scene.facts.rows("published")}
    for table in scene.live_tables():
        (row,) = scene.facts.of("tables", table)
        if row["kind"] == "p" and not publication(scene)["via_root"]:
            continue  # its partitions are listed instead; the check of partitions says so
        repair = f"ALTER PUBLICATION {quoted(name)} ADD TABLE {quoted(table)};"
        yield Found(table, table in listed, "published" if table in listed else "not published", {"repair": repair})


def _everything(scene: Scene) -> Iterator[Found]:
    whole = bool(publication(scene)["everything"])
    yield Found(scene.patient.publication, whole, "all four" if whole else "some are left out")


def _published_whole(scene: Scene) -> Iterator[Found]:
    publication(scene)
    for row in scene.facts.rows("published"):
        table = str(row["table"])
        if table not in scene.patient.tables:
            continue
        named = row["columns"]
        missing = [c for c in scene.patient.columns.get(table, ()) if named is not None and c not in named]
        said = [f"without {', '.join(missing)}"] if missing else []
        said += [f"only rows with {row['filter']}"] if row["filter"] else []
        yield Found(table, not said, "; ".join(said) or "whole", {"table": quoted(table)})


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
        "PRE001", "the WAL", "wal_level is logical", "Without it there is nothing that a connector could read.",
        "ALTER SYSTEM SET wal_level = 'logical'; -- then restart the server", POSTGRES, _wal_level,
    ),
    Check(
        "PRE002", "commit times", "track_commit_timestamp is on",
        "When Debezium lost rows of a transaction, they are looked for by its commit time.",
        "ALTER SYSTEM SET track_commit_timestamp = on; -- then restart the server", POSTGRES, _commit_times,
    ),
    Check(
        "PRE003", "WAL kept for slots", "max_slot_wal_keep_size is -1",
        "At the limit the server gives the slot up, and what committed meanwhile is lost to the stream.",
        "ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf();", POSTGRES, _kept_wal,
    ),
    Check(
        "PRE004", "room for a slot", "the slot is there, or max_replication_slots leaves one free",
        "A connector without a slot fails at its start.",
        "ALTER SYSTEM SET max_replication_slots = {wanted}; -- then restart the server", POSTGRES, _free_slots,
    ),
    Check(
        "PRE005", "published tables", "the publication has every captured table",
        "Changes of a table that is not published never leave the database, and nothing fails.",
        "{repair}", POSTGRES, _published,
    ),
    Check(
        "PRE006", "published operations", "insert, update, delete and truncate are published",
        "An operation that is left out never arrives, and the ledgers balance without it.",
        "ALTER PUBLICATION {publication} SET (publish = 'insert, update, delete, truncate');", POSTGRES, _everything,
    ),
    Check(
        "PRE007", "published columns and rows", "each table is published whole: no column list, no row filter",
        "A column that is left out is absent from every record; a filtered row never arrives, nor does its end.",
        "ALTER PUBLICATION {publication} DROP TABLE {table}; ALTER PUBLICATION {publication} ADD TABLE {table};",
        POSTGRES, _published_whole,
    ),
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
