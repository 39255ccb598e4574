"""Whose grid are these? Many points at once, answered exactly as the locator answers each.

The index sorts exact points into classes: those that the same grid covers far from its borders, those near the
same borders, those outside. What is told does not differ within a class, so the locator is asked for one point
of each class and that is told for all. Uncertain points are weighed together. What fits neither is asked by itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, pairwise
from threading import Lock
from typing import NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from geo.accuracy import NEGLIGIBLE, Level, sigma_m
from geo.answers import ALTERNATIVES, Answer, Building, Grid, Reason, Status
from geo.crs import plain_to_wgs84, recognise
from geo.errors import CoordinateError, InputError
from geo.index import PointIndex
from geo.locate import Locator, notes_of
from geo.points import FINEST_M, NEXT_NEAREST, SURE, WIDEST_M, WORTH_NAMING, Points, Source

CLASSES = 50_000
"""How many classes are kept for the next time."""
_FIRST_RADIUS_M = 200.0

Floats = NDArray[np.float64]
Coordinates = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Verdict:
    """What a short answer tells: an `Answer` without what differs between points of one class.

    Attributes
    ----------
    status : str
        That of the answer, as plain text: many are counted.
    reasons, grid, building
        As in the answer.
    confidence : float or None
        How often an answer like this is right; of a point with an accuracy, how likely the grid holds it.
    alternatives : tuple of Grid
        Other grids that may be meant, the likeliest first.
    precision, faults
        Of an address, as in the answer; faults by their codes.
    encoded : dict of str to bytes
        Whoever writes it out keeps here how that reads, by form; empty at first.
    """

    status: str
    reasons: tuple[Reason, ...]
    grid: Grid | None
    building: Building | None
    confidence: float | None
    alternatives: tuple[Grid, ...]
    precision: str | None = None
    faults: tuple[str, ...] = ()
    encoded: dict[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, answer: Answer) -> Verdict:
        """Return the short form of an answer."""
        confidence = answer.confidence
        if confidence is None and answer.probabilities and answer.grid:
            confidence = answer.probabilities.get(answer.grid.code)
        others = tuple(other.grid for other in answer.alternatives)
        return cls(
            answer.status.value,
            answer.reasons,
            answer.grid,
            answer.building,
            confidence,
            others,
            answer.precision,
            tuple(fault.code for fault in answer.faults),
        )


Told: TypeAlias = Verdict | InputError
"""What is told of one row: a verdict, or why it cannot be asked."""


class Bulk:
    """Answers many exact points, and keeps what is told of each class; see `bulk_of`."""

    def __init__(self) -> None:
        self._told: dict[Hashable, Verdict] = {}

    def answer(self, grounds: Points, points: Coordinates) -> list[Verdict]:
        """Answer exact points.

        Parameters
        ----------
        grounds : Points
            What answers one point; always the same.
        points : ndarray of float, shape (n, 2)
            Longitude and latitude in degrees, EPSG:4326, finite and in range.

        Notes
        -----
        What `PointIndex.cover` and `deep` take, and O(v log n) for each point that is not deep, in v vertices of the
        areas that are near it.
        """
        known = self._told
        if len(known) > CLASSES:
            known = self._told = {}
        classes = self._classes(grounds, points)
        try:
            return [known[each] for each in classes]
        except KeyError:
            pass
        for place, each in enumerate(classes):
            if each not in known:
                lon, lat = points[place].tolist()
                known[each] = Verdict.of(grounds.answer(lon, lat, None, Level.UNKNOWN, None))
        return [known[each] for each in classes]

    def _classes(self, grounds: Points, points: Coordinates) -> list[Hashable]:
        """Name the class of each point: a number where its grid, or that and one other, are told, else a tuple."""
        index, size = grounds.index, len(grounds.grids)
        covered = index.cover(points)
        numbers = covered.astype(np.int64)
        inside = covered >= 0
        place, own, others = _near_borders(
            index, points, covered, np.flatnonzero(inside & ~index.deep(points))
        )
        single = others.many == 1
        numbers[place[single]] = size * (1 + own[single]) + others.area[others.first[single]]
        classes: list[Hashable] = numbers.tolist()
        for n in np.flatnonzero(~single).tolist():
            found = others.area[others.first[n] :][: min(others.many[n], ALTERNATIVES - 1)]
            classes[place[n]] = ("near", int(own[n]), *found.tolist())
        outside = np.flatnonzero(~inside)
        if len(outside):
            nearest = _nearest(index, points[outside], grounds.margin_m)
            for n, near in zip(outside.tolist(), nearest, strict=True):
                classes[n] = ("outside", *near)
        for n in grounds.on_pending(points).tolist():
            classes[n] = ("pending", classes[n])
        return classes


class _Others(NamedTuple):
    """Of each point the areas near it beside its own, ``many`` from ``first`` on."""

    area: NDArray[np.intp]
    first: NDArray[np.intp]
    many: NDArray[np.intp]


def bulk_of(grounds: Points) -> Bulk:
    """Return what answers many points; it is made at the first call and lasts as long as what it is made for."""
    with _MAKING:
        found = _MADE.get(grounds)
        if found is None:
            found = _MADE[grounds] = Bulk()
        return found


def _near_borders(
    index: PointIndex, points: Coordinates, covered: NDArray[np.intp], shallow: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], _Others]:
    """Return which of the shallow points are near the border of their own area, that area, and others near."""
    if not len(shallow) or index.near_border_m == 0.0:
        nothing = np.empty(0, dtype=np.intp)
        return nothing, nothing, _Others(nothing, nothing, nothing)
    point, area, away = index.borders_near(points[shallow])
    mine = area == covered[shallow[point]]
    tight = point[mine & (away < index.near_border_m)]
    point, area = point[~mine], area[~mine]
    first = np.searchsorted(point, tight)
    many = np.searchsorted(point, tight, side="right") - first
    return shallow[tight], covered[shallow[tight]], _Others(area, first, many)


def _nearest(index: PointIndex, points: Coordinates, margin_m: float) -> list[list[int]]:
    """List the grids that are told of points in none: the nearest few within the margin."""
    told: list[list[int]] = [[] for _ in points]
    left = np.arange(len(points))
    radius = min(_FIRST_RADIUS_M, margin_m)
    while len(left):
        found = index.nears(points[left], radius)
        for place, near in zip(left.tolist(), found, strict=True):
            told[place] = near[: 1 + NEXT_NEAREST]
        if radius == margin_m:
            break
        left = left[[len(near) <= NEXT_NEAREST for near in found]]
        radius = min(2.0 * radius, margin_m)
    return told


_MADE: WeakKeyDictionary[Points, Bulk] = WeakKeyDictionary()
_MAKING = Lock()


def exact(locator: Locator, x: Floats, y: Floats, crs: str) -> list[Told]:
    """Answer exact points.

    Parameters
    ----------
    locator : Locator
        What answers.
    x, y : ndarray of float, shape (n,)
        As for `Locator.at`; they may be anything, also not finite.
    crs : str
        Their system, by its one name; see `geo.crs.normalise`.

    Returns
    -------
    list of Verdict or InputError, length n
        What `Locator.at` answers to each, in short, or raises.
    """
    points, plain = plain_to_wgs84(np.column_stack([x, y]), crs)
    answered: Sequence[Told] = bulk_of(locator.points).answer(locator.points, points)
    if len(answered) == len(x):
        return list(answered)
    told = _spread(answered, plain)
    for (system, notes), places in _otherwise(x, y, crs, np.flatnonzero(~plain).tolist()).items():
        read = [recognise(float(x[n]), float(y[n]), crs) for n in places]
        xy = np.array([(each.x, each.y) for each in read])
        found = exact(locator, xy[:, 0], xy[:, 1], system)
        noted: dict[Told, Told] = {each: _noted(each, notes) for each in found}
        for place, each in zip(places, found, strict=True):
            told[place] = noted[each]
    return [
        one(locator, float(x[n]), float(y[n]), crs) if each is None else each for n, each in enumerate(told)
    ]


def _otherwise(
    x: Floats, y: Floats, crs: str, places: list[int]
) -> dict[tuple[str, tuple[Reason, ...]], list[int]]:
    """Return those points that are not written as their system has it, by the system and what is told of how."""
    found: dict[tuple[str, tuple[Reason, ...]], list[int]] = {}
    for place in places:
        try:
            read = recognise(float(x[place]), float(y[place]), crs)
        except CoordinateError:
            continue
        if notes := notes_of(read):
            found.setdefault((read.crs, notes), []).append(place)
    return found


def _noted(told: Told, notes: tuple[Reason, ...]) -> Told:
    if isinstance(told, InputError):
        return told
    return replace(told, reasons=(*notes, *told.reasons), encoded={})


def uncertain(
    locator: Locator, x: Floats, y: Floats, crs: str, accuracy_m: Floats, levels: Sequence[Level]
) -> list[Told]:
    """Answer points with an accuracy; see `exact`.

    Parameters
    ----------
    accuracy_m : ndarray of float, shape (n,)
        Radius that holds each, metres; anything, also not finite.
    levels : sequence of Level, length n
        How surely it does.
    """
    points, plain = plain_to_wgs84(np.column_stack([x, y]), crs)
    fit = (accuracy_m > 0.0) & (accuracy_m <= WIDEST_M)
    points, plain = points[fit[plain]], plain & fit
    radius = np.maximum(accuracy_m[plain], FINEST_M)
    scale = {level: sigma_m(1.0, level) for level in Level}
    sigmas = radius * np.array([scale[level] for level in compress(levels, plain)])
    told: list[Told | None] = _spread(_weighed(locator.points, points, sigmas), plain)
    return [
        one(locator, float(x[n]), float(y[n]), crs, accuracy_m=float(accuracy_m[n]), level=levels[n])
        if each is None
        else each
        for n, each in enumerate(told)
    ]


def _weighed(grounds: Points, points: Coordinates, sigmas: Floats) -> list[Verdict | None]:
    """Answer points with circular normal errors; None for those that are most likely in no grid."""
    point, area, share = grounds.index.shares_each(points, sigmas)
    kept = share >= NEGLIGIBLE
    order = np.lexsort((area[kept], -np.round(share[kept], 9), point[kept]))
    left = 1.0 - np.bincount(point, weights=share, minlength=len(points))
    point, area, share = point[kept][order], area[kept][order], share[kept][order]
    ends = np.searchsorted(point, np.arange(len(points) + 1))
    nowhere = np.where((left >= NEGLIGIBLE) | (ends[1:] == ends[:-1]), np.maximum(left, 0.0), 0.0)
    whole = np.bincount(point, weights=share, minlength=len(points)) + nowhere
    likely, grids = (share / whole[point]).tolist(), [grounds.grids[n] for n in area.tolist()]
    pending = set(grounds.on_pending(points).tolist())
    rows = zip((nowhere / whole).tolist(), pairwise(ends.tolist()), strict=True)
    told: list[Verdict | None] = []
    for place, (outside, (start, end)) in enumerate(rows):
        notes = (Reason.PENDING,) if place in pending else ()
        if outside >= SURE:
            told.append(None)
        elif likely[start] >= SURE:
            told.append(Verdict(Status.MATCH.value, notes, grids[start], None, likely[start], ()))
        else:
            edge = (Reason.DISTRICT_EDGE,) if outside >= 1.0 - SURE else ()
            worth = [
                grids[n] for n in range(start, min(end, start + ALTERNATIVES)) if likely[n] >= WORTH_NAMING
            ]
            reasons = (Reason.UNCERTAIN, *edge, *notes)
            told.append(Verdict(Status.AMBIGUOUS.value, reasons, None, None, None, tuple(worth)))
    return told


def _spread(found: Sequence[Told | None], chosen: NDArray[np.bool_]) -> list[Told | None]:
    """Put what was found of the chosen rows in their places, None in those of the others."""
    told: list[Told | None] = [None] * len(chosen)
    for place, each in zip(np.flatnonzero(chosen).tolist(), found, strict=True):
        told[place] = each
    return told


def one(
    locator: Locator,
    x: float,
    y: float,
    crs: str,
    *,
    accuracy_m: float | None = None,
    level: Level = Level.UNKNOWN,
    source: Source | None = None,
) -> Told:
    """Answer one point as `Locator.at` does, in short, or return why it cannot be answered."""
    try:
        return Verdict.of(locator.at(x, y, crs, accuracy_m=accuracy_m, level=level, source=source))
    except InputError as error:
        return error
