"""Layers say when they hold, cases are a layer, and buildings tell their households to those who may see them."""

from alembic import op

from data.session import APP_ROLE

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

GRIDS = """
SELECT p.district, p.id AS plan_id, p.number AS plan, p.valid, p.target, g.id, g.code, g.external_code,
       g.provisional, g.kind, c.code AS community_code, c.name AS community,
       layers.public_count(pg.households) AS households, pg.buildings, pg.area_m2, pg.perimeter_m, pg.shape{more}
FROM plan_grids pg
JOIN plans p ON p.district = pg.district AND p.id = pg.plan_id
JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id
JOIN communities c ON c.district = g.district AND c.id = g.community_id
WHERE p.valid IS NOT NULL
"""

BUILDINGS = """
SELECT b.district, b.id, b.external_code, b.label, b.address, b.road, b.road_number, b.poi, b.kind, b.floors,
       b.entrances, b.households_source, b.households_on, COALESCE(b.footprint, b.point) AS shape{more}
FROM buildings b WHERE b.retired_at IS NULL AND b.point IS NOT NULL
"""

CASES = """
SELECT k.district, k.id, k.number, k.category, k.state, g.code AS grid, d.name AS department, k.opened_at,
       k.closed_at, k.point AS shape,
       tstzrange(k.opened_at, CASE WHEN k.closed_at IS NOT NULL THEN greatest(k.opened_at, k.closed_at) END, '[]') AS valid
FROM cases k
LEFT JOIN grids g ON g.district = k.district AND g.id = k.grid_id
LEFT JOIN departments d ON d.district = k.district AND d.id = k.department_id
"""


def upgrade() -> None:
    op.execute(f"GRANT CREATE ON SCHEMA layers TO {APP_ROLE}")
    more = ", lower(p.valid) AS valid_from, upper(p.valid) AS valid_to"
    op.execute(f"CREATE OR REPLACE VIEW layers.grids AS {GRIDS.format(more=more)}")
    op.execute(f"CREATE OR REPLACE VIEW layers.buildings AS {BUILDINGS.format(more=', b.households')}")
    op.execute(f"CREATE VIEW layers.cases AS {CASES}")
    op.execute(f"ALTER VIEW layers.cases OWNER TO {APP_ROLE}")
    op.execute(f"REVOKE CREATE ON SCHEMA layers FROM {APP_ROLE}")
    op.execute("CREATE INDEX ix_buildings_drawn ON buildings USING gist (COALESCE(footprint, point))")


def downgrade() -> None:
    op.execute("DROP INDEX ix_buildings_drawn")
    op.execute("DROP VIEW layers.cases")
    # A view's columns can only be taken away by making it anew, with whatever reads it.
    op.execute("DROP VIEW layers.buildings")
    _remake("buildings", BUILDINGS)
    communities = op.get_bind().exec_driver_sql("SELECT pg_get_viewdef('layers.communities')").scalar_one()
    op.execute("DROP VIEW layers.communities")
    op.execute("DROP VIEW layers.grids")
    _remake("grids", GRIDS)
    _remake("communities", communities)


def _remake(name: str, query: str) -> None:
    op.execute(f"GRANT CREATE ON SCHEMA layers TO {APP_ROLE}")
    op.execute(f"CREATE VIEW layers.{name} AS {query.format(more='')}")
    op.execute(f"ALTER VIEW layers.{name} OWNER TO {APP_ROLE}")
    op.execute(f"REVOKE CREATE ON SCHEMA layers FROM {APP_ROLE}")
