"""Plots: the ground buildings stand on, from which their cells grow.

A plot lies within one enclosure and no two plots overlap. Buildings that stand on the same ground (on one
point, with the same outline, a point within an outline) share one plot; its land is divided between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.coverage import Geometries, valid_area

MARGIN_M = 0.02
"""No plot lies nearer to its enclosure's edge than this, metres; narrower enclosures have no plots."""

POINT_M = 0.005
"""Half the side of the square that stands for a building without a footprint, metres."""

GAP_M = 0.4
"""Footprints shrink by this, metres (momepy's default), and plots lie at least as far apart."""

OWN_SHARE = 0.25
"""A footprint that smaller ones on it leave less than this share of has no ground of its own."""


@dataclass(frozen=True)
class Plots:
    """Grounds of n buildings.

    Attributes
    ----------
    shape : ndarray of Polygon, shape (p,)
        At least `GAP_M` apart in an enclosure, each within its enclosure.
    enclosure : ndarray of int, shape (p,)
        Number of that enclosure.
    is_point : ndarray of bool, shape (p,)
        The shape only stands for a point.
    of_building : ndarray of int, shape (n,)
        Plot of each building.
    anchor : ndarray of Point, shape (n,)
        A point of each building, within its enclosure.
    """

    shape: Geometries
    enclosure: npt.NDArray[np.intp]
    is_point: npt.NDArray[np.bool_]
    of_building: npt.NDArray[np.intp]
    anchor: Geometries


def make_plots(buildings: Geometries, enclosures: Geometries) -> Plots:
    """Give every building a plot.

    Parameters
    ----------
    buildings : ndarray of Point, Polygon or MultiPolygon, shape (n,)
        In order of their keys, metres; may overlap, coincide, reach over enclosures and be invalid. Each
        counts where its representative point lies.
    enclosures : ndarray of Polygon
        Disjoint, metres; at least one wider than twice `MARGIN_M`.

    Notes
    -----
    O(n log n) where few buildings overlap.
    """
    footprints = valid_area(buildings)
    collapsed = shapely.is_empty(footprints)
    footprints[collapsed] = shapely.centroid(buildings[collapsed])
    anchor = shapely.point_on_surface(footprints)
    cores = shapely.buffer(enclosures, -MARGIN_M)
    enclosure = _nearest(anchor, enclosures, ~shapely.is_empty(cores))
    anchor = shapely.get_point(shapely.shortest_line(cores[enclosure], anchor), 0)
    inside = shapely.intersection(footprints, enclosures[enclosure])
    ground = _part_at(shapely.buffer(inside, -GAP_M), anchor)
    is_point = shapely.is_empty(ground)
    ground[is_point] = shapely.buffer(anchor[is_point], POINT_M, cap_style="square")
    shape, host = _without_overlaps(ground, is_point)
    hosts, of_building = np.unique(host, return_inverse=True)
    return Plots(shape[hosts], enclosure[hosts], is_point[hosts], of_building, anchor)


def _nearest(
    points: Geometries, enclosures: Geometries, usable: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """Return the number of the nearest usable enclosure of each point, the first of several."""
    point, found = shapely.STRtree(enclosures[usable]).query_nearest(points, all_matches=True)
    order = np.lexsort((found, point))
    first = order[np.unique(point[order], return_index=True)[1]]
    return np.asarray(np.flatnonzero(usable)[found[first]])


def _part_at(areas: Geometries, points: Geometries) -> Geometries:
    """Return the part of each area nearest to its point; an empty area stays empty."""
    parts, owner = shapely.get_parts(areas, return_index=True)
    order = np.lexsort((shapely.distance(parts, points[owner]), owner))
    first = order[np.unique(owner[order], return_index=True)[1]]
    nearest = np.full(len(areas), shapely.Polygon(), dtype=object)
    nearest[owner[first]] = parts[first]
    return nearest


def _without_overlaps(
    ground: Geometries, is_point: npt.NDArray[np.bool_]
) -> tuple[Geometries, npt.NDArray[np.intp]]:
    """Let smaller grounds take what they share with larger ones; who keeps too little moves in with another.

    A tower keeps its outline and its podium the rest around it; a copy, or a point within an outline,
    shares. Grounds nearer than `GAP_M` count as overlapping: a tessellation could not part them.

    Returns
    -------
    shape : ndarray of Polygon
        At least `GAP_M` apart among the hosts.
    host : ndarray of int
        For each ground the one whose shape it uses: itself or the one it moved in with.
    """
    order = np.lexsort((shapely.area(ground), is_point))
    shape, host = ground[order], np.arange(len(ground))
    larger, smaller = shapely.STRtree(shape).query(shape, predicate="dwithin", distance=GAP_M)
    larger, smaller = larger[larger > smaller], smaller[larger > smaller]
    for i, others in pd.Series(smaller).groupby(larger):
        hosts = np.sort(others[host[others] == others])
        overlap = shapely.area(shapely.intersection(shapely.buffer(shape[i], GAP_M), shape[hosts]))
        if not overlap.any():
            continue
        taken = shapely.union_all(shapely.buffer(shape[hosts[overlap > 0]], 2 * GAP_M))
        rest = shapely.get_parts(shapely.difference(shape[i], taken))
        best = max(rest, key=shapely.area, default=shapely.Polygon())
        if best.area < OWN_SHARE * shape[i].area:
            host[i] = hosts[np.argmax(overlap)]
        else:
            shape[i] = best
    back = np.argsort(order)
    return shape[back], order[host[back]]
