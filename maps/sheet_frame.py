"""A grid sheet around its map: headings, whom to turn to, sites, legend, scale, QR code, notes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from maps.ground import Ground, view_of
from maps.labels import Written
from maps.legend import Words, public_count, words
from maps.pen import ACCENT, INK, LINE, MUTED, NOTE, NOTE_INK, WHITE, Pen, Style
from maps.sheet_map import (
    BUILDING,
    COMMUNITY_BORDER,
    GREEN,
    GRID_BORDER,
    OTHER_BUILDING,
    OWN_BORDER,
    RAILWAY,
    RIVER,
    SheetMap,
    Sign,
)

if TYPE_CHECKING:
    from maps.sheets import SheetData

WORDS = {
    "sheets": Words("网格图", "Grid sheets"),
    "grid": Words("网格", "Grid"),
    "new": Words("新网格（未编码）", "new grid, no code yet"),
    "made_up": Words("虚构数据", "made-up data"),
    "staff": Words("内部使用，勿张贴", "staff only"),
    "call": Words("有事找社区", "Your community"),
    "worker": Words("网格员", "Grid worker"),
    "deputy": Words("协助", "Deputy"),
    "by_community": Words("请联系社区", "reached through the community"),
    "vacant": Words("暂缺，请联系社区", "vacant; turn to the community"),
    "no_phone": Words("未登记电话", "no phone on record"),
    "community": Words("社区", "Community"),
    "preparatory": words("community_status", "preparatory"),
    "town": Words("街道", "Town"),
    "buildings": Words("楼栋", "Buildings"),
    "households": Words("户数", "Households"),
    "sites": Words("党群服务阵地", "Service sites nearby"),
    "no_site": Words("暂无开放的阵地", "none open"),
    "hours": Words("开放", "open"),
    "scan": Words("扫码看本网格", "Scan: this grid on your phone"),
    "legend": Words("图例", "Legend"),
    "own": Words("本网格", "this grid"),
    "other_grid": Words("相邻网格", "other grid"),
    "other_community": Words("社区界", "community"),
    "building": Words("楼栋及编号", "building, number"),
    "other_building": Words("其他楼栋", "other building"),
    "river": Words("水系", "water"),
    "green": Words("绿地", "green land"),
    "railway": words("barrier", "railway"),
    "north": Words("北", "N"),
    "plan": Words("方案", "Plan"),
    "printed": Words("制图", "printed"),
    "left_out": Words("图上未注", "not numbered on the map"),
    "note": Words(
        "界线为示意，不作定界依据。网格变更后请更换本图。",
        "Lines settle no boundary. Replace this sheet when the grid changes.",
    ),
}
"""All fixed words of a sheet."""

MM = 72 / 25.4
_LEFT, _RIGHT = 10 * MM, 200 * MM
_MAP = (_LEFT, 76 * MM, _RIGHT, 270 * MM)
_LEGEND_Y = 73 * MM
_PANEL_TOP = 65.5 * MM
_LEGEND_SIZE, _LEGEND_ROWS = 6.5, 2
_KEY, _GAP = 17.0, 9.0
_FOOT = 10 * MM
_SITES = 4
_QR = 34 * MM
_FACES = (1, 2, 2.5, 5, 10)


class SheetFrame:
    """One sheet.

    Parameters
    ----------
    pen : Pen
        What it is drawn with.
    data : SheetData
        The district.
    ground : Ground
        The same, ready to be drawn.
    grid : row of ``ground.grids``
        Whose sheet it is.
    enlarged : float
        How much larger than A4 the paper is.
    """

    def __init__(self, pen: Pen, data: SheetData, ground: Ground, grid: Any, enlarged: float) -> None:
        self._pen = pen
        self._data = data
        self._ground = ground
        self._grid = grid
        self._enlarged = enlarged
        number = next(each for each, row in enumerate(ground.grids.rows) if row.id == grid.id)
        self._shape = ground.grids.shapes[number]
        self._community: Any = next(
            (row for row in ground.communities.rows if row.code == grid.community_code), None
        )

    def draw(self) -> list[str]:
        """Draw it; return the numbers of buildings that found no place on the map."""
        view = view_of(self._shape, _MAP, self._enlarged)
        drawn = SheetMap(self._pen, self._ground, self._grid, view)
        bar = self._scale_length(view.points_per_metre)
        corner = (_MAP[0] + 4, _MAP[1] + 4, _MAP[0] + 24 + max(bar[1], 52), _MAP[1] + 30)
        north = (_MAP[2] - 26, _MAP[3] - 40, _MAP[2] - 4, _MAP[3] - 4)
        drawn.block(corner)
        drawn.block(north)
        left_out, signs = drawn.draw()
        self._draw_scale(corner, bar, view.scale)
        self._draw_north(north)
        self._draw_heading()
        self._draw_legend(signs)
        link = self._data.link(self._grid.code if isinstance(self._grid.code, str) else None)
        right = _RIGHT - _QR - 5 * MM if link else _RIGHT
        middle = _LEFT + (right - _LEFT) * 0.47
        self._draw_contact(_LEFT, middle - 4 * MM)
        self._draw_sites(middle, right)
        if link:
            self._draw_qr(link)
        self._draw_foot(left_out)
        return left_out

    def _draw_heading(self) -> None:
        pen, grid = self._pen, self._grid
        top = 287 * MM
        code = grid.code if isinstance(grid.code, str) else None
        number = code[-3:] if code else grid.external_code
        known = isinstance(number, str)
        title = (
            f"{grid.community} {WORDS['grid'].zh} {number}"
            if known
            else f"{grid.community} {WORDS['new'].zh}"
        )
        marked = {"made_up": self._data.made_up, "staff": self._data.workers is not None}
        badge = " | ".join(f"{WORDS[name].zh} · {WORDS[name].en}" for name, holds in marked.items() if holds)
        room = _RIGHT - _LEFT - (pen.font.width(badge, 10) + 24 if badge else 0)
        pen.fitted(_LEFT, top - 21, title, 27, room, bold=True)
        town = self._community.town if self._community and isinstance(self._community.town, str) else ""
        below = (
            f"{self._data.name} {town}   {WORDS['grid'].en} {code or (number if known else WORDS['new'].en)}"
        )
        pen.fitted(_LEFT, top - 37, below, 11, _RIGHT - _LEFT, colour=MUTED)
        if badge:
            width = pen.font.width(badge, 10) + 12
            pen.box(_RIGHT - width, top - 20, _RIGHT, top - 2, Style(fill=NOTE, line=NOTE_INK))
            pen.text(_RIGHT - width + 6, top - 14.5, badge, 10, colour=NOTE_INK)

    def _draw_contact(self, left: float, right: float) -> None:
        room = right - left
        phone = self._community.phone if self._community else None
        y = self._heading(left, right, WORDS["call"])
        name = self._grid.community
        if self._community and self._community.status == "preparatory":
            name += f"（{WORDS['preparatory'].zh}）"
        y = self._line(left, y - 2, room, name, 12, bold=True)
        if isinstance(phone, str) and phone:
            y = self._line(left, y, room, phone, 22, bold=True, colour=ACCENT)
        else:
            y = self._line(left, y, room, _both(WORDS["no_phone"]), 10, colour=MUTED)
        y = self._draw_workers(left, y - 3, room)
        facts = [(WORDS["buildings"], f"{int(self._grid.buildings):,}")]
        households = public_count(None if np.isnan(self._grid.households) else int(self._grid.households))
        if households is not None:
            facts.append((WORDS["households"], f"{households:,}"))
        told = "    ".join(f"{label.zh} {label.en} {value}" for label, value in facts)
        self._line(left, y - 2, room, told, 9, colour=MUTED)

    def _draw_workers(self, left: float, y: float, room: float) -> float:
        workers = self._data.workers
        lines = []
        if workers is not None:
            for row in workers[workers["grid_id"] == self._grid.id].itertuples(index=False):
                role = WORDS["worker" if row.role == "primary" else "deputy"]
                phone = row.phone if isinstance(row.phone, str) else ""
                lines.append(f"{role.zh} {row.name}  {phone}")
        if not lines:
            told = WORDS["by_community" if workers is None else "vacant"]
            lines = [f"{WORDS['worker'].zh}：{told.zh}", f"{WORDS['worker'].en}: {told.en}"]
        for number, each in enumerate(lines[:3]):
            size = 11 if number == 0 else 9
            y = self._line(left, y, room, each, size)
        return y

    def _draw_sites(self, left: float, right: float) -> None:
        room = right - left
        y = self._heading(left, right, WORDS["sites"])
        sites = self._nearest_sites()
        if not sites:
            self._line(left, y - 2, room, _both(WORDS["no_site"]), 10, colour=MUTED)
        for row in sites:
            y = self._line(left, y - 1, room, row.name, 10, bold=True)
            hours = f"{WORDS['hours'].zh} {row.hours}" if isinstance(row.hours, str) and row.hours else ""
            # What every address here begins with tells nobody anything.
            address = row.address.rpartition(self._data.name)[2] if isinstance(row.address, str) else ""
            told = "   ".join(each for each in (hours, row.phone, address) if isinstance(each, str) and each)
            y = self._line(left, y + 1.5, room, told, 8, colour=MUTED)

    def _nearest_sites(self) -> list[Any]:
        layer = self._ground.sites
        away = shapely.distance(layer.shapes, self._shape)
        order = np.lexsort((shapely.distance(layer.shapes, shapely.centroid(self._shape)), away))
        return [layer.rows[each] for each in order if layer.rows[each].state == "open"][:_SITES]

    def _draw_qr(self, link: str) -> None:
        pen, top = self._pen, _PANEL_TOP
        left = _RIGHT - _QR
        pen.qr(left, top - _QR, _QR, link)
        for number, said in enumerate(WORDS["scan"]):
            size = 8 - 2 * number
            pen.label(Written(said, left + _QR / 2, top - _QR - 4 - 9 * number, size), INK)

    def _draw_legend(self, signs: Sequence[Sign]) -> None:
        """Draw what lines, areas and the marks on this map mean; in Chinese alone for want of room."""
        entries: list[tuple[Words, Style | str, str]] = [(WORDS[name], style, "") for name, style in _STYLES]
        entries += [(each.said, each.character, each.fill) for each in signs]
        for said_in in (_both, _chinese):
            widths = [_KEY + self._pen.font.width(said_in(said), _LEGEND_SIZE) + _GAP for said, *_ in entries]
            rows = _filled(widths, _RIGHT - _LEFT + _GAP)
            if len(rows) <= _LEGEND_ROWS:
                break
        for number, row in enumerate(rows[:_LEGEND_ROWS]):
            x, y = _LEFT, _LEGEND_Y - 12 * number
            for entry in row:
                said, key, fill = entries[entry]
                self._draw_key(x, y, key, fill)
                self._pen.text(x + _KEY, y - 2.3, said_in(said), _LEGEND_SIZE)
                x += widths[entry]

    def _draw_key(self, x: float, y: float, key: Style | str, fill: str) -> None:
        if isinstance(key, str):
            self._pen.mark(x + 7, y, key, 4.6, fill)
        elif key.fill:
            self._pen.box(x, y - 3.5, x + 14, y + 3.5, key)
        else:
            self._pen.shapes([shapely.LineString([(x, y), (x + 14, y)])], key)

    def _draw_foot(self, left_out: list[str]) -> None:
        pen, data = self._pen, self._data
        room = _RIGHT - _LEFT
        rows = [
            f"{_both(WORDS['plan'])} {data.plan}   {data.validity}   {_both(WORDS['printed'])} {data.printed_on}",
            "   ".join(data.attribution),
            f"{WORDS['note'].zh} {WORDS['note'].en}",
        ]
        if left_out:
            rows.insert(0, f"{_both(WORDS['left_out'])}: {'、'.join(left_out)}")
        y = _FOOT + 8.4 * (len(rows) - 1)
        pen.shapes([shapely.LineString([(_LEFT, y + 9), (_RIGHT, y + 9)])], Style(line=LINE))
        for each in rows:
            pen.fitted(_LEFT, y, each, 7, room, colour=MUTED)
            y -= 8.4

    def _scale_length(self, points_per_metre: float) -> tuple[int, float]:
        """Return a round length of about 35 mm: metres, and points on the page."""
        wanted = 35 * MM / points_per_metre
        power = 10 ** math.floor(math.log10(wanted))
        metres = max(face * power for face in _FACES if face * power <= wanted * 1.0001)
        return round(metres), metres * points_per_metre

    def _draw_scale(self, corner: tuple[float, ...], bar: tuple[int, float], scale: float) -> None:
        pen = self._pen
        left, bottom, right, top = corner
        pen.box(left, bottom, right, top, Style(fill=WHITE, line=LINE))
        metres, length = bar
        x, y = left + 7, bottom + 6
        pen.box(x, y, x + length, y + 3, Style(fill=WHITE, line=INK, width=0.6))
        pen.box(x, y, x + length / 2, y + 3, Style(fill=INK))
        pen.text(x, y + 7, f"{metres:,} m" if metres < 1000 else f"{metres / 1000:g} km", 7)
        ratio = f"1:{scale:,.0f}"
        pen.text(right - 5 - pen.font.width(ratio, 7), y + 7, ratio, 7)

    def _draw_north(self, box: tuple[float, ...]) -> None:
        left, bottom, right, top = box
        x = (left + right) / 2
        self._pen.box(left, bottom, right, top, Style(fill=WHITE, line=LINE))
        arrow = [(x, top - 13), (x - 5, bottom + 4), (x, bottom + 8), (x + 5, bottom + 4)]
        self._pen.shapes([shapely.Polygon(arrow)], Style(fill=INK))
        north = f"{WORDS['north'].zh} {WORDS['north'].en}"
        self._pen.label(Written(north, x, top - 7, 7), INK)

    def _heading(self, left: float, right: float, said: Words) -> float:
        pen, y = self._pen, _PANEL_TOP - 9
        end = pen.text(left, y, said.zh, 10, colour=ACCENT, bold=True)
        pen.text(end + 5, y, said.en, 8, colour=MUTED)
        pen.shapes([shapely.LineString([(left, y - 4), (right, y - 4)])], Style(line=ACCENT, width=0.8))
        return y - 5

    def _line(
        self,
        x: float,
        y: float,
        room: float,
        text: str,
        size: float,
        *,
        colour: str = INK,
        bold: bool = False,
    ) -> float:
        """Write a line below ``y``; return where the next begins."""
        self._pen.fitted(x, y - size * 1.15, text, size, room, colour=colour, bold=bold)
        return y - size * 1.45


_STYLES = (
    ("own", OWN_BORDER),
    ("other_grid", GRID_BORDER),
    ("other_community", COMMUNITY_BORDER),
    ("building", BUILDING),
    ("other_building", OTHER_BUILDING),
    ("river", RIVER),
    ("green", GREEN),
    ("railway", RAILWAY),
)


def _both(said: Words) -> str:
    return said.zh if said.zh == said.en else f"{said.zh} {said.en}"


def _chinese(said: Words) -> str:
    return said.zh


def _filled(widths: Sequence[float], room: float) -> list[list[int]]:
    """Break a row of things, by their widths, into rows that have room; return their numbers."""
    rows: list[list[int]] = [[]]
    left = room
    for number, width in enumerate(widths):
        if width > left and rows[-1]:
            rows.append([])
            left = room
        rows[-1].append(number)
        left -= width
    return rows
