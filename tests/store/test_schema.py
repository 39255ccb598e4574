from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from data import districts, migrate
from data.session import Store
from data.tables import Base
from geo.errors import SetupError


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    with store.begin() as connection:
        for code in ("990001", "990002"):
            connection.execute(
                text("INSERT INTO districts (code, name, srid) VALUES (:code, 'Test', 4549)"), {"code": code}
            )
    yield store
    store.close()


def add_community(connection: Connection, district: str, code: str) -> int:
    added = text("INSERT INTO communities (district, code, name) VALUES (:d, :c, 'Community') RETURNING id")
    return connection.execute(added, {"d": district, "c": code}).scalar_one()


def add_grid(connection: Connection, district: str, community: int, code: str | None) -> int:
    added = text(
        "INSERT INTO grids (district, community_id, code, issued_at)"
        " VALUES (:d, :community, :code, CASE WHEN CAST(:code AS text) IS NOT NULL THEN now() END) RETURNING id"
    )
    return connection.execute(added, {"d": district, "community": community, "code": code}).scalar_one()


def add_plan(
    connection: Connection, district: str, number: int, valid: tuple[datetime, datetime | None]
) -> None:
    connection.execute(
        text(
            "INSERT INTO plans (district, number, title, state, origin, cell_set, target, tolerance_percent, author,"
            " valid) VALUES (:d, :n, 'Plan', 'published', 'imported', 1, 300, 10, 'test',"
            " tstzrange(:since, :until))"
        ),
        {"d": district, "n": number, "since": valid[0], "until": valid[1]},
    )


def test_upgrade_downgrade_upgrade_leaves_what_one_upgrade_makes(database_url):
    def described() -> dict[str, list[str]]:
        engine = create_engine(database_url)
        found = inspect(engine)
        tables = {
            name: sorted(c["name"] for c in found.get_columns(name)) for name in found.get_table_names()
        }
        with engine.connect() as connection:
            policies = connection.execute(text("SELECT tablename, policyname FROM pg_policies ORDER BY 1"))
            views = connection.execute(
                text("SELECT viewname FROM pg_views WHERE schemaname = 'layers' ORDER BY 1")
            )
            tables |= {"policies": [str(row) for row in policies], "views": [row[0] for row in views]}
        engine.dispose()
        return tables

    before = described()
    migrate.downgrade(database_url)
    emptied = described()
    assert "plans" not in emptied
    assert emptied["policies"] == emptied["views"] == []
    migrate.upgrade(database_url)
    assert described() == before


def test_autogenerate_finds_nothing(database_url):
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": alembic_helpers.include_object, "compare_server_default": False},
        )
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_every_table_of_a_district_is_behind_row_level_security(store):
    with store.engine.connect() as connection:
        secured = set(
            connection.scalars(
                text(
                    "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
                    " WHERE c.relrowsecurity AND c.relforcerowsecurity"
                )
            )
        )
    of_no_district = {"districts", "accounts", "sign_ins", "signing_keys"}
    assert secured == {t.name for t in Base.metadata.sorted_tables} - of_no_district


def test_a_query_without_the_district_sees_one_tenant_only(store):
    for code in ("990001", "990002"):
        with store.begin(code) as connection:
            add_community(connection, code, f"{code}900900")
    with store.begin("990001") as connection:
        assert connection.scalars(text("SELECT district FROM communities")).all() == ["990001"]
        assert connection.scalars(text("SELECT district FROM layers.communities")).all() == ["990001"]
    with store.begin() as connection:
        assert connection.scalars(text("SELECT district FROM communities")).all() == []


def test_a_row_of_another_district_cannot_be_written(store):
    with pytest.raises(DBAPIError, match="row-level security"), store.begin("990001") as connection:
        add_community(connection, "990002", "990002900900")


def test_a_reference_cannot_reach_into_another_district(store):
    with store.begin("990001") as connection:
        community = add_community(connection, "990001", "990001900900")
    with pytest.raises(IntegrityError), store.begin("990002") as connection:
        add_grid(connection, "990002", community, None)


def test_a_transaction_that_raises_leaves_nothing(store):
    def fail(connection: Connection) -> None:
        add_community(connection, "990001", "990001900900")
        raise RuntimeError("fault")

    with pytest.raises(RuntimeError, match="fault"), store.begin("990001") as connection:
        fail(connection)
    with store.begin("990001") as connection:
        assert connection.scalar(text("SELECT count(*) FROM communities")) == 0


def test_all_statements_of_a_read_see_one_state(store):
    with store.read("990001") as reading:
        assert districts.find(reading, "990001").name == "Test"
        with store.begin("990001") as connection:
            connection.execute(text("UPDATE districts SET name = 'Renamed'"))
        assert districts.find(reading, "990001").name == "Test"
    with store.read("990001") as reading:
        assert districts.find(reading, "990001").name == "Renamed"


def test_a_read_cannot_write_and_leaves_its_connection_able_to(database_url):
    store = Store(database_url, pool_size=1)
    added = text("INSERT INTO districts (code, name, srid) VALUES ('990001', 'Test', 4549)")
    with pytest.raises(DBAPIError, match="read-only"), store.read("990001") as reading:
        reading.execute(added)
    with store.begin("990001") as connection:
        connection.execute(added)
    store.close()


def test_writers_of_one_district_come_one_after_the_other(store):
    with store.begin("990001") as first:
        districts.lock(first, "990001")
        with store.begin("990002") as other:
            districts.lock(other, "990002")
        with store.begin("990001") as second:
            second.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                districts.lock(second, "990001")
            second.rollback()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://user@host/name", "postgresql://user@host:port/name", "sqlite://"]
)
def test_what_is_no_address_of_a_database_is_told(url):
    with pytest.raises(SetupError, match="GRIDGOV_DATABASE_URL"):
        Store(url)
    with pytest.raises(SetupError, match="GRIDGOV_DATABASE_URL"):
        migrate.versions(url)


def test_any_spelling_of_an_address_is_read_with_the_driver_there_is(database_url):
    for scheme in ("postgresql", "postgres", "postgresql+psycopg2"):
        store = Store(database_url.replace("postgresql+psycopg", scheme))
        with store.read() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        store.close()


def test_an_account_that_may_not_act_as_the_application_is_told(database_url):
    admin = create_engine(database_url, poolclass=NullPool)
    with admin.begin() as connection:
        connection.execute(text("CREATE ROLE stranger LOGIN"))
    store = Store(make_url(database_url).set(username="stranger").render_as_string(hide_password=False))
    with pytest.raises(SetupError, match="GRANT gridgov_app"), store.begin("990001"):
        pass
    store.close()
    with admin.begin() as connection:
        connection.execute(text("DROP ROLE stranger"))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE grids SET code = '990001900900002' WHERE code IS NOT NULL",
        "UPDATE grids SET code = NULL, issued_at = NULL WHERE code IS NOT NULL",
        "DELETE FROM grids WHERE code IS NOT NULL",
    ],
)
def test_an_issued_code_stays_with_its_grid(store, change):
    with store.begin("990001") as connection:
        community = add_community(connection, "990001", "990001900900")
        add_grid(connection, "990001", community, "990001900900001")
    with pytest.raises(DBAPIError, match="names one grid for ever"), store.begin("990001") as connection:
        connection.execute(text(change))


def test_a_grid_that_never_got_a_code_may_go(store):
    with store.begin("990001") as connection:
        community = add_community(connection, "990001", "990001900900")
        add_grid(connection, "990001", community, None)
        assert connection.execute(text("DELETE FROM grids")).rowcount == 1


def test_two_plans_cannot_be_in_force_at_one_instant(store):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with store.begin("990001") as connection:
        connection.execute(
            text("INSERT INTO cell_sets (district, number, actor) VALUES ('990001', 1, 'test')")
        )
        add_plan(connection, "990001", 1, (start, start + timedelta(days=30)))
        add_plan(connection, "990001", 2, (start + timedelta(days=30), None))
    with pytest.raises(IntegrityError, match="one_in_force"), store.begin("990001") as connection:
        add_plan(connection, "990001", 3, (start + timedelta(days=29), start + timedelta(days=30)))


def test_a_grid_has_one_primary_duty_at_a_time(store):
    added = text(
        "INSERT INTO duties (district, worker_id, grid_id, role, valid)"
        " VALUES ('990001', :worker, :grid, :role, daterange(:since, :until))"
    )
    with store.begin("990001") as connection:
        community = add_community(connection, "990001", "990001900900")
        values = {
            "grid": add_grid(connection, "990001", community, "990001900900001"),
            "worker": connection.scalar(
                text("INSERT INTO workers (district, name) VALUES ('990001', 'Worker') RETURNING id")
            ),
            "role": "primary",
            "since": date(2026, 1, 1),
            "until": date(2026, 2, 1),
        }
        connection.execute(added, values)
        connection.execute(added, values | {"role": "deputy"})
        connection.execute(added, values | {"since": date(2026, 2, 1), "until": None})
    with pytest.raises(IntegrityError, match="one_primary"), store.begin("990001") as connection:
        connection.execute(added, values | {"since": date(2026, 1, 31)})


def test_public_counts_below_ten_are_withheld(store):
    with store.begin("990001") as connection:
        counts = connection.scalars(text("SELECT layers.public_count(n) FROM generate_series(8, 11) n")).all()
    assert counts == [None, None, 10, 11]
