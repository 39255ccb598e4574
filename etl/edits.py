"""Edit a draft: move cells, take moves back, lock, unlock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from data import grids, locks, moves, plans, versions
from data.session import Store
from etl.acting import Act, acting
from etl.actor import Actor
from etl.lifecycle import Changed, check_revision, once
from geo.errors import CheckError, ConflictError, InputError, NotFoundError

NEW = "new"
"""Stands for a grid that a move makes."""
SHOWN = 20


@dataclass(frozen=True)
class Move:
    """Cells that shall go to a grid.

    Parameters
    ----------
    to : int or str
        Id of a grid, its code (ours or the ledger's), or ``new``.
    cells : sequence of int
        Cells by id.
    buildings : sequence of str
        Cells by the ledger's code of their building.
    grids : sequence of int or str
        All cells of these grids of the plan: merges them into ``to``.
    """

    to: int | str
    cells: Sequence[int] = ()
    buildings: Sequence[str] = ()
    grids: Sequence[int | str] = ()


def move(
    store: Store,
    actor: Actor,
    district: str,
    number: int,
    wanted: Sequence[Move],
    *,
    revision: int,
    key: str | None = None,
) -> Changed:
    """Move cells of a draft between grids of their community.

    All of it is done or nothing; what is where it should be already stays.

    Parameters
    ----------
    revision : int
        The revision the editor saw; the draft's next is returned.

    Raises
    ------
    StaleError
        If somebody else edited the draft since; carries their moves.
    ConflictError
        If the plan is no draft, or a cell or grid is locked, or a grid was retired.
    InputError
        If a cell, building or grid is not in the plan, or a cell is named twice.
    CheckError
        If a cell would go to a grid of another community.
    """
    asked = {
        "act": "move",
        "number": number,
        "revision": revision,
        "moves": [asdict(each) for each in wanted],
    }
    with acting(store, actor, district) as act:

        def do() -> Changed:
            plan = editable(act, number, revision)
            return _apply(act, plan, _targets(act, plan, wanted), "move")

        return once(act, key, asked, do, Changed)


def undo(
    store: Store, actor: Actor, district: str, number: int, *, revision: int, key: str | None = None
) -> Changed:
    """Take the last moves of a draft back that stand; done again, those before them.

    Raises
    ------
    ConflictError
        If nothing is left to take back, or cells of it were made anew, or the draft was brought onto
        another plan, since.
    """
    with acting(store, actor, district) as act:

        def do() -> Changed:
            plan = editable(act, number, revision)
            last = moves.last_standing(act.connection, act.code, plan.id)
            if last is None:
                raise ConflictError(f"Plan {number} has no moves to take back.", "It is as it was opened.")
            undone, former = last
            _check_same_base(plan, undone)
            stand = moves.standing(act.connection, act.code, plan, list(former))
            if len(stand) < len(former):
                raise ConflictError(
                    f"Cells of revision {undone} were made anew since.", "Move them by hand instead."
                )
            return _apply(act, plan, former, "undo", undoes=undone)

        return once(act, key, {"act": "undo", "number": number, "revision": revision}, do, Changed)


def lock(
    store: Store, actor: Actor, district: str, number: int, kind: locks.Kind, ids: Sequence[int | str]
) -> Changed:
    """Hold grids, or cells in their grids, against hand and balancer."""
    return _locking(store, actor, district, number, kind, ids, "lock")


def unlock(
    store: Store, actor: Actor, district: str, number: int, kind: locks.Kind, ids: Sequence[int | str]
) -> Changed:
    """Let grids or cells that were locked be moved again."""
    return _locking(store, actor, district, number, kind, ids, "unlock")


def _locking(
    store: Store,
    actor: Actor,
    district: str,
    number: int,
    kind: locks.Kind,
    ids: Sequence[int | str],
    verb: str,
) -> Changed:
    with acting(store, actor, district) as act:
        plan = editable(act, number, None)
        known = _grid_names(act, plan) if kind == "grid" else {}
        named = [_grid(known, each) if kind == "grid" else _cell(each) for each in ids]
        if kind == "cell":
            _check_known(named, moves.cells_of(act.connection, act.code, plan, cells=named), "cell")
        if verb == "lock":
            done = locks.add(act.connection, act.code, plan.id, kind, named, actor.id)
        else:
            done = locks.remove(act.connection, act.code, plan.id, kind, named)
        versions.advance(act.connection, act.code, "drafts")
        act.record(f"plan.{verb}", f"plan {number}", after={f"{kind}s": done})
        return Changed(number, plan.state, plan.revision, plan.title)


def editable(act: Act, number: int, revision: int | None) -> plans.Plan:
    """Return a draft that may be edited.

    Raises
    ------
    ConflictError
        If the plan is no draft.
    StaleError
        If it was edited since the revision given.
    """
    plan = plans.get(act.connection, act.code, number)
    if plan.state != "draft":
        raise ConflictError(
            f"Plan {number} is {plan.state}; only a draft can be edited.",
            "Send it back, or open a draft from it: gridgov plan open.",
        )
    check_revision(act, plan, revision)
    return plan


def _apply(
    act: Act, plan: plans.Plan, targets: dict[int, int], verb: str, undoes: int | None = None
) -> Changed:
    """Carry moves out that name every cell once, and only cells of the plan."""
    connection, district = act.connection, act.code
    stand = moves.standing(connection, district, plan, list(targets))
    goal = stand.cell_id.map(targets)
    stand = stand.assign(goal=goal)[goal != stand.grid_id]
    if stand.empty:
        return Changed(plan.number, plan.state, plan.revision, plan.title)
    _check_goals(act, plan, stand)
    revision = plans.raise_revision(connection, district, plan)
    moving = dict(zip(stand.cell_id.tolist(), stand.goal.tolist(), strict=True))
    moves.apply(
        connection,
        district,
        plan,
        moving,
        leaving=stand.grid_id.unique().tolist(),
        revision=revision,
        actor=act.actor.id,
        undoes=undoes,
    )
    versions.advance(connection, district, "drafts")
    households = int(stand.households.sum())
    act.record(
        f"plan.{verb}",
        f"plan {plan.number}",
        before={"revision": plan.revision},
        after={"revision": revision, "cells": len(stand), "households": households},
    )
    grids_touched = sorted({*stand.grid_id.tolist(), *stand.goal.tolist()})
    return Changed(
        plan.number,
        plan.state,
        revision,
        plan.title,
        grids=tuple(moves.touched(connection, district, plan, grids_touched)),
    )


def _check_goals(act: Act, plan: plans.Plan, stand: pd.DataFrame) -> None:
    held = locks.locked_grids(act.connection, act.code, plan.id, stand.goal.unique().tolist())
    locked = stand[stand.locked | stand.goal.isin(held)]
    if not locked.empty:
        raise ConflictError(
            f"{len(locked)} of the cells are locked, or go to a locked grid: {_listed(locked.cell_id)}.",
            f"Unlock them first: gridgov plan unlock {plan.number}.",
        )
    home = grids.communities_of(act.connection, act.code, stand.goal.unique().tolist())
    astray = stand[stand.goal.map(home) != stand.community_id]
    if not astray.empty:
        raise CheckError(
            f"{len(astray)} of the cells would go to a grid of another community: {_listed(astray.cell_id)}.",
            "A grid lies in one community: move them to a grid of their own.",
        )


def _check_same_base(plan: plans.Plan, undone: int) -> None:
    """See that moves taken back were made as a change of the plan that the draft is a change of now.

    Cells have gone to other grids since otherwise, and grids they came from may be retired.
    """
    merges = [each for each in plan.report.get("rebases", ()) if each["onto"] and each["revision"] > undone]
    if merges:
        raise ConflictError(
            f"The draft was brought onto plan {merges[-1]['onto']} after revision {undone}.",
            "Move the cells by hand instead.",
        )


def _targets(act: Act, plan: plans.Plan, wanted: Sequence[Move]) -> dict[int, int]:
    """Name the grid id of every cell that is to move, making grids where new ones are asked for."""
    names = _grid_names(act, plan)
    targets: dict[int, int] = {}
    for each in wanted:
        chosen = _chosen(act, plan, each, names)
        twice = [cell for cell in chosen if cell in targets]
        if twice:
            raise InputError(f"Cells are moved twice: {_listed(twice)}.", "Name each cell once.")
        goal = _new_grid(act, plan, chosen) if each.to == NEW else _goal(act, names, each.to)
        targets |= dict.fromkeys(chosen, goal)
    return targets


def _chosen(act: Act, plan: plans.Plan, wanted: Move, names: dict[int | str, int]) -> list[int]:
    whole = [_grid(names, grid) for grid in wanted.grids]
    chosen = set(moves.cells_of(act.connection, act.code, plan, cells=wanted.cells, grids=whole))
    _check_known(wanted.cells, chosen, "cell")
    if wanted.buildings:
        held = moves.cells_of_buildings(act.connection, act.code, plan, wanted.buildings)
        _check_known(wanted.buildings, held, "building")
        chosen |= {cell for cells in held.values() for cell in cells}
    if not chosen:
        raise InputError("A move names no cell.", "Name cells, buildings or whole grids.")
    return sorted(chosen)


def _check_known(named: Iterable[int | str], found: Iterable[int | str], noun: str) -> None:
    unknown = sorted(set(named) - set(found))
    if unknown:
        raise InputError(
            f"The plan has no {noun} {_listed(unknown)}.",
            "Cells may have been made anew: load the plan again.",
        )


def _new_grid(act: Act, plan: plans.Plan, cells: Sequence[int]) -> int:
    stand = moves.standing(act.connection, act.code, plan, cells)
    communities = stand.community_id.unique().tolist()
    if len(communities) > 1:
        raise CheckError("A new grid would reach into several communities.", "Make one in each community.")
    return grids.add(act.connection, act.code, communities)[0]


def _grid_names(act: Act, plan: plans.Plan) -> dict[int | str, int]:
    """Return the grids of a plan by id, by code and by the ledger's code."""
    known = grids.of_plan(act.connection, act.code, plan.id)
    names: dict[int | str, int] = {}
    for column in ("external_code", "code", "id"):
        named = known[known[column].notna()]
        names |= dict(zip(named[column].tolist(), named.id.tolist(), strict=True))
    return names


def _grid(names: dict[int | str, int], named: int | str) -> int:
    if named not in names:
        raise InputError(f"The plan has no grid {named}.", "Name one by its id or code.")
    return names[named]


def _cell(named: int | str) -> int:
    try:
        return int(named)
    except ValueError:
        raise InputError(f"The plan has no cell {named}.", "Name one by its id.") from None


def _goal(act: Act, names: dict[int | str, int], named: int | str) -> int:
    """Find a grid that cells go to: of the plan, or one that is in force and was emptied in the draft.

    Raises
    ------
    ConflictError
        If the grid was retired: only a roll-back gives its code back.
    """
    if named in names:
        return names[named]
    current = plans.in_force(act.connection, act.code)
    standing = _grid_names(act, current) if current else {}
    if named in standing:
        return standing[named]
    if grids.is_known(act.connection, act.code, named):
        raise ConflictError(
            f"Grid {named} is not in this plan nor in force.",
            "A retired code only returns by a roll-back; use new.",
        )
    raise NotFoundError(f"There is no grid {named}.", "Name one of the plan by its id or code, or new.")


def _listed(values: Iterable[object]) -> str:
    listed = [str(value) for value in values]
    return ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else "")
