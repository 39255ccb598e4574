"""How little of a grid can be parted from it, or added to it, when cells are whole and grids connected."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import NamedTuple

from geo.balance.reach import bits, least_sum, united

MOST_STEPS = 3_000
"""Sets listed in search of the lightest; where they do not suffice, connection is left out of account."""


class Mesh(NamedTuple):
    """Weights of cells, and the neighbours of each as a set."""

    weight: list[int]
    near: list[int]

    def around(self, cells: int) -> int:
        """Find all neighbours of a set of cells, its own among them."""
        return united(self.near[cell] for cell in bits(cells))


def lightest(mesh: Mesh, border: int, among: int, need: int) -> int:
    """Bound the weight of a set of cells of at least some weight whose every connected part has a border cell.

    Sets are listed depth first, each once, and no heavier than the lightest found; cells without weight are
    added wherever they border, which loses none.

    Parameters
    ----------
    mesh : Mesh
    border, among : int
        Cells that a part may begin with, and all that it may have, as sets.
    need : int

    Returns
    -------
    int
        No such set is lighter; the weight of one itself where the steps suffice. Without any set, more than all
        cells weigh.
    """
    weight, near = mesh
    empty = united(1 << cell for cell in bits(among) if weight[cell] == 0)
    best = 1 + sum(weight[cell] for cell in bits(among))
    sets = [(border & among, 0, 0)]
    for _ in range(MOST_STEPS):
        if not sets:
            return best
        edge, barred, total = sets.pop()
        if total >= need:
            best = min(best, total)
            if best == need:
                return best
            continue
        while bare := edge & empty & ~barred:
            bit = bare & -bare
            barred |= bit
            edge |= near[bit.bit_length() - 1] & among
        edge &= ~barred
        while edge:
            bit = edge & -edge
            edge ^= bit
            barred |= bit
            cell = bit.bit_length() - 1
            if (more := total + weight[cell]) < best:
                sets.append((edge | near[cell] & among & ~barred, barred, more))
    return least_sum([weight[cell] for cell in bits(among)], need)


def crossing(mesh: Mesh, start: int, goal: int) -> int | None:
    """Find the least weight that lies on a path between two sets of cells, theirs left out (Dijkstra 1959).

    None where no path leads from one to the other.
    """
    weight, near = mesh
    reached = dict.fromkeys(bits(start), 0)
    heap = [(0, cell) for cell in reached]
    heapify(heap)
    while heap:
        far, cell = heappop(heap)
        if far > reached[cell]:
            continue
        if near[cell] & goal:
            return far
        for other in bits(near[cell] & ~start):
            if (more := far + weight[other]) < reached.get(other, more + 1):
                reached[other] = more
                heappush(heap, (more, other))
    return None
