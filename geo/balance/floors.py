"""How many households any plan must move at least: an integer program on what grids keep of today's.

Cells of one label today, in one container, are a source. Of a plan, look at the weight that each grid keeps of the
source whose label it carries, and takes in from every other; a grid that carries no label, or keeps nothing, is a
fresh one. Every plan gives a solution of the program below, which costs what the plan moves, so that the least
cost is a floor under all plans. A plan in which so many grids may be out of the band satisfies:

- sums: sources are used up, and all grids but so many weigh as much as the band asks for;
- a label is carried by one grid, also where its cells today lie in several containers;
- a heavy source in the band sheds whole cells. Of what it sheds, each connected part borders on another source:
  it is cut up among grids that either reach beyond it or are fresh and lie within it, and those weigh at least
  what the band asks for unless they are out of it. So it sheds no less than the lightest such set;
- a light source in the band takes in whole cells, each connected part of them bordering on it: no less than the
  lightest such set;
- what a grid takes in from sources that do not touch its own comes with cells of touching sources on the way, no
  less than the lightest path; from which of those sources it comes is left open.

What is reported is the solver's proven (dual) bound, not the best solution it has found, so that it may stop
early; it stops by nodes, not by time.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from geo.balance.problem import Bools, Ints
from geo.balance.reach import united
from geo.balance.rims import Mesh, crossing, lightest

MOST_NODES = 100
"""Nodes of the branch and bound of one program."""
SLACK = 1e-3
"""Households by which a bound in floating point may be too high: far above the solver's tolerances."""

Band = tuple[int, int]
Sum = list[tuple[int, float]]


class Share(NamedTuple):
    """Cells of one container that are to be divided, and into what.

    ``grids`` is their number and ``out`` that of those that may be out of the band; arrays of shape (n,):
    ``weight``, ``households``, ``today`` (label or -1) and ``kept``, which is -1 also where a cell cannot keep its
    label; ``near`` has the neighbours of each cell as a set.
    """

    grids: int
    out: int
    weight: Ints
    households: Ints
    today: Ints
    kept: Ints
    near: list[int]

    @property
    def known(self) -> int:
        """Households of cells that have a label today."""
        return int(self.households[self.today >= 0].sum())


def moved_at_least(shares: Sequence[Share], band: Band) -> int:
    """Bound the households that any plan moves in some containers together.

    Parameters
    ----------
    shares : sequence of Share
        There is a division of each with no more grids out of the band than it says.
    band : tuple of int
    """
    known = sum(share.known for share in shares)
    if known == 0:
        return 0
    program = _Program()
    carriers: dict[int, Sum] = {}
    for share in shares:
        for label, carried in _Division(program, share, band).carriers.items():
            carriers.setdefault(label, []).append((carried, 1.0))
    for several in carriers.values():
        if len(several) > 1:
            program.row(several, 0.0, 1.0)
    return max(0, ceil(known + program.least() - SLACK))


class _Program:
    """A mixed integer program, built term by term."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.whole: list[bool] = []
        self.top: list[float] = []
        self.terms: list[tuple[int, int, float]] = []
        self.limits: list[tuple[float, float]] = []

    def variable(self, top: float, *, cost: float = 0.0, whole: bool = False) -> int:
        """Add a variable from 0 to ``top``."""
        self.cost.append(cost)
        self.whole.append(whole)
        self.top.append(top)
        return len(self.cost) - 1

    def row(self, terms: Sum, low: float, high: float) -> None:
        """Add a condition on a sum of multiples of variables."""
        self.terms += [(len(self.limits), variable, factor) for variable, factor in terms]
        self.limits.append((low, high))

    def least(self) -> float:
        """Bound the least cost from below."""
        row, column, factor = zip(*self.terms, strict=True)
        low, high = zip(*self.limits, strict=True)
        matrix = coo_array((factor, (row, column)), (len(self.limits), len(self.cost)))
        result = milp(
            np.array(self.cost),
            integrality=np.array(self.whole, np.int64),
            bounds=Bounds(0.0, np.array(self.top)),
            constraints=LinearConstraint(matrix.tocsr(), low, high),
            options={"node_limit": MOST_NODES},
        )
        return float(result.mip_dual_bound)


class _Division:
    """The conditions of one container, added to a program."""

    def __init__(self, program: _Program, share: Share, band: Band) -> None:
        self.program, self.share, self.band = program, share, band
        self.mesh = Mesh(share.weight.tolist(), share.near)
        self.total = int(share.weight.sum())
        labels = np.unique(share.kept).tolist()
        self.source = {label: as_set(share.kept == label) for label in labels}
        self.weight = {label: int(share.weight[share.kept == label].sum()) for label in labels}
        known = [label for label in labels if label >= 0]
        self.carriers = {label: program.variable(1, whole=True) for label in known}
        self.out = {label: program.variable(1, whole=True) for label in known}
        around = {label: self.mesh.around(cells) for label, cells in self.source.items()}
        self.touching = {
            label: [other for other in labels if other != label and self.source[other] & around[label]]
            for label in labels
        }
        self.flow = {
            (other, label): program.variable(self.weight[other])
            for label in known
            for other in self.touching[label]
        }
        self.sent = {label: program.variable(self.weight[label]) for label in labels}
        self.got = {label: program.variable(self.total) for label in known}
        self.kept = {label: self._kept(label) for label in known}
        self.fresh, self.fresh_out = (program.variable(share.grids, whole=True) for _ in range(2))
        self.to_fresh = {label: program.variable(self.weight[label]) for label in labels}
        self._fresh_grids()
        for label in labels:
            leaving = [self.flow[label, to] for to in self.touching[label] if to >= 0]
            leaving += [self.sent[label], self.to_fresh[label]]
            used = [*self.kept.get(label, []), *((each, 1.0) for each in leaving)]
            program.row(used, self.weight[label], self.weight[label])
        afar = [(each, 1.0) for each in self.sent.values()] + [(each, -1.0) for each in self.got.values()]
        program.row(afar, 0.0, 0.0)
        for label in known:
            self._carried_grid(label)
        grids: Sum = [(each, 1.0) for each in (self.fresh, *self.carriers.values())]
        program.row(grids, share.grids, share.grids)
        out: Sum = [(each, 1.0) for each in (self.fresh_out, *self.out.values())]
        program.row(out, 0.0, share.out)

    def _kept(self, label: int) -> Sum:
        """Add what a grid keeps, cells of one ratio of households to weight together; give the sum of weights."""
        own = self.share.kept == label
        weight, households = self.share.weight[own], self.share.households[own]
        divisor = np.maximum(np.gcd(weight, households), 1)
        _, kind = np.unique(np.c_[weight // divisor, households // divisor], axis=0, return_inverse=True)
        kept: Sum = []
        for each in range(int(kind.max()) + 1):
            weighs, lives = (int(values[kind.ravel() == each].sum()) for values in (weight, households))
            # Counted in units of weight, so that the program's numbers are of one size.
            unit = max(weighs, 1)
            part = self.program.variable(unit, cost=-lives / unit)
            self.program.row([(part, 1.0), (self.carriers[label], -unit)], -inf, 0.0)
            if weighs:
                kept.append((part, 1.0))
        return kept

    def _fresh_grids(self) -> None:
        (least, most), row = self.band, self.program.row
        weight: Sum = [(each, 1.0) for each in self.to_fresh.values()]
        row([*weight, (self.fresh, -least), (self.fresh_out, least)], 0.0, inf)
        row([*weight, (self.fresh, -most), (self.fresh_out, most - self.total)], -inf, 0.0)
        row([(self.fresh, 1.0), (self.fresh_out, -1.0)], 0.0, inf)

    def _carried_grid(self, label: int) -> None:
        (least, most), row, total = self.band, self.program.row, self.total
        carried, out, own = self.carriers[label], self.out[label], self.source[label]
        passed: Sum = [(self.flow[other, label], 1.0) for other in self.touching[label]]
        inflow = [*passed, (self.got[label], 1.0)]
        weight = [*self.kept[label], *inflow]
        row([*weight, (carried, -least), (out, least)], 0.0, inf)
        row([*weight, (carried, -most), (out, most - total)], -inf, 0.0)
        row([(carried, 1.0), (out, -1.0)], 0.0, inf)
        beyond = ((1 << len(self.share.kept)) - 1) ^ own
        if self.weight[label] > most:
            shed = lightest(self.mesh, self.mesh.around(beyond) & own, own, self.weight[label] - most)
            shed = max(0, min(shed, least))
            row(
                [
                    *self.kept[label],
                    (carried, shed - self.weight[label]),
                    (out, -shed),
                    (self.fresh_out, -shed),
                ],
                -inf,
                0.0,
            )
        elif self.weight[label] < least:
            taken = lightest(self.mesh, self.mesh.around(own) & beyond, beyond, least - self.weight[label])
            row([*inflow, (carried, -taken), (out, taken)], 0.0, inf)
        self._from_afar(label, passed)

    def _from_afar(self, label: int, passed: Sum) -> None:
        """Charge what comes from sources that do not touch for its way through those that do."""
        got, out, near = self.got[label], self.out[label], (label, *self.touching[label])
        far = [other for other in self.source if other not in near]
        way = crossing(self.mesh, self.source[label], united(self.source[other] for other in far))
        if way is None:
            self.program.row([(got, 1.0)], 0.0, 0.0)
            return
        whole = sum(self.weight[other] for other in far)
        some = self.program.variable(1, whole=True)
        room = max(0, min(whole, self.band[1] - way))
        self.program.row([(got, 1.0), (some, -room), (out, -whole)], -inf, 0.0)
        self.program.row([*passed, (some, -way)], 0.0, inf)


def as_set(cells: Bools) -> int:
    """Give cells as a set: bit i for cell i."""
    return sum(1 << cell for cell in np.flatnonzero(cells).tolist())
