"""How a PostgreSQL server must be set, and what its publication must carry."""

from __future__ import annotations

from collections.abc import Iterator

from figbridge.domain.preflight import Row, Unknown
from figbridge.operations.doctor.check import POSTGRES, Check, Found, wrong
from figbridge.operations.doctor.scene import Scene, quoted


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
)  # fmt: skip
