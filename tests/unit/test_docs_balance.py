"""The page on balancing says what the program does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from etl.instances.tables import EDGE_COLUMNS, FILES, UNIT_COLUMNS
from geo.balance import PROFILES, Profile

PAGE = (Path(__file__).parents[2] / "docs" / "balance.md").read_text(encoding="utf-8")
WORDS = {"yes": True, "no": False}


def test_the_table_of_costs_is_that_of_the_profiles():
    order = re.findall(r"`(\w+)`", re.search(r"^\| setting .*$", PAGE, re.MULTILINE)[0])
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\S+) \| (\S+) \| (\S+) \|$", PAGE, re.MULTILINE)
    told = {
        name: {row[0]: WORDS.get(row[at], row[at]) for row in rows} for at, name in enumerate(order, start=1)
    }
    costs = [each.name for each in dataclasses.fields(Profile) if each.type in ("float", "bool")]
    assert told.keys() == PROFILES.keys()
    for name, profile in PROFILES.items():
        assert {key: float(value) for key, value in told[name].items()} == {
            key: getattr(profile, key) for key in costs
        }


def test_every_file_and_column_is_named():
    for name in (*FILES, *UNIT_COLUMNS, *EDGE_COLUMNS, "target", "K", "k_per_container"):
        assert f"`{name}`" in PAGE
