from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text

from data import locks
from etl import edits
from etl.edits import Move
from etl.plans import rebalance
from etl.proposing import Wish
from geo.errors import CheckError, ConflictError, GridgovError, InputError, NotFoundError, StaleError
from tests.governed import AUTHOR, EDITOR


@pytest.fixture
def draft(place):
    """Number of an open draft."""
    return place.open()


def lock(place, number, kind, *ids):
    return edits.lock(place.store, AUTHOR, place.code, number, kind, ids)


def unlock(place, number, kind, *ids):
    return edits.unlock(place.store, AUTHOR, place.code, number, kind, ids)


def test_cells_go_where_they_are_moved(place, draft):
    west, east, *_ = place.grids()
    moving = place.cells(west)[-2:]
    done = place.move(draft, Move(east, cells=moving))
    assert (done.revision, [(grid["grid_id"], grid["cells"], grid["households"]) for grid in done.grids]) == (
        2,
        sorted([(west, 6, 120), (east, 10, 200)]),
    )
    assert place.assignment(draft) == place.assignment(1) | dict.fromkeys(moving, east)
    assert place.query("SELECT revision, from_grid, to_grid, cells, households, actor FROM plan_moves") == [
        (2, west, east, moving, 40, "author")
    ]
    assert place.query("SELECT action, before, after FROM audit ORDER BY id DESC LIMIT 1") == [
        ("plan.move", {"revision": 1}, {"revision": 2, "cells": 2, "households": 40})
    ]


def test_grids_are_named_by_id_and_either_code_and_cells_by_building_or_grid(place, draft):
    west, east, west_of_2, _ = place.grids()
    code = place.codes(1)
    place.move(draft, Move("G1-B", buildings=["B1-0-0"]), Move(code[west], buildings=["B1-3-3"]))
    assert place.query("SELECT count(*) FROM plan_moves") == [(2,)]
    place.move(draft, Move(east, grids=["G1-A"]))
    assert set(place.codes(draft)) == {east, *place.grids()[2:]}
    place.move(draft, Move("new", grids=[code[west_of_2]]))
    ((new,),) = place.query("SELECT to_grid FROM plan_moves ORDER BY id DESC LIMIT 1")
    assert place.codes(draft)[new] is None
    assert len(place.cells(new, draft)) == 8


def test_a_grid_that_was_emptied_may_be_filled_again(place, draft):
    west, east, *_ = place.grids()
    moved = place.cells(west)
    place.move(draft, Move(east, grids=[west]))
    place.move(draft, Move(west, cells=moved[:1]))
    place.move(draft, Move(place.codes(1)[west], cells=moved[1:]))
    assert place.assignment(draft) == place.assignment(1)


def test_what_is_where_it_should_be_stays(place, draft):
    west, east, *_ = place.grids()
    before = place.digest()
    assert place.move(draft, Move(west, cells=place.cells(west))).revision == 1
    assert place.move(draft).revision == 1
    assert place.digest() == before
    half = [*place.cells(west)[:1], *place.cells(east)]
    assert place.move(draft, Move(east, cells=half)).revision == 2
    assert place.query("SELECT cells FROM plan_moves") == [(half[:1],)]


def refused_moves(place):
    """Return moves that must be refused, by what is wrong with them."""
    west, east, other, _ = place.grids()
    mine, theirs = place.cells(west), place.cells(other)
    return {
        "no cell": ([Move(east)], InputError),
        "an unknown cell": ([Move(east, cells=[mine[0], 987654])], InputError),
        "a cell beyond all numbers": ([Move(east, cells=[2**70])], InputError),
        "a cell less than nothing": ([Move(east, cells=[-1])], InputError),
        "an unknown building": ([Move(east, buildings=["B9-9-9"])], InputError),
        "an unknown grid to take": ([Move(east, grids=[987654])], InputError),
        "an unknown grid": ([Move(987654, cells=mine[:1])], NotFoundError),
        "a grid beyond all numbers": ([Move(2**70, cells=mine[:1])], NotFoundError),
        "an unknown code": ([Move("990001999999999", cells=mine[:1])], NotFoundError),
        "an empty code": ([Move("", cells=mine[:1])], NotFoundError),
        "a cell named twice": ([Move(east, cells=mine[:1]), Move("new", cells=mine[:2])], InputError),
        "another community": ([Move(east, cells=theirs[:1])], CheckError),
        "another community's code": ([Move(place.codes(1)[other], cells=mine[:1])], CheckError),
        "a new grid of two communities": ([Move("new", cells=[mine[0], theirs[0]])], CheckError),
        "a good and a bad one": ([Move(east, cells=mine[:1]), Move(east, cells=theirs[:1])], CheckError),
    }


def test_bad_moves_are_refused_and_change_nothing(place, draft):
    before = place.digest()
    for wrong, (wanted, error) in refused_moves(place).items():
        with pytest.raises(GridgovError) as refused:
            place.move(draft, *wanted)
        assert refused.type is error, wrong
        assert refused.value.fault.endswith("."), wrong
        assert refused.value.remedy.endswith("."), wrong
    assert place.digest() == before


def test_a_retired_code_takes_no_cells(place):
    west, east, *_ = place.grids()
    merged = place.open()
    place.move(merged, Move(east, grids=[west]))
    place.put_out(merged)
    draft = place.open()
    before = place.digest()
    for named in (west, place.codes(1)[west], "G1-A"):
        with pytest.raises(ConflictError, match="not in this plan nor in force"):
            place.move(draft, Move(named, cells=place.cells(east, draft)[:1]))
    assert place.digest() == before


def test_a_stale_editor_is_told_what_others_moved(place, draft):
    west, east, *_ = place.grids()
    first, second, third = place.cells(west)[:3]
    place.move(draft, Move(east, cells=[first]))
    place.move(draft, Move(east, cells=[second]), actor=EDITOR)
    before = place.digest()
    with pytest.raises(StaleError, match="revision 3, not 2") as refused:
        place.move(draft, Move(east, cells=[third]), revision=2)
    (change,) = refused.value.changes
    assert (change["revision"], change["actor"], change["from_code"], change["to_grid"]) == (
        3,
        "editor",
        place.codes(1)[west],
        east,
    )
    with pytest.raises(StaleError):
        edits.undo(place.store, AUTHOR, place.code, draft, revision=2)
    with pytest.raises(StaleError):
        place.move(draft, Move(east, cells=[third]), revision=4)
    assert place.digest() == before


def test_undo_takes_one_revision_after_another_back(place, draft):
    west, east, other, _ = place.grids()
    stations = [place.assignment(draft)]
    for wanted in (
        [Move(east, cells=place.cells(west)[:1])],
        [Move(east, grids=[west])],
        [Move("new", cells=place.cells(east)[:2]), Move("new", cells=place.cells(other)[:3])],
    ):
        place.move(draft, *wanted)
        stations.append(place.assignment(draft))
    for station in stations[-2::-1]:
        place.undo(draft, EDITOR)
        assert place.assignment(draft) == station
    assert place.codes(draft) == place.codes(1)
    assert place.plan(draft).revision == 7
    with pytest.raises(ConflictError, match="no moves to take back"):
        place.undo(draft)


def test_after_an_undo_new_moves_are_taken_back_first(place, draft):
    west, east, *_ = place.grids()
    first, second, third = place.cells(west)[:3]
    place.move(draft, Move(east, cells=[first]))
    one = place.assignment(draft)
    place.move(draft, Move(east, cells=[second]))
    place.undo(draft)
    place.move(draft, Move(east, cells=[third]))
    place.undo(draft)
    assert place.assignment(draft) == one
    place.undo(draft)
    assert place.assignment(draft) == place.assignment(1)


def test_undo_under_a_key_is_carried_out_once(place, draft):
    west, east, *_ = place.grids()
    for cell in place.cells(west)[:2]:
        place.move(draft, Move(east, cells=[cell]))
    again = partial(edits.undo, place.store, AUTHOR, place.code, draft, revision=3, key="K")
    assert again() == again()
    assert place.plan(draft).revision == 4


def test_a_move_under_a_key_is_carried_out_once(place, draft):
    west, east, *_ = place.grids()
    wanted = Move(east, cells=place.cells(west)[:2])
    first = place.move(draft, wanted, revision=1, key="K")
    before = place.digest()
    assert place.move(draft, wanted, revision=1, key="K") == first
    with pytest.raises(ConflictError, match="another request"):
        place.move(draft, Move(east, cells=place.cells(west)[:1]), revision=1, key="K")
    with pytest.raises(StaleError):
        place.move(draft, wanted, revision=1, key="K", actor=EDITOR)
    assert place.digest() == before


def test_what_is_locked_stays(place, draft):
    west, east, other, _ = place.grids()
    held = place.cells(west)[0]
    lock(place, draft, "cell", held)
    lock(place, draft, "grid", place.codes(1)[other])
    before = place.digest()
    for wanted in (
        Move(east, cells=[held]),
        Move(east, grids=[west]),
        Move("new", buildings=["B1-0-0"]),
        Move("new", cells=place.cells(other)[:1]),
        Move(other, cells=place.cells(place.grids()[3])[:1]),
    ):
        with pytest.raises(ConflictError, match="locked"):
            place.move(draft, wanted)
    assert place.digest() == before
    place.move(draft, Move(east, cells=place.cells(west)[1:2]))
    unlock(place, draft, "cell", held)
    place.move(draft, Move(east, cells=[held]))


def test_undo_respects_what_was_locked_since(place, draft):
    west, east, *_ = place.grids()
    moving = place.cells(west)[:2]
    place.move(draft, Move(east, cells=moving))
    lock(place, draft, "cell", moving[0])
    with pytest.raises(ConflictError, match="locked"):
        place.undo(draft)
    unlock(place, draft, "cell", moving[0])
    lock(place, draft, "grid", west)
    with pytest.raises(ConflictError, match="locked"):
        place.undo(draft)
    unlock(place, draft, "grid", west)
    place.undo(draft)
    assert place.assignment(draft) == place.assignment(1)


@pytest.mark.parametrize(
    ("kind", "named"),
    [("cell", 987654), ("cell", "B1-0-0"), ("cell", 2**70), ("grid", 987654), ("grid", "G9"), ("grid", "")],
)
def test_only_what_the_plan_has_is_locked(place, draft, kind, named):
    before = place.digest()
    for act in (lock, unlock):
        with pytest.raises(InputError, match="The plan has no"):
            act(place, draft, kind, named)
    assert place.digest() == before


def test_a_lock_set_twice_is_one_lock(place, draft):
    west = place.grids()[0]
    for _ in range(2):
        lock(place, draft, "grid", west, west)
        lock(place, draft, "cell", place.cells(west)[0])
    assert place.query("SELECT count(grid_id), count(cell_id) FROM plan_locks") == [(1, 1)]
    unlock(place, draft, "grid", west)
    unlock(place, draft, "grid", west)
    assert place.query("SELECT count(grid_id), count(cell_id) FROM plan_locks") == [(0, 1)]


def test_the_balancer_leaves_what_is_locked(place):
    west, east, *others = place.grids()
    draft = place.open()
    place.move(draft, Move(east, cells=place.cells(west)[:6]))
    held = place.cells(west)[0]
    lock(place, draft, "cell", held)
    for grid in others:
        lock(place, draft, "grid", grid)
    begun = place.assignment(draft)
    wish = Wish(base=draft, target=160, tolerance_percent=10, grid_count=4)
    proposed = rebalance(place.store, AUTHOR, place.code, wish).number
    after = place.assignment(proposed)
    moved = {cell for cell in begun if begun[cell] != after[cell]}
    assert moved
    assert held not in moved
    assert all(begun[cell] == after[cell] for cell in begun if begun[cell] in others)
    with place.store.read(place.code) as connection:
        carried = locks.of_plan(connection, place.code, place.plan(proposed).id)
    assert set(carried.cell_id.dropna()) == {held}
    assert set(carried.grid_id.dropna()) == set(others)


def test_the_store_takes_no_cell_in_two_grids(place, draft):
    with pytest.raises(Exception, match="pk_plan_cells"), place.store.begin(place.code) as connection:
        connection.execute(text("INSERT INTO plan_cells SELECT * FROM plan_cells LIMIT 1"))
