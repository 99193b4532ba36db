"""The log of grants, what is derived from it, and the head."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from figbridge.adapters.sql.dialect import dialect_of

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GENESIS = "0" * 64


def _cell() -> tuple[sa.Column[str], sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
    )


def _tenure() -> tuple[sa.Column[str], sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("successor", sa.Text),
        sa.Column("stage", sa.Text, nullable=False),
    )


def upgrade() -> None:
    """Create the four tables, the one row of the head, and the triggers that keep the log append-only."""
    op.create_table(
        "grants",
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        *_cell(),
        *_tenure(),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", sa.Text, nullable=False),
        sa.Column("cuts", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_grants"),
    )
    op.create_table(
        "tenures",
        *_cell(),
        sa.Column("seq", sa.BigInteger, nullable=False),
        *_tenure(),
        sa.PrimaryKeyConstraint("fact", "scope", "epoch", name="pk_tenures"),
        sa.UniqueConstraint("seq", name="uq_tenures_seq"),
    )
    op.create_table(
        "cuts",
        *_cell(),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("first_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("fact", "scope", "epoch", "topic", "partition", name="pk_cuts"),
        sa.ForeignKeyConstraint(
            ["fact", "scope", "epoch"], ["tenures.fact", "tenures.scope", "tenures.epoch"], name="fk_cuts"
        ),
    )
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
        sa.CheckConstraint("id = 1", name="ck_head_single"),
    )
    op.bulk_insert(head, [{"id": 1, "version": 0, "hash": GENESIS}])
    for statement in dialect_of(op.get_bind().dialect.name).append_only("grants"):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: the log of authority is never thrown away."""
    raise NotImplementedError("the log of authority is never thrown away")
