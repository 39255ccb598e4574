"""Jobs, and which job an act on record was carried out by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from data import walls

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "jobs",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("actor", postgresql.JSONB(), nullable=False, comment="id, roles and scope of who asked"),
        sa.Column("state", sa.Text(), server_default="todo", nullable=False),
        sa.Column("percent", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("stage", sa.Text()),
        sa.Column("message", sa.Text(), comment="what befell it, for people"),
        sa.Column("result", postgresql.JSONB()),
        sa.Column("error", postgresql.JSONB(), comment="fault and remedy"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "foreground",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="run by the command that asked for it, never by a worker",
        ),
        sa.Column("cancel_requested", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", instant, server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", instant),
        sa.Column("heartbeat_at", instant, comment="when it last told how far it is"),
        sa.Column("finished_at", instant),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.CheckConstraint(
            "state IN ('todo', 'doing', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_jobs_percent")),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (state IN ('todo', 'doing'))", name=op.f("ck_jobs_finished")
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_jobs_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_open", "jobs", ["district", "kind"], postgresql_where=sa.text("finished_at IS NULL")
    )
    for statement in walls.build("jobs"):
        op.execute(statement)
    # Set by the transactions of a job: an act and the proof that its job was done are one row.
    op.add_column(
        "audit",
        sa.Column(
            "job",
            sa.BigInteger(),
            server_default=sa.text("nullif(current_setting('gridgov.job', true), '')::bigint"),
            comment="the job that carried it out",
        ),
    )
    op.create_index("ix_audit_job", "audit", ["district", "job"], postgresql_where=sa.text("job IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("ix_audit_job", "audit")
    op.drop_column("audit", "job")
    op.drop_table("jobs")
