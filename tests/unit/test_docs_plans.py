"""The page on plans says what the table of states says."""

from __future__ import annotations

import re
from pathlib import Path

from data.problems import RULES
from etl.lifecycle import TRANSITIONS

PAGE = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")


def test_the_table_of_states_is_the_programs():
    rows = re.findall(r"^\| `(\w+)` · [^|]+\| ([^|]+)\| ([^|]+)\|", PAGE, re.MULTILINE)
    told = {
        act: (tuple(re.findall(r"`(\w+)`", sources)), re.findall(r"`(\w+)`", target)[0])
        for act, sources, target in rows
    }
    told.pop("open")
    assert told == {act: (each.sources, each.target) for act, each in TRANSITIONS.items()}


def test_every_rule_that_can_be_waived_is_named():
    assert all(f"`{rule}`" in PAGE for rule in RULES)
