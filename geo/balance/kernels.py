"""The compiled parts of the search: cells, chains of two and pieces of compounds, proposed and annealed.

Every kernel keeps each grid connected: cells leave a grid only where the rest holds together without them. There
is no global random state: the generator's state is an argument, and the same state gives the same answer on
every machine.
"""

from __future__ import annotations

import numpy as np

from geo.balance.board import DICE, Board, State, inlined, kernel
from geo.balance.counts import kept, roundness, split_cost, toggle

PIECES = np.uint64(0.05 * 2**32)
"""Share of proposals at a compound that move its whole piece."""
CHAINS = np.uint64(0.5 * 2**32)
"""Share of refused proposals that are tried again as a chain: another cell leaves the grid for it."""
HALF = np.uint64(2**31)


@inlined
def draw(state: State) -> int:
    """Draw 32 random bits with xorshift64* (Vigna 2016)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return (x * np.uint64(2685821657736338717)) >> np.uint64(32)


@inlined
def below(number: int, state: State) -> int:
    """Draw a whole number from 0 to below ``number``."""
    return np.int64((draw(state) * np.uint64(number)) >> np.uint64(32))  # type: ignore[return-value]


@kernel
def chance(state: State) -> float:
    """Draw from [0, 1)."""
    return draw(state) / 4294967296.0


@inlined
def _borders(v: int, to: int, board: Board) -> tuple[float, float, int]:
    """Metres that cell ``v`` shares with its grid and with grid ``to``, and a bit for each neighbour in its grid."""
    cells, edges = board.cells, board.edges
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
def _block_cost(
    at: int, to: int, weight: int, area: float, perimeter: float, here: float, there: float, board: Board
) -> float:
    """Change of what sizes and shapes cost when a block of cells goes from grid ``at`` to grid ``to``."""
    grids, size, shape = board.grids, board.size, board.costs.shape
    cost = roundness(grids[at].area - area, grids[at].outline - perimeter + 2.0 * here, shape)
    cost += roundness(grids[to].area + area, grids[to].outline + perimeter - 2.0 * there, shape)
    cost -= grids[at].roundness + grids[to].roundness
    cost += size[grids[at].weight - weight] - size[grids[at].weight]
    cost += size[grids[to].weight + weight] - size[grids[to].weight]
    return cost


@inlined
def _split_change(compound: int, number: int, at: int, to: int, board: Board) -> float:
    """Change of what a compound's splits cost when so many of its cells go from grid ``at`` to grid ``to``."""
    held = board.held
    pieces = board.compounds[compound].pieces
    after = pieces - (held[compound, at] == number) * 1 + (held[compound, to] == 0) * 1
    return split_cost(compound, after, board) - split_cost(compound, pieces, board)


@inlined
def _flip_cost(v: int, to: int, here: float, there: float, board: Board) -> float:
    """Change of `energy` when cell ``v`` goes to grid ``to``."""
    cells, costs = board.cells, board.costs
    at = cells[v].grid
    cost = costs.moved * (kept(v, at, board) - kept(v, to, board))
    cost += _block_cost(at, to, cells[v].weight, cells[v].area, cells[v].perimeter, here, there, board)
    if cells[v].compound >= 0:
        cost += _split_change(cells[v].compound, 1, at, to, board)
    for pair in range(len(board.apart)):
        if board.apart[pair, 0] == v:
            grid = cells[board.apart[pair, 1]].grid
            cost += costs.apart * ((grid == to) * 1.0 - (grid == at) * 1.0)
    return cost


@inlined
def _flip_least(v: int, to: int, board: Board) -> float:
    """Bound from below what `_flip_cost` can be, whatever borders the cell has: most proposals need no more."""
    cells, grids, compounds = board.cells, board.grids, board.compounds
    size, costs = board.size, board.costs
    at = cells[v].grid
    least = costs.moved * (kept(v, at, board) - kept(v, to, board))
    least += size[grids[at].weight - cells[v].weight] - size[grids[at].weight]
    least += size[grids[to].weight + cells[v].weight] - size[grids[to].weight]
    least -= grids[at].roundness + grids[to].roundness + costs.apart * len(board.apart)
    if cells[v].compound >= 0:
        whole = board.held[cells[v].compound, at] == 1
        least -= whole * (compounds[cells[v].compound].old + compounds[cells[v].compound].new)
    return least


@inlined
def _flip(v: int, to: int, here: float, there: float, board: Board) -> None:
    """Move cell ``v`` to grid ``to``."""
    cells, edges, grids, compounds = board.cells, board.edges, board.grids, board.compounds
    held, members, shape = board.held, board.members, board.costs.shape
    at = cells[v].grid
    grids[at].weight -= cells[v].weight
    grids[to].weight += cells[v].weight
    grids[at].area -= cells[v].area
    grids[to].area += cells[v].area
    grids[at].outline += 2.0 * here - cells[v].perimeter
    grids[to].outline += cells[v].perimeter - 2.0 * there
    grids[at].roundness = roundness(grids[at].area, grids[at].outline, shape)
    grids[to].roundness = roundness(grids[to].area, grids[to].outline, shape)
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
            toggle(e, True, board)
        elif grid == to:
            toggle(e, False, board)


@inlined
def _holds_without(v: int, mask: int, stamp: int, board: Board) -> bool:
    """Whether the grid of ``v`` stays connected without it: its neighbours there still reach each other.

    Mostly they touch each other around it, which a table tells; else breadth first until all are found.
    """
    cells, edges, seen, queue = board.cells, board.edges, board.seen, board.queue
    grid = cells[v].grid
    ring = cells[v].ring
    holds = ring >= 0 and (board.rings[ring + (mask >> 6)] >> np.uint64(mask & 63)) & np.uint64(
        1
    ) == np.uint64(1)
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
                    wanted -= (seen[u] == -stamp) * 1
                    seen[u] = stamp
                    queue[tail] = u
                    tail += 1
        holds = wanted == 0
    return holds


@inlined
def _rest_holds(grid: int, count: int, stamp: int, board: Board) -> bool:
    """Whether a grid stays connected without the ``count`` stamped cells at the head of the queue."""
    cells, edges, members, seen, queue = board.cells, board.edges, board.members, board.seen, board.queue
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
    return tail == board.grids[grid].cells


@inlined
def _move_piece(v: int, to: int, most: float, stamp: int, board: Board) -> float:
    """Move the piece of its compound that ``v`` is in, connected and in its grid, if that costs at most so much.

    Returns the change of `energy`, 0 where nothing was moved.
    """
    cells, edges, grids = board.cells, board.edges, board.grids
    seen, queue, costs = board.seen, board.queue, board.costs
    at = cells[v].grid
    compound = cells[v].compound
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
        leaving += kept(x, at, board) - kept(x, to, board)
        area += cells[x].area
        perimeter += cells[x].perimeter
        for e in range(cells[x].start, cells[x].end):
            u = edges[e].other
            if cells[u].grid == to:
                there += edges[e].border
            elif cells[u].grid == at and cells[u].compound != compound:
                here += edges[e].border
            elif cells[u].grid == at:
                perimeter -= edges[e].border
                if seen[u] != stamp:
                    seen[u] = stamp
                    queue[tail] = u
                    tail += 1
    change = 0.0
    if fixed == 0 and 1 < tail < grids[at].cells and len(board.apart) == 0:
        cost = costs.moved * leaving + _block_cost(at, to, weight, area, perimeter, here, there, board)
        cost += _split_change(compound, tail, at, to, board)
        if cost <= most and _rest_holds(at, tail, stamp, board):
            change = cost
            for i in range(tail):
                here, there, _ = _borders(queue[i], to, board)
                _flip(queue[i], to, here, there, board)
    return change


@inlined
def _first(board: Board, state: State) -> tuple[int, int]:
    """Draw a cell at the border of its grid, and the grid beyond."""
    edges = board.edges
    e = board.cut[below(board.cuts[0], state)]
    if draw(state) < HALF:
        e = np.int64(edges[e].twin)
    return edges[e].source, board.cells[edges[e].other].grid


@inlined
def _second(v: int, to: int, board: Board, state: State) -> tuple[int, int]:
    """Draw a cell that leaves ``to`` when ``v`` enters it, and the grid it goes on to; ``v`` where it cannot."""
    cells, edges = board.cells, board.edges
    u = board.members[to, below(board.grids[to].cells, state)]
    beyond = edges[cells[u].start + below(cells[u].end - cells[u].start, state)].other
    onto = cells[beyond].grid
    # A cell that borders on v alone would be left without a neighbour there, for v goes.
    if onto == to or beyond == v or cells[u].fixed or not board.grids[onto].inside:
        u = v
    return u, onto


@inlined
def _chain_least(v: int, to: int, u: int, onto: int, board: Board) -> float:
    """Bound from below what it costs that ``v`` enters ``to`` and ``u`` leaves it: sizes and moves, any shape."""
    cells, grids, size = board.cells, board.grids, board.size
    at = cells[v].grid
    first = cells[v].weight
    second = cells[u].weight
    moved = kept(v, at, board) - kept(v, to, board) + kept(u, to, board) - kept(u, onto, board)
    least = board.costs.moved * moved - board.costs.shape
    least += size[grids[to].weight + first - second] - size[grids[to].weight]
    if onto == at:
        least += size[grids[at].weight - first + second] - size[grids[at].weight]
    else:
        least += size[grids[at].weight - first] - size[grids[at].weight]
        least += size[grids[onto].weight + second] - size[grids[onto].weight]
    return least


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
        First and last temperature, in points of cost; between them it falls geometrically.
    proposals : int
        Steps tried, about 0.3 µs each.
    state : ndarray of uint64, shape (1,)
        State of the random generator, advanced in place.

    Returns
    -------
    float
        Change of `energy`.
    """
    cells, grids, cuts, dice = board.cells, board.grids, board.cuts, board.dice
    heat = hot
    cooling = (cold / hot) ** (1.0 / max(1, proposals))
    stamp = 0
    board.seen[:] = 0
    change = 0.0
    for _ in range(proposals):
        heat *= cooling
        if cuts[0] == 0:
            break
        v, to = _first(board, state)
        at = cells[v].grid
        if cells[v].fixed or grids[at].cells == 1:
            continue
        most = heat * dice[below(DICE, state)]
        if cells[v].compound >= 0 and draw(state) < PIECES:
            stamp += 1
            change += _move_piece(v, to, most, stamp, board)
            continue
        here = there = 0.0
        mask = 0
        cost = _flip_least(v, to, board)
        if cost <= most:
            here, there, mask = _borders(v, to, board)
            cost = _flip_cost(v, to, here, there, board)
        u = v
        onto = at
        if cost > most:
            if draw(state) >= CHAINS:
                continue
            u, onto = _second(v, to, board, state)
            if u == v or _chain_least(v, to, u, onto, board) > most:
                continue
            here, there, mask = _borders(v, to, board)
            cost = _flip_cost(v, to, here, there, board)
        stamp += 1
        if not _holds_without(v, mask, stamp, board):
            continue
        _flip(v, to, here, there, board)
        if u == v:
            change += cost
            continue
        here, there, mask = _borders(u, onto, board)
        cost += _flip_cost(u, onto, here, there, board)
        stamp += 1
        if cost <= most and _holds_without(u, mask, stamp, board):
            _flip(u, onto, here, there, board)
            change += cost
        else:
            here, there, mask = _borders(v, at, board)
            _flip(v, at, here, there, board)
    return change
