"""Every way to divide a few cells into connected grids, for exact answers where a container is small."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geo.balance.problem import Ints

EXHAUST = 12
"""Most cells that are divided in every possible way, unless told otherwise."""
NEVER = -(2**40)

Band = tuple[int, int]


class Partitions:
    """All divisions of a few cells into connected grids, by dynamic programming over sets of cells.

    A set is divided by taking out the grid of its first cell and dividing the rest. Sets are whole numbers, bit i
    for cell i. O(3 ** n) in time at worst; planar grounds have far fewer connected sets.

    Parameters
    ----------
    weight : list of int
    near : list of int
        Neighbours of each cell, as a set.
    """

    def __init__(self, weight: list[int], near: list[int]) -> None:
        self.cells = len(weight)
        self.weight = self.sums(weight)
        every = np.arange(1 << self.cells)
        border = np.zeros_like(every)
        for cell, others in enumerate(near):
            border[(every >> cell & 1) == 1] |= others
        reach, before = every & -every, np.full_like(every, -1)
        while (reach != before).any():
            reach, before = (reach | border[reach]) & every, reach
        self._connected: list[int] = every[(reach == every) & (every > 0)].tolist()

    def sums(self, values: list[int]) -> Ints:
        """Add up the values of the cells of each set; shape (2 ** n,)."""
        total = np.zeros(1, np.int64)
        for value in values:
            total = np.r_[total, total + value]
        return total

    @cached_property
    def _steps(self) -> list[tuple[int, Ints]]:
        """Grids that hold the first cell of a set, and what such sets can be without them; last cells first."""
        made = []
        for grid in sorted(self._connected, key=lambda each: -(each & -each)):
            rest = np.zeros(1, np.int64)
            for cell in range((grid & -grid).bit_length(), self.cells):
                if not grid >> cell & 1:
                    rest = np.r_[rest, rest | 1 << cell]
            made.append((grid, rest))
        return made

    def most_in_band(self, band: Band) -> list[int]:
        """Find the most grids in a band, for each number of grids from 0; below 0 where it cannot be had."""
        inside = ((self.weight >= band[0]) & (self.weight <= band[1])).astype(np.int64)
        most = np.full((1 << self.cells, self.cells + 1), NEVER)
        most[0, 0] = 0
        for grid, rest in self._steps:
            to = rest | grid
            most[to, 1:] = np.maximum(most[to, 1:], most[rest, :-1] + inside[grid])
        return [int(value) for value in most[-1]]

    def least_worst(self, target: Fraction) -> list[list[int]]:
        """Find the least worst deviation for each number of grids, as the weights that deviate just so much."""
        known = np.unique(self.weight).tolist()
        off = [abs(each - target) for each in known]
        ranked = sorted(set(off))
        rank = np.searchsorted(np.array(known), self.weight)
        cost = np.array([ranked.index(each) for each in off], np.int64)[rank]
        worst = np.full((1 << self.cells, self.cells + 1), len(ranked))
        worst[0, 0] = 0
        for grid, rest in self._steps:
            to = rest | grid
            worst[to, 1:] = np.minimum(worst[to, 1:], np.maximum(worst[rest, :-1], cost[grid]))
        return [
            [each for each, far in zip(known, off, strict=True) if ranked.index(far) == least]
            for least in worst[-1].tolist()
        ]

    def most_kept(self, band: Band, kept: Ints, grids: int) -> NDArray[np.int64]:
        """Bound what so many grids keep together, for each number of them that may be out of a band.

        Parameters
        ----------
        band : tuple of int
        kept : ndarray of int, shape (2 ** n,)
            What each set of cells keeps as one grid.
        grids : int

        Returns
        -------
        ndarray of int, shape (grids + 1,)
            Below 0 where no division has so few out of the band.
        """
        outside = (self.weight < band[0]) | (self.weight > band[1])
        most = np.full((1 << self.cells, grids + 1, grids + 1), NEVER)
        most[0, 0] = 0
        for grid, rest in self._steps:
            to, out = rest | grid, int(outside[grid])
            value = most[rest, :-1, : grids + 1 - out] + kept[grid]
            most[to, 1:, out:] = np.maximum(most[to, 1:, out:], value)
        return np.maximum.accumulate(most[-1, grids])
