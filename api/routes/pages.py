"""Pages: the landing page and the API's documentation, from our own files only."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse

import maps
from api.params import API

WEB = Path(maps.__file__).parent / "web"
OPENAPI = f"{API}/openapi.json"
_SWAGGER = "/static/vendor/swagger-ui"

router = APIRouter(include_in_schema=False)


@router.get("/")
async def landing() -> FileResponse:
    """Show the district's map and how it stands."""
    return FileResponse(WEB / "index.html", headers={"Cache-Control": "no-cache"})


@router.get("/docs")
async def docs() -> HTMLResponse:
    """Show the API's documentation."""
    return get_swagger_ui_html(
        openapi_url=OPENAPI,
        title="gridgov API",
        swagger_js_url=f"{_SWAGGER}/swagger-ui-bundle.js",
        swagger_css_url=f"{_SWAGGER}/swagger-ui.css",
        swagger_favicon_url="data:,",
    )
