"""Row-level security, codes that last, and the views map layers are read from."""

from alembic import op

from data.session import APP_ROLE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "barriers",
    "buildings",
    "case_contacts",
    "case_events",
    "cases",
    "cell_borders",
    "cell_sets",
    "cells",
    "communities",
    "compounds",
    "data_versions",
    "departments",
    "duties",
    "facilities",
    "grid_external_codes",
    "grids",
    "imports",
    "plan_cells",
    "plan_grids",
    "plan_moves",
    "plan_problems",
    "plans",
    "rider_communities",
    "rider_points",
    "sites",
    "streets",
    "towns",
    "workers",
)

KEEP_CODES = """
CREATE FUNCTION keep_grid_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.code IS NULL THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    ELSIF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'grid code % names one grid for ever; its row cannot be deleted', OLD.code;
    ELSIF NEW.code IS DISTINCT FROM OLD.code OR NEW.community_id <> OLD.community_id THEN
        RAISE EXCEPTION 'grid code % names one grid for ever; it cannot be changed', OLD.code;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_code BEFORE UPDATE OR DELETE ON grids FOR EACH ROW EXECUTE FUNCTION keep_grid_code();
"""

# Counts below 10 are withheld from the public. So that none can be had by subtraction either, a community's
# total is that of its grids' public counts, and buildings are shown without counts.
PUBLIC_COUNT = """
CREATE FUNCTION layers.public_count(counted bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS 'SELECT CASE WHEN counted >= 10 THEN counted END'
"""

VIEWS = {
    "cells": """
        SELECT c.district, c.id, c.community_id, c.building_id, c.entrance, c.entrances, c.first_set,
               c.last_set, c.area_m2, c.perimeter_m, b.compound_id, c.shape,
               CASE WHEN b.id IS NULL OR b.retired_at IS NOT NULL THEN 0
                    WHEN c.entrances IS NULL THEN b.households
                    ELSE b.households / c.entrances + (c.entrance <= b.households % c.entrances)::integer
               END AS households
        FROM cells c LEFT JOIN buildings b ON b.district = c.district AND b.id = c.building_id
    """,
    "grids": """
        SELECT p.district, p.id AS plan_id, p.number AS plan, p.valid, p.target, g.id, g.code, g.external_code,
               g.provisional, g.kind, c.code AS community_code, c.name AS community, layers.public_count(pg.households) AS households,
               pg.buildings, pg.area_m2, pg.perimeter_m, pg.shape
        FROM plan_grids pg
        JOIN plans p ON p.district = pg.district AND p.id = pg.plan_id
        JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id
        JOIN communities c ON c.district = g.district AND c.id = g.community_id
        WHERE p.valid IS NOT NULL
    """,
    "communities": """
        SELECT c.district, c.id, c.code, c.external_code, c.provisional, c.name, c.status, c.boundary_source,
               c.phone, t.name AS town, n.buildings, g.households, c.boundary AS shape
        FROM communities c
        LEFT JOIN towns t ON t.district = c.district AND t.id = c.town_id
        LEFT JOIN LATERAL (SELECT count(*) AS buildings FROM buildings b
                           WHERE b.district = c.district AND b.community_id = c.id AND b.retired_at IS NULL) n ON true
        LEFT JOIN LATERAL (SELECT sum(v.households)::bigint AS households FROM layers.grids v
                           WHERE v.district = c.district AND v.community_code = c.code
                           AND v.valid @> CURRENT_TIMESTAMP) g ON true
        WHERE c.retired_at IS NULL
    """,
    "compounds": """
        SELECT c.district, c.id, c.external_code, c.name, c.aliases, c.community_id, c.road, c.road_number,
               c.committee_since, c.boundary AS shape
        FROM compounds c WHERE c.retired_at IS NULL
    """,
    "buildings": """
        SELECT b.district, b.id, b.external_code, b.label, b.address, b.road, b.road_number, b.poi, b.kind, b.floors, b.entrances,
               b.households_source, b.households_on,
               COALESCE(b.footprint, b.point) AS shape
        FROM buildings b WHERE b.retired_at IS NULL AND b.point IS NOT NULL
    """,
    "sites": """
        SELECT s.district, s.id, s.external_code, s.name, s.kind, s.state, s.services, s.hours, s.accessibility,
               s.address, s.phone, s.point AS shape
        FROM sites s WHERE s.retired_at IS NULL
    """,
    "facilities": """
        SELECT f.district, f.id, f.external_code, f.kind, f.name, f.state, f.keeper, f.checked_on, f.point AS shape
        FROM facilities f WHERE f.retired_at IS NULL AND NOT f.restricted
    """,
    "rider_communities": """
        SELECT r.district, r.id, r.external_code, c.name, r.vehicles, r.parking, r.charging, r.pledge,
               COALESCE(c.boundary, n.hull) AS shape
        FROM rider_communities r
        JOIN compounds c ON c.district = r.district AND c.id = r.compound_id
        LEFT JOIN LATERAL (SELECT ST_ConvexHull(ST_Collect(COALESCE(b.footprint, b.point))) AS hull FROM buildings b
                           WHERE b.district = r.district AND b.compound_id = c.id AND b.retired_at IS NULL) n ON true
        WHERE r.retired_at IS NULL
    """,
    "rider_points": """
        SELECT r.district, r.id, r.external_code, r.rider_community_id, r.kind, r.name, r.hours, r.vehicles,
               r.bikes, r.point AS shape
        FROM rider_points r WHERE r.retired_at IS NULL
    """,
    "streets": "SELECT district, id, external_code, name, kind, line AS shape FROM streets WHERE retired_at IS NULL",
    "barriers": "SELECT district, id, external_code, name, kind, shape FROM barriers WHERE retired_at IS NULL",
}


def upgrade() -> None:
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} USING (district = current_setting('gridgov.district', true))"
        )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(TENANT_TABLES)} TO {APP_ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON districts TO {APP_ROLE}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")
    op.execute(KEEP_CODES)
    op.execute("CREATE SCHEMA layers")
    op.execute(f"GRANT USAGE, CREATE ON SCHEMA layers TO {APP_ROLE}")
    op.execute(PUBLIC_COUNT)
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW layers.{name} AS {query}")
        # A view reads with its owner's rights: the application's role, so that row-level security holds.
        op.execute(f"ALTER VIEW layers.{name} OWNER TO {APP_ROLE}")
    op.execute(f"REVOKE CREATE ON SCHEMA layers FROM {APP_ROLE}")


def downgrade() -> None:
    op.execute("DROP SCHEMA layers CASCADE")
    op.execute("DROP TRIGGER keep_code ON grids")
    op.execute("DROP FUNCTION keep_grid_code")
    for table in TENANT_TABLES:
        op.execute(f"DROP POLICY tenant ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {APP_ROLE}")
    op.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {APP_ROLE}")
