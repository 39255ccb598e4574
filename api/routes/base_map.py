"""The optional base map: where its pictures are, and those this server has itself."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.base_map import PATH, BaseMap
from api.params import API
from data.rasters import DEEPEST
from geo.errors import NotFoundError

router = APIRouter()

_YEAR_S = 365 * 24 * 3600


class OptionalBase(BaseModel):
    """Pictures below the map of our own."""

    tiles: str = Field(
        description="Address of a tile in Web Mercator; relative ones are to the landing page.",
        examples=["https://tiles.example.org/{z}/{x}/{y}.png"],
    )
    crs: Literal["wgs84", "cgcs2000", "gcj02"] = Field(
        description="What the pictures are true in; those in GCJ-02 have to be shifted by whoever shows them."
    )
    attribution: str = Field(description="Whom a map must name.")
    min_zoom: int
    max_zoom: int


def _set(request: Request) -> BaseMap | None:
    found: BaseMap | None = request.app.state.base_map
    return found


@router.get(f"{API}/base", summary="Optional base map (外部底图)", tags=["layers"])
async def told(request: Request) -> OptionalBase | None:
    """Tell where the pictures of the base map are that is set for this server; null where none is."""
    found = _set(request)
    return None if found is None else OptionalBase.model_validate(found, from_attributes=True)


@router.get(f"/{PATH}/{{z}}/{{x}}/{{y}}", include_in_schema=False)
def tile(
    request: Request,
    z: Annotated[int, Path(ge=0, le=DEEPEST)],
    x: Annotated[int, Path(ge=0)],
    y: Annotated[int, Path(ge=0)],
    edition: Annotated[str | None, Query(max_length=32)] = None,
) -> Response:
    """Send a picture of the file this server has; nothing where the file has none there."""
    found = _set(request)
    if found is None or found.raster is None or max(x, y) >= 2**z:
        raise NotFoundError("There is no such tile.", "")
    # An address with the file's edition never means another picture.
    fixed = edition == found.raster.edition
    headers = {"Cache-Control": f"public, max-age={_YEAR_S}, immutable" if fixed else "no-cache"}
    picture = found.raster.tile(z, x, y)
    if picture is None:
        return Response(status_code=204, headers=headers)
    return Response(picture, media_type=found.raster.media_type, headers=headers)
