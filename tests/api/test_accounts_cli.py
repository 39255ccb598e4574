"""Accounts and the audit by the command line."""

from __future__ import annotations

import io
import json
import sys

import pytest

from api.cli.demo import staff
from api.cli.main import main
from data.session import Store
from etl import accounts
from etl.accounts import ROLES
from etl.actor import SYSTEM
from etl.demo import DISTRICT_CODE
from geo.errors import ForbiddenError, SignInError
from tests.settle import settle

DISTRICT = "990001"
PHRASE = "correct horse battery"


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    settle(store, DISTRICT, communities=1, side=1)
    yield store
    store.close()


@pytest.fixture
def gridgov(store, database_url, monkeypatch, capfd):
    """Run a command as a user would: exit code, what it printed, what it complained of."""
    monkeypatch.setenv("GRIDGOV_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gridgov", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capfd.readouterr()

    return run


def test_an_account_from_the_first_day_to_the_last(gridgov, store):
    wanted = ("wang", "-r", "planner", "-r", "approver", "-d", DISTRICT)
    assert gridgov("account", "add", *wanted, "--password-stdin", given=f"{PHRASE}\n")[0] == 0
    assert accounts.sign_in(store, "wang", PHRASE, hours=1).account.roles == {"planner", "approver"}
    code, printed, _ = gridgov("account", "password", "wang", "--random")
    random = printed.split()[-1]
    assert (code, accounts.sign_in(store, "wang", random, hours=1).account.name) == (0, "wang")
    assert gridgov("account", "roles", "wang", "-r", "auditor")[0] == 0
    assert gridgov("account", "disable", "wang")[0] == 0
    with pytest.raises(SignInError):
        accounts.sign_in(store, "wang", random, hours=1)
    (listed,) = json.loads(gridgov("account", "list", "--json")[1])
    assert (listed["roles"], listed["scope"], listed["active"]) == (["auditor"], [DISTRICT], False)
    assert gridgov("account", "enable", "wang")[0] == 0
    acts = json.loads(gridgov("audit", "--accounts", "--subject", "account wang", "--json")[1])
    assert {act["actor"].partition(":")[0] for act in acts if act["action"].startswith("account")} == {
        "operator"
    }
    assert random not in json.dumps(acts)


@pytest.mark.parametrize(
    ("words", "given", "code", "told"),
    [
        (("add", "wang", "-r", "planner", "-d", DISTRICT, "--password-stdin"), "short\n", 2, "10 to 200"),
        (("add", "wang", "-r", "king", "-d", DISTRICT, "--random"), "", 2, "planner, approver"),
        (("add", "wang", "-r", "planner", "--random"), "", 2, "Only an admin"),
        (("add", "wang", "-r", "planner", "-d", "990009", "--random"), "", 3, DISTRICT),
        (("add", "wang", "-r", "admin", "--random", "--password-stdin"), "", 2, "not both"),
        (("disable", "nobody"), "", 3, "gridgov account list"),
    ],
)
def test_what_cannot_be_is_told_in_one_message(gridgov, words, given, code, told):
    ran = gridgov("account", *words, given=given)
    assert (ran[0], told in ran[2], "Traceback" in ran[2]) == (code, True, False)
    assert json.loads(gridgov("account", "list", "--json")[1]) == []


def test_the_audit_of_a_district_is_shown(gridgov):
    assert gridgov("audit", "-d", DISTRICT)[0] == 0
    assert json.loads(gridgov("audit", "--json")[1]) == []


@pytest.mark.parametrize(
    "words", [("audit",), *(("account", verb) for verb in ("add", "list", "password", "roles"))]
)
def test_help_comes_with_an_example(gridgov, words):
    code, printed, _ = gridgov(*words, "--help")
    assert (code, "Example" in printed) == (0, True)


def test_each_start_of_the_demo_gives_every_role_a_new_password(store):
    settle(store, DISTRICT_CODE, communities=1, side=1)
    first, second = staff(store), staff(store)
    assert set(first) == set(ROLES)
    for role in ("admin", "worker"):
        account = accounts.sign_in(store, role, second[role], hours=1).account
        assert (account.roles, account.scope) == ({role}, {DISTRICT_CODE})
        with pytest.raises(SignInError):
            accounts.sign_in(store, role, first[role], hours=1)


def test_the_demo_leaves_alone_whom_another_district_knows(store):
    settle(store, DISTRICT_CODE, communities=1, side=1)
    accounts.add(store, SYSTEM, "planner", PHRASE, roles=["planner"], scope=[DISTRICT])
    with pytest.raises(ForbiddenError):
        staff(store)
    assert accounts.sign_in(store, "planner", PHRASE, hours=1).account.scope == {DISTRICT}
