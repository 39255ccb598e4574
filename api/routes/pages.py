"""Pages: the landing page and the API's documentation, from our own files only."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse

import maps
from api.base_map import BaseMap
from api.pages import explorer
from api.params import API
from api.policy import policy

WEB = Path(maps.__file__).parent / "web"
OPENAPI = f"{API}/openapi.json"

router = APIRouter(include_in_schema=False)


@router.get("/")
async def landing(request: Request) -> FileResponse:
    """Show the district's map and how it stands; pictures of the optional base map alone come from elsewhere."""
    base: BaseMap | None = request.app.state.base_map
    return _page("index.html", *((base.host,) if base and base.host else ()))


@router.get("/m")
async def mobile() -> FileResponse:
    """Show phones whose grid they are in, or the grid of ``?grid=``, where the QR codes of grid sheets lead."""
    return _page("m.html")


def _page(name: str, *hosts: str) -> FileResponse:
    return FileResponse(
        WEB / name, headers={"Cache-Control": "no-cache", "Content-Security-Policy": policy(*hosts)}
    )


@router.get("/docs")
async def docs() -> HTMLResponse:
    """Show the API's documentation."""
    return explorer(OPENAPI, "gridgov API")
