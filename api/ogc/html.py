"""The layers' documents as pages for people: the same that programs read, as tables and maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response

from api import errors, page_routes, pages, words
from api.ogc.downloads import KINDS
from api.ogc.serving import Asking, Form, Made, Make, stamped
from data import layers
from data.layer import Field, Layer
from geo.errors import GridgovError
from maps.legend import Words

LIMITS = (10, 50, 200, 1_000)
"""Features of a page that can be chosen."""
_OF_ALL = ("f", "limit", "next")
"""Parameters of a page that do not hold for a file of all that match."""


def form(template: str, make: Make) -> Mapping[str, Form]:
    """Return the format ``html`` of an address.

    Parameters
    ----------
    template : str
        Its page in maps/templates/; it finds ``doc``, the document as programs read it, beside what `_context` gives.
    make : callable
        Makes that document.
    """

    async def answer(request: Request, asking: Asking) -> Response:
        try:
            return await _page(request, _filled_in(asking), template, make)
        except GridgovError as error:
            return page_routes.told(request, errors.for_anybody(error))

    return {"html": answer}


async def api(request: Request, asking: Asking) -> Response:
    """Answer the description of the API as a page to try it from."""
    asking.only()
    return pages.explorer(asking.link("/api", f="json"), f"{asking.served.district.name} · OGC API")


def shown(value: Any, field: Field) -> Words:
    """Return a value as people read it."""
    if value is None:
        return Words("—", "—")
    match field.kind:
        case "flag":
            return Words("是", "yes") if value else Words("否", "no")
        case "texts":
            return Words("、".join(value) or "—", ", ".join(value) or "—")
        case "number":
            text = f"{value:,.1f}"
        case "instant":
            text = value[:16].replace("T", " ")  # in the district's time, as the layers tell it
        case _:
            text = str(value)
    return Words(text, text)


def _filled_in(asking: Asking) -> Asking:
    """Leave out what was not filled in: a form without a script sends all its fields."""
    return replace(asking, query={name: value for name, value in asking.query.items() if value})


async def _page(request: Request, asking: Asking, template: str, make: Make) -> Response:
    made = await make(asking)
    page = pages.render(
        request, template, district=asking.served.district, **_context(asking, made), shown=shown
    )
    page.headers.update({"Vary": "Accept, Authorization, Cookie", **stamped(asking, made.plans)})
    return page


def _context(asking: Asking, made: Made) -> dict[str, Any]:
    """Return what templates find: who asks for what, the layer, and addresses."""
    named = asking.path.get("collection")
    layer = layers.get(named, asking.actions) if named else None
    doc = orjson.loads(made.body)
    hrefs = {link["rel"]: link["href"] for link in doc.get("links", ())}
    return {
        "doc": doc,
        "hrefs": hrefs,
        "asking": asking,
        "layer": layer,
        "known": layers.known(asking.actions),
        "plans": made.plans or asking.plan,
        "version": asking.served.edition.version,
        "kinds": KINDS,
        "words": words,
        **(_of_layer(asking, layer) if layer else {}),
    }


def _of_layer(asking: Asking, layer: Layer) -> dict[str, Any]:
    fields = layer.seen_by(asking.actions)
    return {
        "fields": fields,
        "columns": [one for one in fields if one.name != layer.key],
        "by_value": any(one.name in asking.query for one in fields if one.name != "plan"),
        "orders": [
            (sign + one.name, f"{arrow} {one.zh} {one.en}")
            for one in fields
            if one.sortable
            for sign, arrow in (("", "↑"), ("-", "↓"))
        ],
        "example": _example(fields),
        "limits": LIMITS,
        "of_all": dict.fromkeys(_OF_ALL),
        "drawing": _drawing(asking, layer),
    }


def _example(fields: Sequence[Field]) -> str:
    """Return a filter that the layer takes."""
    for one in fields:
        if one.kind == "integer" and one.name != "plan":
            return f"{one.name} > 300"
    return f"{fields[0].name} LIKE 'A%'"


def _drawing(asking: Asking, layer: Layer) -> dict[str, Any]:
    """Return what the map is drawn from: the features told, or nothing but where they lie, and communities behind."""
    behind = layers.LAYERS["communities"]
    drawn: dict[str, Any] = {"style": asdict(layer.style), "label": layer.label}
    drawn["about"] = asking.link(f"/collections/{layer.name}", f="json")
    drawn["behind"] = {
        "href": asking.link(f"/collections/{behind.name}/items", f="json", limit="1000", properties="name"),
        "style": asdict(behind.style),
    }
    return drawn
