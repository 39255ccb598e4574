"""The probability of areas under an uncertain position, against closed forms, sampling and properties."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from geo import accuracy
from geo.accuracy import Level, Outlines, sigma_m

metres = st.floats(-500, 500)
sigmas = st.floats(0.5, 400)


def shares(shapes, x, y, sigma):
    many = len(shapes)
    return Outlines(shapes).shares(
        np.arange(many), np.tile((float(x), float(y)), (many, 1)), np.full(many, sigma)
    )


def of(shape, x, y, sigma):
    return float(shares(np.array([shape]), x, y, sigma)[0])


@given(metres, metres, metres, metres, metres, metres, sigmas)
def test_a_rectangle_is_the_product_of_its_sides(x0, x1, y0, y1, x, y, sigma):
    (west, east), (south, north) = sorted((x0, x1)), sorted((y0, y1))
    expected = (ndtr((east - x) / sigma) - ndtr((west - x) / sigma)) * (
        ndtr((north - y) / sigma) - ndtr((south - y) / sigma)
    )
    if east - west > 1e-3 and north - south > 1e-3:
        assert of(shapely.box(west, south, east, north), x, y, sigma) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("level", "share"), [(Level.P68, 0.68), (Level.P95, 0.95), (Level.UNKNOWN, 0.68)])
def test_the_radius_holds_the_share_its_level_says(level, share):
    circle = shapely.Point(0, 0).buffer(40, quad_segs=500)
    assert of(circle, 0, 0, sigma_m(40, level)) == pytest.approx(share, abs=1e-5)


def test_a_hole_and_parts_count_as_they_are():
    ring = shapely.box(-20, -20, 20, 20) - shapely.box(-5, -5, 5, 5)
    both = shapely.MultiPolygon([ring, shapely.box(-5, -5, 5, 5)])
    whole = of(shapely.box(-20, -20, 20, 20), 3, 4, 10)
    assert of(ring, 3, 4, 10) + of(shapely.box(-5, -5, 5, 5), 3, 4, 10) == pytest.approx(whole, abs=1e-12)
    assert of(both, 3, 4, 10) == pytest.approx(whole, abs=1e-12)


def test_an_odd_shape_agrees_with_sampling():
    shape = shapely.Polygon([(-30, -10), (5, -2), (40, -25), (12, 6), (25, 40), (0, 12), (-18, 33)])
    drawn = np.random.default_rng(1).normal((4, 3), 15, (200_000, 2))
    sampled = shapely.contains_xy(shape, *drawn.T).mean()
    assert of(shape, 4, 3, 15) == pytest.approx(sampled, abs=0.005)


@pytest.mark.parametrize(("x", "y", "expected"), [(0, 0, 0.25), (0, 5000, 0.5), (5000, 5000, 1)])
def test_a_centre_on_a_corner_an_edge_and_inside(x, y, expected):
    assert of(shapely.box(0, 0, 1e4, 1e4), x, y, 10) == pytest.approx(expected, abs=1e-12)


@given(metres, metres, sigmas, st.integers(0, 2**32 - 1))
def test_a_tiling_adds_up_to_the_whole(x, y, sigma, seed):
    sites = shapely.MultiPoint(np.random.default_rng(seed).uniform(-400, 400, (12, 2)))
    frame = shapely.box(-400, -400, 400, 400)
    tiles = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=frame)), frame)
    assert shares(tiles, x, y, sigma).sum() == pytest.approx(of(frame, x, y, sigma), abs=1e-9)


def test_no_area_has_no_share():
    assert shares(np.array([], dtype=object), 0, 0, 1).tolist() == []


def test_many_pairs_are_integrated_as_each_alone(monkeypatch):
    spread = np.random.default_rng(1)
    areas = np.array(
        [shapely.Point(*spot).buffer(30) for spot in spread.uniform(0, 100, (9, 2))], dtype=object
    )
    outlines = Outlines(areas)
    area, centre, sigma = (
        spread.integers(0, 9, 40),
        spread.uniform(0, 100, (40, 2)),
        spread.uniform(1, 50, 40),
    )
    alone = [of(areas[n], *spot, size) for n, spot, size in zip(area, centre, sigma, strict=True)]
    assert outlines.shares(area, centre, sigma) == pytest.approx(alone, abs=1e-12)
    monkeypatch.setattr(accuracy, "_AT_ONCE", 100)
    assert outlines.shares(area, centre, sigma) == pytest.approx(alone, abs=1e-12)
