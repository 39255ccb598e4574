"""Whose grid is this? Points and addresses answered from the plan in force, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.accuracy import REACH_SIGMAS, Level, ranked, sigma_m
from geo.address import AddressBook
from geo.addresses import Held, Place, judge
from geo.answers import (
    ALTERNATIVES,
    OUTSIDE,
    Alternative,
    Answer,
    District,
    Grid,
    NearSite,
    OnDuty,
    Plan,
    Reason,
    Site,
    Status,
)
from geo.crs import recognise, to_metric, to_wgs84
from geo.errors import InputError
from geo.index import PointIndex

SITES = 3
"""How many of the nearest sites an answer names."""

NEAR_BORDER_M = 15.0
"""How near to a border an exact point is ambiguous, metres, where nothing else is set."""
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


@dataclass(frozen=True)
class Register:
    """All that is needed to answer for one plan.

    Attributes
    ----------
    district, plan, data_version
        What answers hold for.
    srid : int
        EPSG code lengths are measured in.
    grids : sequence of Grid
        The grids of the plan.
    shapes : ndarray of shapely MultiPolygon
        Their polygons in that order, EPSG:4326.
    sites : sequence of Site
        Open sites.
    places : sequence of Place
        Buildings.
    """

    district: District
    srid: int
    plan: Plan
    data_version: int
    grids: Sequence[Grid]
    shapes: NDArray[np.object_]
    sites: Sequence[Site] = ()
    places: Sequence[Place] = ()


class Locator:
    """Answers for one plan; it never changes, so any number of threads may ask it.

    Parameters
    ----------
    register : Register
        What there is to know.
    margin_m : float
        A point in no grid but nearer than this to one is answered approximately, beyond it is outside.
    near_border_m : float
        An exact point nearer than this to a border may be in the grid on its other side; 0 for none.
    book : AddressBook, optional
        That of another plan's locator with the same places, to be shared instead of made again.
    """

    def __init__(
        self,
        register: Register,
        *,
        margin_m: float,
        near_border_m: float = NEAR_BORDER_M,
        book: AddressBook | None = None,
    ) -> None:
        self.register = register
        self.grids = {grid.code: grid for grid in register.grids}
        self._margin_m = margin_m
        self._near_border_m = near_border_m
        self._nothing = Answer(Status.NONE, register.district, register.plan, register.data_version)
        codes = [grid.code for grid in register.grids]
        self._index = PointIndex(codes, register.shapes, register.srid, near_border_m=near_border_m)
        self.book = book or AddressBook([place.entry for place in register.places])
        self._pending = shapely.STRtree([place.land for place in register.places if place.land])
        spots = shapely.points(np.array([(s.lon, s.lat) for s in register.sites]).reshape(-1, 2))
        self._site_xy = shapely.get_coordinates(to_metric(spots, register.srid))

    def restated(self, data_version: int, on_duty: Mapping[str, tuple[OnDuty, ...]]) -> Locator:
        """Return a locator of the same plan and places at another data version, with others on duty.

        Parameters
        ----------
        on_duty : mapping of str to tuple of OnDuty
            Who is on duty, by grid code.

        Notes
        -----
        O(grids): indexes and address book are shared.
        """
        other = copy(self)
        grids = [replace(grid, on_duty=on_duty.get(grid.code, ())) for grid in self.register.grids]
        other.register = replace(self.register, data_version=data_version, grids=grids)
        other.grids = {grid.code: grid for grid in grids}
        other._nothing = replace(self._nothing, data_version=data_version)
        return other

    def at(
        self,
        x: float,
        y: float,
        crs: str,
        *,
        accuracy_m: float | None = None,
        level: Level = Level.UNKNOWN,
        source: Source | None = None,
    ) -> Answer:
        """Answer for a point.

        Parameters
        ----------
        x, y : float
            Longitude and latitude in degrees, or easting and northing in metres; see `geo.crs.recognise`.
        crs : str
            Coordinate system; see `geo.crs.normalise`.
        accuracy_m : float, optional
            Radius that holds the true place, metres, above 0; without it the point is taken as exact.
        level : Level
            How surely the radius holds it.
        source : Source, optional
            Where the point comes from; a device's without an accuracy is not answered.

        Raises
        ------
        CoordinateError
            If the system is unknown or the point is out of its range.
        InputError
            If the accuracy is not above 0.
        """
        if accuracy_m is not None and not accuracy_m > 0.0:
            raise InputError("The accuracy is not above 0 m.", "Leave it out for a point that is exact.")
        read = recognise(x, y, crs)
        lon, lat = map(float, to_wgs84([[read.x, read.y]], read.crs)[0])
        answer = self._at(lon, lat, accuracy_m, level, source)
        said = {Reason.SWAPPED: read.swapped, Reason.ZONE_PREFIX: read.prefix}
        notes = tuple(reason for reason, holds in said.items() if holds)
        return replace(answer, reasons=(*notes, *answer.reasons)) if notes else answer

    def _at(
        self, lon: float, lat: float, accuracy_m: float | None, level: Level, source: Source | None
    ) -> Answer:
        if accuracy_m is None:
            if source is Source.DEVICE:
                return replace(self._nothing, status=Status.NO_ANSWER, reasons=(Reason.NO_ACCURACY,))
            return self._exact(lon, lat)
        if accuracy_m > WIDEST_M:
            return replace(self._nothing, status=Status.NO_ANSWER, reasons=(Reason.TOO_WIDE,))
        return self._uncertain(lon, lat, sigma_m(max(accuracy_m, FINEST_M), level))

    def _exact(self, lon: float, lat: float) -> Answer:
        position = int(self._index.cover([[lon, lat]])[0])
        if position < 0:
            return self._uncovered(lon, lat)
        answer = replace(
            self._nothing,
            reasons=self._pending_at(lon, lat),
            border_m=self._index.border_m(lon, lat, position),
            sites=self._nearest_sites(lon, lat),
        )
        if (answer.border_m or 0.0) >= self._near_border_m:
            return replace(answer, status=Status.MATCH, grid=self._grid(position))
        near = self._index.near(lon, lat, self._near_border_m)
        others = [other for other in near if other.position != position]
        if not others:
            reasons = (Reason.DISTRICT_EDGE, *answer.reasons)
            return replace(answer, status=Status.MATCH, grid=self._grid(position), reasons=reasons)
        return replace(
            answer,
            status=Status.AMBIGUOUS,
            reasons=(Reason.NEAR_BORDER, *answer.reasons),
            alternatives=(
                Alternative(self._grid(position), distance_m=0.0),
                *(Alternative(self._grid(n.position), distance_m=n.distance_m) for n in others),
            )[:ALTERNATIVES],
        )

    def _uncertain(self, lon: float, lat: float, sigma: float) -> Answer:
        """Answer for a point with a circular normal error."""
        found, nowhere = ranked(self._index.shares(lon, lat, sigma))
        probabilities = {self._index.codes[n]: share for n, share in found.items()} | {OUTSIDE: nowhere}
        if nowhere >= SURE:
            return replace(self._uncovered(lon, lat), probabilities=probabilities)
        covering = int(self._index.cover([[lon, lat]])[0])
        answer = replace(
            self._nothing,
            probabilities=probabilities,
            reasons=self._pending_at(lon, lat),
            border_m=self._index.border_m(lon, lat, covering) if covering >= 0 else None,
            outside_m=self._index.outside_m(lon, lat) if covering < 0 else None,
            sites=self._nearest_sites(lon, lat),
        )
        first = next(iter(found))
        if found[first] >= SURE:
            return replace(answer, status=Status.MATCH, grid=self._grid(first))
        away = {n.position: n.distance_m for n in self._index.near(lon, lat, REACH_SIGMAS * sigma)}
        doubts = [Reason.UNCERTAIN] + [Reason.DISTRICT_EDGE] * (nowhere >= 1.0 - SURE)
        return replace(
            answer,
            status=Status.AMBIGUOUS,
            reasons=(*doubts, *answer.reasons),
            alternatives=tuple(
                Alternative(self._grid(n), distance_m=away[n], probability=share)
                for n, share in islice(found.items(), ALTERNATIVES)
                if share >= WORTH_NAMING
            ),
        )

    def resolve(self, text: str) -> Answer:
        """Answer for an address."""
        answer = judge(self.book.find(text), self.register.places, self._grids_of, self._nothing)
        building = answer.building
        if answer.grid is None or building is None or building.lon is None or building.lat is None:
            return answer
        return replace(answer, sites=self._nearest_sites(building.lon, building.lat))

    def _grids_of(self, place: Place, entrance: int | None) -> Held:
        """Return the grids a building is in: by its cells, by the grid that covers it, by the ledger's word."""
        if place.cells:
            named = [code for at, code in place.cells if at == entrance]
            codes = named or [code for _, code in place.cells]
            return Held([self.grids[code] for code in dict.fromkeys(codes)])
        if place.building.lon is None or place.building.lat is None:
            return Held([self.grids[code] for code in place.stated], Reason.STATED_ONLY)
        position = int(self._index.cover([[place.building.lon, place.building.lat]])[0])
        return Held([self._grid(position)] if position >= 0 else [], Reason.PENDING)

    def _uncovered(self, lon: float, lat: float) -> Answer:
        outside_m = self._index.outside_m(lon, lat)
        near = self._index.near(lon, lat, self._margin_m)
        if not near:
            return replace(self._nothing, status=Status.OUTSIDE, outside_m=outside_m)
        return replace(
            self._nothing,
            status=Status.APPROXIMATE,
            reasons=(Reason.GAP,),
            grid=self._grid(near[0].position),
            alternatives=tuple(
                Alternative(self._grid(other.position), distance_m=other.distance_m)
                for other in near[1 : 1 + SITES]
            ),
            outside_m=outside_m,
            sites=self._nearest_sites(lon, lat),
        )

    def _pending_at(self, lon: float, lat: float) -> tuple[Reason, ...]:
        pending = self._pending.query(shapely.Point(lon, lat), predicate="intersects")
        return (Reason.PENDING,) if len(pending) else ()

    def _nearest_sites(self, lon: float, lat: float) -> tuple[NearSite, ...]:
        here = shapely.get_coordinates(to_metric([shapely.Point(lon, lat)], self.register.srid))
        distances = np.hypot(*(self._site_xy - here).T)
        order = np.argsort(distances, kind="stable")[:SITES]
        return tuple(NearSite(self.register.sites[i], float(distances[i])) for i in order)

    def _grid(self, position: int) -> Grid:
        return self.grids[self._index.codes[position]]
