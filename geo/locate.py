"""Whose grid is this? Points and addresses answered from the plan in force, in memory."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.accuracy import Level
from geo.address import AddressBook
from geo.address.numbers import is_label
from geo.addresses import Held, Place, judge
from geo.answers import (
    ALTERNATIVES,
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
from geo.crs import Reading, point_to_wgs84, recognise
from geo.errors import InputError
from geo.index import PointIndex
from geo.points import Points, Source
from geo.sites import Sites

__all__ = ["NEAR_BORDER_M", "Locator", "Register", "Source"]

NEAR_BORDER_M = 15.0
"""How near to a border an exact point is ambiguous, metres, where nothing else is set."""
_LONGER_THAN_HOUSES = 6
"""Characters of a number that no building has."""


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
        That of another locator, to be shared instead of made again if it has the same names.

    Attributes
    ----------
    points : Points
        What answers for points of EPSG:4326.
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
        self._nothing = Answer(Status.NONE, register.district, register.plan, register.data_version)
        index = PointIndex(
            [grid.code for grid in register.grids],
            register.shapes,
            register.srid,
            near_border_m=near_border_m,
        )
        self.points = Points(
            index,
            [self.grids[code] for code in index.codes],
            [place.land for place in register.places if place.land],
            self._nothing,
            margin_m=margin_m,
            near_border_m=near_border_m,
        )
        self._codes: dict[str, list[int]] = {}
        for position, grid in enumerate(register.grids):
            for code in {_written(grid.code), _written(grid.external_code or grid.code)}:
                if not _may_be_house(code):
                    self._codes.setdefault(code, []).append(position)
        entries = [place.entry for place in register.places]
        shared = book is not None and book.entries == entries
        self.book = book if book is not None and shared else AddressBook(entries, register.district.code)
        self._sites = Sites(register.sites, register.srid)

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
        other.points = self.points.restated(
            [other.grids[code] for code in self.points.index.codes], other._nothing
        )
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
        lon, lat = point_to_wgs84(read.x, read.y, read.crs)
        answer = self.points.answer(lon, lat, accuracy_m, level, source)
        if not (read.swapped or read.prefix):
            return answer
        return replace(answer, reasons=(*notes_of(read), *answer.reasons))

    def resolve(self, text: str) -> Answer:
        """Answer for an address, or for the code of a grid, ours or the ledger's."""
        answer = judge(self.book.find(text), self.register.places, self.grids_of, self._nothing)
        named = self._codes.get(_written(text)) if answer.status is Status.NONE else None
        return self._coded(named) if named else answer

    def _coded(self, positions: Sequence[int]) -> Answer:
        """Answer for a code: the ledger's may be that of several grids, where a plan divided one."""
        first, *more = positions
        grids = self.register.grids
        if more:
            others = tuple(Alternative(grids[position]) for position in positions[:ALTERNATIVES])
            return replace(self._nothing, status=Status.AMBIGUOUS, alternatives=others)
        inside = shapely.point_on_surface(self.register.shapes[first])
        return replace(
            self._nothing,
            status=Status.MATCH,
            grid=grids[first],
            confidence=1.0,
            precision="grid",
            place=(inside.x, inside.y),
        )

    def nearest_sites(self, answer: Answer) -> tuple[NearSite, ...]:
        """Return the open site of each service that is nearest to an answer's place, where that is known."""
        return self._sites.nearest(*answer.place) if answer.place else ()

    def with_sites(self, answer: Answer) -> Answer:
        """Return an answer with the nearest open site of each service."""
        return replace(answer, sites=self.nearest_sites(answer))

    def with_border(self, answer: Answer) -> Answer:
        """Return an answer with the distance to the border of the grid that covers the place, where that is known."""
        if answer.border_m is not None or answer.place is None:
            return answer
        position = self.points.index.find(*answer.place)
        away = self.points.index.border_m(*answer.place, position) if position >= 0 else None
        return replace(answer, border_m=away)

    def grids_of(self, place: Place, entrance: int | None = None) -> Held:
        """Return the grids a building is in: by its cells, by the grid that covers it, by the ledger's word."""
        if place.cells:
            named = [code for at, code in place.cells if at == entrance]
            codes = named or [code for _, code in place.cells]
            return Held([self.grids[code] for code in dict.fromkeys(codes)])
        if place.building.place is None:
            return Held([self.grids[code] for code in place.stated], Reason.STATED_ONLY)
        position = self.points.index.find(*place.building.place)
        return Held([self.points.grids[position]] if position >= 0 else [], Reason.PENDING)


def _written(code: str) -> str:
    """Return the one way to write a code."""
    return unicodedata.normalize("NFKC", code).strip().upper()


def _may_be_house(code: str) -> bool:
    """Tell whether a ledger's code reads like the number of a building: 12, 3幢, A3, 12-2-301."""
    return is_label(code.lower()) and (len(code) < _LONGER_THAN_HOUSES or not re.search("[A-Z]", code))


def notes_of(read: Reading) -> tuple[Reason, ...]:
    """Return what is told of how coordinates were read."""
    said = {Reason.SWAPPED: read.swapped, Reason.ZONE_PREFIX: read.prefix}
    return tuple(reason for reason, holds in said.items() if holds)
