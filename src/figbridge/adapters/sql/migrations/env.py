"""Alembic's entry: run on the connection, and in the transaction, that `migrate` hands in."""

from __future__ import annotations

from alembic import context

from figbridge.adapters.sql.migrate import VERSION_TABLE
from figbridge.adapters.sql.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
