"""Answers that are never stale: each names its plan and version, and says whether what a client holds is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2s
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from sqlalchemy import Connection

from api.params import Asked
from api.stamp import stamp
from api.state import State, behind
from data import locate
from data.locate import Edition
from geo import __version__

Make = Callable[[Connection, str, Edition], BaseModel | str]
"""Makes an answer: called in one transaction with the connection, the district's code and the edition to show."""


def read(
    asked: Asked, make: Make, *, media_type: str = "application/json", private: bool = False
) -> Response:
    """Answer a read of one district, or say that what the client holds is still right.

    Parameters
    ----------
    make : callable
        Returns a model or JSON text; not called where the client's tag still holds.
    private : bool
        Whether the answer is for whoever asks alone, and kept by nobody.

    Raises
    ------
    UnavailableError
        If the version asked for is not there: the database never answers from an older one than it told.
    """
    district = asked.state.served(asked.district).district.code
    with asked.state.store.read(district) as connection:
        edition = locate.edition(connection, district, asked.as_of)
        if edition.version < asked.min_version:
            raise behind(asked.min_version)
        tag = _tag(asked.request, district, edition)
        kept = {"Cache-Control": "no-store"} if private else {"ETag": tag, "Cache-Control": "no-cache"}
        headers = {**stamp(edition.plan, edition.version), **kept}
        if not private and _holds(asked.request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        made = make(connection, district, edition)
    body = made.model_dump_json() if isinstance(made, BaseModel) else made
    return Response(body, headers=headers, media_type=media_type)


def written(
    state: State, district: str, report: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a write once this process serves what was written; to be called after the transaction.

    Parameters
    ----------
    district : str
        Code of the district written to.
    report : dataclass or BaseModel
        What was done; it is answered with ``data_version`` added.

    Raises
    ------
    UnavailableError
        If the write is done but this process cannot serve it yet.
    """
    edition = state.catch_up(district).edition
    body = {**to_jsonable_python(report), "data_version": edition.version}
    return JSONResponse(body, status, {**(headers or {}), **stamp(edition.plan, edition.version)})


def _tag(request: Request, district: str, edition: Edition) -> str:
    shown = f"{edition.plan} {edition.version} {edition.day}"
    parts = (__version__, district, shown, request.url.path, request.url.query)
    return f'W/"{blake2s(chr(0).join(parts).encode(), digest_size=12).hexdigest()}"'


def _holds(held: str, tag: str) -> bool:
    """Compare weakly, as RFC 9110 wants it for If-None-Match."""
    opaque = tag.removeprefix("W/")
    return any(part.strip().removeprefix("W/") in ("*", opaque) for part in held.split(","))
