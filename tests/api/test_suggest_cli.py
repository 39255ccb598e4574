"""``gridgov suggest`` on the town."""

from __future__ import annotations

import json
import sys

import pytest

from api.cli.main import main
from tests import town


@pytest.fixture
def gridgov(store, database_url, monkeypatch, capfd):
    """Run a command as a user would, on the town: exit code and what it printed."""
    town.build(store)
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["gridgov", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capfd.readouterr().out

    return run


def test_what_is_typed_is_suggested_as_a_table_and_as_json(gridgov):
    code, printed = gridgov("suggest", "kn 1")
    assert code == 0
    assert [line.split() for line in printed.splitlines()][-1] == [
        *("康宁花园1幢", "building", "·", "楼栋", "望江街道", "富民社区", "L1")
    ]
    code, printed = gridgov("suggest", "湖东路", "--limit", "2", "--json")
    assert code == 0
    assert [each["suggestion"]["text"] for each in json.loads(printed)] == ["湖东路", "湖东路166号"]


def test_what_is_like_nothing_is_an_honest_no(gridgov):
    for text in ("火星路", "", "😀", "\n"):
        code, printed = gridgov("suggest", text)
        assert code == 1
        assert "Nothing in the register" in printed
    assert gridgov("suggest", "湖", "--limit", "0")[0] == 2


def test_its_help_has_an_example(gridgov):
    assert "Example" in gridgov("suggest", "--help")[1]
