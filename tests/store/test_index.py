"""The index beside PostGIS: on a real tessellation, on torn borders, and at points where rounding matters."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from data.session import Store
from geo.crs import metric_srid
from geo.index import PointIndex
from tests.covering import by_postgis, probes
from tests.unit.test_index import tessellation

SRID = metric_srid(121.5, 25.0)


def torn(shapes):
    """The same, as rounding each area's corners to 8 places leaves it."""
    return shapely.set_precision(shapes, 1e-8, mode="pointwise")


@pytest.mark.parametrize("change", [np.asarray, torn])
def test_the_index_agrees_with_postgis(database_url, change):
    codes, shapes = tessellation()
    shapes = change(shapes)
    points = probes(shapes, 20_000, seed=2)
    store = Store(database_url)
    with store.begin() as connection:
        covered, gap = by_postgis(connection, codes, shapes, points)
    store.close()
    found = PointIndex(codes, shapes, SRID).cover(points)
    np.testing.assert_array_equal(found, np.where(covered >= 0, covered, gap))
    assert (covered >= 0).sum() > 15_000
    assert (gap >= 0).any()
