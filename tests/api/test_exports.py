"""What exported maps tell is what everybody may see."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from api import exports
from data import atlas, districts, plans
from tests import town

CODE = "340504"


@pytest.fixture
def reading(store):
    town.build(store)
    with store.read(CODE) as connection:
        yield connection, districts.get(connection, CODE)


def test_grids_of_a_map_have_the_counts_of_the_layer(reading):
    connection, place = reading
    plan = plans.named_or_in_force(connection, CODE, None)
    drawn = atlas.plan_grids(connection, place, plan).set_index("code")["households"]
    layer = dict(
        connection.execute(
            text("SELECT code, households FROM layers.grids WHERE plan = :plan"), {"plan": plan.number}
        ).all()
    )
    assert {code: None if each != each else each for code, each in drawn.items()} == layer
    assert sorted(layer.values(), key=str) == [290, 300, None, None]  # 5 is withheld, and with it 350


@pytest.mark.parametrize("kind", exports.MAPS)
def test_no_page_holds_a_count_that_is_withheld(reading, kind):
    connection, place = reading
    page = exports.MAPS[kind](connection, place, None)
    assert re.search(r'"v\d":"290"', page) or kind == "coverage"
    assert not re.search(r'"v\d":"(350|5)"', page)


def test_a_page_of_coverage_withholds_households_of_few_buildings(reading):
    connection, place = reading
    page = exports.coverage(connection, place, None)
    rows = re.findall(r'<td class="number">(\d+)</td><td class="number">(.*?)</td>', page)
    assert (
        sum(int(buildings) for buildings, _ in rows) == 6
    )  # the building with two entrances is in two grids
    assert [households for _, households in rows if "不公开" not in households and households != "0"] == []


def test_a_plan_that_is_over_can_be_mapped(reading):
    connection, place = reading
    for make in exports.MAPS.values():
        assert "台账现状" in make(connection, place, 1)
