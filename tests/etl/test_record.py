"""Every use case that changes a district puts what it did on record, once, by whoever did it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from api.kinds import kinds
from data.settings import Settings
from etl import (
    aliases,
    cells,
    drafts,
    edits,
    establish,
    jobs,
    ledger,
    lifecycle,
    plans,
    publish,
    rebase,
    retention,
    undo,
)
from etl.actor import Actor
from etl.edits import NEW, Move
from tests import ledgers
from tests.etl.test_tenants import use_cases
from tests.governed import WAIVED, Governed

PLANNER, APPROVER = Actor("planner"), Actor("approver")
ELSEWHERE = {"acting", "acting_on_new", "run_here", "import_tables", "import_osm"}
"""What use cases are made of, and what puts on record what those it is made of do; tested with their kinds."""


@dataclass
class Life:
    """A district from its first delivery on, and what was done to it step by step."""

    place: Governed
    folder: Path
    walked: set[str] = field(default_factory=set)

    def do(
        self, act: Callable[..., object], actor: Actor, *given: object, said: list[str], **how: object
    ) -> object:
        """Carry a use case out, and see that the record says so and nothing else."""
        before = len(self.record())
        done = act(self.place.store, actor, self.place.code, *given, **how)
        added = self.record()[before:]
        assert [action for action, _ in added] == said, act.__name__
        assert {by for action, by in added if action not in ("plan.activate", "plan.approve")} <= {actor.id}
        self.walked.add(act.__name__)
        return done

    def record(self) -> list[tuple[str, str]]:
        """Return what was done and by whom, the oldest first."""
        return [
            (action, by) for action, by in self.place.query("SELECT action, actor FROM audit ORDER BY id")
        ]


@pytest.fixture
def life(store, tmp_path) -> Iterator[Life]:
    return Life(Governed(store, ledgers.CODE), tmp_path)


def test_every_use_case_is_on_record_once(life):
    first_delivery(life)
    a_plan(life)
    a_name(life)
    jobs_and_imports(life)
    assert life.walked | ELSEWHERE == {act.__name__ for act in use_cases()}


def first_delivery(life: Life) -> None:
    folder = ledgers.write_ledger(life.folder / "ledger", boundaries=True)
    life.do(ledger.import_ledger, PLANNER, folder, name=ledgers.NAME, crs="wgs84", said=["import.load"])
    life.do(cells.build_cells, PLANNER, said=["cells.build"])
    life.do(cells.build_cells, PLANNER, said=[])
    system = ["plan.submit", "plan.approve", "plan.publish", "plan.activate"]
    life.do(establish.establish, PLANNER, said=["plan.state", *system])
    drafted = life.do(plans.draft_stated, PLANNER, said=["plan.state"])
    life.do(lifecycle.withdraw, PLANNER, drafted.number, reason="said", said=["plan.withdraw"])
    life.do(drafts.open_draft, PLANNER, said=["plan.open"])
    life.do(publish.publish_as_system, PLANNER, 3, waive="said", said=system)
    life.do(drafts.roll_back, PLANNER, said=["plan.roll_back"])


def a_plan(life: Life) -> None:
    number = life.do(plans.rebalance, PLANNER, said=["plan.propose"]).number
    stale = life.do(drafts.open_draft, PLANNER, said=["plan.open"]).number
    cell = next(iter(life.place.assignment(number)))
    life.do(edits.lock, PLANNER, number, "cell", [cell], said=["plan.lock"])
    life.do(edits.unlock, PLANNER, number, "cell", [cell], said=["plan.unlock"])
    moved = life.do(
        edits.move, PLANNER, number, [Move(NEW, cells=[cell])], revision=1, said=["plan.move"]
    ).revision
    life.do(edits.undo, PLANNER, number, revision=moved, said=["plan.undo"])
    life.do(lifecycle.comment, APPROVER, number, "said", said=["plan.comment"])
    life.do(lifecycle.submit, PLANNER, number, said=["plan.submit"])
    life.do(lifecycle.send_back, APPROVER, number, reason="said", said=["plan.send_back"])
    life.do(lifecycle.submit, PLANNER, number, said=["plan.submit"])
    life.do(lifecycle.approve, APPROVER, number, waive=WAIVED, said=["plan.approve"])
    life.do(publish.publish, APPROVER, number, said=["plan.publish", "plan.activate"])
    life.do(rebase.rebase_plan, PLANNER, stale, said=["plan.merge"])
    life.do(rebase.rebase_plan, PLANNER, stale, said=[])


def a_name(life: Life) -> None:
    given = {"compound": ledgers.COMPOUNDS[0]["code"]}
    number = life.do(aliases.propose, PLANNER, "老纺织厂宿舍", **given, said=["alias.propose"]).number
    life.do(aliases.propose, PLANNER, "老纺织厂宿舍", **given, said=[])
    life.do(aliases.confirm, APPROVER, number, said=["alias.confirm"])
    life.do(aliases.withdraw, PLANNER, number, said=["alias.withdraw"])


def jobs_and_imports(life: Life) -> None:
    kind = kinds(Settings())["retention"]
    job = life.do(jobs.submit, PLANNER, kind, {}, said=["job.submit"]).id
    life.do(jobs.cancel, PLANNER, job, said=["job.cancel"])
    life.do(jobs.retry, PLANNER, kind, job, said=["job.retry"])
    life.do(retention.forget, PLANNER, life.folder, said=["retention.run"])
    ((delivery,),) = life.place.query("SELECT id FROM imports")
    life.do(undo.undo_import, PLANNER, delivery, said=["import.undo"])
