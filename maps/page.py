"""Folium pages that need nothing but themselves: no network, no other file.

Folium 0.20 would load Leaflet, jQuery and Bootstrap from four hosts. Its scripts alone are taken, into a page
of our own that carries the vendored Leaflet; so only such parts of folium are used as need nothing else:
tooltips (popups want jQuery), circle markers and ``DivIcon`` (``Icon`` wants Bootstrap). A content security
policy in the page holds it to that.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import folium
from branca.element import Element, Figure
from folium.map import CustomPane, FitBounds
from folium.utilities import JsCode
from jinja2 import Environment, FileSystemLoader, select_autoescape

from maps.legend import WEB

BASE_PANE = "base"
"""Lies below all else; colours lie on it like ink where the map's element has the class ``with-base``."""

_LEAFLET = WEB / "vendor" / "leaflet"
_COLLAPSED_WHERE_NARROW = JsCode("window.innerWidth <= 820")


def new_map(bounds: Sequence[float]) -> folium.Map:
    """Make a map without tiles that shows ``bounds``: west, south, east, north in degrees."""
    west, south, east, north = bounds
    shown = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_start=13,
        min_zoom=9,
        max_zoom=19,
        zoom_snap=0.25,
    )
    CustomPane(BASE_PANE, z_index=250).add_to(shown)
    fit = FitBounds([[south, west], [north, east]], padding=(12, 12))
    fit.options["animate"] = False  # else the map is still under way when a pointer first rests on it
    fit.add_to(shown)
    return shown


def add_layer_switch(shown: folium.Map) -> None:
    """Add a list of the map's layers; on a narrow screen it opens from a button."""
    folium.LayerControl(position="topright", collapsed=_COLLAPSED_WHERE_NARROW).add_to(shown)


def render(template: str, maps: Mapping[str, folium.Map], **context: Any) -> str:
    """Render a page of ``templates/`` around maps.

    Parameters
    ----------
    template : str
        File name of the template; it finds ``maps`` (the element name of each map), ``script`` (folium's),
        ``leaflet_css``, ``leaflet_js``, ``css`` and ``language_js`` beside ``context``.
    maps : mapping of str to folium.Map
        The maps by the name the template knows them by.

    Returns
    -------
    str
        The whole page, the same text for the same input.
    """
    figure = Figure()
    for shown in maps.values():
        figure.add_child(shown)
    for number, element in enumerate(_elements(figure)):
        element._id = str(number)  # folium's own is random
    for shown in maps.values():
        shown.render()
    return (
        _templates()
        .get_template(template)
        .render(
            maps={name: shown.get_name() for name, shown in maps.items()},
            script=_compact(figure.script.render()),
            leaflet_css=_leaflet_css(),
            leaflet_js=_leaflet_js(),
            css=_read(WEB / "app.css"),
            language_js=_read(WEB / "language.js"),
            **context,
        )
    )


def _compact(script: str) -> str:
    """Write the GeoJSON in folium's script without its spaces and escapes: a quarter less."""

    def rewritten(match: re.Match[str]) -> str:
        data = json.dumps(json.loads(match[1]), separators=(",", ":"), ensure_ascii=False)
        # All that could end a script, or its being read as one.
        return "_add({});".format(data.replace("</", "<\\/").replace("<!", "\\u003c!"))

    return re.sub(r"_add\((\{.*\})\);", rewritten, script)


def _elements(root: Element) -> Iterator[Element]:
    for child in root._children.values():
        yield child
        yield from _elements(child)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    folder = Path(__file__).parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _leaflet_js() -> str:
    return re.sub(r"//# sourceMappingURL=.*", "", _read(_LEAFLET / "leaflet.js"))


@lru_cache(maxsize=1)
def _leaflet_css() -> str:
    """Leaflet's styles with its images in them."""

    def embedded(match: re.Match[str]) -> str:
        image = base64.b64encode((_LEAFLET / match[1]).read_bytes()).decode()
        return f"url(data:image/png;base64,{image})"

    return re.sub(r"url\((images/[\w.-]+)\)", embedded, _read(_LEAFLET / "leaflet.css"))
