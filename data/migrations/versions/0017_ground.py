"""Water, tracks and green land of the register, and the layers of a base map."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

from data import walls
from data.session import APP_ROLE

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Rivers and railways are barriers, and are drawn from there; the key tells which table a row is of.
OF_BARRIERS = """
SELECT district, 'barrier-' || id AS id, external_code, name, kind, shape, mercator
FROM barriers WHERE retired_at IS NULL AND kind = '{barrier}'
"""
OF_GROUND = """
SELECT district, 'ground-' || id AS id, external_code, name, kind, shape, mercator
FROM ground WHERE retired_at IS NULL AND kind IN ({kinds})
"""

VIEWS = {
    "water": OF_GROUND.format(kinds="'water', 'stream'") + "UNION ALL" + OF_BARRIERS.format(barrier="river"),
    "rail": OF_GROUND.format(kinds="'rail'") + "UNION ALL" + OF_BARRIERS.format(barrier="railway"),
    "green": OF_GROUND.format(kinds="'park', 'grass', 'wood'") + "AND ST_Dimension(shape) = 2",
    "labels": """
        SELECT c.district, 'compound-' || c.id AS id, 'compound' AS kind, c.name,
               COALESCE(ST_PointOnSurface(c.boundary), b.middle) AS shape
        FROM compounds c
        LEFT JOIN LATERAL (SELECT ST_PointOnSurface(ST_Collect(b.point)) AS middle FROM buildings b
                           WHERE b.district = c.district AND b.compound_id = c.id AND b.retired_at IS NULL
                           AND c.boundary IS NULL) b ON true
        WHERE c.retired_at IS NULL AND (c.boundary IS NOT NULL OR b.middle IS NOT NULL)
        UNION ALL
        SELECT district, 'rider_point-' || id, kind, name, point FROM rider_points
        WHERE retired_at IS NULL AND name IS NOT NULL
    """,
}


def upgrade() -> None:
    shape = {"spatial_index": False, "from_text": "ST_GeomFromEWKT", "name": "geometry"}
    op.create_table(
        "ground",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("shape", Geometry(srid=4326, **shape), nullable=False),
        sa.Column(
            "mercator",
            Geometry(srid=3857, **shape),
            sa.Computed("ST_Transform(shape, 3857)", persisted=True),
            nullable=True,
        ),
        sa.Column("external_code", sa.Text(), comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True)),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('water', 'stream', 'rail', 'park', 'grass', 'wood')", name=op.f("ck_ground_kind")
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_ground_district")),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_ground_district_import_id"),
        ),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_ground")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_ground_district_external_code")),
    )
    for column in ("shape", "mercator"):
        op.create_index(f"idx_ground_{column}", "ground", [column], postgresql_using="gist")
    for statement in walls.build("ground"):
        op.execute(statement)
    op.execute(f"GRANT CREATE ON SCHEMA layers TO {APP_ROLE}")
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW layers.{name} AS {query}")
        op.execute(f"ALTER VIEW layers.{name} OWNER TO {APP_ROLE}")
    op.execute(f"REVOKE CREATE ON SCHEMA layers FROM {APP_ROLE}")


def downgrade() -> None:
    for name in VIEWS:
        op.execute(f"DROP VIEW layers.{name}")
    op.drop_table("ground")
