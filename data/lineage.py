"""Lineage: what of which grid became part of which, between any two plans."""

from __future__ import annotations

import pandas as pd
import shapely
from sqlalchemy import Connection, text

from data import assignments
from data.bulk import stage
from data.frames import read

# One scan a table: a join of assignments written in the same transaction would be planned without statistics.
_CELLS = """
SELECT id AS cell_id, building_id, entrance, households, area_m2,
       CASE WHEN earlier <> later THEN ST_AsBinary(shape) END AS wkb
FROM (SELECT *, int8range(first_set, last_set, '[]') @> (SELECT cell_set::bigint FROM plans
                    WHERE district = :district AND id = :before) AS earlier,
                int8range(first_set, last_set, '[]') @> (SELECT cell_set::bigint FROM plans
                    WHERE district = :district AND id = :after) AS later
      FROM layers.cells WHERE district = :district) c
WHERE earlier OR later ORDER BY id
"""


def differences(connection: Connection, district: str, before: int, after: int) -> pd.DataFrame:
    """Compare the assignments of any two plans, drafts too, in the cells and households of the later one.

    A cell both plans have is compared as it is. Where cells were replaced in between, a new one comes from the
    grid of the old cell of the same building and entrance, else from that of the old cell around it.

    Parameters
    ----------
    before, after : int
        Plan ids.

    Returns
    -------
    DataFrame
        from_grid (missing: land that was governed by none), to_grid, cells, households, area_m2; one row a
        pair of grids that share cells, unchanged grids included.

    Notes
    -----
    O(n log n) in the cells of both plans.
    """
    cells = read(connection, _CELLS, district=district, before=before, after=after)
    for end, plan in (("from_grid", before), ("to_grid", after)):
        assigned = assignments.of_plan(connection, district, plan)
        cells = cells.merge(assigned.rename(columns={"grid_id": end}), how="left", on="cell_id")
    cells = cells.astype(
        {"from_grid": "Int64", "to_grid": "Int64", "building_id": "Int64", "entrance": "Int64"}
    )
    gone, come = cells[cells.to_grid.isna()], cells[cells.from_grid.isna()]
    cells.loc[come.index, "from_grid"] = _origins(gone, come)
    pairs = cells[cells.to_grid.notna()].groupby(["from_grid", "to_grid"], dropna=False, as_index=False)
    return pairs.agg(cells=("cell_id", "size"), households=("households", "sum"), area_m2=("area_m2", "sum"))


def _origins(gone: pd.DataFrame, come: pd.DataFrame) -> pd.Series:
    """Return the grid each cell that came was in before, by the cells that went."""
    housed = gone[gone.building_id.notna()].drop_duplicates(["building_id", "entrance"])
    same = come[["building_id", "entrance"]].merge(
        housed[["building_id", "entrance", "from_grid"]], how="left", on=["building_id", "entrance"]
    )
    origins = same.from_grid.set_axis(come.index)
    lost, gone = come[origins.isna() & come.wkb.notna()], gone[gone.wkb.notna()]
    if len(lost) and len(gone):
        tree = shapely.STRtree(shapely.from_wkb([bytes(wkb) for wkb in gone.wkb]))
        points = shapely.point_on_surface(shapely.from_wkb([bytes(wkb) for wkb in lost.wkb]))
        found = pd.DataFrame(tree.query(points, predicate="covered_by").T, columns=["lost", "gone"])
        found = found.drop_duplicates("lost")  # the cells of one plan do not overlap
        origins.loc[lost.index[found.lost]] = gone.from_grid.iloc[found.gone].to_numpy()
    return origins


def write(connection: Connection, district: str, plan_id: int, previous_plan_id: int) -> int:
    """Record what of which grid became part of which when a plan took effect; return how many grids changed.

    Only what the plan changed is recorded, together with what such a grid kept.
    """
    pairs = differences(connection, district, previous_plan_id, plan_id).dropna()
    for end in ("from", "to"):
        pairs[f"share_of_{end}"] = _shares(pairs, f"{end}_grid")
    moved = pairs[pairs.from_grid != pairs.to_grid]
    touched = pd.concat([moved.from_grid, moved.to_grid]).unique()
    columns = {
        "from_grid": "bigint",
        "to_grid": "bigint",
        "cells": "integer",
        "households": "integer",
        "area_m2": "double precision",
        "share_of_from": "double precision",
        "share_of_to": "double precision",
    }
    kept = pairs[pairs.from_grid.isin(touched)]
    stage(connection, "new_successions", columns, kept[list(columns)].itertuples(index=False))
    listed = ", ".join(columns)
    connection.execute(
        text(
            f"INSERT INTO grid_successions (district, plan_id, {listed})"
            f" SELECT :district, :plan, {listed} FROM new_successions"
        ),
        {"district": district, "plan": plan_id},
    )
    return len(touched)


def _shares(pairs: pd.DataFrame, end: str) -> pd.Series:
    """Return the share of each pair in the grid at one end: by households, by area where it has none."""
    by = pairs.groupby(end)
    households, area = by.households.transform("sum"), by.area_m2.transform("sum")
    return (pairs.area_m2 / area).where(households == 0, pairs.households / households.where(households > 0))
