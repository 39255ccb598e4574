"""Map layers as GeoJSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.fresh import read
from api.params import API, Box, Limit, Offset, Plain, Reading, bounds
from data import imports
from data import layers as registry
from data import listings as stored
from data.listings import Selection
from data.locate import Edition

router = APIRouter(prefix=API, tags=["layers"])

GEOJSON = "application/geo+json"


class Layer(BaseModel):
    """A map layer."""

    name: str = Field(examples=["grids"])
    zh: str = Field(examples=["网格"])
    en: str
    href: str = Field(examples=["/api/v1/layers/grids.geojson"])
    columns: list[str] = Field(description="Properties of its features.")


class Layers(BaseModel):
    """The layers there are."""

    layers: list[Layer]


@router.get("/layers", summary="Map layers (图层)")
async def listed() -> Layers:
    """List the layers."""
    return Layers(
        layers=[
            Layer(
                name=name,
                zh=layer.zh,
                en=layer.en,
                href=f"{API}/layers/{name}.geojson",
                columns=list(layer.columns()),
            )
            for name, layer in registry.known().items()
        ]
    )


@router.get(
    "/layers/{name}.geojson",
    summary="One layer as GeoJSON (图层数据)",
    response_class=Response,
    responses={200: {"content": {GEOJSON: {}}, "description": "A FeatureCollection, WGS 84."}},
)
def features(
    asked: Reading,
    name: Annotated[str, Path(max_length=40, examples=["grids"]), Plain],
    bbox: Box = None,
    limit: Limit = 10_000,
    offset: Offset = 0,
) -> Response:
    """Return the features of a layer; of the layers only grids have a history that `as_of` can ask for.

    `numberMatched` tells how many there are, `attribution` whom a map made from it must name.
    """
    registry.get(name)
    box = bounds(bbox)

    def make(connection: Connection, code: str, edition: Edition) -> str:
        chosen = Selection({}, bounds=box, as_of=edition.at, limit=limit, offset=offset)
        heading = {
            "name": name,
            "attribution": "; ".join(imports.attribution(connection, code)),
            "data_version": edition.version,
        }
        return stored.feature_collection(connection, code, name, chosen, heading)

    return read(asked, make, media_type=GEOJSON)
