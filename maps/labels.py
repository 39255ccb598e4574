"""Where names go on a printed map: greedily, the most wanted first, none over another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from maps.fonts import Font

Boxes = npt.NDArray[np.float64]
"""Left, bottom, right, top of each box in points; shape (n, 4)."""
Spots = npt.NDArray[np.float64]
"""Points in points of the page; shape (n, 2)."""

_AIR = 0.7
_LINE = 1.08
_STEEP = math.radians(50)
_STACKED = 1.12
_CROOKED = 0.28
_STEP = 14.0


@dataclass(frozen=True)
class Written:
    """A text on the map: its middle, in points, and its angle in radians."""

    text: str
    x: float
    y: float
    size: float
    angle: float = 0.0


class Labels:
    """The labels of one map, which keep off each other and what is blocked.

    Taking a place is O(spots times labels there are already).

    Parameters
    ----------
    font : Font
        What is written with.
    frame : tuple of float
        Left, bottom, right, top of the map, in points; no label reaches over it.
    """

    def __init__(self, font: Font, frame: tuple[float, float, float, float]) -> None:
        self._font = font
        self._frame = frame
        self._taken: Boxes = np.empty((0, 4))

    def block(self, left: float, bottom: float, right: float, top: float) -> None:
        """Keep labels out of a box."""
        self._take(np.array([[left, bottom, right, top]]))

    def at(self, text: str, spots: Spots, sizes: Sequence[float]) -> list[Written]:
        """Write a text around the first spot that is free in the largest of ``sizes``; else nowhere."""
        for size in sizes:
            half = np.array([self._font.width(text, size) / 2 + _AIR, size * _LINE / 2 + _AIR])
            boxes = np.hstack([spots - half, spots + half])
            free = np.flatnonzero(self._are_free(boxes))
            if free.size:
                self._take(boxes[free[:1]])
                x, y = spots[free[0]].tolist()
                return [Written(text, x, y, size)]
        return []

    def along(self, text: str, line: shapely.LineString, sizes: Sequence[float]) -> list[Written]:
        """Write a text along a line where that is straight enough, from its middle outwards; else nowhere.

        On a steep line Chinese characters stand upright below each other.
        """
        for size in sizes:
            for written, boxes in self._ways(text, line, size):
                if self._are_free(boxes).all():
                    self._take(boxes)
                    return written
        return []

    def _ways(self, text: str, line: shapely.LineString, size: float) -> list[tuple[list[Written], Boxes]]:
        room = line.length
        across = self._font.width(text, size)
        upright = all(ord(each) >= 0x2E80 for each in text)
        middles = np.arange(across / 2, room - across / 2, _STEP) if room > across else np.empty(0)
        middles = middles[np.argsort(np.abs(middles - room / 2), kind="stable")]
        ways = []
        for middle in middles:
            ends = shapely.get_coordinates(line.interpolate([middle - across / 2, middle + across / 2]))
            (dx, dy) = ends[1] - ends[0]
            angle = math.atan2(dy, dx)
            slope = math.atan(math.tan(angle)) if dx else math.pi / 2
            if upright and abs(slope) > _STEEP:
                ways += self._stack(text, line, middle, size, downwards=dy < 0)
            else:
                ways += self._straight(text, line, middle, size, slope)
        return ways

    def _straight(
        self, text: str, line: shapely.LineString, middle: float, size: float, slope: float
    ) -> list[tuple[list[Written], Boxes]]:
        across = self._font.width(text, size)
        count = max(2, round(across / size))
        steps = (np.arange(count) + 0.5) / count * across - across / 2
        x, y = ends = shapely.get_coordinates(line.interpolate([middle + steps[0], middle + steps[-1]])).mean(
            0
        )
        chord = ends + np.outer(steps, [math.cos(slope), math.sin(slope)])
        if shapely.distance(shapely.points(chord), line).max() > _CROOKED * size:
            return []
        half = size * 0.55 + _AIR
        return [([Written(text, float(x), float(y), size, slope)], np.hstack([chord - half, chord + half]))]

    def _stack(
        self, text: str, line: shapely.LineString, middle: float, size: float, *, downwards: bool
    ) -> list[tuple[list[Written], Boxes]]:
        steps = (np.arange(len(text)) - (len(text) - 1) / 2) * size * _STACKED
        reach = size * _STACKED * len(text) / 2
        if not reach <= middle <= line.length - reach:
            return []
        spots = shapely.get_coordinates(line.interpolate(middle + (steps if downwards else -steps)))
        half = size * 0.5 + _AIR
        written = [Written(each, float(x), float(y), size) for each, (x, y) in zip(text, spots, strict=True)]
        return [(written, np.hstack([spots - half, spots + half]))]

    def _are_free(self, boxes: Boxes) -> npt.NDArray[np.bool_]:
        left, bottom, right, top = self._frame
        inside = np.all(boxes[:, :2] >= (left, bottom), axis=1) & np.all(boxes[:, 2:] <= (right, top), axis=1)
        apart = np.any(boxes[:, None, 2:] <= self._taken[None, :, :2], axis=2)
        apart |= np.any(boxes[:, None, :2] >= self._taken[None, :, 2:], axis=2)
        free: npt.NDArray[np.bool_] = inside & np.all(apart, axis=1)
        return free

    def _take(self, boxes: Boxes) -> None:
        self._taken = np.vstack([self._taken, boxes])


def around(shape: shapely.Geometry, size: float) -> Spots:
    """Return where the name of a small area may stand: on it, then beside it, then farther off."""
    west, south, east, north = shape.bounds
    x, y = (west + east) / 2, (south + north) / 2
    on_it = [tuple(shapely.get_coordinates(shapely.point_on_surface(shape))[0]), (x, y)]
    on_it += [((west + x) / 2, y), ((x + east) / 2, y)]
    beside_it = [
        (x + across * ((east - west) / 2 + off), y + up * ((north - south) / 2 + off * 0.7))
        for off in (size, 2 * size, 3 * size)
        for across, up in ((0, -1), (0, 1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
    ]
    return np.array(on_it + beside_it)


def beside(x: float, y: float, radius: float, width: float) -> Spots:
    """Return where a name of some width may stand beside a disc."""
    away = radius + width / 2 + 1.5
    return np.array([(x + away, y), (x - away, y), (x, y - radius - 5), (x, y + radius + 5)])
