"""Whose grids are these? Many points and addresses in one request, answered while they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from email.message import Message
from functools import partial
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.requests import ClientDisconnect

from api.asking import chosen
from api.batch import Batch
from api.batch_files import Form, reader_of
from api.batch_lines import ANSWER, BROKEN, INVALID, ObjectWriter, TableWriter
from api.batch_rows import ENCODINGS, Decoder
from api.errors import Kind, problem
from api.hot import of_query
from api.params import API, Plain, Serving
from api.questions import Question
from api.stamp import stamp
from api.streaming import BothWays, Within
from data.settings import Settings
from etl.actor import PUBLIC, Actor
from geo.answers import Reason, Status
from geo.crs import KNOWN
from geo.errors import GridgovError, SignInError, UnavailableError

router = APIRouter(prefix=API, tags=["locate"])

STREAMED = ("application/x-ndjson", "text/csv")
"""What answers come in; to compress them, middleware would hold them back."""
AT_ONCE, AT_ONCE_PUBLIC = 32, 24
"""How many batches a process answers at a time, and how many of those may be of anybody."""
AHEAD_BYTES, AHEAD_BYTES_PUBLIC = 4_000_000, 2_000_000
"""How many bytes of answers wait for a client that sends all before it reads, some 20,000 rows; and for anybody."""
IDLE_S = 15.0
"""How long a client may send nothing, or take nothing, where the batch waits for it."""
GRACE_S = 5.0
"""How long a client whose time is over may take for the last line."""

_MEDIA = {
    **dict.fromkeys(("application/x-ndjson", "application/ndjson", "application/jsonl"), Form.NDJSON),
    **dict.fromkeys(("text/csv", "application/csv"), Form.CSV),
}
_ROW = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "integer"]},
        **{name: {"type": "number"} for name in ("lon", "lat", "x", "y", "accuracy_m")},
        **{name: {"type": "string"} for name in ("crs", "accuracy_level", "source", "address", "q")},
    },
}
_LINE = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "integer"]},
        "status": {"enum": [*Status, INVALID, BROKEN]},
        "reasons": {"type": "array", "items": {"enum": [*Reason]}},
        **{
            name: {"type": ["string", "null"]}
            for name in ("grid", "grid_external_code", "community", "town", "building", "precision")
        },
        "confidence": {"type": ["number", "null"]},
        "faults": {"type": "array", "items": {"type": "string"}},
        "alternatives": {"type": "array", "items": {"type": "string"}, "description": "Codes of grids."},
        "fault": {"type": "string"},
        "remedy": {"type": "string"},
    },
}
_TABLE = {"type": "string", "description": f"With titles: id, {', '.join(ANSWER)}."}
_DESCRIBED: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        "200": {
            "description": "One line a row, in their order.",
            "content": {"application/x-ndjson": {"schema": _LINE}, "text/csv": {"schema": _TABLE}},
        }
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/x-ndjson": {
                    "schema": _ROW,
                    "example": '{"id": 1, "lon": 118.4589, "lat": 31.6519}\n{"id": 2, "q": "康宁三村3幢"}\n',
                },
                "text/csv": {"schema": {"type": "string"}, "example": "id,address\n1,康宁三村3幢\n"},
            },
        }
    },
}
_REFUSED = Kind(415, "media-type")
_LATE = Kind(408, "timeout")


def longest(settings: Settings) -> dict[str, int]:
    """Return the longest body of the route, by which only `Limits` bounds it: it is never held whole."""
    return {f"POST {API}/locate/batch": settings.batch_rows * settings.batch_line_bytes}


class BatchAsked(Question):
    """What holds for all rows."""

    crs: Annotated[str, Field(min_length=1, max_length=40), Plain] | None = Field(
        default=None, description=f"Coordinate system of points that state none: {KNOWN}.", examples=["wgs84"]
    )


class _SlowError(UnavailableError):
    """The batch took too long, or its client."""


@dataclass
class _Patience:
    """How long a batch is waited for: ``seconds`` in all, until ``deadline``."""

    deadline: float
    seconds: float

    @asynccontextmanager
    async def whole(self) -> AsyncIterator[None]:
        """Bound what is done by the time of the whole batch."""
        try:
            async with asyncio.timeout_at(self.deadline):
                yield
        except TimeoutError:
            raise _SlowError(
                f"The batch took longer than {self.seconds:g} s.",
                "Send fewer rows at a time, and without a pause.",
            ) from None

    @asynccontextmanager
    async def idle(self) -> AsyncIterator[None]:
        """Bound a wait for the client, too."""
        async with self.whole():
            try:
                async with asyncio.timeout(IDLE_S):
                    yield
            except TimeoutError:
                raise _SlowError(f"Nothing came for {IDLE_S:g} s.", "Send rows without a pause.") from None


class Turns:
    """Lets batches compute one turn at a time, each in its turn, so that single requests are answered beside."""

    def __init__(self) -> None:
        self.batches = 0
        self._one = CapacityLimiter(1)
        self._public = 0

    @contextmanager
    def taken(self, *, public: bool) -> Iterator[None]:
        """Count a batch while it lasts.

        Raises
        ------
        UnavailableError
            If there are too many.
        """
        if self.batches >= AT_ONCE or (public and self._public >= AT_ONCE_PUBLIC):
            raise UnavailableError("Too many batches at once.", "Try again in a moment.")
        self.batches += 1
        self._public += public
        try:
            yield
        finally:
            self.batches -= 1
            self._public -= public

    async def run(self, act: Callable[[], bytes]) -> bytes:
        """Compute beside the event loop when it is this batch's turn."""
        return await to_thread.run_sync(act, limiter=self._one)


@router.post("/locate/batch", summary="Grids of many points or addresses (批量定位)", **_DESCRIBED)
async def batch(request: Request, state: Serving, asked: Annotated[BatchAsked, Query()]) -> Response:
    """Answer rows while they come, one line a row in their order, all of them of one plan.

    Rows are lines of JSON (`application/x-ndjson`), an object each, or CSV (`text/csv`, also
    `; charset=gb18030`) with titles first. A row is a point, `lon` and `lat` or `x` and `y`, with `crs` and
    `accuracy_m`, `accuracy_level`, `source` where they are known; or an address, `address` or `q`. Its `id`, if it
    has one, is told back. Answers are in the form of the rows, or as `Accept` says. The plan and the version are in
    the headers.

    A row that cannot be asked is answered `invalid` with its fault. What ends the batch early, such as too many
    rows, a row that is too long, or text that is not in its encoding, is told by the status while nothing was
    answered, else in a last line with the status `broken`.
    """
    of_query(request.scope["query_string"])  # FastAPI takes the last of several
    actor = request.state.actor
    settings = state.settings
    (ready,) = await chosen(state, actor, asked)
    locator = ready.teller.locator
    media, charset = _content(request)
    form = _MEDIA.get(media)
    if form is None or charset not in ENCODINGS or "content-encoding" in request.headers:
        return problem(
            _REFUSED,
            "Rows come as NDJSON or CSV, not compressed.",
            f"Content-Type: application/x-ndjson, or text/csv; charset= one of {', '.join(ENCODINGS)}.",
        )
    writer = (
        TableWriter(locator.register.plan.number) if _wanted(request, form) is Form.CSV else ObjectWriter()
    )
    found = Batch(
        locator,
        reader_of(form, settings.batch_line_bytes),
        writer,
        crs=asked.crs,
        line_bytes=settings.batch_line_bytes,
        most_rows=_most_rows(actor, settings),
    )
    headers = {
        **stamp(locator.register.plan.number, locator.register.data_version),
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",  # a proxy in front is not to wait for the end
    }
    return Within(
        request.app.state.turns.taken(public=actor is PUBLIC),
        partial(_begun, request, found, Decoder(ENCODINGS[charset]), writer.media_type, headers),
    )


async def _begun(
    request: Request, batch: Batch, decoder: Decoder, media_type: str, headers: Mapping[str, str]
) -> Response:
    """Answer the first rows, and return the response that answers the others while they come."""
    settings = request.app.state.served.settings
    deadline = asyncio.get_running_loop().time() + settings.batch_seconds
    answers = _answers(request, batch, decoder, _Patience(deadline, settings.batch_seconds))
    try:
        first = await anext(answers, b"")
    except _SlowError as error:
        return problem(_LATE, error.fault, error.remedy)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    if batch.fault:  # nothing is sent yet, so the status can tell
        raise batch.fault
    return BothWays(
        _told(first, answers, batch),
        media_type=media_type,
        headers=headers,
        ahead_bytes=AHEAD_BYTES_PUBLIC if request.state.actor is PUBLIC else AHEAD_BYTES,
        idle_s=IDLE_S,
        deadline=deadline + GRACE_S,
    )


async def _answers(
    request: Request, batch: Batch, decoder: Decoder, patience: _Patience
) -> AsyncGenerator[bytes, None]:
    """Yield answers as rows come; fails where no more can be given."""
    turns: Turns = request.app.state.turns
    coming = request.stream()
    ended = False
    while not ended:
        async with patience.idle():
            data = await anext(coming, None)
        ended = data is None
        for turn in batch.turns(decoder.take(data or b"", last=ended)):
            async with patience.whole():
                part = await turns.run(partial(batch.answer, turn))
            if part:
                yield part
            _check(batch)
        _check(batch)
    yield await turns.run(batch.end)
    _check(batch)


async def _told(
    first: bytes, answers: AsyncGenerator[bytes, None], batch: Batch
) -> AsyncGenerator[bytes, None]:
    """Yield answers, and say in a last line if they cannot go on to the end."""
    async with aclosing(answers):
        yield first
        try:
            async for part in answers:
                yield part
        except GridgovError as error:
            yield batch.broken(error)


def _check(batch: Batch) -> None:
    if batch.fault:
        raise batch.fault


def _content(request: Request) -> tuple[str, str]:
    """Return the media type of what comes and its encoding, UTF-8 if it states none."""
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    return message.get_content_type(), (message.get_content_charset() or "utf-8")


def _wanted(request: Request, form: Form) -> Form:
    """Return the form answers are wanted in: that of the rows, unless only another is accepted."""
    accepted = [
        part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")
    ]
    named = [_MEDIA[media] for media in accepted if media in _MEDIA]
    return form if form in named or not named else named[0]


def _most_rows(actor: Actor, settings: Settings) -> int:
    if actor is not PUBLIC:
        return settings.batch_rows
    if settings.batch_rows_public == 0:
        raise SignInError("Batches need a sign-in here.", f"POST {API}/session.")
    return settings.batch_rows_public
