"""The land of plots that share an enclosure: momepy's tessellation, remembered by what it was made from.

Tessellation is nine tenths of the work of making cells, and depends on nothing but an enclosure and the plots
in it. So a district that changed a little is made anew with only the enclosures that are new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import shapely

from geo.coverage import Geometries, area_only
from geo.plots import Plots

SEGMENT_M = 0.7
"""Outlines are broken into segments of this length for the tessellation, metres.

Half of it is less than `geo.plots.GAP_M`, so that no point of a plot is nearer to another plot's vertices.
"""

_METHOD = f"1 {SEGMENT_M} {shapely.geos_version_string}".encode()
"""Part of every digest: raise the number where the same plots would come out otherwise than before."""


@dataclass(frozen=True)
class Memo:
    """Tessellated enclosures by the digest of what they were made from.

    Attributes
    ----------
    known : mapping of bytes to bytes
        From earlier: WKB of a collection, the land of each plot in their order.
    used : dict of bytes to bytes
        Those that were needed now, whether known or made: what is worth remembering next.
    """

    known: Mapping[bytes, bytes] = field(default_factory=dict)
    used: dict[bytes, bytes] = field(default_factory=dict)

    def recall(self, enclosure: shapely.Geometry, plots: Geometries) -> Geometries:
        """Return the land of each plot of an enclosure, and make it where it is not remembered."""
        key = _digest(enclosure, plots)
        found = self.used.get(key) or self.known.get(key)
        if found is None:
            found = shapely.to_wkb(shapely.geometrycollections(_tessellated(enclosure, plots)))
        self.used[key] = found
        return np.asarray(shapely.get_parts(shapely.from_wkb(found)))


def tessellate(plots: Plots, enclosures: Geometries, memo: Memo) -> Geometries:
    """Return the land of each plot: its enclosure if it is alone there, else its share of it.

    Parameters
    ----------
    plots : Plots
        Of the enclosures.
    enclosures : ndarray of Polygon
        Disjoint, metres.
    memo : Memo
        Says what need not be made again, and is told what was used.

    Returns
    -------
    ndarray of Polygon or MultiPolygon, shape (p,)
        The same, byte for byte, whatever is remembered.
    """
    land = enclosures[plots.enclosure]
    for crowded in np.flatnonzero(np.bincount(plots.enclosure) > 1):
        members = np.flatnonzero(plots.enclosure == crowded)
        land[members] = memo.recall(enclosures[crowded], plots.shape[members])
    return land


def _digest(enclosure: shapely.Geometry, plots: Geometries) -> bytes:
    """Return what tells one tessellation from another: 16 bytes of its enclosure, plots and method."""
    taken = hashlib.blake2b(_METHOD, digest_size=16)
    taken.update(shapely.to_wkb(enclosure))
    taken.update(shapely.to_wkb(shapely.geometrycollections(plots)))
    return taken.digest()


def _tessellated(enclosure: shapely.Geometry, plots: Geometries) -> Geometries:
    """Share an enclosure among its plots, two at least."""
    import momepy  # here, because it takes two seconds that a command without cells need not wait

    shared = momepy.morphological_tessellation(
        gpd.GeoSeries(plots),
        clip=enclosure,
        shrink=0,  # plots lie apart already
        segment=SEGMENT_M,
        simplify=False,  # as momepy does it, lines beside a clipped polygon are an error
    )
    land = area_only(shared.geometry.to_numpy())
    return np.asarray(shapely.coverage_simplify(land, SEGMENT_M / 2, simplify_boundary=False))
