"""What tiles are cut from is kept in Web Mercator too, and found by place behind the wall between districts."""

from alembic import op

from data.session import APP_ROLE

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SHAPES = {
    "compounds": "boundary",
    "buildings": "COALESCE(footprint, point)",
    "streets": "line",
    "barriers": "shape",
}

VIEWS = {
    "compounds": """
        SELECT c.district, c.id, c.external_code, c.name, c.aliases, c.community_id, c.road, c.road_number,
               c.committee_since, c.boundary AS shape{more}
        FROM compounds c WHERE c.retired_at IS NULL
    """,
    "buildings": """
        SELECT b.district, b.id, b.external_code, b.label, b.address, b.road, b.road_number, b.poi, b.kind, b.floors,
               b.entrances, b.households_source, b.households_on, COALESCE(b.footprint, b.point) AS shape,
               b.households{more}
        FROM buildings b WHERE b.retired_at IS NULL AND b.point IS NOT NULL
    """,
    "streets": "SELECT district, id, external_code, name, kind, line AS shape{more} FROM streets WHERE retired_at IS NULL",
    "barriers": "SELECT district, id, external_code, name, kind, shape{more} FROM barriers WHERE retired_at IS NULL",
}

# Behind row-level security an index serves only operators that cannot leak what they compare. That boxes overlap
# is such a one, but PostGIS does not say so, and saying it takes a superuser; without one, tiles are only slower.
FOUND_BY_PLACE = """
DO $$
BEGIN
    ALTER FUNCTION geometry_overlaps(geometry, geometry) {} LEAKPROOF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'tiles are found without an index: only a superuser can declare geometry_overlaps leakproof';
END $$
"""


def upgrade() -> None:
    op.execute(f"GRANT CREATE ON SCHEMA layers TO {APP_ROLE}")
    for name, shape in SHAPES.items():
        op.execute(
            f"ALTER TABLE {name} ADD COLUMN mercator geometry(Geometry, 3857)"
            f" GENERATED ALWAYS AS (ST_Transform({shape}, 3857)) STORED"
        )
        op.execute(f"CREATE INDEX idx_{name}_mercator ON {name} USING gist (mercator)")
        op.execute(f"CREATE OR REPLACE VIEW layers.{name} AS {VIEWS[name].format(more=', mercator')}")
    op.execute(f"REVOKE CREATE ON SCHEMA layers FROM {APP_ROLE}")
    op.execute(FOUND_BY_PLACE.format(""))


def downgrade() -> None:
    op.execute(FOUND_BY_PLACE.format("NOT"))
    op.execute(f"GRANT CREATE ON SCHEMA layers TO {APP_ROLE}")
    for name in SHAPES:
        # A view's columns can only be taken away by making it anew.
        op.execute(f"DROP VIEW layers.{name}")
        op.execute(f"ALTER TABLE {name} DROP COLUMN mercator")
        op.execute(f"CREATE VIEW layers.{name} AS {VIEWS[name].format(more='')}")
        op.execute(f"ALTER VIEW layers.{name} OWNER TO {APP_ROLE}")
    op.execute(f"REVOKE CREATE ON SCHEMA layers FROM {APP_ROLE}")
