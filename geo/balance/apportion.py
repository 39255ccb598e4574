"""How many grids where."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geo.balance.problem import Bools, Floats, Ints, Problem, containers
from geo.errors import BalanceError


def apportion(problem: Problem, number: Ints, still: Bools) -> Ints:
    """Decide how many grids each region gets, by least squares of the deviation from the target.

    A region of weight H in k grids deviates by k·(H/k - target)²; the sum is convex in every k, so that giving
    grids one by one where the sum falls most is optimal. Each region gets at least one, also one without
    weight.

    Parameters
    ----------
    problem : Problem
    number : ndarray of int, shape (n,)
        Region of each cell, -1 where it stays as it is; see `geo.balance.region.numbered`.
    still : ndarray of bool, shape (n,)
        Whether a cell stays as it is: the grids there count among those asked for.

    Returns
    -------
    ndarray of int, shape (regions,)

    Raises
    ------
    BalanceError
        When the grids asked for, of the district or of a container, are fewer than its regions and pins need or
        more than it has cells.
    """
    free = number >= 0
    cells = np.bincount(number[free])
    weight = np.bincount(number[free], problem.weight[free])
    pinned = np.flatnonzero(free & (problem.pinned >= 0))
    labels = np.unique(np.c_[number[pinned], problem.pinned[pinned]], axis=0)
    least = np.maximum(1, np.bincount(labels[:, 0], minlength=len(cells)))

    def share(some: Ints, asked: int | None, left: int, whose: str) -> Ints:
        def gain(counts: Ints) -> Floats:
            return np.asarray(weight[some] ** 2 / (counts * (counts + 1.0)))

        if asked is None:
            return hand_out(gain, least[some], cells[some], worth=float(problem.target) ** 2)
        if not least[some].sum() <= asked - left <= cells[some].sum():
            raise BalanceError(
                f"{asked} grids are asked for{whose}; at least {least[some].sum() + left} are needed "
                f"and at most {cells[some].sum() + left} possible.",
                "Every barrier-free piece of a community needs a grid of its own, and every grid a cell.",
            )
        return hand_out(gain, least[some], cells[some], total=asked - left)

    everything = np.arange(len(cells))
    kept = still & (problem.current >= 0)
    if not isinstance(problem.grids, np.ndarray):
        return share(everything, problem.grids, len(np.unique(problem.current[kept])), "")
    counts = np.zeros(len(cells), np.int64)
    home = containers(problem)
    at = home[np.unique(number, return_index=True)[1]][-len(cells) :] if len(cells) else everything
    for container in np.unique(at).tolist():
        some = np.flatnonzero(at == container)
        left = len(np.unique(problem.current[kept & (home == container)]))
        counts[some] = share(some, int(problem.grids[container]), left, f" for container {container}")
    return counts


def hand_out(
    gain: Callable[[Ints], Floats],
    least: Ints,
    most: Ints,
    *,
    total: int | None = None,
    worth: float = -np.inf,
) -> Ints:
    """Raise counts one by one where the gain is largest, up to ``total`` or while it is above ``worth``."""
    counts = least.astype(np.int64)
    while len(counts) and (total is None or counts.sum() < total):
        gains = np.where(counts < most, gain(counts), -np.inf)
        best = int(gains.argmax())
        if gains[best] <= worth:
            break
        counts[best] += 1
    return counts
