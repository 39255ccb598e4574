"""Whose grid is this? Points and addresses answered from the plan in force, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.address import AddressBook, Entry, Found
from geo.answers import (
    Alternative,
    Answer,
    Building,
    District,
    Grid,
    NearSite,
    OnDuty,
    Plan,
    Reason,
    Site,
    Status,
)
from geo.crs import to_metric, to_wgs84
from geo.index import PointIndex

SITES = 3
"""How many of the nearest sites an answer names."""
ALTERNATIVES = 10
"""How many alternatives an answer names at most."""


@dataclass(frozen=True)
class Place:
    """A building as it is looked up.

    Attributes
    ----------
    building : Building
        What is answered about it.
    entry : Entry
        Its names.
    cells : tuple of (int or None, str)
        Entrance, where it is split, and code of the grid that holds that cell.
    stated : tuple of str
        Codes of the grids the ledger states, for a building without a position.
    land : shapely Polygon or MultiPolygon, optional
        What a pending building, one with a position and in no cell of the plan, stands on; EPSG:4326.
    """

    building: Building
    entry: Entry
    cells: tuple[tuple[int | None, str], ...] = ()
    stated: tuple[str, ...] = ()
    land: shapely.Geometry | None = None


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


@dataclass(frozen=True)
class _Hit:
    """A grid an address may mean: which building and why."""

    grid: Grid
    building: Building
    reason: Reason | None = None


class Locator:
    """Answers for one plan; it never changes, so any number of threads may ask it.

    Parameters
    ----------
    register : Register
        What there is to know.
    margin_m : float
        A point in no grid but nearer than this to one is answered approximately, beyond it is outside.
    book : AddressBook, optional
        That of another plan's locator with the same places, to be shared instead of made again.
    """

    def __init__(self, register: Register, *, margin_m: float, book: AddressBook | None = None) -> None:
        self.register = register
        self.grids = {grid.code: grid for grid in register.grids}
        self._margin_m = margin_m
        self._nothing = Answer(Status.NONE, register.district, register.plan, register.data_version)
        self._index = PointIndex([grid.code for grid in register.grids], register.shapes, register.srid)
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

    def at(self, x: float, y: float, crs: str) -> Answer:
        """Answer for a point.

        Parameters
        ----------
        x, y : float
            Longitude and latitude in degrees, or easting and northing in metres.
        crs : str
            Coordinate system; see `geo.crs.normalise`.

        Raises
        ------
        CoordinateError
            If the system is unknown or the point is out of its range.
        """
        lon, lat = map(float, to_wgs84([[x, y]], crs)[0])
        position = int(self._index.cover([[lon, lat]])[0])
        if position < 0:
            return self._uncovered(lon, lat)
        return replace(
            self._nothing,
            status=Status.MATCH,
            reasons=self._pending_at(lon, lat),
            grid=self._grid(position),
            border_m=self._index.border_m(lon, lat, position),
            sites=self._nearest_sites(lon, lat),
        )

    def resolve(self, text: str) -> Answer:
        """Answer for an address."""
        found = self.book.find(text)
        if not found.entries:
            return self._nothing
        hits = [hit for entry in found.entries for hit in self._hits(self.register.places[entry], found)]
        buildings = [self.register.places[entry].building for entry in found.entries]
        return self._judge(found, buildings, hits)

    def _judge(self, found: Found, buildings: list[Building], hits: list[_Hit]) -> Answer:
        """Say how sure an address is, from the grids it may mean."""
        building = buildings[0] if len(buildings) == 1 else None
        by_grid = {hit.grid.code: hit for hit in reversed(hits)}
        notes = [reason for reason in (hit.reason for hit in hits) if reason]
        doubts = _doubts(found, len(buildings), len(by_grid))
        reasons = tuple(dict.fromkeys((*doubts, *notes)))
        if not hits:
            return replace(self._nothing, status=Status.NO_ANSWER, building=building, reasons=reasons)
        if len(by_grid) > 1:
            options = tuple(
                Alternative(hit.grid, hit.building)
                for hit in islice(_by_code(by_grid.values()), ALTERNATIVES)
            )
            return replace(
                self._nothing,
                status=Status.AMBIGUOUS,
                building=building,
                entrance=found.entrance,
                alternatives=options,
                reasons=reasons,
            )
        answer = replace(
            self._nothing,
            status=Status.APPROXIMATE if doubts else Status.MATCH,
            grid=hits[0].grid,
            building=building,
            entrance=found.entrance,
            reasons=reasons,
        )
        if building is None or building.lon is None or building.lat is None:
            return answer
        return replace(answer, sites=self._nearest_sites(building.lon, building.lat))

    def _hits(self, place: Place, found: Found) -> Iterable[_Hit]:
        """Yield the grids a building is in: by its cells, by the grid that covers it, by the ledger's word."""
        if place.cells:
            named = [code for entrance, code in place.cells if entrance == found.entrance]
            codes = named or [code for _, code in place.cells]
            return [_Hit(self.grids[code], place.building) for code in dict.fromkeys(codes)]
        if place.building.lon is None or place.building.lat is None:
            return [_Hit(self.grids[code], place.building, Reason.STATED_ONLY) for code in place.stated]
        position = int(self._index.cover([[place.building.lon, place.building.lat]])[0])
        return [_Hit(self._grid(position), place.building, Reason.PENDING)] if position >= 0 else []

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


def _doubts(found: Found, buildings: int, grids: int) -> list[Reason]:
    """Return why an address cannot be a plain match."""
    several = buildings > 1
    table = {
        Reason.UNKNOWN_WORDS: bool(found.unexplained),
        Reason.INCOMPLETE: not found.whole,
        Reason.SEVERAL_BUILDINGS: found.whole and several,
        Reason.SPLIT_BUILDING: not several and grids > 1,
    }
    return [reason for reason, holds in table.items() if holds]


def _by_code(hits: Iterable[_Hit]) -> list[_Hit]:
    return sorted(hits, key=lambda hit: hit.grid.code)
