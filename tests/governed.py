"""A small district with a plan in force, the people who change it, and what it looks like from outside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from data import plans
from data.plans import Plan
from data.session import Store
from data.tables import Base
from etl import drafts, edits, lifecycle
from etl.actor import SYSTEM, Actor
from etl.edits import Move
from etl.establish import establish
from etl.lifecycle import Changed
from etl.publish import PublishReport, publish
from tests.settle import settle

AUTHOR, EDITOR, APPROVER = (Actor(name) for name in ("author", "editor", "approver"))
WAIVED = {"all": "a test"}
HOUR = timedelta(hours=1)


def governed(store: Store, code: str, *, communities: int = 2, side: int = 4) -> Governed:
    """Settle a district and put its stated plan, number 1, in force.

    Every community has ``side`` x ``side`` cells of 20 households, and two grids: ``G1-A`` to the west, ``G1-B``.
    """
    settle(
        store,
        code,
        communities=communities,
        side=side,
        stated=lambda community, column, row: f"G{community}-{'A' if column < side // 2 else 'B'}",
    )
    establish(store, SYSTEM, code, target=10 * side * side)
    return Governed(store, code)


@dataclass(frozen=True)
class Governed:
    """A district that is governed by plans."""

    store: Store
    code: str

    def query(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query, and commit."""
        with self.store.begin(self.code) as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def plan(self, number: int) -> Plan:
        """Return a plan as it is stored."""
        with self.store.read(self.code) as connection:
            return plans.get(connection, self.code, number)

    def in_force(self, at: datetime | None = None) -> int | None:
        """Return the number of the plan in force."""
        with self.store.read(self.code) as connection:
            found = plans.in_force(connection, self.code, at)
        return found.number if found else None

    def assignment(self, number: int) -> dict[int, int]:
        """Return the grid id of each cell of a plan."""
        rows = self.query(
            "SELECT cell_id, grid_id FROM plan_cells WHERE plan_id = :plan ORDER BY 1",
            plan=self.plan(number).id,
        )
        return dict(rows)

    def codes(self, number: int) -> dict[int, str]:
        """Return the code of each grid of a plan."""
        rows = self.query(
            "SELECT g.id, g.code FROM plan_grids pg JOIN grids g ON g.id = pg.grid_id WHERE pg.plan_id = :plan",
            plan=self.plan(number).id,
        )
        return dict(rows)

    def grids(self, number: int = 1) -> list[int]:
        """Return the grid ids of a plan by code: west and east of one community after the other."""
        codes = self.codes(number)
        return sorted(codes, key=lambda grid: (codes[grid] or "~", grid))

    def cells(self, grid: int, number: int = 1) -> list[int]:
        """Return the cells of a grid of a plan."""
        return [cell for cell, its in self.assignment(number).items() if its == grid]

    def acts(self) -> list[str]:
        """Return what the audit says was done to plans, the oldest first."""
        return [action for (action,) in self.query("SELECT action FROM audit ORDER BY id")]

    def rows(self) -> dict[str, list[str]]:
        """Return every row of the district, as text, by table."""
        return {
            table.name: [row for (row,) in self.query(f"SELECT t::text FROM {table.name} t ORDER BY 1")]
            for table in Base.metadata.sorted_tables
            if "district" in table.columns
        }

    def digest(self) -> dict[str, str]:
        """Return a digest of every table's rows of the district."""
        return {table: hashlib.sha256(repr(rows).encode()).hexdigest() for table, rows in self.rows().items()}

    def open(self, actor: Actor = AUTHOR, **how: Any) -> int:
        """Open a draft and return its number."""
        return drafts.open_draft(self.store, actor, self.code, **how).number

    def move(
        self, number: int, *wanted: Move, actor: Actor = AUTHOR, revision: int | None = None, **how: Any
    ) -> Changed:
        """Move cells of a draft, from its revision of now unless one is given."""
        seen = self.plan(number).revision if revision is None else revision
        return edits.move(self.store, actor, self.code, number, wanted, revision=seen, **how)

    def undo(self, number: int, actor: Actor = AUTHOR) -> Changed:
        """Take the last moves of a draft back."""
        return edits.undo(self.store, actor, self.code, number, revision=self.plan(number).revision)

    def submit(self, number: int) -> Changed:
        """Submit a draft."""
        return lifecycle.submit(self.store, AUTHOR, self.code, number)

    def approve(self, number: int, actor: Actor = APPROVER) -> Changed:
        """Approve a plan, whatever waivable rules it breaks."""
        return lifecycle.approve(self.store, actor, self.code, number, waive=WAIVED)

    def publish(self, number: int, at: datetime | None = None, **how: Any) -> PublishReport:
        """Publish an approved plan."""
        return publish(self.store, APPROVER, self.code, number, at=at, **how)

    def withdraw(self, number: int) -> Changed:
        """Withdraw a plan."""
        return lifecycle.withdraw(self.store, AUTHOR, self.code, number, reason="a test")

    def send_back(self, number: int) -> Changed:
        """Send a plan back."""
        return lifecycle.send_back(self.store, APPROVER, self.code, number, reason="a test")

    def put_out(self, number: int, at: datetime | None = None) -> PublishReport:
        """Submit, approve and publish a draft."""
        self.submit(number)
        self.approve(number)
        return self.publish(number, at)

    def now(self) -> datetime:
        """Return the database's clock."""
        ((now,),) = self.query("SELECT clock_timestamp()")
        found: datetime = now
        return found

    def brought(self, state: str) -> int:
        """Open a draft, bring it to a state (``scheduled``: published for an hour from now), return its number."""
        number = self.open()
        for step in _WAYS[state]:
            step(self, number)
        return number

    def pass_time(self, by: timedelta) -> None:
        """Let the clock be later: everything stored happened, or will happen, that much earlier.

        With less than nothing it is as if the machine's clock had stepped back.
        """
        order = "ASC" if by > timedelta() else "DESC"  # no two ranges may overlap on the way
        with self.store.begin(self.code) as connection:
            rows = connection.execute(
                text(f"SELECT id FROM plans WHERE valid IS NOT NULL ORDER BY lower(valid) {order}")
            )
            for plan in rows.scalars().all():
                connection.execute(
                    text(
                        "UPDATE plans SET valid = tstzrange(lower(valid) - :by, upper(valid) - :by),"
                        " activated_at = activated_at - :by WHERE id = :plan"
                    ),
                    {"by": by, "plan": plan},
                )


_Step = Callable[[Governed, int], object]
_WAYS: dict[str, tuple[_Step, ...]] = {
    "draft": (),
    "submitted": (Governed.submit,),
    "approved": (Governed.submit, Governed.approve),
    "scheduled": (lambda place, number: place.put_out(number, place.now() + HOUR),),
    "published": (Governed.put_out,),
    "superseded": (Governed.put_out, lambda place, _: place.brought("published")),
    "withdrawn": (Governed.withdraw,),
}
