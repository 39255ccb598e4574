"""The figures of an assignment, for any plan: a proposal, today's grids, or one drawn by hand."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from geo.balance.problem import Bools, Floats, Ints, Problem, containers, fewest_grids, pieces
from geo.errors import BalanceError

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class GridRow:
    """One grid: its size, shape and faults.

    ``weight`` is what is balanced: ``households`` of today, ``expected`` ones, or a mix. ``deviation_percent``
    is the weight's from the target; ``compactness`` is that of Polsby and Popper (1 for a circle); ``gained``
    and ``lost`` are households of today that come from and leave for other grids, against today's.
    ``pieces`` counts connected parts; above 1, ``communities`` and ``containers`` are faults too.
    """

    label: int
    weight: int
    households: int
    expected: int
    cells: int
    deviation_percent: float
    in_band: bool
    community: int
    container: int
    pieces: int
    communities: int
    containers: int
    gained: int
    lost: int
    area_m2: float
    perimeter_m: float
    compactness: float


@dataclass(frozen=True)
class ContainerRow:
    """One barrier-free piece of a community.

    ``in_band_at_most`` is how many of its grids any plan with as many grids could have in band, whatever its
    lines: an upper bound from the weight and from cells that are above the band by themselves.
    """

    container: int
    community: int
    cells: int
    weight: int
    grids: int
    in_band: int
    in_band_at_most: int

    @property
    def within_reach(self) -> bool:
        """Whether the numbers alone would let every grid be in band."""
        return self.in_band_at_most == self.grids


@dataclass(frozen=True)
class Measures:
    """Figures of one assignment of cells to grids.

    Households moved are counted over cells that are in a grid today and in one of another label in the
    assignment; ``moved_share`` is their share of the households of cells that are in a grid today.
    ``crossing_communities``, ``crossing_barriers`` and ``disconnected`` list labels of grids; a grid that
    crosses communities or barriers is disconnected as well.

    ``near_target`` counts grids within half the band; ``in_band_today`` and ``in_band_expected`` those in band by
    the households of today and by those expected, whatever is balanced. ``split_compounds`` counts compounds
    that would fit into one grid and lie in several, ``excess_pieces`` the grids that compounds of any size lie
    in beyond the fewest that hold them; ``broken`` lists the compounds concerned.
    """

    grids: int
    in_band: int
    near_target: int
    in_band_today: int
    in_band_expected: int
    in_band_at_most: int
    households: int
    households_moved: int
    moved_share: float
    worst_deviation_percent: float
    mean_deviation_percent: float
    mean_compactness: float
    split_compounds: int
    excess_pieces: int
    broken: tuple[int, ...]
    unassigned_cells: int
    disconnected: tuple[int, ...]
    crossing_communities: tuple[int, ...]
    crossing_barriers: tuple[int, ...]
    grid_rows: tuple[GridRow, ...]
    container_rows: tuple[ContainerRow, ...]

    @property
    def share_in_band(self) -> float:
        """Grids within the band, as a share of all grids, also those where nobody lives."""
        return self.in_band / self.grids if self.grids else 0.0

    @property
    def containers_out_of_reach(self) -> tuple[ContainerRow, ...]:
        """Containers in which the numbers forbid any plan with as many grids to have them all in band."""
        return tuple(row for row in self.container_rows if not row.within_reach)

    @property
    def legal(self) -> bool:
        """Whether every cell is in a grid, and every grid connected and in one container."""
        return not (self.unassigned_cells or self.disconnected)


@dataclass(frozen=True)
class Report:
    """What a proposal changes.

    Parameters
    ----------
    before, after : Measures
        Of today's grids and of the proposal.
    stopped : bool
        Whether the caller ended the search early: the proposal is legal, but another run need not equal it.
    """

    before: Measures
    after: Measures
    stopped: bool = False


@dataclass(frozen=True)
class Proposal:
    """An answer to a `Problem`.

    Parameters
    ----------
    assignment : ndarray of int, shape (n,)
        Label of each cell's grid: today's where a grid continues one, above all of today's where it is new.
    report : Report
    """

    assignment: Ints
    report: Report


def measure(problem: Problem, assignment: Ints) -> Measures:
    """Measure an assignment and find its faults; O(n + m).

    Parameters
    ----------
    problem : Problem
    assignment : ndarray of int, shape (n,)
        Label of each cell's grid, or -1 for a cell in none.

    Returns
    -------
    Measures

    Raises
    ------
    BalanceError
        When there is not one label a cell.
    """
    if assignment.shape != (problem.cells,):
        raise BalanceError(
            f"{problem.cells} cells have {assignment.shape} labels.", "Give one label for each cell."
        )
    container = containers(problem)
    rows = _grid_rows(problem, assignment, container)
    known = (problem.current >= 0) & (assignment >= 0)
    moved = int(problem.households[known & (problem.current != assignment)].sum())
    today = int(problem.households[problem.current >= 0].sum())
    off = np.abs([row.deviation_percent for row in rows]) if rows else np.zeros(1)
    container_rows = _container_rows(problem, container, rows)
    excess, small = _compound_pieces(problem, assignment)
    weight, households, expected = (
        np.array([getattr(row, name) for row in rows], np.int64)
        for name in ("weight", "households", "expected")
    )
    return Measures(
        grids=len(rows),
        in_band=int(problem.in_band(weight).sum()),
        near_target=int(problem.in_band(weight, HALF).sum()),
        in_band_today=int(problem.in_band(households).sum()),
        in_band_expected=int(problem.in_band(expected).sum()),
        in_band_at_most=sum(row.in_band_at_most for row in container_rows),
        households=int(problem.households.sum()),
        households_moved=moved,
        moved_share=moved / today if today else 0.0,
        worst_deviation_percent=float(off.max()),
        mean_deviation_percent=float(off.mean()),
        mean_compactness=float(np.mean([row.compactness for row in rows])) if rows else 0.0,
        split_compounds=int((small & (excess > 0)).sum()),
        excess_pieces=int(excess.sum()),
        broken=tuple(np.unique(problem.compound[problem.compound >= 0])[excess > 0].tolist()),
        unassigned_cells=int((assignment < 0).sum()),
        disconnected=tuple(row.label for row in rows if row.pieces > 1),
        crossing_communities=tuple(row.label for row in rows if row.communities > 1),
        crossing_barriers=tuple(row.label for row in rows if row.containers > row.communities),
        grid_rows=rows,
        container_rows=container_rows,
    )


def _grid_rows(problem: Problem, assignment: Ints, container: Ints) -> tuple[GridRow, ...]:
    inside = assignment >= 0
    labels, grid = np.unique(assignment[inside], return_inverse=True)
    count = len(labels)

    def total(values: Ints | Floats) -> Floats:
        return np.asarray(np.bincount(grid, values[inside], count), np.float64)

    def whole(values: Ints) -> list[int]:
        return [int(value) for value in total(values)]

    weight = np.asarray(whole(problem.weight), np.int64)
    area, perimeter = total(problem.area), _outlines(problem, assignment, total(problem.perimeter), labels)
    today, moved = problem.current >= 0, problem.current != assignment
    leaving = today & inside & moved & np.isin(problem.current, labels)
    lost = np.bincount(
        np.searchsorted(labels, problem.current[leaving]), problem.households[leaving], minlength=count
    )
    main_community = _heaviest(grid, problem.community[inside], problem.weight[inside])
    main_container = _heaviest(grid, container[inside], problem.weight[inside])
    columns = {
        "label": labels.tolist(),
        "weight": weight.tolist(),
        "households": whole(problem.households),
        "expected": whole(problem.households if problem.expected is None else problem.expected),
        "cells": whole(np.ones_like(assignment)),
        "deviation_percent": (100.0 * (weight / problem.target - 1.0)).tolist(),
        "in_band": problem.in_band(weight).tolist(),
        "community": main_community.tolist(),
        "container": main_container.tolist(),
        "pieces": _distinct(grid, _all_pieces(problem, assignment)[inside], count),
        "communities": _distinct(grid, problem.community[inside], count),
        "containers": _distinct(grid, container[inside], count),
        "gained": whole(problem.households * (today & moved)),
        "lost": lost.astype(np.int64).tolist(),
        "area_m2": area.tolist(),
        "perimeter_m": perimeter.tolist(),
        "compactness": np.minimum(1.0, 4.0 * np.pi * area / np.maximum(perimeter, 1e-9) ** 2).tolist(),
    }
    return tuple(
        GridRow(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
    )


def _all_pieces(problem: Problem, assignment: Ints) -> Ints:
    """Find the connected pieces of the grids, over open edges and inside a community."""
    _, key = np.unique(np.c_[assignment, problem.community], axis=0, return_inverse=True)
    return pieces(problem, key)


def _outlines(problem: Problem, assignment: Ints, perimeter: Floats, labels: Ints) -> Floats:
    """Outline of each grid, metres: the cells' perimeters less both sides of the borders inside."""
    u, v = problem.edges.T
    inner = (assignment[u] == assignment[v]) & (assignment[u] >= 0)
    grid = np.searchsorted(labels, assignment[u[inner]])
    return np.maximum(0.0, perimeter - 2.0 * np.bincount(grid, problem.shared_m[inner], len(labels)))


def _distinct(grid: Ints, value: Ints, count: int) -> list[int]:
    """How many different values the cells of each grid have."""
    pairs = np.unique(np.c_[grid, value], axis=0)
    return [int(number) for number in np.bincount(pairs[:, 0], minlength=count)]


def _heaviest(grid: Ints, value: Ints, weight: Ints) -> Ints:
    """Value with the most weight in each grid (then the most cells, then the smallest)."""
    pairs, which, cells = np.unique(np.c_[grid, value], axis=0, return_inverse=True, return_counts=True)
    sums = np.bincount(which.ravel(), weight, len(pairs))
    order = np.lexsort((pairs[:, 1], -cells, -sums, pairs[:, 0]))
    first = np.unique(pairs[order, 0], return_index=True)[1]
    return np.asarray(pairs[order[first], 1], np.int64)


def _container_rows(problem: Problem, container: Ints, rows: tuple[GridRow, ...]) -> tuple[ContainerRow, ...]:
    count = int(container.max()) + 1
    weight = np.bincount(container, problem.weight, count).astype(np.int64)
    heavy = (problem.weight > problem.target) & ~problem.in_band(problem.weight)
    too_heavy = np.bincount(container, problem.weight * heavy, count).astype(np.int64)
    first = np.unique(container, return_index=True)[1]
    at = np.array([row.container for row in rows], np.int64)
    grids = np.bincount(at, minlength=count)
    in_band = np.bincount(at[[row.in_band for row in rows]], minlength=count) if rows else grids
    cells = np.bincount(container, minlength=count)
    return tuple(
        ContainerRow(
            container=number,
            community=int(problem.community[first[number]]),
            cells=int(cells[number]),
            weight=int(weight[number]),
            grids=int(grids[number]),
            in_band=int(in_band[number]),
            in_band_at_most=in_band_at_most(
                problem, int(weight[number]), int(too_heavy[number]), int(grids[number])
            ),
        )
        for number in range(count)
    )


def in_band_at_most(problem: Problem, weight: int, too_heavy: int, grids: int) -> int:
    """Bound the grids in band: each needs the least of the band; together they take the whole weight.

    Parameters
    ----------
    problem : Problem
    weight, too_heavy : int
        Of a container: all its cells, and those that are above the band by themselves.
    grids : int
        Grids it is to have.
    """
    least, most = problem.band()
    possible = grids
    if too_heavy or weight > most * grids:
        possible = grids - 1
    if least > 0:
        possible = min(possible, (weight - too_heavy) // least)
    return max(0, possible)


def _compound_pieces(problem: Problem, assignment: Ints) -> tuple[Ints, Bools]:
    """Grids that each compound lies in beyond the fewest that hold it, and whether one holds it.

    Cells without weight do not count. Compounds are in ascending order.
    """
    fewest = fewest_grids(problem)
    estates = np.unique(problem.compound[problem.compound >= 0])
    inside = (problem.compound >= 0) & (assignment >= 0) & (problem.weight > 0)
    pairs = np.unique(np.c_[problem.compound[inside], assignment[inside]], axis=0)
    pieces = np.bincount(np.searchsorted(estates, pairs[:, 0]), minlength=len(estates))
    return np.maximum(pieces - fewest, 0), fewest <= 1
