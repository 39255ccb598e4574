"""Conditional answers: an entity tag made of the data's edition, and 304 where nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2s

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from api.state import State
from data import locate
from data.locate import Edition
from geo import __version__


def respond(
    request: Request,
    state: State,
    named: str | None,
    make: Callable[[Connection, str, Edition], BaseModel | str],
    *,
    media_type: str = "application/json",
) -> Response:
    """Answer a read of one district, or say that what the client holds is still right.

    Parameters
    ----------
    named : str, optional
        District the request names.
    make : callable
        Called in one transaction with the connection, the district's code and the edition read, unless
        the client's tag still holds; returns a model or JSON text.
    """
    district = state.served(named).district.code
    with state.store.read(district) as connection:
        edition = locate.edition(connection, district)
        tag = _tag(request, district, edition)
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if _holds(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        made = make(connection, district, edition)
    body = made.model_dump_json() if isinstance(made, BaseModel) else made
    return Response(body, headers=headers, media_type=media_type)


def _tag(request: Request, district: str, edition: Edition) -> str:
    parts = (__version__, district, str(edition), request.url.path, request.url.query)
    return f'W/"{blake2s(chr(0).join(parts).encode(), digest_size=12).hexdigest()}"'


def _holds(held: str, tag: str) -> bool:
    """Compare weakly, as RFC 9110 wants it for If-None-Match."""
    opaque = tag.removeprefix("W/")
    return any(part.strip().removeprefix("W/") in ("*", opaque) for part in held.split(","))
