"""What falls due when a plan takes effect: duties, cases, lineage; once, whoever gets to it first."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from data import audit, cases, districts, duties, lineage, plans, versions
from data.session import Store
from etl.actor import SYSTEM
from geo.times import here


@dataclass(frozen=True)
class Activation:
    """What was carried out.

    ``duties_carried`` went over from a retired grid to what replaced it; ``duties_idle`` are those of today
    whose grid is not in the plan.
    """

    number: int
    duties_carried: int
    duties_idle: int
    cases_moved: int


def activate_due(store: Store, district: str) -> list[int]:
    """Carry out what fell due in a district; return the numbers of the plans that took effect.

    Any number of processes may call it at any time: the district's lock lets one carry a plan out, and the
    others find it done.
    """
    with store.read(district) as connection:
        if not plans.due(connection, district):
            return []
    with store.begin(district) as connection:
        districts.lock(connection, district)
        return [done.number for done in carry_out_due(connection, district)]


def carry_out_due(connection: Connection, district: str) -> list[Activation]:
    """Carry out what fell due, in a transaction that holds the district."""
    return [_carry_out(connection, district, plan) for plan in plans.due(connection, district)]


def _carry_out(connection: Connection, district: str, plan: plans.Plan) -> Activation:
    previous = plans.activate(connection, district, plan)
    assert plan.effective is not None  # noqa: S101 - it is published
    day = here(plan.effective).date()
    carried = 0
    if previous is not None:
        lineage.write(connection, district, plan.id, previous.id)
        carried = duties.carry_over(connection, district, plan.id, previous.id, day)
    done = Activation(
        plan.number,
        carried,
        duties.count_idle(connection, district, plan.id),
        cases.hand_over(connection, district, plan.id, SYSTEM.id),
    )
    versions.advance(connection, district, "grids", "plans", "cases", "locate")
    audit.record(
        connection,
        district,
        actor=SYSTEM.id,
        action="plan.activate",
        subject=f"plan {plan.number}",
        before={"in_force": previous.number if previous else None},
        after=asdict(done),
    )
    return done
