"""Workers with numbers nobody has, their duties, and cases for them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from etl.demo.district import District
from etl.demo.register import codes

ON_DUTY_SINCE = "2026-01-01"
HANDED_OVER = "2026-07-01"

VACANT_EVERY = 60
HANDED_OVER_EVERY = 40
DEPUTY_EVERY = 10
CASES_A_GRID = 0.6

CATEGORIES = (
    "占道停车",
    "楼道堆物",
    "路灯不亮",
    "管道渗漏",
    "噪声扰民",
    "独居老人探访",
    "电动车飞线充电",
    "井盖破损",
)
DEPARTMENTS = ("演示城管中队", "演示住建所", "演示供水公司", "演示派出所", "演示市场监管所")


def duties(district: District) -> pd.DataFrame:
    """Return who is on duty for which grid.

    A few grids are vacant, some changed hands in the middle of the year, some have a deputy: the worker of
    the grid before.
    """
    rows: list[tuple[int, str, str, str, str]] = []
    grids = district.grids["code"].tolist()
    former = len(grids)
    for i, grid in enumerate(grids):
        if i % VACANT_EVERY == VACANT_EVERY // 6:
            continue
        handed_over = i % HANDED_OVER_EVERY == 3
        rows.append((i, grid, "primary", HANDED_OVER if handed_over else ON_DUTY_SINCE, ""))
        if handed_over:
            rows.append((former, grid, "primary", ON_DUTY_SINCE, HANDED_OVER))
            former += 1
        if i % DEPUTY_EVERY == 5:
            rows.append((i - 1, grid, "deputy", ON_DUTY_SINCE, ""))
    table = pd.DataFrame(rows, columns=["worker", "grid", "role", "from", "until"])
    table["worker"] = "W" + (table["worker"].rank(method="dense").astype(int)).astype(str).str.zfill(3)
    return table


def workers(duties: pd.DataFrame) -> pd.DataFrame:
    """Return everybody who has a duty; names and numbers say that they are made up."""
    code = sorted(duties["worker"].unique())
    return pd.DataFrame(
        {
            "code": code,
            "name": [f"演示员{c[1:]}" for c in code],
            "phone": [f"555-0{c[1:]}" for c in code],
        }
    )


def cases(district: District, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return cases of autumn 2026: most handled by the grid, some whistled up to a department."""
    count = round(CASES_A_GRID * len(district.grids))
    building = rng.choice(len(district.buildings), count, replace=False)
    opened = pd.Timestamp("2026-09-01") + pd.to_timedelta(rng.integers(0, 75, count), unit="D")
    closed = opened + pd.to_timedelta(rng.integers(1, 12, count), unit="D")
    is_closed = rng.random(count) < 0.6
    whistled = rng.random(count) < 0.25
    return gpd.GeoDataFrame(
        {
            "code": [f"演示{number}" for number in codes("2026", count, 4)],
            "category": rng.choice(CATEGORIES, count),
            "state": np.where(is_closed, "closed", "open"),
            "grid": np.where(whistled, "", district.buildings["grid"].to_numpy()[building]),
            "department": np.where(whistled, rng.choice(DEPARTMENTS, count), ""),
            "opened_on": opened.strftime("%Y-%m-%d"),
            "closed_on": np.where(is_closed, closed.strftime("%Y-%m-%d"), ""),
        },
        geometry=shapely.point_on_surface(district.buildings.geometry.to_numpy()[building]),
    )
