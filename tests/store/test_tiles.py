"""Tiles against what is stored: shapes, borders within a tile and across its edge, levels kept and made anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
import shapely
from shapely.geometry import box
from sqlalchemy import text

from data import districts, levels, tiles, versions
from data.layer import PUBLIC
from data.layers import LAYERS
from data.reading import Reader
from data.session import Store
from data.tiles import Tile
from etl import levels as making
from geo import simplify
from geo.crs import WEB_MERCATOR, to_metric
from geo.tiling import EXTENT, WORLD_M, unit_m
from tests import mosaic
from tests.tilework import decoded, in_world, shapes, tiles_of

CODE = "990101"


@pytest.fixture(scope="module")
def store(fresh_database) -> Iterator[Store]:
    """A district whose plan 1 has wavy grids, and wavy communities; no levels yet."""
    with fresh_database() as url:
        store = Store(url)
        grids = mosaic.areas(6, wiggles=30)
        with store.begin(CODE) as connection:
            districts.add(connection, CODE, "试验区", 4549, made_up=True)
            for statement in (
                "INSERT INTO cell_sets (district, number, actor) VALUES (:d, 1, 'test')",
                "INSERT INTO plans (district, number, title, state, origin, cell_set, target, tolerance_percent,"
                " author, valid, activated_at) VALUES (:d, 1, '现状', 'published', 'imported', 1, 300, 10, 'test',"
                " tstzrange(now() - interval '1 day', NULL), now())",
            ):
                connection.execute(text(statement), {"d": CODE})
            for code, part in grids.groupby("community_code"):
                connection.execute(
                    text(
                        "INSERT INTO communities (district, code, name, boundary) VALUES"
                        " (:d, :code, :code, ST_Multi(ST_GeomFromWKB(:shape, 4326)))"
                    ),
                    {"d": CODE, "code": code, "shape": shapely.coverage_union_all(part.geometry).wkb},
                )
            for row in grids.itertuples():
                connection.execute(
                    text(
                        "WITH g AS (INSERT INTO grids (district, community_id, code, issued_at)"
                        " SELECT :d, id, :code, now() FROM communities WHERE district = :d AND code = :community"
                        " RETURNING id)"
                        " INSERT INTO plan_grids (district, plan_id, grid_id, households, buildings, area_m2,"
                        " perimeter_m, shape) SELECT :d, p.id, g.id, 300, 20, 1, 1,"
                        " ST_Multi(ST_GeomFromWKB(:shape, 4326)) FROM g, plans p WHERE p.district = :d"
                    ),
                    {"d": CODE, "code": row.code, "community": row.community_code, "shape": row.geometry.wkb},
                )
            versions.advance(connection, CODE, "grids", "plans", "communities")
        yield store
        store.close()


def stored(store: Store, layer: str) -> dict[str, shapely.Geometry]:
    with store.read(CODE) as connection:
        rows = connection.execute(
            text(
                f"SELECT code, ST_AsBinary(shape) AS wkb FROM layers.{layer} WHERE district = :d ORDER BY code"
            ),
            {"d": CODE},
        )
        return {row.code: shapely.from_wkb(bytes(row.wkb)) for row in rows}


def made(store: Store, layer: str, zoom: int, places: list[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Return tiles of a layer as everybody sees it."""

    async def read() -> dict[tuple[int, int], bytes]:
        reader = Reader(store.engine, size=1, timeout_s=60)
        await reader.open()
        query = tiles.query(layer, LAYERS[layer].seen_by((PUBLIC,)))
        found = {}
        for column, row in places:
            values = tiles.values(layer, CODE, 1, Tile(zoom, column, row))
            (one,) = await reader.rows(query, values)
            found[column, row] = bytes(one["tile"] or b"")
        await reader.close()
        return found

    return asyncio.run(read())


def expected(drawn: dict[str, shapely.Geometry], zoom: int) -> dict[str, shapely.Geometry]:
    """Return the level of a zoom in units of the world, made from what is stored."""
    metric = to_metric(np.array(list(drawn.values()), object), WEB_MERCATOR)
    level = dict(simplify.levels(metric, min(zoom, simplify.FINEST)))[min(zoom, simplify.FINEST)]

    def units(xy: np.ndarray) -> np.ndarray:
        return np.rint(np.column_stack([xy[:, 0] + WORLD_M / 2, WORLD_M / 2 - xy[:, 1]]) / unit_m(zoom))

    return dict(zip(drawn, shapely.transform(level, units), strict=True))


def corners(shape: shapely.Geometry, inside: shapely.Geometry) -> set[tuple[float, float]]:
    """Return the vertices of a shape inside an area: where they are the level's, both sides of a border have them."""
    xy = shapely.get_coordinates(shape)
    return set(map(tuple, xy[shapely.contains_properly(inside, shapely.points(xy))].tolist()))


def is_thin(shape: shapely.Geometry) -> bool:
    """Tell whether a difference is less than a unit wide: lines are cut at whole units beyond a tile's edge."""
    return bool(shape.buffer(-0.5).is_empty)


def test_without_levels_what_is_stored_is_drawn(store: Store) -> None:
    drawn = stored(store, "grids")
    places = list(tiles_of(np.array(list(drawn.values())), 12))
    found = made(store, "grids", 12, places)
    assert {code for tile in found.values() for code in shapes(tile, "grids")} == set(drawn)
    assert making.complete_all(store, CODE) == 2
    assert made(store, "grids", 12, places) != found  # they are drawn simpler now


@pytest.mark.parametrize("layer", ["grids", "communities"])
@pytest.mark.parametrize("zoom", [9, 11, 13, 14, 16, 18])
def test_tiles_together_are_the_level_and_borders_are_one_line(store: Store, layer: str, zoom: int) -> None:
    making.complete_all(store, CODE)
    drawn = stored(store, layer)
    found = made(store, layer, zoom, list(tiles_of(np.array(list(drawn.values())), zoom))[:400])
    whole = expected(drawn, zoom)
    assert any(found.values())
    for (column, row), tile in found.items():
        parts = shapes(tile, layer)
        inner = in_world(box(0, 0, EXTENT, EXTENT), column, row)
        torn = shapely.coverage_invalid_edges([in_world(part, column, row) for part in parts.values()])
        assert shapely.length(shapely.intersection(torn, inner)).sum() == 0
        for code, shape in whole.items():
            want = shape.intersection(inner)
            part = parts.get(code)
            have = in_world(part, column, row).intersection(inner) if part is not None else shapely.Polygon()
            assert corners(have, inner) == corners(want, inner)
            assert is_thin(have.symmetric_difference(want)), (zoom, column, row, code)


def test_beyond_its_edge_a_tile_has_what_the_next_has(store: Store) -> None:
    making.complete_all(store, CODE)
    drawn = stored(store, "grids")
    places = list(tiles_of(np.array(list(drawn.values())), 15))
    found = made(store, "grids", 15, places)
    compared = 0
    for column, row in places:
        if (column + 1, row) not in found:
            continue
        strip = in_world(box(EXTENT - 60, 0, EXTENT + 60, EXTENT), column, row)
        here, there = (
            {
                code: part
                for code, shape in shapes(found[place], "grids").items()
                if not (part := in_world(shape, *place).intersection(strip)).is_empty and part.area
            }
            for place in ((column, row), (column + 1, row))
        )
        assert here.keys() == there.keys()
        assert all(is_thin(here[code].symmetric_difference(there[code])) for code in here)
        compared += len(here)
    assert compared > 10


def test_every_area_is_written_on_once(store: Store) -> None:
    making.complete_all(store, CODE)
    drawn = stored(store, "grids")
    found = made(store, "grids", 15, list(tiles_of(np.array(list(drawn.values())), 15)))
    written = [
        (one["properties"]["code"], place, one["geometry"]["coordinates"])
        for place, tile in found.items()
        if tile
        for one in decoded(tile).get("grids_labels", {"features": []})["features"]
    ]
    assert sorted(code for code, *_ in written) == sorted(drawn)
    whole = expected(drawn, 15)
    for code, place, point in written:
        assert whole[code].contains(in_world(shapely.Point(point), *place))


def test_polygons_turn_as_the_format_wants_it(store: Store) -> None:
    """A ring around land has a positive area where rows are counted down, as MVT 2.1 puts it."""
    making.complete_all(store, CODE)
    drawn = stored(store, "grids")
    for tile in made(store, "grids", 14, list(tiles_of(np.array(list(drawn.values())), 14))).values():
        for shape in shapes(tile, "grids").values():
            for part in shapely.get_parts(shape):
                assert shapely.is_ccw(part.exterior)


def test_levels_are_of_one_edition(store: Store) -> None:
    making.complete_all(store, CODE)
    with store.read(CODE) as connection:
        assert levels.missing(connection, CODE, past=True) == []
    with store.begin(CODE) as connection:
        connection.execute(
            text(
                "UPDATE communities SET boundary = ST_Multi(ST_Translate(boundary, 0.001, 0)) WHERE district = :d"
            ),
            {"d": CODE},
        )
        versions.advance(connection, CODE, "communities")
        (lacking,) = levels.missing(connection, CODE)
        assert lacking.layer == "communities"
    drawn = stored(store, "communities")
    places = list(tiles_of(np.array(list(drawn.values())), 14))
    at_once = made(store, "communities", 14, places)
    assert making.complete_all(store, CODE) == 1
    later = made(store, "communities", 14, places)
    for place in places:
        before, after = (shapes(each[place], "communities") for each in (at_once, later))
        assert before.keys() == after.keys()
        for code in before:  # the old boundary lies 300 units to the west
            assert before[code].hausdorff_distance(after[code]) < 60
    with store.read(CODE) as connection:
        kept = connection.execute(
            text("SELECT count(DISTINCT edition) FROM coverage_levels WHERE layer = 'communities'")
        ).scalar_one()
    assert kept == 1
