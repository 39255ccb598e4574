from __future__ import annotations

import math

import pytest
import shapely
from sqlalchemy import text

from data import audit, districts, versions
from data import cells as stored
from etl.actor import SYSTEM, Actor
from etl.cells import ATTEMPTS, build_cells
from etl.plans import draft_stated
from etl.publish import publish_as_system
from geo.errors import ConflictError, ForbiddenError, NotFoundError, StaleError
from tests.settle import CORNER, PITCH, SRID, settle

CODE = "990001"

MOVED = f"ST_Transform(ST_Translate(ST_Transform({{}}, {SRID}), 7, 4), 4326)"
CHANGES = {
    "new": "INSERT INTO buildings (district, community_id, external_code, households, households_source, point)"
    f" SELECT district, community_id, 'N1', 5, 'made_up', {MOVED.format('point')} FROM buildings"
    " WHERE external_code = 'B1-0-0'",
    "gone": "UPDATE buildings SET retired_at = now() WHERE external_code = 'B1-0-1'",
    "moved": f"UPDATE buildings SET footprint = {MOVED.format('footprint')}, point = {MOVED.format('point')}"
    " WHERE external_code = 'B1-1-0'",
    "over the band": "UPDATE buildings SET households = 600, entrances = 3 WHERE external_code = 'B1-1-1'",
    "boundary": "UPDATE communities SET boundary = ST_Multi(ST_Union(boundary, ST_Transform(ST_MakeEnvelope("
    f"{CORNER[0] - 5}, {CORNER[1]}, {CORNER[0]}, {CORNER[1] + 2 * PITCH}, {SRID}), 4326)))"
    " WHERE external_code = 'C1'",
    "street": "INSERT INTO streets (district, line) SELECT district, ST_Multi(ST_Transform(ST_MakeLine("
    f"ST_Point({CORNER[0] - 9}, {CORNER[1] + PITCH}, {SRID}), ST_Point({CORNER[0] + 6 * PITCH},"
    f" {CORNER[1] + PITCH}, {SRID})), 4326)) FROM communities WHERE external_code = 'C1'",
    "barrier": "UPDATE barriers SET retired_at = now()",
}
"""What may happen to a register between two cell sets."""


def change(store, *statements):
    with store.begin(CODE) as connection:
        for statement in statements:
            connection.execute(text(statement))


def remembered(store):
    with store.begin(CODE) as connection:
        return stored.enclosures(connection, CODE)


def tiles(store):
    """Return the standing cells and their borders, without ids: what a build from nothing must give as well."""
    with store.begin(CODE) as connection:
        cells = connection.execute(
            text(
                "SELECT id, (community_id, building_id, entrance, entrances, ST_AsBinary(shape))::text FROM cells"
                " WHERE last_set IS NULL"
            )
        ).all()
        content = dict(cells)
        borders = stored.borders(connection, CODE, stored.latest_set(connection, CODE))
    pairs = {frozenset((content[a], content[b])) for a, b in zip(borders.a, borders.b, strict=True)}
    return sorted(content.values()), pairs


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


SECOND = (
    "SELECT c.id FROM cells c JOIN communities m ON m.id = c.community_id WHERE m.external_code = 'C2'"
    " AND c.last_set IS NULL"
)


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_register_gives_the_cells_it_gives_from_nothing(store, what):
    settle(store, river=what == "barrier")
    build_cells(store, SYSTEM, CODE)
    with store.begin(CODE) as connection:
        second = set(connection.scalars(text(SECOND)))
    change(store, CHANGES[what])
    report = build_cells(store, SYSTEM, CODE)
    assert report.number == 2
    assert report.added > 0
    with store.begin(CODE) as connection:
        stayed = second == set(connection.scalars(text(SECOND)))
    assert stayed or what == "barrier", "only the river reaches into the second community"
    found = tiles(store)
    change(
        store,
        "DELETE FROM cell_borders",
        "DELETE FROM cells",
        "DELETE FROM cell_sets",
        "DELETE FROM enclosures",
    )
    assert build_cells(store, SYSTEM, CODE).number == 1
    assert tiles(store) == found


def test_a_recount_within_the_band_changes_no_cell(store):
    settle(store)
    build_cells(store, SYSTEM, CODE)
    change(store, "UPDATE buildings SET households = households + 9, entrances = 2")
    report = build_cells(store, SYSTEM, CODE)
    assert (report.number, report.added, report.retired) == (1, 0, 0)


def test_a_compound_split_in_two_changes_no_cell(store):
    settle(store)
    into = (
        "INSERT INTO compounds (district, community_id, external_code, name)"
        " SELECT district, id, '{0}', '小区{0}' FROM communities WHERE external_code = 'C1'"
    )
    belongs = (
        "UPDATE buildings SET compound_id = (SELECT id FROM compounds WHERE external_code = '{}')"
        " WHERE external_code ~ '^B1-{}'"
    )
    change(store, into.format("X1"), belongs.format("X1", "."))
    build_cells(store, SYSTEM, CODE)
    change(store, into.format("X2"), belongs.format("X2", "[345]"))
    assert build_cells(store, SYSTEM, CODE).added == 0
    with store.begin(CODE) as connection:
        cells = stored.members(connection, CODE, 1)
    assert cells.compound_id.value_counts().tolist() == [18, 18]


def test_only_enclosures_that_changed_are_tessellated(store):
    settle(store)
    build_cells(store, SYSTEM, CODE)
    before = remembered(store)
    change(store, CHANGES["gone"])
    build_cells(store, SYSTEM, CODE)
    after = remembered(store)
    assert len(before) == len(after) == 2, "an enclosure a community, and none that nobody needs"
    assert len(before.keys() & after.keys()) == 1


def test_nobody_waits_while_cells_are_made(store):
    settle(store)
    passed = []

    def pass_by(stage, share):
        if stage == "cells":
            with store.begin(CODE) as connection:
                connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
                districts.lock(connection, CODE)
            passed.append(share)

    build_cells(store, SYSTEM, CODE, progress=pass_by)
    assert passed == sorted(passed)
    assert passed[-1] == 1.0


def test_a_register_that_changed_meanwhile_is_read_again(store):
    settle(store)
    changes = iter([CHANGES["gone"]])

    def interfere(stage, share):
        for statement in changes if (stage, share) == ("cells", 1.0) else ():
            change(store, statement)

    report = build_cells(store, SYSTEM, CODE, progress=interfere)
    assert (report.number, report.cells) == (1, 71)
    assert len(remembered(store)) == 2, "what the first attempt made in vain is forgotten"


def test_a_register_that_never_rests_is_told(store):
    settle(store)
    households = iter(range(100, 200))

    def interfere(stage, share):
        if (stage, share) == ("cells", 1.0):
            change(store, f"UPDATE buildings SET households = {next(households)}")

    with pytest.raises(StaleError, match=str(ATTEMPTS)):
        build_cells(store, SYSTEM, CODE, progress=interfere)
    assert remembered(store) == {}


def test_making_cells_is_on_record_and_needs_the_district_in_scope(store):
    settle(store)
    with pytest.raises(ForbiddenError):
        build_cells(store, Actor("elsewhere", scope=frozenset({"990002"})), CODE)
    build_cells(store, SYSTEM, CODE)
    build_cells(store, SYSTEM, CODE)
    with store.begin(CODE) as connection:
        (entry,) = audit.entries(connection, CODE)
    assert (entry.action, entry.subject, entry.after["added"]) == ("cells.build", "cell set 1", 72)


@pytest.fixture
def governed(store):
    """Two communities with a plan in force."""
    settle(store)
    build_cells(store, SYSTEM, CODE)
    publish_as_system(store, SYSTEM, CODE, draft_stated(store, SYSTEM, CODE).number)
    return store


def published(store):
    with store.begin(CODE) as connection:
        return connection.execute(
            text(
                "SELECT g.code, pg.households, ST_AsEWKB(pg.shape) FROM plan_grids pg JOIN grids g ON g.id = pg.grid_id"
                " ORDER BY 1"
            )
        ).all()


def test_published_polygons_never_move(governed):
    before = published(governed)
    assert all(row[2] for row in before)
    for what, statement in CHANGES.items():
        if what != "barrier":
            change(governed, statement)
            assert build_cells(governed, SYSTEM, CODE).added > 0, what
            assert published(governed) == before, what


def test_new_and_moved_buildings_are_pending_until_the_next_plan(governed):
    def waiting():
        with governed.begin(CODE) as connection:
            return stored.pending(connection, CODE).set_index("external_code")

    assert waiting().empty
    change(
        governed,
        CHANGES["new"],
        f"UPDATE buildings SET footprint = ST_Translate(footprint, {math.degrees(60 / 6.37e6)}, 0),"
        f" point = ST_Translate(point, {math.degrees(60 / 6.37e6)}, 0) WHERE external_code = 'B1-1-2'",
        "INSERT INTO buildings (district, community_id, external_code, households, households_source)"
        " SELECT district, community_id, 'N2', 5, 'made_up' FROM buildings WHERE external_code = 'B1-0-0'",
    )
    assert waiting().index.tolist() == ["N1"], "until cells are made, a moved building is where its cell is"
    build_cells(governed, SYSTEM, CODE)
    found = waiting()
    codes = {code for code, *_ in published(governed)}
    assert set(found.index) == {"N1", "B1-1-2"}
    assert set(found.community) == {"第1社区"}
    assert found.grid["N1"] in codes
    assert found.grid["B1-1-2"] in codes
