"""The registry's styles as layers of a MapLibre style; without text, which would need fonts from a server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from data.layer import Layer

_TYPES = ("fill", "line", "circle")
"""In the order they are drawn: points above lines above areas."""
_SHAPES = {"fill": "Polygon", "circle": "Point"}


def drawn(known: Iterable[Layer]) -> list[dict[str, Any]]:
    """Return the layers of a style, those drawn first before the others."""
    found = [(_TYPES.index(kind), layer, kind) for layer in known for kind in _kinds(layer)]
    return [_layer(layer, kind) for _, layer, kind in sorted(found, key=lambda one: one[0])]


def _kinds(layer: Layer) -> tuple[str, ...]:
    match layer.geometry:
        case "Point":
            return ("circle",)
        case "LineString":
            return ("line",)
        case "Polygon":
            return ("fill", "line") if layer.style.fill else ("line",)
        case _:
            return _TYPES if layer.style.fill else ("line", "circle")


def _layer(layer: Layer, kind: str) -> dict[str, Any]:
    mixed = layer.geometry == "Geometry" and kind in _SHAPES
    return {
        "id": f"{layer.name}-{kind}",
        "type": kind,
        "source": layer.name,
        "source-layer": layer.name,
        "minzoom": layer.zooms[0],
        **({"filter": ["==", ["geometry-type"], _SHAPES[kind]]} if mixed else {}),
        "paint": _paint(layer, kind),
    }


def _paint(layer: Layer, kind: str) -> dict[str, Any]:
    style = layer.style
    match kind:
        case "fill":
            return {"fill-color": style.fill, "fill-opacity": style.opacity}
        case "line":
            solid = style.fill is not None  # then the opacity is the fill's
            return {
                "line-color": _colour(layer),
                "line-width": style.width,
                "line-opacity": 1.0 if solid else style.opacity,
                **({"line-dasharray": [dash / style.width for dash in style.dashes]} if style.dashes else {}),
            }
        case _:
            return {
                "circle-radius": style.radius,
                "circle-color": style.fill or _colour(layer),
                "circle-stroke-color": style.line,
                "circle-stroke-width": style.width,
            }


def _colour(layer: Layer) -> Any:
    style = layer.style
    if style.by is None:
        return style.line
    pairs = [part for pair in style.colours.items() for part in pair]
    return ["match", ["get", style.by], *pairs, style.line]
