"""From an instance folder to the problem it poses."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from etl.instances.tables import EDGE_COLUMNS, EDGES, FILES, META, UNIT_COLUMNS, UNITS, column, refuse, table
from geo.balance import Problem, containers
from geo.balance.problem import HEAVIEST, MOST_HOUSEHOLDS, Bools, Floats, Ints, components
from geo.errors import InputError

SAME_M = 1e-3
"""How far the two lengths of a border may differ that is listed both ways round, metres."""


@dataclass(frozen=True)
class Instance:
    """An instance folder as read.

    Parameters
    ----------
    name, weight : str
        As stated; the folder's name and ``households`` where nothing is.
    problem : Problem
        As many grids as come nearest to the target, within 10%; see `pose` for others.
    uids : ndarray of int or str, shape (n,)
        The units' own names, in the order of the file, which is that of the problem's cells.
    container : ndarray of int, shape (n,)
        Container of each cell by the instance's own numbers.
    grids : int or None
        Of the whole district, as stated.
    per_container : ndarray of int, shape (containers,), or None
        Grids of each container by the instance's own numbers, as stated.
    """

    name: str
    weight: str
    problem: Problem
    uids: NDArray[Any]
    container: Ints
    grids: int | None
    per_container: Ints | None

    @property
    def own_numbers(self) -> Ints:
        """The instance's own number of each of the problem's `containers`; shape (containers,)."""
        first = np.unique(containers(self.problem), return_index=True)[1]
        return np.asarray(self.container[first], np.int64)

    @property
    def stated(self) -> Ints | None:
        """Grids of each of the problem's `containers`, as stated; shape (containers,)."""
        return None if self.per_container is None else self.per_container[self.own_numbers]


def read(folder: Path, *, counted: bool = True) -> Instance:
    """Read an instance; O((n + m) log m).

    Parameters
    ----------
    folder : Path
    counted : bool
        Whether the numbers of grids must be stated. Where they are, they are checked in any case.

    Returns
    -------
    Instance

    Raises
    ------
    InputError
        If a file is missing, unreadable or malformed.
    BalanceError
        If it poses no problem that can be balanced, such as one of too many households.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder.", f"Name a folder that holds {', '.join(FILES)}.")
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise InputError(f"{folder} holds no {' and no '.join(missing)}.", "An instance is all three files.")
    meta = _meta(folder / META)
    units, edges = table(folder / UNITS, UNIT_COLUMNS), table(folder / EDGES, EDGE_COLUMNS)
    if units.num_rows == 0:
        raise InputError(f"{UNITS} has no rows.", "An instance has at least one unit.")
    uids = _uids(units.column("uid"))
    unit = {
        name: column(UNITS, units, name, lambda row: f"uid {uids[row]}")
        for name in UNIT_COLUMNS
        if name != "uid"
    }
    pairs, shared_m, is_open = _borders(edges, uids)
    _check_containers(unit, pairs[is_open], uids)
    grids, per_container = _counts(meta, np.bincount(unit["container"]), required=counted)
    problem = Problem(
        households=unit["w"],
        xy=np.c_[unit["x"], unit["y"]],
        area=unit["area"],
        perimeter=unit["perim"],
        community=unit["community"],
        compound=unit["compound"],
        current=unit["current"],
        edges=pairs,
        shared_m=shared_m,
        open=is_open,
        target=meta["target"],
    )
    name, weight = meta.get("name") or folder.resolve().name, meta.get("weight") or "households"
    return Instance(str(name), str(weight), problem, uids, unit["container"], grids, per_container)


def pose(
    instance: Instance,
    *,
    tolerance_percent: int = 10,
    grids: int | Literal["free"] | None = None,
    scratch: bool = False,
) -> Problem:
    """State what is asked of an instance.

    Parameters
    ----------
    instance : Instance
    tolerance_percent : int
        Half the width of the band around the target.
    grids : int or "free", optional
        Grids of the whole district, shared out among the containers; or as many as come nearest to the target.
        Without it each container has the number that the instance states.
    scratch : bool
        Whether to forget today's grids.

    Raises
    ------
    InputError
        If the instance states no numbers and none is asked for.
    BalanceError
        If a number is out of its range.
    """
    if grids is None and instance.per_container is None:
        raise InputError(
            f"{META} states no K and k_per_container.", "State both, or ask for a number of grids."
        )
    problem = instance.problem
    return dataclasses.replace(
        problem,
        tolerance_percent=tolerance_percent,
        grids=instance.stated if grids is None else None if grids == "free" else grids,
        current=np.full_like(problem.current, -1) if scratch else problem.current,
    )


def _uids(stored: pa.ChunkedArray) -> NDArray[Any]:
    where = f"{UNITS}: uid"

    def place(row: int) -> str:
        return f"row {row}"

    refuse(where, "is missing", stored.is_null().to_numpy(), place, "Give each unit a uid.")
    uids: NDArray[Any] = stored.to_numpy()
    if uids.dtype == object:
        blank = np.array([not uid.strip() for uid in uids], np.bool_)
        refuse(where, "is blank", blank, place, "Give each unit a uid.")
    again = pd.Series(uids).duplicated().to_numpy(np.bool_)

    def twice(row: int) -> str:
        return f"{uids[row]} (again in row {row})"

    refuse(where, "is there more than once", again, twice, "Give each unit a uid of its own.")
    return uids


def _borders(stored: pa.Table, uids: NDArray[Any]) -> tuple[Ints, Floats, Bools]:
    """Return each pair of neighbours once, the smaller row first, in order; with its length and openness."""

    def row_of(row: int) -> str:
        return f"row {row}"

    u, v, length, is_open = (column(EDGES, stored, name, row_of) for name in EDGE_COLUMNS)
    n = len(uids)
    for name, end in (("u", u), ("v", v)):
        refuse(
            f"{EDGES}: {name}",
            "leads to no unit",
            end >= n,
            lambda row, end=end: f"{end[row]} of row {row}",  # type: ignore[misc]
            f"u and v are row numbers of {UNITS}, from 0 to {n - 1}.",
        )

    def tell(row: int) -> str:
        return f"row {row} (uid {uids[u[row]]}, uid {uids[v[row]]})"

    refuse(f"{EDGES}:", "a unit borders on itself", u == v, tell, "Leave such rows out.")
    key, first, pair = np.unique(
        np.minimum(u, v) * n + np.maximum(u, v), return_index=True, return_inverse=True
    )
    up = np.bincount(pair, u < v, len(key)).astype(np.int64)
    down = np.bincount(pair, u > v, len(key)).astype(np.int64)
    again = np.ones(len(u), np.bool_)
    again[np.unique(u * n + v, return_index=True)[1]] = False
    remedy = "List each border once, or each both ways round with the same length and ok."
    refuse(f"{EDGES}:", "an edge is listed again", again, tell, remedy)
    both = (up > 0) & (down > 0)
    if both.any():
        odd, fault = ~both, "an edge goes one way only, where others go both"
        if both.mean() < 0.5:
            odd, fault = both, "an edge goes both ways, where others go one way only"
        refuse(f"{EDGES}:", fault, odd[pair], tell, remedy)
        unlike = np.abs(length - length[first[pair]]) > SAME_M
        unlike |= is_open != is_open[first[pair]]
        refuse(f"{EDGES}:", "a border is not the same seen from both sides", unlike, tell, remedy)
    return np.c_[key // n, key % n].astype(np.int64), length[first], is_open[first]


def _check_containers(unit: dict[str, NDArray[Any]], joined: Ints, uids: NDArray[Any]) -> None:
    """Hold the stated containers to what they are: barrier-free connected pieces of one community."""
    home, community = unit["container"], unit["community"]
    numbers, first, size = np.unique(home, return_index=True, return_counts=True)
    if gaps := np.flatnonzero(numbers != np.arange(len(numbers))).tolist():
        raise InputError(
            f"{UNITS}: no unit is of container {gaps[0]}, though one is of container {numbers[-1]}.",
            "Number the containers from 0 without gaps.",
        )
    refuse(
        f"{UNITS}: container",
        "spans communities",
        community != community[first][home],
        lambda row: f"{home[row]} (uid {uids[first[home[row]]]} is of another than uid {uids[row]})",
        "A container lies in one community.",
    )
    u, v = joined.T
    inside = home[u] == home[v]
    refuse(
        f"{EDGES}:",
        "an edge that is ok joins two containers of one community",
        ~inside & (community[u] == community[v]),
        lambda row: f"uid {uids[u[row]]} of {home[u[row]]} and uid {uids[v[row]]} of {home[v[row]]}",
        "Make them one container, or the edge not ok.",
    )
    piece = components(len(home), u[inside], v[inside])
    cut_off = np.zeros(len(home), np.bool_)
    apart = np.flatnonzero(piece != piece[first][home])
    cut_off[apart[np.unique(home[apart], return_index=True)[1]]] = True
    refuse(
        f"{UNITS}: container",
        "is not connected over edges that are ok",
        cut_off,
        lambda row: f"{home[row]} (no way from uid {uids[first[home[row]]]} to uid {uids[row]})",
        "Make each connected piece a container of its own.",
    )
    weight = np.bincount(home, unit["w"], len(size))
    refuse(
        f"{UNITS}: container",
        f"has more than {HEAVIEST:,} households",
        weight > HEAVIEST,
        lambda each: f"{each} ({weight[each]:,.0f})",
        "Count in larger units, and state the target in them too.",
    )


def _meta(path: Path) -> dict[str, Any]:
    try:
        meta = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(f"{META} cannot be read as JSON: {error}.", "Write the file anew.") from error
    if not isinstance(meta, dict):
        raise InputError(f"{META} is no JSON object.", 'Write it as {"target": 300, ...}.')
    target = meta.get("target")
    if isinstance(target, bool | None) or not (
        isinstance(target, int | float) and 1 <= target <= MOST_HOUSEHOLDS
    ):
        stated = f"target is {_said(target)}" if "target" in meta else "no target is stated"
        raise InputError(f"{META}: {stated}.", f"It must be a number from 1 to {MOST_HOUSEHOLDS:,}.")
    return meta


def _counts(meta: dict[str, Any], cells: Ints, *, required: bool) -> tuple[int | None, Ints | None]:
    """Return the grids of the district and of each container, as far as they are stated and can be had."""
    if absent := [name for name in ("K", "k_per_container") if meta.get(name) is None]:
        if not required:
            return None, None
        raise InputError(
            f"{META} states no {' and no '.join(absent)}.", "State both, or ask for a number of grids."
        )
    number, per_container = meta["K"], meta["k_per_container"]
    if not _is_count(number) or not isinstance(per_container, list):
        wrong = "k_per_container" if _is_count(number) else "K"
        raise InputError(
            f"{META}: {wrong} is {_said(meta[wrong])}.",
            "K is a whole number from 1 up, k_per_container a list of such numbers.",
        )
    if len(per_container) != len(cells):
        raise InputError(
            f"{META}: k_per_container has {len(per_container)} numbers for {len(cells)} containers.",
            "State one number for each container, in their order.",
        )
    refuse(
        f"{META}: k_per_container",
        "is not a whole number from 1 up",
        np.array([not _is_count(each) for each in per_container]),
        lambda each: f"{_said(per_container[each])} of container {each}",
        "Each container has at least one grid.",
    )
    refuse(
        f"{META}: k_per_container",
        "is larger than the number of units",
        np.array([each > most for each, most in zip(per_container, cells.tolist(), strict=True)]),
        lambda each: f"{_said(per_container[each])} of container {each} with {cells[each]:,}",
        "A grid needs a unit at least.",
    )
    if sum(per_container) != number:
        raise InputError(
            f"{META}: K is {_said(number)}, but k_per_container adds up to {sum(per_container):,}.",
            "Make them agree.",
        )
    return number, np.array(per_container, np.int64)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _said(value: Any) -> str:
    """Spell what a JSON file states, cut short."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= 40 else f"{text[:37]}..."
