"""Tessellated enclosures are remembered, so that a changed ledger is tessellated where it changed."""

import sqlalchemy as sa
from alembic import op

from data import walls

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enclosures",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="of its outline and plots"),
        sa.Column("land", sa.LargeBinary(), nullable=False, comment="of each plot, WKB in metres"),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_enclosures_district")),
        sa.PrimaryKeyConstraint("district", "digest", name=op.f("pk_enclosures")),
    )
    for statement in walls.build("enclosures"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("enclosures")
