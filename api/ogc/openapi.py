"""The description of the layers' API as OpenAPI 3.0, made from the registry for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from api.errors import Problem
from api.ogc.conformance import CLASSES
from api.ogc.links import FEATURES
from api.ogc.serving import GEOJSON, HTML, ROOT, Asking
from api.ogc.tile_openapi import tile_paths
from data import layers
from data.layer import Layer
from geo import __version__
from geo.systems import served

OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
PAGES: Mapping[str, str] = MappingProxyType({"html": HTML})
"""Formats every address has beside its own: names and types."""
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}


def described(asking: Asking) -> dict[str, Any]:
    """Return the description."""
    known = layers.known(asking.actions)
    paths: dict[str, Any] = {
        f"{ROOT}{path}": {"get": _operation(summary, name, [], "application/json")}
        for path, name, summary in (
            ("", "landing", "入口 Landing page"),
            ("/conformance", "conformance", "符合的标准 Conformance"),
            ("/api", "api", "接口说明 This description"),
            ("/collections", "collections", "图层 Layers"),
        )
    }
    for layer in known.values():
        paths |= _of_layer(layer, asking) | tile_paths(layer)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": f"{asking.served.district.name} · 社区网格图层 · Map layers",
            "version": __version__,
            "description": "OGC API - Features and Tiles. " + " ".join(CLASSES),
        },
        "servers": [{"url": asking.base}],
        "paths": paths,
        "components": {
            "parameters": _parameters(asking),
            "schemas": {"problem": _problem()},
            "responses": {
                "problem": {
                    "description": "What is wrong and what to do (RFC 9457).",
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}
                    },
                },
                "unchanged": {"description": "What the client holds is still right."},
            },
        },
    }


def _of_layer(layer: Layer, asking: Asking) -> dict[str, Any]:
    path = f"{ROOT}/collections/{layer.name}"
    title = f"{layer.zh} {layer.en}"
    shared = ["bbox", "bbox-crs", "datetime", "limit", "filter", "filter-lang", "filter-crs", "crs", "next"]
    plan = ["plan"] if layer.present else []
    fields = [
        {
            "name": one.name,
            "in": "query",
            "required": False,
            "schema": one.schema,
            "style": "form",
            "explode": False,
        }
        for one in layer.seen_by(asking.actions)
        if one.filterable and one.name != "plan"
    ]
    lists = [
        _listed("properties", layer.columns(asking.actions)),
        _listed(
            "sortby",
            tuple(
                sign + one.name for one in layer.seen_by(asking.actions) if one.sortable for sign in ("", "-")
            ),
        ),
    ]
    files = {name: kind for name, (_, kind) in FEATURES.items() if kind != GEOJSON}
    item = {"name": "item", "in": "path", "required": True, "schema": {"type": "string"}}
    features = [*map(_reference, [*shared, *plan]), *lists, *fields]
    one = [item, *map(_reference, ["crs", *plan])]
    return {
        path: {"get": _operation(title, f"{layer.name}.collection", [], "application/json")},
        f"{path}/queryables": {
            "get": _operation(title, f"{layer.name}.queryables", [], "application/schema+json")
        },
        f"{path}/sortables": {
            "get": _operation(title, f"{layer.name}.sortables", [], "application/schema+json")
        },
        f"{path}/items": {"get": _operation(title, f"{layer.name}.items", features, GEOJSON, files)},
        f"{path}/items/{{item}}": {"get": _operation(title, f"{layer.name}.item", one, GEOJSON)},
    }


def _operation(
    summary: str, name: str, parameters: list[Any], media_type: str, more: Mapping[str, str] = PAGES
) -> dict[str, Any]:
    problem = {"$ref": "#/components/responses/problem"}
    return {
        "summary": summary,
        "operationId": name,
        "tags": ["features" if parameters else "about"],
        "parameters": [*parameters, _format(more), *map(_reference, ["district", "min_version"])],
        "responses": {
            "200": {
                "description": summary,
                "content": {
                    media_type: {"schema": {"type": "object"}},
                    **dict.fromkeys(more.values(), _TEXT),
                },
            },
            "304": {"$ref": "#/components/responses/unchanged"},
            "400": problem,
            "401": problem,
            "404": problem,
            "414": problem,
            "503": problem,
        },
    }


def _format(more: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": "f",
        "in": "query",
        "required": False,
        "description": "格式 Format",
        "schema": {"type": "string", "enum": ["json", *more]},
    }


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


def _listed(name: str, values: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "style": "form",
        "explode": False,
        "schema": {"type": "array", "items": {"type": "string", "enum": list(values)}},
    }


def _parameters(asking: Asking) -> dict[str, Any]:
    systems = {"type": "string", "format": "uri", "enum": list(served(asking.served.district.srid))}
    numbers = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
    schemas: dict[str, tuple[str, dict[str, Any]]] = {
        "district": ("区划代码 District", {"type": "string", "pattern": "^[0-9]{6}$"}),
        "min_version": ("不早于此数据版本 No older version", {"type": "integer", "minimum": 0}),
        "bbox": ("范围 What touches a box", numbers),
        "bbox-crs": ("范围的坐标系 Coordinate system of bbox", systems),
        "datetime": (
            "时间或时段 Instant or interval, RFC 3339; for grids the plans in force then",
            {"type": "string"},
        ),
        "limit": (
            "每页数量 Features a page",
            {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10},
        ),
        "filter": ("CQL2 筛选 Filter", {"type": "string", "maxLength": 4000}),
        "filter-lang": (
            "筛选语言 Language of filter",
            {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"},
        ),
        "filter-crs": ("筛选坐标系 Coordinate system of filter", systems),
        "crs": ("输出坐标系 Coordinate system told", systems),
        "next": ("下一页 Where the page before ended", {"type": "string"}),
        "plan": (
            "方案号 Number of a published plan",
            {"type": "integer", "minimum": 1, "maximum": 2147483647},
        ),
    }
    return {
        name: {
            "name": name,
            "in": "query",
            "required": False,
            "description": said,
            "schema": schema,
            "style": "form",
            "explode": False,
        }
        for name, (said, schema) in schemas.items()
    }


def _problem() -> dict[str, Any]:
    properties = {
        name: {key: value for key, value in schema.items() if key in ("type", "title")}
        for name, schema in Problem.model_json_schema()["properties"].items()
        if schema.get("type") in ("string", "integer")
    }
    return {"type": "object", "properties": properties}
