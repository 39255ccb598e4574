"""Splits and merges: what is recorded of them, and who goes over with the households."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from data import cases, duties, history, lineage, services
from etl.actor import SYSTEM
from etl.cells import build_cells
from tests.charts import CODE, Charted, columns


@pytest.fixture
def district(store):
    return Charted(store)


def table(district, query, **values):
    with district.store.begin(CODE) as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def passed(district, name, depth=3):
    """Return the edges around a grid as (plan, from, to, share of from, share of to), by their names."""
    names = {district.code(one): one for one in district.ids}
    with district.store.read(CODE) as connection:
        found = history.lineage(connection, CODE, district.code(name), depth)
    return [
        (edge.plan, names[edge.source], names[edge.target], edge.share_of_source, edge.share_of_target)
        for edge in found.edges
    ]


def engage(district, name, *, worker=None, role="primary", until=None):
    """Give a grid a worker, new or known; return the worker's id."""
    worker = (
        worker
        or table(district, "INSERT INTO workers (district, name) VALUES (:d, '试验员') RETURNING id", d=CODE)[
            0
        ][0]
    )
    table(
        district,
        "INSERT INTO duties (district, worker_id, grid_id, role, valid)"
        " VALUES (:d, :w, :g, :r, daterange('2020-01-01', :until)) RETURNING id",
        d=CODE,
        w=worker,
        g=district.ids[name],
        r=role,
        until=until,
    )
    return worker


def serving(district):
    """Return the grids' names and workers of the duties that hold from today on."""
    names = {grid: name for name, grid in district.ids.items()}
    found = table(
        district,
        "SELECT grid_id, worker_id FROM duties WHERE valid @> CURRENT_DATE ORDER BY grid_id, role DESC",
    )
    return [(names[grid], worker) for grid, worker in found]


def test_a_split_then_a_merge_is_a_graph(district):
    for chart in ("aaaaaa", "bbbbcc", "bbbbdd", "eeeeee"):
        district.publish(columns(*chart))
    split = [(2, "a", "b", 0.67, 1.0), (2, "a", "c", 0.33, 1.0)]
    replaced = [(3, "c", "d", 1.0, 1.0)]
    merged = [(4, "b", "e", 1.0, 0.67), (4, "d", "e", 1.0, 0.33)]
    assert passed(district, "a") == split + replaced + merged
    assert passed(district, "a", depth=1) == split
    assert passed(district, "e", depth=1) == merged
    assert passed(district, "c") == [split[1], *replaced, merged[1]]
    assert passed(district, "b") == [split[0], merged[0]]


def test_a_grid_is_followed_only_after_it_got_its_part(district):
    for chart in ("aaabbb", "aaaabb", "caaabb"):
        district.publish(columns(*chart))
    assert passed(district, "b") == [(2, "b", "a", 0.33, 0.25), (3, "a", "c", 0.25, 1.0)]
    assert passed(district, "c") == [(2, "b", "a", 0.33, 0.25), (3, "a", "c", 0.25, 1.0)]


def test_what_a_changed_grid_keeps_is_recorded_and_unchanged_grids_are_not(district):
    for chart in ("aabbcc", "aaabcc"):
        district.publish(columns(*chart))
    names = {grid: name for name, grid in district.ids.items()}
    found = table(
        district, "SELECT from_grid, to_grid, cells, households, area_m2 FROM grid_successions ORDER BY 1, 2"
    )
    assert [(names[a], names[b], cells, households) for a, b, cells, households, _ in found] == [
        ("a", "a", 12, 240),
        ("b", "a", 6, 120),
        ("b", "b", 6, 120),
    ]
    assert sum(area for *_, area in found) == pytest.approx(4 * 6 * 900, rel=1e-3)


def test_a_roll_back_is_a_second_period(district):
    for chart in ("aaabbb", "cccccc", "aaabbb"):
        district.publish(columns(*chart))
    with district.store.read(CODE) as connection:
        (told,) = history.histories(connection, CODE, district.code("a"))
    assert [(period.plan, period.until is None) for period in told.periods] == [(1, False), (3, True)]
    assert [count.households for count in told.counts] == [360, 360]
    assert [(edge.plan, edge.share_of_source) for edge in told.went_to] == [(2, 1.0)]
    assert [(edge.plan, edge.share_of_source) for edge in told.came_from] == [(3, 0.5)]


def test_small_counts_are_withheld_from_history(district):
    table(district, "UPDATE buildings SET households = 0 WHERE external_code <> 'B1-0-0' RETURNING id")
    table(district, "UPDATE buildings SET households = 9 WHERE external_code = 'B1-0-0' RETURNING id")
    district.publish(columns(*"aaabbb"))
    with district.store.read(CODE) as connection:
        (told,) = history.histories(connection, CODE, district.code("a"))
    assert [count.households for count in told.counts] == [None]


def test_plans_on_different_cells_are_compared_by_building_then_by_place(district):
    district.publish(columns(*"aaabbb"))
    table(district, "UPDATE buildings SET retired_at = now() WHERE external_code = 'B1-2-2' RETURNING id")
    table(
        district,
        "INSERT INTO buildings (district, community_id, external_code, households, point)"
        " SELECT district, community_id, 'B1-2-9', 50, ST_Translate(point, 0.00001, 0) FROM buildings"
        " WHERE external_code = 'B1-2-2' RETURNING id",
    )
    build_cells(district.store, SYSTEM, CODE)
    draft = district.draft(columns(*"aabbbb"))
    with district.store.read(CODE) as connection:
        pairs = lineage.differences(connection, CODE, district.id_of(1), district.id_of(draft))
    names = {grid: name for name, grid in district.ids.items()}
    assert [
        (names[row.from_grid], names[row.to_grid], row.cells, row.households) for row in pairs.itertuples()
    ] == [
        ("a", "a", 12, 240),
        ("a", "b", 6, 5 * 20 + 50),
        ("b", "b", 18, 360),
    ]


def test_the_worker_goes_with_the_larger_part_and_the_other_is_vacant(district):
    district.publish(columns(*"aaaaaa"))
    worker, deputy = engage(district, "a"), engage(district, "a", role="deputy")
    report = district.publish(columns(*"bbbbcc"))
    assert report.duties_carried == 2
    assert serving(district) == [("b", worker), ("b", deputy)]
    with district.store.read(CODE) as connection:
        assert duties.vacant(connection, CODE, district.id_of(2)) == [district.ids["c"]]
    ended = table(
        district, "SELECT DISTINCT upper(valid) FROM duties WHERE grid_id = :a", a=district.ids["a"]
    )
    assert ended == table(
        district, "SELECT DISTINCT lower(valid) FROM duties WHERE grid_id = :b", b=district.ids["b"]
    )


def test_of_two_merged_grids_the_larger_ones_worker_serves(district):
    district.publish(columns(*"aaaabb"))
    larger, smaller = engage(district, "a"), engage(district, "b")
    assert district.publish(columns(*"cccccc")).duties_carried == 1
    assert serving(district) == [("b", smaller), ("c", larger)]
    assert district.publish(columns(*"aaaabb")).duties_carried == 1
    assert serving(district) == [("a", larger), ("b", smaller)]


def test_a_grid_that_stays_keeps_its_worker_and_takes_no_other(district):
    district.publish(columns(*"aaabbb"))
    stays, rests = engage(district, "a"), engage(district, "b")
    assert district.publish(columns(*"aaaaaa")).duties_carried == 0
    assert serving(district) == [("a", stays), ("b", rests)]


def test_a_returned_grid_gets_its_former_worker_back(district):
    district.publish(columns(*"aabbbb"))
    first, second = engage(district, "a"), engage(district, "b", until=date(2020, 2, 1))
    district.publish(columns(*"ccbbbb"))
    district.publish(columns(*"dddddb"))
    assert serving(district) == [("d", first)]
    district.publish(columns(*"aabbbb"))
    assert serving(district) == [("a", first)]
    assert second not in [worker for _, worker in serving(district)]


def test_a_duty_that_had_not_begun_goes_over_whole(district):
    district.publish(columns(*"aaaaaa"))
    worker = engage(district, "a")
    table(district, "UPDATE duties SET valid = daterange(CURRENT_DATE + 9, NULL) RETURNING id")
    assert district.publish(columns(*"bbbbbb")).duties_carried == 1
    found = table(district, "SELECT grid_id, worker_id, lower(valid) - CURRENT_DATE FROM duties")
    assert found == [(district.ids["b"], worker, 9)]


def test_a_ledger_that_states_a_carried_duty_again_changes_nothing(district):
    district.publish(columns(*"aaaaaa"))
    worker = engage(district, "a")
    table(district, "UPDATE workers SET external_code = 'W1' RETURNING id")
    table(district, "UPDATE duties SET stated_grid = 'G1' RETURNING id")
    batch = "INSERT INTO imports (district, kind, source, digest, actor, report)"
    ((batch_id,),) = table(
        district, f"{batch} VALUES (:d, 'ledger', 'x', 'x', 'test', '{{}}') RETURNING id", d=CODE
    )
    district.publish(columns(*"bbbbcc"))

    def deliver(until):
        with district.store.begin(CODE) as connection:
            stated = ("W1", "G1", "primary", date(2020, 1, 1), until)
            return services.put_duties(connection, CODE, batch_id, [stated]).changed

    held = "SELECT grid_id, valid FROM duties ORDER BY lower(valid)"
    before = table(district, held)
    assert deliver(None) == 0
    assert table(district, held) == before
    assert deliver(date(2999, 1, 1)) == 1
    assert serving(district) == [("b", worker)]
    assert [valid.upper for _, valid in table(district, held)] == [before[0][1].upper, date(2999, 1, 1)]
    assert deliver(date(2021, 1, 1)) == 1
    assert serving(district) == []


def test_cases_that_would_change_hands_are_told_before_they_do(district):
    district.publish(columns(*"aaabbb"))
    table(
        district,
        "INSERT INTO cases (district, number, category, state, closed_at, grid_id, point)"
        " SELECT b.district, b.external_code, '环境',"
        " CASE WHEN b.external_code = 'B1-2-1' THEN 'closed' ELSE 'open' END,"
        " CASE WHEN b.external_code = 'B1-2-1' THEN now() END, pc.grid_id, b.point FROM buildings b"
        " JOIN cells c ON c.building_id = b.id JOIN plan_cells pc ON pc.cell_id = c.id RETURNING id",
    )
    draft = district.draft(columns(*"aabbbb"))
    with district.store.read(CODE) as connection:
        told = cases.would_move(connection, CODE, district.id_of(draft))
        same = cases.would_move(connection, CODE, district.id_of(1))
    assert same.empty
    assert told.number.tolist() == [f"B1-2-{row}" for row in (0, 2, 3, 4, 5)]
    assert set(told.from_grid) == {district.ids["a"]}
    assert set(told.to_grid) == {district.ids["b"]}
    assert district.publish(columns(*"aabbbb")).cases_moved == len(told)
