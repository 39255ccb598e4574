"""How a district stands, in one row of figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Figures:
    """Counts of a district; those about grids are of the plan in force, 0 before there is one.

    ``households`` is the sum of the grids' public counts: a total that held a withheld count would give it
    away. ``within``, ``below`` and ``above`` tell grids by the plan's target and tolerance; ``vacant`` ones
    have nobody on primary duty that day.
    """

    grids: int
    households: int
    withheld: int
    within: int
    below: int
    above: int
    vacant: int
    communities: int
    compounds: int
    buildings: int
    unplaced: int
    sites: int
    facilities: int
    rider_communities: int


@dataclass(frozen=True)
class Standard:
    """The plan in force and what it aims at."""

    number: int
    title: str
    valid_from: datetime
    valid_until: datetime | None
    target: int
    tolerance_percent: int


_FIGURES = """
WITH band AS (
    SELECT g.id, g.households, p.target * (100 - p.tolerance_percent) / 100.0 AS low,
           p.target * (100 + p.tolerance_percent) / 100.0 AS high
    FROM layers.grids g
    JOIN plans p ON p.district = g.district AND p.id = g.plan_id
    WHERE g.district = :district AND g.valid @> CAST(:at AS timestamptz)
), counted AS (
    SELECT count(*) AS grids, COALESCE(sum(households), 0)::bigint AS households,
           count(*) FILTER (WHERE households IS NULL) AS withheld,
           count(*) FILTER (WHERE households BETWEEN low AND high) AS within,
           count(*) FILTER (WHERE households < low) AS below,
           count(*) FILTER (WHERE households > high) AS above,
           count(*) FILTER (WHERE NOT EXISTS (
               SELECT FROM duties d WHERE d.district = :district AND d.grid_id = band.id
               AND d.role = 'primary' AND d.valid @> CAST(CAST(:at AS timestamptz) AS date))) AS vacant
    FROM band
), housed AS (
    SELECT count(*) AS buildings, count(*) FILTER (WHERE point IS NULL) AS unplaced
    FROM buildings WHERE district = :district AND retired_at IS NULL
)
SELECT counted.*,
       (SELECT count(*) FROM communities WHERE district = :district AND retired_at IS NULL),
       (SELECT count(*) FROM compounds WHERE district = :district AND retired_at IS NULL),
       housed.*,
       (SELECT count(*) FROM layers.sites WHERE district = :district),
       (SELECT count(*) FROM layers.facilities WHERE district = :district),
       (SELECT count(*) FROM layers.rider_communities WHERE district = :district)
FROM counted, housed
"""


def figures(connection: Connection, district: str, at: datetime) -> Figures:
    """Return how a district stands: its grids and duties at an instant, and today's register."""
    return Figures(*connection.execute(text(_FIGURES), {"district": district, "at": at}).one())


def standard(connection: Connection, district: str, at: datetime) -> Standard | None:
    """Return the plan in force at an instant and what it aims at; None before the first publication."""
    row = connection.execute(
        text(
            "SELECT number, title, lower(valid), upper(valid), target, tolerance_percent FROM plans"
            " WHERE district = :district AND valid @> CAST(:at AS timestamptz)"
        ),
        {"district": district, "at": at},
    ).one_or_none()
    return Standard(*row) if row else None
