"""Which of today's labels each grid of a plan carries on."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from geo.balance.problem import Bools, Floats, Ints, components

SMALL = 4096
"""Entries of a matrix up to which it is not worth cutting into parts."""


def carried(assigned: Ints, label: Ints, pinned: Ints, households: Ints, grids: int) -> Ints:
    """Decide which of today's labels each grid carries, so that the most households keep their label.

    A maximum weight matching (`scipy.optimize.linear_sum_assignment`), for grids and labels that share no cells
    by itself, and of many without the pairs that are beyond doubt; cells in common decide between equals, and a
    grid with pinned cells carries the label they are pinned to.

    Parameters
    ----------
    assigned, label, pinned, households : ndarray of int, shape (n,)
    grids : int

    Returns
    -------
    ndarray of int, shape (grids,)
        A label, or -1 for a grid that continues none.
    """
    today, asked = label >= 0, pinned >= 0
    known = np.unique(np.r_[label[today], pinned[asked]])
    result = np.full(grids, -1, np.int64)
    if len(known) == 0:
        return result
    grid = np.r_[assigned[today], assigned[asked]]
    wanted = np.searchsorted(known, np.r_[label[today], pinned[asked]])
    many = len(label) + 1.0
    worth = np.r_[households[today] * many + 1.0, np.full(asked.sum(), (households.sum() + 1.0) * many)]
    pairs, which = np.unique(grid * len(known) + wanted, return_inverse=True)
    total = np.bincount(which, worth).astype(np.float64)
    row, column = pairs // len(known), pairs % len(known)
    whole = grids * len(known) <= SMALL
    while not whole and (sure := _sure(total, row, column)).any():
        result[row[sure]] = known[column[sure]]
        left = (result[row] < 0) & ~np.isin(column, column[sure])
        total, row, column = total[left], row[left], column[left]
    part_of = np.zeros_like(row) if whole else components(grids + len(known), row, grids + column)[row]
    order = np.argsort(part_of, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(part_of[order])) + 1):
        rows, at_row = np.unique(row[part], return_inverse=True)
        columns, at_column = np.unique(column[part], return_inverse=True)
        shared = np.zeros((len(rows), len(columns)))
        shared[at_row, at_column] = total[part]
        for r, c in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
            if shared[r, c] > 0:
                result[rows[r]] = known[columns[c]]
    return result


def _sure(total: Floats, row: Ints, column: Ints) -> Bools:
    """Which pairs are in every best matching: worth more than the best others of their row and column together."""
    return np.asarray(total > _best_other(total, row) + _best_other(total, column), np.bool_)


def _best_other(total: Floats, group: Ints) -> Floats:
    """Largest of the other totals of each one's group, 0 where there is none."""
    best, second = np.zeros((2, int(group.max(initial=-1)) + 1))
    np.maximum.at(best, group, total)
    leads = total == best[group]
    np.maximum.at(second, group, np.where(leads, 0.0, total))
    alone = leads & (np.bincount(group, leads)[group] == 1)
    return np.where(alone, second[group], best[group])
