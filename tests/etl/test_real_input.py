"""Real input, and a ledger as large, the whole way: import, cells, plan, publication, answers, map.

Each input is loaded once and shared by the tests, which only read or do what must change nothing.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from pathlib import Path

import numpy as np
import pytest
import shapely
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from api.app import create_app
from api.atlas import map_data
from data import cells, districts, grids, locate, plans, versions
from data import problems as recorded
from data.plans import Plan
from data.session import Store
from data.settings import Settings
from etl.actor import SYSTEM, Actor
from etl.establish import Established, establish
from etl.ledger import ImportReport, import_ledger
from etl.lifecycle import AS_FOUND
from etl.osm import import_osm
from geo.index import GAP_DEGREES, PointIndex
from geo.locate import Locator, Register
from maps.overview import overview_page

CODE, NAME = "990301", "试验区"
DATA = Path(__file__).parents[1] / "data"
FAINT = 1e-6
"""Share of an area that rounding may add or take."""


def import_villages(store: Store, actor: Actor, district: str, file: Path, *, name: str) -> ImportReport:
    """Import the villages as a ledger of communities and nothing else."""
    columns = {"code": "VILLCODE", "name": "VILLNAME", "town": "TOWNNAME"}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(file, Path(folder) / "communities.geojson")
        mapping = Path(folder) / "mapping.json"
        mapping.write_text(json.dumps({"communities": columns}), "utf-8")
        return import_ledger(store, actor, district, Path(folder), name=name, crs="wgs84", mapping=mapping)


@dataclass(frozen=True, eq=False)
class Given:
    """An input: where it lies, how it is imported, what must come of it."""

    path: str
    load: Callable[..., ImportReport]
    counts: dict[str, int]
    households: range
    grids: range
    left_out: dict[str, int] = field(default_factory=dict)
    derived: int = 0
    repaired: int = 0
    real: bool = True


LEDGER = Given(
    "address/dev",
    partial(import_ledger, crs="wgs84"),
    {"communities": 35, "compounds": 147, "buildings": 10_000, "towns": 7},
    households=range(135_600, 135_601),
    grids=range(452, 453),
    derived=35,
    real=False,
)
VILLAGES = Given(
    "villages/taipei_villages.geojson",
    import_villages,
    {"communities": 456, "towns": 12},
    households=range(1),
    grids=range(456, 457),
    repaired=1,
    real=False,
)
XINJIEKOU = Given(
    "nanjing_xinjiekou.osm.bz2",
    import_osm,
    {"communities": 1, "buildings": 1256, "streets": 227, "barriers": 6, "ground": 100},
    households=range(8_000, 18_000),
    grids=range(25, 60),
    left_out={"part": 21, "outside": 0},
    derived=1,
)
LIECHTENSTEIN = Given(
    "liechtenstein.osm.bz2",
    import_osm,
    {"communities": 11, "buildings": 8941, "streets": 1684, "barriers": 39, "ground": 544},
    households=range(12_000, 22_000),
    grids=range(40, 110),
    left_out={"part": 6, "outside": 32},
)


@dataclass
class Place:
    """A district made from an input."""

    given: Given
    store: Store
    file: Path
    report: ImportReport
    done: Established
    client: TestClient

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, districts.District, Plan]]:
        with self.store.read(CODE) as connection:
            plan = plans.in_force(connection, CODE)
            assert plan is not None
            yield connection, districts.get(connection, CODE), plan

    def ask(self, query: str, **values: object) -> list[tuple]:
        with self.reading() as (connection, _, plan):
            values |= {"d": CODE, "plan": plan.id, "number": plan.number}
            return [tuple(row) for row in connection.execute(text(query), values)]

    @cached_property
    def register(self) -> Register:
        with self.store.read(CODE) as connection:
            register = locate.register(connection, locate.edition(connection, CODE), CODE)
        assert register is not None
        return register

    def covering(self, points: np.ndarray) -> list[str | None]:
        """Return the code of the grid of each point, as the index in memory says."""
        index = PointIndex(
            [grid.code for grid in self.register.grids], self.register.shapes, self.register.srid
        )
        return [index.codes[position] if position >= 0 else None for position in index.cover(points)]

    @cached_property
    def buildings(self) -> tuple[np.ndarray, list[str]]:
        """Return the points of the buildings, and the code of the grid that holds each one's cell."""
        rows = self.ask(
            "SELECT ST_X(b.point), ST_Y(b.point), g.code FROM buildings b"
            " JOIN cells c ON c.district = b.district AND c.building_id = b.id"
            " JOIN plan_cells pc ON pc.district = c.district AND pc.cell_id = c.id AND pc.plan_id = :plan"
            " JOIN grids g ON g.district = pc.district AND g.id = pc.grid_id"
            " WHERE b.district = :d ORDER BY b.id"
        )
        return np.array([row[:2] for row in rows], dtype=float).reshape(-1, 2), [row[2] for row in rows]


@pytest.fixture(scope="module")
def settled(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[Callable[..., Place]]:
    """``settled(given, file)`` makes a district of an input, once."""
    with ExitStack() as stack:

        @cache
        def settle(given: Given, file: Path) -> Place:
            store = stack.enter_context(closing(Store(stack.enter_context(fresh_database()))))
            report = given.load(store, SYSTEM, CODE, file, name=NAME)
            done = establish(store, SYSTEM, CODE)
            client = stack.enter_context(TestClient(create_app(store, Settings())))
            return Place(given, store, file, report, done, client)

        yield settle


def on(*inputs: Given) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("place", inputs, indirect=True, ids=[given.path for given in inputs])


@pytest.fixture(params=[LEDGER, VILLAGES, XINJIEKOU, LIECHTENSTEIN], ids=lambda given: given.path)
def place(request: pytest.FixtureRequest, settled: Callable[..., Place]) -> Place:
    given = request.param
    folder = request.getfixturevalue("real_data") / "data" if given.real else DATA
    return settled(given, folder / given.path)


def check_tiling(shapes: np.ndarray, area: shapely.Geometry) -> None:
    """Shapes tile an area: valid, edge to edge, no overlap, no gap. Relative areas, so degrees will do."""
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    whole = shapely.union_all(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=FAINT)
    assert whole.symmetric_difference(area).area < FAINT * area.area


def test_it_is_taken_whole(place):
    taken = {noun: count.new for noun, count in place.report.counts.items() if count.new}
    assert taken == place.given.counts
    assert place.report.refusals == place.report.unplaced == []
    assert len(place.report.derived) == place.given.derived
    assert len(place.report.repaired) == place.given.repaired
    assert getattr(place.report, "left_out", {}) == place.given.left_out
    invalid = "SELECT count(*) FROM buildings WHERE district = :d AND NOT ST_IsValid(footprint)"
    assert place.ask(invalid) == [(0,)]


def test_the_same_again_changes_nothing(place):
    with place.reading() as (connection, _, _):
        before = versions.current(connection, CODE)
    assert place.given.load(place.store, SYSTEM, CODE, place.file, name=NAME).nothing_to_do
    with place.reading() as (connection, _, _):
        assert versions.current(connection, CODE) == before


def test_cells_tile_every_community(place):
    with place.reading() as (connection, _, plan):
        made = cells.members(connection, CODE, plan.cell_set)
        ground = cells.ground(connection, CODE)
    assert set(made.community_id) == set(ground.communities.id)
    assert set(made.building_id.dropna()) == set(ground.buildings.id)
    assert made.households.sum() == ground.buildings.households.sum()
    assert made.households.sum() in place.given.households
    boundaries = ground.communities.set_index("id").geometry
    for community, members in made.groupby("community_id"):
        check_tiling(members.geometry.to_numpy(), boundaries[community])


def test_published_grids_tile_every_community(place):
    with place.reading() as (connection, _, plan):
        found = grids.of_plan(connection, CODE, plan.id)
        boundaries = cells.ground(connection, CODE).communities.set_index("id").geometry
    assert len(found) == found.code.nunique() == place.done.published.grids
    assert len(found) in place.given.grids
    assert set(found.community_id) == set(boundaries.index)
    for community, members in found.groupby("community_id"):
        check_tiling(members.geometry.to_numpy(), boundaries[community])


@on(VILLAGES, XINJIEKOU, LIECHTENSTEIN)
def test_a_plan_from_nothing_is_about_as_good_as_the_land_allows(place):
    after = place.done.draft.after
    assert after.disconnected == 0
    assert after.in_band >= 0.9 * after.in_band_at_most


def test_every_building_is_located_in_the_grid_of_its_cell(place):
    """Also where buildings share a point or their outlines overlap: in these inputs those share a grid."""
    points, own = place.buildings
    assert len(points) == place.given.counts.get("buildings", 0)
    assert place.covering(points) == own


def test_memory_and_postgis_agree_on_buildings_and_on_borders(place):
    vertices = np.unique(shapely.get_coordinates(place.register.shapes), axis=0)
    some = np.random.default_rng(5).permutation(len(vertices))[:1000]
    points = np.concatenate([place.buildings[0], vertices[some]])
    told = place.ask(
        "SELECT (SELECT min(g.code) FROM layers.grids g WHERE g.district = :d AND g.plan = :number"
        "  AND ST_Covers(g.shape, point))"
        " FROM ROWS FROM (unnest(CAST(:lons AS float8[])), unnest(CAST(:lats AS float8[]))) WITH ORDINALITY"
        " AS asked (lon, lat, n), LATERAL ST_Point(lon, lat, 4326) AS point ORDER BY n",
        lons=points[:, 0].tolist(),
        lats=points[:, 1].tolist(),
    )
    assert place.covering(points) == [code for (code,) in told]


def test_the_api_answers_for_buildings(place):
    points, own = place.buildings
    some = np.random.default_rng(6).permutation(len(points))[:20]
    answers = [
        place.client.get("/api/v1/locate", params={"lon": lon, "lat": lat, "crs": "wgs84"}).json()
        for lon, lat in points[some]
    ]
    listed = place.client.get("/api/v1/grids").json()["grids"]
    assert [grid["code"] for grid in listed] == sorted(grid.code for grid in place.register.grids)
    covering = [answer["grid"] or answer["alternatives"][0]["grid"] for answer in answers]
    assert [grid["code"] for grid in covering] == [own[n] for n in some]
    assert {answer["status"] for answer in answers} <= {"match", "ambiguous"}
    assert all(answer["border_m"] < 15 for answer in answers if answer["status"] == "ambiguous")


def test_the_map_is_one_file_that_names_its_source(place):
    with place.reading() as (connection, district, plan):
        page = overview_page(map_data(connection, district, plan))
    markup = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"""<script\s|(?:src|href)="(?!data:|#)|@import""", markup)
    assert not re.findall(r"url\((?!data:|#)", page)
    assert NAME in page
    assert ("OpenStreetMap contributors" in page) == (place.given.load is import_osm)
    assert len(page.encode()) < 800_000


@on(VILLAGES)
def test_every_corner_of_a_village_is_answered_by_one_that_has_it(place):
    features = json.loads(place.file.read_text("utf-8"))["features"]
    outlines = [shapely.from_geojson(json.dumps(each["geometry"])) for each in features]
    codes = [each["properties"]["VILLCODE"] for each in features]
    shapes = dict(zip(codes, shapely.make_valid(outlines), strict=True))
    # The one ring that was mended lost the tip of a spike, which nobody has.
    corners = np.unique(shapely.get_coordinates([each for each in outlines if each.is_valid]), axis=0)
    village = {grid.code: grid.community.external_code for grid in place.register.grids}
    having = np.array([shapes[village[code]] for code in place.covering(corners)])
    assert shapely.distance(having, shapely.points(corners)).max() < GAP_DEGREES


def ledger_rows() -> list[dict[str, str]]:
    with (DATA / LEDGER.path / "buildings.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@on(LEDGER)
def test_the_ledgers_grids_are_published_as_found(place):
    stated: Counter[str] = Counter()
    for row in ledger_rows():
        stated[row["grid_id"]] += int(row["households"])
    with place.reading() as (connection, _, plan):
        found = grids.of_plan(connection, CODE, plan.id)
        problems = recorded.of_plan(connection, CODE, plan.id)
    assert plan.origin == "imported"
    assert dict(zip(found.external_code, found.households, strict=True)) == stated
    assert found.provisional.all()
    assert set(problems.waiver_reason) == {AS_FOUND}
    assert {"connection", "size"} < set(problems.rule)


@on(LEDGER)
def test_every_address_of_the_ledger_is_answered_with_todays_grid(place):
    locator = Locator(place.register, margin_m=100)
    answers = [(row, locator.resolve(row["standard_address"])) for row in ledger_rows()]
    astray = [row["building_id"] for row, given in answers if given.status != "match"]
    assert astray == []
    wrong = [row["building_id"] for row, given in answers if given.grid.external_code != row["grid_id"]]
    assert wrong == []


@on(LEDGER)
def test_the_api_knows_the_ledgers_codes(place):
    rows = ledger_rows()
    ask = place.client.get
    listed = ask("/api/v1/grids").json()["grids"]
    named = [ask(f"/api/v1/grids/{grid['external_code']}").json()["grids"] for grid in listed[::20]]
    answer = ask("/api/v1/resolve", params={"q": rows[0]["standard_address"]}).json()
    assert {grid["external_code"] for grid in listed} == {row["grid_id"] for row in rows}
    assert [[grid["code"] for grid in found] for found in named] == [[grid["code"]] for grid in listed[::20]]
    assert answer["grid"]["external_code"] == rows[0]["grid_id"]
    assert answer["building"]["external_code"] == rows[0]["building_id"]


@on(LEDGER)
def test_the_same_cells_come_of_the_same_ledger(place):
    again = establish(place.store, SYSTEM, CODE)
    assert (again.cells.kept, again.cells.added, again.cells.retired) == (10_000, 0, 0)
    assert again.draft is again.published is None
