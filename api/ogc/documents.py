"""What a client reads before it asks for features: the landing page, the collections, what can be filtered by."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from api.direct import Answer
from api.ogc import html, links
from api.ogc.conformance import CLASSES
from api.ogc.links import link, selves
from api.ogc.openapi import OPENAPI, described
from api.ogc.serving import HTML, JSON, SCHEMA, Asking, Made, answer, told
from data import extents, layers
from data.filters import GEOMETRY
from data.layer import Layer
from geo.systems import CRS84, served

_SHAPES = {
    "Point": "geometry-point-or-multipoint",
    "LineString": "geometry-linestring-or-multilinestring",
    "Polygon": "geometry-polygon-or-multipolygon",
    "Geometry": "geometry-any",
}
_QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
_TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
_MATRIX_SETS = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
_SORTABLES = "http://www.opengis.net/def/rel/ogc/1.0/sortables"
_CONFORMANCE = "http://www.opengis.net/def/rel/ogc/1.0/conformance"


async def landing(request: Request) -> Answer | Response:
    """Answer the landing page."""

    async def make(asking: Asking) -> Made:
        asking.only()
        district = asking.served.district
        return told(
            {
                "title": f"{district.name} · 社区网格图层 · Map layers",
                "description": "区内网格、社区、小区、楼栋、阵地等图层，可由地图软件直接打开。"
                " The district's map layers, for GIS software to open."
                + (" 演示数据，均为虚构。 Demonstration data, made up." if district.made_up else ""),
                "links": [
                    *selves(asking.link, JSON, "本页 This page"),
                    link(asking.link("/api"), "service-desc", OPENAPI, "接口说明 The API described"),
                    link(asking.link("/api", f="html"), "service-doc", HTML, "接口说明 The API described"),
                    link(asking.link("/conformance"), "conformance", JSON, "符合的标准 Conformance"),
                    link(asking.link("/conformance"), _CONFORMANCE, JSON, "符合的标准 Conformance"),
                    link(asking.link("/collections"), "data", JSON, "图层 Layers"),
                    link(asking.link("/tileMatrixSets"), _MATRIX_SETS, JSON, "瓦片方案 Tile matrix sets"),
                ],
            }
        )

    return await answer(request, make, forms=html.form("ogc_landing.html", make))


async def conformance(request: Request) -> Answer | Response:
    """Answer which parts of the standards are kept to."""

    async def make(asking: Asking) -> Made:
        asking.only()
        return told(
            {"conformsTo": list(CLASSES), "links": selves(partial(asking.link, "/conformance"), JSON)}
        )

    return await answer(request, make, forms=html.form("ogc_conformance.html", make))


async def api(request: Request) -> Answer | Response:
    """Answer the description of the API, as whoever asks can use it."""

    async def make(asking: Asking) -> Made:
        asking.only()
        return told(described(asking), OPENAPI)

    return await answer(request, make, forms={"html": html.api})


async def collections(request: Request) -> Answer | Response:
    """Answer the layers there are for whoever asks."""

    async def make(asking: Asking) -> Made:
        asking.only()
        known = layers.known(asking.actions)
        query, values = extents.query(known.values(), asking.district)
        row = await asking.layers.reader.row(query, values)
        found = orjson.loads(row["extents"])
        return told(
            {
                "links": selves(partial(asking.link, "/collections"), JSON),
                "crs": list(served(asking.served.district.srid)),
                "collections": [
                    _collection(asking, layer, found, row["attribution"]) for layer in known.values()
                ],
            }
        )

    return await answer(request, make, forms=html.form("ogc_collections.html", make))


async def collection(request: Request) -> Answer | Response:
    """Answer one layer."""

    async def make(asking: Asking) -> Made:
        asking.only()
        layer = layers.get(asking.path["collection"], asking.actions)
        query, values = extents.query([layer], asking.district)
        row = await asking.layers.reader.row(query, values)
        return told(_collection(asking, layer, orjson.loads(row["extents"]), row["attribution"]))

    return await answer(request, make, forms=html.form("ogc_collection.html", make))


async def queryables(request: Request) -> Answer | Response:
    """Answer what features of a layer can be filtered by."""

    async def make(asking: Asking) -> Made:
        asking.only()
        layer = layers.get(asking.path["collection"], asking.actions)
        shape = {"title": "位置", "description": "Geometry", "format": _SHAPES[layer.geometry]}
        properties = {one.name: one.schema for one in layer.seen_by(asking.actions) if one.filterable}
        return _schema(asking, layer, {**properties, GEOMETRY: {**shape, "x-ogc-role": "primary-geometry"}})

    return await answer(request, make, forms=html.form("ogc_fields.html", make))


async def sortables(request: Request) -> Answer | Response:
    """Answer what features of a layer can be put in order of."""

    async def make(asking: Asking) -> Made:
        asking.only()
        layer = layers.get(asking.path["collection"], asking.actions)
        return _schema(
            asking, layer, {one.name: one.schema for one in layer.seen_by(asking.actions) if one.sortable}
        )

    return await answer(request, make, forms=html.form("ogc_fields.html", make))


def _schema(asking: Asking, layer: Layer, properties: dict[str, Any]) -> Made:
    return told(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"{asking.base}{asking.target}",
            "type": "object",
            "title": _title(layer),
            "properties": properties,
            "additionalProperties": False,
        },
        SCHEMA,
    )


def _collection(
    asking: Asking, layer: Layer, found: dict[str, Any], attribution: bytes | None
) -> dict[str, Any]:
    path = f"/collections/{layer.name}"
    box, interval = found[layer.name]
    return {
        "id": layer.name,
        "title": _title(layer),
        "description": f"{layer.about_zh} {layer.about_en}",
        **({"attribution": attribution.decode()} if attribution else {}),
        "itemType": "feature",
        "extent": {
            **({"spatial": {"bbox": [box], "crs": CRS84.uri}} if box else {}),
            **({"temporal": {"interval": [interval]}} if layer.dated else {}),
        },
        "crs": list(served(asking.served.district.srid)),
        "storageCrs": CRS84.uri,
        "links": [
            *selves(partial(asking.link, path), JSON, _title(layer)),
            *links.features("items", partial(asking.link, f"{path}/items"), _title(layer)),
            link(asking.link(f"{path}/queryables"), _QUERYABLES, SCHEMA, "可筛选属性 Queryables"),
            link(asking.link(f"{path}/sortables"), _SORTABLES, SCHEMA, "可排序属性 Sortables"),
            link(asking.link(f"{path}/tiles"), _TILESETS, JSON, "矢量瓦片 Vector tiles"),
        ],
    }


def _title(layer: Layer) -> str:
    return f"{layer.zh} {layer.en}"
