"""Features of map layers: queries that build their JSON in SQL, a page or one feature at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely

from data.filters import Values, quoted
from data.layer import SQL_TYPES, Field, Kind, Layer
from data.reading import TENANT
from geo.crs import WEB_MERCATOR, to_metric
from geo.systems import CRS84, System

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

DEGREE_DIGITS, METRE_DIGITS = 7, 2
"""Decimals of coordinates: a centimetre."""
_POLAR, _SLACK = 85.0, 1e-6
"""Degrees: where Web Mercator ends, and what rounding may move."""
_ROUNDED = 1e-4
"""Degrees; more than the boxes PostGIS keeps of shapes, in single precision, are too large."""


@dataclass(frozen=True)
class Period:
    """The time that is asked about: from, until (None: open), or one instant where both are the same."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class Order:
    """One of the fields features are put in order of; what has no value comes last."""

    name: str
    kind: Kind
    falling: bool = False


@dataclass(frozen=True)
class Question:
    """Which features of a layer are meant, and how they are to be told.

    Attributes
    ----------
    layer : Layer
        The layer.
    actions : collection of str
        What whoever asks may do.
    values : Values
        The values that `conditions` name; ``$1`` is the district.
    conditions : tuple of str
        SQL each feature must fulfil; see `data.filters`.
    area : geometry, optional
        EPSG:4326; what a feature must touch.
    plan : int or None
        The plan whose grids are meant; None for the one in force.
    stated : bool
        Whether that plan was asked for.
    period : Period or None
        The time in which a feature of a dated layer must hold.
    order : tuple of Order
        The fields features are put in order of, before the layer's key.
    after : sequence, optional
        Where the page before ended: a value for each of `order`, the key's, and the plan's where there are several.
    limit : int
        How many features at most.
    shown : tuple of Field or None
        The properties told; None for all that whoever asks may see.
    system : System
        Of the coordinates told.
    """

    layer: Layer
    actions: Collection[str]
    values: Values
    conditions: tuple[str, ...] = ()
    area: Any | None = None
    plan: int | None = None
    stated: bool = False
    period: Period | None = None
    order: tuple[Order, ...] = ()
    after: Sequence[Any] = ()
    limit: int = 10
    shown: tuple[Field, ...] | None = None
    system: System = CRS84

    @property
    def keys(self) -> tuple[Order, ...]:
        """What makes the order total: `order`, the key, and the plan where several may be meant."""
        key = Order(self.layer.key, self.layer.key_kind)
        several = (Order("plan", "integer"),) if self.layer.present and self.period else ()
        return (*self.order, key, *several)


def begun(district: str) -> Values:
    """Return the values of a question, the district's code first."""
    values = Values()
    values.bind(district, "text")
    return values


def page_query(asked: Question, *, counted: bool) -> str:
    """Return the query of a page.

    Its rows, one at least, have ``matched`` and ``plans`` (those the page was made from, where they are others than
    the one in force); ``feature``, the text of GeoJSON; and ``keys``, those of the page's last feature as JSON. Where
    others follow there is one row more, with keys and without a feature.

    Parameters
    ----------
    counted : bool
        Whether all that match are to be counted too; ``matched`` is None otherwise.
    """
    source = f"layers.{quoted(asked.layer.name)}"
    where = _conditions(asked)
    matched = f"(SELECT count(*) FROM {source} WHERE {' AND '.join(where)})" if counted else "NULL::bigint"
    paged = [*where, _after(asked)] if asked.after else where
    keys = ", ".join(quoted(key.name) for key in asked.keys)
    # The limit alone stands in the query: a plan for any limit would look so dear that each page were planned anew.
    limit = int(asked.limit)
    page = f"SELECT * FROM {source} WHERE {' AND '.join(paged)} ORDER BY {_order(asked)} LIMIT {limit} + 1"
    # Rows leave in the order they were found: neither a window over all nor a nested loop changes it.
    return (
        f"SELECT m.matched, m.plans, r.feature, r.keys FROM {TENANT} t"
        f" CROSS JOIN LATERAL (SELECT {matched} AS matched, {_plans(asked)} AS plans OFFSET 0) m"
        f" LEFT JOIN LATERAL (SELECT CASE WHEN place <= {limit} THEN {feature_sql(asked)} END AS feature,"
        f" CASE WHEN place >= {limit} THEN json_build_array({keys})::text END AS keys"
        f" FROM (SELECT *, row_number() OVER () AS place FROM ({page}) ordered) page OFFSET 0) r ON true"
    )


def item_query(asked: Question, key: int | str) -> str:
    """Return the query of one feature: its one row has ``feature``, JSON or None, and ``plans``."""
    named = asked.values.bind(key, SQL_TYPES[asked.layer.key_kind])
    where = [*_conditions(asked), f"{quoted(asked.layer.key)} = {named}"]
    return (
        f"SELECT r.* FROM {TENANT} t CROSS JOIN LATERAL ("
        f"SELECT max({feature_sql(asked)}) AS feature, {_plans(asked)} AS plans"
        f" FROM layers.{quoted(asked.layer.name)} WHERE {' AND '.join(where)}) r"
    )


def rows_query(asked: Question, limit: int | None) -> str:
    """Return the query of all features in the order of pages, or of the first ones.

    A row has the key, where it is not told as a property, the properties (texts as ``varchar``, lists joined by
    "; "), and ``wkb``, the shape in the question's system with easting or longitude first.
    """
    where = _conditions(asked)
    if asked.after:
        where.append(_after(asked))
    columns = map(_plain, columns_of(asked))
    shape = "shape" if asked.system.stored else f"ST_Transform(shape, {asked.system.srid})"
    return (
        f"SELECT r.* FROM {TENANT} t CROSS JOIN LATERAL (SELECT {', '.join(columns)}, ST_AsBinary({shape}) AS wkb"
        f" FROM layers.{quoted(asked.layer.name)} WHERE {' AND '.join(where)}"
        f" ORDER BY {_order(asked)}{'' if limit is None else f' LIMIT {limit}'}) r"
    )


def columns_of(asked: Question) -> tuple[Field, ...]:
    """Return the fields of a row of `rows_query`: the key first, where it is not among the properties."""
    told, layer = shown(asked), asked.layer
    if layer.key in (one.name for one in told):
        return told
    return (Field(layer.key, "编号", "Number", layer.key_kind), *told)


def _plain(one: Field) -> str:
    name = quoted(one.name)
    if one.kind == "texts":
        return f"CAST(array_to_string({name}, '; ') AS varchar) AS {name}"
    return f"CAST({name} AS varchar) AS {name}" if one.kind == "text" else name


def feature_sql(asked: Question) -> str:
    """Return the SQL of a feature as the text of GeoJSON; nothing in it is read again by the database."""
    pairs = ", ".join(f"'{one.name}', {quoted(one.name)}" for one in shown(asked))
    key = f"to_json({quoted(asked.layer.key)})::text"
    return (
        f'(\'{{"type":"Feature","id":\' || {key} || \',"geometry":\' || COALESCE({_shape_sql(asked)}, \'null\')'
        f" || ',\"properties\":' || json_build_object({pairs})::text || '}}')"
    )


def _shape_sql(asked: Question) -> str:
    """Return the SQL of a feature's shape as GeoJSON, in the order and to the digits of its system."""
    system = asked.system
    if system is CRS84 and asked.layer.drawn:
        return "geojson"
    shape = "ST_ForcePolygonCCW(shape)"
    if not system.stored:
        shape = f"ST_Transform({shape}, {system.srid})"
    if system.northing_first:
        shape = f"ST_FlipCoordinates({shape})"
    return f"ST_AsGeoJSON({shape}, {DEGREE_DIGITS if system.stored else METRE_DIGITS}, 0)"


def shown(asked: Question) -> tuple[Field, ...]:
    """Return the properties told: never one that whoever asks may not see."""
    seen = asked.layer.seen_by(asked.actions)
    return seen if asked.shown is None else tuple(one for one in seen if one in asked.shown)


def _conditions(asked: Question) -> list[str]:
    """Return what a row must fulfil; the district is the tenant's."""
    values = asked.values
    found = ["district = t.district", *asked.conditions]
    if asked.layer.present and not asked.period:
        plan = values.bind(asked.plan, "integer") if asked.plan is not None else None
        found.append(f"plan = {plan}" if plan else "valid @> (SELECT district_now(t.district))")
    elif asked.layer.dated and asked.period:
        found.append(f"valid && {_range(asked.period, values)}")
    if asked.area is not None:
        bound = values.area(asked.area)
        found += [_near(asked, bound), _touching(asked.area, bound, values)]
    return found


def _near(asked: Question, bound: str) -> str:
    """Return the SQL of boxes that overlap: behind row-level security nothing else is found by an index of shapes."""
    if not asked.layer.stored or asked.area is None:
        return f"shape && {bound}"
    west, south, east, north = shapely.box(*asked.area.bounds).buffer(_SLACK).bounds
    lat = max(south, -_POLAR), min(north, _POLAR)
    around = shapely.box(max(west, -180), lat[0], min(east, 180), lat[1])
    (drawn,) = to_metric([around], WEB_MERCATOR)
    return f"mercator && {asked.values.area(drawn, WEB_MERCATOR)}"


def _touching(area: Any, bound: str, values: Values) -> str:
    """Return the SQL of touching an area; in a box, shapes that lie well within are known by their own boxes alone."""
    touches = f"ST_Intersects(shape, {bound})"
    inner = shapely.box(*area.bounds).buffer(-_ROUNDED, join_style="mitre")
    if inner.is_empty or not area.equals(area.envelope):
        return touches
    return f"(shape @ {values.area(inner)} OR {touches})"


def _range(period: Period, values: Values) -> str:
    since, until = (values.bind(instant, "timestamptz") for instant in (period.since, period.until))
    return f"tstzrange({since}, {until}, '[]')"


def _plans(asked: Question) -> str:
    """Return the SQL of the numbers of the plans asked for, as far as they are published; else none."""
    if asked.stated:
        chosen = f"valid IS NOT NULL AND number = {asked.values.bind(asked.plan, 'integer')}"
    elif asked.layer.present and asked.period:
        chosen = f"valid && {_range(asked.period, asked.values)}"
    else:
        return "NULL::text"
    return (
        "(SELECT string_agg(number::text, ', ' ORDER BY number) FROM plans"
        f" WHERE district = t.district AND {chosen})"
    )


def _order(asked: Question) -> str:
    parts = []
    for key in asked.keys:
        falling = " DESC" if key.falling else ""
        parts.append(f"{quoted(key.name)}{falling}{' NULLS LAST' if key in asked.order else ''}")
    return ", ".join(parts)


def _after(asked: Question) -> str:
    """Return the SQL of coming after the end of the page before."""
    follows, same = [], []
    for key, value in zip(asked.keys, asked.after, strict=True):
        name = quoted(key.name)
        if value is None:  # only others without a value come after it
            same.append(f"{name} IS NULL")
            continue
        bound = _told_again(asked.values, value, key.kind)
        later = f"{name} {'<' if key.falling else '>'} {bound}"
        if key in asked.order:
            later = f"({later} OR {name} IS NULL)"
        follows.append(" AND ".join([*same, later]))
        same.append(f"{name} = {bound}")
    return f"({' OR '.join(f'({one})' for one in follows)})"


def _told_again(values: Values, value: Any, kind: Kind) -> str:
    """Return a value of a key as JSON told it."""
    if kind in ("date", "instant"):
        return f"CAST({values.bind(value, 'text')} AS {SQL_TYPES[kind]})"
    return values.bind(float(value) if kind == "number" else value, SQL_TYPES[kind])
