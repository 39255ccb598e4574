"""What an import taken back meets: a plan in force, codes given to others, duties that went over with a plan."""

from __future__ import annotations

import pytest

from etl.actor import SYSTEM
from etl.cells import build_cells
from etl.establish import establish
from etl.undo import undo_import
from geo.errors import ConflictError
from tests import ledgers
from tests.etl.test_changed_ledger import ask, deliver, imports_of, ledger
from tests.ledgers import CODE


@pytest.fixture
def settled(store):
    """A store that holds the small ledger."""
    deliver(store, ledger())
    return store


def test_the_first_import_undone_leaves_the_plan_in_force_until_it_comes_again(settled):
    establish(settled, SYSTEM, CODE)
    before = ask(settled, "SELECT id, external_code, point FROM buildings ORDER BY 1")
    grids = "SELECT code, grid_id, shape, p.valid FROM layers.grids g JOIN plans p ON p.id = plan_id, LATERAL"
    grids = f"{grids} (SELECT g.id AS grid_id) i ORDER BY 1"
    drawn = ask(settled, grids)
    undo_import(settled, SYSTEM, CODE, imports_of(settled)[0].id)
    assert ask(settled, grids) == drawn
    with pytest.raises(ConflictError, match="no community with a boundary"):
        build_cells(settled, SYSTEM, CODE)
    deliver(settled, ledger())
    again = build_cells(settled, SYSTEM, CODE)
    assert (again.number, again.kept, again.added) == (1, 60, 0)
    assert ask(settled, "SELECT id, external_code, point FROM buildings ORDER BY 1") == before
    assert ask(settled, "SELECT count(*) FROM duties WHERE grid_id IS NOT NULL") == [(1,)]


def test_a_code_that_was_given_to_another_since_is_not_taken_back(settled):
    tables = ledger()
    freed = tables["buildings"][3]["code"]
    tables["buildings"][3]["code"] = "N4"
    recoded = deliver(settled, tables).import_id
    tables["buildings"].append({**tables["buildings"][50], "code": freed, "address": "新路1号"})
    later = deliver(settled, tables).import_id
    for _ in range(2):
        before = ledgers.digest(settled)
        with pytest.raises(ConflictError, match=f"given to others since: {freed}"):
            undo_import(settled, SYSTEM, CODE, recoded)
        assert ledgers.digest(settled) == before
        if imports_of(settled)[0].state == "loaded":
            undo_import(settled, SYSTEM, CODE, later)


def test_a_stated_duty_waits_while_another_has_its_grid(settled):
    establish(settled, SYSTEM, CODE)
    ask(
        settled,
        "INSERT INTO duties (district, worker_id, grid_id, role, valid, continues)"
        " SELECT d.district, worker_id, g.id, role, daterange('2025-02-01', '2025-06-01'), d.id FROM duties d"
        " JOIN grids g ON g.external_code = 'G2' RETURNING id",
    )
    tables = ledger()
    tables["duties"][0]["until"] = "2025-06-01"
    for first in ("2025-03-01", "2025-07-01"):
        tables["duties"].append({"worker": "W2", "grid": "G2", "from": first, "until": None})
        deliver(settled, tables)
        bound = ask(settled, "SELECT grid_id IS NOT NULL FROM duties WHERE stated_grid = 'G2'")
        assert bound == [(first == "2025-07-01",)]
        tables["duties"].pop()
        ask(settled, "DELETE FROM duties WHERE stated_grid = 'G2' RETURNING id")
