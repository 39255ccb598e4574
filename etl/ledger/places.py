"""Checks of where things are: far from the district, axes swapped, outside their community."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from data.districts import District
from data.register import StoredCompound
from etl.ledger import reasons
from etl.ledger.batch import Batch, Row
from etl.ledger.stored import Stored
from geo.crs import to_metric
from geo.errors import InputError

Box = tuple[float, float, float, float]

FAR_DEG = 3.0
"""A district does not reach further from its middle than this, degrees."""
BESIDE_DEG = 0.05
"""A delivery whose middle is this far from all that is stored is another district's, degrees."""
BORDER_TOLERANCE_M = 10.0
"""A thing this near its community counts as inside: the accuracy of a surveyed border, metres."""

_IN_A_COMMUNITY = ("compounds", "buildings", "sites")


def middle(batch: Batch, stored: Stored) -> tuple[float, float] | None:
    """Return the longitude and latitude the district lies around; None when nothing has a position.

    Stored boundaries are believed first, then delivered ones, then everything delivered.
    """
    for shapes in (
        [community.boundary for community in stored.communities if community.boundary is not None],
        [row.shape for row in batch.good("communities") if row.shape is not None],
        [row.shape for noun in batch.rows for row in batch.good(noun) if row.shape is not None],
    ):
        if shapes:
            lon, lat = np.median(shapely.get_coordinates(shapely.centroid(np.array(shapes, object))), axis=0)
            return float(lon), float(lat)
    return None


def check_far(batch: Batch, around: tuple[float, float]) -> None:
    """Refuse rows far from the middle of the district; say so when their axes are swapped."""
    for noun in batch.rows:
        rows = [row for row in batch.good(noun) if row.shape is not None]
        places = shapely.get_coordinates(shapely.centroid(np.array([row.shape for row in rows], object)))
        far = np.abs(places - around).max(axis=1, initial=0) > FAR_DEG
        swapped = np.abs(places[:, ::-1] - around).max(axis=1, initial=0) <= FAR_DEG
        for index in np.flatnonzero(far):
            why = reasons.SWAPPED_AXES if swapped[index] else reasons.FAR_AWAY
            batch.refuse(rows[index], "geometry", why, value="{:.6f} {:.6f}".format(*places[index]))


def check_elsewhere(batch: Batch, district: District, extent: Box | None) -> None:
    """See that a delivery does not lie beside what is stored of the district.

    Parameters
    ----------
    extent : (float, float, float, float) or None
        West, south, east and north of what is stored, degrees; None where nothing is.

    Raises
    ------
    InputError
        If the middle of what is delivered lies further from it than its own size and `BESIDE_DEG`.
    """
    nouns = ("communities", "compounds", "buildings")
    shapes = [row.shape for noun in nouns for row in batch.good(noun) if row.shape is not None]
    if extent is None or not shapes:
        return
    low, high = np.array(extent[:2]), np.array(extent[2:])
    middle = np.median(shapely.get_coordinates(shapely.centroid(np.array(shapes, object))), axis=0)
    beyond = np.maximum(low - middle, middle - high).max()
    if beyond > (high - low).max() + BESIDE_DEG:
        raise InputError(
            f"The delivery lies around {middle[0]:.3f} {middle[1]:.3f}, far from all that is stored of"
            f" {district.code} {district.name}.",
            "Check --district; a district of its own is added with --district CODE:NAME.",
        )


def stated_boundaries(batch: Batch, stored: Stored) -> dict[str, BaseGeometry]:
    """Return the stated boundary of each community that has one, delivered before stored, by code."""
    boundaries = {
        community.key: community.boundary
        for community in stored.communities
        if community.boundary is not None and community.boundary_source == "stated" and not community.retired
    }
    boundaries |= {
        row.values["code"]: row.shape for row in batch.good("communities") if row.shape is not None
    }
    return dict(sorted(boundaries.items()))


def assign_communities(
    batch: Batch, boundaries: Mapping[str, BaseGeometry], compounds: Mapping[str, StoredCompound]
) -> None:
    """Find the community of rows that name none: by their compound, else by the boundary that covers them.

    Of several boundaries the one with the smallest code is taken. Rows for which neither helps are refused.

    Parameters
    ----------
    boundaries : mapping of str to geometry
        By community, in order of code.
    compounds : mapping of str to StoredCompound
        By external code.
    """
    tree, codes = shapely.STRtree(list(boundaries.values())), list(boundaries)
    community_of = {code: compound.community for code, compound in compounds.items()}
    for noun in ("compounds", "buildings"):
        for row in batch.good(noun):
            if not row.values["community"]:
                row.values["community"] = community_of.get(row.values["compound"] or "")
        lost = [row for row in batch.good(noun) if not row.values["community"]]
        points = [shapely.Point() if row.shape is None else row.shape.representative_point() for row in lost]
        index, covering = tree.query(np.array(points, object), predicate="covered_by")
        for place, number in sorted(zip(index, covering, strict=True), reverse=True):
            lost[place].values["community"] = codes[number]
        for row in lost:
            if not row.values["community"]:
                batch.refuse(row, "community", reasons.NO_COMMUNITY)
        if noun == "compounds":
            community_of |= {row.values["code"]: row.values["community"] for row in batch.good(noun)}
        batch.columns.setdefault(noun, set()).add("community")


def check_inside(batch: Batch, boundaries: Mapping[str, BaseGeometry], srid: int) -> None:
    """Refuse rows that lie more than `BORDER_TOLERANCE_M` outside the boundary of their community."""
    metric = dict(zip(boundaries, to_metric(np.array(list(boundaries.values()), object), srid), strict=True))
    shapely.prepare(list(metric.values()))
    for noun in _IN_A_COMMUNITY:
        rows = [
            row for row in batch.good(noun) if row.shape is not None and row.values["community"] in boundaries
        ]
        points = np.array([row.shape.representative_point() for row in rows if row.shape is not None], object)
        homes = [metric[row.values["community"]] for row in rows]
        distance = shapely.distance(to_metric(points, srid), np.array(homes, object))
        for index in np.flatnonzero(distance > BORDER_TOLERANCE_M):
            row = rows[index]
            inside = boundaries[row.values["community"]].covers(_swapped(points[index]))
            why = reasons.SWAPPED_AXES if inside else reasons.OUTSIDE_COMMUNITY
            hint = f"{row.values['community']}: {distance[index]:.0f} m"
            batch.refuse(row, "geometry", why, hint, value=_shown(row, points[index]))


def _swapped(point: shapely.Point) -> shapely.Point:
    return shapely.Point(point.y, point.x)


def _shown(row: Row, point: shapely.Point) -> str:
    return f"{point.x:.6f} {point.y:.6f}"
