from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from data import assignments, duties, grids, plans, problems, rebase, versions
from data import cells as stored_cells
from etl.actor import SYSTEM, Actor
from etl.cells import build_cells
from etl.compare import compare
from etl.establish import establish
from etl.ledger import import_tables
from etl.lifecycle import AS_FOUND, approve, submit
from etl.plans import draft_stated, rebalance
from etl.proposing import Wish
from etl.publish import publish, publish_as_system
from geo.errors import CheckError, ConflictError, NotFoundError, StaleError
from tests.settle import halves, settle

CODE = "990001"
BAND = {"target": 360, "tolerance_percent": 10}


def in_force(store):
    with store.begin(CODE) as connection:
        return plans.in_force(connection, CODE)


def table(store, query: str) -> list[tuple]:
    with store.begin(CODE) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def house(store, code: str) -> shapely.Point:
    ((point,),) = table(store, f"SELECT ST_AsBinary(point) FROM buildings WHERE external_code = '{code}'")
    return shapely.from_wkb(bytes(point))


def drifted(community: int, column: int, row: int) -> str:
    """State grids of very different size."""
    return f"G{community}-{'W' if column < 1 else 'E'}"


def test_todays_plan_is_published_as_found(store):
    settle(store, stated=drifted)
    done = establish(store, SYSTEM, CODE, **BAND)
    assert done.draft.after.grids == 4
    assert done.published.codes_issued == 4
    with store.begin(CODE) as connection:
        plan = plans.in_force(connection, CODE)
        found = grids.of_plan(connection, CODE, plan.id)
        found_problems = problems.of_plan(connection, CODE, plan.id)
    assert plan.origin == "imported"
    assert found.code.tolist() == [f"990001900{c:03d}{n:03d}" for c in (1, 2) for n in (1, 2)]
    assert found.external_code.tolist() == ["G1-E", "G1-W", "G2-E", "G2-W"]
    assert found.households.tolist() == [600, 120, 600, 120]
    assert set(found_problems.rule) == {"size", "no_duty"}
    assert set(found_problems.waiver_reason) == {AS_FOUND}


def test_published_polygons_are_the_union_of_their_cells(store):
    settle(store)
    establish(store, SYSTEM, CODE, **BAND)
    with store.begin(CODE) as connection:
        found = grids.of_plan(connection, CODE, plans.in_force(connection, CODE).id)
        communities = stored_cells.ground(connection, CODE).communities
    shapes = found.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    whole = shapely.area(communities.geometry.to_numpy()).sum()
    assert shapely.area(shapes).sum() == pytest.approx(whole, rel=1e-6)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(whole, rel=1e-6)


def test_a_rebalance_reaches_the_band_and_keeps_codes(store):
    settle(store, stated=drifted)
    establish(store, SYSTEM, CODE, **BAND)
    report = rebalance(store, SYSTEM, CODE, Wish(**BAND))
    assert report.before.in_band == 0
    assert report.after.in_band == report.after.grids == 4
    published = publish_as_system(store, SYSTEM, CODE, report.number, waive="no workers yet")
    assert published.codes_issued == 0
    with store.begin(CODE) as connection:
        first, second = plans.get(connection, CODE, 1), plans.get(connection, CODE, 2)
        assert (first.state, second.state) == ("superseded", "published")
        assert first.valid.upper == second.valid.lower
        assert plans.in_force(connection, CODE, first.valid.lower).number == 1
        assert plans.in_force(connection, CODE, datetime(2000, 1, 1, tzinfo=UTC)) is None
        codes = [grids.of_plan(connection, CODE, plan.id).code.tolist() for plan in (first, second)]
    assert codes[0] == codes[1]
    moved = sum(row[0] for row in table(store, "SELECT households FROM plan_moves"))
    assert moved == report.after.households_moved > 0


def test_a_new_grid_gets_the_next_code_and_a_code_is_never_given_twice(store):
    settle(store, communities=1, stated=lambda community, column, row: "G1")
    establish(store, SYSTEM, CODE, **BAND)
    two = rebalance(store, SYSTEM, CODE, Wish(**BAND))
    publish_as_system(store, SYSTEM, CODE, two.number, waive="test")
    one = rebalance(store, SYSTEM, CODE, Wish(target=720, tolerance_percent=10, grid_count=1))
    publish_as_system(store, SYSTEM, CODE, one.number, waive="test")
    three = rebalance(store, SYSTEM, CODE, Wish(target=240, tolerance_percent=10))
    publish_as_system(store, SYSTEM, CODE, three.number, waive="test")
    issued = [row[0] for row in table(store, "SELECT code FROM grids WHERE code IS NOT NULL ORDER BY code")]
    assert issued == [f"990001900001{n:03d}" for n in range(1, 5)]
    with store.begin(CODE) as connection:
        now = grids.of_plan(connection, CODE, plans.in_force(connection, CODE).id)
    assert len(now) == 3
    assert {"990001900001003", "990001900001004"} <= set(now.code)


def test_a_stated_grid_that_spans_communities_becomes_one_a_community(store):
    settle(store, stated=lambda community, column, row: "G1" if community == 1 or column < 2 else "G2")
    establish(store, SYSTEM, CODE, **BAND)
    with store.begin(CODE) as connection:
        codes = grids.external_codes(connection, CODE)
        found = grids.of_plan(connection, CODE, plans.in_force(connection, CODE).id)
    parts = codes[codes.external_code == "G1"]
    assert parts.share.tolist() == pytest.approx([0.75, 0.25])
    assert found.set_index("id").external_code[parts.grid_id].fillna("").tolist() == ["G1", ""]
    assert len(found) == 3


def test_cells_without_a_stated_grid_join_the_one_around_them(store):
    settle(store, stated=lambda *at: None if at[1:] in {(0, 0), (5, 5)} else halves(*at))
    establish(store, SYSTEM, CODE, **BAND)
    with store.begin(CODE) as connection:
        found = grids.of_plan(connection, CODE, plans.in_force(connection, CODE).id)
    assert found.households.tolist() == [360] * 4


def test_a_district_that_states_no_grid_gets_the_balancers(store):
    settle(store, stated=lambda *at: None)
    done = establish(store, SYSTEM, CODE, **BAND)
    assert done.draft.before is None
    assert (done.draft.after.grids, done.draft.after.in_band) == (4, 4)
    with pytest.raises(ConflictError, match="states its grid"):
        draft_stated(store, SYSTEM, CODE, **BAND)


def test_what_a_ledger_states_later_is_a_change_of_the_plan_in_force(store):
    settle(store)
    establish(store, SYSTEM, CODE, **BAND)
    with store.begin(CODE) as connection:
        connection.execute(text("UPDATE buildings SET stated_grid = 'G1-E' WHERE external_code = 'B1-2-0'"))
    number = draft_stated(store, SYSTEM, CODE, **BAND).number
    assert [(pair.cells, pair.households) for pair in compare(store, CODE, number).moves] == [(1, 20)]
    submit(store, SYSTEM, CODE, number)
    with pytest.raises(CheckError, match="waive"):
        approve(store, Actor("somebody else"), CODE, number)


def test_establishing_again_changes_nothing(store):
    settle(store)
    establish(store, SYSTEM, CODE, **BAND)
    with store.begin(CODE) as connection:
        before = versions.current(connection, CODE)
    again = establish(store, SYSTEM, CODE, **BAND)
    assert again.draft is again.published is None
    with store.begin(CODE) as connection:
        assert versions.current(connection, CODE) == before


def test_waivable_problems_need_a_reason(store):
    settle(store)
    establish(store, SYSTEM, CODE, **BAND)
    draft = rebalance(store, SYSTEM, CODE, Wish(**BAND))
    with pytest.raises(CheckError, match="waive") as refused:
        publish_as_system(store, SYSTEM, CODE, draft.number)
    assert len(refused.value.problems) == 4
    assert in_force(store).number == 1


def test_only_a_draft_can_be_published(store):
    settle(store)
    establish(store, SYSTEM, CODE, **BAND)
    with pytest.raises(ConflictError, match="is published"):
        publish_as_system(store, SYSTEM, CODE, 1)
    with pytest.raises(NotFoundError, match="no plan 9"):
        publish_as_system(store, SYSTEM, CODE, 9)


def test_a_plan_that_was_edited_or_submitted_before_the_cells_changed_is_stale(store):
    settle(store)
    establish(store, SYSTEM, CODE, **BAND)
    draft = rebalance(store, SYSTEM, CODE, Wish(**BAND))
    with pytest.raises(StaleError, match="revision 1"):
        publish_as_system(store, SYSTEM, CODE, draft.number, waive="test", revision=2)
    submit(store, SYSTEM, CODE, draft.number)
    approve(store, Actor("somebody else"), CODE, draft.number, waive={"all": "test"})
    with store.begin(CODE) as connection:
        connection.execute(text("UPDATE buildings SET retired_at = now() WHERE external_code = 'B1-0-0'"))
    build_cells(store, SYSTEM, CODE)
    with pytest.raises(StaleError, match="cells changed"):
        publish(store, SYSTEM, CODE, draft.number)
    assert in_force(store).number == 1


def test_hard_checks_cannot_be_waived(store):
    settle(store)
    establish(store, SYSTEM, CODE, **BAND)
    first, second = (rebalance(store, SYSTEM, CODE, Wish(**BAND)).number for _ in range(2))
    with store.begin(CODE) as connection:
        draft = plans.get(connection, CODE, first)
        gone = connection.execute(
            text(
                "DELETE FROM plan_cells WHERE cell_id = (SELECT min(cell_id) FROM plan_cells) AND plan_id = :p"
            ),
            {"p": draft.id},
        )
        assert gone.rowcount == 1
        connection.execute(
            text("UPDATE plan_cells SET grid_id = (SELECT max(grid_id) FROM plan_cells) WHERE plan_id = :p"),
            {"p": plans.get(connection, CODE, second).id},
        )
    with pytest.raises(CheckError, match="every cell"):
        publish_as_system(store, SYSTEM, CODE, first, waive="test")
    with pytest.raises(CheckError, match="another community"):
        publish_as_system(store, SYSTEM, CODE, second, waive="test")
    assert in_force(store).number == 1


def test_a_new_building_is_carried_into_the_grid_that_covers_it(store):
    settle(store, stated=drifted)
    establish(store, SYSTEM, CODE, **BAND)
    with store.begin(CODE) as connection:
        connection.execute(
            text(
                "INSERT INTO buildings (district, community_id, external_code, households, point)"
                " SELECT district, community_id, 'NEW', 40, ST_Translate(point, 0.00012, 0) FROM buildings"
                " WHERE external_code = 'B1-2-2'"
            )
        )
    build_cells(store, SYSTEM, CODE)
    with store.begin(CODE) as connection:
        plan, latest = plans.in_force(connection, CODE), stored_cells.latest_set(connection, CODE)
        carried = rebase.carried(connection, CODE, plan.id, latest).set_index("cell_id").grid_id
        cells = stored_cells.members(connection, CODE, latest)
        found = grids.of_plan(connection, CODE, plan.id).set_index("external_code")
    assert latest == 2
    assert carried.notna().all()
    assert (
        cells.assign(grid=carried.reindex(cells.id).to_numpy())
        .groupby("grid")
        .households.sum()[found.id["G1-E"]]
        == 640
    )


def test_duties_follow_their_grid_and_rest_without_it(store):
    settle(store, communities=1)
    with store.begin(CODE) as connection:
        worker = connection.scalar(
            text("INSERT INTO workers (district, name) VALUES ('990001', '演示员') RETURNING id")
        )
        for stated in ("G1-W", "G1-E"):
            connection.execute(
                text(
                    "INSERT INTO duties (district, worker_id, stated_grid, valid)"
                    " VALUES ('990001', :w, :g, daterange('2020-01-01', NULL))"
                ),
                {"w": worker, "g": stated},
            )
    done = establish(store, SYSTEM, CODE, **BAND)
    assert (done.published.duties_bound, done.published.problems) == (2, [])
    merged = rebalance(store, SYSTEM, CODE, Wish(target=720, tolerance_percent=10, grid_count=1))
    assert publish_as_system(store, SYSTEM, CODE, merged.number).duties_idle == 1
    with store.begin(CODE) as connection:
        assert duties.vacant(connection, CODE, in_force(store).id) == []


def test_open_cases_go_to_the_grid_that_covers_them(store):
    settle(store, communities=1, stated=drifted)
    establish(store, SYSTEM, CODE, **BAND)
    with store.begin(CODE) as connection:
        connection.execute(
            text(
                "INSERT INTO cases (district, number, category, grid_id, point)"
                " SELECT b.district, b.external_code, '环境', pc.grid_id, b.point FROM buildings b"
                " JOIN cells c ON c.building_id = b.id JOIN plan_cells pc ON pc.cell_id = c.id"
            )
        )
    draft = rebalance(store, SYSTEM, CODE, Wish(**BAND))
    report = publish_as_system(store, SYSTEM, CODE, draft.number, waive="test")
    assert report.cases_moved == draft.after.households_moved / 20 > 0
    astray = table(
        store,
        "SELECT count(*) FROM cases k JOIN plan_grids pg ON pg.grid_id = k.grid_id"
        " JOIN plans p ON p.id = pg.plan_id AND p.state = 'published' WHERE NOT ST_Covers(pg.shape, k.point)",
    )
    assert astray == [(0,)]
    assert table(store, "SELECT count(*) FROM case_events") == [(report.cases_moved,)]


def test_a_ledger_imported_again_after_a_rebalance_changes_nothing(store):
    settle(store, communities=1)
    establish(store, SYSTEM, CODE, **BAND)
    ledger = {
        "workers": pd.DataFrame({"code": ["W1", "W2"], "name": ["演示员一", "演示员二"]}),
        "duties": pd.DataFrame({"worker": ["W1", "W2"], "grid": ["G1-W", "G1-E"], "from": "2020-01-01"}),
        "cases": gpd.GeoDataFrame(
            {"code": ["K1", "K2"], "grid": ["G1-W", "G1-E"], "category": "环境", "opened_on": "2026-01-01"},
            geometry=[house(store, "B1-0-0"), house(store, "B1-5-5")],
            crs=4326,
        ),
    }
    again = partial(
        import_tables, store, SYSTEM, CODE, ledger, name=None, kind="ledger", source="test", digest=""
    )
    assert not again().nothing_to_do
    merged = rebalance(store, SYSTEM, CODE, Wish(target=720, tolerance_percent=10, grid_count=1))
    assert publish_as_system(store, SYSTEM, CODE, merged.number).cases_moved == 1
    held = "SELECT stated_grid, grid_id FROM cases UNION ALL SELECT stated_grid, grid_id FROM duties ORDER BY 1, 2"
    before = table(store, held)
    assert again().nothing_to_do
    assert table(store, held) == before
    assert None not in {grid for _, grid in before}
    ledger["cases"].loc[0, "category"] = "噪声"
    assert again().counts["cases"].changed == 1
    assert table(store, held) == before


def test_a_new_code_is_never_one_that_was_issued(store):
    settle(store)
    establish(store, SYSTEM, CODE, **BAND)
    for community, code in (("C1", "990001900999"), ("C2", "990001900001")):
        table(
            store, f"UPDATE communities SET code = '{code}' WHERE external_code = '{community}' RETURNING id"
        )
    draft = rebalance(store, SYSTEM, CODE, Wish(target=240, tolerance_percent=50, grid_count=6))
    report = publish_as_system(store, SYSTEM, CODE, draft.number, waive="test")
    assert report.codes_issued == 2
    codes = {code for (code,) in table(store, "SELECT code FROM grids")}
    assert codes >= {"990001900001001", "990001900001002", "990001900001003", "990001900999001"}


def test_a_refusal_names_the_grids(store):
    settle(store, communities=1, stated=drifted)
    establish(store, SYSTEM, CODE, **BAND)
    draft = rebalance(store, SYSTEM, CODE, Wish(target=1000, tolerance_percent=10, grid_count=3))
    with pytest.raises(CheckError) as refused:
        publish_as_system(store, SYSTEM, CODE, draft.number, waive="  ")
    sizes = [problem for problem in refused.value.problems if problem.startswith("size: ")]
    assert [line for line in sizes if re.match(r"size: 990001900001\d{3}, \d+ households", line)]
    assert [line for line in sizes if re.match(r"size: a new grid of 第1社区, \d+ households", line)]


def test_a_first_plan_is_published_or_not_there_at_all(store):
    settle(store)
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE plan_problems ADD CONSTRAINT no_room CHECK (false) NOT VALID"))
    with pytest.raises(IntegrityError):
        establish(store, SYSTEM, CODE, **BAND)
    with store.read(CODE) as connection:
        assert (stored_cells.latest_set(connection, CODE), plans.every(connection, CODE)) == (1, [])


def test_a_publication_that_waited_for_another_follows_it(store):
    settle(store, communities=1, stated=drifted)
    establish(store, SYSTEM, CODE, **BAND)
    first, second = (rebalance(store, SYSTEM, CODE, Wish(**BAND, seed=seed)).number for seed in (1, 2))
    with store.begin(CODE) as late:
        late.execute(text("SELECT now()"))  # it begins before the other one, and goes on after it
        publish_as_system(store, SYSTEM, CODE, first, waive="test")
        plans.publish(late, CODE, plans.get(late, CODE, second).id, plans.instant(late, CODE))
    with store.read(CODE) as connection:
        assert plans.in_force(connection, CODE).number == second
        spans = [plan.valid for plan in reversed(plans.every(connection, CODE))]
    assert [span.upper for span in spans] == [spans[1].lower, spans[2].lower, None]


def test_moves_are_recorded_with_their_cells(store):
    settle(store, communities=1, stated=drifted)
    establish(store, SYSTEM, CODE, **BAND)
    draft = rebalance(store, SYSTEM, CODE, Wish(**BAND))
    with store.begin(CODE) as connection:
        first, second = (plans.get(connection, CODE, number) for number in (1, draft.number))
        before, after = (assignments.of_plan(connection, CODE, plan.id).grid_id for plan in (first, second))
    moved = table(store, "SELECT cells FROM plan_moves")
    assert sum(len(cells) for (cells,) in moved) == int(np.count_nonzero(before != after))
