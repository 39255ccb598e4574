"""Footprints: templates put where a block has room for them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Polygon

from geo.coverage import Geometries

Floats = npt.NDArray[np.float64]

_ARM = np.array([1 - 0.6j, 1 + 0.6j, 0.6 + 0.6j])
_ARMS = np.concatenate([_ARM, 1j * _ARM, -_ARM, -1j * _ARM])
BAR = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2
CORNER = np.array([(-1, -1), (1, -1), (1, 1), (0, 1), (0, 0.2), (-1, 0.2)]) / 2
STEPPED = np.array([(-1, -1), (0, -1), (0, -0.7), (1, -0.7), (1, 1), (0.1, 1), (0.1, 0.7), (-1, 0.7)]) / 2
CROSS = np.column_stack([_ARMS.real, _ARMS.imag]) / 2
"""Outlines in a square of side 1 around the origin."""

HOUSE_DEPTH_M = (9.0, 12.5)
HOUSE_FRONT_M = (9.0, 22.0)
HOUSE_GAP_M = (1.0, 7.0)
RING_M = 26.0
"""From one row of houses to the next, further from the street."""


@dataclass(frozen=True)
class Slots:
    """Places for houses: their outlines, and in which row from the street each stands (0 is the first)."""

    outline: Geometries
    row: npt.NDArray[np.int64]


def place(template: Floats, at: Floats, heading: Floats, length: Floats, depth: Floats) -> Geometries:
    """Return the template at n places.

    Parameters
    ----------
    template : ndarray of float, shape (k, 2)
    at : ndarray of float, shape (n, 2)
        Middles, metres.
    heading : ndarray of float, shape (n, 2)
        Unit vectors along the length.
    length, depth : ndarray of float, shape (n,)
        Metres.

    Returns
    -------
    ndarray of Polygon, shape (n,)
    """
    ahead = heading * length[:, None]
    aside = np.column_stack([-heading[:, 1], heading[:, 0]]) * depth[:, None]
    corners = at[:, None] + template[:, 0, None] * ahead[:, None] + template[:, 1, None] * aside[:, None]
    return np.asarray(shapely.polygons(corners)).reshape(-1)


def lattice(
    room: Polygon, template: Floats, length: float, depth: float, pitch: tuple[float, float]
) -> Geometries:
    """Fill a room with equal outlines in rows that run as nearly east and west as its sides do."""
    middle = shapely.get_coordinates(shapely.centroid(room))[0]
    heading = easterly(room)
    reach = int(np.hypot(*np.ptp(shapely.get_coordinates(room), axis=0)) / min(pitch)) + 1
    i, j = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    ahead, aside = heading * pitch[0], np.array([-heading[1], heading[0]]) * pitch[1]
    at = middle + i.reshape(-1, 1) * ahead + j.reshape(-1, 1) * aside
    count = len(at)
    outlines = place(
        template, at, np.tile(heading, (count, 1)), np.full(count, length), np.full(count, depth)
    )
    inside = shapely.contains_properly(room, outlines)
    return np.asarray(outlines[inside])


def street_rows(room: Polygon, rng: np.random.Generator) -> Slots:
    """Return houses side by side along the edge of a room, and along two rows behind."""
    outlines: list[Polygon] = []
    rows: list[int] = []
    for row in range(3):
        inner = shapely.buffer(room, -HOUSE_DEPTH_M[1] / 2 - row * RING_M, join_style="mitre")
        for part in shapely.get_parts(inner):
            found = _houses(part.simplify(2.0), rng)
            outlines.extend(found)
            rows.extend([row] * len(found))
    everything = np.array(outlines, dtype=object)
    first, second = shapely.STRtree(everything).query(everything, predicate="dwithin", distance=0.5)
    free = np.setdiff1d(np.arange(len(everything)), second[first < second])
    return Slots(everything[free], np.array(rows, dtype=np.int64)[free])


def _houses(ring: Polygon, rng: np.random.Generator) -> list[Polygon]:
    """Walk along the sides of a ring and put houses on them, leaving the corners free."""
    corners = shapely.get_coordinates(ring.exterior)
    found: list[Polygon] = []
    for start, end in pairwise(corners):
        side = float(np.hypot(*(end - start)))
        most = int(side / HOUSE_FRONT_M[0]) + 1
        front, gap = rng.uniform(*HOUSE_FRONT_M, most), rng.uniform(*HOUSE_GAP_M, most)
        middle = np.cumsum(front + gap) - front / 2
        fits = middle + front / 2 < side - HOUSE_DEPTH_M[1] / 2
        heading = np.tile((end - start) / side, (int(fits.sum()), 1))
        depth = rng.uniform(*HOUSE_DEPTH_M, most)[fits]
        template = CORNER if rng.random() < 0.2 else BAR
        found.extend(place(template, start + middle[fits, None] * heading, heading, front[fits], depth))
    return found


def easterly(room: Polygon) -> Floats:
    """Return the direction of the room's side that is nearest to east."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(room))
    sides = corners[1:3] - corners[:2]
    units = sides / np.hypot(*sides.T)[:, None]
    unit = units[np.argmax(np.abs(units[:, 0]))]
    return np.asarray(unit * (1.0 if unit[0] > 0 else -1.0))
