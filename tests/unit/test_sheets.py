"""Grid sheets: what is on a page and what is not, that it can be scanned, that no name lies over another."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import geopandas as gpd
import numpy as np
import pandas as pd
import pypdf
import pypdfium2
import pytest
import segno
import shapely
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from geo.crs import metric_srid
from geo.errors import InputError, SetupError
from maps.fonts import Font, find_font
from maps.ground import view_of
from maps.labels import Labels
from maps.pen import Pen
from maps.sheet_map import building_text, runs
from maps.sheets import A4, SheetData, Sheets, picture
from tests.mosaic import PITCH, SOUTH, WEST, map_data

WORKER, PHONE = "试验员甲", "00000000001"
CHANNEL = "0555-0000000"
LONG = "很长很长的名字" * 12


def sheet_data(side: int = 4, **changes: object) -> SheetData:
    """A made-up district of ``side`` x ``side`` grids, each with six buildings in a compound."""
    told = map_data(side)
    grids = told.grids
    buildings = [
        {
            "id": 10 * grid.id + number,
            "label": f"{number + 1}幢" if number else None,
            "road_number": "166" if number == 0 else None,
            "poi": None,
            "compound_id": grid.id,
            "geometry": shapely.affinity.translate(
                shapely.centroid(grid.geometry).buffer(PITCH / 30, cap_style="square"),
                (number % 3 - 1) * PITCH / 5,
                (number // 3 - 0.5) * PITCH / 4,
            ),
        }
        for grid in grids.itertuples()
        for number in range(6)
    ]
    built = gpd.GeoDataFrame(buildings, crs=4326)
    compounds = gpd.GeoDataFrame(
        {"id": grids["id"], "name": [f"试验小区{each}" for each in grids["id"]]},
        geometry=shapely.buffer(grids.geometry.to_numpy(), -PITCH / 10),
        crs=4326,
    )
    data = SheetData(
        name=told.name,
        srid=metric_srid(WEST, SOUTH),
        plan="2 · 均衡方案",
        validity="2026-07-01 起生效 in force since then",
        printed_on="2026-07-02",
        made_up=True,
        attribution=told.attribution,
        base_url=None,
        grids=grids,
        communities=told.communities.assign(town="望江街道", phone=CHANNEL),
        compounds=compounds,
        buildings=built,
        streets=told.streets,
        barriers=told.barriers.assign(kind="wall"),
        water=told.barriers,
        rail=told.barriers.iloc[:0],
        green=told.rider_communities.assign(kind="park"),
        sites=told.sites,
        facilities=told.facilities,
        holdings=pd.DataFrame({"building_id": built["id"], "grid_id": built["id"] // 10, "entrances": None}),
        workers=None,
    )
    return replace(data, **changes)


@pytest.fixture(scope="module")
def font() -> Font:
    return Font(find_font(), ["网格12湖东路"])


@pytest.fixture(scope="module")
def data() -> SheetData:
    return sheet_data()


def printed(data: SheetData, *grids: str, paper: str = "a4") -> bytes:
    sheets = Sheets(data, paper)
    file = BytesIO()
    assert len([*sheets.write(sheets.choose(grids), file)]) == len(sheets.choose(grids))
    return file.getvalue()


def text_of(document: bytes) -> str:
    """What the pages say; a label is also written as its own halo."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(document)).pages)


def workers(grid: int) -> pd.DataFrame:
    return pd.DataFrame({"grid_id": [grid], "role": ["primary"], "name": [WORKER], "phone": [PHONE]})


def test_a_sheet_says_what_the_grid_is_and_who_serves_it(data):
    code = data.grids["code"][0]
    text = text_of(printed(data, code))
    for said in (
        code,
        data.grids["code"][1],
        data.grids["community"][0],
        "望江街道",
        CHANNEL,
        "试验小区1",
        "166",
        "6幢",
        "试验党群服务中心",
        "9:00-17:00",
        "均衡方案",
        "2026-07-01 起生效",
        "2026-07-02",
        "© OpenStreetMap contributors",
        "虚构数据 · made-up data",
        "请联系社区",
    ):
        assert said in text, said
    assert "扫码" not in text
    assert "虚构数据" not in text_of(printed(replace(data, made_up=False), code))


def test_a_worker_is_named_on_sheets_for_staff_alone(data):
    code = data.grids["code"][0]
    text = text_of(printed(replace(data, workers=workers(1)), code))
    assert WORKER in text
    assert PHONE in text
    assert "内部使用，勿张贴" in text
    assert f"Grid {code}" in text
    assert "内部使用" not in text_of(printed(data, code))
    vacant = text_of(printed(replace(data, workers=workers(2)), code))
    assert WORKER not in vacant
    assert "暂缺" in vacant


def test_every_grid_has_a_page_and_a_bookmark(data):
    reader = pypdf.PdfReader(BytesIO(printed(data)))
    assert len(reader.pages) == len(data.grids)
    assert [each.title.split()[-1] for each in reader.outline] == data.grids["code"].tolist()
    assert [page.extract_text().count("虚构数据") for page in reader.pages] == [1] * len(data.grids)


@pytest.mark.parametrize("state", ["plain", "staff", "vacant", "draft", "preparatory", "bare"])
def test_the_font_has_all_that_is_written(data, state):
    preparing = data.communities.assign(status="preparatory", phone=None)
    changes = {
        "plain": {"base_url": "https://grid.example.org"},
        "staff": {"workers": workers(1)},
        "vacant": {"workers": workers(2)},
        "draft": {"grids": data.grids.assign(code=None)},
        "preparatory": {"communities": preparing},
        "bare": {
            "sites": data.sites.iloc[:0],
            "facilities": data.facilities.assign(kind="气象站", state="open"),
        },
    }
    sheets = Sheets(replace(data, **changes[state]))
    assert [*sheets.write(sheets.choose()[:2], BytesIO())]
    assert sheets.font.missing == ""


def test_sheets_are_the_same_each_time(data):
    assert printed(data, data.grids["code"][5]) == printed(data, data.grids["code"][5])


@pytest.mark.parametrize(("paper", "width_mm"), [("a4", 210), ("a3", 297)])
def test_paper_has_its_size_and_the_scale_is_of_the_paper(data, paper, width_mm):
    document = printed(data, data.grids["code"][0], paper=paper)
    (page,) = pypdf.PdfReader(BytesIO(document)).pages
    assert float(page.mediabox.width) * 25.4 / 72 == pytest.approx(width_mm, abs=0.1)
    scale = int(re.search(r"1:([\d,]+)", page.extract_text())[1].replace(",", ""))
    across = PITCH * 111_320 * np.cos(np.radians(SOUTH)) / scale * 1000  # of the grid, in mm
    assert 0.5 * width_mm < across < width_mm


@pytest.mark.parametrize(("households", "told"), [(310.0, True), (9.0, False), (np.nan, False)])
def test_few_households_are_not_told(data, households, told):
    page = text_of(
        printed(replace(data, grids=data.grids.assign(households=households)), data.grids["code"][0])
    )
    assert ("户数" in page) == told


def test_a_preparatory_community_says_so(data):
    preparing = replace(data, communities=data.communities.assign(status="preparatory", phone=None))
    text = text_of(printed(preparing, data.grids["code"][0]))
    assert "（筹备）" in text
    assert "未登记电话" in text


def test_the_code_leads_to_the_grid_on_a_phone(data):
    code = data.grids["code"][0]
    linked = replace(data, base_url="https://grid.example.org/")
    assert linked.link(code) == f"https://grid.example.org/m?grid={code}&district={code[:6]}"
    assert "扫码看本网格" in text_of(printed(linked, code))


@pytest.mark.parametrize("address", ["grid.example.org", "ftp://x", "https://", "javascript:alert(1)"])
def test_an_address_that_is_none_is_refused(data, address):
    with pytest.raises(InputError, match="no address"):
        Sheets(replace(data, base_url=address))


def test_a_qr_code_is_drawn_module_by_module(font):
    text, side = "https://grid.example.org/m?grid=990101000000001", 200
    page = BytesIO()
    canvas = Canvas(page, pagesize=(side, side))
    Pen(canvas, font).qr(0, 0, side, text)
    canvas.save()
    with pypdfium2.PdfDocument(page.getvalue()) as opened:
        drawn = opened[0].render(scale=4, grayscale=True).to_numpy().squeeze()
    wanted = np.array([*segno.make(text, error="m", micro=False).matrix], dtype=bool)
    middles = ((np.arange(len(wanted) + 8) + 0.5) / (len(wanted) + 8) * len(drawn)).astype(int)
    assert np.array_equal(drawn[np.ix_(middles, middles)] < 128, np.pad(wanted, 4))


def test_files_of_a_folder_are_named_by_code(data, tmp_path):
    sheets = Sheets(data)
    chosen = sheets.choose(communities=[data.grids["community_code"][0]])
    for form in ("pdf", "png"):
        assert [page.grid for page in sheets.write_each(chosen, tmp_path, form)] == [
            row.code for row in chosen
        ]
        assert all((tmp_path / f"{row.code}.{form}").stat().st_size for row in chosen)
    png = (tmp_path / f"{chosen[0].code}.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert png == picture((tmp_path / f"{chosen[0].code}.pdf").read_bytes(), 0)


def test_grids_are_chosen_by_code_or_the_ledgers(data):
    named = replace(data, grids=data.grids.assign(external_code=[f"L{each}" for each in data.grids["id"]]))
    sheets = Sheets(named)
    assert [row.id for row in sheets.choose(["L3", data.grids["code"][0]])] == [1, 3]
    with pytest.raises(InputError, match="L99"):
        sheets.choose(["L99"])
    with pytest.raises(InputError, match="No grid"):
        sheets.choose(["L3"], [data.grids["community_code"].iloc[-1]])


def test_a_draft_without_codes_can_be_printed(data):
    draft = replace(data, grids=data.grids.assign(code=None), base_url="https://grid.example.org")
    text = text_of(printed(draft))
    assert "新网格" in text
    assert "扫码" not in text


def test_layers_may_be_empty_and_names_as_long_as_they_like(data):
    bare = {
        name: getattr(data, name).iloc[:0]
        for name in (
            "buildings",
            "compounds",
            "streets",
            "barriers",
            "water",
            "green",
            "sites",
            "facilities",
            "holdings",
        )
    }
    assert "none open" in text_of(printed(replace(data, **bare), data.grids["code"][0]))
    long = replace(
        data,
        name=LONG,
        plan=LONG,
        attribution=(LONG,) * 3,
        grids=data.grids.assign(community=LONG),
        sites=data.sites.assign(name=LONG, address=LONG, hours=LONG),
        communities=data.communities.assign(phone=LONG, town=LONG),
        compounds=data.compounds.assign(name=LONG),
        streets=data.streets.assign(name=LONG),
        buildings=data.buildings.assign(label=LONG),
    )
    assert "…" in text_of(printed(long, data.grids["code"][0]))


def test_texts_with_ends_of_lines_stand_on_one(data):
    odd = replace(data, sites=data.sites.assign(hours="9:00-17:00\n周末\t休息\x00"))
    assert "9:00-17:00 周末 休息" in text_of(printed(odd, data.grids["code"][0]))


def test_nothing_reaches_over_the_margin(data):
    hostile = replace(data, buildings=data.buildings.assign(label=LONG), plan=LONG, attribution=(LONG,))
    with pypdfium2.PdfDocument(printed(hostile, data.grids["code"][0])) as opened:
        drawn = opened[0].render(scale=1, grayscale=True).to_numpy().squeeze()
    edge = round(8 * 72 / 25.4)
    assert drawn[:, :edge].min() == drawn[:, -edge:].min() == drawn[:edge].min() == drawn[-edge:].min() == 255


def test_numbers_without_a_place_are_listed_below_the_map(data):
    heap = data.buildings.copy()
    heap["geometry"] = [data.grids.geometry[0].centroid.buffer(PITCH / 1000)] * len(heap)
    heap["label"] = [f"{each}号楼" for each in heap["id"]]
    holdings = data.holdings.assign(grid_id=1)
    sheets = Sheets(replace(data, buildings=heap, holdings=holdings))
    file = BytesIO()
    (page,) = sheets.write(sheets.choose([data.grids["code"][0]]), file)
    assert page.left_out
    assert f"not numbered on the map: {page.left_out[0]}" in text_of(file.getvalue())


def test_a_building_shared_by_grids_tells_its_entrances():
    class Row:
        label, road_number, poi = "12号楼", None, None

    assert building_text(Row, []) == "12号楼"
    assert building_text(Row, [1, 2, 3, 5]) == "12号楼 1–3、5单元"
    assert runs([7, 8]) == "7–8"


def test_a_split_building_is_drawn_on_both_sheets_with_its_part(data):
    both = pd.DataFrame({"building_id": [11, 11], "grid_id": [1, 2], "entrances": [[1, 2], [3]]})
    rest = data.holdings[data.holdings["building_id"] != 11]
    split = replace(data, holdings=pd.concat([rest.astype(object), both.astype(object)]))
    assert "2幢 1–2单元" in text_of(printed(split, data.grids["code"][0]))


boxes = st.tuples(st.floats(0, 400), st.floats(0, 400))


@given(st.lists(boxes, min_size=1, max_size=30))
def test_no_label_lies_over_another_or_the_edge(font, spots):
    labels = Labels(font, (0, 0, 400, 400))
    labels.block(100, 100, 200, 200)
    placed = [one for spot in spots for one in labels.at("网格12", np.array([spot]), (12, 8))]
    drawn = [
        shapely.box(
            one.x - font.width(one.text, one.size) / 2,
            one.y - one.size / 2,
            one.x + font.width(one.text, one.size) / 2,
            one.y + one.size / 2,
        )
        for one in placed
    ] + [shapely.box(100, 100, 200, 200)]
    assert not any(a.intersects(b) for number, a in enumerate(drawn) for b in drawn[:number])
    assert shapely.box(0, 0, 400, 400).covers(shapely.union_all(drawn))


@pytest.mark.parametrize(
    ("line", "count", "angle"), [([(0, 50), (200, 60)], 1, 0.05), ([(50, 200), (52, 0)], 3, 0.0)]
)
def test_a_street_is_named_along_its_line_and_stacked_where_it_is_steep(font, line, count, angle):
    labels = Labels(font, (0, 0, 200, 200))
    written = labels.along("湖东路", shapely.LineString(line), (8,))
    assert len(written) == count
    assert written[0].angle == pytest.approx(angle, abs=0.01)
    assert [one.y for one in written] == sorted((one.y for one in written), reverse=True)
    assert "".join(one.text for one in written) == "湖东路"
    assert labels.along("湖东路", shapely.LineString([(0, 0), (5, 5)]), (8,)) == []


def test_a_view_takes_a_round_scale_at_which_the_area_fits():
    view = view_of(shapely.box(0, 0, 330, 100), (0, 0, *A4), 1.0)
    assert view.scale in (2000, 2500)
    west, _, east, _ = view.land
    assert west < 0
    assert east > 330
    assert view_of(shapely.box(0, 0, 1, 1), (0, 0, *A4), 1.0).scale == 400
    assert view_of(shapely.box(0, 0, 5e6, 1), (0, 0, *A4), 1.0).scale > 1e6


def test_no_font_is_told_with_the_package_to_install(tmp_path):
    with pytest.raises(SetupError) as told:
        find_font([tmp_path, tmp_path / "nowhere"])
    assert "fonts-noto-cjk" in told.value.remedy


def test_postscript_outlines_are_embedded_too(tmp_path):
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder([".notdef", "a", "wang"])
    builder.setupCharacterMap({0x61: "a", 0x7F51: "wang"})
    pen = T2CharStringPen(1000, None)
    pen.moveTo((100, 0))
    pen.curveTo((100, 800), (900, 800), (900, 0))
    pen.closePath()
    outline = pen.getCharString()
    builder.setupCFF("Test", {}, dict.fromkeys([".notdef", "a", "wang"], outline), {})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "a": (500, 100), "wang": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Test", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "test.otf")
    font = Font(tmp_path / "test.otf", ["网a格"])
    assert font.missing == "格"
    assert font.width("网a", 10) == pytest.approx(15)
    page = BytesIO()
    canvas = Canvas(page, pagesize=(200, 200))
    Pen(canvas, font).text(0, 0, "网a", 100)
    canvas.save()
    assert pypdf.PdfReader(page).pages[0].extract_text() == "网a"
    with pypdfium2.PdfDocument(page.getvalue()) as opened:
        assert opened[0].render(grayscale=True).to_numpy().min() < 50
