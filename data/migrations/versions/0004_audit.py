"""The record of every act, append-only, and the answers kept for repeated requests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from data import walls

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEEP = """
CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit EXECUTE FUNCTION keep_audit();
"""


def upgrade() -> None:
    instant = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "audit",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at", instant, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False, comment="noun.verb: plan.publish"),
        sa.Column("subject", sa.Text(), nullable=False, comment="noun and number: plan 3"),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB()),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"])
    op.create_table(
        "answered_requests",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="of what was asked under the key"),
        sa.Column("answer", postgresql.JSONB(), nullable=False),
        sa.Column("at", instant, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_answered_requests_district")),
        sa.PrimaryKeyConstraint("district", "actor", "key", name=op.f("pk_answered_requests")),
    )
    op.execute(KEEP)
    for statement in walls.build("audit", rights="SELECT, INSERT") + walls.build("answered_requests"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("answered_requests")
    op.drop_table("audit")
    op.execute("DROP FUNCTION keep_audit")
