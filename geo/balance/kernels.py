"""The compiled parts of the search: single cells, chains of two and compound pieces, proposed and annealed.

A region is connected, and every kernel keeps each of its grids connected: cells leave a grid only where the rest
holds together without them. There is no global random state: the generator's state is an argument, and the same
state gives the same answer on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]
State = NDArray[np.uint64]
Records = NDArray[np.void]
Function = TypeVar("Function", bound=Callable[..., Any])

CELL = np.dtype(
    [
        ("start", np.int32),
        ("end", np.int32),  # its edges
        ("weight", np.int32),
        ("compound", np.int32),
        ("grid", np.int32),
        ("place", np.int32),  # in the list of its grid's cells
        ("ring", np.int32),  # of its bits in the table of rings, or -1
        ("fixed", np.int32),
        ("area", np.float64),
        ("perimeter", np.float64),
    ],
    align=True,
)
EDGE = np.dtype(
    [
        ("source", np.int32),
        ("other", np.int32),
        ("twin", np.int32),  # the same edge seen from the other cell
        ("spot", np.int32),  # in the list of edges between grids
        ("border", np.float64),
    ],
    align=True,
)
GRID = np.dtype(
    [
        ("weight", np.int64),
        ("cells", np.int64),
        ("active", np.int64),
        ("area", np.float64),
        ("outline", np.float64),
        ("roundness", np.float64),
    ],
    align=True,
)
COMPOUND = np.dtype([("allowed", np.int64), ("pieces", np.int64)], align=True)

RING_DEGREE = 12
"""Cells of more neighbours have no bits in the table of rings: 2 ** degree are needed."""
DICE = 4096
PIECES = np.uint64(0.05 * 2**32)
"""Share of proposals at a compound that move its whole piece."""
CHAINS = np.uint64(0.5 * 2**32)
"""Share of refused proposals that are tried again as a chain: another cell leaves the grid for it."""
HALF = np.uint64(2**31)


def kernel(function: Function) -> Function:
    """Compile on first call. Nothing is allocated inside: without counted references it runs three times as fast."""
    return cast(Function, njit(error_model="numpy", nogil=True, _nrt=False)(function))


def inlined(function: Function) -> Function:
    """Compile into each caller."""
    return cast(Function, njit(error_model="numpy", inline="always")(function))


class Costs(NamedTuple):
    """What the search adds up; `geo.balance.profiles` says what each means, and in which unit."""

    band: float
    beyond: float
    inner: float
    uneven: float
    moved: float
    shape: float
    small: float
    large: float
    apart: float


class Board(NamedTuple):
    """A region under search: records, lists and scratch, all written in place; numbers are of this region.

    ``stay[v, g]`` is what of cell ``v`` keeps its label in grid ``g``; ``members[g, :cells]`` lists a grid's
    cells, ``cut[:cuts[0]]`` the edges between active grids, each once; ``size[w]`` is the cost of a grid of
    weight ``w``; ``apart`` lists pairs of cells, both ways round, sorted.
    """

    cells: Records
    edges: Records
    grids: Records
    compounds: Records
    held: Ints
    members: Ints
    cut: Ints
    cuts: Ints
    stay: Ints
    apart: Ints
    size: Floats
    rings: Words
    dice: Floats
    seen: Ints
    queue: Ints
    costs: Costs


@inlined
def draw(state: State) -> int:
    """Draw 32 random bits with xorshift64* (Vigna 2016): the same numbers on every machine."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return (x * np.uint64(2685821657736338717)) >> np.uint64(32)


@inlined
def below(number: int, state: State) -> int:
    """Draw a whole number from 0 to below ``number``."""
    return np.int64((draw(state) * np.uint64(number)) >> np.uint64(32))


@inlined
def _roundness_cost(area: float, outline: float, shape: float) -> float:
    """Cost of a grid's shape: 1 less its Polsby-Popper compactness."""
    return shape * (1.0 - min(1.0, 12.566370614359172 * area / max(outline * outline, 1e-9)))


@inlined
def _pieces_cost(allowed: int, pieces: int, costs: Costs) -> float:
    over = pieces - allowed
    price = costs.small if allowed == 1 else costs.large
    return price * over if over > 0 else 0.0


@inlined
def _borders(v: int, to: int, cells: Records, edges: Records) -> tuple[float, float, int]:
    """Measure what cell ``v`` shares with its grid and with grid ``to``, and mark which neighbours are of its grid."""
    at = cells[v].grid
    here = 0.0
    there = 0.0
    mask = 0
    first = cells[v].start
    for e in range(first, cells[v].end):
        grid = cells[edges[e].other].grid
        if grid == at:
            here += edges[e].border
            mask |= 1 << ((e - first) & 31)
        elif grid == to:
            there += edges[e].border
    return here, there, mask


@inlined
def _flip_cost(
    v: int,
    to: int,
    here: float,
    there: float,
    cells: Records,
    grids: Records,
    compounds: Records,
    held: Ints,
    stay: Ints,
    apart: Ints,
    size: Floats,
    costs: Costs,
) -> float:
    """Change of `energy` when cell ``v`` goes to grid ``to``."""
    at = cells[v].grid
    weight = cells[v].weight
    cost = costs.moved * (stay[v, at] - stay[v, to])
    if weight > 0:
        cost += size[grids[at].weight - weight] - size[grids[at].weight]
        cost += size[grids[to].weight + weight] - size[grids[to].weight]
    compound = cells[v].compound
    if compound >= 0:
        old = compounds[compound].pieces
        new = old - (held[compound, at] == 1) + (held[compound, to] == 0)
        if new != old:
            cost += _pieces_cost(compounds[compound].allowed, new, costs)
            cost -= _pieces_cost(compounds[compound].allowed, old, costs)
    for pair in range(len(apart)):
        if apart[pair, 0] == v:
            grid = cells[apart[pair, 1]].grid
            cost += costs.apart * ((grid == to) * 1.0 - (grid == at) * 1.0)
    area = cells[v].area
    perimeter = cells[v].perimeter
    cost += _roundness_cost(grids[at].area - area, grids[at].outline - perimeter + 2.0 * here, costs.shape)
    cost += _roundness_cost(grids[to].area + area, grids[to].outline + perimeter - 2.0 * there, costs.shape)
    return cost - grids[at].roundness - grids[to].roundness


@inlined
def _toggle(e: int, add: bool, edges: Records, cut: Ints, cuts: Ints) -> None:
    """Put an edge on the list of those between grids, or take it off; of two twins the first stands for both."""
    e = min(e, edges[e].twin)
    if add:
        edges[e].spot = cuts[0]
        cut[cuts[0]] = e
        cuts[0] += 1
    else:
        cuts[0] -= 1
        last = cut[cuts[0]]
        spot = edges[e].spot
        cut[spot] = last
        edges[last].spot = spot


@inlined
def _flip(
    v: int,
    to: int,
    here: float,
    there: float,
    cells: Records,
    edges: Records,
    grids: Records,
    compounds: Records,
    held: Ints,
    members: Ints,
    cut: Ints,
    cuts: Ints,
    costs: Costs,
) -> None:
    """Move cell ``v`` to grid ``to``."""
    at = cells[v].grid
    grids[at].weight -= cells[v].weight
    grids[to].weight += cells[v].weight
    grids[at].area -= cells[v].area
    grids[to].area += cells[v].area
    grids[at].outline += 2.0 * here - cells[v].perimeter
    grids[to].outline += cells[v].perimeter - 2.0 * there
    grids[at].roundness = _roundness_cost(grids[at].area, grids[at].outline, costs.shape)
    grids[to].roundness = _roundness_cost(grids[to].area, grids[to].outline, costs.shape)
    compound = cells[v].compound
    if compound >= 0:
        held[compound, at] -= 1
        compounds[compound].pieces += (held[compound, to] == 0) * 1 - (held[compound, at] == 0) * 1
        held[compound, to] += 1
    grids[at].cells -= 1
    last = members[at, grids[at].cells]
    members[at, cells[v].place] = last
    cells[last].place = cells[v].place
    members[to, grids[to].cells] = v
    cells[v].place = grids[to].cells
    grids[to].cells += 1
    cells[v].grid = to
    for e in range(cells[v].start, cells[v].end):
        grid = cells[edges[e].other].grid
        if grid == at:
            _toggle(e, True, edges, cut, cuts)
        elif grid == to:
            _toggle(e, False, edges, cut, cuts)


@inlined
def _holds_without(
    v: int, mask: int, cells: Records, edges: Records, rings: Words, seen: Ints, stamp: int, queue: Ints
) -> bool:
    """Whether the grid of ``v`` stays connected without it: its neighbours there still reach each other.

    Mostly they touch each other around it, which a table tells; else breadth first until all are found.
    """
    grid = cells[v].grid
    ring = cells[v].ring
    holds = ring >= 0 and (rings[ring + (mask >> 6)] >> np.uint64(mask & 63)) & np.uint64(1) == np.uint64(1)
    if not holds:
        wanted = 0
        tail = 0
        for e in range(cells[v].start, cells[v].end):
            u = edges[e].other
            if cells[u].grid == grid:
                seen[u] = -stamp
                wanted += 1
                queue[0] = u
                tail = 1
        seen[v] = stamp
        if tail == 1:
            seen[queue[0]] = stamp
            wanted -= 1
        head = 0
        while head < tail and wanted > 0:
            x = queue[head]
            head += 1
            for e in range(cells[x].start, cells[x].end):
                u = edges[e].other
                if cells[u].grid == grid and seen[u] != stamp:
                    wanted -= seen[u] == -stamp
                    seen[u] = stamp
                    queue[tail] = u
                    tail += 1
        holds = wanted == 0
    return holds


@inlined
def _rest_holds(
    grid: int,
    count: int,
    cells: Records,
    edges: Records,
    grids: Records,
    members: Ints,
    seen: Ints,
    stamp: int,
    queue: Ints,
) -> bool:
    """Whether a grid stays connected without the ``count`` cells at the head of the queue, which are stamped."""
    i = 0
    while seen[members[grid, i]] == stamp:
        i += 1
    queue[count] = members[grid, i]
    seen[queue[count]] = stamp
    head = count
    tail = count + 1
    while head < tail:
        x = queue[head]
        head += 1
        for e in range(cells[x].start, cells[x].end):
            u = edges[e].other
            if cells[u].grid == grid and seen[u] != stamp:
                seen[u] = stamp
                queue[tail] = u
                tail += 1
    return tail == grids[grid].cells


@kernel
def fill(board: Board) -> None:
    """Count a board anew from the grid of each of its cells; O(cells + edges)."""
    cells, edges, grids, compounds, held, members, cut, cuts = board[:8]
    costs = board.costs
    for g in range(len(grids)):
        grids[g].weight = 0
        grids[g].cells = 0
        grids[g].active = 1
        grids[g].area = 0.0
        grids[g].outline = 0.0
    held[:] = 0
    for c in range(len(compounds)):
        compounds[c].pieces = 0
    cuts[0] = 0
    for v in range(len(cells)):
        g = cells[v].grid
        grids[g].weight += cells[v].weight
        members[g, grids[g].cells] = v
        cells[v].place = grids[g].cells
        grids[g].cells += 1
        grids[g].area += cells[v].area
        grids[g].outline += cells[v].perimeter
        for e in range(cells[v].start, cells[v].end):
            if cells[edges[e].other].grid == g:
                grids[g].outline -= edges[e].border
            elif e < edges[e].twin:
                _toggle(e, True, edges, cut, cuts)
        compound = cells[v].compound
        if compound >= 0:
            compounds[compound].pieces += (held[compound, g] == 0) * 1
            held[compound, g] += 1
    for g in range(len(grids)):
        grids[g].roundness = _roundness_cost(grids[g].area, grids[g].outline, costs.shape)


@kernel
def energy(board: Board) -> float:
    """Add up the objective of a board, to be small."""
    cells, grids, compounds, stay, apart, costs = (
        board.cells,
        board.grids,
        board.compounds,
        board.stay,
        board.apart,
        board.costs,
    )
    total = 0.0
    for g in range(len(grids)):
        total += board.size[grids[g].weight] + grids[g].roundness
    for c in range(len(compounds)):
        total += _pieces_cost(compounds[c].allowed, compounds[c].pieces, costs)
    for v in range(len(cells)):
        total -= costs.moved * stay[v, cells[v].grid]
    for pair in range(len(apart)):
        total += 0.5 * costs.apart * (cells[apart[pair, 0]].grid == cells[apart[pair, 1]].grid)
    return total


@kernel
def anneal(board: Board, hot: float, cold: float, proposals: int, state: State) -> float:
    """Improve a board in place by simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983).

    A proposal takes a random border between two grids and moves a cell across, or the piece of its compound
    (what is connected and in its grid); one that is refused may be tried as a chain, in which a cell of the
    receiving grid goes on to a third or comes back.

    Parameters
    ----------
    board : Board
        Every grid connected and not empty, before and after.
    hot, cold : float
        First and last temperature, in units of cost; between them it falls geometrically.
    proposals : int
        Steps tried, about 0.3 µs each.
    state : ndarray of uint64, shape (1,)
        State of the random generator, advanced in place.

    Returns
    -------
    float
        Change of `energy`.
    """
    (
        cells,
        edges,
        grids,
        compounds,
        held,
        members,
        cut,
        cuts,
        stay,
        apart,
        size,
        rings,
        dice,
        seen,
        queue,
        costs,
    ) = board
    heat = hot
    cooling = (cold / hot) ** (1.0 / max(1, proposals))
    stamp = 0
    seen[:] = 0
    change = 0.0
    for _ in range(proposals):
        heat *= cooling
        if cuts[0] == 0:
            break
        e = cut[below(cuts[0], state)]
        if draw(state) < HALF:
            e = np.int64(edges[e].twin)
        v = edges[e].source
        at = cells[v].grid
        to = cells[edges[e].other].grid
        if cells[v].fixed or grids[at].cells == 1:
            continue
        most = heat * dice[below(DICE, state)]
        compound = cells[v].compound
        if compound >= 0 and draw(state) < PIECES:
            stamp += 1
            queue[0] = v
            seen[v] = stamp
            head = 0
            tail = 1
            fixed = 0
            weight = 0
            leaving = 0
            area = 0.0
            perimeter = 0.0
            here = 0.0
            there = 0.0
            while head < tail:
                x = queue[head]
                head += 1
                fixed += cells[x].fixed
                weight += cells[x].weight
                leaving += stay[x, at] - stay[x, to]
                area += cells[x].area
                perimeter += cells[x].perimeter
                for f in range(cells[x].start, cells[x].end):
                    u = edges[f].other
                    if cells[u].grid == to:
                        there += edges[f].border
                    elif cells[u].grid == at:
                        if cells[u].compound != compound:
                            here += edges[f].border
                        else:
                            perimeter -= edges[f].border
                            if seen[u] != stamp:
                                seen[u] = stamp
                                queue[tail] = u
                                tail += 1
            if fixed > 0 or tail == 1 or tail == grids[at].cells or len(apart) > 0:
                continue
            cost = costs.moved * leaving
            cost += size[grids[at].weight - weight] - size[grids[at].weight]
            cost += size[grids[to].weight + weight] - size[grids[to].weight]
            cost += _roundness_cost(
                grids[at].area - area, grids[at].outline - perimeter + 2.0 * here, costs.shape
            )
            cost += _roundness_cost(
                grids[to].area + area, grids[to].outline + perimeter - 2.0 * there, costs.shape
            )
            cost -= grids[at].roundness + grids[to].roundness
            old = compounds[compound].pieces
            new = old - (held[compound, at] == tail) * 1 + (held[compound, to] == 0) * 1
            cost += _pieces_cost(compounds[compound].allowed, new, costs)
            cost -= _pieces_cost(compounds[compound].allowed, old, costs)
            if cost > most or not _rest_holds(at, tail, cells, edges, grids, members, seen, stamp, queue):
                continue
            for i in range(tail):
                x = queue[i]
                here, there, mask = _borders(x, to, cells, edges)
                _flip(x, to, here, there, cells, edges, grids, compounds, held, members, cut, cuts, costs)
            change += cost
            continue
        here, there, mask = _borders(v, to, cells, edges)
        cost = _flip_cost(v, to, here, there, cells, grids, compounds, held, stay, apart, size, costs)
        u = v
        onto = at
        if cost > most:
            if draw(state) >= CHAINS:
                continue
            u = members[to, below(grids[to].cells, state)]
            onto = cells[edges[cells[u].start + below(cells[u].end - cells[u].start, state)].other].grid
            if onto == to or grids[onto].active == 0 or cells[u].fixed:
                continue
            # What the pair costs in size and moves alone mostly refuses it, before anything is changed.
            weight = cells[v].weight
            second = cells[u].weight
            least = costs.moved * (stay[v, at] - stay[v, to] + stay[u, to] - stay[u, onto]) - costs.shape
            least += size[grids[to].weight + weight - second] - size[grids[to].weight]
            if onto == at:
                least += size[grids[at].weight - weight + second] - size[grids[at].weight]
            else:
                least += size[grids[at].weight - weight] - size[grids[at].weight]
                least += size[grids[onto].weight + second] - size[grids[onto].weight]
            if least > most:
                continue
        stamp += 1
        if not _holds_without(v, mask, cells, edges, rings, seen, stamp, queue):
            continue
        _flip(v, to, here, there, cells, edges, grids, compounds, held, members, cut, cuts, costs)
        if u == v:
            change += cost
            continue
        here, there, mask = _borders(u, onto, cells, edges)
        cost += _flip_cost(u, onto, here, there, cells, grids, compounds, held, stay, apart, size, costs)
        stamp += 1
        if cost <= most and _holds_without(u, mask, cells, edges, rings, seen, stamp, queue):
            _flip(u, onto, here, there, cells, edges, grids, compounds, held, members, cut, cuts, costs)
            change += cost
        else:
            here, there, mask = _borders(v, at, cells, edges)
            _flip(v, at, here, there, cells, edges, grids, compounds, held, members, cut, cuts, costs)
    return change


@kernel
def ring_table(cells: Records, edges: Records, rings: Words, number: Ints, near: Ints) -> None:
    """Note for each cell and each set of its neighbours whether these touch each other around it.

    ``number`` (one a cell, all -1) and ``near`` (one a neighbour) are scratch; O(cells · 2 ** degree).
    """
    for v in range(len(cells)):
        first = cells[v].start
        degree = cells[v].end - first
        if cells[v].ring < 0:
            continue
        for e in range(first, cells[v].end):
            number[edges[e].other] = e - first
        for i in range(degree):
            near[i] = 1 << i
            u = edges[first + i].other
            for e in range(cells[u].start, cells[u].end):
                if number[edges[e].other] >= 0:
                    near[i] |= 1 << number[edges[e].other]
        for e in range(first, cells[v].end):
            number[edges[e].other] = -1
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
