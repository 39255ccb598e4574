"""Every error the API answers, as problem+json (RFC 9457), by one table from exception to status."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy import exc
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from geo import errors

log = logging.getLogger("gridgov.api")

RETRY_AFTER_S = 2


@dataclass(frozen=True)
class Kind:
    """What an exception is told as: status, and the last part of the problem's type."""

    status: int
    name: str


TABLE: dict[type[Exception], Kind] = {
    errors.InputError: Kind(400, "input"),
    errors.CoordinateError: Kind(422, "coordinate"),
    errors.RefusedError: Kind(422, "refused"),
    errors.TooMuchError: Kind(413, "too-large"),
    RequestValidationError: Kind(422, "parameters"),
    errors.SignInError: Kind(401, "sign-in"),
    errors.ForbiddenError: Kind(403, "forbidden"),
    errors.NotFoundError: Kind(404, "not-found"),
    errors.ConflictError: Kind(409, "conflict"),
    errors.StaleError: Kind(409, "stale"),
    errors.CheckError: Kind(409, "rules"),
    errors.BalanceError: Kind(422, "balance"),
    errors.SetupError: Kind(503, "unavailable"),
    exc.OperationalError: Kind(503, "unavailable"),
    exc.TimeoutError: Kind(503, "unavailable"),
    Exception: Kind(500, "internal"),
}
"""The nearest class an exception descends from decides."""

# What is shown instead of errors whose own text is not for the public.
_DETAIL = {
    "internal": "Something went wrong here; it is in the server's log.",
    "parameters": "A parameter is missing or not as described; see errors.",
}


class Fault(BaseModel):
    """One parameter that is wrong."""

    parameter: str = Field(examples=["lon"])
    fault: str = Field(examples=["Input should be less than or equal to 180"])


class Problem(BaseModel):
    """A problem as RFC 9457 has it."""

    type: str = Field(examples=["urn:gridgov:problem:not-found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no grid 340504001001999."])
    remedy: str = Field(default="", examples=["GET /api/v1/grids lists them."])
    errors: list[Fault] = Field(default=[])
    problems: list[str] = Field(default=[], description="Rules a plan breaks.")
    changes: list[dict[str, Any]] = Field(
        default=[], description="What was changed since the revision that was seen."
    )
    candidates: list[dict[str, Any]] = Field(
        default=[], description="Where a point would be in each coordinate system, where none was stated."
    )


def problem(
    kind: Kind,
    detail: str = "",
    remedy: str = "",
    *,
    faults: list[Fault] | None = None,
    problems: Sequence[str] = (),
    changes: Sequence[Mapping[str, Any]] = (),
    candidates: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem+json response."""
    body = Problem(
        type=f"urn:gridgov:problem:{kind.name}",
        title=HTTPStatus(kind.status).phrase,
        status=kind.status,
        detail=detail or _DETAIL.get(kind.name, ""),
        remedy=remedy,
        errors=faults or [],
        problems=list(problems),
        changes=[dict(change) for change in changes],
        candidates=[dict(candidate) for candidate in candidates],
    )
    extra = {"Cache-Control": "no-store"}
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        extra["Retry-After"] = str(RETRY_AFTER_S)
    return JSONResponse(
        body.model_dump(exclude_defaults=True),
        kind.status,
        {**extra, **(headers or {})},
        media_type="application/problem+json",
    )


def kind_of(error: Exception) -> Kind:
    """Return what an exception is told as."""
    return next(TABLE[ancestor] for ancestor in type(error).__mro__ if ancestor in TABLE)


def for_anybody(error: Exception) -> Exception:
    """Return an error as anybody may read it: what the database says of itself tells where it is."""
    if isinstance(error, exc.TimeoutError):
        return errors.UnavailableError("Too many requests at once.", "Try again in a moment.")
    from_database = type(error) is errors.SetupError and isinstance(error.__cause__, exc.DBAPIError)
    if from_database or isinstance(error, exc.OperationalError):
        log.warning("the database failed: %s", type(error.__cause__ or error).__name__)
        return errors.UnavailableError("The database cannot be reached now.", "Try again in a moment.")
    return error


def said_of(error: Exception) -> str:
    """Say what is wrong as the server's log has it: of errors that are not ours only what they are."""
    return str(error) if isinstance(error, errors.GridgovError) else type(error).__name__


def add_to(app: FastAPI) -> None:
    """Answer every exception by the table."""
    for kind in (*TABLE, HTTPException):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        name = status.phrase.lower().replace(" ", "-")
        return problem(
            Kind(status, name), _HTTP_DETAIL.get(status, status.description), headers=error.headers
        )
    error = for_anybody(error)
    kind = kind_of(error)
    if isinstance(error, RequestValidationError):
        return problem(kind, faults=[_fault(fault) for fault in error.errors()])
    if isinstance(error, errors.GridgovError):
        broken = error.problems if isinstance(error, errors.CheckError) else ()
        changed = error.changes if isinstance(error, errors.StaleError) else ()
        shown = error.candidates if isinstance(error, errors.UnstatedError) else ()
        return problem(kind, error.fault, error.remedy, problems=broken, changes=changed, candidates=shown)
    log.warning("%s: %s", kind.name, type(error).__name__)
    return problem(kind)


_HTTP_DETAIL = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address; /docs lists what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method; /docs lists what it takes.",
}


def _fault(error: Any) -> Fault:
    """Name a wrong parameter without repeating its value."""
    where = ".".join(str(part) for part in error["loc"][1:])
    return Fault(parameter=where, fault=str(error["msg"]))
