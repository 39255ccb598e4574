"""What every answer about map layers has in common: who asks, of which district and edition, in which format."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2s
from types import MappingProxyType
from typing import Any, overload
from urllib.parse import quote

import orjson
from fastapi import Request
from starlette.responses import Response
from starlette.types import Scope

from api.direct import Answer, Header, header
from api.hot import MOST_PARAMETERS, pairs_of
from api.ogc.downloads import Downloads
from api.ogc.kept import Answers, Counts
from api.permissions import may
from api.served import Served
from api.stamp import PLAN, VERSION, stamp
from api.state import State
from data.layer import PUBLIC
from data.layers import LAYERS
from data.locate import Edition
from data.reading import Reader
from etl.actor import PUBLIC as ANYBODY
from etl.actor import Actor
from geo import __version__
from geo.errors import InputError

ROOT = "/ogc"
JSON, HTML, GEOJSON, SCHEMA = (
    "application/json",
    "text/html",
    "application/geo+json",
    "application/schema+json",
)
LONGEST_QUERY = 8_000
"""Bytes."""

ACTIONS = frozenset({PUBLIC, *(layer.action for layer in LAYERS.values())}).union(
    *({one.action for one in layer.fields} for layer in LAYERS.values())
)
"""The actions that decide what somebody sees of the layers."""
_OF_ONE_LAYER = frozenset(
    (
        f"{ROOT}/collections/{{collection}}/items",
        f"{ROOT}/collections/{{collection}}/items/{{item}}",
        f"{ROOT}/collections/{{collection}}/tiles/WebMercatorQuad/{{zoom}}/{{row}}/{{column}}",
        "/tiles/{collection}/{zoom}/{column}/{row}.mvt",
    )
)
"""Routes whose answers are made from the layer they name alone: a change of another leaves them as they are."""
COMMON = ("f", "district", "min_version")
"""Parameters every address takes."""


@dataclass
class Layers:
    """What the layers are served with.

    Attributes
    ----------
    state : State
        What the process serves.
    reader : Reader
        Reads from the database.
    answers : Answers
        Answers kept.
    downloads : Downloads
        What layers are sent as files with.
    counts : Counts
        Counts kept.
    """

    state: State
    reader: Reader
    answers: Answers
    downloads: Downloads
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True)
class Asking:
    """A request, as far as all have it in common.

    Attributes
    ----------
    layers : Layers
        What it is answered with.
    served : Served
        The district and its edition.
    actions : frozenset of str
        Those of `ACTIONS` whoever asks may do.
    query : mapping of str to str
        The parameters, each given once.
    path : mapping of str to str
        The parameters of the path.
    format : str
        The format wanted: ``json``, ``html`` or another of what the address has.
    base : str
        Address of the server, without a slash at the end.
    target : str
        Path of the request.
    """

    layers: Layers
    served: Served
    actions: frozenset[str]
    query: Mapping[str, str]
    path: Mapping[str, str]
    format: str
    base: str
    target: str

    @property
    def district(self) -> str:
        """Code of the district."""
        return self.served.district.code

    @property
    def plan(self) -> int | None:
        """Number of the plan in force, where it is known here."""
        return self.served.edition.plan if self.served.teller else None

    @property
    def edition(self) -> tuple[str, int, int | None]:
        """What names the data an answer is made from."""
        return (self.district, self.served.edition.version, self.plan)

    def link(self, path: str = "", **query: str | None) -> str:
        """Return the address of something below `ROOT`; the district goes on where it was named."""
        named = {"district": self.query.get("district"), **query}
        return addressed(f"{self.base}{ROOT}{path}", {name: each for name, each in named.items() if each})

    def here(self, **changed: str | None) -> str:
        """Return the request's own address with some parameters changed, or left out where they are None."""
        query = {name: value for name, value in {**self.query, **changed}.items() if value is not None}
        return addressed(f"{self.base}{_quoted(self.target)}", query)

    def only(self, *names: str) -> None:
        """Refuse parameters that are not known.

        Raises
        ------
        InputError
            If another was given than those named and `COMMON`.
        """
        unknown = [name for name in self.query if name not in names and name not in COMMON]
        if unknown:
            known = ", ".join([*names, *COMMON])
            raise InputError(f"There is no parameter {unknown[0][:60]!r} here.", f"Parameters: {known}.")


@dataclass(frozen=True)
class Made:
    """The body of an answer, and what is said of it.

    Attributes
    ----------
    body : bytes
        The body.
    media_type : str
        Its type.
    plans : str or None
        Numbers of the plans it was made from, where they are others than the one in force.
    headers : mapping of str to str
        Further headers.
    status : int
        The status.
    """

    body: bytes
    media_type: str = JSON
    plans: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


Make = Callable[[Asking], Awaitable[Made]]
Form = Callable[[Request, Asking], Awaitable[Response]]
"""Answers in a format of its own, made anew for each request."""
NO_FORMS: Mapping[str, Form] = MappingProxyType({})


@overload
async def answer(request: Request, make: Make, formats: tuple[str, ...] = ("json",)) -> Answer: ...


@overload
async def answer(
    request: Request, make: Make, formats: tuple[str, ...] = ("json",), *, forms: Mapping[str, Form]
) -> Answer | Response: ...


async def answer(
    request: Request,
    make: Make,
    formats: tuple[str, ...] = ("json",),
    *,
    forms: Mapping[str, Form] = NO_FORMS,
) -> Answer | Response:
    """Answer a request, from memory where that was made from what is served now.

    Parameters
    ----------
    make : callable
        Makes the answer where it is not kept.
    formats : tuple of str
        The formats of what `make` makes, the first by default.
    forms : mapping of str to callable
        The other formats the address has, and what answers in them.

    Raises
    ------
    InputError
        If a parameter is wrong.
    """
    scope = request.scope
    layers: Layers = request.app.state.layers
    query = _query(scope["query_string"])
    if "min_version" in query:
        await layers.state.reach(_district(query), _version(query["min_version"]))
    served = layers.state.served(_district(query))
    actor: Actor = request.state.actor
    actions = _actions(actor.roles if actor.reaches(served.district.code) else ANYBODY.roles)
    wanted = _format(query.get("f"), request, (*formats, *forms))
    base = _base(request)
    about = (layers, served, actions, query, scope["path_params"], wanted, base, scope["path"])
    if wanted in forms:
        return await forms[wanted](request, Asking(*about))
    edition, teller = served.edition, served.teller
    key = (scope["path"], scope["query_string"], base, wanted, actions, served.district.code)
    whole = (*key, _version_of(scope, edition), edition.plan if teller else None)
    found = layers.answers.find(whole)
    if found is None:
        asking = Asking(*about)
        found = _told(await make(asking), asking, whole, personal=actor is not ANYBODY)
        layers.answers.keep(whole, found)
    _stamp(found, edition.version)
    return found


def addressed(path: str, query: Mapping[str, str]) -> str:
    """Return an address with a query."""
    pairs = "&".join([_pair(name, value) for name, value in query.items()])
    return f"{path}?{pairs}" if pairs else path


@lru_cache(maxsize=1_000)
def _quoted(path: str) -> str:
    return quote(path)


@lru_cache(maxsize=1_000)
def _pair(name: str, value: str) -> str:
    return f"{quote(name)}={quote(value, safe='')}"


def stamped(asking: Asking, plans: str | None) -> dict[str, str]:
    """Return the headers that say what an answer was made from; see `Made.plans`."""
    return {**stamp(asking.plan, asking.served.edition.version), **({PLAN: plans} if plans else {})}


def told(data: Any, media_type: str = JSON) -> Made:
    """Return a document as what it is answered with."""
    return Made(orjson.dumps(data), media_type)


def _told(made: Made, asking: Asking, key: tuple[Any, ...], *, personal: bool) -> Answer:
    parts = repr((_spelled(asking.actions), *key)).encode()
    tag = f'W/"{blake2s(parts, digest_size=12).hexdigest()}"'
    kept = {
        "content-type": made.media_type,
        "etag": tag,
        "cache-control": "private, no-cache" if personal else "no-cache",
        "vary": "Accept, Accept-Encoding, Authorization, Cookie",
        **stamped(asking, made.plans),
        **made.headers,
    }
    headers: list[Header] = [(name.lower().encode(), value.encode()) for name, value in kept.items()]
    return Answer(made.body, headers, made.status, tag)


@lru_cache(maxsize=256)
def _spelled(actions: frozenset[str]) -> str:
    """Return what names this program, and who asks, the same in each process."""
    return " ".join((__version__, *sorted(actions)))


@lru_cache(maxsize=256)
def _actions(roles: frozenset[str]) -> frozenset[str]:
    actor = Actor("", roles)
    return frozenset(action for action in ACTIONS if may(actor, action))


def _query(raw: bytes) -> dict[str, str]:
    """Read a query: each name once.

    Raises
    ------
    InputError
        If it is too long, not UTF-8, or names something twice.
    """
    if not raw:
        return {}
    if len(raw) > LONGEST_QUERY:
        raise InputError(f"The query is longer than {LONGEST_QUERY} bytes.", "Ask in several requests.")
    try:
        pairs = pairs_of(raw.decode())
    except UnicodeDecodeError:
        raise InputError("The query is not UTF-8.", "Encode it as UTF-8, then percent-encode it.") from None
    except ValueError:
        raise InputError(f"The query has more than {MOST_PARAMETERS} parameters.") from None
    named = dict(pairs)
    if len(named) != len(pairs):
        raise InputError("A parameter is given more than once.", "Give each once.")
    return named


def _version_of(scope: Scope, edition: Edition) -> int:
    """Return what rises with every change of what an answer is made from."""
    layer = LAYERS.get(scope["path_params"].get("collection", ""))
    if layer is None or scope["route"].path not in _OF_ONE_LAYER:
        return edition.version
    return sum(edition.layers.get(name, 0) for name in layer.raised_by)


def _stamp(kept: Answer, version: int) -> None:
    """Name the version served now on an answer that was kept since an earlier one, and is the same in both."""
    name = VERSION.lower().encode()
    told = (name, b"%d" % version)
    if told not in kept.headers:
        kept.headers = [*(header for header in kept.headers if header[0] != name), told]


def _district(query: Mapping[str, str]) -> str | None:
    named = query.get("district")
    if named is not None and not re.fullmatch("[0-9]{6}", named):
        raise InputError("district is not the code of a district.", "It has six digits.")
    return named


def _version(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InputError("min_version is not a version.", "Give the Gridgov-Version of an earlier answer.")
    return int(text)


def _format(named: str | None, request: Request, formats: tuple[str, ...]) -> str:
    if named is not None:
        if named not in formats:
            raise InputError("There is no such format here.", f"f is one of: {', '.join(formats)}.")
        return named
    if "html" not in formats:
        return formats[0]
    accept = header(request.scope, b"accept")
    return "html" if _weight(accept, HTML) > _weight(accept, JSON, GEOJSON) else formats[0]


def _weight(accept: str, *types: str) -> float:
    """Return the highest weight a header gives one of the types by name; 0 where it names none."""
    best = 0.0
    for part in accept.split(","):
        media, _, parameters = part.partition(";")
        if media.strip().lower() in types:
            weight = parameters.strip().removeprefix("q=")
            best = max(best, float(weight) if weight.replace(".", "", 1).isdigit() else 1.0)
    return best


def _base(request: Request) -> str:
    scope = request.scope
    host = header(scope, b"host")
    if not host:
        server = scope.get("server") or ("localhost", None)
        host = server[0] if server[1] is None else f"{server[0]}:{server[1]}"
    return f"{scope['scheme']}://{host}{scope.get('root_path', '')}"
