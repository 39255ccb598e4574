"""Aliases over HTTP and the command line: what two people agree on is found from the answer on."""

from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from api.cli.main import app as commands
from data import versions
from etl import accounts
from etl.actor import SYSTEM
from tests import town

DISTRICT = "340504"
PHRASE = "a password that is long"
NAME = "老纺织厂宿舍"
ASKED = f"{NAME}1幢"


@pytest.fixture
def tokens(store):
    town.build(store)
    roles = {"one": "dispatcher", "other": "dispatcher", "planner": "planner", "approver": "approver"}
    for name, role in roles.items():
        accounts.add(store, SYSTEM, name, PHRASE, roles=[role], scope=[DISTRICT])
    return {name: accounts.sign_in(store, name, PHRASE, hours=1).token for name in roles}


@pytest.fixture
def client(tokens, serving):
    with serving() as client:
        yield client


@pytest.fixture
def act(client, tokens):
    """Ask as somebody."""

    def ask(who: str, path: str = "", key: str | None = None, **body):
        headers = {"Authorization": f"Bearer {tokens[who]}"} | ({"Idempotency-Key": key} if key else {})
        return client.post(f"/api/v1/aliases{path}", json=body or None, headers=headers)

    return ask


def found(client, q: str = ASKED, **params) -> tuple[str, str | None]:
    answer = client.get("/api/v1/resolve", params={"q": q, **params}).json()
    return answer["status"], (answer["building"] or {}).get("external_code")


def test_a_correction_is_found_when_two_agree_and_not_before_nor_after(client, act):
    nothing = found(client)
    assert nothing[1] is None
    proposed = act("one", words=ASKED, compound="X1")
    assert (proposed.status_code, proposed.json()["state"], proposed.json()["words"]) == (
        201,
        "proposed",
        NAME,
    )
    number = proposed.json()["number"]
    assert found(client) == nothing
    assert act("one", f"/{number}/confirm").status_code == 403
    confirmed = act("other", f"/{number}/confirm")
    assert confirmed.json()["state"] == "in_force"
    assert found(client) == ("match", "B1")
    assert found(client, f"{NAME}2幢2单元") == ("match", "B2")
    assert found(client, min_version=confirmed.json()["data_version"]) == ("match", "B1")
    assert act("one", f"/{number}/withdraw").json()["state"] == "withdrawn"
    assert found(client) == nothing


def test_a_building_is_found_by_its_alias(client, act):
    assert found(client, "老粮站")[1] is None
    assert act("planner", words="老粮站", building="B4").json()["state"] == "in_force"
    assert found(client, "老粮站") == ("match", "B4")
    assert found(client, "雨山区老粮站") == ("match", "B4")


def test_the_alias_of_what_an_import_retires_is_quiet_and_comes_back_with_it(client, store, act):
    act("planner", words="老粮站", building="B4")

    def retire(at: str) -> None:
        with store.begin(DISTRICT) as connection:
            connection.execute(text(f"UPDATE buildings SET retired_at = {at} WHERE external_code = 'B4'"))
            versions.advance(connection, DISTRICT, versions.LOCATE)
        client.app.state.served.catch_up(DISTRICT)

    retire("now()")
    assert found(client, "老粮站")[1] is None
    retire("NULL")
    assert found(client, "老粮站") == ("match", "B4")


def test_a_name_that_a_ledger_brings_for_something_else_is_ambiguous_from_then_on(client, store, act):
    number = act("planner", words="老粮站", building="B4").json()["number"]
    with store.begin(DISTRICT) as connection:
        connection.execute(text("UPDATE buildings SET poi = '老粮站' WHERE external_code = 'B5'"))
        versions.advance(connection, DISTRICT, versions.LOCATE)
    client.app.state.served.catch_up(DISTRICT)
    assert found(client, "老粮站") == ("ambiguous", None)
    act("one", f"/{number}/withdraw")
    assert found(client, "老粮站") == ("match", "B5")


def test_a_name_is_taken_out_of_the_address_that_was_asked(client, act, store):
    asked = "请问雨山区湖东路166号老纺织厂宿舍3幢2单元501室 王先生 13800000000"
    done = act("planner", q=asked, compound="X1")
    assert (done.status_code, done.json()["words"]) == (201, NAME)
    assert found(client) == ("match", "B1")
    with store.begin(DISTRICT) as connection:
        stored = "".join(connection.scalars(text("SELECT a::text FROM aliases a")))
    assert "湖东路" not in stored
    everything_known = act("planner", q="湖东路166号康宁花园3幢", compound="X1")
    assert (everything_known.status_code, "no name" in everything_known.json()["detail"]) == (400, True)


REFUSED = (
    (400, {"words": "12号楼", "compound": "X1"}),
    (400, {"words": "王先生 13800000000", "compound": "X1"}),
    (400, {"words": NAME}),
    (400, {"compound": "X1"}),
    (400, {"words": NAME, "q": NAME, "compound": "X1"}),
    (400, {"words": NAME, "compound": "X1", "building": "B1"}),
    (400, {"words": "<script>alert(1)</script>; DROP TABLE aliases", "compound": "X1"}),
    (400, {"words": "\U0001f600\U0001f600", "compound": "X1"}),
    (404, {"words": NAME, "compound": "X9"}),
    (409, {"words": "碧水小区", "compound": "X1"}),
    (409, {"words": "湖东路", "building": "B4"}),
    (422, {"words": "", "compound": "X1"}),
    (422, {"words": "老" * 501, "compound": "X1"}),
    (422, {"words": "老\x00粮站", "compound": "X1"}),
    (422, {"words": 7, "compound": "X1"}),
    (422, {"words": NAME, "compound": "X1", "state": "in_force"}),
)


def test_what_cannot_be_an_alias_is_told_and_changes_nothing(client, act):
    for status, body in REFUSED:
        answer = act("planner", **body)
        assert answer.status_code == status, body
        assert answer.headers["content-type"] == "application/problem+json"
        if status == 400:
            assert body.get("words", "?") not in answer.text
    assert act("planner", f"/{2**31}/confirm").status_code == 422
    assert listed(client, act) == []


def listed(client, act, **params):
    headers = act("one").request.headers
    answer = client.get("/api/v1/aliases", params=params, headers={"Authorization": headers["Authorization"]})
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()["aliases"]


def test_aliases_are_listed_by_state_the_newest_first(client, act):
    act("one", words=NAME, compound="X1")
    second = act("planner", words="老粮站", building="B4").json()["number"]
    assert [alias["words"] for alias in listed(client, act)] == ["老粮站", NAME]
    assert [alias["words"] for alias in listed(client, act, state="proposed")] == [NAME]
    assert [alias["words"] for alias in listed(client, act, before=second)] == [NAME]
    (first,) = listed(client, act, limit=1)
    assert (first["noun"], first["code"], first["name"], first["quiet"]) == (
        "building",
        "B4",
        "安徽省雨山区健康路38号",
        False,
    )


def test_a_repeated_request_is_carried_out_once(client, act):
    sent = [act("one", key="0123456789", words=NAME, compound="X1").json() for _ in range(2)]
    assert sent[0]["number"] == sent[1]["number"]
    number = sent[0]["number"]
    assert [act("other", f"/{number}/confirm", "abcdefgh").status_code for _ in range(2)] == [200, 200]
    assert [act("other", f"/{number}/withdraw", "ijklmnop").status_code for _ in range(2)] == [200, 200]
    assert act("other", f"/{number}/withdraw").status_code == 409


def test_of_two_names_proposed_at_once_for_two_things_one_is_kept(client, act):
    answers = []
    both = threading.Barrier(2)

    def propose(who: str, code: str) -> None:
        both.wait()
        answers.append(act(who, words=NAME, compound=code).status_code)

    threads = [threading.Thread(target=propose, args=pair) for pair in (("one", "X1"), ("other", "X2"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409]
    assert len(listed(client, act)) == 1


def test_the_command_line_proposes_lists_and_withdraws(store, tokens, database_url, monkeypatch):
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", database_url)

    def run(*words: str):
        return CliRunner().invoke(commands, ["alias", *words])

    done = json.loads(run("propose", ASKED, "--compound", "X1", "--json").stdout)
    assert (done["state"], done["words"]) == ("in_force", NAME)
    assert "生效" in run("list").stdout
    inside = run("propose", "--in", "健康路老粮站旁边", "--building", "B4", "--json")
    assert json.loads(inside.stdout)["words"] == "老粮站"
    assert type(run("propose", "--building", "B4").exception).__name__ == "InputError"
    answer = json.loads(CliRunner().invoke(commands, ["locate", "address", ASKED, "--json"]).stdout)
    assert answer["building"]["external_code"] == "B1"
    assert "已撤销" in run("withdraw", str(done["number"])).stdout
    (left,) = json.loads(run("list", "--state", "in_force", "--json").stdout)
    assert left["words"] == "老粮站"
    assert type(run("confirm", str(done["number"])).exception).__name__ == "ConflictError"
    assert type(run("list", "--state", "lost").exception).__name__ == "InputError"
