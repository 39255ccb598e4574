"""A Chinese font for what is printed: found on the machine, cut to the characters that are used.

PDF files carry their font, so that they look the same on every screen and printer. ReportLab embeds TrueType
outlines alone, and Debian's Noto Sans CJK has PostScript ones: those are converted (cu2qu, within a thousandth of
the font's size).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools.pens.cu2quPen import Cu2QuPen  # type: ignore[import-untyped]
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]
from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTCollection, TTFont, newTable  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase import ttfonts as embedded

from geo.errors import SetupError

FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts"),
    Path("~/.fonts"),
    Path("~/Library/Fonts"),
    Path("/Library/Fonts"),
    Path("/System/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
"""Where systems keep fonts."""
FILES = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.[ot]tf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "STHeiti Light.ttc",
    "msyh.ttc",
    "simhei.ttf",
)
"""Fonts that have the characters of Chinese names, the best first."""

_SIMPLIFIED = (" SC", "SC-", " CN", "简")
_PERMILLE = 0.001
_POSTSCRIPT_NAME = 6
_KEPT = frozenset(("CFF", "OS/2", "cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "name", "post"))


def find_font(folders: Sequence[Path] = FOLDERS) -> Path:
    """Return the file of the first of `FILES` that lies in a folder or below it.

    Raises
    ------
    SetupError
        If there is none.
    """
    there = [folder for each in folders if (folder := each.expanduser()).is_dir()]
    for name in FILES:
        found = next((file for folder in there for file in sorted(folder.rglob(name))), None)
        if found:
            return found
    raise SetupError(
        "No font with Chinese characters was found, so that no sheet can be printed.",
        "Install one: on Debian or Ubuntu apt-get install fonts-noto-cjk.",
    )


class Font:
    """A font, cut to some characters and ready to be embedded.

    Parameters
    ----------
    file : Path
        A TrueType or OpenType font, or a collection with one.
    text : iterable of str
        All that will be written with it.
    """

    def __init__(self, file: Path, text: Iterable[str]) -> None:
        wanted = {character for each in text for character in each if character.isprintable()}
        with _opened(file) as source:
            units = source["head"].unitsPerEm
            known = source.getBestCmap()
            self._missing = {each for each in wanted if ord(each) not in known}
            kept = wanted - self._missing
            widths = source["hmtx"]
            self._widths = {each: widths[known[ord(each)]][0] / units for each in kept}
            # ReportLab keeps one font a name for as long as the process lives.
            digest = hashlib.sha256(f"{file}{sorted(kept)}".encode()).hexdigest()
            self.name = f"sheets-{digest[:16]}"
            data = _cut(source, kept, self.name)
        pdfmetrics.registerFont(embedded.TTFont(self.name, BytesIO(data)))

    @property
    def missing(self) -> str:
        """What is, or was, to be written but is not there; it is drawn as a box."""
        return "".join(sorted(self._missing))

    def width(self, text: str, size: float) -> float:
        """Return how wide a text is, in points, in letters of ``size`` points."""
        self._missing.update(each for each in text if each not in self._widths)
        return float(size * sum(self._widths.get(each, 1.0) for each in text))

    def fitted(self, text: str, size: float, most: float) -> str:
        """Return a text, its end replaced by "…" where it would be wider than ``most`` points."""
        if self.width(text, size) <= most:
            return text
        kept = text
        while kept and self.width(kept + "…", size) > most:
            kept = kept[:-1]
        return kept + "…"


@contextmanager
def _opened(file: Path) -> Iterator[TTFont]:
    """Open a font lazily; of a collection the face for simplified Chinese, else the first."""
    if file.suffix.lower() not in (".ttc", ".otc"):
        with TTFont(file, lazy=True) as font:
            yield font
        return
    with TTCollection(file, lazy=True) as collection:
        simplified = (face for face in collection if any(each in _name(face) for each in _SIMPLIFIED))
        yield next(simplified, collection[0])


def _name(face: TTFont) -> str:
    return str(face["name"].getDebugName(4) or "") + str(face["name"].getDebugName(6) or "")


def _cut(font: TTFont, characters: set[str], name: str) -> bytes:
    """Return a TrueType font of a name with some characters of a font and no more tables than a PDF file needs."""
    options = Options(layout_features=[], hinting=False, notdef_outline=True, glyph_names=False)
    options.drop_tables = sorted({tag.strip() for tag in font.reader.tables} - _KEPT)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=map(ord, characters))
    subsetter.subset(font)
    if "glyf" not in font:
        _to_quadratic(font)
    font["name"].removeNames(nameID=_POSTSCRIPT_NAME)
    font["name"].setName(name, _POSTSCRIPT_NAME, 3, 1, 0x409)
    file = BytesIO()
    font.save(file)
    return file.getvalue()


def _to_quadratic(font: TTFont) -> None:
    """Give a font with PostScript outlines TrueType ones."""
    names = font.getGlyphOrder()
    glyphs = dict(_quadratic(font, names))
    font["loca"] = newTable("loca")
    font["glyf"] = glyf = newTable("glyf")
    glyf.glyphOrder = names
    glyf.glyphs = glyphs
    del font["CFF "]
    metrics = font["hmtx"].metrics
    for name in names:
        glyphs[name].recalcBounds(glyf)
        metrics[name] = (metrics[name][0], getattr(glyphs[name], "xMin", 0))
    font["maxp"] = maxp = newTable("maxp")
    maxp.tableVersion = 0x00010000
    maxp.numGlyphs = len(names)
    unused = (
        "maxZones maxTwilightPoints maxStorage maxFunctionDefs maxInstructionDefs maxStackElements"
        " maxSizeOfInstructions maxComponentElements maxPoints maxContours maxCompositePoints"
        " maxCompositeContours maxComponentDepth"
    )
    for field in unused.split():
        setattr(maxp, field, 0)
    font["post"].formatType = 3.0
    font.sfntVersion = "\000\001\000\000"


def _quadratic(font: TTFont, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    outlines = font.getGlyphSet()
    most = font["head"].unitsPerEm * _PERMILLE
    for name in names:
        pen = TTGlyphPen(outlines)
        outlines[name].draw(Cu2QuPen(pen, most, reverse_direction=True))
        yield name, pen.glyph()
