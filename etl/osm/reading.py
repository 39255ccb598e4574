"""Reading OpenStreetMap features: from an XML extract, or from the network by the name of a place."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import numpy as np
import osmnx
import pandas as pd
import requests
import shapely
from osmnx._errors import InsufficientResponseError, ResponseStatusCodeError

from geo.coverage import valid_area
from geo.errors import InputError, UnavailableError

STREETS = (
    "motorway",
    "trunk",
    "primary",
    "secondary",
    "tertiary",
    "unclassified",
    "residential",
    "living_street",
    "pedestrian",
    "road",
    "motorway_link",
    "trunk_link",
    "primary_link",
    "secondary_link",
    "tertiary_link",
)
ENTRANCES = ("main", "staircase", "home")
TAGS: dict[str, bool | str | list[str]] = {
    "building": True,
    "highway": list(STREETS),
    "waterway": ["river", "canal", "stream", "ditch", "drain", "riverbank", "dock"],
    "railway": ["rail", "light_rail", "subway"],
    "natural": ["water", "wood"],
    "landuse": ["reservoir", "basin", "grass", "meadow", "recreation_ground", "forest"],
    "leisure": ["park", "garden"],
    "boundary": "administrative",
    "entrance": list(ENTRANCES),
}
"""What is taken from OpenStreetMap: tags that a feature carries."""

_FILE = re.compile(r"\.(osm|xml)(\.bz2|\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Features:
    """What was read.

    Attributes
    ----------
    table : GeoDataFrame
        One row a feature, indexed by OSM id (``way/123``), EPSG:4326, a column a tag; valid geometry.
    source : str
        Name of the file or place, without its path.
    digest : str
        SHA-256 of what was read.
    """

    table: gpd.GeoDataFrame
    source: str
    digest: str

    def tag(self, key: str) -> pd.Series:
        """Return the values of a tag, missing where a feature or all of them have none."""
        if key in self.table:
            return self.table[key]
        return pd.Series(None, self.table.index, dtype=object)


def read_features(source: Path | str) -> Features:
    """Read the features the import needs.

    Parameters
    ----------
    source : Path or str
        An XML extract (``.osm``, ``.osm.bz2``, ``.osm.gz``), or the name of a place, which is looked up and
        downloaded from the servers osmnx uses.

    Raises
    ------
    InputError
        If there is no such file, it is no OSM XML, or nothing of use is in it.
    UnavailableError
        If a place was named and the servers cannot be reached.

    Notes
    -----
    osmnx holds every element of the file as a dictionary: about 1.2 s and 80 MB a MB of ``.osm.bz2``. Cut a
    district out of a larger extract first.
    """
    path = Path(source)
    if path.is_file():
        table, digest = _from_file(path), hashlib.sha256(path.read_bytes()).hexdigest()
    elif isinstance(source, str) and not _FILE.search(source) and path.suffix != ".pbf":
        table = _from_place(source)
        digest = hashlib.sha256(table.to_json().encode()).hexdigest()
    else:
        raise InputError(f"There is no file {path.name}.", "Check the path.")
    return Features(_tidy(table), path.name, digest)


def _from_file(path: Path) -> gpd.GeoDataFrame:
    if not _FILE.search(path.name):
        raise InputError(
            f"{path.name} is no OSM XML extract.",
            "Give .osm, .osm.bz2 or .osm.gz; osmium cat turns a .pbf into one.",
        )
    try:
        return osmnx.features_from_xml(path, tags=TAGS)
    except (ParseError, UnicodeDecodeError, EOFError, OSError) as fault:
        raise InputError(f"{path.name} cannot be read as OSM XML: {fault}.", "Fetch it again.") from fault
    except InsufficientResponseError as fault:
        raise InputError(
            f"{path.name} holds nothing to import.", "Give an extract with buildings."
        ) from fault


def _from_place(name: str) -> gpd.GeoDataFrame:
    osmnx.settings.use_cache = False  # its cache is a folder in whatever directory we run in
    try:
        return osmnx.features_from_place(name, tags=TAGS)
    except (requests.RequestException, ResponseStatusCodeError) as fault:
        raise UnavailableError(
            f"OpenStreetMap's servers cannot be reached to look up '{name}'.",
            "Go online, or give the path of an extract (.osm, .osm.bz2, .osm.gz).",
        ) from fault
    except (InsufficientResponseError, TypeError, ValueError) as fault:
        raise InputError(
            f"OpenStreetMap knows no area '{name}'.", "Give its full name, or a file."
        ) from fault


def _tidy(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Index features by OSM id, and mend polygons."""
    ids = [f"{element}/{number}" for element, number in table.index]
    shapes = table.geometry.to_numpy(copy=True)
    areas = shapely.get_dimensions(shapes) == 2
    shapes[areas] = valid_area(shapes[areas])
    kept = ~(shapely.is_empty(shapes) | shapely.is_missing(shapes))
    table = table.set_index(np.array(ids, dtype=object)).set_geometry(shapes, crs=table.crs)
    return table[kept]
