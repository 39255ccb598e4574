"""Coordinate systems as map clients name them."""

from __future__ import annotations

import pytest
import shapely
from pyproj import CRS

from geo import systems
from geo.errors import CoordinateError


def test_the_order_of_axes_is_the_definitions():
    for system in systems.served(32650).values():
        first = CRS.from_epsg(system.srid).axis_info[0].direction
        assert system.northing_first == (first == "north" and system is not systems.CRS84)


@pytest.mark.parametrize(
    "name",
    ["EPSG:4549", "[EPSG:4549]", "http://www.opengis.net/def/crs/EPSG/0/4549", "urn:ogc:def:crs:EPSG::4549"],
)
def test_a_system_has_a_short_name_too(name):
    assert systems.named(name, 4549).srid == 4549


def test_the_districts_own_system_is_served():
    assert systems.named("EPSG:32650", 32650).srid == 32650
    with pytest.raises(CoordinateError):
        systems.named("EPSG:32650", 4549)


def test_a_box_across_the_antimeridian_is_in_two_parts():
    area = systems.box((170, -10, -170, 10), systems.CRS84)
    assert area.equals(shapely.union(shapely.box(170, -10, 180, 10), shapely.box(-180, -10, -170, 10)))


@pytest.mark.parametrize(
    "bounds", [(0, 10, 1, 5), (-181, 0, 1, 1), (0, 0, 1, 91), (0, -91, 1, 1), (0, 0, 200, 1)]
)
def test_an_impossible_box_is_refused(bounds):
    with pytest.raises(CoordinateError):
        systems.box(bounds, systems.CRS84)


def test_a_projected_box_is_followed_along_its_sides():
    metric = systems.named("EPSG:4549", 4549)
    area = systems.box((3_400_000.0, 300_000.0, 3_600_000.0, 700_000.0), metric)
    assert len(shapely.get_coordinates(area)) > 60
    back = systems.stored(shapely.Point(3_400_000.0, 500_000.0), metric)
    assert area.distance(back) < 1e-3
