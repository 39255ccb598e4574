"""Layers as files for a desktop GIS: GeoJSON, GeoPackage, Shapefile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from geo.errors import InputError
from maps.legend import Words

DRIVERS: Mapping[str, str] = MappingProxyType(
    {".geojson": "GeoJSON", ".gpkg": "GPKG", ".shp": "ESRI Shapefile"}
)
"""GDAL's name of each format by the ending of its files."""
MADE_UP = Words("虚构数据", "made-up data")

_SHAPEFILE = ".shp"
_NAME_BYTES = 10
_TEXT_BYTES = 254
_KINDS = ("point", "line", "area")
_GEOMETRY_TYPES = ("Point", "LineString", "Polygon")


@dataclass(frozen=True)
class About:
    """What a file says of itself.

    Parameters
    ----------
    name : str
        Of the layer, in ASCII: files and layers are called by it.
    title : Words
        What the layer is.
    attribution : sequence of str
        Whose data it is.
    made_up : bool
        Whether the data are invented; the file then says so.
    """

    name: str
    title: Words
    attribution: Sequence[str]
    made_up: bool

    @property
    def lines(self) -> list[str]:
        """Title, label and attribution, a line each."""
        label = [f"{MADE_UP.zh} · {MADE_UP.en}"] if self.made_up else []
        return [f"{self.title.zh} · {self.title.en}", *label, *self.attribution]


def write_layer(frame: gpd.GeoDataFrame, about: About, target: Path) -> list[Path]:
    """Write a layer as what the ending of ``target`` says: one of `DRIVERS`.

    Lists are joined by "; ". A Shapefile has one kind of shape, names of 10 bytes and texts of 254 bytes: shapes
    of several kinds go to files with ``_point``, ``_line`` and ``_area`` before the ending, and a
    ``README.txt`` beside tells what each name stands for and which texts are cut.

    Parameters
    ----------
    frame : GeoDataFrame
        In a coordinate system of the EPSG's.

    Returns
    -------
    list of Path
        All files written, without the folder's other files.

    Raises
    ------
    InputError
        If there is no such format, or the file cannot be written.
    """
    driver = driver_of(target)
    flat = _flat(frame)
    try:
        if target.suffix.lower() == _SHAPEFILE:
            return _write_shapefiles(flat, about, target)
        options = {"DESCRIPTION": "\n".join(about.lines)}
        pyogrio.write_dataframe(
            _in_utc(flat), target, layer=about.name, driver=driver, layer_options=options, use_arrow=True
        )
    except (DataSourceError, DataLayerError) as error:
        raise InputError(f"{target} cannot be written: {error}.", "Choose another file.") from error
    return [target]


def driver_of(target: Path) -> str:
    """Return GDAL's name of the format that a file's ending stands for.

    Raises
    ------
    InputError
        If it stands for none of `DRIVERS`.
    """
    driver = DRIVERS.get(target.suffix.lower())
    if driver is None:
        raise InputError(
            f"Layers cannot be written as '{target.suffix}'.", f"End the name in {' or '.join(DRIVERS)}."
        )
    return driver


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return names of at most 10 bytes, no two alike in any case, by the full ones.

    Cut names that would be alike end in a number.
    """
    short: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names, key=lambda name: len(name.encode()) > _NAME_BYTES):  # whole names come first
        candidate, number = _cut(name, _NAME_BYTES), 1
        while candidate.lower() in taken:
            number += 1
            ending = f"_{number}"
            candidate = _cut(name, _NAME_BYTES - len(ending)) + ending
        taken.add(candidate.lower())
        short[name] = candidate
    return {name: short[name] for name in names}


def _flat(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    lists = [
        column for column in frame.columns if frame[column].map(lambda value: isinstance(value, list)).any()
    ]
    return frame.assign(**{column: frame[column].map("; ".join) for column in lists})


def _in_utc(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a frame with instants as GeoPackage has them."""
    instants = [column for column in frame.columns if isinstance(frame[column].dtype, pd.DatetimeTZDtype)]
    return frame.assign(**{column: frame[column].dt.tz_convert("UTC") for column in instants})


def _write_shapefiles(frame: gpd.GeoDataFrame, about: About, target: Path) -> list[Path]:
    fields = [column for column in frame.columns if column != frame.geometry.name]
    short = short_names(fields)
    cut: set[str] = set()
    columns = {short[field]: _plain(frame[field], field, cut) for field in fields}
    plain = gpd.GeoDataFrame(columns, geometry=frame.geometry.to_numpy(), crs=frame.crs)
    written = []
    for file, kind, rows in _by_kind(plain, target):
        pyogrio.write_dataframe(
            rows,
            file,
            driver=DRIVERS[_SHAPEFILE],
            encoding="UTF-8",
            geometry_type=_type_of(rows, kind),
            use_arrow=True,
        )
        written += [each for each in _parts_of(file) if each.exists()]
    readme = target.with_name(f"{target.stem}.README.txt")
    readme.write_text(_readme(about, short, cut, frame.crs), encoding="utf-8-sig")
    return [*written, readme]


def _by_kind(frame: gpd.GeoDataFrame, target: Path) -> Iterator[tuple[Path, int, gpd.GeoDataFrame]]:
    """Give each kind of shape, as its dimension, a file; rows without a shape are with the first."""
    dimension = pd.Series(shapely.get_dimensions(frame.geometry.to_numpy()), index=frame.index)
    kinds = sorted(dimension[dimension >= 0].unique()) or [0]
    for kind in kinds:
        rows = frame[(dimension == kind) | ((dimension < 0) & (kind == kinds[0]))]
        ending = f"_{_KINDS[kind]}" if len(kinds) > 1 else ""
        yield target.with_name(f"{target.stem}{ending}{target.suffix}"), kind, rows


def _type_of(rows: gpd.GeoDataFrame, kind: int) -> str:
    several = rows.geometry.geom_type.dropna().str.startswith("Multi").any()
    return f"{'Multi' if several else ''}{_GEOMETRY_TYPES[kind]}"


def _parts_of(file: Path) -> list[Path]:
    return [file.with_suffix(ending) for ending in (".shp", ".shx", ".dbf", ".prj", ".cpg")]


def _plain(column: pd.Series, field: str, cut: set[str]) -> pd.Series:
    """Return a column as a DBF file can hold it; note in ``cut`` that texts were shortened."""
    if isinstance(column.dtype, pd.ArrowDtype):  # a day, which it knows
        return column
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%z")
    if not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
        return column

    def held(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        kept = _cut(value, _TEXT_BYTES)
        if kept != value:
            cut.add(field)
        return kept

    return column.map(held)


def _cut(text: str, most_bytes: int) -> str:
    """Return as many whole characters as fit into some bytes of UTF-8."""
    return text.encode()[:most_bytes].decode(errors="ignore")


def _readme(about: About, short: Mapping[str, str], cut: set[str], system: Any) -> str:
    number = system.to_epsg()
    width = max(map(len, short.values()), default=0)
    names = [f"  {each:<{width}}  {name}" for name, each in short.items()]
    texts = [f"文字超过 254 字节被截短的字段 · Fields with texts cut at 254 bytes: {', '.join(sorted(cut))}"]
    lines = [
        *about.lines,
        "",
        f"坐标系 {system.name} (EPSG:{number})，文字编码 UTF-8（见 .cpg） · EPSG:{number}, texts in UTF-8 as .cpg says",
        "Shapefile 的字段名最多 10 字节 · Field names of a Shapefile have at most 10 bytes:",
        "",
        *names,
        *(["", *texts] if cut else []),
    ]
    return "\r\n".join(lines) + "\r\n"
