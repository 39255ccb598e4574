"""The demo district: a ledger that is whole, consistent, made up, and the same every time."""

from __future__ import annotations

import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from etl.demo import AFTER, DISTRICT_CODE, DemoFigures, write_demo
from etl.ledger.spec import LEDGER
from geo import crs
from geo.adjacency import components
from geo.cells import make_cells
from geo.errors import InputError

Tables = dict[str, pd.DataFrame]


def read(folder: Path) -> Tables:
    tables: Tables = {path.stem: gpd.read_file(path) for path in folder.glob("*.geojson")}
    tables |= {path.stem: pd.read_csv(path, dtype=str) for path in folder.glob("*.csv")}
    return tables


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoFigures]:
    folder = tmp_path_factory.mktemp("full")
    return folder, write_demo(folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    write_demo(folder, scale=0.03)
    return folder


@pytest.fixture(scope="module", params=["full", "small"])
def tables(request: pytest.FixtureRequest, small: Path) -> Tables:
    folder = small if request.param == "small" else request.getfixturevalue("full")[0]
    return read(folder) | read(folder / AFTER)


def test_the_full_district_has_the_size_of_the_reference_case(full: tuple[Path, DemoFigures]) -> None:
    figures = full[1]
    assert (figures.communities, figures.compounds, figures.buildings) == (35, 147, 10_000)
    assert (figures.households, figures.grids) == (135_600, 452)
    assert 0 < figures.vacant_grids < 20


def test_the_same_seed_gives_the_same_files_and_another_one_others(small: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    write_demo(again, scale=0.03)
    write_demo(other, scale=0.03, seed=2)
    names = [path.relative_to(small) for path in small.rglob("*.*")]
    assert all((again / name).read_bytes() == (small / name).read_bytes() for name in names)
    assert (other / "buildings.geojson").read_bytes() != (small / "buildings.geojson").read_bytes()


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5, float("nan")])
def test_a_scale_out_of_range_is_refused(scale: float, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="scale"):
        write_demo(tmp_path, scale=scale)


@pytest.mark.parametrize("seed", range(2, 8))
def test_any_seed_gives_a_district_with_grids_within_bounds(seed: int, tmp_path: Path) -> None:
    write_demo(tmp_path, scale=0.03, seed=seed)
    grids = gpd.read_file(tmp_path / "buildings.geojson").groupby("grid")["households"].sum()
    assert grids[grids > 0].between(150, 600).all()
    assert (grids == 0).sum() == 1


def test_both_folders_say_that_they_are_made_up(small: Path) -> None:
    for folder in (small, small / AFTER):
        stated = tomllib.loads((folder / "ledger.toml").read_text(encoding="utf-8"))
        assert stated["made_up"] is True
        assert stated["crs"] == "EPSG:4326"
        assert "演示" in stated["attribution"]


def test_every_noun_is_there_with_columns_the_ledger_knows(tables: Tables) -> None:
    assert set(tables) == set(LEDGER)
    for noun, table in tables.items():
        known = [column.name for column in LEDGER[noun].columns]
        assert set(table.columns) - {"geometry"} <= set(known), noun
        required = [column.name for column in LEDGER[noun].columns if column.required]
        assert table[required].notna().all(axis=None), noun


def test_codes_are_unique_and_references_are_met(tables: Tables) -> None:
    for noun, table in tables.items():
        if "code" in table:
            assert table["code"].is_unique, noun
        for column in LEDGER[noun].columns:
            if column.refers_to and column.name in table:
                assert set(table[column.name].dropna()) <= set(tables[column.refers_to]["code"]), noun
    grids = set(tables["buildings"]["grid"])
    assert set(tables["duties"]["grid"]) <= grids
    assert set(tables["cases"]["grid"].dropna()) <= grids


def test_communities_tile_the_district_with_shared_vertices(tables: Tables) -> None:
    communities = tables["communities"]
    assert communities.is_valid.all()
    assert shapely.coverage_is_valid(communities.geometry.to_numpy())
    assert shapely.coverage_union_all(communities.geometry.to_numpy()).geom_type == "Polygon"


def test_buildings_stand_in_their_community_and_estate_apart_from_each_other(tables: Tables) -> None:
    buildings = tables["buildings"]
    assert buildings.is_valid.all()
    for noun, reference in (("communities", "community"), ("compounds", "compound")):
        areas = gpd.GeoSeries(tables[noun].set_index("code").geometry)
        inside = buildings.dropna(subset=reference)
        assert shapely.covers(areas.loc[inside[reference]].to_numpy(), inside.geometry.to_numpy()).all()
    first, second = buildings.sindex.query(buildings.geometry, predicate="intersects")
    assert (first == second).all()


def test_only_the_preparatory_community_has_nobody(tables: Tables) -> None:
    households = tables["buildings"].groupby("community")["households"].sum()
    preparatory = tables["communities"].set_index("code")["status"] == "preparatory"
    assert preparatory.sum() == 1
    assert ((households == 0) == preparatory).all()
    own = tables["buildings"]["community"].isin(preparatory[preparatory].index)
    assert tables["buildings"].loc[own, "expected_households"].sum() > 0


def test_grids_have_drifted_within_bounds_and_lie_in_one_community(tables: Tables) -> None:
    grids = tables["buildings"].groupby("grid").agg({"households": "sum", "community": "nunique"})
    assert (grids["community"] == 1).all()
    inhabited = grids.loc[grids["households"] > 0, "households"]
    assert len(inhabited) == len(grids) - 1
    assert inhabited.between(150, 600).all()
    assert (np.abs(inhabited - 300) <= 30).mean() < 0.6


def test_grids_are_connected_on_the_cells_they_become(small: Path) -> None:
    tables = read(small)
    srid = crs.metric_srid(118.5, 31.7)
    metric = {noun: crs.to_metric(tables[noun].geometry.to_numpy(), srid) for noun in ("streets", "barriers")}
    for code, area in zip(
        tables["communities"]["code"],
        crs.to_metric(tables["communities"].geometry.to_numpy(), srid),
        strict=True,
    ):
        own = tables["buildings"][tables["buildings"]["community"] == code].reset_index(drop=True)
        own = own.assign(building=own.index, geometry=crs.to_metric(own.geometry.to_numpy(), srid))
        own = own.set_crs(srid, allow_override=True)
        made = make_cells(area, own, [*metric["streets"]], [*metric["barriers"]])
        grid = own["grid"].reindex(made.cells["building"].fillna(-1).astype(int)).to_numpy()
        pairs = made.borders.loc[~made.borders["barrier"], ["a", "b"]].to_numpy()
        pieces = components(len(grid), pairs[grid[pairs[:, 0]] == grid[pairs[:, 1]]])
        named = pd.notna(grid)
        assert len(set(pieces[named])) == len(set(grid[named]))


def test_waters_and_parks_are_whole_and_nothing_is_built_in_the_water(tables: Tables) -> None:
    ground, srid = tables["ground"], crs.metric_srid(118.5, 31.7)
    assert ground.geometry.is_valid.all()
    assert set(ground["kind"]) == {"water", "grass", "park"}
    shapes = crs.to_metric(ground.geometry.to_numpy(), srid)
    buildings = crs.to_metric(tables["buildings"].geometry.to_numpy(), srid)
    water = shapely.union_all(shapes[ground["kind"] == "water"])
    assert shapely.distance(buildings, water).min() > 5
    river = tables["barriers"][tables["barriers"]["kind"] == "river"]
    surface = ground.loc[ground["name"].isin(river["name"]), "geometry"]
    assert len(surface) == len(river) == 1
    assert surface.iloc[0].buffer(1e-5).covers(river.geometry.iloc[0])
    pavilions = tables["buildings"]["poi"].str.extract(r"(\w+公园)管理房", expand=False).dropna()
    assert set(ground.loc[ground["kind"] == "park", "name"]) == set(pavilions)


def test_the_tower_has_600_households_three_entrances_and_a_grid_of_its_own(tables: Tables) -> None:
    buildings = tables["buildings"]
    tower = buildings[buildings["households"] == 600]
    assert tower["entrances"].tolist() == [3]
    same_grid = buildings["grid"].isin(tower["grid"])
    assert buildings.loc[same_grid, "households"].sum() == 600


def test_addresses_are_unique_and_name_no_real_place(tables: Tables) -> None:
    address = tables["buildings"]["address"]
    assert address.is_unique
    assert address.str.fullmatch(r"演示省演示市演示区\w+街道\w+(大道|路|街|巷)\d+号\w*").all()
    official = tables["communities"]["official_code"].dropna()
    assert official.str.fullmatch(DISTRICT_CODE + r"\d{6}").all()
    assert len(official) == len(tables["communities"]) - 1


def test_people_are_obviously_fictitious(tables: Tables) -> None:
    assert tables["workers"]["name"].str.fullmatch(r"演示员\d{3}").all()
    phones = pd.concat([tables[noun]["phone"] for noun in ("workers", "communities", "sites")])
    assert phones.str.fullmatch(r"555-\d{4}").all()


def test_duties_are_consistent(tables: Tables) -> None:
    duties, workers = tables["duties"], tables["workers"]
    assert set(duties["worker"]) == set(workers["code"])
    now = duties[duties["until"].isna() & (duties["role"] == "primary")]
    assert now["grid"].is_unique
    assert tables["buildings"]["grid"].nunique() - len(now) > 0


def test_every_state_and_kind_of_service_is_shown(tables: Tables) -> None:
    assert {"planned", "open"} <= set(tables["sites"]["state"])
    assert set(tables["rider_points"]["kind"]) == {"gate", "bike_dock", "parking", "rest"}
    assert {"充电桩", "换电柜", "微型消防站", "AED", "助餐点", "健康小屋", "摄像头"} == set(
        tables["facilities"]["kind"]
    )
    assert (tables["facilities"].loc[tables["facilities"]["kind"] == "摄像头", "restricted"] == "1").all()
    cases = tables["cases"]
    assert (cases["grid"].notna() != cases["department"].notna()).all()
    assert ((cases["state"] == "closed") == cases["closed_on"].notna()).all()
