"""The tables of the authority store. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

GRANTS = Table(
    "grants",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("fact", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("successor", Text),
    Column("stage", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", Text, nullable=False),
    Column("cuts", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""The log: append-only, each row chained to the one before it."""

TENURES = Table(
    "tenures",
    METADATA,
    Column("fact", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("successor", Text),
    Column("stage", Text, nullable=False),
    UniqueConstraint("seq"),
)
"""Derived from the log: who owns each cell in each epoch."""

CUTS = Table(
    "cuts",
    METADATA,
    Column("fact", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("first_offset", BigInteger, nullable=False),
    ForeignKeyConstraint(["fact", "scope", "epoch"], ["tenures.fact", "tenures.scope", "tenures.epoch"]),
)
"""Derived from the log: where each epoch begins."""

HEAD = Table(
    "head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    CheckConstraint("id = 1", name="single"),
)
"""One row, the newest link of the chain: what a committing batch holds shared and a grant holds alone."""
