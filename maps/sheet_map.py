"""The map of a grid sheet: the grid with its buildings and their numbers, and what lies around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
import shapely.ops

from maps.ground import Box, Ground, Layer, Shapes, View
from maps.labels import Labels, Spots, Written, around, beside
from maps.legend import Words, sign, words
from maps.pen import ACCENT, INK, MUTED, WHITE, Pen, Style

AROUND = Style(fill="#eceae5")
OWN = Style(fill=WHITE)
COMPOUND = Style(fill="#eaf1e4", line="#8fae7d", width=0.5, dash=(1.2, 1.6))
BUILDING = Style(fill="#f2c48d", line="#94611c", width=0.45)
OTHER_BUILDING = Style(fill="#d9d6cf")
OWN_BORDER = Style(line=ACCENT, width=1.5)
OWN_BAND = Style(line=ACCENT, width=7, opacity=0.25)
GRID_BORDER = Style(line="#8a8f94", width=0.8, dash=(4, 2))
COMMUNITY_BORDER = Style(line="#2b2f33", width=1.3, dash=(7, 2.5, 1.5, 2.5))
RIVER = Style(line="#9cc3e2", width=5)
STREAM = Style(line="#9cc3e2", width=1.4)
GREEN = Style(fill="#d6e8c9")
RAILWAY = Style(line="#6b6f74", width=1.6, dash=(6, 4))
WALL = Style(line="#8a8078", width=0.9, dash=(2, 2))
SITE_FILL, FACILITY_FILL = "#16325c", "#4a5056"
WATER_NAME = "#3b6f9c"
NUMBER_HALO, OWN_NAME = "#f9e4c8", "#3d5a2c"
STREET_EDGE, STREET_FILL = "#c4beb2", "#fffdf6"

_STREET_WIDTHS = {
    "trunk_road": 6.5,
    "trunk": 6.5,
    "primary": 6.0,
    "secondary": 5.0,
    "road": 4.6,
    "tertiary": 4.6,
}
_STREET_WIDTH = 3.0
_POINT = 2.0
_FILLED = 0.86
_LATTICE = 11
_OWN_SHARE = 0.15
_CODE_SIZE = 6.5
_STREET_EVERY = 330.0
_NUMBER = re.compile(r"^[0-9A-Za-z][0-9A-Za-z-]*")


class Sign(NamedTuple):
    """A mark on a map: what it means, its character and its colour."""

    said: Words
    character: str
    fill: str


SITE = Sign(Words("阵地", "service site"), "党", SITE_FILL)


class Drawn(NamedTuple):
    """What came of a map: numbers of buildings that found no place, and the signs on it."""

    left_out: list[str]
    signs: list[Sign]


class SheetMap:
    """The map of one grid.

    Parameters
    ----------
    pen : Pen
        What it is drawn with.
    ground : Ground
        The district.
    grid : row of ``ground.grids``
        Whose map it is.
    view : View
        Where on the page.
    """

    def __init__(self, pen: Pen, ground: Ground, grid: Any, view: View) -> None:
        self._pen = pen
        self._ground = ground
        self._grid = grid
        self._view = view
        self._labels = Labels(pen.font, view.frame)
        self._texts: list[tuple[Written, str, str, bool]] = []
        self._signs: set[Sign] = set()
        number = next(each for each, row in enumerate(ground.grids.rows) if row.id == grid.id)
        self._own = view.placed(ground.grids.shapes[[number]])[0]

    def draw(self) -> Drawn:
        """Draw the map."""
        pen, frame = self._pen, self._view.frame
        with pen.within(*frame):
            pen.box(*frame, AROUND)
            pen.shapes([self._own], OWN)
            self._areas(self._ground.green, GREEN)
            water = self._draw_water()
            compounds = self._areas(self._ground.compounds, COMPOUND)
            streets = self._draw_streets()
            rail = self._areas(self._ground.rail, RAILWAY)
            self._draw_walls()
            numbers = self._draw_buildings()
            grids = self._areas(self._ground.grids, GRID_BORDER)
            self._areas(self._ground.communities, COMMUNITY_BORDER)
            pen.shapes([self._own], OWN_BAND)
            pen.shapes([self._own], OWN_BORDER)
            self._draw_points()
            left_out = [text for text, shape in numbers if not self._name_building(text, shape)]
            self._name_streets([*water, *rail], colour=WATER_NAME)
            self._name_streets(streets)
            self._name_areas(compounds, own=(10, 8.5, 7.5), others=(7.5, 6.5))
            self._name_grids(grids)
            for written, colour, halo, bold in self._texts:
                pen.label(written, colour, halo=halo, bold=bold)
        pen.box(*frame, Style(line=INK, width=0.8))
        return Drawn(left_out, sorted(self._signs, key=lambda each: (each != SITE, each)))

    def block(self, box: Box) -> None:
        """Keep labels out of a box of the page; before drawing."""
        self._labels.block(*box)

    def _near(self, layer: Layer) -> tuple[list[Any], Shapes]:
        rows, shapes = layer.near(self._view.land)
        placed = self._view.placed(shapes)
        seen = ~shapely.is_empty(placed)
        return [row for row, each in zip(rows, seen, strict=True) if each], placed[seen]

    def _areas(self, layer: Layer, style: Style) -> list[tuple[Any, shapely.Geometry]]:
        rows, shapes = self._near(layer)
        if style.fill:
            self._pen.shapes(shapes, Style(fill=style.fill))
        if style.line:
            self._pen.shapes(shapes, Style(line=style.line, width=style.width, dash=style.dash))
        return list(zip(rows, shapes, strict=True))

    def _draw_streets(self) -> list[tuple[Any, shapely.Geometry]]:
        rows, shapes = self._near(self._ground.streets)
        wide = np.array([_STREET_WIDTHS.get(row.kind, _STREET_WIDTH) for row in rows])
        for colour, less in ((STREET_EDGE, 0.0), (STREET_FILL, 1.1)):
            for width in np.unique(wide):
                self._pen.shapes(shapes[wide == width], Style(line=colour, width=float(width) - less))
        return list(zip(rows, shapes, strict=True))

    def _draw_water(self) -> list[tuple[Any, shapely.Geometry]]:
        rows, shapes = self._near(self._ground.water)
        areas = shapely.get_dimensions(shapes) == 2
        narrow = np.array([row.kind == "stream" for row in rows], dtype=bool)
        self._pen.shapes(shapes[areas], Style(fill=RIVER.line))
        self._pen.shapes(shapes[~areas & ~narrow], RIVER)
        self._pen.shapes(shapes[~areas & narrow], STREAM)
        return list(zip(rows, shapes, strict=True))

    def _draw_walls(self) -> None:
        """Draw walls; the other barriers are water, rail and streets as well."""
        rows, shapes = self._near(self._ground.barriers)
        self._pen.shapes([shape for row, shape in zip(rows, shapes, strict=True) if row.kind == "wall"], WALL)

    def _draw_buildings(self) -> list[tuple[str, shapely.Geometry]]:
        """Draw the buildings; return what those of the grid are called, the largest last."""
        rows, shapes = self._near(self._ground.buildings)
        shapes = np.array([_as_area(shape) for shape in shapes], dtype=object)
        own = np.array([self._holds(row, shape) for row, shape in zip(rows, shapes, strict=True)], dtype=bool)
        self._pen.shapes(shapes[~own], OTHER_BUILDING)
        self._pen.shapes(shapes[own], BUILDING)
        named = [
            (building_text(rows[each], self._entrances(rows[each])), shapes[each])
            for each in np.flatnonzero(own)
        ]
        return [(text, shape) for text, shape in named if text]

    def _name_building(self, text: str, shape: shapely.Geometry) -> bool:
        """Write what a building is called, as large as it has room for; its bare number where that must do."""
        short = _NUMBER.match(text)
        west, south, east, north = shape.bounds
        wide, high = (east - west) * _FILLED, (north - south) * _FILLED
        large = tuple(
            size for size in (12, 10, 8.5) if size <= high and self._pen.font.width(text, size) <= wide
        )
        ways = [(text, (*large, 7, 6)), *([(short[0], (7, 6, 5))] if short else []), (text, (5, 4.2))]
        for each, sizes in ways:
            written = self._labels.at(each, around(shape, sizes[-1]), sizes)
            if written:
                self._write(written, INK, halo=NUMBER_HALO)
                return True
        return False

    def _holds(self, row: Any, shape: shapely.Geometry) -> bool:
        holders = self._ground.holders.get(row.id)
        if holders is None:  # too new to be in the plan: the land counts
            return bool(shapely.contains(self._own, shapely.point_on_surface(shape)))
        return self._grid.id in holders

    def _entrances(self, row: Any) -> list[int]:
        return self._ground.holders.get(row.id, {}).get(self._grid.id) or []

    def _draw_points(self) -> None:
        for layer, radius in ((self._ground.facilities, 4.2), (self._ground.sites, 5.4)):
            rows, shapes = self._near(layer)
            for row, (x, y) in zip(rows, shapely.get_coordinates(shapes).tolist(), strict=True):
                if row.state != "open" or not _in_frame(x, y, self._view.frame):
                    continue
                is_site = layer is self._ground.sites
                shown = SITE if is_site else facility_sign(row.kind)
                self._signs.add(shown)
                self._pen.mark(x, y, shown.character, radius, shown.fill)
                self._labels.block(x - radius, y - radius, x + radius, y + radius)
                if is_site:
                    spots = beside(x, y, radius, self._pen.font.width(row.name, _CODE_SIZE))
                    self._write(self._labels.at(row.name, spots, (_CODE_SIZE,)), SITE_FILL)

    def _name_streets(self, streets: Sequence[tuple[Any, shapely.Geometry]], colour: str = "#55504a") -> None:
        named: dict[str, list[shapely.Geometry]] = {}
        for row, shape in streets:
            if isinstance(row.name, str) and row.name:
                named.setdefault(row.name, []).append(shapely.boundary(shape) if shape.area else shape)
        frame = shapely.box(*self._view.frame)
        for name, shapes in named.items():
            seen = shapely.intersection(shapely.union_all(shapes), frame)
            parts = shapely.get_parts(shapely.line_merge(seen))
            for part in sorted(parts, key=shapely.length, reverse=True)[:3]:
                pieces = max(1, round(part.length / _STREET_EVERY))
                written = [
                    one
                    for low, high in pairwise(np.linspace(0, 1, pieces + 1))
                    for one in self._labels.along(
                        name, shapely.ops.substring(part, low, high, normalized=True), (7.5, 6.5, 5.5)
                    )
                ]
                self._write(written, colour)
                if written:
                    break

    def _name_areas(
        self,
        areas: Sequence[tuple[Any, shapely.Geometry]],
        own: Sequence[float],
        others: Sequence[float],
    ) -> None:
        for row, shape in areas:
            inside = shapely.intersection(shape, self._own)
            if inside.area > _OWN_SHARE * shape.area:
                spots = self._spots(inside, row.name, own[-1])
                self._write(self._labels.at(row.name, spots, own), OWN_NAME, bold=True)
            else:
                self._write(
                    self._labels.at(row.name, self._spots(shape, row.name, others[-1]), others), MUTED
                )

    def _name_grids(self, grids: Sequence[tuple[Any, shapely.Geometry]]) -> None:
        for row, shape in grids:
            name = row.code if isinstance(row.code, str) else row.external_code
            if row.id == self._grid.id or not isinstance(name, str):
                continue
            for each in (name, name[-3:]):
                written = self._labels.at(each, self._spots(shape, each, _CODE_SIZE), (_CODE_SIZE,))
                if written:
                    self._write(written, MUTED)
                    break

    def _spots(self, area: shapely.Geometry, text: str, size: float) -> Spots:
        """Points of an area that is seen, for a text: those where all of it lies in the area, then the others.

        The nearest to the area's middle come first.
        """
        seen = shapely.intersection(area, shapely.box(*self._view.frame))
        if not seen.area:
            return np.empty((0, 2))
        west, south, east, north = seen.bounds
        steps = (np.arange(_LATTICE) + 0.5) / _LATTICE
        x, y = np.meshgrid(west + steps * (east - west), south + steps * (north - south))
        inside = shapely.contains_xy(seen, x, y)
        middle = shapely.get_coordinates(shapely.centroid(seen))
        spots = np.vstack(
            [shapely.get_coordinates(shapely.point_on_surface(seen)), np.c_[x[inside], y[inside]]]
        )
        half = np.array([self._pen.font.width(text, size) / 2, size / 2])
        shapely.prepare(seen)
        across = ~shapely.contains(seen, shapely.box(*(spots - half).T, *(spots + half).T))
        order: Spots = spots[np.lexsort((np.hypot(*(spots - middle).T), across))]
        return order

    def _write(
        self, written: Sequence[Written], colour: str, *, halo: str = WHITE, bold: bool = False
    ) -> None:
        self._texts += [(one, colour, halo, bold) for one in written]


def facility_sign(kind: str) -> Sign:
    """Return the mark of a kind of facility."""
    return Sign(words("facility", kind), sign("facility", kind), FACILITY_FILL)


def building_text(row: Any, entrances: Sequence[int]) -> str:
    """Return what a building is called on a map: its label, its number in the street, else the place in it.

    Where a grid holds some of its entrances alone, they are added.
    """
    said = [each for each in (row.label, row.road_number, row.poi) if isinstance(each, str) and each]
    if not said:
        return ""
    return f"{said[0]} {runs(entrances)}单元" if entrances else said[0]


def runs(numbers: Sequence[int]) -> str:
    """Return whole numbers in order, those that follow each other as a range: ``1–3、5``."""
    told = pd.Series(sorted(numbers))
    groups = told.groupby((told.diff() != 1).cumsum())
    ends = [(each.iloc[0], each.iloc[-1]) for _, each in groups]
    return "、".join(f"{low}" if low == high else f"{low}–{high}" for low, high in ends)


def _as_area(shape: shapely.Geometry) -> shapely.Geometry:
    return shape.buffer(_POINT, cap_style="square") if shapely.get_dimensions(shape) == 0 else shape


def _in_frame(x: float, y: float, frame: Box) -> bool:
    return frame[0] <= x <= frame[2] and frame[1] <= y <= frame[3]
