"""What grids were through time: when they held, what they came from, what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from data import codes

MAX_DEPTH = 10
"""Through more changes than this nobody follows a grid."""


@dataclass(frozen=True)
class Period:
    """A time in which every plan had a grid; ``plan`` is the number of the one it began with."""

    since: datetime
    until: datetime | None
    plan: int
    origin: str


@dataclass(frozen=True)
class Count:
    """Households of a grid on the day a plan was published; None where fewer than 10."""

    plan: int
    since: datetime
    households: int | None


@dataclass(frozen=True)
class Passage:
    """Part of a grid that a plan gave to another one.

    Attributes
    ----------
    plan : int
        Number of the plan, which took effect ``at``.
    source, target : str
        Codes of the grids.
    share_of_source, share_of_target : float
        0 to 1 in hundredths, by households, by area where a grid had none.
    """

    plan: int
    at: datetime
    source: str
    target: str
    share_of_source: float
    share_of_target: float


@dataclass(frozen=True)
class History:
    """One grid through time, the earliest first.

    Attributes
    ----------
    status : str
        How it stands now; see `data.codes.STATUSES`.
    periods : list of Period
        The times it held. A second one began with a plan that gave the grid its code back.
    counts : list of Count
        One a plan.
    came_from, went_to : list of Passage
        What plans brought it, and took from it.
    """

    code: str
    external_code: str | None
    status: str
    periods: list[Period]
    counts: list[Count]
    came_from: list[Passage]
    went_to: list[Passage]


@dataclass(frozen=True)
class Node:
    """A grid of a lineage and the times it held."""

    code: str
    in_force: bool
    periods: list[Period]


@dataclass(frozen=True)
class Lineage:
    """Splits and merges around the grids a code names (``roots``): grids, and what passed between them."""

    code: str
    roots: list[str]
    nodes: list[Node]
    edges: list[Passage]


_PUBLICATIONS = """
SELECT g.code, g.plan, p.origin, lower(g.valid) AS since, upper(g.valid) AS until, g.households
FROM layers.grids g JOIN plans p ON p.district = g.district AND p.id = g.plan_id
WHERE g.district = :district AND g.code = ANY(:codes) ORDER BY g.code, lower(g.valid)
"""

# A grid is followed only through the plans that came after (or before) it got its part.
_WALK = """
    {name} AS (
        SELECT c.*, 1 AS depth FROM changes c WHERE c.{near} = ANY(:codes)
        UNION
        SELECT c.*, w.depth + 1 FROM {name} w JOIN changes c ON c.{near} = w.{far} AND c.at {order} w.at
        WHERE w.depth < :depth)
"""
_COLUMNS = "plan, at, source, target, share_of_from, share_of_to"
_PASSAGES = f"""
WITH RECURSIVE changes AS (
    SELECT p.number AS plan, lower(p.valid) AS at, f.code AS source, t.code AS target,
           s.share_of_from, s.share_of_to
    FROM grid_successions s
    JOIN plans p ON p.district = s.district AND p.id = s.plan_id
    JOIN grids f ON f.district = s.district AND f.id = s.from_grid
    JOIN grids t ON t.district = s.district AND t.id = s.to_grid
    WHERE s.district = :district AND s.from_grid <> s.to_grid
),
{_WALK.format(name="ahead", near="source", far="target", order=">")},
{_WALK.format(name="back", near="target", far="source", order="<")}
SELECT {_COLUMNS} FROM ahead UNION SELECT {_COLUMNS} FROM back
ORDER BY at, share_of_from DESC, source, target
"""


def histories(connection: Connection, district: str, code: str) -> list[History]:
    """Return the history of each grid a code names; plans that are published for later are in it.

    Raises
    ------
    NotFoundError
        If no grid was ever given the code.
    """
    parts = codes.parts(connection, district, code, codes.now(connection, district))
    held = _publications(connection, district, [part.code for part in parts])
    return [_history(connection, district, part, held.get(part.code, [])) for part in parts]


def lineage(connection: Connection, district: str, code: str, depth: int = 3) -> Lineage:
    """Return what the grids a code names came from and what became of them.

    Parameters
    ----------
    depth : int
        Through how many changes, either way; at most `MAX_DEPTH`.

    Raises
    ------
    NotFoundError
        If no grid was ever given the code.
    """
    now = codes.now(connection, district)
    roots = [part.code for part in codes.parts(connection, district, code, now)]
    edges = _passages(connection, district, roots, depth)
    names = sorted({*roots, *(edge.source for edge in edges), *(edge.target for edge in edges)})
    held = _publications(connection, district, names)
    nodes = []
    for name in names:
        periods = _periods(held.get(name, []))
        nodes.append(Node(name, any(_covers(period, now) for period in periods), periods))
    return Lineage(code, roots, nodes, edges)


def _history(connection: Connection, district: str, part: codes.Part, held: list[Any]) -> History:
    near = _passages(connection, district, [part.code], depth=1)
    return History(
        part.code,
        part.external_code,
        part.status,
        periods=_periods(held),
        counts=[Count(row.plan, row.since, row.households) for row in held],
        came_from=[passage for passage in near if passage.target == part.code],
        went_to=[passage for passage in near if passage.source == part.code],
    )


def _publications(connection: Connection, district: str, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return which plans had each grid, the earliest first."""
    held: dict[str, list[Any]] = {}
    for row in connection.execute(text(_PUBLICATIONS), {"district": district, "codes": list(names)}):
        held.setdefault(row.code, []).append(row)
    return held


def _periods(held: Iterable[Any]) -> list[Period]:
    """Join plans that follow each other at the same instant."""
    periods: list[Period] = []
    for row in held:
        if periods and periods[-1].until == row.since:
            begun = periods.pop()
            periods.append(Period(begun.since, row.until, begun.plan, begun.origin))
        else:
            periods.append(Period(row.since, row.until, row.plan, row.origin))
    return periods


def _covers(period: Period, at: datetime) -> bool:
    return period.since <= at and (period.until is None or at < period.until)


def _passages(connection: Connection, district: str, names: Sequence[str], depth: int) -> list[Passage]:
    """Return what passed between grids, through at most ``depth`` plans either way, the earliest first."""
    values = {"district": district, "codes": list(names), "depth": depth}
    return [
        Passage(
            row.plan, row.at, row.source, row.target, round(row.share_of_from, 2), round(row.share_of_to, 2)
        )
        for row in connection.execute(text(_PASSAGES), values)
    ]
