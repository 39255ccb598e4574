"""Drawing on a page of a PDF file: shapes, texts, texts with a halo. All lengths in points, y upwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import segno
import shapely
from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from maps.fonts import Font
from maps.labels import Written

INK = "#1d2125"
MUTED = "#5a6168"
LINE = "#d3d7db"
ACCENT = "#0b6e6e"
NOTE = "#fff6d6"
NOTE_INK = "#5c4500"
WHITE = "#ffffff"

_STROKED, _FILLED_AND_STROKED, _FILLED = 1, 2, 0
_BOLD = 0.035
_SMALLEST = 2 / 3
_HALO = 0.22
_EVEN_ODD = 0
_ROUND = 1


@dataclass(frozen=True)
class Style:
    """How a shape is drawn; what is None is left out. ``opacity`` from 0 to 1 is that of lines."""

    fill: str | None = None
    line: str | None = None
    width: float = 0.5
    dash: tuple[float, ...] = ()
    opacity: float = 1.0


class Pen:
    """What draws on a canvas.

    Parameters
    ----------
    canvas : Canvas
        ReportLab's.
    font : Font
        All texts are in it.
    """

    def __init__(self, canvas: Canvas, font: Font) -> None:
        self.canvas = canvas
        self.font = font
        canvas.setLineJoin(_ROUND)

    def shapes(self, shapes: Iterable[shapely.Geometry], style: Style) -> None:
        """Draw lines and areas as one path; an area's fill is cut out where another of them lies over it."""
        path = self.canvas.beginPath()
        drawn = False
        for closed, ring in _rings(shapes):
            drawn = True
            path.moveTo(*ring[0])
            for x, y in ring[1:-1] if closed else ring[1:]:
                path.lineTo(x, y)
            if closed:
                path.close()
        if not drawn:
            return
        self._set(style)
        fill, stroke = int(style.fill is not None), int(style.line is not None)
        self.canvas.drawPath(path, stroke=stroke, fill=fill, fillMode=_EVEN_ODD)

    def box(self, left: float, bottom: float, right: float, top: float, style: Style) -> None:
        """Draw a rectangle."""
        self.shapes([shapely.box(left, bottom, right, top)], style)

    def circle(self, x: float, y: float, radius: float, style: Style) -> None:
        """Draw a circle."""
        self._set(style)
        self.canvas.circle(x, y, radius, stroke=int(style.line is not None), fill=int(style.fill is not None))

    def fitted(self, x: float, y: float, text: str, size: float, most: float, **how: Any) -> float:
        """Write a text as `text` does in at most ``most`` points: smaller down to two thirds, then shortened."""
        fits = min(size, size * most / max(self.font.width(text, size), 1e-9))
        fits = max(fits, size * _SMALLEST)
        return self.text(x, y, self.font.fitted(text, fits, most), fits, **how)

    def text(
        self, x: float, y: float, text: str, size: float, *, colour: str = INK, bold: bool = False
    ) -> float:
        """Write a text that begins at a point of its base line; return where it ends."""
        self._write(x, y, text, size, colour, _FILLED_AND_STROKED if bold else _FILLED, size * _BOLD)
        return x + self.font.width(text, size)

    def label(self, written: Written, colour: str, *, bold: bool = False, halo: str | None = None) -> None:
        """Write a text around its middle, over a wider one of the colour ``halo``."""
        self.canvas.saveState()
        self.canvas.translate(written.x, written.y)
        self.canvas.rotate(np.degrees(written.angle))
        x, y = -self.font.width(written.text, written.size) / 2, -0.36 * written.size
        if halo:
            self._write(x, y, written.text, written.size, halo, _STROKED, written.size * _HALO)
        self.text(x, y, written.text, written.size, colour=colour, bold=bold)
        self.canvas.restoreState()

    def mark(self, x: float, y: float, sign: str, radius: float, fill: str) -> None:
        """Draw a disc with one character in it."""
        self.circle(x, y, radius, Style(fill=fill, line=WHITE, width=0.6))
        self.label(Written(sign, x, y, radius * 1.35), WHITE)

    def qr(self, left: float, bottom: float, side: float, text: str) -> None:
        """Draw a QR code (ISO/IEC 18004, error correction M) with its quiet zone, filling a square."""
        matrix = np.array(segno.make(text, error="m", micro=False).matrix, dtype=np.uint8)
        module = side / (len(matrix) + 8)
        rows, columns = np.nonzero(matrix)
        x, y = left + (columns + 4) * module, bottom + side - (rows + 5) * module
        self.box(left, bottom, left + side, bottom + side, Style(fill=WHITE))
        self.shapes(shapely.box(x, y, x + module, y + module), Style(fill="#000000"))

    @contextmanager
    def within(self, left: float, bottom: float, right: float, top: float) -> Iterator[None]:
        """Cut off what is drawn outside a rectangle."""
        self.canvas.saveState()
        path = self.canvas.beginPath()
        path.rect(left, bottom, right - left, top - bottom)
        self.canvas.clipPath(path, stroke=0, fill=0)
        yield
        self.canvas.restoreState()

    def _set(self, style: Style) -> None:
        if style.fill is not None:
            self.canvas.setFillColor(HexColor(style.fill))
        if style.line is not None:
            self.canvas.setStrokeColor(HexColor(style.line), alpha=style.opacity)
            self.canvas.setLineWidth(style.width)
            self.canvas.setDash(list(style.dash))

    def _write(
        self, x: float, y: float, text: str, size: float, colour: str, mode: int, stroke: float
    ) -> None:
        self._set(Style(fill=colour, line=colour, width=stroke))
        written = self.canvas.beginText(x, y)
        written.setFont(self.font.name, size)
        written.setTextRenderMode(mode)
        written.textOut(text)
        self.canvas.saveState()  # the mode outlives the text
        self.canvas.drawText(written)
        self.canvas.restoreState()


def _rings(shapes: Iterable[shapely.Geometry]) -> Iterator[tuple[bool, list[tuple[float, float]]]]:
    """Yield the rings of areas, closed, and lines, with coordinates of a hundredth of a point."""
    parts = shapely.get_parts(np.array([*shapes], dtype=object))
    areas = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    lines = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
    for closed, each in ((True, shapely.get_rings(areas)), (False, lines)):
        coordinates, owner = shapely.get_coordinates(each, return_index=True)
        starts = np.flatnonzero(np.diff(owner)) + 1
        for ring in np.split(coordinates.round(2), starts) if len(coordinates) else ():
            yield closed, ring.tolist()
