"""Cases (工单): who handles them."""

from __future__ import annotations

from sqlalchemy import Connection, text


def hand_over(connection: Connection, district: str, plan_id: int, actor: str) -> int:
    """Move open cases to the grid of a plan that covers their place, with a line of history each.

    Returns
    -------
    int
        Cases that changed hands.
    """
    moved = connection.execute(
        text(
            "WITH placed AS ("
            " SELECT k.id, k.grid_id AS old, (SELECT g.id FROM plan_grids pg"
            "   JOIN grids g ON g.district = pg.district AND g.id = pg.grid_id"
            "   WHERE pg.district = k.district AND pg.plan_id = :plan AND ST_Covers(pg.shape, k.point)"
            "   ORDER BY g.code LIMIT 1) AS new"
            " FROM cases k WHERE k.district = :district AND k.state = 'open' AND k.grid_id IS NOT NULL"
            "), moved AS ("
            " UPDATE cases k SET grid_id = p.new FROM placed p"
            " WHERE k.district = :district AND k.id = p.id AND p.new <> p.old RETURNING k.id, p.old, p.new)"
            " INSERT INTO case_events (district, case_id, actor, text)"
            " SELECT :district, m.id, :actor, 'Grid ' || o.code || ' handed it to ' || n.code || ': plan ' || p.number"
            " FROM moved m JOIN grids o ON o.district = :district AND o.id = m.old"
            " JOIN grids n ON n.district = :district AND n.id = m.new"
            " JOIN plans p ON p.district = :district AND p.id = :plan"
        ),
        {"district": district, "plan": plan_id, "actor": actor},
    )
    return int(moved.rowcount)
