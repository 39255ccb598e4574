"""Filters as SQL: every name is quoted by one function, every value is bound."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.filters import LONGEST, Values, compiled, equal, quoted
from data.layer import PUBLIC
from data.layers import LAYERS
from geo.errors import InputError

BUILDINGS = LAYERS["buildings"]
INTRUDER = "s3cr3t'; DROP TABLE x; --"


def sql_of(asked: str, actions=(PUBLIC,), language: str = "cql2-text") -> tuple[str, list]:
    values = Values()
    return compiled(asked, language, BUILDINGS, actions, values), values.all


@given(st.text(max_size=40))
def test_a_quoted_name_is_one_identifier(name):
    inner = quoted(name)[1:-1]
    assert '"' not in inner.replace('""', "")
    assert inner.replace('""', '"') == name


@pytest.mark.parametrize(
    ("asked", "sql", "values"),
    [
        ("floors > 6", '("floors" > CAST($1 AS double precision))', [6.0]),
        (
            "label = 'a''b' OR NOT kind IS NULL",
            '(("label" = CAST($1 AS text)) OR (NOT ("kind" IS NULL)))',
            ["a'b"],
        ),
        ("CASEI(label) LIKE CASEI('A%')", '(lower("label") LIKE lower(CAST($1 AS text)))', ["A%"]),
        ("floors = entrances", '("floors" = "entrances")', []),
    ],
)
def test_a_filter_becomes_sql(asked, sql, values):
    assert sql_of(asked) == (sql, values)


@pytest.mark.parametrize(
    "asked",
    [
        "label = '{}'",
        "'{}' = label",
        "label LIKE '{}'",
        "label IN ('{}', '{}')",
        "CASEI(label) = CASEI('{}')",
        "label = 'x' AND (kind <> '{}' OR road = '{}')",
    ],
)
def test_no_value_stands_in_the_sql(asked):
    sql, values = sql_of(asked.replace("{}", INTRUDER.replace("'", "''")))
    assert "s3cr3t" not in sql
    assert INTRUDER in values
    assert re.fullmatch(r"""[\w\s"()$<>=,.]*""", sql)


def test_values_go_on_where_a_query_has_some():
    values = Values()
    values.bind("340504", "text")
    first = compiled("floors = 1", "cql2-text", BUILDINGS, (PUBLIC,), values)
    second = equal("label", "x", BUILDINGS, (PUBLIC,), values)
    assert ("$2" in first, "$3" in second, values.all) == (True, True, ["340504", 1.0, "x"])


def test_a_field_of_a_role_is_unknown_to_others():
    assert sql_of("households > 30", (PUBLIC, "plan.read"))[1] == [30.0]
    with pytest.raises(InputError) as hidden:
        sql_of("households > 30")
    with pytest.raises(InputError) as unknown:
        sql_of("nothing > 30")
    assert hidden.value.fault.replace("households", "nothing") == unknown.value.fault
    assert "households," not in hidden.value.remedy


@pytest.mark.parametrize("asked", ["x" * (LONGEST + 1), "(" * 300 + "TRUE" + ")" * 300, "NOT " * 40 + "TRUE"])
def test_what_is_too_long_or_too_deep_is_refused(asked):
    with pytest.raises(InputError):
        sql_of(asked)


@given(st.text(max_size=200))
def test_any_text_is_compiled_or_refused(asked):
    for language in ("cql2-text", "cql2-json"):
        try:
            sql, _ = sql_of(asked, language=language)
        except InputError:
            continue
        assert sql
