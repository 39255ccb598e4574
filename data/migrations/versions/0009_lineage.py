"""Lineage: what became of each grid a plan changed, and which duty goes on with which."""

import sqlalchemy as sa
from alembic import op

from data import walls

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grid_successions",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("from_grid", sa.BigInteger(), nullable=False),
        sa.Column("to_grid", sa.BigInteger(), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False, comment="on the day the plan took effect"),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("share_of_from", sa.Double(), nullable=False, comment="by households, else by area"),
        sa.Column("share_of_to", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_grid_successions_district")),
        *(
            sa.ForeignKeyConstraint(
                ["district", column],
                [f"{table}.district", f"{table}.id"],
                name=op.f(f"fk_grid_successions_district_{column}"),
            )
            for column, table in {"plan_id": "plans", "from_grid": "grids", "to_grid": "grids"}.items()
        ),
        sa.PrimaryKeyConstraint(
            "district", "plan_id", "from_grid", "to_grid", name=op.f("pk_grid_successions")
        ),
    )
    for column in ("from_grid", "to_grid"):
        op.create_index(op.f(f"ix_grid_successions_{column}"), "grid_successions", [column])
    for statement in walls.build("grid_successions"):
        op.execute(statement)
    op.add_column(
        "duties",
        sa.Column("continues", sa.BigInteger(), comment="the duty that ended with its grid and goes on here"),
    )
    op.create_foreign_key(
        op.f("fk_duties_district_continues"),
        "duties",
        "duties",
        ["district", "continues"],
        ["district", "id"],
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.drop_column("duties", "continues")
    op.drop_table("grid_successions")
