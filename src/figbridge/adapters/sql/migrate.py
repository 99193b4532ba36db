"""Bring a store's tables to this program's version."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from figbridge.adapters.sql.dialect import alone, dialect_of
from figbridge.errors import Refused

VERSION_TABLE: Final = "figbridge_schema"
"""Alembic's own table, named so that it can stand beside another program's."""


def migrate(engine: Engine) -> str:
    """Apply the migrations that are missing and return the revision; one process at a time, all or nothing.

    `engine` comes from `engine_for`. Takes no exclusive lock when nothing is missing.
    Raises Refused when a newer program has migrated the store.
    """
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.as_revision_number("head")
    if not isinstance(newest, str):
        raise Refused("the migrations of the authority store have no single head")
    with engine.begin() as connection:
        if _revision(connection, scripts) == newest:
            return newest
    with alone(engine).begin() as connection:
        dialect_of(engine.dialect.name).lock_schema(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return newest


def _revision(connection: Connection, scripts: ScriptDirectory) -> str | None:
    current = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    known = {s.revision for s in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise Refused(
            f"the authority store has revision {current}, which this program does not know",
            hint="a newer figbridge has migrated it; use that version",
        )
    return current
