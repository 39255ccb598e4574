"""What sheets and the map of coverage read."""

from __future__ import annotations

import pytest

from data import plans, reach, sheets
from data.session import Store
from tests import town

CODE = "340504"


@pytest.fixture
def reading(database_url):
    store = Store(database_url)
    town.build(store)
    with store.read(CODE) as connection:
        yield connection, plans.in_force(connection, CODE).id
    store.close()


def test_grids_hold_buildings_or_entrances_of_one(reading):
    connection, plan = reading
    buildings = sheets.buildings(connection, CODE)
    held = sheets.holdings(connection, CODE, plan).merge(buildings, left_on="building_id", right_on="id")
    told = [
        (row.label if isinstance(row.label, str) else row.road_number, row.entrances)
        for row in held.itertuples()
    ]
    assert told == [("1幢", None), ("2幢", [1]), ("2幢", [2]), ("3幢", None), ("38", None), ("1幢", None)]
    assert buildings.geometry.notna().all()
    assert len(buildings) == 6  # two have no position


def test_a_building_that_moved_away_is_held_by_no_grid(database_url):
    store = Store(database_url)
    town.build(store)
    with store.begin(CODE) as connection:
        plan = plans.in_force(connection, CODE).id
        first = int(sheets.holdings(connection, CODE, plan)["building_id"].iloc[0])
        connection.exec_driver_sql(f"UPDATE cells SET last_set = 1 WHERE building_id = {first}")
        assert first not in sheets.holdings(connection, CODE, plan)["building_id"].tolist()
    store.close()


def test_a_compound_without_a_boundary_is_where_its_buildings_are(reading):
    connection, _ = reading
    compounds = sheets.compounds(connection, CODE)
    assert compounds["name"].tolist() == ["康宁花园", "碧水小区", "碧水小区"]
    assert compounds.geometry.notna().all()


def test_workers_of_today_are_read_with_their_grid(reading):
    connection, _ = reading
    (row,) = sheets.workers(connection, CODE).itertuples(index=False)
    assert (row.role, row.name, row.phone) == ("primary", town.WORKER, town.PHONE)


def test_households_are_read_by_building_and_grid_with_their_place(reading):
    connection, plan = reading
    rows = reach.dwellings(connection, CODE, plan)
    assert rows["households"].tolist() == [40, 20, 20, 40, 40, 40]
    assert rows["lon"].between(118.5, 118.54).all()
    assert (rows["lat"] == 31.705).all()
