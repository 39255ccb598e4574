"""Boundaries of communities whose ledger states none: drawn from their buildings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from data import register
from geo.communities import derive_communities
from geo.crs import from_metric, to_metric


def derive(connection: Connection, district: str, import_id: int, *, srid: int, radius_m: float) -> list[str]:
    """Draw the communities without a stated boundary from their placed buildings.

    Where other communities have a stated boundary, that land stays theirs.

    Returns
    -------
    list of str
        Codes of the communities whose boundary changed.
    """
    communities = [one for one in register.communities(connection, district) if not one.retired]
    stated = [
        one.boundary for one in communities if one.boundary is not None and one.boundary_source == "stated"
    ]
    keys = [one.key for one in communities if one.boundary is None or one.boundary_source == "derived"]
    number = {key: index for index, key in enumerate(keys)}
    placed = [
        (lon, lat, number[key])
        for key, lon, lat in register.placed_points(connection, district)
        if key in number
    ]
    if not placed:
        return []
    lonlat = shapely.points([(lon, lat) for lon, lat, _ in placed])
    points = shapely.get_coordinates(to_metric(lonlat, srid))
    drawn = derive_communities(points, np.array([index for _, _, index in placed]), radius_m=radius_m)
    land = _without({keys[index]: shape for index, shape in drawn.items()}, stated, srid)
    return register.set_boundaries(connection, district, import_id, land)


def _without(
    drawn: Mapping[str, BaseGeometry], stated: list[BaseGeometry], srid: int
) -> dict[str, BaseGeometry]:
    """Cut stated boundaries (EPSG:4326) out of drawn ones (metric); return what is left in EPSG:4326."""
    shapes = np.array(list(drawn.values()), object)
    if stated:
        shapes = shapely.difference(shapes, shapely.union_all(to_metric(np.array(stated, object), srid)))
    moved = from_metric(shapes, srid)
    polygons = [
        MultiPolygon([part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"])
        for shape in moved
    ]
    return {key: shape for key, shape in zip(drawn, polygons, strict=True) if not shape.is_empty}
