"""What of each container is free to be divided anew."""

from __future__ import annotations

import numpy as np

from geo.balance.partitions import EXHAUST
from geo.balance.problem import Ints, Problem, containers
from geo.balance.reach import Ground
from geo.balance.report import GridRow, measure
from geo.errors import BalanceError


class Lands:
    """The containers of a problem without their frozen grids, which stay whatever is planned around them.

    Parameters
    ----------
    problem : Problem
    exhaust : int
        Most cells of a container that are divided in every possible way.

    Attributes
    ----------
    home : ndarray of int, shape (n,)
        Container of each cell.
    frozen : list of list of GridRow
        Frozen grids of each container; each counts where it has the most weight.
    """

    def __init__(self, problem: Problem, exhaust: int = EXHAUST) -> None:
        self.problem, self.exhaust = problem, exhaust
        self.home = containers(problem)
        self.count = int(self.home.max()) + 1
        self.frozen: list[list[GridRow]] = [[] for _ in range(self.count)]
        if problem.frozen.any():
            for row in measure(problem, np.where(problem.frozen, problem.current, -1)).grid_rows:
                self.frozen[row.container].append(row)
        free = np.where(problem.frozen, self.count, self.home)
        self._cells = _split(free, np.arange(problem.cells), self.count)
        u, v = problem.edges.T
        inside = problem.open & (free[u] == free[v]) & (free[u] < self.count)
        self._edges = _split(free[u[inside]], problem.edges[inside], self.count)
        self._grounds: dict[int, Ground] = {}

    def cells(self, container: int) -> Ints:
        """Cells of a container that are in no frozen grid, ascending."""
        return self._cells[container]

    def ground(self, container: int) -> Ground:
        """Prepare what is free of a container to be asked how it can be divided."""
        if container not in self._grounds:
            self._grounds[container] = self._ground(self._cells[container], self._edges[container])
        return self._grounds[container]

    def joined(self, one: int, other: int) -> Ground:
        """Prepare two containers as if nothing lay between them."""
        pair = np.sort(np.r_[self._cells[one], self._cells[other]])
        u, v = self.problem.edges.T
        between = np.isin(u, pair) & np.isin(v, pair) & (self.home[u] != self.home[v])
        edges = np.r_[self._edges[one], self._edges[other], self.problem.edges[between]]
        return self._ground(pair, edges)

    def _ground(self, cells: Ints, edges: Ints) -> Ground:
        return Ground(self.problem.weight[cells], np.searchsorted(cells, edges), self.exhaust)

    def check(self, grids: Ints) -> None:
        """Refuse numbers of grids that no plan can have."""
        if grids.shape != (self.count,) or not np.issubdtype(grids.dtype, np.integer):
            raise BalanceError(
                f"{self.count} containers have numbers of grids of shape {grids.shape} and type {grids.dtype}.",
                "Give one whole number for each container.",
            )
        for container, asked in enumerate(grids.tolist()):
            least, most = self.range(container)
            if not least <= asked <= most:
                raise BalanceError(
                    f"{asked} grids are asked for in container {container}; at least {least} are needed "
                    f"and at most {most} possible.",
                    "Every connected piece that is not frozen needs a grid of its own, and every grid a cell.",
                )

    def range(self, container: int) -> tuple[int, int]:
        """Fewest and most grids that a container can have, frozen ones counted."""
        ground, frozen = self.ground(container), len(self.frozen[container])
        return len(ground.pieces) + frozen, ground.cells + frozen


def _split(key: Ints, values: Ints, count: int) -> list[Ints]:
    """Split rows by a number from 0 to below ``count``, in their order; others are left out."""
    order = np.argsort(key, kind="stable")
    ends = np.searchsorted(key[order], np.arange(count + 1))
    return [values[order[ends[each] : ends[each + 1]]] for each in range(count)]
