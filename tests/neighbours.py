"""Two made-up towns in one database, alike but for their place, and what a query without its district sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from api.evidence import Slips
from data import keys, locate, versions
from data.session import Store
from data.settings import Settings
from data.tables.base import Base
from geo.locate import Locator
from tests import town

A, B = "340504", "340503"
MARK = "花山"
"""Stands in everything that belongs to B."""

TENANT_TABLES = [table.name for table in Base.metadata.sorted_tables if "district" in table.columns]

_NAMED = re.compile(r"(?:\w+\.)?district = (?:%\(\w+\)s(?:::\w+)?|\w+\.district\b)")
_TABLE = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO) (?:layers\.)?({'|'.join(TENANT_TABLES)})\b")

_MORE = """
UPDATE plans SET title = :mark || title WHERE district = :d;
UPDATE sites SET name = :mark || name WHERE district = :d;
UPDATE workers SET name = :mark || name WHERE district = :d;
INSERT INTO plans (district, number, title, origin, cell_set, target, tolerance_percent, author)
    SELECT :d, 4, :mark || '草案', 'edited', 1, 300, 10, :mark WHERE :mark <> '';
INSERT INTO plan_comments (district, plan_id, actor, text)
    SELECT :d, id, :mark || 'test', :mark || 'said' FROM plans WHERE district = :d;
INSERT INTO audit (district, actor, action, subject) VALUES (:d, :mark || 'test', 'plan.open', 'plan 3');
UPDATE imports SET source = :mark || source WHERE district = :d;
UPDATE compounds SET external_code = 'X9' WHERE district = :d AND external_code = 'X1' AND :mark <> '';
INSERT INTO aliases (district, compound_id, words, proposed_by) SELECT :d, id, '老粮站' || :mark, :mark || 'test'
    FROM compounds WHERE district = :d AND name = '康宁花园';
INSERT INTO jobs (district, kind, params, actor, state, percent, finished_at, result) VALUES (:d,
    'export_overview', '{}', jsonb_build_object('id', :mark || 'test'), 'succeeded', 100, now(),
    jsonb_build_object('file', :d || '.html'))
"""


@dataclass(frozen=True)
class Things:
    """What can be named of a town; of B a plan that A has no number for."""

    district: str
    plans: int
    draft: int
    imports: int
    jobs: int
    grids: str
    cell: int
    building: str
    compound: str
    aliases: int
    accounts: str
    evidence: str
    layers: str = "grids"
    lon: float = 0.0


def build(store: Store, code: str, files: Path) -> Things:
    """Store a town with one of everything, and the file of its job."""
    own = code == B
    west = 118.70 if own else 118.50
    town.build(store, code, "花山区" if own else "雨山区", west=west)
    with store.begin(code) as connection:
        for statement in _MORE.split(";\n"):
            connection.execute(text(statement), {"d": code, "mark": MARK if own else ""})
        versions.advance(connection, code, "plans", "locate", "sites")

        def first(column: str, table: str) -> Any:
            return connection.scalar(
                text(f"SELECT min({column}) FROM {table} WHERE district = :d"), {"d": code}
            )

        register = locate.register(connection, locate.edition(connection, code), code)
        locator = Locator(register, margin_m=100)
        found_there = locator.at(west + 0.001, 31.705, "wgs84")
        slips = Slips(keys.of_evidence(connection, Settings()))
        found = Things(
            district=code,
            plans=4 if own else 2,
            draft=4 if own else 3,
            imports=first("id", "imports"),
            jobs=first("id", "jobs"),
            grids=town.grid_code(1, code),
            cell=first("id", "cells"),
            building="B1",
            compound="X9" if own else "X1",
            aliases=first("id", "aliases"),
            accounts=f"admin-{code}",
            evidence=slips.sign(locator, found_there, "point", b""),
            lon=west + 0.001,
        )
    (files / f"{code}.html").write_text(f"{code} {MARK if own else ''}", encoding="utf-8")
    return found


def digest(store: Store, code: str) -> dict[str, list[str]]:
    """Return every row of a district by table."""
    with store.read(code) as connection:
        return {
            table: list(connection.scalars(text(f"SELECT t::text FROM {table} t ORDER BY 1")))
            for table in TENANT_TABLES
        }


@dataclass
class Stripped:
    """Statements that lost their condition on the district, and those on its tables that never had one."""

    tables: set[str] = field(default_factory=set)
    without: set[str] = field(default_factory=set)
    count: int = 0


@contextmanager
def without_district(store: Store) -> Iterator[Stripped]:
    """Take the condition on the district out of every statement, as if each had been forgotten."""
    seen = Stripped()

    def strip(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        tables = set(_TABLE.findall(statement))
        if tables and "district" not in statement:
            seen.without.add(statement)
        stripped, times = _NAMED.subn("true", statement)
        if times:
            seen.tables |= tables
            seen.count += times
        return stripped, parameters

    event.listen(store.engine, "before_cursor_execute", strip, retval=True)
    try:
        yield seen
    finally:
        event.remove(store.engine, "before_cursor_execute", strip)
