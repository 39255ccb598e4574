"""What reads do not need: an index of buildings that none can use behind security by row, and a join that counts do."""

from alembic import op

from data.session import APP_ROLE

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

GRIDS = """
CREATE OR REPLACE VIEW layers.grids AS
SELECT p.district, p.id AS plan_id, p.number AS plan, p.valid, p.target, g.id, g.code, g.external_code,
       g.provisional, g.kind, c.code AS community_code, c.name AS community,
       CASE WHEN NOT pg.withheld THEN pg.households::bigint END AS households,
       pg.buildings, pg.area_m2, pg.perimeter_m, pg.shape,
       lower(p.valid) AS valid_from, upper(p.valid) AS valid_to, pg.geojson
FROM plan_grids pg
JOIN plans p ON p.district = pg.district AND p.id = pg.plan_id
JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id
{join} communities c ON c.district = g.district AND c.id = g.community_id
WHERE p.valid IS NOT NULL
"""


def upgrade() -> None:
    op.execute("DROP INDEX ix_buildings_drawn")
    _replace("LEFT JOIN")  # left out where nothing of the community is asked for: each grid has one


def downgrade() -> None:
    _replace("JOIN")
    op.execute("CREATE INDEX ix_buildings_drawn ON buildings USING gist (COALESCE(footprint, point))")


def _replace(join: str) -> None:
    op.execute(f"GRANT CREATE ON SCHEMA layers TO {APP_ROLE}")
    op.execute(GRIDS.format(join=join))
    op.execute(f"ALTER VIEW layers.grids OWNER TO {APP_ROLE}")
    op.execute(f"REVOKE CREATE ON SCHEMA layers FROM {APP_ROLE}")
