"""Checks across rows: codes that are given twice or taken, and references that lead nowhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import date

from etl.ledger import reasons
from etl.ledger.batch import Batch, Row
from etl.ledger.spec import LEDGER
from etl.ledger.stored import Stored

Duty = tuple[str, str, str, date]


def check_codes(batch: Batch, stored: Stored, district: str) -> None:
    """Refuse rows whose code is given twice, is taken, or is none of the district's."""
    for noun in batch.rows:
        _refuse_repeated(batch, noun, *(("worker", duty_key) if noun == "duties" else ("code", _code)))
    _refuse_repeated(batch, "rider_communities", "compound", lambda row: row.values["compound"])
    _check_official(batch, stored, district)
    _check_riders(batch, stored)


def check_services(batch: Batch, stored: Stored) -> None:
    """Refuse duties and cases that contradict themselves, each other, or what is stored."""
    _check_duties(batch, stored)
    _check_cases(batch, stored)


def _code(row: Row) -> str | None:
    code: str | None = row.values["code"]
    return code


def _refuse_repeated(batch: Batch, noun: str, column: str, key: Callable[[Row], Hashable]) -> None:
    """Refuse every row of a noun whose key another row has: which of them is right is not ours to guess."""
    rows: dict[Hashable, list[Row]] = defaultdict(list)
    for row in batch.good(noun) if noun == "duties" else batch.rows.get(noun, ()):
        if key(row):
            rows[key(row)].append(row)
    for same in rows.values():
        for row in same if len(same) > 1 else ():
            others = ", ".join(other.place for other in same[:4] if other is not row)
            batch.refuse(row, column, reasons.DUPLICATE_CODE, others)


def _check_official(batch: Batch, stored: Stored, district: str) -> None:
    """Check the codes of communities and their towns against their form, each other and the store."""
    for row in batch.good("communities"):
        for column, length in (("official_code", 12), ("town_code", 9)):
            code = row.values.get(column)
            if code and not (
                code.isascii() and code.isdigit() and len(code) == length and code[:6] == district
            ):
                batch.refuse(row, column, reasons.BAD_CODE, f"{district}... ({length})")
    _refuse_repeated(batch, "communities", "official_code", lambda row: row.values["official_code"])
    taken = {community.code: community.key for community in stored.communities}
    for row in batch.good("communities"):
        holder = taken.get(row.values["official_code"] or "")
        if holder is not None and holder != row.values["code"]:
            batch.refuse(row, "official_code", reasons.CLASHING_CODE, holder)
    _check_towns(batch, stored)


def _check_towns(batch: Batch, stored: Stored) -> None:
    """One town, one code: the first row of a town decides, and rows that say otherwise are refused."""
    code_of: dict[str, str] = {}
    town_of = {town.code: town.key for town in stored.towns}
    for row in batch.good("communities"):
        town, code = row.values["town"], row.values["town_code"]
        if not code:
            continue
        if not town:
            batch.refuse(row, "town", reasons.MISSING)
        elif code_of.setdefault(town, code) != code:
            batch.refuse(row, "town_code", reasons.CLASHING_CODE, f"{town}: {code_of[town]}")
        elif town_of.setdefault(code, town) != town:
            batch.refuse(row, "town_code", reasons.CLASHING_CODE, town_of[code])


def check_references(batch: Batch, stored: Stored) -> None:
    """Refuse rows that name what does not exist or was refused, in the order in which nouns are loaded."""
    for noun in batch.rows:
        for column in LEDGER[noun].columns:
            if not column.refers_to:
                continue
            named = {row.values["code"] for row in batch.rows.get(column.refers_to, ())}
            known = stored.codes[column.refers_to] - named
            known |= {row.values["code"] for row in batch.good(column.refers_to)}
            for row in batch.rows[noun]:
                code = row.values.get(column.name)
                if code and code not in known:
                    why = reasons.REFUSED_REFERENCE if code in named else reasons.UNKNOWN_REFERENCE
                    batch.refuse(row, column.name, why, column.refers_to)


def _check_riders(batch: Batch, stored: Stored) -> None:
    for row in batch.good("rider_communities"):
        holder = stored.riders.get(row.values["compound"])
        if holder is not None and holder != row.values["code"]:
            batch.refuse(row, "compound", reasons.CLASHING_CODE, holder)


def stated_grids(batch: Batch, stored: Stored) -> set[str]:
    """Return the ledger's codes of grids that this delivery or the store knows."""
    return stored.grids | {row.values["grid"] for row in batch.good("buildings") if row.values["grid"]}


def duty_key(row: Row) -> Duty:
    """Return what makes a duty the same in two deliveries: worker, grid, role and first day."""
    values = row.values
    return (values["worker"], values["grid"], values["role"], values["from"])


def _check_duties(batch: Batch, stored: Stored) -> None:
    grids = stated_grids(batch, stored)
    for row in batch.good("duties"):
        until = row.values["until"]
        if row.values["grid"] not in grids:
            batch.refuse(row, "grid", reasons.UNKNOWN_REFERENCE)
        elif until and until <= row.values["from"]:
            batch.refuse(row, "until", reasons.BAD_PERIOD)
    delivered = {duty_key(row): row for row in batch.good("duties")}
    until_of = {**stored.duties, **{duty: row.values["until"] for duty, row in delivered.items()}}
    primary = sorted((duty for duty in until_of if duty[2] == "primary"), key=lambda duty: (duty[1], duty[3]))
    for one, other in _overlapping(primary, until_of):
        for duty, against in ((one, other), (other, one)):
            if duty in delivered and not delivered[duty].refused:
                hint = f"{against[0]} {against[3]} - {until_of[against] or ''}"
                batch.refuse(delivered[duty], "from", reasons.OVERLAPPING_DUTY, hint)


def _overlapping(duties: Iterable[Duty], until_of: dict[Duty, date | None]) -> Iterable[tuple[Duty, Duty]]:
    """Yield duties of one grid of which the later one begins before an earlier one ends; sorted input."""
    last: Duty | None = None
    for duty in duties:
        if last is not None and last[1] == duty[1] and duty[3] < (until_of[last] or date.max):
            yield last, duty
        if last is None or last[1] != duty[1] or (until_of[duty] or date.max) > (until_of[last] or date.max):
            last = duty


def _check_cases(batch: Batch, stored: Stored) -> None:
    grids = stated_grids(batch, stored) | stored.published
    for row in batch.good("cases"):
        grid, department = row.values["grid"], row.values["department"]
        opened, closed = row.values["opened_on"], row.values["closed_on"]
        if bool(grid) == bool(department):
            batch.refuse(row, "grid", reasons.ONE_HANDLER)
        elif grid and grid not in grids:
            batch.refuse(row, "grid", reasons.UNKNOWN_REFERENCE)
        if (row.values["state"] == "closed") != bool(closed):
            batch.refuse(row, "closed_on", reasons.OPEN_OR_CLOSED)
        elif closed and closed < opened:
            batch.refuse(row, "closed_on", reasons.BAD_PERIOD)
