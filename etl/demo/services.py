"""Who and what serves people, made up: party-service sites, facilities, rider-friendly communities."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from etl.demo.district import District
from etl.demo.register import codes, community_code
from etl.demo.size import Size

CENTRE_SERVICES = "政务代办；矛盾调解；老年食堂；儿童托管；志愿服务"
STATION_SERVICES = "饮水充电；歇脚休息；应急药箱"
ACCESSIBILITY = "坡道；无障碍卫生间"

# Kind, how many a community, who keeps it, whether it is kept from the public.
FACILITIES = (
    ("充电桩", 5.0, "演示供电所", False),
    ("换电柜", 2.0, "演示换电公司", False),
    ("微型消防站", 2.0, "演示消防站", False),
    ("AED", 2.0, "演示红十字会", False),
    ("助餐点", 1.5, "演示民政所", False),
    ("健康小屋", 1.0, "演示卫生院", False),
    ("摄像头", 4.0, "演示派出所", True),
)
RIDER_SHARE = 0.18
"""Share of the estates that welcome riders."""

GATE_HOURS = "06:00-23:00"


def sites(district: District, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return 党群服务阵地: the district's, the towns', one a community, and small stations."""
    communities = district.communities
    last = len(communities) - 1
    first_of_town = communities.drop_duplicates("town").index
    rows = [("演示区党群服务中心", "区级中心", "open", 0)]
    rows += [
        (f"{name}党群服务中心", "街道中心", "open", i)
        for i, name in zip(first_of_town, district.towns, strict=True)
    ]
    rows += [
        (f"{name}党群服务中心", "社区中心", _state(i, last), i) for i, name in enumerate(communities["name"])
    ]
    rows += [
        (f"{communities['name'][i]}暖蜂驿站{nth}号", "驿站", _state(i + nth, last), i)
        for i in range(last)
        for nth in (1, 2)
    ]
    table = pd.DataFrame(rows, columns=["name", "kind", "state", "community"])
    station = (table["kind"] == "驿站").to_numpy()
    building = [_building_in(district, community, rng) for community in table["community"]]
    return gpd.GeoDataFrame(
        {
            "code": codes("P", len(table), 3),
            **{name: table[name] for name in ("name", "kind", "state")},
            "services": np.where(station, STATION_SERVICES, CENTRE_SERVICES),
            "hours": np.where(station, "00:00-24:00", "08:30-17:30"),
            "accessibility": np.where(station, "坡道", ACCESSIBILITY),
            "address": district.buildings["address"].to_numpy()[building],
            "phone": [f"555-2{i + 1:03d}" for i in range(len(table))],
            "community": community_code(table["community"]),
        },
        geometry=_inside(district, building),
    )


def facilities(district: District, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return chargers, battery swaps, fire stations and the like, at buildings of the district."""
    rows = [
        (kind, keeper, restricted)
        for kind, a_community, keeper, restricted in FACILITIES
        for _ in range(round(a_community * len(district.communities)))
    ]
    table = pd.DataFrame(rows, columns=["kind", "keeper", "restricted"])
    count = len(table)
    building = rng.choice(len(district.buildings), count, replace=False)
    states = np.array(["open", "out_of_order", "building", "planned"])
    nth = (table.groupby("kind").cumcount() + 1).astype(str).str.zfill(3)
    return gpd.GeoDataFrame(
        {
            "code": codes("F", count, 4),
            "kind": table["kind"],
            "name": "演示" + table["kind"] + nth,
            "state": states[rng.choice(4, count, p=[0.88, 0.06, 0.03, 0.03])],
            "keeper": table["keeper"],
            "checked_on": [f"2026-{month:02d}-15" for month in rng.integers(1, 11, count)],
            "restricted": np.where(table["restricted"], "1", "0"),
        },
        geometry=_inside(district, building),
    )


def rider_communities(district: District, size: Size, rng: np.random.Generator) -> pd.DataFrame:
    """Return the estates that welcome riders; ``compound`` is a ledger code."""
    finished = np.flatnonzero(~district.compounds["unfinished"])
    chosen = np.sort(rng.choice(finished, max(2, round(RIDER_SHARE * size.compounds)), replace=False))
    count = len(chosen)
    return pd.DataFrame(
        {
            "code": codes("R", count, 3),
            "compound": [f"X{i + 1:03d}" for i in chosen],
            "vehicles": rng.choice(["电动自行车可进", "骑手换乘单车进入"], count),
            "parking": "大门外设骑手临停区",
            "charging": rng.choice(["临停区可换电", "无"], count),
            "pledge": "演示：限速十五公里每小时，不占用消防通道",
        }
    )


def rider_points(district: District, riders: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return two gates, a bike dock, parking and a rest point for each rider-friendly estate."""
    rows: list[tuple[str, str, str, str, int | None, shapely.Point]] = []
    for rider, compound in zip(riders["code"], riders["compound"], strict=True):
        wall = district.compounds.geometry[int(compound[1:]) - 1]
        main, back = (wall.exterior.interpolate(share, normalized=True) for share in (0.15, 0.65))
        rows += [
            (rider, "gate", "骑手大门", GATE_HOURS, None, main),
            (rider, "gate", "后门", "全天", None, back),
            (rider, "bike_dock", "换乘单车点", "", 12, _step_in(main, wall, 10.0)),
            (rider, "parking", "骑手停车点", "", None, _step_in(main, wall, 5.0)),
            (rider, "rest", "歇脚点", "全天", None, _step_in(back, wall, 8.0)),
        ]
    table = pd.DataFrame(rows, columns=["rider_community", "kind", "name", "hours", "bikes", "geometry"])
    table["bikes"] = table["bikes"].astype("Int64")
    table.insert(0, "code", codes("RP", len(table), 4))
    return gpd.GeoDataFrame(table)


def _state(number: int, last: int) -> str:
    """Return the state of a site: the preparatory community's is planned, now and then one is being built."""
    return "planned" if number == last else "building" if number % 12 == 7 else "open"


def _building_in(district: District, community: int, rng: np.random.Generator) -> int:
    """Choose a building of a community, a public one where there is one."""
    own = district.buildings[district.buildings["community"] == community]
    public = own[own["poi"].notna()]
    return int(rng.choice((public if len(public) else own).index))


def _inside(district: District, building: list[int] | np.ndarray) -> np.ndarray:
    return np.asarray(shapely.point_on_surface(district.buildings.geometry.to_numpy()[building]))


def _step_in(gate: shapely.Point, wall: shapely.Polygon, metres: float) -> shapely.Point:
    return shapely.line_interpolate_point(shapely.LineString([gate, wall.representative_point()]), metres)
