"""Dividing a connected graph into connected parts of about equal weight, as a planner with a pencil does."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


TRIES = 4
"""Directions in which a cut is tried."""

TURNED = 0.1
"""How much more uneven a cut along the longer axis may not be than one across it."""


@dataclass(frozen=True)
class Graph:
    """Nodes with a place and a weight, and which of them touch.

    Attributes
    ----------
    xy : ndarray of float, shape (n, 2)
        Metres.
    weight : ndarray of float, shape (n,)
    neighbours : sequence of n lists of int
        In ascending order.
    """

    xy: Floats
    weight: Floats
    neighbours: Sequence[list[int]]


def graph(xy: Floats, weight: Floats, pairs: Ints) -> Graph:
    """Make a graph of nodes and the pairs that touch, shape (m, 2)."""
    neighbours: list[list[int]] = [[] for _ in xy]
    for a, b in pairs.tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    return Graph(xy, weight, [sorted(near) for near in neighbours])


def divide(ground: Graph, nodes: Ints, count: int, rng: np.random.Generator) -> list[Ints]:
    """Divide connected nodes into ``count`` connected parts of about equal weight.

    Cuts in two, again and again, across the longer axis: parts come out compact but not level.

    Raises
    ------
    ValueError
        If there are fewer nodes than parts.
    """
    if count > len(nodes):
        raise ValueError(f"{len(nodes)} nodes cannot make {count} parts")
    if count == 1:
        return [nodes]
    head, tail, first = min(_cuts(ground, nodes, count, rng), key=lambda cut: cut[0])[1:]
    return [*divide(ground, head, first, rng), *divide(ground, tail, count - first, rng)]


def _cuts(
    ground: Graph, nodes: Ints, count: int, rng: np.random.Generator
) -> Iterator[tuple[float, Ints, Ints, int]]:
    """Yield ways to cut nodes in two: how uneven each is, the two sides, and how many parts the first makes."""
    total = float(ground.weight[nodes].sum())
    goal = total * (count // 2) / count
    axis = np.linalg.svd(ground.xy[nodes] - ground.xy[nodes].mean(axis=0), full_matrices=False)[2][0]
    for turn in rng.normal(0, 0.2) + np.arange(TRIES) * np.pi / TRIES:
        along = axis * np.cos(turn) + np.array([-axis[1], axis[0]]) * np.sin(turn)
        head, tail = take(ground, nodes, along, goal)
        share = float(ground.weight[head].sum()) / total if total else 0.5
        first = int(np.clip(round(count * share), max(1, count - len(tail)), min(len(head), count - 1)))
        uneven = max(abs(count * share / first - 1), abs(count * (1 - share) / (count - first) - 1))
        yield uneven + TURNED * abs(np.sin(turn)), head, tail, first


def take(ground: Graph, nodes: Ints, along: Floats, goal: float) -> tuple[Ints, Ints]:
    """Take a connected part from one end of two or more connected nodes, and leave a connected rest.

    Parameters
    ----------
    ground : Graph
    nodes : ndarray of int
    along : ndarray of float, shape (2,)
        Nodes are taken in this direction, each beside one that is taken already.
    goal : float
        Stop at this weight, but take one node and leave one at least.

    Returns
    -------
    tuple of ndarray of int
        What is taken and the rest. Where the rest falls in pieces, the largest is left and the others are
        taken too.
    """
    inside = set(nodes.tolist())
    rank = dict(zip(nodes.tolist(), (ground.xy[nodes] @ along).tolist(), strict=True))
    start = min(inside, key=lambda node: (rank[node], node))
    heap, seen = [(rank[start], start)], {start}
    taken: list[int] = []
    weight = 0.0
    while heap and (weight < goal or not taken) and len(taken) < len(nodes) - 1:
        _, node = heapq.heappop(heap)
        taken.append(node)
        weight += ground.weight[node]
        for near in ground.neighbours[node]:
            if near in inside and near not in seen:
                seen.add(near)
                heapq.heappush(heap, (rank[near], near))
    rest = max(_pieces(ground, inside.difference(taken)), key=len)
    return np.array(sorted(inside - rest), dtype=np.int64), np.array(sorted(rest), dtype=np.int64)


def apportion(weight: Iterable[float], total: int) -> Ints:
    """Share ``total`` out by weight, at least one each (method of Sainte-Laguë)."""
    weights = np.fromiter(weight, dtype=np.float64)
    shares = np.ones(len(weights), dtype=np.int64)
    while shares.sum() < total:
        shares[np.argmax(weights / (shares + 0.5))] += 1
    return shares


def _pieces(ground: Graph, nodes: set[int]) -> list[set[int]]:
    """Return the connected pieces of nodes."""
    left, pieces = set(nodes), []
    while left:
        stack = [min(left)]
        left.discard(stack[0])
        piece = set(stack)
        while stack:
            near = [node for node in ground.neighbours[stack.pop()] if node in left]
            left.difference_update(near)
            piece.update(near)
            stack.extend(near)
        pieces.append(piece)
    return pieces
