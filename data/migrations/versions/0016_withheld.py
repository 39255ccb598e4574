"""Counts of grids are withheld so that none can be found by subtraction, and shapes of grids are kept as GeoJSON."""

import sqlalchemy as sa
from alembic import op

from data.session import APP_ROLE

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Where one grid of a community alone is withheld, it is what the others leave of the community's total: the next
# smallest is withheld with it. Kept with the row, so that a page of grids need not look at the others.
WITHHOLD = """
CREATE FUNCTION withhold_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE plan_grids pg SET withheld = n.withheld
    FROM (SELECT p.district, p.plan_id, p.grid_id,
                 p.households < 10 OR (count(*) FILTER (WHERE p.households < 10) OVER community = 1
                  AND row_number() OVER (PARTITION BY p.plan_id, g.community_id, p.households < 10
                                         ORDER BY p.households, p.grid_id) = 1) AS withheld
          FROM plan_grids p JOIN grids g ON g.district = p.district AND g.id = p.grid_id
          WHERE p.households IS NOT NULL AND p.plan_id IN (SELECT plan_id FROM changed WHERE households IS NOT NULL)
          AND p.district IN (SELECT district FROM changed)
          WINDOW community AS (PARTITION BY p.plan_id, g.community_id)) n
    WHERE pg.district = n.district AND pg.plan_id = n.plan_id AND pg.grid_id = n.grid_id
    AND pg.withheld <> n.withheld;
    RETURN NULL;
END $$;
CREATE TRIGGER withhold_added AFTER INSERT ON plan_grids REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION withhold_counts();
CREATE TRIGGER withhold_changed AFTER UPDATE ON plan_grids REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION withhold_counts();
CREATE TRIGGER withhold_left AFTER DELETE ON plan_grids REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION withhold_counts();
UPDATE plan_grids SET households = households WHERE households IS NOT NULL
"""

GRIDS = """
CREATE OR REPLACE VIEW layers.grids AS
SELECT p.district, p.id AS plan_id, p.number AS plan, p.valid, p.target, g.id, g.code, g.external_code,
       g.provisional, g.kind, c.code AS community_code, c.name AS community,
       {households} AS households, pg.buildings, pg.area_m2, pg.perimeter_m, pg.shape,
       lower(p.valid) AS valid_from, upper(p.valid) AS valid_to{more}
FROM plan_grids pg
JOIN plans p ON p.district = pg.district AND p.id = pg.plan_id
JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id
JOIN communities c ON c.district = g.district AND c.id = g.community_id
WHERE p.valid IS NOT NULL
"""

COMMUNITIES = """
CREATE OR REPLACE VIEW layers.communities AS
SELECT c.district, c.id, c.code, c.external_code, c.provisional, c.name, c.status, c.boundary_source,
       c.phone, t.name AS town, n.buildings, g.households, c.boundary AS shape
FROM communities c
LEFT JOIN towns t ON t.district = c.district AND t.id = c.town_id
LEFT JOIN LATERAL (SELECT count(*) AS buildings FROM buildings b
                   WHERE b.district = c.district AND b.community_id = c.id AND b.retired_at IS NULL) n ON true
LEFT JOIN LATERAL ({total}) g ON true
WHERE c.retired_at IS NULL
"""

ALL = """
SELECT layers.public_count(sum(pg.households)) AS households
FROM plans p JOIN plan_grids pg ON pg.district = p.district AND pg.plan_id = p.id
JOIN grids h ON h.district = pg.district AND h.id = pg.grid_id
WHERE p.district = c.district AND p.valid @> (SELECT district_now(c.district)) AND h.community_id = c.id
"""

PUBLIC_ONLY = """
SELECT sum(v.households)::bigint AS households FROM layers.grids v
WHERE v.district = c.district AND v.community_code = c.code AND v.valid @> (SELECT district_now(c.district))
"""


def upgrade() -> None:
    op.add_column(
        "plan_grids",
        sa.Column(
            "withheld",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="from the public: its count",
        ),
    )
    op.add_column(
        "plan_grids",
        sa.Column(
            "geojson",
            sa.Text(),
            sa.Computed("st_asgeojson(st_forcepolygonccw(shape), 7, 0)", persisted=True),
            nullable=True,
            comment="its polygon, as map layers tell it",
        ),
    )
    op.execute("ALTER TABLE plan_grids ALTER geojson SET STORAGE EXTERNAL")  # faster read than unpacked
    op.execute(WITHHOLD)
    _replace(
        GRIDS.format(
            households="CASE WHEN NOT pg.withheld THEN pg.households::bigint END", more=", pg.geojson"
        )
    )
    _replace(COMMUNITIES.format(total=ALL))


def downgrade() -> None:
    op.execute("DROP VIEW layers.communities")
    op.execute("DROP VIEW layers.grids")
    _replace(GRIDS.format(households="layers.public_count(pg.households)", more=""))
    _replace(COMMUNITIES.format(total=PUBLIC_ONLY))
    for event in ("added", "changed", "left"):
        op.execute(f"DROP TRIGGER withhold_{event} ON plan_grids")
    op.execute("DROP FUNCTION withhold_counts")
    op.drop_column("plan_grids", "geojson")
    op.drop_column("plan_grids", "withheld")


def _replace(view: str) -> None:
    name = view.split()[4]
    op.execute(f"GRANT CREATE ON SCHEMA layers TO {APP_ROLE}")
    op.execute(view)
    op.execute(f"ALTER VIEW {name} OWNER TO {APP_ROLE}")
    op.execute(f"REVOKE CREATE ON SCHEMA layers FROM {APP_ROLE}")
