"""Cells that a lock holds together, made one: the search never sees them apart."""

from __future__ import annotations

import numpy as np

from geo.balance.problem import Floats, Ints, components
from geo.balance.region import Region
from geo.balance.start import connected
from geo.errors import BalanceError


def held_together(region: Region) -> Region:
    """Make one unit of the cells that must lie together, and of those that connect them; O(m log m).

    The way between two cells enters as few of today's other grids as possible. A unit counts as of the grid and
    the compound that most of its households are of.

    Parameters
    ----------
    region : Region
        Every cell its own unit.

    Returns
    -------
    Region

    Raises
    ------
    BalanceError
        When the cells cannot be connected past others that are held together or pinned elsewhere, or a pair of
        them is to be apart.
    """
    if len(region.together) == 0:
        return region
    group = _groups(region)
    unit = np.where(group >= 0, len(group) + group, np.arange(len(group)))
    unit = np.unique(unit, return_inverse=True)[1]
    if (met := (unit[region.apart[:, 0]] == unit[region.apart[:, 1]])).any():
        u, v = region.cells[region.apart[np.flatnonzero(met)[0]]]
        raise BalanceError(
            f"Cells {u} and {v} are held apart, but others between them together.", "Lift one of the locks."
        )
    return _merged(region, unit)


def _groups(region: Region) -> Ints:
    """Find the cells of each group, those on the way included; -1 for all others.

    Groups of cells pinned to one label are one.
    """
    n = len(region.cells)
    u, v = region.together.T
    group = components(n, u, v)
    alone = np.bincount(group)[group] == 1
    code = np.where(alone, -1, group)
    pinned = region.pinned >= 0
    for label in np.unique(region.pinned[pinned]).tolist():
        cells = region.pinned == label
        touched = np.isin(code, np.unique(code[cells & (code >= 0)]))
        code[cells | touched] = n + np.flatnonzero(cells)[0]
    for each in np.unique(code[code >= 0]).tolist():
        if len(labels := np.unique(region.pinned[(code == each) & pinned])) > 1:
            raise BalanceError(
                f"Cells held together are pinned to grids {labels[0]} and {labels[1]}.",
                "Pin them to one grid.",
            )
    _, claimed = connected(region.start, region.other, region.today, code)
    joined = np.unique(code[~alone])
    return np.where(np.isin(claimed, joined), claimed, -1)


def _merged(region: Region, unit: Ints) -> Region:
    """See a region with some of its cells as one."""
    count = int(unit.max()) + 1

    def total(values: Ints | Floats) -> Floats:
        return np.asarray(np.bincount(unit, values, count), np.float64)

    def main(values: Ints) -> Ints:
        """Value that most households of each unit have, of equals the smallest."""
        pairs, which = np.unique(np.c_[unit, values], axis=0, return_inverse=True)
        households = np.bincount(which.ravel(), region.households, len(pairs))
        order = np.lexsort((pairs[:, 1], -households, pairs[:, 0]))
        first = np.unique(pairs[order, 0], return_index=True)[1]
        return np.asarray(pairs[order[first], 1], np.int64)

    source, other = unit[region.source], unit[region.other]
    inside = source == other
    inner = np.bincount(source[inside], region.border[inside], count)
    pairs, which = np.unique(source[~inside] * count + other[~inside], return_inverse=True)
    pinned = np.full(count, -1, np.int64)
    np.maximum.at(pinned, unit, region.pinned)
    return region._replace(
        unit=unit,
        start=np.searchsorted(pairs // count, np.arange(count + 1)),
        source=pairs // count,
        other=pairs % count,
        border=np.asarray(np.bincount(which, region.border[~inside], len(pairs)), np.float64),
        weight=total(region.weight).astype(np.int64),
        households=total(region.households).astype(np.int64),
        area=total(region.area),
        perimeter=np.maximum(0.0, total(region.perimeter) - inner),
        compound=main(region.compound),
        today=main(region.today),
        pinned=pinned,
        together=region.together[:0],
        apart=unit[region.apart],
    )
