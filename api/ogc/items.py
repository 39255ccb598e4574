"""Pages of features, and single ones."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from hashlib import blake2s
from typing import Any, NamedTuple

import orjson
from fastapi import Request
from starlette.responses import Response

from api.direct import Answer
from api.ogc import html, links
from api.ogc.downloads import KINDS, Download, Kind
from api.ogc.serving import GEOJSON, JSON, Asking, Made, answer, stamped
from api.params import LARGEST_NUMBER
from data import extents, features, filters, layers
from data.features import Order, Period, Question
from data.layer import Layer
from geo.errors import CoordinateError, InputError, NotFoundError
from geo.systems import CRS84, System, box, named
from geo.times import CHINA, here
from maps.files import About
from maps.legend import Words

DEFAULT, MOST = 10, 10_000
"""Features of a page."""

PARAMETERS = (
    "bbox",
    "bbox-crs",
    "datetime",
    "limit",
    "filter",
    "filter-lang",
    "filter-crs",
    "crs",
    "properties",
    "sortby",
    "next",
)
_ABOUT_OUTPUT = frozenset({"limit", "next", "crs", "properties", "sortby", "f", "min_version"})
"""Parameters that do not change which features match."""


async def items(request: Request) -> Answer | Response:
    """Answer a page of features, or all that match as a file."""
    files = {name: partial(_download, kind) for name, kind in KINDS.items()}
    return await answer(request, _page, forms={**html.form("ogc_items.html", _page), **files})


async def item(request: Request) -> Answer | Response:
    """Answer one feature."""
    return await answer(request, _item, forms=html.form("ogc_item.html", _item))


async def _page(asking: Asking) -> Made:
    layer = layers.get(asking.path["collection"], asking.actions)
    asked = question(asking, layer)
    matching = _matching(asking, layer)
    known = asking.layers.counts.find(matching)
    query = features.page_query(asked, counted=known is None)
    rows = await asking.layers.reader.rows(query, asked.values.all)
    matched = rows[0]["matched"] if known is None else known
    if known is None:
        asking.layers.counts.keep(matching, matched)
    told = [row["feature"] for row in rows if row["feature"] is not None]
    following = _token(asked, orjson.loads(rows[-2]["keys"]), asking) if len(rows) > len(told) > 0 else None
    head = {
        "type": "FeatureCollection",
        "numberMatched": matched,
        "numberReturned": len(told),
        "links": _links(asking, layer, following),
    }
    body = b"".join(
        (
            orjson.dumps(head)[:-1],
            b',"features":[',
            b",".join(told),
            b"]}",
        )
    )
    return Made(body, GEOJSON, _plans(asked, rows[0]["plans"]), _crs_header(asked.system))


async def _item(asking: Asking) -> Made:
    layer = layers.get(asking.path["collection"], asking.actions)
    asking.only("crs", *(("plan",) if layer.present else ()))
    system = _system(asking, "crs")
    asked = Question(
        layer,
        asking.actions,
        features.begun(asking.district),
        plan=_plan(asking, layer),
        stated="plan" in asking.query,
        system=system,
    )
    row = await asking.layers.reader.row(
        features.item_query(asked, _key(layer, asking.path["item"])), asked.values.all
    )
    if row["feature"] is None:
        raise _no_item(layer)
    own = [
        *links.selves(asking.here, GEOJSON),
        links.link(asking.link(f"/collections/{layer.name}"), "collection", JSON),
    ]
    body = row["feature"][:-1] + b',"links":' + orjson.dumps(own) + b"}"
    return Made(body, GEOJSON, _plans(asked, row["plans"]), _crs_header(system))


async def _download(kind: Kind, request: Request, asking: Asking) -> Response:
    layer = layers.get(asking.path["collection"], asking.actions)
    first = replace(question(asking, layer), limit=1)
    rows = await asking.layers.reader.rows(features.page_query(first, counted=False), first.values.all)
    heads = {"Cache-Control": "no-store", **stamped(asking, _plans(first, rows[0]["plans"]))}
    query, values = extents.query([layer], asking.district)
    credited = (await asking.layers.reader.row(query, values))["attribution"]
    credits_ = [credited.decode()] if credited else []
    about = About(layer.name, Words(layer.zh, layer.en), credits_, asking.served.district.made_up)
    most = asking.query.get("limit")
    limit = None if most is None else int(most.lstrip("0")[:18])
    return Download(asking.layers.downloads, question(asking, layer), limit, kind, about, heads)


def question(asking: Asking, layer: Layer) -> Question:
    """Return which features are asked for, all parameters checked.

    Raises
    ------
    InputError
        If a parameter is unknown or wrong.
    """
    query = asking.query
    asking.only(*PARAMETERS, *_own(layer.name, asking.actions).parameters)
    values = features.begun(asking.district)
    asked = Question(
        layer,
        asking.actions,
        values,
        conditions=tuple(_conditions(asking, layer, values)),
        area=_area(asking),
        plan=_plan(asking, layer),
        stated=layer.present and "plan" in query,
        period=_period(query["datetime"]) if "datetime" in query else None,
        order=_order(query.get("sortby"), asking, layer),
        limit=_limit(query.get("limit")),
        shown=_shown(query.get("properties"), asking, layer),
        system=_system(asking, "crs"),
    )
    if asked.period and "plan" in query and layer.present:
        raise InputError("A plan is named and a time too.", "Give plan or datetime.")
    return replace(asked, after=_after(query["next"], asked, asking)) if "next" in query else asked


class _Own(NamedTuple):
    """Parameters that a layer has of its own, and the properties that one may name to have a value."""

    parameters: tuple[str, ...]
    properties: frozenset[str]


@lru_cache(maxsize=256)
def _own(name: str, actions: frozenset[str]) -> _Own:
    layer = layers.get(name, actions)
    seen = layer.seen_by(actions)
    present = ("plan",) if layer.present else ()
    filterable = tuple(one.name for one in seen if one.filterable)
    properties = frozenset(one.name for one in seen).difference(present, PARAMETERS)
    return _Own((*present, *filterable), properties)


def _conditions(asking: Asking, layer: Layer, values: filters.Values) -> list[str]:
    query = asking.query
    found: list[str] = []
    own = _own(layer.name, asking.actions).properties
    by_value = [name for name in query if name in own]
    found += [filters.equal(name, query[name], layer, asking.actions, values) for name in by_value]
    language = query.get("filter-lang", filters.LANGUAGES[0])
    if language not in filters.LANGUAGES:
        raise InputError("There is no such filter-lang.", f"It is one of: {', '.join(filters.LANGUAGES)}.")
    system = _system(asking, "filter-crs")
    if "filter" in query:
        found.append(filters.compiled(query["filter"], language, layer, asking.actions, values, system))
    return found


def _area(asking: Asking) -> Any | None:
    system = _system(asking, "bbox-crs")
    if "bbox" not in asking.query:
        return None
    parts = asking.query["bbox"].split(",")
    try:
        numbers = [_decimal(part) for part in parts]
        return box(filters.flat(numbers), system)
    except CoordinateError as error:
        raise InputError(error.fault, error.remedy) from None
    except ValueError:
        raise InputError(
            "bbox is not numbers with commas between.", "Example: 118.45,31.64,118.5,31.7."
        ) from None


def _decimal(text: str) -> float:
    if not re.fullmatch(r"\s*[+-]?([0-9]{1,20}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*", text):
        raise ValueError(text)
    return float(text)


def _system(asking: Asking, parameter: str) -> System:
    if parameter not in asking.query:
        return CRS84
    try:
        return named(asking.query[parameter], asking.served.district.srid)
    except CoordinateError as error:
        raise InputError(error.fault, error.remedy) from None


def _plan(asking: Asking, layer: Layer) -> int | None:
    if not layer.present:
        return None
    text = asking.query.get("plan")
    if text is None:
        return asking.plan
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= LARGEST_NUMBER):
        raise InputError("plan is not the number of a plan.", "GET /api/v1/plans lists them.")
    return int(text)


def _period(text: str) -> Period:
    """Read an instant, or an interval that may be open."""
    begin, slash, end = text.partition("/")
    if not slash:
        return Period(*_instants(begin))
    opened = ("", "..")
    since = None if begin in opened else _instants(begin)[0]
    until = None if end in opened else _instants(end)[1]
    if since and until and since > until:
        raise InputError("datetime ends before it begins.", "Give the earlier time first.")
    return Period(since, until)


def _instants(text: str) -> tuple[datetime, datetime]:
    """Return the first and the last instant of a time; a day has many."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            first = datetime.combine(date.fromisoformat(text), time(), CHINA)
            return first, first + timedelta(days=1, microseconds=-1)
        if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", text):
            raise ValueError(text)
        instant = here(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError, InputError):
        raise InputError(
            "datetime is no time.", "Example: 2026-07-01T08:00:00+08:00, or 2026-07-01/.. for from then on."
        ) from None
    return instant, instant


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT
    if not (text.isascii() and text.isdigit() and text.strip("0")):
        raise InputError("limit is not a number from 1 on.", f"At most {MOST} features come at once.")
    return MOST if len(text) > 9 else min(int(text), MOST)  # more is not refused, says the standard


def _order(text: str | None, asking: Asking, layer: Layer) -> tuple[Order, ...]:
    if text is None:
        return ()
    known = {one.name: one for one in layer.seen_by(asking.actions) if one.sortable}
    found: dict[str, Order] = {}
    for part in text.split(","):
        name = part[1:] if part[:1] in ("+", "-") else part
        if name not in known or name in found:
            raise InputError(
                "sortby names a property that cannot be sorted by.", f"Sortables: {', '.join(known)}."
            )
        found[name] = Order(name, known[name].kind, falling=part.startswith("-"))
    return tuple(found.values())


def _shown(text: str | None, asking: Asking, layer: Layer) -> tuple[Any, ...] | None:
    if text is None:
        return None
    known = {one.name: one for one in layer.seen_by(asking.actions)}
    wanted = [name for name in text.split(",") if name]
    for name in wanted:
        if name not in known:
            raise InputError(f"There is no property {name[:60]!r}.", f"Properties: {', '.join(known)}.")
    return tuple(known[name] for name in wanted)


def _key(layer: Layer, text: str) -> int | str:
    """Read a feature's id; what cannot be one names nothing."""
    if layer.key_kind == "text":
        return text
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise _no_item(layer)
    return int(text)


def _no_item(layer: Layer) -> NotFoundError:
    remedy = "GET /api/v1/grids/{code} tells what a retired code became." if layer.name == "grids" else ""
    return NotFoundError(f"There is no such feature in {layer.name}.", remedy)


def _plans(asked: Question, found: bytes | None) -> str | None:
    """Return the numbers of the plans an answer is of, where they are others than the one in force.

    Raises
    ------
    NotFoundError
        If the plan asked for was not published.
    """
    if asked.stated and found is None:
        raise NotFoundError(f"Plan {asked.plan} is not published.", "GET /api/v1/plans lists those that are.")
    return found.decode() if found else None


def _crs_header(system: System) -> Mapping[str, str]:
    return {"Content-Crs": f"<{system.uri}>"}


def _matching(asking: Asking, layer: Layer) -> tuple[Any, ...]:
    """Return what names the features that match: edition, who asks, and every parameter that chooses."""
    return (layer.name, asking.edition, asking.actions, tuple(_chosen(asking)))


def _chosen(asking: Asking) -> list[tuple[str, str]]:
    """Return the parameters that decide which features match, in one order."""
    return sorted(pair for pair in asking.query.items() if pair[0] not in _ABOUT_OUTPUT)


def _digest(asked: Question, asking: Asking) -> str:
    """Return what a token is good for: the same features in the same order."""
    parts = repr((asked.layer.name, _chosen(asking), asked.order)).encode()
    return blake2s(parts, digest_size=6).hexdigest()


def _token(asked: Question, keys: list[Any], asking: Asking) -> str:
    packed = orjson.dumps([_digest(asked, asking), *keys])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _after(token: str, asked: Question, asking: Asking) -> list[Any]:
    """Read where the page before ended.

    Raises
    ------
    InputError
        If the token is not of such a page.
    """
    refused = InputError("next is not of a page of this question.", "Follow the link of the page before.")
    try:
        read = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True))
        digest, *keys = read
    except (ValueError, TypeError, binascii.Error):
        raise refused from None
    if digest != _digest(asked, asking) or len(keys) != len(asked.keys):
        raise refused
    for key, value in zip(asked.keys, keys, strict=True):
        if not _fits(key, value, nullable=key in asked.order):
            raise refused
    return list(keys)


def _fits(key: Order, value: Any, *, nullable: bool) -> bool:
    """Tell whether a value of a token can be one of a key."""
    if value is None:
        return nullable
    if key.kind == "flag":
        return isinstance(value, bool)
    if key.kind in ("integer", "number"):
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
        return whole or (key.kind == "number" and isinstance(value, float) and math.isfinite(value))
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
        if key.kind in ("date", "instant"):
            datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _links(asking: Asking, layer: Layer, following: str | None) -> list[dict[str, str]]:
    own, *others = links.features("self", asking.here)
    found = [
        own,
        *({**other, "rel": "alternate"} for other in others),
        links.link(asking.link(f"/collections/{layer.name}"), "collection", JSON),
    ]
    return [*found, links.link(asking.here(next=following), "next", GEOJSON)] if following else found
