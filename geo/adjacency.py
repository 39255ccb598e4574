"""Which faces and cells touch, over what length, and where a barrier lies between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.coverage import Geometries, segments_of, shared_segments

BARRIER_M = 0.5
"""A border lies on a barrier when it runs no farther from it than this, metres."""

PASSAGE_M = 1.0
"""A border on a barrier still joins two cells where at least this much of it is free, metres."""


@dataclass(frozen=True)
class Borders:
    """Common borders of pairs of regions.

    Attributes
    ----------
    pairs : ndarray of int, shape (n, 2)
        Region numbers, the smaller first; no pair twice.
    shared_m, free_m : ndarray of float, shape (n,)
        Length of the border, and of that part on which no barrier lies, metres.
    """

    pairs: npt.NDArray[np.intp]
    shared_m: npt.NDArray[np.float64]
    free_m: npt.NDArray[np.float64]

    def between(self, label: npt.NDArray[np.intp]) -> Borders:
        """Return the borders of the regions' unions: those that share a label are one."""
        pairs = np.sort(label[self.pairs], axis=1)
        apart = pairs[:, 0] != pairs[:, 1]
        table = pd.DataFrame(
            {
                "a": pairs[apart, 0],
                "b": pairs[apart, 1],
                "shared_m": self.shared_m[apart],
                "free_m": self.free_m[apart],
            }
        )
        summed = table.groupby(["a", "b"], as_index=False).sum()
        return Borders(
            summed[["a", "b"]].to_numpy(np.intp), summed["shared_m"].to_numpy(), summed["free_m"].to_numpy()
        )

    def table(self) -> pd.DataFrame:
        """Return columns ``a``, ``b``, ``shared_m`` and ``barrier``.

        A barrier cuts a pair when it lies on their border and leaves less than `PASSAGE_M` of it free: two cells
        that also meet beyond the barrier's end stay neighbours.
        """
        on_barrier = self.shared_m > self.free_m
        return pd.DataFrame(
            {
                "a": self.pairs[:, 0],
                "b": self.pairs[:, 1],
                "shared_m": self.shared_m,
                "barrier": on_barrier & (self.free_m < PASSAGE_M),
            }
        )


def borders_of(found: Geometries, barriers: Geometries) -> Borders:
    """Return the borders of an exact coverage.

    Parameters
    ----------
    found : ndarray of Polygon, shape (n,)
        As `geo.coverage.faces` returns them.
    barriers : ndarray of LineString or Polygon
        A polygon's barrier is its outline.

    Notes
    -----
    O(s log s) in the faces' segments.
    """
    pairs, segments = shared_segments(found)
    length = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    middle = shapely.points((segments[:, :2] + segments[:, 2:]) / 2)
    walls = shapely.linestrings(segments_of(barriers)[0].reshape(-1, 2, 2))
    near = np.unique(shapely.STRtree(walls).query(middle, predicate="dwithin", distance=BARRIER_M)[0])
    free = length.copy()
    free[near] = 0.0
    return Borders(pairs, length, free).between(np.arange(len(found)))


def components(count: int, pairs: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return the number of the connected component of each of `count` regions joined by `pairs`."""
    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return connected_components(links, directed=False)[1].astype(np.intp)


def settle(
    borders: Borders, label: npt.NDArray[np.intp], land: npt.NDArray[np.bool_], thin: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """Join land to its neighbours across the longest border without a barrier.

    Parameters
    ----------
    borders : Borders
        Between n faces.
    label : ndarray of int, shape (n,)
        Region of each face, 0 to r - 1.
    land : ndarray of bool, shape (r,)
        Regions that have no building and so look for a neighbour; the others only receive.
    thin : ndarray of bool, shape (r,)
        Slivers between lines that nearly coincide. Nobody crosses a barrier by way of one, so it joins its
        longest border of any kind.

    Returns
    -------
    ndarray of int, shape (n,)
        Region of each face: a former region that is not land, or, of land with no neighbour to join, the
        smallest number among its parts. Regions grow only along borders, so each stays connected.

    Notes
    -----
    Rounds as in Borůvka's algorithm: each piece of land chooses one neighbour, ties going to the smallest
    number; choices are united. A united group holds at most one region that is not land, as only land chooses.
    Each round at least halves the land that can choose: O(b log b) in the borders.
    """
    label, land, thin = label.copy(), land.copy(), thin.copy()
    while True:
        between = borders.between(label)
        chooser = between.pairs.T.ravel()
        chosen = between.pairs[:, ::-1].T.ravel()
        weight = np.where(thin[chooser], np.tile(between.shared_m, 2), np.tile(between.free_m, 2))
        able = land[chooser] & (weight > 0)
        if not able.any():
            return label
        wishes = pd.DataFrame({"chooser": chooser, "weight": -weight, "chosen": chosen})[able]
        choice = wishes.sort_values(["chooser", "weight", "chosen"]).drop_duplicates("chooser")
        group = components(len(land), choice[["chooser", "chosen"]].to_numpy())
        by_rank = np.lexsort((np.arange(len(land)), land, group))
        head = by_rank[np.unique(group[by_rank], return_index=True)[1]][group]
        np.logical_and.at(thin, head, thin.copy())
        label = head[label]
