"""The tiles of a layer as OpenAPI describes them; see `api.ogc.openapi`."""

from __future__ import annotations

from typing import Any

from api.ogc.serving import JSON, ROOT
from api.ogc.tiles import MVT
from data.layer import Layer
from geo.tiling import MATRIX_SET

_REFUSALS = ("400", "401", "404", "414", "503")


def tile_paths(layer: Layer) -> dict[str, Any]:
    """Return the paths of a layer's tilesets and tiles."""
    path = f"{ROOT}/collections/{layer.name}/tiles"
    tile = f"{path}/{MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    first, last = layer.zooms
    places = [
        _place("tileMatrix", {"type": "string", "enum": [str(zoom) for zoom in range(first, last + 1)]}),
        _place("tileRow", {"type": "integer", "minimum": 0}),
        _place("tileCol", {"type": "integer", "minimum": 0}),
    ]
    return {
        path: {"get": _operation(layer, "tilesets", JSON, [])},
        f"{path}/{MATRIX_SET}": {"get": _operation(layer, "tileset", JSON, [])},
        tile: {"get": _operation(layer, "tile", MVT, places)},
    }


def _operation(layer: Layer, what: str, media_type: str, places: list[dict[str, Any]]) -> dict[str, Any]:
    plan = ["plan"] if layer.present else []
    shared = [{"$ref": f"#/components/parameters/{name}"} for name in ("district", "min_version", *plan)]
    shape = {"type": "string", "format": "binary"} if media_type == MVT else {"type": "object"}
    title = f"{layer.zh} {layer.en}: 矢量瓦片 vector tiles"
    responses: dict[str, Any] = {
        "200": {"description": title, "content": {media_type: {"schema": shape}}},
        "304": {"$ref": "#/components/responses/unchanged"},
        **{status: {"$ref": "#/components/responses/problem"} for status in _REFUSALS},
    }
    if media_type == MVT:
        responses["204"] = {"description": "空白 There is nothing in it."}
    return {
        "summary": title,
        "operationId": f"{layer.name}.{what}",
        "tags": ["tiles"],
        "parameters": [*places, *shared],
        "responses": responses,
    }


def _place(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}
