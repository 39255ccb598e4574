"""Plans over time: when they were carried out, comments, locks, undone moves, and the district's clock."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from data import walls
from data.session import APP_ROLE

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What was carried out stays carried out: a machine's clock that steps back cannot put an older plan in force.
# The statement's time, so that a query never sees two plans in force while it runs.
NOW = f"""
CREATE FUNCTION district_now(code text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(statement_timestamp(), (SELECT max(lower(valid)) FROM plans
                                        WHERE district = code AND activated_at IS NOT NULL))
$$;
ALTER FUNCTION district_now OWNER TO {APP_ROLE}
"""

COMMUNITIES = """
CREATE OR REPLACE VIEW layers.communities AS
SELECT c.district, c.id, c.code, c.external_code, c.provisional, c.name, c.status, c.boundary_source,
       c.phone, t.name AS town, n.buildings, g.households, c.boundary AS shape
FROM communities c
LEFT JOIN towns t ON t.district = c.district AND t.id = c.town_id
LEFT JOIN LATERAL (SELECT count(*) AS buildings FROM buildings b
                   WHERE b.district = c.district AND b.community_id = c.id AND b.retired_at IS NULL) n ON true
LEFT JOIN LATERAL (SELECT sum(v.households)::bigint AS households FROM layers.grids v
                   WHERE v.district = c.district AND v.community_code = c.code
                   AND v.valid @> {now}) g ON true
WHERE c.retired_at IS NULL
"""


def upgrade() -> None:
    instant = postgresql.TIMESTAMP(timezone=True)
    op.add_column("plans", sa.Column("activated_at", instant, comment="when what fell due was carried out"))
    op.add_column("plans", sa.Column("approval", sa.Text(), comment="what the approver said"))
    op.execute("UPDATE plans SET activated_at = lower(valid) WHERE valid IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_plans_activated"), "plans", "state <> 'superseded' OR activated_at IS NOT NULL"
    )
    op.add_column("plan_moves", sa.Column("undoes", sa.Integer(), comment="the revision it takes back"))
    op.create_table(
        "plan_comments",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("at", instant, server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_plan_comments_district")),
        sa.ForeignKeyConstraint(
            ["district", "plan_id"],
            ["plans.district", "plans.id"],
            name=op.f("fk_plan_comments_district_plan_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_plan_comments")),
    )
    op.create_index(op.f("ix_plan_comments_plan_id"), "plan_comments", ["plan_id"])
    op.create_table(
        "plan_locks",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), comment="its set of cells may not change"),
        sa.Column("cell_id", sa.BigInteger(), comment="it stays in the grid it is in"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", instant, server_default=sa.text("now()"), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.CheckConstraint("num_nonnulls(grid_id, cell_id) = 1", name=op.f("ck_plan_locks_one")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_plan_locks_district")),
        *(
            sa.ForeignKeyConstraint(
                ["district", column],
                [f"{table}.district", f"{table}.id"],
                name=op.f(f"fk_plan_locks_district_{column}"),
            )
            for column, table in {"plan_id": "plans", "grid_id": "grids", "cell_id": "cells"}.items()
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_plan_locks")),
        sa.UniqueConstraint(
            "district", "plan_id", "grid_id", name=op.f("uq_plan_locks_district_plan_id_grid_id")
        ),
        sa.UniqueConstraint(
            "district", "plan_id", "cell_id", name=op.f("uq_plan_locks_district_plan_id_cell_id")
        ),
    )
    op.create_index(
        op.f("ix_plan_cells_district_plan_id_grid_id"), "plan_cells", ["district", "plan_id", "grid_id"]
    )
    op.execute(NOW)
    op.execute(COMMUNITIES.format(now="(SELECT district_now(c.district))"))
    for table in ("plan_comments", "plan_locks"):
        for statement in walls.build(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute(COMMUNITIES.format(now="CURRENT_TIMESTAMP"))
    op.execute("DROP FUNCTION district_now")
    op.drop_index(op.f("ix_plan_cells_district_plan_id_grid_id"), "plan_cells")
    op.drop_table("plan_locks")
    op.drop_table("plan_comments")
    op.drop_column("plan_moves", "undoes")
    op.drop_constraint(op.f("ck_plans_activated"), "plans")
    op.drop_column("plans", "approval")
    op.drop_column("plans", "activated_at")
