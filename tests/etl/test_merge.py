from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from etl import drafts, edits
from etl.actor import SYSTEM
from etl.cells import build_cells
from etl.compare import compare
from etl.edits import Move
from etl.rebase import rebase_plan
from geo.errors import ConflictError, StaleError
from tests.governed import AUTHOR, HOUR
from tests.settle import CORNER, PITCH, SRID


def merged(place, number):
    """Bring a draft up to date; return its conflicts: kind, grid, cells."""
    report = rebase_plan(place.store, AUTHOR, place.code, number)
    assert report.onto == place.in_force()
    assert report.revision == place.plan(number).revision
    return [(conflict.kind, conflict.grid_id, conflict.cells) for conflict in report.conflicts]


def grow(place):
    """Let the first community reach 60 m further west, with a house there for each of its westernmost."""
    west, south = CORNER
    strip = f"ST_MakeEnvelope({west - 60}, {south}, {west + 1}, {south + 4 * PITCH}, {SRID})"
    with place.store.begin(place.code) as connection:
        for statement in (
            f"UPDATE communities SET boundary = ST_Multi(ST_Union(boundary, ST_Transform({strip}, 4326)))"
            " WHERE external_code = 'C1'",
            "INSERT INTO buildings (district, community_id, external_code, households, households_source, footprint,"
            " point) SELECT b.district, b.community_id, 'N' || b.external_code, 9, 'made_up', ST_Multi(s.shape),"
            " ST_PointOnSurface(s.shape) FROM buildings b,"
            f" ST_Transform(ST_Translate(ST_Transform(b.footprint, {SRID}), -45, 0), 4326) s (shape)"
            " WHERE b.external_code LIKE 'B1-0-%'",
        ):
            connection.execute(text(statement))


def test_what_only_one_plan_changed_is_taken_from_it(place):
    west, east, west2, east2 = place.grids()
    mine, theirs = place.cells(west)[0], place.cells(west2)[0]
    draft, other = place.open(), place.open()
    place.move(draft, Move(east, cells=[mine]))
    place.move(other, Move(east2, cells=[theirs]))
    place.put_out(other)
    with pytest.raises(StaleError, match="took effect since"):
        place.submit(draft)
    assert merged(place, draft) == []
    assert place.assignment(draft) == place.assignment(other) | {mine: east}
    place.put_out(draft)


def test_what_both_changed_stays_as_the_draft_has_it_and_is_told(place):
    west, *_ = place.grids()
    first, second, *_, last = place.cells(west)
    draft, other = place.open(), place.open()
    place.move(draft, Move("new", cells=[first, second]))
    edits.lock(place.store, AUTHOR, place.code, draft, "cell", [last])
    place.move(other, Move("new", cells=[second, last]))
    place.put_out(other)
    made = place.assignment(draft)[first]
    assert merged(place, draft) == [("changed_by_both", west, [last]), ("changed_by_both", made, [second])]
    assert place.assignment(draft) == place.assignment(1) | {first: made, second: made}


def test_cells_of_a_grid_that_was_retired_go_back_and_no_undo_returns_it(place):
    west, east, *_ = place.grids()
    mine, back = place.cells(east)[0], place.cells(west)[0]
    draft, other = place.open(), place.open()
    place.move(draft, Move(east, cells=[back]))
    place.move(draft, Move(west, cells=[mine]))
    place.move(other, Move(east, grids=[west]))
    place.put_out(other)
    assert merged(place, draft) == [("grid_retired", west, [mine])]
    assert place.assignment(draft) == place.assignment(other)
    before = place.digest()
    with pytest.raises(ConflictError, match=f"brought onto plan {other} after revision 3"):
        place.undo(draft)
    assert place.digest() == before
    place.move(draft, Move("new", cells=[mine]))
    place.undo(draft)
    assert place.assignment(draft) == place.assignment(other)


def test_land_that_no_plan_covered_stays_where_hands_moved_it(place):
    _, east, *_ = place.grids()
    draft = place.open()
    grow(place)
    build_cells(place.store, SYSTEM, place.code)
    *_, left, moved, both = sorted(set(place.assignment(draft)) - set(place.assignment(1)))
    other = place.open()
    place.move(draft, Move("new", cells=[moved, both]))
    place.move(other, Move(east, cells=[left, both]))
    place.put_out(other)
    made = place.assignment(draft)[both]
    assert merged(place, draft) == [("changed_by_both", made, [moved, both])]
    assert place.assignment(draft) == place.assignment(other) | {moved: made, both: made}


def test_land_that_came_after_its_grid_was_retired_joins_its_neighbours(place):
    west, east, *_ = place.grids()
    draft, other = place.open(), place.open()
    place.move(other, Move(east, grids=[west]))
    place.put_out(other)
    grow(place)
    build_cells(place.store, SYSTEM, place.code)
    assert west in place.assignment(draft).values()
    assert merged(place, draft) == []
    assert set(place.assignment(draft).values()) == set(place.codes(other))
    place.put_out(draft)


def test_a_roll_back_is_merged_with_what_took_effect_meanwhile(place):
    west, east, west2, east2 = place.grids()
    place.move(number := place.open(), Move(east, grids=[west]))
    place.put_out(number)
    back = drafts.roll_back(place.store, AUTHOR, place.code).number
    other, moved = place.open(), place.cells(west2)[:2]
    place.move(other, Move(east2, cells=moved))
    place.put_out(other)
    assert merged(place, back) == []
    assert place.assignment(back) == place.assignment(1) | dict.fromkeys(moved, east2)
    assert place.put_out(back).codes_issued == 0


@pytest.mark.parametrize("state", ["submitted", "approved", "withdrawn", "scheduled"])
def test_a_copy_of_a_plan_never_in_force_takes_nothing_back(place, state):
    west, east, west2, east2 = place.grids()
    source = place.open()
    place.move(source, Move(east, cells=place.cells(west)[:1]))
    other = place.open()
    place.move(other, Move(east2, cells=place.cells(west2)[:1]))
    if state == "withdrawn":
        place.withdraw(source)
    elif state == "scheduled":
        place.put_out(source, place.now() + HOUR)
        copy = place.open(base=source)
        place.withdraw(source)
    else:
        place.submit(source)
        if state == "approved":
            place.approve(source)
    place.put_out(other)
    copy = copy if state == "scheduled" else place.open(base=source)
    assert [(pair.from_grid, pair.to_grid) for pair in compare(place.store, place.code, copy).moves] == [
        (west, east)
    ]
    with pytest.raises(StaleError):
        place.submit(copy)
    assert merged(place, copy) == []
    assert place.assignment(copy) == place.assignment(other) | dict.fromkeys(place.cells(west)[:1], east)


def test_a_draft_brought_up_to_date_twice_is_so_after_the_first(place):
    place.move(other := place.open(), Move(place.grids()[1], cells=place.cells(place.grids()[0])[:1]))
    draft = place.open()
    place.put_out(other)
    merged(place, draft)
    before = place.digest()
    assert rebase_plan(place.store, AUTHOR, place.code, draft).onto is None
    assert place.digest() == before


def test_activations_missed_over_days_leave_a_draft_to_be_merged(place):
    west, east, *_ = place.grids()
    draft, later = place.open(), place.open()
    place.move(later, Move(east, grids=[west]))
    place.put_out(later, place.now() + HOUR)
    place.pass_time(timedelta(days=3))
    assert merged(place, draft) == []
    assert place.in_force() == later
    assert place.assignment(draft) == place.assignment(later)
