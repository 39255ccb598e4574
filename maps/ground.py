"""A district ready to be drawn on paper: its layers in metres, and the view of a part of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geo.crs import to_metric

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
Shapes = npt.NDArray[np.object_]

_FACES = (1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9)
_SCALES = tuple(face * 10**power for power in range(2, 6) for face in _FACES if face * 10**power >= 400)
_POINTS_PER_METRE = 72 / 0.0254
_FILLED = 0.86
_FINEST_POINT = 0.15


@dataclass(frozen=True)
class View:
    """Where a part of the land lies on the page: metres to points."""

    frame: Box
    centre: tuple[float, float]
    scale: float
    points_per_metre: float

    @property
    def land(self) -> Box:
        """What the frame shows, in metres."""
        x, y = self.centre
        left, bottom, right, top = self.frame
        half_x, half_y = (
            (right - left) / 2 / self.points_per_metre,
            (top - bottom) / 2 / self.points_per_metre,
        )
        return x - half_x, y - half_y, x + half_x, y + half_y

    def placed(self, shapes: Shapes) -> Shapes:
        """Return shapes in points of the page, cut to a little more than the frame; what is outside is empty."""
        left, bottom, right, top = self.land
        margin = 20 / self.points_per_metre
        cut = shapely.clip_by_rect(shapes, left - margin, bottom - margin, right + margin, top + margin)
        middle = np.array([(self.frame[0] + self.frame[2]) / 2, (self.frame[1] + self.frame[3]) / 2])
        moved = shapely.transform(cut, lambda xy: (xy - self.centre) * self.points_per_metre + middle)
        light: Shapes = shapely.simplify(moved, _FINEST_POINT)
        return light


def view_of(area: shapely.Geometry, frame: Box, paper: float) -> View:
    """Return the view of an area at the largest of the usual scales at which it fits into the frame with room.

    Parameters
    ----------
    area : Geometry
        In metres.
    paper : float
        How much larger the paper is than the page that ``frame`` is of.
    """
    west, south, east, north = area.bounds
    left, bottom, right, top = frame
    needed = max((east - west) / (right - left), (north - south) / (top - bottom)) / _FILLED
    needed *= _POINTS_PER_METRE / paper
    scale = next((each for each in _SCALES if each >= needed), needed)
    return View(frame, ((west + east) / 2, (south + north) / 2), scale, _POINTS_PER_METRE / scale / paper)


class Layer:
    """Rows with a shape, in metres, found by place."""

    def __init__(self, frame: gpd.GeoDataFrame, srid: int) -> None:
        drawn = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
        self.rows: list[Any] = list(drawn.drop(columns=drawn.geometry.name).itertuples(index=False))
        self.shapes: Shapes = to_metric(drawn.geometry.to_numpy(), srid)
        self._tree = shapely.STRtree(self.shapes)

    def near(self, box: Box) -> tuple[list[Any], Shapes]:
        """Return the rows in a box of metres, and their shapes."""
        found = np.sort(self._tree.query(shapely.box(*box)))
        return [self.rows[each] for each in found], self.shapes[found]


@dataclass(frozen=True)
class Ground:
    """What the maps of all sheets of a district are drawn from, in metres."""

    grids: Layer
    communities: Layer
    compounds: Layer
    buildings: Layer
    streets: Layer
    barriers: Layer
    water: Layer
    rail: Layer
    green: Layer
    sites: Layer
    facilities: Layer
    holders: dict[int, dict[int, list[int] | None]]
    """By building id the ids of the grids that hold it, and of a split one which entrances each holds."""
