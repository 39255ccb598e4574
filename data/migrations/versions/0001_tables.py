"""The tables of the first schema, as declared in data.tables."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "districts",
        sa.Column("code", sa.Text(), nullable=False, comment="GB/T 2260, 6 digits"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "srid",
            sa.Integer(),
            nullable=False,
            comment="EPSG code of the metric CRS lengths are measured in",
        ),
        sa.Column(
            "made_up", sa.Boolean(), server_default="false", nullable=False, comment="demo data; pages say so"
        ),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("code ~ '^[0-9]{6}$'", name=op.f("ck_districts_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_districts")),
    )
    op.create_table(
        "cell_sets",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "made_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_cell_sets_number")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_cell_sets_district")),
        sa.PrimaryKeyConstraint("district", "number", name=op.f("pk_cell_sets")),
    )
    op.create_table(
        "data_versions",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_data_versions_district")),
        sa.PrimaryKeyConstraint("district", "layer", name=op.f("pk_data_versions")),
    )
    op.create_table(
        "departments",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_departments_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_departments")),
        sa.UniqueConstraint("district", "name", name=op.f("uq_departments_district_name")),
    )
    op.create_table(
        "imports",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="name of the folder or file, without its path"
        ),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of what was read"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attribution", sa.Text(), nullable=True, comment="shown on every map made from it"),
        sa.Column("licence", sa.Text(), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("kind IN ('ledger', 'osm')", name=op.f("ck_imports_kind")),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_imports_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_imports")),
    )
    op.create_geospatial_table(
        "barriers",
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "shape",
            Geometry(
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "kind IN ('river', 'railway', 'trunk_road', 'wall')", name=op.f("ck_barriers_kind")
        ),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_barriers_district_import_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_barriers_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_barriers")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_barriers_district_external_code")),
    )
    op.create_geospatial_index(
        "idx_barriers_shape", "barriers", ["shape"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "facilities",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("keeper", sa.Text(), nullable=True, comment="the unit that keeps it"),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column(
            "restricted",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="never on a public layer",
        ),
        sa.Column(
            "point",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'building', 'open', 'out_of_order')", name=op.f("ck_facilities_state")
        ),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_facilities_district_import_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_facilities_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_facilities")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_facilities_district_external_code")),
    )
    op.create_geospatial_index(
        "idx_facilities_point",
        "facilities",
        ["point"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_table(
        "plans",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("based_on", sa.BigInteger(), nullable=True),
        sa.Column("cell_set", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("target", sa.Integer(), nullable=False, comment="households a grid"),
        sa.Column("tolerance_percent", sa.SmallInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("valid"), "&&"),
            using="gist",
            name="ex_plans_one_in_force",
        ),
        sa.CheckConstraint(
            "(valid IS NOT NULL) = (state IN ('published', 'superseded'))", name=op.f("ck_plans_valid")
        ),
        sa.CheckConstraint(
            "origin IN ('imported', 'balanced', 'edited', 'rolled_back')", name=op.f("ck_plans_origin")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'published', 'superseded', 'withdrawn')",
            name=op.f("ck_plans_state"),
        ),
        sa.CheckConstraint("NOT isempty(valid)", name=op.f("ck_plans_valid_not_empty")),
        sa.ForeignKeyConstraint(
            ["district", "based_on"], ["plans.district", "plans.id"], name=op.f("fk_plans_district_based_on")
        ),
        sa.ForeignKeyConstraint(
            ["district", "cell_set"],
            ["cell_sets.district", "cell_sets.number"],
            name=op.f("fk_plans_district_cell_set"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_plans_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_plans")),
        sa.UniqueConstraint("district", "number", name=op.f("uq_plans_district_number")),
    )
    op.create_geospatial_table(
        "streets",
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column(
            "line",
            Geometry(
                geometry_type="MULTILINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_streets_district_import_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_streets_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_streets")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_streets_district_external_code")),
    )
    op.create_geospatial_index(
        "idx_streets_line", "streets", ["line"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_table(
        "towns",
        sa.Column("code", sa.Text(), nullable=False, comment="9 digits"),
        sa.Column(
            "provisional",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="the code is ours, not official",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("code ~ '^[0-9]{9}$'", name=op.f("ck_towns_code")),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_towns_district_import_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_towns_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_towns")),
        sa.UniqueConstraint("district", "code", name=op.f("uq_towns_district_code")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_towns_district_external_code")),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_workers_district_import_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_workers_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_workers")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_workers_district_external_code")),
    )
    op.create_geospatial_table(
        "communities",
        sa.Column("code", sa.Text(), nullable=False, comment="12 digits"),
        sa.Column(
            "provisional",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="the code is ours, not official",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("town_id", sa.BigInteger(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True, comment="the channel the public is given"),
        sa.Column(
            "boundary",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("boundary_source", sa.Text(), server_default="stated", nullable=False),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "boundary_source IN ('stated', 'derived')", name=op.f("ck_communities_boundary_source")
        ),
        sa.CheckConstraint("code ~ '^[0-9]{12}$'", name=op.f("ck_communities_code")),
        sa.CheckConstraint("status IN ('active', 'preparatory')", name=op.f("ck_communities_status")),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_communities_district_import_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "town_id"],
            ["towns.district", "towns.id"],
            name=op.f("fk_communities_district_town_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_communities_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_communities")),
        sa.UniqueConstraint("district", "code", name=op.f("uq_communities_district_code")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_communities_district_external_code")),
    )
    op.create_geospatial_index(
        "idx_communities_boundary",
        "communities",
        ["boundary"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_geospatial_table(
        "compounds",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("aliases", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("road", sa.Text(), nullable=True),
        sa.Column("road_number", sa.Text(), nullable=True),
        sa.Column(
            "phase_of", sa.Text(), nullable=True, comment="external code of the compound this is a phase of"
        ),
        sa.Column("committee_since", sa.Date(), nullable=True, comment="owners' committee (业委会)"),
        sa.Column(
            "boundary",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["district", "community_id"],
            ["communities.district", "communities.id"],
            name=op.f("fk_compounds_district_community_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_compounds_district_import_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_compounds_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_compounds")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_compounds_district_external_code")),
    )
    op.create_geospatial_index(
        "idx_compounds_boundary",
        "compounds",
        ["boundary"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_compounds_community_id"), "compounds", ["community_id"], unique=False)
    op.create_table(
        "grids",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="basic", nullable=False),
        sa.Column("code", sa.Text(), nullable=True, comment="community's 12 digits and 3"),
        sa.Column(
            "provisional",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="its community's code is ours",
        ),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code of it"),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("code ~ '^[0-9]{15}$'", name=op.f("ck_grids_code")),
        sa.CheckConstraint("kind IN ('basic', 'special')", name=op.f("ck_grids_kind")),
        sa.CheckConstraint("(code IS NULL) = (issued_at IS NULL)", name=op.f("ck_grids_issued")),
        sa.ForeignKeyConstraint(
            ["district", "community_id"],
            ["communities.district", "communities.id"],
            name=op.f("fk_grids_district_community_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_grids_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_grids")),
        sa.UniqueConstraint("district", "code", name=op.f("uq_grids_district_code")),
    )
    op.create_index(op.f("ix_grids_community_id"), "grids", ["community_id"], unique=False)
    op.create_geospatial_table(
        "sites",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("services", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("hours", sa.Text(), nullable=True),
        sa.Column("accessibility", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "point",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'building', 'open')", name=op.f("ck_sites_state")),
        sa.ForeignKeyConstraint(
            ["district", "community_id"],
            ["communities.district", "communities.id"],
            name=op.f("fk_sites_district_community_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_sites_district_import_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_sites_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_sites")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_sites_district_external_code")),
    )
    op.create_geospatial_index(
        "idx_sites_point", "sites", ["point"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_sites_community_id"), "sites", ["community_id"], unique=False)
    op.create_geospatial_table(
        "buildings",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("compound_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "label", sa.Text(), nullable=True, comment="number or name within its compound or road: 3幢"
        ),
        sa.Column("road", sa.Text(), nullable=True),
        sa.Column("road_number", sa.Text(), nullable=True),
        sa.Column("poi", sa.Text(), nullable=True, comment="name of the place in it"),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("dwellings", sa.Integer(), nullable=True, comment="套"),
        sa.Column("households", sa.Integer(), nullable=False, comment="occupied households"),
        sa.Column("households_on", sa.Date(), nullable=True, comment="the day the count holds for"),
        sa.Column("households_source", sa.Text(), server_default="ledger", nullable=False),
        sa.Column("expected_households", sa.Integer(), nullable=True),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("entrances", sa.SmallInteger(), server_default="1", nullable=False, comment="单元"),
        sa.Column("floors", sa.SmallInteger(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True, comment="standard address"),
        sa.Column("aliases", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("stated_grid", sa.Text(), nullable=True, comment="the ledger's code of today's grid"),
        sa.Column(
            "point",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
            comment="null: unplaced, never drawn",
        ),
        sa.Column(
            "footprint",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "households_source IN ('ledger', 'estimated', 'made_up')",
            name=op.f("ck_buildings_households_source"),
        ),
        sa.CheckConstraint("dwellings >= 0", name=op.f("ck_buildings_dwellings")),
        sa.CheckConstraint("entrances >= 1", name=op.f("ck_buildings_entrances")),
        sa.CheckConstraint("footprint IS NULL OR point IS NOT NULL", name=op.f("ck_buildings_placed")),
        sa.CheckConstraint("households >= 0", name=op.f("ck_buildings_households")),
        sa.ForeignKeyConstraint(
            ["district", "community_id"],
            ["communities.district", "communities.id"],
            name=op.f("fk_buildings_district_community_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "compound_id"],
            ["compounds.district", "compounds.id"],
            name=op.f("fk_buildings_district_compound_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_buildings_district_import_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_buildings_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_buildings")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_buildings_district_external_code")),
    )
    op.create_geospatial_index(
        "idx_buildings_footprint",
        "buildings",
        ["footprint"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_geospatial_index(
        "idx_buildings_point",
        "buildings",
        ["point"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_buildings_community_id"), "buildings", ["community_id"], unique=False)
    op.create_index(op.f("ix_buildings_compound_id"), "buildings", ["compound_id"], unique=False)
    op.create_geospatial_table(
        "cases",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=True, comment="自办"),
        sa.Column("department_id", sa.BigInteger(), nullable=True, comment="吹哨"),
        sa.Column(
            "opened_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "point",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_cases_closed")),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_cases_state")),
        sa.CheckConstraint("num_nonnulls(grid_id, department_id) = 1", name=op.f("ck_cases_one_handler")),
        sa.ForeignKeyConstraint(
            ["district", "department_id"],
            ["departments.district", "departments.id"],
            name=op.f("fk_cases_district_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "grid_id"], ["grids.district", "grids.id"], name=op.f("fk_cases_district_grid_id")
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_cases_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_cases")),
        sa.UniqueConstraint("district", "number", name=op.f("uq_cases_district_number")),
    )
    op.create_geospatial_index(
        "idx_cases_point", "cases", ["point"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_cases_department_id"), "cases", ["department_id"], unique=False)
    op.create_index(op.f("ix_cases_grid_id"), "cases", ["grid_id"], unique=False)
    op.create_table(
        "duties",
        sa.Column("worker_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("stated_grid", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), server_default="primary", nullable=False),
        sa.Column("valid", postgresql.DATERANGE(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("district"), "="),
            (sa.column("grid_id"), "="),
            (sa.column("valid"), "&&"),
            where=sa.text("role = 'primary'"),
            using="gist",
            name="ex_duties_one_primary",
        ),
        sa.CheckConstraint("role IN ('primary', 'deputy')", name=op.f("ck_duties_role")),
        sa.CheckConstraint("NOT isempty(valid)", name=op.f("ck_duties_valid")),
        sa.CheckConstraint("num_nonnulls(grid_id, stated_grid) >= 1", name=op.f("ck_duties_grid")),
        sa.ForeignKeyConstraint(
            ["district", "grid_id"], ["grids.district", "grids.id"], name=op.f("fk_duties_district_grid_id")
        ),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_duties_district_import_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "worker_id"],
            ["workers.district", "workers.id"],
            name=op.f("fk_duties_district_worker_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_duties_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_duties")),
    )
    op.create_index(op.f("ix_duties_grid_id"), "duties", ["grid_id"], unique=False)
    op.create_index(op.f("ix_duties_worker_id"), "duties", ["worker_id"], unique=False)
    op.create_table(
        "grid_external_codes",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("external_code", sa.Text(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False, comment="of its households, 0 to 1"),
        sa.ForeignKeyConstraint(
            ["district", "grid_id"],
            ["grids.district", "grids.id"],
            name=op.f("fk_grid_external_codes_district_grid_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district"], ["districts.code"], name=op.f("fk_grid_external_codes_district")
        ),
        sa.PrimaryKeyConstraint("district", "external_code", "grid_id", name=op.f("pk_grid_external_codes")),
    )
    op.create_geospatial_table(
        "plan_grids",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=True, comment="on the day of publication"),
        sa.Column("buildings", sa.Integer(), nullable=True),
        sa.Column("area_m2", sa.Double(), nullable=True),
        sa.Column("perimeter_m", sa.Double(), nullable=True),
        sa.Column(
            "shape",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["district", "grid_id"],
            ["grids.district", "grids.id"],
            name=op.f("fk_plan_grids_district_grid_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "plan_id"],
            ["plans.district", "plans.id"],
            name=op.f("fk_plan_grids_district_plan_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_plan_grids_district")),
        sa.PrimaryKeyConstraint("district", "plan_id", "grid_id", name=op.f("pk_plan_grids")),
    )
    op.create_geospatial_index(
        "idx_plan_grids_shape",
        "plan_grids",
        ["shape"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_plan_grids_grid_id"), "plan_grids", ["grid_id"], unique=False)
    op.create_table(
        "plan_moves",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("from_grid", sa.BigInteger(), nullable=True),
        sa.Column("to_grid", sa.BigInteger(), nullable=False),
        sa.Column("cells", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["district", "from_grid"],
            ["grids.district", "grids.id"],
            name=op.f("fk_plan_moves_district_from_grid"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "plan_id"],
            ["plans.district", "plans.id"],
            name=op.f("fk_plan_moves_district_plan_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "to_grid"],
            ["grids.district", "grids.id"],
            name=op.f("fk_plan_moves_district_to_grid"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_plan_moves_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_plan_moves")),
    )
    op.create_index(op.f("ix_plan_moves_plan_id"), "plan_moves", ["plan_id"], unique=False)
    op.create_table(
        "plan_problems",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("waived_by", sa.Text(), nullable=True),
        sa.Column("waiver_reason", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "(waived_by IS NULL) = (waiver_reason IS NULL)", name=op.f("ck_plan_problems_waiver")
        ),
        sa.ForeignKeyConstraint(
            ["district", "grid_id"],
            ["grids.district", "grids.id"],
            name=op.f("fk_plan_problems_district_grid_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "plan_id"],
            ["plans.district", "plans.id"],
            name=op.f("fk_plan_problems_district_plan_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_plan_problems_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_plan_problems")),
    )
    op.create_index(op.f("ix_plan_problems_plan_id"), "plan_problems", ["plan_id"], unique=False)
    op.create_table(
        "rider_communities",
        sa.Column("compound_id", sa.BigInteger(), nullable=False),
        sa.Column("vehicles", sa.Text(), nullable=True, comment="what may ride in"),
        sa.Column("parking", sa.Text(), nullable=True),
        sa.Column("charging", sa.Text(), nullable=True),
        sa.Column("pledge", sa.Text(), nullable=True),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["district", "compound_id"],
            ["compounds.district", "compounds.id"],
            name=op.f("fk_rider_communities_district_compound_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_rider_communities_district_import_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_rider_communities_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_rider_communities")),
        sa.UniqueConstraint(
            "district", "compound_id", name=op.f("uq_rider_communities_district_compound_id")
        ),
        sa.UniqueConstraint(
            "district", "external_code", name=op.f("uq_rider_communities_district_external_code")
        ),
    )
    op.create_table(
        "case_contacts",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("delete_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["district", "case_id"],
            ["cases.district", "cases.id"],
            name=op.f("fk_case_contacts_district_case_id"),
        ),
        sa.PrimaryKeyConstraint("district", "case_id", name=op.f("pk_case_contacts")),
    )
    op.create_table(
        "case_events",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["district", "case_id"],
            ["cases.district", "cases.id"],
            name=op.f("fk_case_events_district_case_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_case_events_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_case_events")),
    )
    op.create_index(op.f("ix_case_events_case_id"), "case_events", ["case_id"], unique=False)
    op.create_geospatial_table(
        "cells",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("building_id", sa.BigInteger(), nullable=True),
        sa.Column("entrance", sa.SmallInteger(), nullable=True, comment="单元, where the building is split"),
        sa.Column("entrances", sa.SmallInteger(), nullable=True, comment="into how many it is split"),
        sa.Column("first_set", sa.Integer(), nullable=False),
        sa.Column("last_set", sa.Integer(), nullable=True),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("perimeter_m", sa.Double(), nullable=False),
        sa.Column(
            "shape",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("(entrance IS NULL) = (entrances IS NULL)", name=op.f("ck_cells_entrances")),
        sa.CheckConstraint("entrance BETWEEN 1 AND entrances", name=op.f("ck_cells_entrance")),
        sa.CheckConstraint("last_set >= first_set", name=op.f("ck_cells_sets")),
        sa.ForeignKeyConstraint(
            ["district", "building_id"],
            ["buildings.district", "buildings.id"],
            name=op.f("fk_cells_district_building_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "community_id"],
            ["communities.district", "communities.id"],
            name=op.f("fk_cells_district_community_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "first_set"],
            ["cell_sets.district", "cell_sets.number"],
            name=op.f("fk_cells_district_first_set"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_cells_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_cells")),
    )
    op.create_geospatial_index(
        "idx_cells_shape", "cells", ["shape"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_cells_building_id"), "cells", ["building_id"], unique=False)
    op.create_index(op.f("ix_cells_community_id"), "cells", ["community_id"], unique=False)
    op.create_geospatial_table(
        "rider_points",
        sa.Column("rider_community_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("hours", sa.Text(), nullable=True),
        sa.Column("vehicles", sa.Text(), nullable=True, comment="what may pass a gate"),
        sa.Column("bikes", sa.Integer(), nullable=True, comment="transfer bikes at a dock"),
        sa.Column(
            "point",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("external_code", sa.Text(), nullable=True, comment="the ledger's own code, or the OSM id"),
        sa.Column("import_id", sa.BigInteger(), nullable=True, comment="the batch that last changed it"),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "kind IN ('gate', 'bike_dock', 'parking', 'charging', 'rest')", name=op.f("ck_rider_points_kind")
        ),
        sa.CheckConstraint("bikes >= 0", name=op.f("ck_rider_points_bikes")),
        sa.ForeignKeyConstraint(
            ["district", "import_id"],
            ["imports.district", "imports.id"],
            name=op.f("fk_rider_points_district_import_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "rider_community_id"],
            ["rider_communities.district", "rider_communities.id"],
            name=op.f("fk_rider_points_district_rider_community_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_rider_points_district")),
        sa.PrimaryKeyConstraint("district", "id", name=op.f("pk_rider_points")),
        sa.UniqueConstraint("district", "external_code", name=op.f("uq_rider_points_district_external_code")),
    )
    op.create_geospatial_index(
        "idx_rider_points_point",
        "rider_points",
        ["point"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(
        op.f("ix_rider_points_rider_community_id"), "rider_points", ["rider_community_id"], unique=False
    )
    op.create_table(
        "cell_borders",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("a", sa.BigInteger(), nullable=False),
        sa.Column("b", sa.BigInteger(), nullable=False),
        sa.Column("shared_m", sa.Double(), nullable=False),
        sa.Column("barrier", sa.Boolean(), nullable=False),
        sa.CheckConstraint("a < b", name=op.f("ck_cell_borders_order")),
        sa.ForeignKeyConstraint(
            ["district", "a"], ["cells.district", "cells.id"], name=op.f("fk_cell_borders_district_a")
        ),
        sa.ForeignKeyConstraint(
            ["district", "b"], ["cells.district", "cells.id"], name=op.f("fk_cell_borders_district_b")
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_cell_borders_district")),
        sa.PrimaryKeyConstraint("district", "a", "b", name=op.f("pk_cell_borders")),
    )
    op.create_index(op.f("ix_cell_borders_b"), "cell_borders", ["b"], unique=False)
    op.create_table(
        "plan_cells",
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["district", "cell_id"],
            ["cells.district", "cells.id"],
            name=op.f("fk_plan_cells_district_cell_id"),
        ),
        sa.ForeignKeyConstraint(
            ["district", "plan_id", "grid_id"],
            ["plan_grids.district", "plan_grids.plan_id", "plan_grids.grid_id"],
            name=op.f("fk_plan_cells_district_plan_id_grid_id"),
        ),
        sa.ForeignKeyConstraint(["district"], ["districts.code"], name=op.f("fk_plan_cells_district")),
        sa.PrimaryKeyConstraint("district", "plan_id", "cell_id", name=op.f("pk_plan_cells")),
    )


def downgrade() -> None:
    op.drop_table("plan_cells")
    op.drop_index(op.f("ix_cell_borders_b"), table_name="cell_borders")
    op.drop_table("cell_borders")
    op.drop_index(op.f("ix_rider_points_rider_community_id"), table_name="rider_points")
    op.drop_geospatial_index(
        "idx_rider_points_point", table_name="rider_points", postgresql_using="gist", column_name="point"
    )
    op.drop_geospatial_table("rider_points")
    op.drop_index(op.f("ix_cells_community_id"), table_name="cells")
    op.drop_index(op.f("ix_cells_building_id"), table_name="cells")
    op.drop_geospatial_index(
        "idx_cells_shape", table_name="cells", postgresql_using="gist", column_name="shape"
    )
    op.drop_geospatial_table("cells")
    op.drop_index(op.f("ix_case_events_case_id"), table_name="case_events")
    op.drop_table("case_events")
    op.drop_table("case_contacts")
    op.drop_table("rider_communities")
    op.drop_index(op.f("ix_plan_problems_plan_id"), table_name="plan_problems")
    op.drop_table("plan_problems")
    op.drop_index(op.f("ix_plan_moves_plan_id"), table_name="plan_moves")
    op.drop_table("plan_moves")
    op.drop_index(op.f("ix_plan_grids_grid_id"), table_name="plan_grids")
    op.drop_geospatial_index(
        "idx_plan_grids_shape", table_name="plan_grids", postgresql_using="gist", column_name="shape"
    )
    op.drop_geospatial_table("plan_grids")
    op.drop_table("grid_external_codes")
    op.drop_index(op.f("ix_duties_worker_id"), table_name="duties")
    op.drop_index(op.f("ix_duties_grid_id"), table_name="duties")
    op.drop_table("duties")
    op.drop_index(op.f("ix_cases_grid_id"), table_name="cases")
    op.drop_index(op.f("ix_cases_department_id"), table_name="cases")
    op.drop_geospatial_index(
        "idx_cases_point", table_name="cases", postgresql_using="gist", column_name="point"
    )
    op.drop_geospatial_table("cases")
    op.drop_index(op.f("ix_buildings_compound_id"), table_name="buildings")
    op.drop_index(op.f("ix_buildings_community_id"), table_name="buildings")
    op.drop_geospatial_index(
        "idx_buildings_point", table_name="buildings", postgresql_using="gist", column_name="point"
    )
    op.drop_geospatial_index(
        "idx_buildings_footprint", table_name="buildings", postgresql_using="gist", column_name="footprint"
    )
    op.drop_geospatial_table("buildings")
    op.drop_index(op.f("ix_sites_community_id"), table_name="sites")
    op.drop_geospatial_index(
        "idx_sites_point", table_name="sites", postgresql_using="gist", column_name="point"
    )
    op.drop_geospatial_table("sites")
    op.drop_index(op.f("ix_grids_community_id"), table_name="grids")
    op.drop_table("grids")
    op.drop_index(op.f("ix_compounds_community_id"), table_name="compounds")
    op.drop_geospatial_index(
        "idx_compounds_boundary", table_name="compounds", postgresql_using="gist", column_name="boundary"
    )
    op.drop_geospatial_table("compounds")
    op.drop_geospatial_index(
        "idx_communities_boundary", table_name="communities", postgresql_using="gist", column_name="boundary"
    )
    op.drop_geospatial_table("communities")
    op.drop_table("workers")
    op.drop_table("towns")
    op.drop_geospatial_index(
        "idx_streets_line", table_name="streets", postgresql_using="gist", column_name="line"
    )
    op.drop_geospatial_table("streets")
    op.drop_table("plans")
    op.drop_geospatial_index(
        "idx_facilities_point", table_name="facilities", postgresql_using="gist", column_name="point"
    )
    op.drop_geospatial_table("facilities")
    op.drop_geospatial_index(
        "idx_barriers_shape", table_name="barriers", postgresql_using="gist", column_name="shape"
    )
    op.drop_geospatial_table("barriers")
    op.drop_table("imports")
    op.drop_table("departments")
    op.drop_table("data_versions")
    op.drop_table("cell_sets")
    op.drop_table("districts")
