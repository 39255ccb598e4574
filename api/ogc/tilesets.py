"""What a client reads before it asks for tiles: TileJSON, a MapLibre style, tilesets of OGC API - Tiles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import shapely
from fastapi import Request

from api.direct import Answer
from api.ogc import tile_style
from api.ogc.links import link
from api.ogc.serving import JSON, Asking, Made, answer, told
from api.ogc.tiles import MVT, address, plan_named
from data import extents, layers, tiles
from data.layer import Field, Layer
from geo.crs import WEB_MERCATOR, to_metric
from geo.errors import NotFoundError
from geo.tiling import DEEPEST, MATRIX_SET, WORLD_M, span

_URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{MATRIX_SET}"
_CRS = "http://www.opengis.net/def/crs/EPSG/0/3857"
_TILING = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_KINDS = {"integer": "Number", "number": "Number", "flag": "Boolean"}
_DIMENSIONS = {"Point": 0, "LineString": 1, "Polygon": 2}
_PIXEL_M = 0.00028
"""What the OGC takes a pixel for."""


async def tilejson(request: Request) -> Answer:
    """Answer the TileJSON of a layer."""

    async def make(asking: Asking) -> Made:
        asking.only("plan")
        layer = layers.get(asking.path["collection"], asking.actions)
        plan_named(asking, layer)
        box, attribution = await _extent(asking, layer)
        first, last = layer.zooms
        described = {
            "tilejson": "3.0.0",
            "name": title(layer),
            "description": f"{layer.about_zh} {layer.about_en}",
            **({"attribution": attribution} if attribution else {}),
            "tiles": [address(asking, f"/{layer.name}/{{z}}/{{x}}/{{y}}.mvt")],
            "minzoom": first,
            "maxzoom": last,
            **({"bounds": box, "center": [*_centre(box), first]} if box else {}),
            "vector_layers": vector_layers(layer, layer.seen_by(asking.actions)),
        }
        return told(described)

    return await answer(request, make)


async def style(request: Request) -> Answer:
    """Answer a style for MapLibre that draws all layers whoever asks may see."""

    async def make(asking: Asking) -> Made:
        asking.only("plan")
        known = layers.known(asking.actions)
        named = "plan" in asking.query
        sources = {}
        for name, layer in known.items():
            plain = (
                asking
                if layer.present or not named
                else replace(
                    asking, query={name: value for name, value in asking.query.items() if name != "plan"}
                )
            )
            sources[name] = {"type": "vector", "url": address(plain, f"/{name}.json")}
        district = asking.served.district
        boxes = [box for layer in known.values() if (box := (await _extent(asking, layer))[0])]
        return told(
            {
                "version": 8,
                "name": f"{district.name} · 社区网格 · Community grids",
                "metadata": {"gridgov:made_up": district.made_up},
                **({"center": _centre(boxes[0]), "zoom": 11} if boxes else {}),
                "sources": sources,
                "layers": tile_style.drawn(known.values()),
            }
        )

    return await answer(request, make)


async def listed(request: Request) -> Answer:
    """Answer the tilesets of a layer."""

    async def make(asking: Asking) -> Made:
        asking.only("plan")
        layer = layers.get(asking.path["collection"], asking.actions)
        plan_named(asking, layer)
        path = f"/collections/{layer.name}/tiles"
        entry = {
            **_about(layer),
            "links": [
                link(_link(asking, f"{path}/{MATRIX_SET}"), "self", JSON, title(layer)),
                _scheme(asking),
            ],
        }
        return told({"links": [link(_link(asking, path), "self", JSON)], "tilesets": [entry]})

    return await answer(request, make)


async def tileset(request: Request) -> Answer:
    """Answer a tileset: its limits, its layers, where its tiles are."""

    async def make(asking: Asking) -> Made:
        asking.only("plan")
        layer = layers.get(asking.path["collection"], asking.actions)
        plan_named(asking, layer)
        box, attribution = await _extent(asking, layer)
        path = f"/collections/{layer.name}/tiles/{MATRIX_SET}"
        item = {
            **link(_link(asking, f"{path}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"), "item", MVT),
            "templated": True,
        }
        first, last = layer.zooms
        described = {
            **_about(layer),
            "description": f"{layer.about_zh} {layer.about_en}",
            **({"attribution": attribution} if attribution else {}),
            "links": [link(_link(asking, path), "self", JSON), _scheme(asking), item],
            "layers": [_layer(layer, entry) for entry in vector_layers(layer, layer.seen_by(asking.actions))],
            **(
                {
                    "tileMatrixSetLimits": [_limits(box, zoom) for zoom in range(first, last + 1)],
                    "boundingBox": {"lowerLeft": box[:2], "upperRight": box[2:]},
                    "centerPoint": {"coordinates": _centre(box), "tileMatrix": str(first)},
                }
                if box
                else {}
            ),
        }
        return told(described)

    return await answer(request, make)


async def matrix_sets(request: Request) -> Answer:
    """Answer the tile matrix sets there are."""

    async def make(asking: Asking) -> Made:
        asking.only()
        entry = {
            "id": MATRIX_SET,
            "title": "Google Maps Compatible for the World",
            "uri": _URI,
            "crs": _CRS,
            "links": [link(_link(asking, f"/tileMatrixSets/{MATRIX_SET}"), "self", JSON)],
        }
        return told({"tileMatrixSets": [entry]})

    return await answer(request, make)


async def matrix_set(request: Request) -> Answer:
    """Answer the tile matrix set, as "OGC Two Dimensional Tile Matrix Set and Tile Set Metadata" 2.0 has it."""

    async def make(asking: Asking) -> Made:
        asking.only()
        if asking.path["set"] != MATRIX_SET:
            raise NotFoundError("There is no such tile matrix set.", f"Tiles are of {MATRIX_SET}.")
        return told(
            {
                "id": MATRIX_SET,
                "title": "Google Maps Compatible for the World",
                "uri": _URI,
                "crs": _CRS,
                "orderedAxes": ["X", "Y"],
                "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
                "tileMatrices": [_matrix(zoom) for zoom in range(DEEPEST + 1)],
            }
        )

    return await answer(request, make)


def vector_layers(layer: Layer, fields: tuple[Field, ...]) -> list[dict[str, Any]]:
    """Return what TileJSON says of the layers in a layer's tiles: the features, and where they are written on."""
    first, last = layer.zooms
    told_of = [(layer.name, title(layer), fields)]
    if tiles.has_labels(layer):
        labels = tiles.label_fields(layer, fields)
        told_of.append((f"{layer.name}{tiles.LABELS}", f"{layer.zh}标注 {layer.en}, labels", labels))
    return [
        {
            "id": name,
            "description": about,
            "minzoom": first,
            "maxzoom": last,
            "fields": {field.name: _KINDS.get(field.kind, "String") for field in these},
        }
        for name, about, these in told_of
    ]


def _layer(layer: Layer, entry: dict[str, Any]) -> dict[str, Any]:
    """Return what a tileset says of a layer in its tiles."""
    dimension = _DIMENSIONS.get(layer.geometry) if entry["id"] == layer.name else 0
    kinds = {"Number": "number", "Boolean": "boolean", "String": "string"}
    fields = {name: {"type": kinds[kind]} for name, kind in entry["fields"].items()}
    return {
        "id": entry["id"],
        "title": entry["description"],
        "dataType": "vector",
        **({"geometryDimension": dimension} if dimension is not None else {}),
        "minTileMatrix": str(entry["minzoom"]),
        "maxTileMatrix": str(entry["maxzoom"]),
        "propertiesSchema": {"type": "object", "properties": fields},
    }


async def _extent(asking: Asking, layer: Layer) -> tuple[list[float] | None, str | None]:
    """Return the box of a layer, degrees, and whom its data must be credited to."""
    query, values = extents.query([layer], asking.district)
    (row,) = await asking.layers.reader.rows(query, values)
    box, _ = orjson.loads(row["extents"])[layer.name]
    return box, row["attribution"].decode() if row["attribution"] else None


def _centre(box: list[float]) -> list[float]:
    west, south, east, north = box
    return [round((west + east) / 2, 6), round((south + north) / 2, 6)]


def _about(layer: Layer) -> dict[str, Any]:
    return {"title": title(layer), "dataType": "vector", "crs": _CRS, "tileMatrixSetURI": _URI}


def title(layer: Layer) -> str:
    """Return what a layer is called in both languages."""
    return f"{layer.zh} {layer.en}"


def _link(asking: Asking, path: str) -> str:
    return asking.link(path, plan=asking.query.get("plan"))


def _scheme(asking: Asking) -> dict[str, str]:
    return link(asking.link(f"/tileMatrixSets/{MATRIX_SET}"), _TILING, JSON)


def _limits(box: list[float], zoom: int) -> dict[str, Any]:
    bounds = shapely.bounds(to_metric([shapely.box(*box)], WEB_MERCATOR))
    west, north, east, south = span(bounds, zoom)[0].tolist()
    return {
        "tileMatrix": str(zoom),
        "minTileRow": north,
        "maxTileRow": south,
        "minTileCol": west,
        "maxTileCol": east,
    }


def _matrix(zoom: int) -> dict[str, Any]:
    cell = WORLD_M / 256 / 2**zoom
    return {
        "id": str(zoom),
        "scaleDenominator": cell / _PIXEL_M,
        "cellSize": cell,
        "pointOfOrigin": [-WORLD_M / 2, WORLD_M / 2],
        "tileWidth": 256,
        "tileHeight": 256,
        "matrixWidth": 2**zoom,
        "matrixHeight": 2**zoom,
    }
