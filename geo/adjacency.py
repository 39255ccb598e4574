"""Which regions touch, over what length, and where a barrier lies between them."""

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
"""A border lies on a barrier where it runs no farther from it than this, metres."""

PASSAGE_M = 1.0
"""A border with a barrier on it still joins two cells when at least this much of it is free, metres."""


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
        """Return the borders of unions of regions: regions that share a label are one."""
        pairs = np.sort(label[self.pairs], axis=1)
        rows = pd.DataFrame(
            {"a": pairs[:, 0], "b": pairs[:, 1], "shared_m": self.shared_m, "free_m": self.free_m}
        )
        summed = rows[rows["a"] < rows["b"]].groupby(["a", "b"], as_index=False).sum()
        return Borders(
            summed[["a", "b"]].to_numpy(np.intp), summed["shared_m"].to_numpy(), summed["free_m"].to_numpy()
        )

    def table(self) -> pd.DataFrame:
        """Return columns ``a``, ``b``, ``shared_m`` and ``barrier``.

        A barrier cuts a pair when it lies on their border and leaves less than `PASSAGE_M` of it free:
        two cells that also meet beyond the barrier's end stay neighbours.
        """
        blocked = (self.free_m < self.shared_m) & (self.free_m < PASSAGE_M)
        a, b = self.pairs.T
        return pd.DataFrame({"a": a, "b": b, "shared_m": self.shared_m, "barrier": blocked})


def borders_of(found: Geometries, barriers: Geometries) -> Borders:
    """Return the borders of an exact coverage.

    Parameters
    ----------
    found : ndarray of Polygon, shape (n,)
        As `geo.coverage.faces` returns them.
    barriers : ndarray of LineString or Polygon, single or multiple
        A polygon's barrier is its outline.

    Notes
    -----
    O(s log s) in the faces' segments.
    """
    pairs, segments = shared_segments(found)
    length = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    middle = shapely.points((segments[:, :2] + segments[:, 2:]) / 2)
    walls = shapely.linestrings(segments_of(barriers)[0].reshape(-1, 2, 2))
    blocked = np.unique(shapely.STRtree(walls).query(middle, predicate="dwithin", distance=BARRIER_M)[0])
    free = length.copy()
    free[blocked] = 0.0
    return Borders(pairs, length, free).between(np.arange(len(found)))


def components(count: int, pairs: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return for each of `count` regions the number of its connected component when `pairs` are joined."""
    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)


def settle(
    borders: Borders, land: npt.NDArray[np.bool_], *, across_barriers: bool = False
) -> npt.NDArray[np.intp]:
    """Join each region of land to the neighbour across its longest border without a barrier.

    Parameters
    ----------
    borders : Borders
        Between n regions.
    land : ndarray of bool, shape (n,)
        Regions that look for a neighbour; the others only receive.
    across_barriers : bool
        Count the whole border, not only what is free of barriers.

    Returns
    -------
    ndarray of int, shape (n,)
        The region each belongs to: one that is not land or, where none can be reached, the smallest number
        of land grown together. Regions grow only across borders, so what was connected stays so.

    Notes
    -----
    Rounds as in Borůvka's algorithm: every piece of land chooses one neighbour, ties going to the smallest
    number, and choices are united. As only land chooses, a union holds at most one region that is not land.
    Each round at least halves the land that still can choose: O(b log b) in the borders.
    """
    label = np.arange(len(land))
    while True:
        now = borders.between(label)
        chooser, chosen = np.vstack([now.pairs, now.pairs[:, ::-1]]).T
        length = np.tile(now.shared_m if across_barriers else now.free_m, 2)
        wishes = pd.DataFrame({"chooser": chooser, "length": length, "chosen": chosen})
        wishes = wishes[land[chooser] & (length > 0)]
        if wishes.empty:
            return label
        order = wishes.sort_values(["chooser", "length", "chosen"], ascending=[True, False, True])
        choice = order.drop_duplicates("chooser")[["chooser", "chosen"]].to_numpy()
        label = _heads(components(len(land), choice), land)[label]


def _heads(group: npt.NDArray[np.intp], land: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return for each region the head of its group: the one that is not land, else the smallest number."""
    order = np.lexsort((land, group))
    return np.asarray(order[np.unique(group[order], return_index=True)[1]][group])
