"""What a grid's code names: any code ever issued, and a ledger's own, resolves to the grids of today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, text

from data import plans
from geo.errors import NotFoundError

STATUSES = ("in_force", "retired", "scheduled", "never_in_force")
"""How a code stands; of several parts of a ledger's grid the first that applies to one counts."""
_SMALL = 10
"""Of fewer households no shares are told: they would tell the count."""
_SLIVER = 1e-6
"""Less of a grid's area than this is rounding along a border."""


@dataclass(frozen=True)
class Part:
    """A grid that a code names: one for ours, for a ledger's perhaps several.

    Attributes
    ----------
    share : float or None
        Of the ledger's grid when it was imported, 0 to 1; None for a code of ours.
    status : str
        One of `STATUSES`.
    since, until : datetime or None
        The period it holds, held last, or will hold; plans that follow each other are one period.
    """

    grid_id: int
    code: str
    external_code: str | None
    share: float | None
    status: str
    since: datetime | None
    until: datetime | None
    plan_id: int | None


@dataclass(frozen=True)
class Heir:
    """A grid in force that has some of what a code stood for.

    ``share`` is of the code's households, in hundredths; of its area where it had fewer than 10.
    ``households`` is None where fewer than 10.
    """

    code: str
    external_code: str | None
    provisional: bool
    kind: str
    community_code: str
    community: str
    plan: int
    target: int
    households: int | None
    buildings: int | None
    area_m2: float | None
    perimeter_m: float | None
    share: float


@dataclass(frozen=True)
class Resolved:
    """What a code names at an instant.

    The shares of ``grids`` sum to 1 where all its land is still governed.
    """

    code: str
    at: datetime
    status: str
    since: datetime | None
    until: datetime | None
    parts: list[Part]
    grids: list[Heir]


# A period is a run of plans that follow each other without a gap, all of which have the grid. The one that
# counts is that of the instant, else the last one before it, else the first one after it. A code that was
# never in force keeps the polygon it was issued with.
_PARTS = """
WITH named AS (
    SELECT id, NULL::double precision AS share FROM grids WHERE district = :district AND code = :code
    UNION ALL
    SELECT grid_id, share FROM grid_external_codes WHERE district = :district AND external_code = :code
), held AS (
    SELECT n.id, r.period FROM named n, LATERAL (
        SELECT unnest(range_agg(p.valid)) AS period FROM plan_grids pg
        JOIN plans p ON p.district = pg.district AND p.id = pg.plan_id
        WHERE pg.district = :district AND pg.grid_id = n.id AND p.valid IS NOT NULL) r
)
SELECT g.id, g.code, g.external_code, n.share,
       CASE WHEN h.period @> CAST(:at AS timestamptz) THEN 'in_force' WHEN lower(h.period) <= :at THEN 'retired'
            WHEN h.period IS NULL THEN 'never_in_force' ELSE 'scheduled' END AS status,
       lower(h.period) AS since, upper(h.period) AS until, l.plan_id
FROM named n
JOIN grids g ON g.district = :district AND g.id = n.id AND g.code IS NOT NULL
LEFT JOIN LATERAL (
    SELECT period FROM held WHERE held.id = n.id
    ORDER BY lower(period) > :at, CASE WHEN lower(period) > :at THEN lower(period) END, lower(period) DESC
    LIMIT 1) h ON true
LEFT JOIN LATERAL (
    SELECT pg.plan_id FROM plan_grids pg JOIN plans p ON p.district = pg.district AND p.id = pg.plan_id
    WHERE pg.district = :district AND pg.grid_id = n.id AND pg.shape IS NOT NULL
    AND (h.period IS NULL OR p.valid <@ h.period)
    ORDER BY lower(p.valid) > :at, CASE WHEN lower(p.valid) > :at THEN lower(p.valid) END,
             lower(p.valid) DESC, pg.plan_id DESC
    LIMIT 1) l ON true
ORDER BY n.share DESC NULLS LAST, g.code
"""

# Directly by the land it had, not along the chain of plans: shares multiplied over many plans would drift.
_HEIRS = """
WITH land AS MATERIALIZED (
    SELECT ST_Union(pg.shape) AS shape FROM unnest(CAST(:plans AS bigint[]), CAST(:grids AS bigint[])) w (plan, grid)
    JOIN plan_grids pg ON pg.district = :district AND pg.plan_id = w.plan AND pg.grid_id = w.grid
), housed AS (
    SELECT pc.grid_id, sum(c.households) AS households
    FROM land l, plan_cells pc JOIN layers.cells c ON c.district = pc.district AND c.id = pc.cell_id
    WHERE pc.district = :district AND pc.plan_id = :plan
    AND c.shape && l.shape AND ST_Covers(l.shape, ST_PointOnSurface(c.shape)) GROUP BY pc.grid_id
)
SELECT g.code, g.external_code, g.provisional, g.kind, g.community_code, g.community, g.plan, g.target,
       g.households, g.buildings, g.area_m2, g.perimeter_m, COALESCE(h.households, 0) AS housed,
       ST_Area(ST_Intersection(g.shape, l.shape)) / ST_Area(l.shape) AS covered
FROM land l JOIN layers.grids g ON g.shape && l.shape LEFT JOIN housed h ON h.grid_id = g.id
WHERE g.district = :district AND g.plan_id = :plan ORDER BY g.code
"""


def resolve(connection: Connection, district: str, code: str, at: datetime | None = None) -> Resolved:
    """Tell what a code, ours or a ledger's, names at an instant, now by default.

    Raises
    ------
    NotFoundError
        If no grid was ever given the code.
    """
    instant = at or now(connection, district)
    found = parts(connection, district, code, instant)
    in_force = plans.in_force(connection, district, instant)
    return Resolved(
        code,
        instant,
        status=min((part.status for part in found), key=STATUSES.index),
        since=min((part.since for part in found if part.since), default=None),
        until=None
        if any(_open(part) for part in found)
        else max((part.until for part in found if part.until), default=None),
        parts=found,
        grids=_heirs(connection, district, found, in_force.id) if in_force else [],
    )


def now(connection: Connection, district: str) -> datetime:
    """Return the district's time, which no clock that steps back sets behind a plan that took effect."""
    instant: datetime = connection.execute(
        text("SELECT district_now(:district)"), {"district": district}
    ).scalar_one()
    return instant


def parts(connection: Connection, district: str, code: str, at: datetime) -> list[Part]:
    """Return the grids a code names, the largest part first, and how each stands at an instant.

    Raises
    ------
    NotFoundError
        If no grid was ever given the code.
    """
    rows = connection.execute(text(_PARTS), {"district": district, "code": code, "at": at})
    found = [Part(*row) for row in rows]
    if not found:
        raise NotFoundError("No grid has this code.", "GET /api/v1/grids lists the grids.")
    return found


def _open(part: Part) -> bool:
    """Tell whether no end is known of a part's period."""
    return part.since is not None and part.until is None


def _heirs(connection: Connection, district: str, found: list[Part], plan_id: int) -> list[Heir]:
    drawn = [part for part in found if part.plan_id is not None]
    values = {
        "district": district,
        "plan": plan_id,
        "plans": [part.plan_id for part in drawn],
        "grids": [part.grid_id for part in drawn],
    }
    rows = [dict(row) for row in connection.execute(text(_HEIRS), values).mappings()]
    housed = [float(row.pop("housed")) for row in rows]
    covered = [row.pop("covered") for row in rows]
    total = sum(housed)
    weights = (
        [count / total for count in housed]
        if total >= _SMALL
        else [share if share > _SLIVER else 0.0 for share in covered]
    )
    shares = in_hundredths(weights)
    heirs = [
        Heir(**row, share=share) for row, share, weight in zip(rows, shares, weights, strict=True) if weight
    ]
    return sorted(heirs, key=lambda heir: (-heir.share, heir.code))


def in_hundredths(shares: Sequence[float]) -> list[float]:
    """Round shares to hundredths so that their sum is the rounded sum (largest remainders first).

    Parameters
    ----------
    shares : sequence of float
        0 to 1 each, of sum 0 to 1.
    """
    exact = np.asarray(shares, dtype=float) * 100
    whole = np.floor(exact + 1e-9)
    missing = round(exact.sum()) - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:missing]] += 1
    return [float(share) for share in whole / 100]
