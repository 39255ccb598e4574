"""What a balancer is asked: cells, their adjacency, the target, today's grids and what must not change."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import BalanceError

MOST_HOUSEHOLDS = 2**31 - 1
"""So that every sum fits the compact records of the search."""
HEAVIEST = 10_000_000
"""Of a container: the search keeps a cost for each weight a grid may have."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def _no_pairs() -> Ints:
    return np.empty((0, 2), np.int64)


@dataclass(frozen=True)
class Locks:
    """What a proposal must leave as it is.

    Parameters
    ----------
    pinned : ndarray of int, shape (n,)
        The grid label a cell must have, or -1 where it is free. A label that no cell has today asks for a new
        grid.
    frozen : frozenset of int
        Labels of today's grids whose set of cells may not change; neither do they count as room for others.
        Special grids (专属网格) are frozen.
    together, apart : ndarray of int, shape (m, 2)
        Pairs of cells that must lie in one grid, and pairs that may not.
    """

    pinned: Ints
    frozen: frozenset[int] = frozenset()
    together: Ints = field(default_factory=_no_pairs)
    apart: Ints = field(default_factory=_no_pairs)


@dataclass(frozen=True)
class Problem:
    """A district to be divided into connected grids of about ``target`` households.

    Parameters
    ----------
    households : ndarray of int, shape (n,)
        Households of each cell today.
    xy : ndarray of float, shape (n, 2)
        A point of each cell, in metres of the district's metric coordinate system; for engines that ask where
        a cell lies (the present one needs only borders).
    area, perimeter : ndarray of float, shape (n,)
        Square metres and metres.
    community : ndarray of int, shape (n,)
        No grid reaches beyond one community.
    compound : ndarray of int, shape (n,)
        Walled estate of each cell, or -1.
    current : ndarray of int, shape (n,)
        Today's grid, in labels of the caller's, or -1 where a cell is in none.
    edges : ndarray of int, shape (m, 2)
        Pairs of adjacent cells, the smaller index first, each pair once.
    shared_m : ndarray of float, shape (m,)
        Length of the border that a pair shares, metres.
    open : ndarray of bool, shape (m,)
        False where a barrier lies on the border: adjacent there, but not connected.
    target : float
        Households a grid should have.
    tolerance_percent : int
        Half the width of the band around the target.
    grids : int or ndarray of int, shape (containers,), optional
        Grids the whole district shall have, or each of its `containers`; without it as many as come nearest to
        the target in each container.
    locks : Locks, optional
        What must stay as it is.
    expected : ndarray of int, shape (n,), optional
        Households of each cell at a later date.
    expected_percent : int
        What is balanced: 0 the households of today, 100 those expected, between them a mix.

    Raises
    ------
    BalanceError
        When a part is malformed, with the first offending cell or edge named.
    """

    households: Ints
    xy: Floats
    area: Floats
    perimeter: Floats
    community: Ints
    compound: Ints
    current: Ints
    edges: Ints
    shared_m: Floats
    open: Bools
    target: float
    tolerance_percent: int = 10
    grids: int | Ints | None = None
    locks: Locks | None = None
    expected: Ints | None = None
    expected_percent: int = 0

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_arrays(self)
        _check_edges(self)
        _check_containers(self)
        if self.locks is not None:
            _check_locks(self, self.locks)
        if isinstance(self.grids, np.ndarray):
            _check_array("grids", self.grids, (int(containers(self).max()) + 1,), np.integer, 1)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.households)

    @property
    def pinned(self) -> Ints:
        """Label each cell must have, or -1; shape (n,)."""
        return np.full(self.cells, -1, np.int64) if self.locks is None else self.locks.pinned

    @cached_property
    def frozen(self) -> Bools:
        """Whether a cell belongs to a frozen grid; shape (n,)."""
        return np.isin(self.current, [] if self.locks is None else sorted(self.locks.frozen))

    @cached_property
    def weight(self) -> Ints:
        """What is balanced of each cell: its households today, expected, or a mix; shape (n,)."""
        if self.expected is None or self.expected_percent == 0:
            return self.households
        part = self.expected_percent
        return (self.households * (100 - part) + self.expected * part + 50) // 100

    def band(self, part: Fraction = Fraction(1)) -> tuple[int, int]:
        """Least and most of a grid in the band, or in a part of it around the target; exact, in whole households."""
        target, width = Fraction(self.target), part * Fraction(self.tolerance_percent, 100)
        return ceil(target * (1 - width)), floor(target * (1 + width))

    def in_band(self, weight: Ints, part: Fraction = Fraction(1)) -> Bools:
        """Whether each weight is within the band, or a part of it; decided in whole numbers."""
        least, most = self.band(part)
        return (least <= weight) & (weight <= most)


def containers(problem: Problem) -> Ints:
    """Find the barrier-free connected pieces of the communities.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    ndarray of int, shape (n,)
        Container of each cell, from 0 in the order of their first cells. A legal grid lies in exactly one.
    """
    return pieces(problem, problem.community)


def fewest_grids(problem: Problem) -> Ints:
    """Fewest grids that hold each compound, if shares of a household could be given; compounds in ascending order."""
    inside = problem.compound >= 0
    estates, estate = np.unique(problem.compound[inside], return_inverse=True)
    weight = np.bincount(estate, problem.weight[inside], len(estates)).astype(np.int64)
    top = Fraction(problem.target) * (100 + problem.tolerance_percent) / 100
    return np.array([ceil(each / top) for each in weight.tolist()], np.int64)


def pieces(problem: Problem, label: Ints) -> Ints:
    """Find the connected pieces of cells of one label over the open edges; O(n + m).

    Parameters
    ----------
    problem : Problem
    label : ndarray of int, shape (n,)

    Returns
    -------
    ndarray of int, shape (n,)
    """
    u, v = problem.edges.T
    held = problem.open & (label[u] == label[v])
    return components(problem.cells, u[held], v[held])


def components(n: int, u: Ints, v: Ints) -> Ints:
    """Find the connected components of an undirected graph of ``n`` nodes; O(n + m)."""
    graph = coo_array((np.ones(len(u), np.bool_), (u, v)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _check_numbers(problem: Problem) -> None:
    ranges = {"target": (1, MOST_HOUSEHOLDS), "tolerance_percent": (0, 100), "expected_percent": (0, 100)}
    if isinstance(problem.grids, int):
        ranges["grids"] = (1, MOST_HOUSEHOLDS)
    for name, (lowest, highest) in ranges.items():
        value = getattr(problem, name)
        if not lowest <= value <= highest:
            raise BalanceError(f"{name} is {value}.", f"It must be from {lowest} to {highest}.")
    if problem.cells == 0:
        raise BalanceError("There are no cells to divide into grids.", "Make cells first.")


def _check_arrays(problem: Problem) -> None:
    n, m = problem.cells, len(problem.edges)
    rules = {  # name: shape, kind of number, lowest value
        "households": ((n,), np.integer, 0),
        "xy": ((n, 2), np.floating, None),
        "area": ((n,), np.floating, 0),
        "perimeter": ((n,), np.floating, 0),
        "community": ((n,), np.integer, None),
        "compound": ((n,), np.integer, -1),
        "current": ((n,), np.integer, -1),
        "edges": ((m, 2), np.integer, 0),
        "shared_m": ((m,), np.floating, 0),
        "open": ((m,), np.bool_, None),
    }
    for name, (shape, kind, lowest) in rules.items():
        _check_array(name, getattr(problem, name), shape, kind, lowest)
    if problem.expected is not None:
        _check_array("expected", problem.expected, (n,), np.integer, 0)
    for counts in (problem.households, problem.expected):
        if counts is not None and (total := counts.sum(dtype=np.float64)) > MOST_HOUSEHOLDS:
            raise BalanceError(
                f"The cells have {total:,.0f} households together.",
                f"At most {MOST_HOUSEHOLDS:,} are taken: balance parts of the area one by one.",
            )


def _check_array(
    name: str, values: NDArray[Any], shape: tuple[int, ...], kind: type, lowest: int | None
) -> None:
    if values.shape != shape or not np.issubdtype(values.dtype, kind):
        raise BalanceError(
            f"{name} has shape {values.shape} and numbers of type {values.dtype}.",
            f"It must have shape {shape} and hold {kind.__name__} numbers.",
        )
    wrong = ~np.isfinite(values) if lowest is None else ~(np.isfinite(values) & (values >= lowest))
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        need = "a finite number" if lowest is None else f"a number from {lowest} up"
        raise BalanceError(f"{name} of row {at[0]} is {values[at]}.", f"It must be {need}.")


def _check_edges(problem: Problem) -> None:
    u, v = problem.edges.T
    _, first = np.unique(u * problem.cells + v, return_index=True)
    twice = np.ones(len(u), np.bool_)
    twice[first] = False
    faults = {
        f"leads to a cell that is not there (there are {problem.cells})": np.maximum(u, v) >= problem.cells,
        "joins a cell to itself": u == v,
        "has its larger cell first": u > v,
        "is there twice": twice,
    }
    for fault, wrong in faults.items():
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise BalanceError(
                f"Edge {row} ({u[row]}, {v[row]}) {fault}.",
                "Give every pair of adjacent cells once, as row numbers of cells, the smaller first.",
            )


def _check_containers(problem: Problem) -> None:
    weight = np.bincount(containers(problem), problem.weight)
    if (heavy := weight > HEAVIEST).any():
        number = int(np.flatnonzero(heavy)[0])
        raise BalanceError(
            f"Container {number}, of community {problem.community[containers(problem) == number][0]}, has "
            f"{weight[number]:,.0f} households.",
            f"At most {HEAVIEST:,} are taken: look for a wrong count, or count in larger units.",
        )


def _check_locks(problem: Problem, locks: Locks) -> None:
    _check_array("pinned", locks.pinned, (problem.cells,), np.integer, -1)
    unknown = sorted(
        locks.frozen - set(problem.current.tolist()) | {label for label in locks.frozen if label < 0}
    )
    if unknown:
        raise BalanceError(
            f"Grid {unknown[0]} is frozen but has no cell today.", "Freeze today's grids only."
        )
    frozen = np.isin(problem.current, sorted(locks.frozen))
    asked = locks.pinned >= 0
    into = asked & np.isin(locks.pinned, sorted(locks.frozen))
    wrong = (asked & frozen & (locks.pinned != problem.current)) | (into & (locks.pinned != problem.current))
    if wrong.any():
        cell = int(np.flatnonzero(wrong)[0])
        raise BalanceError(
            f"Cell {cell} is pinned to {locks.pinned[cell]} from {problem.current[cell]}, one of them frozen.",
            "Unfreeze that grid or unpin the cell.",
        )
    _check_one_piece(problem, np.flatnonzero(asked & ~frozen), locks.pinned, frozen)
    for name, pairs in (("together", locks.together), ("apart", locks.apart)):
        _check_pairs(problem, name, pairs, locks.frozen)


def _check_one_piece(problem: Problem, cells: Ints, label: Ints, frozen: Bools) -> None:
    home = pieces(problem, np.where(frozen, problem.community.max() + 1, problem.community))
    for pinned in np.unique(label[cells]):
        if len(np.unique(home[cells[label[cells] == pinned]])) > 1:
            raise BalanceError(
                f"Cells pinned to grid {pinned} lie in different communities or are cut apart by a barrier or a "
                "frozen grid.",
                "Pin only cells of one connected piece of a community to a grid, or unfreeze what lies between.",
            )


def _check_pairs(problem: Problem, name: str, pairs: Ints, frozen: frozenset[int]) -> None:
    _check_array(name, pairs, (len(pairs), 2), np.integer, 0)
    u, v = pairs.T
    home = containers(problem)
    remedy = (
        "Name two different cells by their row numbers; together, of one connected piece of a community and both of "
        "one frozen grid or neither of any."
    )
    if (far := np.maximum(u, v) >= problem.cells).any():
        row = int(np.flatnonzero(far)[0])
        raise BalanceError(f"Pair {row} of {name} names a cell that is not there.", remedy)
    wrong = u == v
    if name == "together":
        still = np.where(np.isin(problem.current, sorted(frozen)), problem.current, -1)
        wrong |= (home[u] != home[v]) | (still[u] != still[v])
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BalanceError(f"Pair {row} of {name} ({u[row]}, {v[row]}) cannot be kept.", remedy)
