"""Hot routes: bodies at the limit, clients that go away, and one answer a request."""

from __future__ import annotations

import asyncio
import json

import pytest
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError

from api import errors
from api.access import AccessLog
from api.hot import FrontRoute, HotRoute, Told
from api.questions import PointAsked
from geo.errors import InputError

KIND = {"Content-Type": "application/json"}
LIMIT = 1_000_000
"""Bytes of a body, by default."""


async def endpoint(_request, asked: PointAsked) -> Told:
    return Told(b"", [])


def hooked(pairs):
    return HotRoute("/hot", endpoint, methods=["POST"])._once(pairs)


@pytest.fixture(autouse=True)
def _logged(caplog):
    caplog.set_level("INFO")


class Name(str):
    """A name that counts how often names are compared."""

    compared = 0

    __hash__ = str.__hash__

    def __eq__(self, other):
        Name.compared += 1
        return str.__eq__(self, other)


@pytest.mark.parametrize("last", ["p0", "new"])
def test_a_body_at_the_limit_is_refused_in_one_pass(client, last):
    many = LIMIT // 12
    members = ",".join([*(f'"p{n}":1' for n in range(many)), f'"{last}":1'])
    body = "{" + members + "}"
    assert LIMIT * 0.9 < len(body) < LIMIT
    answer = client.post("/api/v1/locate", content=body, headers=KIND)
    assert answer.status_code == 422
    assert [fault["parameter"] for fault in answer.json()["errors"]] == [last if last == "p0" else ""]


def test_a_repeated_member_is_found_with_few_comparisons():
    many = 2000
    Name.compared = 0
    with pytest.raises(RequestValidationError):
        hooked([(Name(f"p{n}"), 1) for n in [*range(many), many - 1]])
    assert Name.compared < 10 * many


def test_every_name_may_be_a_member_and_none_beside_them():
    named = dict.fromkeys(PointAsked.model_fields)
    assert hooked(list(named.items())) == named
    with pytest.raises(RequestValidationError):
        hooked([*named.items(), ("more", None)])


def front(serve):
    """Return what was sent by a route that serves so, and the status that is logged."""
    app = FastAPI()
    errors.add_to(app)
    sent, logged = [], []
    route = FrontRoute("/front", endpoint, methods=["POST"])
    log = AccessLog(route.answered(app, serve))
    log._note = lambda answered, _: logged.append(answered[2])
    scope = {"type": "http", "method": "POST", "path": "/front", "query_string": b"", "headers": []}

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    def ask():
        asyncio.run(log(scope, receive, send))

    return ask, sent, logged


def test_a_client_that_goes_away_is_no_fault_of_ours(caplog):
    async def serve(scope, receive, send):
        await Request(scope, receive).body()

    ask, sent, logged = front(serve)
    ask()
    assert (sent, logged) == ([], [499])
    assert not [record for record in caplog.records if record.levelname != "INFO"]


def test_an_answer_that_has_begun_is_not_followed_by_another():
    async def serve(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise InputError("fault", "remedy")

    ask, sent, logged = front(serve)
    with pytest.raises(InputError):
        ask()
    assert ([message["type"] for message in sent], logged) == (["http.response.start"], [200])


def test_a_fault_before_the_answer_is_told_once():
    async def serve(scope, receive, send):
        raise InputError("fault", "remedy")

    ask, sent, logged = front(serve)
    ask()
    assert (sent[0]["status"], json.loads(sent[1]["body"])["detail"], logged) == (400, "fault", [400])
