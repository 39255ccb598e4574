"""Cases (工单): who handles them."""

from __future__ import annotations

import pandas as pd
import shapely
from sqlalchemy import Connection, text

from data.bulk import stage
from data.frames import read_geo


def hand_over(connection: Connection, district: str, plan_id: int, actor: str) -> int:
    """Move open cases to the grid of a plan that covers their place, with a line of history each.

    Returns
    -------
    int
        Cases that changed hands.
    """
    columns = {"case_id": "bigint", "from_grid": "bigint", "to_grid": "bigint"}
    moving = would_move(connection, district, plan_id)
    stage(connection, "new_handlers", columns, moving[list(columns)].itertuples(index=False))
    moved = connection.execute(
        text(
            "WITH moved AS ("
            " UPDATE cases k SET grid_id = n.to_grid FROM new_handlers n"
            " WHERE k.district = :district AND k.id = n.case_id RETURNING k.id, n.from_grid, n.to_grid)"
            " INSERT INTO case_events (district, case_id, actor, text)"
            " SELECT :district, m.id, :actor, 'Grid ' || o.code || ' handed it to ' || n.code || ': plan ' || p.number"
            " FROM moved m JOIN grids o ON o.district = :district AND o.id = m.from_grid"
            " JOIN grids n ON n.district = :district AND n.id = m.to_grid"
            " JOIN plans p ON p.district = :district AND p.id = :plan ORDER BY m.id"
        ),
        {"district": district, "plan": plan_id, "actor": actor},
    )
    return int(moved.rowcount)


def would_move(connection: Connection, district: str, plan_id: int) -> pd.DataFrame:
    """Return the open cases that a plan, a draft too, would give to another grid.

    Returns
    -------
    DataFrame
        case_id, number, from_grid, to_grid (grid ids); where a case lies on a border, the grid with the smallest
        code.
    """
    cases = read_geo(
        connection,
        "SELECT id AS case_id, number, grid_id AS from_grid, ST_AsBinary(point) AS wkb FROM cases"
        " WHERE district = :district AND state = 'open' AND grid_id IS NOT NULL ORDER BY number",
        district=district,
    )
    cells = read_geo(
        connection,
        "SELECT pc.grid_id, ST_AsBinary(c.shape) AS wkb FROM plan_cells pc"
        " JOIN cells c ON c.district = pc.district AND c.id = pc.cell_id"
        " JOIN grids g ON g.district = pc.district AND g.id = pc.grid_id"
        " WHERE pc.district = :district AND pc.plan_id = :plan ORDER BY g.code, g.id, c.id",
        district=district,
        plan=plan_id,
    )
    # Row-level security keeps PostgreSQL from its spatial index, which would make this quadratic.
    pairs = shapely.STRtree(cells.geometry.to_numpy()).query(
        cases.geometry.to_numpy(), predicate="covered_by"
    )
    placed = pd.DataFrame(pairs.T, columns=["case", "cell"]).groupby("case").cell.min()
    found = cases.loc[placed.index, ["case_id", "number", "from_grid"]]
    found["to_grid"] = cells.grid_id.to_numpy()[placed]
    return found[found.from_grid != found.to_grid].reset_index(drop=True)
