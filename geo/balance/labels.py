"""Which of today's labels each grid of a plan carries on."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from geo.balance.problem import Bools, Floats, Ints, components

SMALL = 4096
"""Entries of a matrix up to which it is not worth cutting into parts."""


class Labels:
    """Today's labels of some cells, and the ones that cells are pinned to.

    Parameters
    ----------
    label, pinned, households : ndarray of int, shape (n,)
        Labels are -1 where there is none.
    """

    def __init__(self, label: Ints, pinned: Ints, households: Ints) -> None:
        today, asked = np.flatnonzero(label >= 0), np.flatnonzero(pinned >= 0)
        self._cell = np.r_[today, asked]
        self._known, self._wanted = np.unique(np.r_[label[today], pinned[asked]], return_inverse=True)
        many = len(label) + 1.0
        pin = (households.sum() + 1.0) * many
        self._worth = np.r_[households[today] * many + 1.0, np.full(len(asked), pin)]

    def carried(self, assigned: Ints, grids: int) -> Ints:
        """Decide which label each grid carries, so that the most households keep theirs.

        A maximum weight matching (`scipy.optimize.linear_sum_assignment`), of many grids without the pairs that
        are beyond doubt and for those that share no cells by itself; cells in common decide between equals, and
        a grid with pinned cells carries the label they are pinned to.

        Parameters
        ----------
        assigned : ndarray of int, shape (n,)
            Grid of each cell, from 0.
        grids : int

        Returns
        -------
        ndarray of int, shape (grids,)
            A label, or -1 for a grid that continues none.
        """
        result, many = np.full(grids, -1, np.int64), len(self._known)
        pair = assigned[self._cell] * many + self._wanted
        if grids * many <= SMALL:
            row, column = _matched(_total(pair, self._worth, grids * many).reshape(grids, many))
            result[row] = self._known[column]
            return result
        pairs, which = np.unique(pair, return_inverse=True)
        total, row, column = _total(which, self._worth, len(pairs)), pairs // many, pairs % many
        while (sure := _sure(total, row, column)).any():
            result[row[sure]] = self._known[column[sure]]
            left = (result[row] < 0) & ~np.isin(column, column[sure])
            total, row, column = total[left], row[left], column[left]
        part_of = components(grids + many, row, grids + column)[row]
        order = np.argsort(part_of, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(part_of[order])) + 1):
            rows, at_row = np.unique(row[part], return_inverse=True)
            columns, at_column = np.unique(column[part], return_inverse=True)
            shared = np.zeros((len(rows), len(columns)))
            shared[at_row, at_column] = total[part]
            at_row, at_column = _matched(shared)
            result[rows[at_row]] = self._known[columns[at_column]]
        return result


def _total(which: Ints, worth: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(which, worth, count), np.float64)


def _matched(shared: Floats) -> tuple[Ints, Ints]:
    row, column = linear_sum_assignment(shared, maximize=True)
    some = shared[row, column] > 0
    return row[some], column[some]


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
