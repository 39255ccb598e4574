"""POST /locate/batch on the town, through a server of its own: rows go out while answers come in."""

from __future__ import annotations

import csv
import http.client
import io
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.fresh import written
from api.protocol import Protocol
from api.routes import locate_batch
from api.routes.locate_batch import AT_ONCE, AT_ONCE_PUBLIC
from data.session import Store
from data.settings import Settings
from etl import accounts
from etl.actor import SYSTEM
from tests import town
from tests.api.test_freshness import CODE, schedule

PATH = "/api/v1/locate/batch"
NDJSON, TABLE = "application/x-ndjson", "text/csv"
SPOT = b'{"lon":118.5025,"lat":31.705}\n'
HUNG_S = 30.0
PHRASE = "correct horse battery"


@dataclass
class Site:
    """A server, its port, its application, and the store it serves."""

    server: uvicorn.Server
    port: int
    app: FastAPI
    store: Store


@contextmanager
def served(store: Store, **settings: object) -> Iterator[Site]:
    app = create_app(store, Settings(**settings))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, http=Protocol, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Site(server, listening.getsockname()[1], app, store)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def site(fresh_database):
    with fresh_database() as url, closing(Store(url)) as store:
        town.build(store)
        with served(store, batch_rows_public=3000, batch_rows=4000, batch_line_bytes=1000) as site:
            yield site


class Talk:
    """A request whose rows are sent piece by piece, and whose answers are read meanwhile."""

    def __init__(self, port: int, query: str = "crs=wgs84", media: str = NDJSON, **headers: str) -> None:
        self.connect(port)
        named = {"Host": "test", "Content-Type": media, "Transfer-Encoding": "chunked", **headers}
        lines = [f"POST {PATH}?{query} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._incoming = self.socket.makefile("rb")
        self._rest = b""

    def connect(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=HUNG_S)

    def send(self, data: bytes) -> None:
        self.socket.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        self.socket.sendall(b"0\r\n\r\n")

    def head(self) -> tuple[int, dict[str, str]]:
        status = int(self._incoming.readline().split()[1])
        lines = iter(self._incoming.readline, b"\r\n")
        named = (line.decode().rstrip().split(": ", 1) for line in lines)
        return status, {name.lower(): value for name, value in named}

    def line(self) -> bytes:
        """Return the next line of the answer; empty at its end."""
        while b"\n" not in self._rest:
            size = int(self._incoming.readline(), 16)
            self._rest += self._incoming.read(size)
            self._incoming.readline()
            if size == 0:
                whole, self._rest = self._rest, b""
                return whole
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def lines(self) -> list[bytes]:
        return list(iter(self.line, b""))

    def close(self) -> None:
        self._incoming.close()
        self.socket.close()


def post(client, content, *, media=NDJSON, crs="wgs84", **headers):
    query = {"crs": crs} if crs else {}
    return client.post(PATH, params=query, content=content, headers={"content-type": media, **headers})


def token_of(site, name):
    accounts.add(site.store, SYSTEM, name, PHRASE, roles=["dispatcher"], scope=[CODE])
    return accounts.sign_in(site.store, name, PHRASE, hours=1).token


def until(holds):
    """Wait until something holds; the bound is for a hung test."""
    end = time.monotonic() + HUNG_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_rows_of_both_kinds_are_answered_in_order(client):
    rows = [
        {"id": "a", "lon": 118.5025, "lat": 31.705},
        {"id": 2, "address": "康宁花园2幢2单元101室"},
        {"q": "不存在路1号"},
        {"id": "b", "x": 118.5112, "y": 31.705, "crs": "gcj02"},
    ]
    response = post(client, "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode())
    assert response.status_code == 200
    assert response.headers["content-type"] == NDJSON
    assert response.headers["gridgov-plan"] == "2"
    assert int(response.headers["gridgov-version"]) > 0
    assert response.headers["cache-control"] == "no-store"
    answers = [json.loads(line) for line in response.text.splitlines()]
    assert [answer.get("id") for answer in answers] == ["a", 2, None, "b"]
    assert [answer["status"] for answer in answers] == ["match", "match", "none", "match"]
    assert [answer["grid"] for answer in answers] == [
        town.grid_code(1),
        town.grid_code(2),
        None,
        town.grid_code(1),
    ]
    assert answers[1]["building"] == "B2"


@pytest.mark.parametrize(
    ("charset", "encoding"), [("gb18030", "gb18030"), ("GBK", "gbk"), ('"utf-8"', "utf-8")]
)
def test_a_table_may_be_in_the_encodings_of_offices(client, charset, encoding):
    rows = "编号,地址\r\n甲,康宁花园1幢\r\n".encode(encoding)
    response = post(client, rows, media=f"text/csv; charset={charset}")
    (answer,) = csv.DictReader(io.StringIO(response.text))
    assert (answer["id"], answer["status"], answer["building"], answer["plan"]) == ("甲", "match", "B1", "2")
    assert response.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(
    ("sent", "accept", "answered"),
    [
        (NDJSON, TABLE, TABLE),
        (NDJSON, "*/*", NDJSON),
        (NDJSON, f"{NDJSON}, {TABLE}", NDJSON),
        (TABLE, NDJSON, NDJSON),
        (TABLE, f"application/json, {NDJSON};q=0.5", NDJSON),
    ],
)
def test_answers_are_in_the_form_that_is_accepted(client, sent, accept, answered):
    rows = SPOT if sent == NDJSON else b"lon,lat\n118.5025,31.705\n"
    response = post(client, rows, media=sent, accept=accept)
    assert response.headers["content-type"].startswith(answered)
    assert town.grid_code(1) in response.text


@pytest.mark.parametrize(
    ("rows", "media", "status"),
    [
        (b"", NDJSON, 400),
        (b"\n\n", NDJSON, 400),
        (b"", TABLE, 400),
        (b"a,b\n1,2\n", TABLE, 400),
        (b"lon,lat,x\n1,2,3\n", TABLE, 400),
        (b"\xb5\xd8\xd6\xb7\n", TABLE, 400),
        (b"\xff\xff\xff\xff\n", f"{TABLE}; charset=gb18030", 400),
        (b"address\nroad\n", f"{TABLE}; charset=latin-1", 415),
        (SPOT, "application/json", 415),
        (SPOT, "", 415),
        (SPOT, "multipart/form-data", 415),
        (b"x" * 20_000, NDJSON, 413),
        (b"address\n" + b"x" * 20_000, TABLE, 413),
        (SPOT * 10_001, NDJSON, 200),
    ],
)
def test_what_cannot_be_read_is_refused_before_an_answer(client, rows, media, status):
    response = post(client, rows, media=media)
    assert response.status_code == status
    if status != 200:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["remedy"]


def test_what_is_compressed_is_refused(client):
    assert post(client, SPOT, **{"content-encoding": "gzip"}).status_code == 415


def test_a_table_of_points_without_a_system_is_shown_in_each(client):
    response = post(client, b"lon,lat\n118.5025,31.705\n", media=TABLE, crs=None)
    assert response.status_code == 422
    assert {each["crs"] for each in response.json()["candidates"]} == {"wgs84", "cgcs2000", "gcj02", "bd09"}


@pytest.mark.parametrize(
    "query",
    [
        *("crs=mars", "crs=", "other=1", "include=sites", "district=1", "min_version=-1"),
        *("crs=wgs84&crs=gcj02", "crs=wgs84&crs=wgs84", "crs=wgs84&plan=1&plan=2", "crs=wgs84&%63rs=gcj02"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused(client, query):
    response = client.post(f"{PATH}?{query}", content=SPOT, headers={"content-type": NDJSON})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_another_instant_is_asked_of_another_plan(client):
    response = client.post(
        PATH,
        params={"crs": "wgs84", "as_of": "1999-01-01"},
        content=SPOT,
        headers={"content-type": NDJSON},
    )
    assert response.status_code == 404


def test_a_plan_may_be_named_and_a_draft_is_not_for_anybody(client):
    for plan, status in ((1, 200), (2, 200), (3, 404), (99, 404)):
        response = client.post(
            PATH,
            params={"crs": "wgs84", "plan": plan},
            content=SPOT,
            headers={"content-type": NDJSON},
        )
        assert response.status_code == status
        if status == 200:
            assert response.headers["gridgov-plan"] == str(plan)


def test_a_version_that_is_not_there_is_not_answered(client):
    response = client.post(
        PATH,
        params={"crs": "wgs84", "min_version": 10**6},
        content=SPOT,
        headers={"content-type": NDJSON},
    )
    assert (response.status_code, "retry-after" in response.headers) == (503, True)


def test_answers_come_before_all_rows_are_sent(site):
    with closing(Talk(site.port, **{"Accept-Encoding": "gzip"})) as talk:
        talk.send(SPOT * 3 + SPOT[:9])
        status, headers = talk.head()
        assert (status, "content-encoding" in headers, "content-length" in headers) == (200, False, False)
        assert [json.loads(talk.line())["status"] for _ in range(3)] == ["match"] * 3
        talk.send(SPOT[9:] + b'{"id":"last","q":"a"}')
        assert json.loads(talk.line())["grid"] == town.grid_code(1)
        talk.end()
        assert json.loads(talk.line())["id"] == "last"
        assert talk.line() == b""


def test_a_client_may_send_all_before_it_reads(site):
    rows = b'{"q":"%b"}\n' % (b"x" * 300) * 3000
    with closing(Talk(site.port)) as talk:
        for begin in range(0, len(rows), 100_000):
            talk.send(rows[begin : begin + 100_000])
        talk.end()
        assert talk.head()[0] == 200
        assert len(talk.lines()) == 3000


def test_who_is_signed_in_may_ask_more_rows(site):
    token = token_of(site, "caller")
    for most, headers in ((3000, {}), (4000, {"Authorization": f"Bearer {token}"})):
        with closing(Talk(site.port, **headers)) as talk:
            talk.send(SPOT * most)
            assert talk.head()[0] == 200
            answers = [json.loads(talk.line()) for _ in range(most)]
            assert {answer["status"] for answer in answers} == {"match"}
            talk.send(SPOT)
            last = json.loads(talk.line())
            assert (last["status"], f"{most:,}" in last["fault"]) == ("broken", True)
            assert talk.line() == b""


def test_too_many_rows_at_once_are_refused_with_their_status(serving, store):
    town.build(store)
    with serving(batch_rows_public=5) as client:
        response = post(client, SPOT * 6)
        assert (response.status_code, "5 rows" in response.json()["detail"]) == (413, True)
        assert post(client, SPOT * 5).status_code == 200
    with serving(batch_rows_public=0) as client:
        assert post(client, SPOT).status_code == 401


@pytest.mark.parametrize(
    ("media", "begin", "broken", "said"),
    [
        (NDJSON, SPOT, b"x" * 1001, "longer than 1,000 bytes"),
        (TABLE, b"lon,lat\n118.5025,31.705\n", b"\xff\xfe,31\n", "UTF-8"),
        (TABLE, b"lon,lat\n118.5025,31.705\n", b'"' + b"1\n" * 600, "longer than 1,000 bytes"),
    ],
)
def test_what_cannot_be_read_any_more_is_told_in_the_last_line(site, media, begin, broken, said):
    with closing(Talk(site.port, media=media)) as talk:
        talk.send(begin)
        assert talk.head()[0] == 200
        first = [talk.line() for _ in range(1 if media == NDJSON else 2)]
        assert town.grid_code(1).encode() in first[-1]
        talk.send(broken)
        talk.send(begin)
        (last,) = talk.lines()
        assert b"broken" in last
        assert said.encode() in last


def check_broken_off(talk, why):
    """Ask about one spot, and see that it is answered and then the batch ended."""
    talk.send(SPOT)
    assert talk.head()[0] == 200
    assert json.loads(talk.line())["status"] == "match"
    last = json.loads(talk.line())
    assert (last["status"], why in last["fault"]) == ("broken", True)


def test_a_batch_has_its_time(store):
    town.build(store)
    with served(store, batch_seconds=0.5) as site:
        with closing(Talk(site.port)) as talk:
            check_broken_off(talk, "0.5 s")
            assert talk.line() == b""
        with closing(Talk(site.port)) as talk:
            talk.send(SPOT[:5])
            assert talk.head()[0] == 408
        assert site.app.state.turns.batches == 0


def test_when_the_client_is_gone_the_batch_ends(site, caplog):
    talk = Talk(site.port)
    talk.send(SPOT)
    assert talk.head()[0] == 200
    assert site.app.state.turns.batches == 1
    talk.close()
    until(lambda: site.app.state.turns.batches == 0)
    before_any = Talk(site.port)
    before_any.send(SPOT[:5])
    until(lambda: site.app.state.turns.batches == 1)
    before_any.close()
    until(lambda: site.app.state.turns.batches == 0)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


class Narrow(Talk):
    """A client whose side of the connection takes next to nothing until it reads."""

    def connect(self, port):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(HUNG_S)
        self.socket.connect(("127.0.0.1", port))


@pytest.mark.parametrize("all_sent", [True, False])
@pytest.mark.parametrize(("idle_s", "seconds"), [(0.5, 600.0), (600.0, 1.5)])
def test_a_client_that_reads_nothing_is_cut_off(store, monkeypatch, caplog, all_sent, idle_s, seconds):
    monkeypatch.setattr(locate_batch, "IDLE_S", idle_s)
    monkeypatch.setattr(locate_batch, "GRACE_S", 0.2)
    monkeypatch.setattr(locate_batch, "AHEAD_BYTES_PUBLIC", 10**7 if all_sent else 1000)
    town.build(store)
    with (
        served(store, batch_seconds=seconds, batch_rows_public=10**6) as site,
        closing(Narrow(site.port)) as talk,
    ):
        if all_sent:
            for _ in range(20):
                talk.send(SPOT * 2000)
            talk.end()
            assert talk.head()[0] == 200
        else:
            talk.socket.settimeout(0.3)
            with suppress(OSError):
                for _ in range(400):
                    talk.send(SPOT * 2000)
                raise AssertionError("all was taken, though nothing was read")
        until(lambda: not site.server.server_state.connections)
        until(lambda: site.app.state.turns.batches == 0)
    assert "ASGI callable" not in caplog.text


def test_a_batch_gives_its_place_back_once_its_answers_are_sent(site):
    with closing(Narrow(site.port)) as talk:
        talk.send(b'{"id":"%b",%b' % (b"x" * 200, SPOT[1:]) * 3000)
        talk.end()
        assert talk.head()[0] == 200
        assert len(talk.lines()) == 3000
    until(lambda: site.app.state.turns.batches == 0)


def test_a_client_that_sends_nothing_gives_its_place_back(store, monkeypatch):
    monkeypatch.setattr(locate_batch, "IDLE_S", 0.5)
    town.build(store)
    with served(store) as site:
        with closing(Talk(site.port)) as silent:
            assert silent.head()[0] == 408
        with closing(Talk(site.port)) as talk:
            check_broken_off(talk, "0.5 s")
        until(lambda: site.app.state.turns.batches == 0)


def test_no_more_batches_than_can_be_held_and_never_all_of_them_by_anybody(site):
    staff = {"Authorization": f"Bearer {token_of(site, 'another')}"}
    talks = []
    for headers, most in (({}, AT_ONCE_PUBLIC), (staff, AT_ONCE)):
        while len(talks) < most:
            talks.append(Talk(site.port, **headers))
            talks[-1].send(SPOT)
            assert talks[-1].head()[0] == 200
        with closing(Talk(site.port, **headers)) as refused:
            refused.send(SPOT)
            status, told = refused.head()
            assert (status, "retry-after" in told) == (503, True)
    for talk in talks:
        talk.close()
    until(lambda: site.app.state.turns.batches == 0)


def test_others_are_answered_while_a_batch_waits_for_rows(site):
    with closing(Talk(site.port)) as talk, closing(Talk(site.port)) as other:
        talk.send(SPOT * 100 + b"{")
        assert talk.head()[0] == 200
        other.send(SPOT)
        assert other.head()[0] == 200
        assert b"match" in other.line()
        with closing(http.client.HTTPConnection("127.0.0.1", site.port)) as connection:
            connection.request("GET", "/api/v1/locate?lon=118.5025&lat=31.705&crs=wgs84")
            assert connection.getresponse().status == 200


def test_one_batch_is_of_one_plan_though_another_takes_over(store):
    town.build(store)
    east = b'{"lon":118.535,"lat":31.705}\n'
    with served(store) as site, closing(Talk(site.port)) as talk:
        talk.send(east)
        _, headers = talk.head()
        assert headers["gridgov-plan"] == "2"
        before = json.loads(talk.line())["grid"]
        schedule(store, 0.0)
        written(site.app.state.served, CODE, {})
        with closing(Talk(site.port)) as later:
            later.send(east)
            later.end()
            assert later.head()[1]["gridgov-plan"] == "3"
            (after,) = later.lines()
        talk.send(east * 3)
        talk.end()
        assert [json.loads(line)["grid"] for line in talk.lines()] == [before] * 3
        assert json.loads(after)["grid"] != before


def test_no_position_is_logged(client, caplog):
    caplog.set_level("DEBUG")
    post(
        client,
        b'{"lon":118.50251,"lat":31.70511}\n{"q":"secret road 5"}\n{"lon":118.50251,"lat":"31.70511"}\n',
    )
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert any(PATH in record.getMessage() for record in ours)
    assert not [record for record in ours if re.search(r"118\.50251|31\.70511|secret", record.getMessage())]


def test_it_is_described(client):
    described = client.get("/api/v1/openapi.json").json()["paths"][PATH]["post"]
    assert set(described["requestBody"]["content"]) == {NDJSON, TABLE}
    assert set(described["responses"]["200"]["content"]) == {NDJSON, TABLE}
    named = {each["name"] for each in described["parameters"]}
    assert named == {"crs", "district", "as_of", "plan", "min_version"}
