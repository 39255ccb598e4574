"""Plans drawn by hand: a chart says which grid each house of `tests.settle` is in."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from data import cells, grids, plans
from data.session import Store
from etl.actor import SYSTEM
from etl.publish import PublishReport, publish_as_system
from geo.crs import from_metric
from tests.settle import CORNER, PITCH, SRID, settle

CODE = "990001"

Chart = Callable[[int, int], Hashable]
"""Any name of the grid of a house, from its column and row."""
SIDE = 6


def columns(*names: Hashable) -> Chart:
    """Chart a grid a run of columns: one name a column."""
    return lambda column, row: names[column]


class Charted:
    """A district of one community with 6 x 6 houses of 20 households, and the grids its charts name."""

    def __init__(self, store: Store, *, households: int = 20) -> None:
        self.store = store
        self.ids: dict[Hashable, int] = {}
        settle(store, CODE, communities=1, households=households)
        with store.begin(CODE) as connection:
            _lay_out(connection)

    def draft(self, chart: Chart) -> int:
        """Store a draft; return its number."""
        with self.store.begin(CODE) as connection:
            latest = cells.latest_set(connection, CODE)
            houses = connection.execute(
                text(
                    "SELECT c.id, c.community_id, b.external_code FROM cells c JOIN buildings b ON b.id = c.building_id"
                    " WHERE c.last_set IS NULL ORDER BY c.id"
                )
            ).all()
            names = [chart(*map(int, house.external_code.split("-")[1:])) for house in houses]
            fresh = [name for name in dict.fromkeys(names) if name not in self.ids]
            made = grids.add(connection, CODE, [houses[0].community_id] * len(fresh))
            self.ids |= dict(zip(fresh, made, strict=True))
            base = plans.in_force(connection, CODE)
            draft = {
                "title": "By hand",
                "origin": "edited",
                "based_on": base.id if base else None,
                "cell_set": latest,
                "target": 360,
                "tolerance_percent": 10,
                "author": SYSTEM.id,
                "report": "{}",
            }
            assigned = pd.DataFrame(
                {"cell_id": [house.id for house in houses], "grid_id": [self.ids[name] for name in names]}
            )
            return plans.add_draft(connection, CODE, draft, assigned).number

    def publish(self, chart: Chart, *, at: datetime | None = None) -> PublishReport:
        """Draft and publish."""
        return publish_as_system(self.store, SYSTEM, CODE, self.draft(chart), waive="by hand", at=at)

    def code(self, name: Hashable) -> str:
        """Return the code of a grid by its name in the charts."""
        with self.store.read(CODE) as connection:
            found = text("SELECT code FROM grids WHERE id = :id")
            return str(connection.execute(found, {"id": self.ids[name]}).scalar_one())

    def id_of(self, number: int) -> int:
        """Return the id of a plan by its number."""
        with self.store.read(CODE) as connection:
            return plans.get(connection, CODE, number).id


def _lay_out(connection: Connection) -> None:
    """Store a square cell a house."""
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"))
    x, y = CORNER[0] + column * PITCH, CORNER[1] + row * PITCH
    squares = from_metric(shapely.box(x, y, x + PITCH, y + PITCH), SRID)
    houses = {
        house.external_code: (house.id, house.community_id)
        for house in connection.execute(text("SELECT id, community_id, external_code FROM buildings"))
    }
    ids, communities = zip(*(houses[f"B1-{i}-{j}"] for i, j in zip(column, row, strict=True)), strict=True)
    made = gpd.GeoDataFrame(
        {
            "community_id": communities,
            "building_id": ids,
            "entrance": None,
            "entrances": None,
            "area_m2": PITCH**2,
            "perimeter_m": 4 * PITCH,
        },
        geometry=squares,
        crs=4326,
    )
    place = np.arange(SIDE**2).reshape(SIDE, SIDE)
    a = np.concatenate([place[:-1].ravel(), place[:, :-1].ravel()])
    b = np.concatenate([place[1:].ravel(), place[:, 1:].ravel()])
    borders = pd.DataFrame({"a": a, "b": b, "shared_m": PITCH, "barrier": False})
    cells.write_set(connection, CODE, "test", made, borders)
