"""Whose grid is a point? Exact points and uncertain ones, answered from the polygons of one plan."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from enum import StrEnum
from itertools import islice

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.accuracy import REACH_SIGMAS, Level, ranked, sigma_m
from geo.answers import ALTERNATIVES, OUTSIDE, Alternative, Answer, Grid, Reason, Status
from geo.index import PointIndex

NEXT_NEAREST = 3
"""How many of the next nearest grids are named for a point in none."""
SURE = 0.9
"""From this probability on a grid, or that it is none, is the answer."""
WIDEST_M = 500.0
"""A position that is less accurate than this, metres, tells no grid."""
FINEST_M = 0.01
"""No position is taken as more accurate than this, metres."""
WORTH_NAMING = 0.01
"""A grid less likely than this is no alternative."""


class Source(StrEnum):
    """Where a point comes from."""

    DEVICE = "device"
    MAP = "map"
    SURVEY = "survey"


class Points:
    """Answers for points; it never changes.

    Parameters
    ----------
    index : PointIndex
        The polygons of the plan.
    grids : sequence of Grid
        Its grids, by their positions in the index.
    pending : sequence of shapely Polygon or MultiPolygon
        Land of buildings that are in no cell of the plan, EPSG:4326.
    nothing : Answer
        The answer where nothing is found; every answer is made from it.
    margin_m : float
        A point in no grid but nearer than this to one is answered approximately, beyond it is outside.
    near_border_m : float
        An exact point nearer than this to a border may be in the grid on its other side.
    """

    def __init__(
        self,
        index: PointIndex,
        grids: Sequence[Grid],
        pending: Sequence[shapely.Geometry],
        nothing: Answer,
        *,
        margin_m: float,
        near_border_m: float,
    ) -> None:
        self.index = index
        self.grids = grids
        self.near_border_m = near_border_m
        self.margin_m = margin_m
        self._nothing = nothing
        self.pending = shapely.STRtree(list(pending))

    def restated(self, grids: Sequence[Grid], nothing: Answer) -> Points:
        """Return answers of the same index from other grids and another base; O(1)."""
        other = copy(self)
        other.grids, other._nothing = grids, nothing
        return other

    def answer(
        self, lon: float, lat: float, accuracy_m: float | None, level: Level, source: Source | None
    ) -> Answer:
        """Answer for a point of EPSG:4326; see `geo.locate.Locator.at`."""
        if accuracy_m is None:
            if source is Source.DEVICE:
                return replace(self._nothing, status=Status.NO_ANSWER, reasons=(Reason.NO_ACCURACY,))
            return self._exact(lon, lat)
        if accuracy_m > WIDEST_M:
            return replace(self._nothing, status=Status.NO_ANSWER, reasons=(Reason.TOO_WIDE,))
        return self._uncertain(lon, lat, sigma_m(max(accuracy_m, FINEST_M), level))

    def _exact(self, lon: float, lat: float) -> Answer:
        position = self.index.find(lon, lat)
        if position < 0:
            return self._uncovered(lon, lat)
        reasons = self._pending_at(lon, lat)
        if self.index.is_deep(lon, lat):
            return self._covered(lon, lat, Status.MATCH, reasons, self.grids[position])
        border_m = self.index.border_m(lon, lat, position)
        if border_m >= self.near_border_m:
            return self._covered(lon, lat, Status.MATCH, reasons, self.grids[position])
        near = self.index.near(lon, lat, self.near_border_m)
        others = [other for other in near if other.position != position]
        if not others:
            reasons = (Reason.DISTRICT_EDGE, *reasons)
            return self._covered(lon, lat, Status.MATCH, reasons, self.grids[position], border_m=border_m)
        likely = (
            Alternative(self.grids[position], distance_m=0.0),
            *(Alternative(self.grids[other.position], distance_m=other.distance_m) for other in others),
        )
        reasons = (Reason.NEAR_BORDER, *reasons)
        return self._covered(
            lon, lat, Status.AMBIGUOUS, reasons, None, alternatives=likely[:ALTERNATIVES], border_m=border_m
        )

    def _covered(
        self,
        lon: float,
        lat: float,
        status: Status,
        reasons: tuple[Reason, ...],
        grid: Grid | None,
        *,
        alternatives: tuple[Alternative, ...] = (),
        border_m: float | None = None,
    ) -> Answer:
        """Return the answer for a point that a grid covers; in half the time that `replace` takes."""
        nothing = self._nothing
        return Answer(
            status,
            nothing.district,
            nothing.plan,
            nothing.data_version,
            reasons,
            grid,
            alternatives=alternatives,
            border_m=border_m,
            place=(lon, lat),
        )

    def _uncertain(self, lon: float, lat: float, sigma: float) -> Answer:
        """Answer for a point with a circular normal error."""
        found, nowhere = ranked(self.index.shares(lon, lat, sigma))
        probabilities = {self.index.codes[n]: share for n, share in found.items()} | {OUTSIDE: nowhere}
        if nowhere >= SURE:
            return replace(self._uncovered(lon, lat), probabilities=probabilities)
        covering = self.index.find(lon, lat)
        answer = replace(
            self._nothing,
            probabilities=probabilities,
            reasons=self._pending_at(lon, lat),
            border_m=self.index.border_m(lon, lat, covering) if covering >= 0 else None,
            outside_m=self.index.outside_m(lon, lat) if covering < 0 else None,
            place=(lon, lat),
        )
        first = next(iter(found))
        if found[first] >= SURE:
            return replace(answer, status=Status.MATCH, grid=self.grids[first])
        away = {n.position: n.distance_m for n in self.index.near(lon, lat, REACH_SIGMAS * sigma)}
        doubts = [Reason.UNCERTAIN] + [Reason.DISTRICT_EDGE] * (nowhere >= 1.0 - SURE)
        return replace(
            answer,
            status=Status.AMBIGUOUS,
            reasons=(*doubts, *answer.reasons),
            alternatives=tuple(
                Alternative(self.grids[n], distance_m=away[n], probability=share)
                for n, share in islice(found.items(), ALTERNATIVES)
                if share >= WORTH_NAMING
            ),
        )

    def _uncovered(self, lon: float, lat: float) -> Answer:
        outside_m = self.index.outside_m(lon, lat)
        near = self.index.near(lon, lat, self.margin_m)
        if not near:
            return replace(self._nothing, status=Status.OUTSIDE, outside_m=outside_m)
        return replace(
            self._nothing,
            status=Status.APPROXIMATE,
            reasons=(Reason.GAP,),
            grid=self.grids[near[0].position],
            alternatives=tuple(
                Alternative(self.grids[other.position], distance_m=other.distance_m)
                for other in near[1 : 1 + NEXT_NEAREST]
            ),
            outside_m=outside_m,
            place=(lon, lat),
        )

    def on_pending(self, points: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return which points, shape (n, 2) in EPSG:4326, are on land of pending buildings, in ascending order."""
        if not len(self.pending):
            return np.zeros(0, dtype=np.intp)
        found = self.pending.query(shapely.points(points), predicate="intersects")
        return np.unique(found[0])

    def _pending_at(self, lon: float, lat: float) -> tuple[Reason, ...]:
        if not len(self.pending):
            return ()
        found = self.pending.query(shapely.Point(lon, lat), predicate="intersects")
        return (Reason.PENDING,) if len(found) else ()
