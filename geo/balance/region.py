"""One region of a district: a connected set of cells that is divided by itself, independently of all others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geo.balance.problem import Bools, Floats, Ints, Locks, Problem, components, fewest_grids
from geo.errors import BalanceError


class Region(NamedTuple):
    """A graph in compressed sparse rows, cells numbered from 0 and sorted edges; all it needs to be solved.

    The neighbours of cell ``v`` are ``other[start[v]:start[v + 1]]``, ``border`` the metres shared with each.
    ``cells`` are its cells in the district, ascending, and ``unit`` which of the region's own each is in: itself,
    but where some must lie together (`geo.balance.together`). ``today`` and ``pinned`` are labels or -1;
    ``allowed`` is how many grids each compound may lie in without being split, ``split_today`` in how many it
    lies; ``together`` and ``apart`` are pairs.
    """

    cells: Ints
    unit: Ints
    start: Ints
    other: Ints
    source: Ints
    border: Floats
    weight: Ints
    households: Ints
    area: Floats
    perimeter: Floats
    compound: Ints
    allowed: Ints
    split_today: Ints
    today: Ints
    pinned: Ints
    together: Ints
    apart: Ints

    @property
    def fixed(self) -> Bools:
        """Whether a cell is pinned to its grid."""
        return self.pinned >= 0


def numbered(problem: Problem, still: Bools) -> Ints:
    """Give each connected piece of a container a number, and -1 to cells that stay as they are; shape (n,)."""
    u, v = problem.edges.T
    held = problem.open & (problem.community[u] == problem.community[v]) & ~still[u] & ~still[v]
    number = components(problem.cells, u[held], v[held])
    number[still] = -1
    number[~still] = np.unique(number[~still], return_inverse=True)[1]
    return number


def regions(problem: Problem, number: Ints) -> list[Region]:
    """Cut the district into its regions; O((n + m) log m).

    Parameters
    ----------
    problem : Problem
    number : ndarray of int, shape (n,)
        From `numbered`.

    Raises
    ------
    BalanceError
        When cells that must lie together are of two regions.
    """
    count = int(number.max(initial=-1)) + 1
    u, v = problem.edges.T
    held = problem.open & (number[u] >= 0) & (number[u] == number[v])
    u, v, border = u[held], v[held], problem.shared_m[held]
    source, other, border = np.r_[u, v], np.r_[v, u], np.r_[border, border]
    order = np.lexsort((other, source, number[source]))
    source, other, border = source[order], other[order], border[order]
    edge_bounds = np.searchsorted(number[source], np.arange(count + 1))
    cells = np.argsort(number, kind="stable")
    bounds = np.searchsorted(number[cells], np.arange(count + 1))
    local = np.empty(problem.cells, np.int64)
    for each in range(count):
        ids = cells[bounds[each] : bounds[each + 1]]
        local[ids] = np.arange(len(ids))
    compound, fewest = np.where(problem.weight > 0, problem.compound, -1), fewest_grids(problem)
    estates = np.unique(problem.compound[problem.compound >= 0])
    locks = Locks(problem.pinned) if problem.locks is None else problem.locks
    u, v = number[locks.together].T
    if (parted := u != v).any():
        row = int(np.flatnonzero(parted)[0])
        raise BalanceError(
            f"Pair {row} of together lies on two sides of frozen grids.", "Unfreeze a grid or lift the lock."
        )
    together, apart = _pairs_inside(number, locks.together), _pairs_inside(number, locks.apart)
    made = []
    for each in range(count):
        ids = cells[bounds[each] : bounds[each + 1]]
        own = slice(edge_bounds[each], edge_bounds[each + 1])
        known, inside = np.unique(compound[ids], return_inverse=True)
        first = int(len(known) > 0 and known[0] < 0)
        held = (inside >= first) & (problem.current[ids] >= 0)
        pieces = np.unique(np.c_[inside[held] - first, problem.current[ids][held]], axis=0)[:, 0]
        made.append(
            Region(
                cells=ids,
                unit=np.arange(len(ids)),
                start=np.searchsorted(local[source[own]], np.arange(len(ids) + 1)),
                other=local[other[own]],
                source=local[source[own]],
                border=border[own].astype(np.float64),
                weight=problem.weight[ids].astype(np.int64),
                households=problem.households[ids].astype(np.int64),
                area=problem.area[ids].astype(np.float64),
                perimeter=problem.perimeter[ids].astype(np.float64),
                compound=inside - first,
                allowed=fewest[np.searchsorted(estates, known[first:])],
                split_today=np.bincount(pieces, minlength=len(known) - first),
                today=problem.current[ids],
                pinned=problem.pinned[ids],
                together=local[together[number[together[:, 0]] == each]],
                apart=local[apart[number[apart[:, 0]] == each]],
            )
        )
    return made


def _pairs_inside(number: Ints, pairs: Ints) -> Ints:
    """Pairs of cells of one region."""
    u, v = number[pairs].T
    return np.asarray(pairs[(u == v) & (u >= 0)], np.int64)


def part(region: Region, cells: Ints) -> Region:
    """See some of a region's units, ascending and connected, as a region; O(cells + edges of the region)."""
    local = np.full(len(region.weight), -1, np.int64)
    local[cells] = np.arange(len(cells))
    source, other = local[region.source], local[region.other]
    inside = (source >= 0) & (other >= 0)
    known, compound = np.unique(region.compound[cells], return_inverse=True)
    first = int(known[0] < 0)
    apart = local[region.apart]
    return region._replace(
        cells=region.cells[cells],
        unit=np.arange(len(cells)),
        start=np.searchsorted(source[inside], np.arange(len(cells) + 1)),
        other=other[inside],
        source=source[inside],
        border=region.border[inside],
        weight=region.weight[cells],
        households=region.households[cells],
        area=region.area[cells],
        perimeter=region.perimeter[cells],
        compound=compound - first,
        allowed=region.allowed[known[first:]],
        split_today=region.split_today[known[first:]],
        today=region.today[cells],
        pinned=region.pinned[cells],
        apart=apart[(apart >= 0).all(axis=1)],
    )
