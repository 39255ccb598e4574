"""The optional base map: pictures an administrator puts below the map of our own; see docs/basemap.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from data.rasters import Raster, read_raster
from data.settings import Settings
from geo.errors import SetupError

PATH = "base"
_WMTS = {"tilematrix": "{z}", "tilecol": "{x}", "tilerow": "{y}"}
_PLACE = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


@dataclass(frozen=True)
class BaseMap:
    """Where its tiles are and how they are shown.

    Attributes
    ----------
    tiles : str
        Address of a tile, with ``{z}``, ``{x}`` and ``{y}`` or, counted from the south, ``{-y}``.
    crs : str
        ``wgs84``, ``cgcs2000`` or ``gcj02``: what its pictures are true in.
    attribution : str
        Whom a map must name.
    min_zoom, max_zoom : int
        Levels there are tiles of; beyond the last they are enlarged.
    host : str or None
        Scheme, host and port it is asked for at; None where this server has it.
    raster : Raster or None
        The file this server has it in.
    """

    tiles: str
    crs: str
    attribution: str
    min_zoom: int
    max_zoom: int
    host: str | None = None
    raster: Raster | None = None


def base_map(settings: Settings) -> BaseMap | None:
    """Return the base map that is set; None where none is.

    Raises
    ------
    SetupError
        If it is set in a way that shows nothing, or not by whom it is.
    """
    if settings.base_tiles is None:
        return None
    if settings.base_tiles.lower().endswith(".mbtiles"):
        return _of_file(read_raster(Path(settings.base_tiles)), settings)
    tiles = _PLACE.sub(lambda place: _WMTS.get(place[1].lower(), place[0]), settings.base_tiles)
    places = sorted(_PLACE.findall(tiles))
    if places not in (["x", "y", "z"], ["-y", "x", "z"]):
        raise SetupError(
            "GRIDGOV_BASE_TILES must hold {z}, {x} and {y} once each, and no other place to fill.",
            "For WMTS, {TileMatrix}, {TileCol} and {TileRow} do too; the matrix set has to be Web Mercator's.",
        )
    parts = urlsplit(tiles)
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        raise SetupError(
            "GRIDGOV_BASE_TILES is no address of one host, and no .mbtiles file.",
            "Write https://host/path with a host's name alone, without a user or places to fill in it.",
        )
    return BaseMap(
        tiles,
        settings.base_crs,
        _named(settings.base_attribution),
        0,
        settings.base_max_zoom,
        host=f"{parts.scheme}://{parts.netloc}",
    )


def _of_file(raster: Raster, settings: Settings) -> BaseMap:
    first, last = raster.zooms
    tiles = f"{PATH}/{{z}}/{{x}}/{{y}}?edition={raster.edition}"
    named = _named(settings.base_attribution or raster.attribution)
    return BaseMap(tiles, settings.base_crs, named, first, last, raster=raster)


def _named(attribution: str | None) -> str:
    if attribution:
        return attribution
    raise SetupError(
        "A base map is set, but not whom maps must name for it.", "Set GRIDGOV_BASE_ATTRIBUTION too."
    )
