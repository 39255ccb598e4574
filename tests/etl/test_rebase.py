from __future__ import annotations

import pytest
from sqlalchemy import text

from data import assignments, audit, plans
from data import cells as stored
from data import rebase as carrying
from etl.actor import SYSTEM
from etl.cells import build_cells
from etl.plans import draft_stated
from etl.rebase import CONFLICTS, rebase_plan
from geo.errors import ConflictError
from tests.settle import CORNER, PITCH, SRID, settle

CODE = "990001"


@pytest.fixture
def drafted(store):
    """Two communities of two grids each, and a draft of them: columns 0 to 2 west, 3 to 5 east."""
    settle(store)
    build_cells(store, SYSTEM, CODE)
    draft_stated(store, SYSTEM, CODE)
    return store


def change(store, *statements, **values):
    with store.begin(CODE) as connection:
        for statement in statements:
            connection.execute(text(statement), {"d": CODE, **values})


def rebased(store):
    """Make the cells again; return what the draft's report says of it."""
    report = build_cells(store, SYSTEM, CODE)
    assert report.rebased == [1]
    with store.begin(CODE) as connection:
        return plans.get(connection, CODE, 1).report["rebases"][-1]


def held(store):
    """Return the draft: its cells with building code and grid, checked to be one row a cell of today."""
    with store.begin(CODE) as connection:
        plan = plans.get(connection, CODE, 1)
        cells = stored.members(connection, CODE, stored.latest_set(connection, CODE))
        codes = dict(connection.execute(text("SELECT id, external_code FROM buildings")).all())
        grids = assignments.of_plan(connection, CODE, plan.id).rename(columns={"cell_id": "id"})
        listed = set(connection.scalars(text("SELECT grid_id FROM plan_grids")))
    found = cells.merge(grids, on="id", how="outer", validate="1:1")
    assert found.notna().all().drop(["building_id", "compound_id", "stated_grid"]).all()
    assert set(found.grid_id) == listed
    return found.assign(code=found.building_id.map(codes)).set_index("code")


def kinds(entry):
    return {conflict["kind"]: conflict for conflict in entry["conflicts"]}


def shift(east, north=0.0):
    moved = f"ST_Transform(ST_Translate(ST_Transform({{}}, {SRID}), {east}, {north}), 4326)"
    return f"footprint = {moved.format('footprint')}, point = {moved.format('point')}"


ADD = (
    "INSERT INTO buildings (district, community_id, external_code, households, households_source, footprint, point)"
    " SELECT b.district, b.community_id, :new, 9, 'made_up', ST_Multi(s.shape), ST_PointOnSurface(s.shape)"
    f" FROM buildings b, ST_Transform(ST_Translate(ST_Transform(b.footprint, {SRID}), 0, 13), 4326) s (shape)"
    " WHERE b.external_code = :beside"
)


def test_a_draft_follows_to_the_cells_of_a_new_building(drafted):
    before = held(drafted)
    change(drafted, ADD, new="N1", beside="B1-1-1")
    entry = rebased(drafted)
    after = held(drafted)
    assert (entry["from_set"], entry["to_set"], entry["revision"]) == (1, 2, 2)
    assert entry["kept"] + entry["building"] + entry["covered"] == 73
    assert entry["filled"] == 0
    assert kinds(entry).keys() == {"new_building"}
    assert kinds(entry)["new_building"]["buildings"] == ["N1"]
    assert after.grid_id["N1"] == after.grid_id["B1-1-1"]
    assert after.grid_id.drop("N1").to_dict() == before.grid_id.to_dict()


def test_a_rebase_is_on_record_and_raises_the_revision(drafted):
    change(drafted, ADD, new="N1", beside="B1-1-1")
    rebased(drafted)
    with drafted.begin(CODE) as connection:
        plan = plans.get(connection, CODE, 1)
        assert (plan.cell_set, plan.revision) == (2, 2)
        entry = audit.entries(connection, CODE, subject="plan 1")[0]
        assert (entry.action, entry.before) == ("plan.rebase", {"cell_set": 1, "revision": 1})
        assert entry.after == {"cell_set": 2, "revision": 2, "conflicts": {"new_building": 1}}


def test_a_building_that_is_gone_leaves_its_land_to_its_neighbours_grids(drafted):
    before = held(drafted)
    change(drafted, "UPDATE buildings SET retired_at = now() WHERE external_code = 'B1-2-2'")
    assert rebased(drafted)["conflicts"] == []
    assert held(drafted).grid_id.to_dict() == before.grid_id.drop("B1-2-2").to_dict()


def test_a_building_that_moved_takes_the_grid_of_the_land_it_stands_on(drafted):
    before = held(drafted)
    change(
        drafted,
        "UPDATE buildings SET retired_at = now() WHERE external_code = 'B1-5-0'",
        f"UPDATE buildings SET {shift(5 * PITCH)} WHERE external_code = 'B1-0-0'",
    )
    conflict = kinds(rebased(drafted))["moved_building"]
    after = held(drafted)
    assert after.grid_id["B1-0-0"] == conflict["grid_id"] == before.grid_id["B1-5-0"]
    assert conflict["buildings"] == ["B1-0-0"]


def test_a_building_moved_a_little_keeps_its_grid(drafted):
    before = held(drafted)
    change(drafted, f"UPDATE buildings SET {shift(6)} WHERE external_code = 'B1-2-2'")
    assert rebased(drafted)["conflicts"] == []
    assert held(drafted).grid_id.to_dict() == before.grid_id.to_dict()


def test_recounting_changes_no_cell_unless_a_building_crosses_the_entrance_band(drafted):
    change(drafted, "UPDATE buildings SET entrances = 3, households = 330 WHERE external_code = 'B1-0-0'")
    report = build_cells(drafted, SYSTEM, CODE)
    assert (report.number, report.added, report.rebased) == (1, 0, [])
    before = held(drafted)
    change(drafted, "UPDATE buildings SET households = 331 WHERE external_code = 'B1-0-0'")
    assert rebased(drafted)["conflicts"] == []
    after = held(drafted)
    assert len(after.loc["B1-0-0"]) == 3
    assert set(after.grid_id.loc["B1-0-0"]) == {before.grid_id["B1-0-0"]}


def test_a_corrected_boundary_hands_buildings_to_the_other_community(drafted):
    column = CORNER[0] + 5 * PITCH
    strip = (
        f"ST_Transform(ST_MakeEnvelope({column}, {CORNER[1] - 1}, {CORNER[0] + 6 * PITCH},"
        f" {CORNER[1] + 6 * PITCH + 1}, {SRID}), 4326)"
    )
    change(
        drafted,
        f"UPDATE communities SET boundary = ST_Multi(ST_Union(boundary, (SELECT ST_Intersection(boundary, {strip})"
        " FROM communities WHERE external_code = 'C1'))) WHERE external_code = 'C2'",
        f"UPDATE communities SET boundary = ST_Multi(ST_Difference(boundary, {strip})) WHERE external_code = 'C1'",
        "UPDATE buildings SET community_id = (SELECT id FROM communities WHERE external_code = 'C2')"
        " WHERE external_code LIKE 'B1-5-%'",
    )
    entry = rebased(drafted)
    after = held(drafted)
    assert kinds(entry)["other_community"]["buildings"] == [f"B1-5-{row}" for row in range(6)]
    assert entry["filled"] == 6
    assert {after.grid_id[f"B1-5-{row}"] for row in range(6)} == {after.grid_id["B2-0-0"]}
    assert after.groupby("grid_id").community_id.nunique().eq(1).all()


def test_a_grid_that_lost_all_its_buildings_leaves_the_draft(drafted):
    east = held(drafted).grid_id["B1-5-5"]
    change(
        drafted,
        "INSERT INTO plan_locks (district, plan_id, grid_id, actor) SELECT c.district, plan_id, grid_id, 'test'"
        " FROM plan_cells JOIN cells c ON c.id = cell_id JOIN buildings b ON b.id = c.building_id"
        " WHERE b.external_code = 'B1-5-5' AND plan_cells.district = :d",
        "UPDATE buildings SET retired_at = now() WHERE external_code ~ '^B1-[345]-'",
    )
    gone = kinds(rebased(drafted))["grid_gone"]
    assert gone["grid_id"] == east
    assert len(gone["buildings"]) == 18
    assert east not in set(held(drafted).grid_id)
    with drafted.begin(CODE) as connection:
        assert connection.scalar(text("SELECT count(*) FROM plan_locks")) == 0


def test_a_new_street_cuts_cells_and_moves_none(drafted):
    before = held(drafted)
    x = CORNER[0] + 1.2 * PITCH
    street = f"ST_MakeLine(ST_Point({x}, {CORNER[1] - 9}, {SRID}), ST_Point({x}, {CORNER[1] + 400}, {SRID}))"
    change(
        drafted,
        "INSERT INTO streets (district, external_code, line)"
        f" VALUES (:d, 'T', ST_Multi(ST_Transform({street}, 4326)))",
    )
    entry = rebased(drafted)
    assert entry["building"] > 0
    assert entry["conflicts"] == []
    assert held(drafted).grid_id.to_dict() == before.grid_id.to_dict()


def test_a_grid_that_a_new_river_cuts_is_told(drafted):
    before = held(drafted)
    y = CORNER[1] + 3 * PITCH + 1
    river = f"ST_MakeLine(ST_Point({CORNER[0] - 9}, {y}, {SRID}), ST_Point({CORNER[0] + 200}, {y}, {SRID}))"
    change(
        drafted,
        "INSERT INTO barriers (district, external_code, kind, shape)"
        f" VALUES (:d, 'K', 'river', ST_Transform({river}, 4326))",
    )
    entry = rebased(drafted)
    assert {conflict["kind"] for conflict in entry["conflicts"]} == {"in_pieces"}
    assert len(kinds(entry)["in_pieces"]["buildings"]) == 9
    change(drafted, "UPDATE barriers SET retired_at = now()")
    assert rebased(drafted)["conflicts"] == []
    assert held(drafted).grid_id.to_dict() == before.grid_id.to_dict()


def test_locks_follow_buildings_and_are_told_where_they_cannot(drafted):
    change(
        drafted,
        "INSERT INTO plan_locks (district, plan_id, cell_id, actor) SELECT c.district, p.id, c.id, 'test'"
        " FROM cells c JOIN buildings b ON b.id = c.building_id, plans p"
        " WHERE b.external_code IN ('B1-1-1', 'B1-4-4', 'B2-0-0')",
        "UPDATE buildings SET retired_at = now() WHERE external_code = 'B1-4-4'",
    )
    change(drafted, ADD, new="N1", beside="B1-1-1")
    found = kinds(rebased(drafted))
    assert found["lock_followed"]["buildings"] == ["B1-1-1"]
    assert found["lock_lost"]["buildings"] == ["B1-4-4"]
    after = held(drafted)
    with drafted.begin(CODE) as connection:
        locked = set(connection.scalars(text("SELECT cell_id FROM plan_locks")))
    assert locked == {after.id["B1-1-1"], after.id["B2-0-0"]}


def test_a_submitted_plan_is_left_alone_until_it_is_sent_back(drafted):
    change(drafted, "UPDATE plans SET state = 'submitted'", ADD, new="N1", beside="B1-1-1")
    assert build_cells(drafted, SYSTEM, CODE).rebased == []
    with pytest.raises(ConflictError, match="submitted"):
        rebase_plan(drafted, SYSTEM, CODE, 1)
    change(drafted, "UPDATE plans SET state = 'draft'")
    report = rebase_plan(drafted, SYSTEM, CODE, 1)
    assert (report.from_set, report.to_set, report.revision) == (1, 2, 2)
    again = rebase_plan(drafted, SYSTEM, CODE, 1)
    assert (again.revision, again.kept, again.conflicts) == (2, 73, [])


def test_an_assignment_is_carried_to_any_set_and_back(drafted):
    before = held(drafted)
    change(drafted, ADD, new="N1", beside="B1-1-1")
    rebased(drafted)
    with drafted.begin(CODE) as connection:
        plan = plans.get(connection, CODE, 1)
        back = carrying.carried(connection, CODE, plan.id, 1).set_index("cell_id")
    assert set(back.origin) == {"kept", "building"}
    assert back.grid_id.loc[before.id].tolist() == before.grid_id.tolist()


def test_every_conflict_is_said_in_both_languages():
    assert all(zh and en for zh, en in CONFLICTS.values())
