"""What maps draw of grids and communities at each zoom."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

from data import walls

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coverage_levels",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=False, comment="which coverage of the layer"),
        sa.Column("zoom", sa.SmallInteger(), nullable=False),
        sa.Column("feature_id", sa.BigInteger(), nullable=False),
        sa.Column("first_column", sa.Integer(), nullable=False, comment="of the zoom's tiles it is drawn in"),
        sa.Column("first_row", sa.Integer(), nullable=False),
        sa.Column("last_column", sa.Integer(), nullable=False),
        sa.Column("last_row", sa.Integer(), nullable=False),
        sa.Column("shape", Geometry("MULTIPOLYGON", srid=3857, spatial_index=False), nullable=False),
        sa.Column(
            "label",
            Geometry("POINT", srid=3857, spatial_index=False),
            nullable=False,
            comment="where it is written on",
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_coverage_levels_district")),
        sa.PrimaryKeyConstraint(
            "district", "layer", "edition", "zoom", "feature_id", name=op.f("pk_coverage_levels")
        ),
    )
    # A tile reads most of what is stored for it: it is faster unpacked.
    op.execute("ALTER TABLE coverage_levels ALTER shape SET STORAGE EXTERNAL")
    for statement in walls.build("coverage_levels"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("coverage_levels")
