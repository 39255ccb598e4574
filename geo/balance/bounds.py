"""What no plan can do better: proven bounds for each container and a district, and how far a plan is from them.

A bound holds for every plan with the numbers of grids given, whoever draws it: `geo.balance.reach` proves how many
grids can be in band and how far off the worst must be, `geo.balance.floors` how many households must move. A gap
to a bound may be the plan's or the bound's: only a gap of nothing proves that a plan cannot be bettered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np

from geo.balance.floors import Share, moved_at_least
from geo.balance.lands import Lands
from geo.balance.partitions import EXHAUST
from geo.balance.problem import Ints, Problem, components
from geo.balance.reach import Ground
from geo.balance.report import Measures, measure
from geo.errors import BalanceError
from geo.progress import Progress, silent

Naming = Callable[[int], str]
"""Gives the name of a container by its number, as a planner knows it."""


@dataclass(frozen=True)
class ContainerBound:
    """What is proven of one container in which there are to be so many grids.

    Parameters
    ----------
    container, community, cells, weight, grids : int
        As in `geo.balance.ContainerRow`.
    in_band_at_most : int
        Grids that can be in band.
    worst_deviation_percent_at_least : float
        Some grid must be this far from the target, or farther.
    out_of_band : int
        Grids that may be out of band in the plans for which ``moved_at_least`` holds.
    moved_at_least : int
        Households that any such plan moves, as `measure` counts them.
    """

    container: int
    community: int
    cells: int
    weight: int
    grids: int
    in_band_at_most: int
    worst_deviation_percent_at_least: float
    out_of_band: int
    moved_at_least: int

    @property
    def within_reach(self) -> bool:
        """Whether nothing is proven that keeps a grid out of band."""
        return self.in_band_at_most == self.grids

    def chinese(self, name: Naming) -> str:
        """Say in Chinese what no plan can do better."""
        said = f"{name(self.container)}共 {self.weight} 户，分 {self.grids} 个网格，平均 {self._mean} 户"
        if self.within_reach:
            return f"{said}，未发现不能全部达标的原因"
        worst = self.worst_deviation_percent_at_least
        return f"{said}，无论怎样划分，至多 {self.in_band_at_most} 个达标，至少 1 个网格偏离目标 {worst:.1f}% 或更多"

    def english(self, name: Naming) -> str:
        """Say in English what no plan can do better."""
        said = f"{name(self.container)} has {self.weight} households in {grids_of(self.grids)}, {self._mean} a grid"
        if self.within_reach:
            return f"{said}; nothing is known that keeps one of them out of band"
        worst = self.worst_deviation_percent_at_least
        return (
            f"{said}; whatever the lines, at most {self.in_band_at_most} can be in band, "
            f"and one is off target by {worst:.1f}% or more"
        )

    @property
    def _mean(self) -> int:
        return round(self.weight / self.grids) if self.grids else 0


@dataclass(frozen=True)
class Floor:
    """What is proven of a district: the bounds of its containers together.

    ``moved_share_at_least`` is of the households of cells that are in a grid today.
    """

    grids: int
    in_band_at_most: int
    worst_deviation_percent_at_least: float
    out_of_band: int
    moved_at_least: int
    moved_share_at_least: float


@dataclass(frozen=True)
class Gap:
    """How far a plan is from what is proven of all plans with its numbers of grids.

    Parameters
    ----------
    in_band, households_moved, moved_share, worst_deviation_percent
        Of the plan.
    floor : Floor
        ``moved_at_least`` is that of plans with at most as many grids out of band in each container.
    """

    in_band: int
    households_moved: int
    moved_share: float
    worst_deviation_percent: float
    floor: Floor

    @property
    def in_band_missing(self) -> int:
        """Grids that might still be brought into the band; 0 proves that no plan has more there."""
        return self.floor.in_band_at_most - self.in_band

    @property
    def moved_beyond(self) -> int:
        """Households moved beyond those that must; 0 proves that no plan as good in band moves fewer."""
        return self.households_moved - self.floor.moved_at_least

    @property
    def moved_ratio(self) -> float:
        """Households moved, as a multiple of those that must; 1 where neither are any."""
        least = self.floor.moved_at_least
        if least == 0:
            return 1.0 if self.households_moved == 0 else inf
        return self.households_moved / least


def grids_of(number: int) -> str:
    """Say so many grids in English."""
    return f"{number} grid" if number == 1 else f"{number} grids"


def bounds(
    problem: Problem,
    grids: Ints,
    *,
    out_of_band: Ints | None = None,
    exhaust: int = EXHAUST,
    progress: Progress = silent,
) -> tuple[ContainerBound, ...]:
    """Bound what plans with so many grids in each container can do.

    Frozen grids stay as they are and count in the container where they have the most weight. Locks other than
    these only narrow what plans can do; bounds hold for them too. About 0.1 ms a cell in containers
    of hundreds of cells; sets are as long as a container has cells, so that it is 1 ms a cell in one of 20,000.

    Parameters
    ----------
    problem : Problem
    grids : ndarray of int, shape (containers,)
        Grids of each container, as `geo.balance.containers` numbers them.
    out_of_band : ndarray of int, shape (containers,), optional
        How many of them may be out of band in the plans whose moves are bounded; the fewest that must be where
        that is more, and without it.
    exhaust : int
        Most cells of a container that are divided in every possible way, which makes the first two bounds exact;
        O(3 ** exhaust) at worst.
    progress : Progress
        Told of a stage ``prove``, container by container.

    Returns
    -------
    tuple of ContainerBound

    Raises
    ------
    BalanceError
        When there is not one number a container, or no plan with as many grids.
    """
    lands = Lands(problem, exhaust)
    lands.check(grids)
    allowed = np.zeros_like(grids) if out_of_band is None else out_of_band
    if allowed.shape != grids.shape:
        raise BalanceError(
            f"{len(grids)} containers have numbers of grids out of band of shape {allowed.shape}.",
            "Give one number for each container.",
        )
    found = []
    for number, (count, out) in enumerate(zip(grids.tolist(), allowed.tolist(), strict=True)):
        progress("prove", number / len(grids))
        found.append(_bound(lands, number, count, out))
    return tuple(found)


def bounds_of(
    problem: Problem, measures: Measures, *, progress: Progress = silent
) -> tuple[ContainerBound, ...]:
    """Bound what plans can do that have the numbers of grids of a legal one, in all and out of band.

    Parameters
    ----------
    problem : Problem
    measures : Measures
        Of that plan.
    progress : Progress
        As of `bounds`.
    """
    grids, in_band = (
        np.array([getattr(row, name) for row in measures.container_rows], np.int64)
        for name in ("grids", "in_band")
    )
    return bounds(problem, grids, out_of_band=grids - in_band, progress=progress)


def floor(problem: Problem, bound: tuple[ContainerBound, ...]) -> Floor:
    """Add up the bounds of a district.

    A label whose cells lie in several containers today can stay in one of them only, which is why the households
    that must move can be more than those of the containers one by one.

    Parameters
    ----------
    problem : Problem
    bound : tuple of ContainerBound
        From `bounds`.
    """
    lands = Lands(problem)
    moved = sum(_moved_together(lands, [bound[each] for each in group]) for group in _linked(lands))
    today = int(problem.households[problem.current >= 0].sum())
    return Floor(
        grids=sum(row.grids for row in bound),
        in_band_at_most=sum(row.in_band_at_most for row in bound),
        worst_deviation_percent_at_least=max(row.worst_deviation_percent_at_least for row in bound),
        out_of_band=sum(row.out_of_band for row in bound),
        moved_at_least=moved,
        moved_share_at_least=moved / today if today else 0.0,
    )


def gap(problem: Problem, assignment: Ints) -> Gap:
    """Compare a plan with what is proven of plans with its numbers of grids, in all and out of band.

    Parameters
    ----------
    problem : Problem
    assignment : ndarray of int, shape (n,)
        A label for each cell, frozen grids as they are, every other grid connected and in one container.

    Raises
    ------
    BalanceError
        When it is not such a plan.
    """
    measures = measure(problem, assignment)
    frozen = problem.frozen
    frozen_labels = set(problem.current[frozen].tolist())
    broken = [label for label in measures.disconnected if label not in frozen_labels]
    kept = np.array_equal(frozen, np.isin(assignment, sorted(frozen_labels))) and np.array_equal(
        assignment[frozen], problem.current[frozen]
    )
    if measures.unassigned_cells or broken or not kept:
        raise BalanceError(
            "Bounds hold for legal plans, and this is none.",
            "Give every cell a grid, each connected and inside one container, and leave frozen grids alone.",
        )
    return Gap(
        in_band=measures.in_band,
        households_moved=measures.households_moved,
        moved_share=measures.moved_share,
        worst_deviation_percent=measures.worst_deviation_percent,
        floor=floor(problem, bounds_of(problem, measures)),
    )


def _bound(lands: Lands, container: int, grids: int, out_of_band: int) -> ContainerBound:
    problem = lands.problem
    own = lands.home == container
    frozen, ground = lands.frozen[container], lands.ground(container)
    free = grids - len(frozen)
    in_band = ground.in_band_at_most(problem.band(), free) + sum(row.in_band for row in frozen)
    out = max(grids - in_band, out_of_band)
    share = _share(lands, container, grids, out)
    return ContainerBound(
        container=container,
        community=int(problem.community[own.argmax()]),
        cells=int(own.sum()),
        weight=int(problem.weight[own].sum()),
        grids=grids,
        in_band_at_most=in_band,
        worst_deviation_percent_at_least=max(
            _worst(problem, ground, free), *(abs(row.deviation_percent) for row in frozen), 0.0
        ),
        out_of_band=out,
        moved_at_least=max(moved_at_least([share], problem.band()), _moved_exactly(problem, ground, share)),
    )


def _worst(problem: Problem, ground: Ground, grids: int) -> float:
    nearest = ground.nearest_worst(Fraction(problem.target), problem.band(), grids)
    return min((abs(100.0 * (weight / problem.target - 1.0)) for weight in nearest), default=0.0)


def _share(lands: Lands, container: int, grids: int, out_of_band: int) -> Share:
    """Describe what is free of a container, for the floor of its moves."""
    problem, frozen, cells = lands.problem, lands.frozen[container], lands.cells(container)
    today, pinned = problem.current[cells], problem.pinned[cells]
    free = grids - len(frozen)
    return Share(
        grids=free,
        out=min(free, out_of_band - sum(not row.in_band for row in frozen)),
        weight=problem.weight[cells],
        households=problem.households[cells],
        today=today,
        kept=np.where((pinned < 0) | (pinned == today), today, -1),
        near=lands.ground(container).near,
    )


def _moved_exactly(problem: Problem, ground: Ground, share: Share) -> int:
    """Bound the moves over all divisions of few cells, each grid with the label it keeps the most of."""
    if ground.partitions is None:
        return 0
    known = int(share.households[share.today >= 0].sum())
    kept = np.zeros(1 << ground.cells, np.int64)
    for label in np.unique(share.kept[share.kept >= 0]).tolist():
        own = np.where(share.kept == label, share.households, 0)
        kept = np.maximum(kept, ground.partitions.sums(own.tolist()))
    return known - int(ground.partitions.most_kept(problem.band(), kept, share.grids)[share.out])


def _linked(lands: Lands) -> list[list[int]]:
    """Group the containers that have cells of the same label today."""
    problem = lands.problem
    free = (problem.current >= 0) & ~problem.frozen
    labels, label = np.unique(problem.current[free], return_inverse=True)
    group = components(lands.count + len(labels), lands.home[free], lands.count + label)[: lands.count]
    return [np.flatnonzero(group == each).tolist() for each in np.unique(group)]


def _moved_together(lands: Lands, rows: list[ContainerBound]) -> int:
    apart = sum(row.moved_at_least for row in rows)
    if len(rows) == 1:
        return apart
    shares = [_share(lands, row.container, row.grids, row.out_of_band) for row in rows]
    return max(apart, moved_at_least(shares, lands.problem.band()))
