"""The access log: every request is in it, many that are alike in one line."""

from __future__ import annotations

import asyncio
import logging
import re

from api.access import EACH, WITHIN_S, AccessLog

MANY = 5000


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def nowhere(message):
    pass


def test_every_request_is_told_of_many_that_are_alike_in_one_line(caplog):
    logged = AccessLog(app)

    async def ask():
        for _ in range(MANY):
            await logged({"type": "http", "method": "GET"}, None, nowhere)
        await logged({"type": "http", "method": "POST"}, None, nowhere)
        await asyncio.sleep(WITHIN_S * 1.5)

    with caplog.at_level(logging.INFO, "gridgov.access"):
        asyncio.run(ask())
    each = [line for line in caplog.messages if re.fullmatch(r"GET - 200 [\d.]+ ms", line)]
    counted = [re.fullmatch(r"GET - 200 (\d+) more, up to [\d.]+ ms", line) for line in caplog.messages]
    more = [int(found[1]) for found in counted if found]
    assert len(each) + sum(more) == MANY
    assert len(each) < MANY
    assert len(each) >= EACH
    assert len(caplog.messages) == len(each) + len(more) + 1
