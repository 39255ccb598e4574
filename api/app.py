"""The web application: made from a store and settings, with nothing global."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api import auth, direct, errors, uploads
from api.access import AccessLog
from api.base_map import base_map as find_base_map
from api.direct import DirectRoute
from api.following import Following
from api.hot import FrontRoute, HotRoute
from api.limits import Limits
from api.ogc import routes as ogc
from api.permissions import ACTIONS, ROUTES, permit
from api.routes import (
    accounts,
    alias_pages,
    aliases,
    audit,
    base_map,
    communities,
    districts,
    evidence,
    grids,
    health,
    import_pages,
    imports,
    jobs,
    layers,
    locate,
    locate_batch,
    overview,
    pages,
    plan_acts,
    plan_pages,
    plans,
    session,
    suggest,
)
from api.state import State
from data.session import Store
from data.settings import Settings
from etl.actor import PUBLIC
from geo import __version__
from geo.errors import SignInError

_HOT_NOUNS = (locate, suggest)

_NOUNS = (
    locate_batch,
    evidence,
    overview,
    districts,
    communities,
    grids,
    plan_acts,
    plans,
    plan_pages,
    imports,
    import_pages,
    jobs,
    aliases,
    alias_pages,
    layers,
    base_map,
    session,
    accounts,
    audit,
    health,
    pages,
)

_DESCRIPTION = """
Which grid (网格) a point or an address belongs to, and the district's map layers: these reads are public;
counts of households below 10 are withheld, no worker is named. Everything else needs a sign-in: a browser's
cookie, or `Authorization: Bearer` with the token of `POST /api/v1/session`.

Every request is about one district (区): `?district=`, else the server's default, else the only one.
Errors are `application/problem+json` (RFC 9457). Answers name the plan and the version of the data they were made
from (`Gridgov-Plan`, `Gridgov-Version`); with that as `min_version` no older answer is given afterwards, by any
process, and `as_of` asks for another instant. Answers carry an `ETag`; positions and addresses asked about are
neither stored nor logged.
"""

_TAGS = [
    {"name": "locate", "description": "定位: whose grid is this?"},
    {"name": "districts", "description": "区与社区: districts, their communities, how they stand."},
    {"name": "grids", "description": "网格: grids and their codes."},
    {"name": "plans", "description": "方案: what was in force when."},
    {"name": "imports", "description": "导入: what came in, what it changed, and taking it back."},
    {"name": "jobs", "description": "任务: what runs apart: balancing, cells, exports."},
    {"name": "aliases", "description": "别名: names people use that the register lacks."},
    {"name": "layers", "description": "图层: GeoJSON for maps."},
    {"name": "accounts", "description": "账号: who is signed in, and who may sign in."},
    {"name": "audit", "description": "审计: who did what."},
    {"name": "health", "description": "Is the process alive, can it serve?"},
]

_PROBLEM = {
    "description": "A problem (RFC 9457): what is wrong and what to do.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

_RESPONSES: dict[int | str, dict[str, Any]] = {"4XX": _PROBLEM, "503": _PROBLEM}

_SIGN_INS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": auth.COOKIE},
}
_REFUSALS = {"401": "Nobody is signed in.", "403": "The account's roles or districts do not take it in."}
_CLASH = {"409": "It clashes with what is stored."}


def create_app(store: Store, settings: Settings) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    store : Store
        A migrated database; it stays the caller's to close.
    settings : Settings
        Limits and defaults.

    Raises
    ------
    SetupError
        If the optional base map is not set as it should be.
    """
    state = State(store, settings)
    following = Following(state)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await app.state.layers.reader.open()
        await run_in_threadpool(following.start)
        yield
        await run_in_threadpool(following.stop)
        await app.state.layers.reader.close()

    app = _Application(
        title="gridgov",
        version=__version__,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        openapi_url=pages.OPENAPI,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(permit)],
        responses=_RESPONSES,
    )
    app.state.served = state
    app.state.base_map = find_base_map(settings)
    app.state.slow = plan_pages.Slow()
    app.state.turns = locate_batch.Turns()
    errors.add_to(app)
    app.add_exception_handler(SignInError, auth.refused)
    limits: dict[str, Any] = {
        "max_body_bytes": settings.max_body_bytes,
        "exceptions": dict.fromkeys(uploads.ROUTES, settings.max_upload_bytes)
        | locate_batch.longest(settings),
    }
    app.add_middleware(
        GZipMiddleware,
        minimum_size=1000,
        compresslevel=5,  # a layer shrinks to a fifth
        exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *locate_batch.STREAMED),
    )
    app.add_middleware(Limits, **limits)
    app.add_middleware(AccessLog)  # added last, it stands outermost and sees refusals too
    for noun in _HOT_NOUNS:
        noun.add_to(app, responses=_RESPONSES)
    ogc.add_to(app, state)
    app.put_hot_routes_in_front(limits)
    for noun in _NOUNS:
        app.include_router(noun.router)
    app.mount("/static", StaticFiles(directory=pages.WEB), name="static")
    return app


class _Application(FastAPI):
    """FastAPI that also describes problems, which no route returns, and who may do what, which `permit` holds.

    Hot routes are answered before its own stack, which takes longer than they do; their answers fit a packet or two,
    so they are not compressed either.
    """

    def __init__(self, **described: Any) -> None:
        super().__init__(**described)
        self._hot: dict[tuple[str, str], ASGIApp] = {}
        self._direct: dict[str, list[tuple[DirectRoute, ASGIApp]]] = {}

    def put_hot_routes_in_front(self, limits: Mapping[str, Any]) -> None:
        """Answer the hot routes added so far first, with their own access log and limits."""
        for route in self.router.routes:
            if not isinstance(route, FrontRoute):
                continue
            own = dict(limits)
            if isinstance(route, DirectRoute):
                own["max_target_bytes"] = direct.MAX_TARGET_BYTES
            alone = AccessLog(route.answered(self, Limits(route.serve, **own)))
            if isinstance(route, DirectRoute):
                self._direct.setdefault(route.first, []).append((route, alone))
            elif isinstance(route, HotRoute):
                self._hot |= {(method, route.path): alone for method in route.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        hot = self._hot.get((scope.get("method", ""), path)) or self._direct_to(path, scope)
        if hot is None:
            await super().__call__(scope, receive, send)
        else:
            await hot(scope, receive, send)

    def _direct_to(self, path: str, scope: Scope) -> ASGIApp | None:
        for route, alone in self._direct.get(path[1:].partition("/")[0], ()):
            if route.takes(path, scope):
                return alone
        return None

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            components = described.setdefault("components", {})
            problem = errors.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            components.setdefault("schemas", {}).update({**problem.pop("$defs"), "Problem": problem})
            components["securitySchemes"] = _SIGN_INS
            for path, methods in described["paths"].items():
                for method, route in methods.items():
                    _say_who(method, route, ACTIONS[ROUTES[f"{method.upper()} {path}"]].split())
        return super().openapi()


def _say_who(method: str, route: dict[str, Any], roles: list[str]) -> None:
    """Describe which sign-in a route needs; nothing is said of what the public may."""
    if PUBLIC.roles & set(roles):
        return
    route["security"] = [{name: []} for name in _SIGN_INS]
    route["description"] = f"{route['description']}\n\nRoles (角色): {', '.join(roles)}."
    refusals = _REFUSALS if method == "get" else _REFUSALS | _CLASH
    route["responses"] |= {status: {**_PROBLEM, "description": said} for status, said in refusals.items()}
