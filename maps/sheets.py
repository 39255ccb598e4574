"""Grid sheets (网格图): a page to hang on the wall for each grid, as PDF or PNG."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote

import geopandas as gpd
import pandas as pd
import pypdfium2  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from geo.errors import InputError
from maps.fonts import Font, find_font
from maps.ground import Ground, Layer
from maps.pen import Pen
from maps.sheet_frame import WORDS, SheetFrame
from maps.sheet_map import SITE, facility_sign

PAPERS = {"a4": 1.0, "a3": 2**0.5}
"""How much larger than A4, for which the page is laid out."""
A4 = (210 * 72 / 25.4, 297 * 72 / 25.4)
"""Width and height in points."""
_NO_TEXT = ["geometry", "entrances"]
_ADDRESS = re.compile(r"https?://[^\s/]+")
DPI = 200
"""Of pages as PNG."""


@dataclass(frozen=True)
class SheetData:
    """A district at one moment, as its sheets show it.

    Parameters
    ----------
    name : str
        The district's.
    srid : int
        EPSG code of the metric CRS it is drawn in.
    plan, validity, printed_on : str
        What the plan is called, since or until when it holds, the day of printing.
    made_up : bool
        Whether the data are invented; every sheet then says so.
    attribution : tuple of str
        Whose data it is.
    base_url : str or None
        Where the sheet's QR code leads: ``/m?grid=CODE&district=CODE`` below it; no code without.
    grids : GeoDataFrame
        Columns of `maps.overview.MapData.grids`, and ``id``.
    communities, compounds, buildings, streets, barriers, water, rail, green, sites, facilities : GeoDataFrame
        Columns of the views in the schema ``layers``, buildings also with ``compound_id``. All frames are in
        EPSG:4326.
    holdings : DataFrame
        building_id, grid_id, entrances: which grid holds which building, or which of its entrances.
    workers : DataFrame or None
        grid_id, role, name, phone: on sheets for staff alone.
    """

    name: str
    srid: int
    plan: str
    validity: str
    printed_on: str
    made_up: bool
    attribution: tuple[str, ...]
    base_url: str | None
    grids: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    compounds: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    rail: gpd.GeoDataFrame
    green: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    holdings: pd.DataFrame
    workers: pd.DataFrame | None

    def link(self, code: str | None) -> str | None:
        """Return the address of a grid's page for phones; a code begins with its district's."""
        if not (self.base_url and code):
            return None
        return f"{self.base_url.rstrip('/')}/m?grid={quote(code)}&district={quote(code[:6])}"


class Page(NamedTuple):
    """A page that was made: the grid's name, and the numbers of buildings that found no place on it."""

    grid: str
    left_out: list[str]


class Sheets:
    """The sheets of a district.

    Parameters
    ----------
    data : SheetData
        What they show.
    paper : {"a4", "a3"}
        Their size; A3 is A4 enlarged.
    font : Path, optional
        File of a font with Chinese characters; looked for by default.

    Raises
    ------
    SetupError
        If there is no font with Chinese characters.
    InputError
        If ``base_url`` is no address.
    """

    def __init__(self, data: SheetData, paper: str = "a4", font: Path | None = None) -> None:
        if data.base_url is not None and not _ADDRESS.match(data.base_url):
            raise InputError(
                f"'{data.base_url}' is no address of a server.", "Write it as https://grid.example.org."
            )
        self._data = _on_one_line(data)
        self._enlarged = PAPERS[paper]
        self._font_file = font or find_font()

    @property
    def has_links(self) -> bool:
        """Whether the sheets have QR codes."""
        return self._data.base_url is not None

    @cached_property
    def font(self) -> Font:
        """The font, with every character that the sheets may show."""
        return Font(self._font_file, _texts(self._data))

    @cached_property
    def _ground(self) -> Ground:
        data = self._data
        drawn = [each.name for each in fields(Ground) if each.name != "holders"]
        return Ground(
            **{name: Layer(getattr(data, name), data.srid) for name in drawn},
            holders=_holders(data.holdings),
        )

    def choose(self, grids: Sequence[str] = (), communities: Sequence[str] = ()) -> list[Any]:
        """Return the grids that are meant by code or ledger's code and community's code; all by default.

        Raises
        ------
        InputError
            If a code is none of this plan, or nothing is left.
        """
        rows = self._ground.grids.rows
        known = {code for row in rows for code in (row.code, row.external_code, row.community_code)}
        unknown = [code for code in (*grids, *communities) if code not in known]
        if unknown:
            raise InputError(
                f"The plan has no grid or community {', '.join(unknown)}.", "gridgov plan show lists them."
            )
        chosen = [
            row
            for row in rows
            if (not grids or row.code in grids or row.external_code in grids)
            and (not communities or row.community_code in communities)
        ]
        if not chosen:
            raise InputError("No grid is left to print.", "Name other grids, or a plan that has some.")
        return chosen

    def write(self, chosen: Sequence[Any], file: BinaryIO | Path) -> Iterator[Page]:
        """Write grids to one PDF file, a page each; it is complete when the iterator is exhausted.

        About a tenth of a second a page.
        """
        size = tuple(side * self._enlarged for side in A4)
        canvas = Canvas(
            str(file) if isinstance(file, Path) else file, pagesize=size, pageCompression=1, invariant=1
        )
        canvas.setTitle(f"{self._data.name} {WORDS['sheets'].zh}")
        canvas.setAuthor("; ".join(self._data.attribution))
        for row in chosen:
            name = name_of(row)
            canvas.saveState()
            canvas.scale(self._enlarged, self._enlarged)
            canvas.bookmarkPage(name)
            canvas.addOutlineEntry(f"{row.community} {name}", name)
            left_out = SheetFrame(
                Pen(canvas, self.font), self._data, self._ground, row, self._enlarged
            ).draw()
            canvas.restoreState()
            canvas.showPage()
            yield Page(name, left_out)
        canvas.save()

    def write_each(self, chosen: Sequence[Any], folder: Path, form: str) -> Iterator[Page]:
        """Write a file a grid into a folder, named by its code: ``form`` is ``pdf``, or ``png`` of `DPI`."""
        for row in chosen:
            page = BytesIO()
            yield from self.write([row], page)
            content = page.getvalue() if form == "pdf" else picture(page.getvalue(), 0)
            (folder / f"{name_of(row)}.{form}").write_bytes(content)


def name_of(row: Any) -> str:
    """Return what a grid's sheet is called by: its code, the ledger's, or its number in the database."""
    return next((each for each in (row.code, row.external_code) if isinstance(each, str)), f"new-{row.id}")


def picture(document: bytes, number: int) -> bytes:
    """Return a page of a PDF file as PNG."""
    with pypdfium2.PdfDocument(document) as opened:
        page = BytesIO()
        opened[number].render(scale=DPI / 72).to_pil().save(page, format="PNG", dpi=(DPI, DPI))
    return page.getvalue()


def _holders(holdings: pd.DataFrame) -> dict[int, dict[int, list[int] | None]]:
    held: dict[int, dict[int, list[int] | None]] = {}
    for row in holdings.itertuples(index=False):
        held.setdefault(row.building_id, {})[row.grid_id] = row.entrances
    return {building: grids if len(grids) > 1 else dict.fromkeys(grids) for building, grids in held.items()}


def _on_one_line(data: SheetData) -> SheetData:
    """Put a space for what breaks lines or cannot be printed in the texts of a district."""
    frames = {
        each.name: frame.assign(
            **{column: frame[column].map(_line) for column in frame.columns.difference(_NO_TEXT)}
        )
        for each in fields(data)
        if isinstance(frame := getattr(data, each.name), pd.DataFrame)
    }
    return replace(data, **frames)


def _line(value: Any) -> Any:
    if not isinstance(value, str) or value.isprintable():
        return value
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())


def _texts(data: SheetData) -> Iterator[str]:
    """Yield every text that a sheet may hold."""
    yield from (data.name, data.plan, data.validity, data.printed_on, *data.attribution)
    yield from (each for said in WORDS.values() for each in said)
    yield "".join(map(chr, range(0x20, 0x7F))) + "党●单元、：（）·–…"
    for kind in data.facilities["kind"].unique():
        shown = facility_sign(kind)
        yield from (*shown.said, shown.character)
    yield from SITE.said
    for frame in (getattr(data, each.name) for each in fields(data)):
        if isinstance(frame, pd.DataFrame):
            for column in frame.columns.difference(_NO_TEXT):
                yield from (each for each in frame[column] if isinstance(each, str))
