"""How many households any plan must move at least: an integer program on what grids keep of today's.

Of a plan, look only at the weight each grid keeps of the cells whose label it carries, and at the weight it takes
in. Every plan gives a solution of this program, whose cost is what it moves, so the program's least cost is a
floor under all plans:

- a grid that carries a label keeps some of that label's cells of its container, as much of each as it likes, and
  takes in the rest of its weight from other cells; one that carries none takes in all of it;
- so many grids have the container's weight together, and all but so many of them a weight in the band;
- a label is carried by one grid, also where its cells today lie in several containers;
- a household moves when its cell had a label and is not kept.

What is reported is the solver's proven (dual) bound, not the best solution it found, so that it may stop early;
it stops by nodes, not by time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from geo.balance.problem import Floats, Ints

MOST_NODES = 500
"""Nodes of the branch and bound of one program."""
SLACK = 1e-3
"""Households by which a bound in floating point may be too high: far above the solver's tolerances."""

Band = tuple[int, int]


@dataclass(frozen=True)
class Share:
    """Cells to be divided, and how: one container's.

    Parameters
    ----------
    grids, out : int
        Number of grids, and of those that may be out of the band.
    weight, households : ndarray of int, shape (n,)
    today, kept : ndarray of int, shape (n,)
        Label of each cell today or -1, and -1 also where the cell cannot keep it.
    """

    grids: int
    out: int
    weight: Ints
    households: Ints
    today: Ints
    kept: Ints


@dataclass
class _Program:
    """A mixed integer program, built term by term."""

    cost: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    top: list[float] = field(default_factory=list)
    terms: list[tuple[int, int, float]] = field(default_factory=list)
    limits: list[tuple[float, float]] = field(default_factory=list)

    def variable(self, top: float, *, cost: float = 0.0, whole: bool = False) -> int:
        """Add a variable from 0 to ``top``."""
        self.cost.append(cost)
        self.whole.append(whole)
        self.top.append(top)
        return len(self.cost) - 1

    def row(self, terms: Sequence[tuple[int, float]], low: float, high: float) -> None:
        """Add a condition on a sum of multiples of variables."""
        self.terms += [(len(self.limits), variable, factor) for variable, factor in terms]
        self.limits.append((low, high))

    def least(self) -> float:
        """Bound the least cost from below."""
        row, column, factor = zip(*self.terms, strict=True)
        low, high = zip(*self.limits, strict=True)
        shape = (len(self.limits), len(self.cost))
        result = milp(
            np.array(self.cost),
            integrality=np.array(self.whole, int),
            bounds=Bounds(0.0, np.array(self.top)),
            constraints=LinearConstraint(coo_array((factor, (row, column)), shape).tocsr(), low, high),
            options={"node_limit": MOST_NODES},
        )
        return float(result.mip_dual_bound)


def moved_at_least(shares: Sequence[Share], band: Band) -> int:
    """Bound the households that any plan moves in some containers together.

    Parameters
    ----------
    shares : sequence of Share
        There is a division of each into so many grids, so many of them out of the band.
    band : tuple of int

    Returns
    -------
    int
    """
    program = _Program()
    carriers: dict[int, list[int]] = {}
    for share in shares:
        for label, carried in _divide(program, share, band).items():
            carriers.setdefault(label, []).append(carried)
    for several in carriers.values():
        if len(several) > 1:
            program.row([(carried, 1.0) for carried in several], 0.0, 1.0)
    known = sum(int(share.households[share.today >= 0].sum()) for share in shares)
    return max(0, ceil(known + program.least() - SLACK)) if known else 0


def _divide(program: _Program, share: Share, band: Band) -> dict[int, int]:
    """Add the conditions of one container; give the variables that say which labels are carried."""
    least, most = band
    whole, grids = int(share.weight.sum()), share.grids
    fresh, fresh_out = program.variable(grids, whole=True), program.variable(grids, whole=True)
    fresh_weight = program.variable(whole)
    everything, out = [(fresh_weight, 1.0)], [(fresh_out, 1.0)]
    program.row([(fresh_weight, 1.0), (fresh, -least), (fresh_out, least)], 0.0, np.inf)
    program.row([(fresh_weight, 1.0), (fresh, -most), (fresh_out, most - whole)], -np.inf, 0.0)
    program.row([(fresh, 1.0), (fresh_out, -1.0)], 0.0, np.inf)
    carriers = {}
    for label in np.unique(share.kept[share.kept >= 0]).tolist():
        own = share.kept == label
        carried, beyond = program.variable(1, whole=True), program.variable(1, whole=True)
        weight = [(program.variable(whole - int(share.weight[share.today == label].sum())), 1.0)]
        for weighs, lives in _kinds(share.weight[own], share.households[own]):
            part = program.variable(1, cost=-lives)
            program.row([(carried, 1.0), (part, -1.0)], 0.0, np.inf)
            weight.append((part, weighs))
        program.row([*weight, (carried, -least), (beyond, least)], 0.0, np.inf)
        program.row([*weight, (carried, -most), (beyond, most - whole)], -np.inf, 0.0)
        program.row([(carried, 1.0), (beyond, -1.0)], 0.0, np.inf)
        everything += weight
        out.append((beyond, 1.0))
        carriers[label] = carried
    program.row(everything, whole, whole)
    program.row(out, 0.0, share.out)
    program.row([(fresh, 1.0), *((carried, 1.0) for carried in carriers.values())], grids, grids)
    return carriers


def _kinds(weight: Ints, households: Ints) -> list[tuple[float, float]]:
    """Weight and households of cells, added up over those with the same ratio of the two."""
    divisor = np.maximum(np.gcd(weight, households), 1)
    ratio = np.c_[weight // divisor, households // divisor]
    _, kind = np.unique(ratio, axis=0, return_inverse=True)
    sums: list[NDArray[np.float64] | Floats] = [
        np.bincount(kind.ravel(), values) for values in (weight, households)
    ]
    return [(float(a), float(b)) for a, b in zip(*sums, strict=True) if b > 0 or a > 0]
