"""What a grid's code names: ours names one grid for ever, a ledger's may have become several."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

_NAMED = """
WITH named AS (
    SELECT id, NULL::double precision AS share FROM grids WHERE district = :district AND code = :code
    UNION
    SELECT grid_id, share FROM grid_external_codes WHERE district = :district AND external_code = :code
)
SELECT DISTINCT ON (g.id) g.code, g.external_code, g.provisional, g.kind, g.community_code, g.community,
       g.households, g.buildings, g.area_m2, g.perimeter_m, g.plan, g.target, lower(g.valid) AS valid_from,
       upper(g.valid) AS valid_until, g.valid @> now() AS in_force, named.share
FROM named JOIN layers.grids g ON g.id = named.id
WHERE g.district = :district AND lower(g.valid) <= now()
ORDER BY g.id, lower(g.valid) DESC
"""


def named(connection: Connection, district: str, code: str) -> list[dict[str, Any]]:
    """Return the grids a code names, the largest share first, each as the last plan that held it has it."""
    rows = connection.execute(text(_NAMED), {"district": district, "code": code}).mappings()
    return sorted((dict(row) for row in rows), key=lambda row: (-(row["share"] or 1), row["code"]))
