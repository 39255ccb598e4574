"""From checked rows to the store's tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shapely.geometry import LineString, MultiLineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from data import duties, plans, register, services
from data.register_targets import TARGETS
from etl.ledger.addresses import addresses, full_label
from etl.ledger.batch import Batch, Row
from etl.ledger.codes import duty_key
from etl.ledger.provisional import NO_TOWN, Code, assign
from etl.ledger.report import Count, ImportReport
from etl.ledger.spec import LEDGER
from etl.ledger.stored import Stored

STORED_AS = {
    "grid": "stated_grid",
    "community": "community_id",
    "compound": "compound_id",
    "rider_community": "rider_community_id",
}
"""Columns whose name in the store is another than in the ledger."""
_SHAPES = {"compounds": "boundary", "streets": "line", "barriers": "shape", "ground": "shape"}


Values = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """One import's open transaction, and what is loaded in it."""

    connection: Connection
    actor: str
    district: str
    district_name: str
    import_id: int
    kind: str
    households_source: str
    batch: Batch
    stored: Stored

    def delivered(self, noun: str) -> list[str]:
        """Return the codes the delivery names, in refused rows too."""
        return [row.values["code"] for row in self.batch.rows.get(noun, ()) if row.values.get("code")]


def load(job: Load, report: ImportReport) -> None:
    """Write every good row; `data.changes` keeps what that changed."""
    if "communities" in job.batch.rows:
        _load_towns(job, report)
    for noun in job.batch.rows:
        if noun in TARGETS:
            _load_noun(job, noun)
    _load_duties(job, report)
    _load_cases(job, report)


def _load_towns(job: Load, report: ImportReport) -> None:
    """Write the towns that communities name, and record the codes given to communities."""
    rows = job.batch.good("communities")
    names = {row.values["town"] for row in rows if row.values["town"]}
    official = {row.values["town"]: row.values["town_code"] for row in rows if row.values["town_code"]}
    known = {town.key: Code(town.code, town.provisional) for town in job.stored.towns}
    codes = assign(names, official, known, dict.fromkeys(names, job.district))
    columns = ("code", "provisional", "name")
    staged = [(name, code.code, code.provisional, name) for name, code in codes.items()]
    register.upsert(job.connection, job.district, TARGETS["towns"], job.import_id, columns, staged)
    report.counts["towns"] = Count(len(names))
    given = _community_codes(job, rows, {name: code.code for name, code in codes.items()})
    for row in rows:
        row.values["given"] = given[row.values["code"]]
    fresh = set(codes) - set(known) | set(given) - {community.key for community in job.stored.communities}
    report.provisional = sorted(
        code.code for key, code in [*codes.items(), *given.items()] if code.provisional and key in fresh
    )


def _community_codes(job: Load, rows: list[Row], towns: dict[str, str]) -> dict[str, Code]:
    values = [row.values for row in rows]
    return assign(
        [one["code"] for one in values],
        {one["code"]: one["official_code"] for one in values if one["official_code"]},
        {one.key: Code(one.code, one.provisional) for one in job.stored.communities},
        {one["code"]: towns.get(one["town"] or "", job.district + NO_TOWN) for one in values},
    )


def _load_noun(job: Load, noun: str) -> None:
    """Upsert the good rows of a noun: the columns its files have, and what is made from them."""
    rows = job.batch.good(noun)
    if not rows:
        return
    target = TARGETS[noun]
    given = [column.name for column in LEDGER[noun].columns if column.name in job.batch.columns[noun]]
    made = _MAKE.get(noun, _shape_of)(job, noun, rows)
    kept = [name for name in given if STORED_AS.get(name, name) in set(target.types) - set(made[0])]
    columns = [STORED_AS.get(name, name) for name in kept] + list(made[0])
    staged = (
        [row.values["code"], *(row.values[name] for name in kept), *more.values()]
        for row, more in zip(rows, made, strict=True)
    )
    register.upsert(job.connection, job.district, target, job.import_id, columns, staged)


def _shape_of(job: Load, noun: str, rows: list[Row]) -> list[Values]:
    """Return the geometry of each row under the name its table has for it."""
    column = _SHAPES.get(noun, "point") if LEDGER[noun].shape else None
    if column is None:
        return [{} for _ in rows]
    multi = column in ("boundary", "line")
    return [{column: register.wkb(as_multi(row.shape) if multi else row.shape)} for row in rows]


def _communities(job: Load, noun: str, rows: list[Row]) -> list[Values]:
    return [
        {
            "code": row.values["given"].code,
            "provisional": row.values["given"].provisional,
            **({"town_id": row.values["town"]} if "town" in job.batch.columns[noun] else {}),
            "boundary": register.wkb(as_multi(row.shape)),
            "boundary_source": "stated",
        }
        for row in rows
    ]


def _buildings(job: Load, noun: str, rows: list[Row]) -> list[Values]:
    label = {"label"} if job.batch.columns[noun] & {"label", "word"} else set()
    compose = addresses(job.batch, job.stored, job.district_name)
    # A delivery without addresses does not replace those an earlier one stated.
    known = set() if "address" in job.batch.columns[noun] else job.stored.codes[noun]
    made = []
    for row in rows:
        point, footprint = placed_as(row.shape)
        made.append(
            {
                **dict.fromkeys(label, full_label(row)),
                "address": row.values["address"] or (None if row.values["code"] in known else compose(row)),
                "households_source": job.households_source,
                "point": point,
                "footprint": footprint,
            }
        )
    return made


def placed_as(shape: BaseGeometry | None) -> tuple[str | None, str | None]:
    """Return the point and the footprint a building is stored with, as `data.register.wkb`."""
    if shape is None or shape.geom_type == "Point":
        return register.wkb(shape), None
    return register.wkb(shape.representative_point()), register.wkb(as_multi(shape))


_MAKE: dict[str, Callable[[Load, str, list[Row]], list[Values]]] = {
    "communities": _communities,
    "buildings": _buildings,
}


def as_multi(shape: Any) -> Any:
    """Return a polygon or line as the one part of a multi-part one; None and others as they are."""
    make = {Polygon: MultiPolygon, LineString: MultiLineString}.get(type(shape))
    return make([shape]) if make else shape


def _load_duties(job: Load, report: ImportReport) -> None:
    rows = job.batch.good("duties")
    if not rows:
        return
    staged = ([*duty_key(row), row.values["until"]] for row in rows)
    count = report.counts["duties"]
    written = services.put_duties(job.connection, job.district, job.import_id, staged)
    count.new, count.changed = written.new, written.changed
    count.unchanged = len(rows) - count.new - count.changed
    plan = plans.in_force(job.connection, job.district)
    if plan:
        duties.bind_stated(job.connection, job.district, plan.id)


def _load_cases(job: Load, report: ImportReport) -> None:
    """Write cases; those of a grid that is not published yet wait for the next delivery."""
    rows = job.batch.good("cases")
    if not rows:
        return
    ready = [row for row in rows if not row.values["grid"] or row.values["grid"] in job.stored.published]
    names = ("code", "category", "state", "grid", "department", "opened_on", "closed_on")
    staged = ([*(row.values[name] for name in names), register.wkb(row.shape)] for row in ready)
    count = report.counts["cases"]
    written = services.put_cases(job.connection, job.district, job.import_id, job.actor, staged)
    count.new, count.changed = written.new, written.changed
    count.waiting = len(rows) - len(ready)
    count.unchanged = len(ready) - count.new - count.changed
