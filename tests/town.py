"""A made-up town of four grids in a row, with one of everything that can be asked about.

Degrees east of ``west``, by community, grid (with its households) and building::

    0        0.005   0.010  0.013         0.020             0.030             0.040
    |----------- first community ----------|--------------- second ----------------|
    | grid 1 (290)   | grid 2 (300)        | grid 3 (5)      | grid 4 (350)        |
    |   1幢   |  2幢, entrance 1 | 2 |  3幢  |  健康路38号       |  碧水小区1幢          |

A second 碧水小区1幢 is new, in grid 2 and in no cell. 湖东路168号 and 湖东路170号 have no position; the ledger
states grid L1 for the former. Its grid L1 became grids 1 and 3. Grid 5 was of the plan before.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from data import districts, versions
from data.session import Store
from etl import levels

WORKER, PHONE = "试验员甲", "00000000001"
SOUTH, NORTH = 31.70, 31.71

_BUILDINGS = (  # code, community, compound, label, road, number, address, stated grid, degrees east
    ("B1", 1, 1, "1幢", None, None, "安徽省{name}湖东路166号康宁花园1幢", "L1", 0.0025),
    ("B2", 1, 1, "2幢", None, None, "安徽省{name}湖东路166号康宁花园2幢", "L1", 0.0075),
    ("B3", 1, 1, "3幢", None, None, "安徽省{name}湖东路166号康宁花园3幢", "L2", 0.0165),
    ("B4", 2, None, None, "健康路", "38", "安徽省{name}健康路38号", "L1", 0.025),
    ("B5", 2, 3, "1幢", None, None, None, "L4", 0.035),
    ("B6", 1, 2, "1幢", None, None, None, None, 0.018),
    ("B7", 1, None, None, "湖东路", "168号", None, "L1", None),
    ("B8", 1, None, None, "湖东路", "170号", None, None, None),
)
_CELLS = (  # community, building, entrance, entrances, from, to, grid
    (1, 1, None, None, 0.0, 0.005, 1),
    (1, 2, 1, 2, 0.005, 0.01, 1),
    (1, 2, 2, 2, 0.01, 0.013, 2),
    (1, 3, None, None, 0.013, 0.02, 2),
    (2, 4, None, None, 0.02, 0.03, 3),
    (2, 5, None, None, 0.03, 0.04, 4),
)
_GRIDS = ((1, 1, "L1", 290), (2, 1, "L2", 300), (3, 2, None, 5), (4, 2, "L4", 350))

_REST = """
INSERT INTO imports (district, kind, source, digest, actor, attribution, report)
    VALUES (:d, 'osm', 'town.osm', 'none', 'test', '© OpenStreetMap contributors, ODbL', '{}');
INSERT INTO workers (district, external_code, name, phone) VALUES (:d, 'W1', :worker, :phone);
INSERT INTO duties (district, worker_id, grid_id, role, valid)
    SELECT :d, w.id, g.id, 'primary', daterange(CURRENT_DATE - 9, NULL) FROM workers w, grids g
    WHERE w.district = :d AND g.district = :d AND g.code = :first;
INSERT INTO grid_external_codes (district, external_code, grid_id, share)
    SELECT :d, v.external, g.id, v.share FROM grids g
    JOIN (VALUES ('L1', 1, 0.6), ('L1', 3, 0.4), ('L2', 2, 1), ('L4', 4, 1)) v (external, number, share)
    ON v.number = right(g.code, 3)::integer WHERE g.district = :d;
INSERT INTO sites (district, external_code, name, state, services, phone, point) VALUES
    (:d, 'S1', '康宁党群服务中心', 'open', '{饮水,休息}', '0555-0000001', ST_Point(:west + 0.003, 31.705, 4326)),
    (:d, 'S2', '健康路党群驿站', 'open', '{}', NULL, ST_Point(:west + 0.025, 31.705, 4326)),
    (:d, 'S3', '在建阵地', 'building', '{}', NULL, ST_Point(:west + 0.002, 31.705, 4326));
INSERT INTO facilities (district, external_code, kind, state, restricted, point) VALUES
    (:d, 'F1', 'charger', 'open', false, ST_Point(:west + 0.004, 31.704, 4326)),
    (:d, 'F2', 'camera', 'open', true, ST_Point(:west + 0.004, 31.703, 4326));
INSERT INTO rider_communities (district, external_code, compound_id, vehicles)
    SELECT :d, 'R1', id, '电动自行车' FROM compounds WHERE district = :d AND external_code = 'X1';
INSERT INTO rider_points (district, external_code, rider_community_id, kind, name, point)
    SELECT :d, 'P1', id, 'gate', '南门', ST_Point(:west + 0.005, 31.701, 4326)
    FROM rider_communities WHERE district = :d;
INSERT INTO streets (district, external_code, name, line) VALUES (:d, 'T1', '湖东路',
    ST_Multi(ST_MakeLine(ST_Point(:west, 31.70, 4326), ST_Point(:west + 0.04, 31.70, 4326))));
INSERT INTO barriers (district, external_code, kind, shape) VALUES (:d, 'K1', 'river',
    ST_MakeLine(ST_Point(:west, 31.71, 4326), ST_Point(:west + 0.04, 31.71, 4326)));
INSERT INTO ground (district, external_code, kind, name, shape) VALUES
    (:d, 'D1', 'water', '镜湖', ST_MakeEnvelope(:west + 0.021, 31.702, :west + 0.024, 31.704, 4326)),
    (:d, 'D2', 'stream', NULL, ST_MakeLine(ST_Point(:west, 31.708, 4326), ST_Point(:west + 0.04, 31.708, 4326))),
    (:d, 'D3', 'rail', NULL, ST_MakeLine(ST_Point(:west, 31.7095, 4326), ST_Point(:west + 0.04, 31.7095, 4326))),
    (:d, 'D4', 'park', '湖滨公园', ST_MakeEnvelope(:west + 0.026, 31.701, :west + 0.029, 31.704, 4326))
"""


def build(store: Store, code: str = "340504", name: str = "雨山区", *, west: float = 118.50) -> None:
    """Store the town, levels of its plans too; plan 1 is superseded, 2 in force, 3 a draft."""
    with store.begin(code) as connection:
        districts.add(connection, code, name, 4549, made_up=True)
        town = _Town(connection, code, name, west)
        town.add_register()
        town.add_plans()
        town.run(_REST, worker=WORKER, phone=PHONE, first=grid_code(1, code))
        versions.advance(connection, code, "register", "grids", "plans")
    levels.complete_all(store, code)


def grid_code(number: int, district: str = "340504") -> str:
    """Return the code of a grid by its number from the west."""
    return f"{district}90000{1 if number in (1, 2) else 2}{number:03d}"


class _Town:
    def __init__(self, connection: Connection, code: str, name: str, west: float) -> None:
        self._connection = connection
        self._values = {"d": code, "west": west}
        self._code = code
        self._name = name

    def run(self, statements: str, **values: object) -> None:
        for statement in statements.split(";\n"):
            self._connection.execute(text(statement), {**self._values, **values})

    def add_register(self) -> None:
        self.run("INSERT INTO towns (district, code, name) VALUES (:d, :d || '001', '望江街道')")
        for number, name, status in ((1, "富民社区", "active"), (2, "安居社区", "preparatory")):
            self.run(
                "INSERT INTO communities (district, code, external_code, provisional, name, status, phone, town_id,"
                " boundary) SELECT :d, :code, :external, true, :name, :status, '0555-0000000', t.id,"
                " ST_Multi(ST_MakeEnvelope(:west + :low, 31.70, :west + :high, 31.71, 4326))"
                " FROM towns t WHERE t.district = :d",
                code=f"{self._code}90000{number}",
                external=f"C{number}",
                name=name,
                status=status,
                low=0.02 * (number - 1),
                high=0.02 * number,
            )
        compounds = (("X1", "康宁花园", 1, "湖东路", "166"), ("X2", "碧水小区", 1, None, None))
        for external, name, community, road, number in (*compounds, ("X3", "碧水小区", 2, None, None)):
            self.run(
                "INSERT INTO compounds (district, external_code, name, aliases, community_id, road, road_number)"
                " SELECT :d, :external, :name, CAST(:aliases AS text[]), id, :road, :number FROM communities"
                " WHERE district = :d AND external_code = :community",
                external=external,
                name=name,
                aliases=["老幸福大院"] if external == "X1" else [],
                community=f"C{community}",
                road=road,
                number=number,
            )
        for building in _BUILDINGS:
            self._add_building(*building)

    def _add_building(
        self, external, community, compound, label, road, number, address, stated, east
    ) -> None:
        self.run(
            "INSERT INTO buildings (district, external_code, community_id, compound_id, label, road, road_number,"
            " address, stated_grid, households, households_source, entrances, point)"
            " SELECT :d, :external, c.id, x.id, :label, :road, :number, :address, :stated, 40, 'made_up',"
            " :entrances, ST_Point(:west + :east, 31.705, 4326)"
            " FROM communities c LEFT JOIN compounds x ON x.district = :d AND x.external_code = :compound"
            " WHERE c.district = :d AND c.external_code = :community",
            external=external,
            community=f"C{community}",
            compound=f"X{compound}",
            label=label,
            road=road,
            number=number,
            address=address and address.format(name=self._name),
            stated=stated,
            entrances=2 if external == "B2" else 1,
            east=east,
        )

    def add_plans(self) -> None:
        self.run(
            "INSERT INTO cell_sets (district, number, actor) VALUES (:d, 1, 'test');\n"
            "INSERT INTO plans (district, number, title, state, origin, cell_set, target, tolerance_percent, author,"
            " valid, activated_at) VALUES"
            " (:d, 1, '台账现状', 'superseded', 'imported', 1, 300, 10, 'test',"
            "  tstzrange(now() - interval '60 days', now() - interval '30 days'), now() - interval '60 days'),"
            " (:d, 2, '均衡方案', 'published', 'balanced', 1, 300, 10, 'test',"
            "  tstzrange(now() - interval '30 days', NULL), now() - interval '30 days'),"
            " (:d, 3, '草案', 'draft', 'edited', 1, 300, 10, 'test', NULL, NULL)"
        )
        for number, community, external, households in _GRIDS:
            self._add_grid(2, number, community, external, households, 0.01 * (number - 1), 0.01 * number)
        self._add_grid(1, 5, 2, None, 645, 0.02, 0.04)
        for community, building, entrance, entrances, low, high, grid in _CELLS:
            self.run(
                "WITH cell AS (INSERT INTO cells (district, community_id, building_id, entrance, entrances,"
                " first_set, area_m2, perimeter_m, shape) SELECT :d, c.id, b.id, :entrance, :entrances, 1, 1, 1,"
                " ST_Multi(ST_MakeEnvelope(:west + :low, 31.70, :west + :high, 31.71, 4326))"
                " FROM communities c, buildings b WHERE c.district = :d AND b.district = :d"
                " AND c.external_code = :community AND b.external_code = :building RETURNING id)"
                " INSERT INTO plan_cells (district, plan_id, cell_id, grid_id) SELECT :d, p.id, cell.id, g.id"
                " FROM cell, plans p, grids g WHERE p.district = :d AND p.number = 2 AND g.district = :d"
                " AND g.code = :code",
                community=f"C{community}",
                building=f"B{building}",
                entrance=entrance,
                entrances=entrances,
                low=low,
                high=high,
                code=grid_code(grid, self._code),
            )

    def _add_grid(self, plan, number, community, external, households, low, high) -> None:
        self.run(
            "INSERT INTO grids (district, community_id, code, provisional, external_code, issued_at)"
            " SELECT :d, id, :code, true, :external, now() FROM communities"
            " WHERE district = :d AND external_code = :community;\n"
            "INSERT INTO plan_grids (district, plan_id, grid_id, households, buildings, area_m2, perimeter_m, shape)"
            " SELECT :d, p.id, g.id, :households, 1, 1000, 130,"
            " ST_Multi(ST_MakeEnvelope(:west + :low, 31.70, :west + :high, 31.71, 4326))"
            " FROM plans p, grids g WHERE p.district = :d AND p.number = :plan AND g.district = :d AND g.code = :code",
            code=grid_code(number, self._code),
            external=external,
            community=f"C{community}",
            plan=plan,
            households=households,
            low=low,
            high=high,
        )
