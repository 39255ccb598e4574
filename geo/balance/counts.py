"""What a board counts: the sums it keeps of its grids and compounds, and the objective they add up to."""

from __future__ import annotations

import numpy as np

from geo.balance.board import Board, Ints, inlined, kernel


@inlined
def roundness(area: float, outline: float, shape: float) -> float:
    """Cost of a grid's shape: 1 less its compactness after Polsby and Popper (1991)."""
    return shape * (1.0 - min(1.0, 12.566370614359172 * area / max(outline * outline, 1e-9)))


@inlined
def split_cost(compound: int, pieces: int, board: Board) -> float:
    """Cost of a compound that lies in so many grids."""
    compounds = board.compounds
    cost = compounds[compound].old * max(0, pieces - compounds[compound].allowed)
    return cost + compounds[compound].new * max(0, pieces - compounds[compound].today)


@inlined
def toggle(e: int, add: bool, board: Board) -> None:
    """Put an edge on the list of those between grids, or take it off; of two twins the first stands for both."""
    edges, cut, cuts = board.edges, board.cut, board.cuts
    e = min(e, edges[e].twin)
    if add:
        edges[e].spot = cuts[0]
        cut[cuts[0]] = e
        cuts[0] += 1
    else:
        cuts[0] -= 1
        last = cut[cuts[0]]
        cut[edges[e].spot] = last
        edges[last].spot = edges[e].spot


@inlined
def kept(v: int, grid: int, board: Board) -> int:
    """Households of cell ``v`` that keep their label in a grid."""
    return board.cells[v].households * (board.cells[v].today == board.grids[grid].label)


@kernel
def fill(board: Board) -> None:
    """Count a board anew from the grid of each of its cells; O(cells + edges)."""
    cells, edges, grids, compounds, held = board.cells, board.edges, board.grids, board.compounds, board.held
    for g in range(len(grids)):
        grids[g].weight = 0
        grids[g].cells = 0
        grids[g].area = 0.0
        grids[g].outline = 0.0
    held[:] = 0
    for c in range(len(compounds)):
        compounds[c].pieces = 0
    board.cuts[0] = 0
    for v in range(len(cells)):
        g = cells[v].grid
        grids[g].weight += cells[v].weight
        board.members[g, grids[g].cells] = v
        cells[v].place = grids[g].cells
        grids[g].cells += 1
        grids[g].area += cells[v].area
        grids[g].outline += cells[v].perimeter
        for e in range(cells[v].start, cells[v].end):
            if cells[edges[e].other].grid == g:
                grids[g].outline -= edges[e].border
            elif e < edges[e].twin and grids[g].inside and grids[cells[edges[e].other].grid].inside:
                toggle(e, True, board)
        compound = cells[v].compound
        if compound >= 0:
            compounds[compound].pieces += (held[compound, g] == 0) * 1
            held[compound, g] += 1
    for g in range(len(grids)):
        grids[g].roundness = roundness(grids[g].area, grids[g].outline, board.costs.shape)


@kernel
def energy(board: Board) -> float:
    """Add up the objective of a board, to be small; households that keep their label count against it."""
    cells, grids, compounds, apart = board.cells, board.grids, board.compounds, board.apart
    total = 0.0
    for g in range(len(grids)):
        total += board.size[grids[g].weight] + grids[g].roundness
    for c in range(len(compounds)):
        total += split_cost(c, compounds[c].pieces, board)
    for v in range(len(cells)):
        total -= board.costs.moved * kept(v, cells[v].grid, board)
    for pair in range(len(apart)):
        total += 0.5 * board.costs.apart * (cells[apart[pair, 0]].grid == cells[apart[pair, 1]].grid)
    return total


@kernel
def mark_rings(board: Board, number: Ints, near: Ints) -> None:
    """Note for each cell and each set of its neighbours whether these touch each other around it.

    ``number`` (one a cell, all -1) and ``near`` (one a neighbour) are scratch; O(cells · 2 ** degree).
    """
    cells, rings = board.cells, board.rings
    for v in range(len(cells)):
        if cells[v].ring < 0:
            continue
        first = cells[v].start
        degree = cells[v].end - first
        _mark_touching(v, board, number, near)
        for mask in range(1 << degree):
            reach = mask & -mask
            before = 0
            while reach != before:
                before = reach
                for i in range(degree):
                    if (reach >> i) & 1:
                        reach |= near[i] & mask
            if reach == mask:
                rings[cells[v].ring + (mask >> 6)] |= np.uint64(1) << np.uint64(mask & 63)


@inlined
def _mark_touching(v: int, board: Board, number: Ints, near: Ints) -> None:
    """Mark in ``near``, a bit for each neighbour of ``v``, which of its neighbours touch each other."""
    cells, edges = board.cells, board.edges
    first = cells[v].start
    for e in range(first, cells[v].end):
        number[edges[e].other] = e - first
    for i in range(cells[v].end - first):
        near[i] = 1 << i
        u = edges[first + i].other
        for e in range(cells[u].start, cells[u].end):
            if number[edges[e].other] >= 0:
                near[i] |= 1 << number[edges[e].other]
    for e in range(first, cells[v].end):
        number[edges[e].other] = -1
