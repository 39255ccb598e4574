from __future__ import annotations

import pytest
import shapely
from sqlalchemy import text

from data import cells as stored
from data import versions
from etl.actor import SYSTEM
from etl.cells import build_cells
from geo.errors import ConflictError, NotFoundError
from tests.settle import settle

CODE = "990001"


def test_cells_tile_the_communities_and_carry_their_households(store):
    settle(store)
    report = build_cells(store, SYSTEM, CODE)
    assert (report.number, report.communities, report.cells, report.kept) == (1, 2, 72, 0)
    with store.begin(CODE) as connection:
        cells = stored.members(connection, CODE, 1)
        boundaries = stored.ground(connection, CODE).communities.geometry
    assert cells.households.sum() == 72 * 20
    whole = shapely.area(boundaries.to_numpy()).sum()
    assert shapely.area(shapely.union_all(cells.geometry.to_numpy())) == pytest.approx(whole, rel=1e-6)
    assert shapely.area(cells.geometry.to_numpy()).sum() == pytest.approx(whole, rel=1e-6)


def test_making_cells_again_changes_nothing(store):
    settle(store)
    build_cells(store, SYSTEM, CODE)
    with store.begin(CODE) as connection:
        before = versions.current(connection, CODE)
    report = build_cells(store, SYSTEM, CODE)
    assert (report.number, report.added, report.retired, report.kept) == (1, 0, 0, 72)
    with store.begin(CODE) as connection:
        assert versions.current(connection, CODE) == before


def test_untouched_cells_keep_their_ids_in_the_next_set(store):
    settle(store)
    build_cells(store, SYSTEM, CODE)
    with store.begin(CODE) as connection:
        before = stored.members(connection, CODE, 1)
        connection.execute(text("UPDATE buildings SET retired_at = now() WHERE external_code = 'B1-0-0'"))
    report = build_cells(store, SYSTEM, CODE)
    assert report.number == 2
    assert 0 < report.retired < 36
    with store.begin(CODE) as connection:
        after = stored.members(connection, CODE, 2)
        assert stored.members(connection, CODE, 1).id.tolist() == before.id.tolist()
        borders = stored.borders(connection, CODE, 2)
    assert len(set(before.id) & set(after.id)) == report.kept == len(after) - report.added
    assert set(borders.a) | set(borders.b) == set(after.id)
    other_community = before[before.community_id == before.community_id.max()]
    assert set(other_community.id) <= set(after.id)


def test_a_tower_is_split_by_entrance_and_its_households_are_divided(store):
    settle(store, communities=1)
    with store.begin(CODE) as connection:
        tower = connection.execute(
            text(
                "UPDATE buildings SET households = 602, entrances = 4 WHERE external_code = 'B1-2-2' RETURNING id"
            )
        ).scalar_one()
    report = build_cells(store, SYSTEM, CODE)
    assert report.split_buildings == 1
    with store.begin(CODE) as connection:
        cells = stored.members(connection, CODE, 1)
    assert sorted(cells.households[cells.building_id == tower]) == [150, 150, 151, 151]
    assert cells.households.sum() == 35 * 20 + 602


def test_a_barrier_cuts_adjacency(store):
    settle(store, communities=1, river=True)
    build_cells(store, SYSTEM, CODE)
    with store.begin(CODE) as connection:
        borders = stored.borders(connection, CODE, 1)
    assert borders.barrier.sum() >= 6
    assert not borders.barrier.all()


def test_a_new_barrier_cuts_between_cells_that_stay(store):
    settle(store, communities=1)
    build_cells(store, SYSTEM, CODE)
    settle_river = (
        "INSERT INTO barriers (district, kind, shape)"
        " SELECT :d, 'river', ST_ExteriorRing(ST_GeometryN(shape, 1)) FROM cells ORDER BY id LIMIT 1"
    )
    with store.begin(CODE) as connection:
        connection.execute(text(settle_river), {"d": CODE})
        assert stored.borders(connection, CODE, 1).barrier.sum() == 0
    build_cells(store, SYSTEM, CODE)
    with store.begin(CODE) as connection:
        assert stored.borders(connection, CODE, stored.latest_set(connection, CODE)).barrier.sum() >= 2


def test_a_street_that_becomes_a_barrier_cuts_though_no_cell_changes(store):
    settle(store, communities=1)
    build_cells(store, SYSTEM, CODE)
    along = (
        "INSERT INTO {} (district, kind, {}) SELECT :d, 'wall', {} FROM cells c JOIN cells o ON o.id = c.id + 1"
        " ORDER BY c.id LIMIT 1"
    )
    line = "ST_LineMerge(ST_Intersection(c.shape, o.shape))"
    with store.begin(CODE) as connection:
        connection.execute(text(along.format("streets", "line", f"ST_Multi({line})")), {"d": CODE})
    assert build_cells(store, SYSTEM, CODE).added > 0
    with store.begin(CODE) as connection:
        connection.execute(
            text("INSERT INTO barriers (district, kind, shape) SELECT district, 'wall', line FROM streets")
        )
    report = build_cells(store, SYSTEM, CODE)
    assert (report.number, report.added) == (2, 0)
    with store.begin(CODE) as connection:
        assert stored.borders(connection, CODE, 2).barrier.sum() > 0


def test_a_district_without_boundaries_is_told_what_to_do(store):
    settle(store, communities=0)
    with pytest.raises(ConflictError, match="Import its communities"):
        build_cells(store, SYSTEM, CODE)


def test_an_unknown_district_is_told(store):
    with pytest.raises(NotFoundError, match="990009"):
        build_cells(store, SYSTEM, "990009")
