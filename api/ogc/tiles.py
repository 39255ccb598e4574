"""Vector tiles of the map layers, at addresses of maps (z/x/y) and of OGC API - Tiles (z/row/column)."""

from __future__ import annotations

from fastapi import Request

from api.direct import Answer
from api.ogc.serving import Asking, Made, addressed, answer
from api.params import LARGEST_NUMBER
from data import layers, tiles
from data.layer import Layer
from data.tiles import Tile
from geo.errors import InputError, NotFoundError
from geo.tiling import within

MVT = "application/vnd.mapbox-vector-tile"
ROOT = "/tiles"
FORMATS = ("mvt",)
_MOST_DIGITS = 9


async def tile(request: Request) -> Answer:
    """Answer a tile."""
    return await answer(request, _tile, FORMATS)


async def _tile(asking: Asking) -> Made:
    asking.only("plan")
    path = asking.path
    layer = layers.get(path["collection"], asking.actions)
    wanted = _read(path["zoom"], path["column"], path["row"], layer)
    named = plan_named(asking, layer)
    shown = asking.plan if named is None else named
    values = tiles.values(layer.name, asking.district, shown, wanted)
    query = tiles.query(layer.name, layer.seen_by(asking.actions))
    (row,) = await asking.layers.reader.rows(query, values)
    if named is not None and not row["planned"]:
        raise NotFoundError(f"There is no published plan {named}.", "GET /api/v1/plans lists them.")
    body = bytes(row["tile"] or b"")
    return Made(body, MVT, plans=str(named) if named is not None else None, status=200 if body else 204)


def plan_named(asking: Asking, layer: Layer) -> int | None:
    """Return the number of the plan that is asked for, if one is.

    Raises
    ------
    InputError
        If it is no number, or the layer is not of plans.
    """
    named = asking.query.get("plan")
    if named is None:
        return None
    if not layer.present:
        raise InputError(f"Layer {layer.name} is the same under every plan.", "Leave plan out.")
    if not _is_number(named) or not 1 <= int(named) <= LARGEST_NUMBER:
        raise InputError("plan is not the number of a plan.", "GET /api/v1/plans lists them.")
    return int(named)


def address(asking: Asking, path: str) -> str:
    """Return the address of something below `ROOT`; district and plan go on where they were named."""
    named = {name: asking.query[name] for name in ("district", "plan") if name in asking.query}
    return addressed(f"{asking.base}{ROOT}{path}", named)


def _read(zoom: str, column: str, row: str, layer: Layer) -> Tile:
    """Read which tile is meant.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    first, last = layer.zooms
    if all(map(_is_number, (zoom, column, row))):
        found = Tile(int(zoom), int(column), int(row))
        if first <= found.zoom <= last and within(found.column, found.row, found.zoom):
            return found
    raise NotFoundError("There is no such tile.", f"Layer {layer.name} has tiles of zooms {first} to {last}.")


def _is_number(text: str) -> bool:
    """Tell whether text is a whole number in its one way of writing."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and str(int(text)) == text
