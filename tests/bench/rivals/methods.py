"""Other ways to divide a district into grids, each used as well as its documentation tells how.

None of them knows today's plan, compounds or bands: each gets a container at a time with its number of grids,
households as weights and shared borders as the cost of a cut, several tries, and the best of them is kept by what
a planner looks at first: grids in pieces, grids out of the band, households moved. Labels are matched to today's
afterwards, for all alike.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from geo.balance import PROFILES, Problem, balance, containers
from geo.balance.problem import Bools, Floats, Ints, components


class Part(NamedTuple):
    """A container by itself: an undirected graph of cells numbered from 0, as compressed sparse rows too."""

    cells: Ints
    grids: int
    weight: Ints
    xy: Floats
    today: Ints
    u: Ints
    v: Ints
    border: Floats
    start: Ints
    other: Ints
    decimetres: Ints
    in_band: Callable[[Ints], Bools]


Divide = Callable[[Part], Iterable[Ints]]
"""Gives several divisions of a part, the grid of each cell from 0."""


def parts(problem: Problem) -> list[Part]:
    """Cut a district, whose numbers of grids are stated, into its containers."""
    home = containers(problem)
    u, v = problem.edges.T
    held = problem.open & (home[u] == home[v])
    made = []
    for number, grids in enumerate(np.asarray(problem.grids)):
        cells = np.flatnonzero(home == number)
        own = held & (home[u] == number)
        near, far = np.searchsorted(cells, u[own]), np.searchsorted(cells, v[own])
        source, other = np.r_[near, far], np.r_[far, near]
        border = np.r_[problem.shared_m[own], problem.shared_m[own]]
        order = np.lexsort((other, source))
        made.append(
            Part(
                cells=cells,
                grids=int(grids),
                weight=problem.weight[cells],
                xy=problem.xy[cells],
                today=problem.current[cells],
                u=near,
                v=far,
                border=problem.shared_m[own],
                start=np.searchsorted(source[order], np.arange(len(cells) + 1)),
                other=other[order],
                decimetres=np.maximum(1, np.rint(border[order] * 10)).astype(np.int64),
                in_band=problem.in_band,
            )
        )
    return made


def divided(problem: Problem, divide: Divide) -> Ints:
    """Divide each container, keep the best try of each, and give labels that no two containers share."""
    assignment, given = np.full(problem.cells, -1), 0
    for part in parts(problem):
        tries = divide(part) if part.grids > 1 else [np.zeros(len(part.cells), np.int64)]
        best = min(tries, key=partial(worth, part))
        assignment[part.cells] = given + best
        given += part.grids
    return assignment


def worth(part: Part, grid: Ints) -> tuple[int, int, int]:
    """Grids in pieces, grids out of band, and households that leave their grid; smaller is better."""
    together = grid[part.u] == grid[part.v]
    piece = components(len(grid), part.u[together], part.v[together])
    broken = len(np.unique(piece)) - len(np.unique(grid))
    weight = np.bincount(grid, part.weight, part.grids).astype(np.int64)
    return (
        broken,
        int((~part.in_band(weight)).sum()),
        int(part.weight.sum() - kept(grid, part.today, part.weight)),
    )


def kept(grid: Ints, today: Ints, households: Ints) -> int:
    """Households that stay in their grid when labels are matched to today's as well as can be."""
    a, b, met = matching(grid, today, households)
    return int(met[a, b].sum())


def matching(grid: Ints, today: Ints, households: Ints) -> tuple[Ints, Ints, Ints]:
    """Match grids to labels of today's so that most households stay."""
    labels, label = np.unique(today, return_inverse=True)
    met = np.zeros((int(grid.max()) + 1, len(labels)), np.int64)
    np.add.at(met, (grid, label), households)
    return *linear_sum_assignment(-met), met


def metis(part: Part) -> Iterable[Ints]:
    """METIS, k-way with connected parts: the best of 20 seeds, half of them at an imbalance of 3, half of 6%."""
    import pymetis

    graph = pymetis.CSRAdjacency(part.start, part.other)
    for seed in range(20):
        options = pymetis.Options(seed=seed, contig=1, ufactor=30 if seed % 2 else 60, ncuts=4, niter=40)
        _, grid = pymetis.part_graph(
            part.grids,
            graph,
            vweights=part.weight,
            eweights=part.decimetres,
            recursive=False,
            options=options,
        )
        yield np.asarray(grid, np.int64)


def kahip(part: Part) -> Iterable[Ints]:
    """KaHIP, eco: the best of 7 seeds at imbalances of 3, 5 and 8%. It does not promise connected parts."""
    import kahip as library

    for seed, imbalance in product(range(7), (0.03, 0.05, 0.08)):
        _, grid = library.kaffpa(
            part.weight.tolist(),
            part.start.tolist(),
            part.decimetres.tolist(),
            part.other.tolist(),
            part.grids,
            imbalance,
            True,
            seed,
            library.ECO,
        )
        yield np.asarray(grid, np.int64)


def kmeans(part: Part) -> Iterable[Ints]:
    """k-means with sizes from 95 to 105% of the mean: the best of 2 starts.

    It weighs no points: a building is a point for each household, and goes where most of them go.
    """
    from k_means_constrained import KMeansConstrained

    points = np.repeat(np.arange(len(part.cells)), part.weight)
    mean = len(points) / part.grids
    for seed in range(2):
        model = KMeansConstrained(
            part.grids,
            size_min=int(0.95 * mean),
            size_max=int(np.ceil(1.05 * mean)),
            n_init=1,
            max_iter=30,
            random_state=seed,
        )
        found = model.fit_predict(part.xy[points])
        votes = np.zeros((len(part.cells), part.grids), np.int64)
        np.add.at(votes, (points, found), 1)
        away = ((part.xy[:, None] - model.cluster_centers_) ** 2).sum(axis=2)
        yield np.where(votes.any(axis=1), votes.argmax(axis=1), away.argmin(axis=1))


def recom(part: Part) -> Iterable[Ints]:
    """GerryChain's ReCom in 60 short bursts of 10 steps: the plan with most grids in band."""
    import networkx
    from gerrychain import Graph, Partition, optimization, proposals, updaters
    from gerrychain.partition import recursive_tree_part
    from gerrychain.tree import bipartition_tree

    net = networkx.Graph()
    net.add_nodes_from((cell, {"households": weight}) for cell, weight in enumerate(part.weight.tolist()))
    net.add_edges_from(zip(part.u.tolist(), part.v.tolist(), strict=True))
    rng = random.Random(0)  # noqa: S311
    mean = float(part.weight.sum()) / part.grids
    graph = Graph.from_networkx(net)
    start = None
    for epsilon in (0.08, 0.15, 0.3, 0.6):
        ways = {"max_attempts": 300, "warn_attempts": 10**9}
        try:
            start = recursive_tree_part(
                graph,
                range(part.grids),
                mean,
                "households",
                epsilon,
                bipartition_tree_fn=partial(bipartition_tree, **ways),
                rng=rng,
            )
        except RuntimeError:
            continue
        break
    if start is None:
        raise RuntimeError("ReCom finds no first plan")
    first = Partition(graph, start, {"households": updaters.Tally("households")})
    propose = partial(
        proposals.recom,
        pop_col="households",
        pop_target=mean,
        epsilon=epsilon,
        bipartition_tree_fn=partial(bipartition_tree, allow_pair_reselection=True, **ways),
    )

    def in_band(plan: Partition) -> int:
        return int(part.in_band(np.array(list(plan["households"].values()), np.int64)).sum())

    search = optimization.SingleMetricOptimizer(propose, [], first, in_band, rng=rng)
    for _ in search.short_bursts(10, 60):
        pass
    best = search.best_part.assignment
    yield np.array([best[cell] for cell in range(len(part.cells))], np.int64)


RIVALS: dict[str, Divide] = {"METIS": metis, "KaHIP": kahip, "k-means": kmeans, "ReCom": recom}


def solve(method: str, problem: Problem) -> Ints:
    """Divide a district by a method: ``gridgov`` and a profile's name, or one of the `RIVALS`."""
    own = method.removeprefix("gridgov ")
    if own in PROFILES:
        return balance(problem, profile=PROFILES[own]).assignment
    return divided(problem, RIVALS[method])
