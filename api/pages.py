"""Pages made on the server: templates of maps/templates/ on one base, in both languages, usable without a script."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.openapi.docs import get_swagger_ui_html
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

import maps
from api.permissions import ROUTES, may
from api.policy import policy
from data.districts import District
from etl.actor import Actor

_SWAGGER = "/static/vendor/swagger-ui"
_TEMPLATES = Path(maps.__file__).parent / "templates"


@dataclass(frozen=True)
class Link:
    """A place the bar of every page leads to."""

    path: str
    zh: str
    en: str


LINKS = (
    Link("/", "地图", "Map"),
    Link("/ogc", "图层", "Layers"),
    Link("/plans", "方案", "Plans"),
    Link("/imports", "导入", "Imports"),
    Link("/aliases", "别名", "Aliases"),
)


def render(
    request: Request, template: str, *, district: District | None = None, status: int = 200, **context: Any
) -> HTMLResponse:
    """Render a page for whoever asks.

    Parameters
    ----------
    template : str
        File name in maps/templates/ of a template that extends ``base.html``; it finds ``actor``, ``signed_in``,
        ``may`` (an action's name to whether the actor may), ``district``, ``links``, ``here`` (the page's path) and
        ``kept`` (what keeps the district the request names on a link) beside ``context``.
    district : District, optional
        The district the page is about; its name stands in the bar.
    status : int
        HTTP status.
    """
    actor: Actor = request.state.actor
    named = request.query_params.get("district")
    page = _templates().get_template(template)
    html = page.render(
        context
        | {
            "actor": actor,
            "signed_in": request.state.signed_in is not None,
            "district": district,
            "links": _links(actor),
            "here": request.url.path,
            "kept": f"?{urlencode({'district': named})}" if named else "",
            "may": lambda action: may(actor, action),
        }
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": policy()}
    return HTMLResponse(html, status, headers)


def explorer(described: str, title: str) -> HTMLResponse:
    """Return a page to try an API from.

    Parameters
    ----------
    described : str
        Address of its description as OpenAPI.
    """
    return get_swagger_ui_html(
        openapi_url=described,
        title=title,
        swagger_js_url=f"{_SWAGGER}/swagger-ui-bundle.js",
        swagger_css_url=f"{_SWAGGER}/swagger-ui.css",
        swagger_favicon_url="data:,",
    )


def _links(actor: Actor) -> list[Link]:
    """Return the links to pages there are and the actor may open."""
    actions = ((link, ROUTES.get(f"GET {link.path}")) for link in LINKS)
    return [link for link, action in actions if action and may(actor, action)]


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
