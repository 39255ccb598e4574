"""Accounts: who may be given one, how somebody signs in, what is on record."""

from __future__ import annotations

import re
from datetime import timedelta

import argon2
import pytest
from argon2 import PasswordHasher, low_level
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from data import accounts as stored
from data import audit
from data.session import Store
from etl import accounts
from etl.actor import SYSTEM, Actor
from geo.errors import ConflictError, ForbiddenError, InputError, NotFoundError, SignInError
from tests.settle import settle

HERE, THERE = "990001", "990002"
PHRASE = "correct horse battery"
CHIEF = Actor("chief", frozenset({"admin"}))
LOCAL = Actor("local", frozenset({"admin"}), frozenset({HERE}))


@pytest.fixture
def store(database_url):
    store = Store(database_url)
    settle(store, HERE, communities=1, side=1)
    settle(store, THERE, communities=1, side=1)
    yield store
    store.close()


@pytest.fixture
def planner(store):
    return accounts.add(store, CHIEF, "planner", PHRASE, roles=["planner"], scope=[HERE])


def recorded(store) -> list[audit.Entry]:
    with store.read() as connection:
        return audit.entries(connection, "")


def test_who_signs_in_is_who_the_token_says(store, planner):
    made = accounts.sign_in(store, "Ｐlanner ", PHRASE, hours=1)
    found = accounts.signed_in(store, made.token)
    assert (found.account, found.expires_at) == (planner, made.expires_at)
    assert accounts.actor_of(found.account) == Actor("planner", frozenset({"planner"}), frozenset({HERE}))
    accounts.sign_out(store, CHIEF, made.token)
    with pytest.raises(SignInError):
        accounts.signed_in(store, made.token)


@pytest.mark.parametrize("name", ["planner", "nobody", "disabled"])
def test_every_refusal_is_the_same_and_costs_one_hash(store, planner, monkeypatch, name):
    accounts.add(store, CHIEF, "disabled", PHRASE, roles=["planner"], scope=[HERE])
    accounts.change(store, CHIEF, "disabled", active=False)
    costs = []
    for hashing in ("hash_secret", "verify_secret"):
        work = getattr(low_level, hashing)
        counted = lambda *given, _work=work, **named: (costs.append(1), _work(*given, **named))[1]  # noqa: E731
        monkeypatch.setattr(argon2._password_hasher, hashing, counted)
    given = PHRASE if name == "disabled" else "another password"
    with pytest.raises(SignInError, match="The name or the password is not right") as refused:
        accounts.sign_in(store, name, given, hours=1)
    assert name not in str(refused.value)
    assert len(costs) == 1


def test_a_token_expires(store, planner):
    made = accounts.sign_in(store, "planner", PHRASE, hours=1)
    with store.begin() as connection:
        stored.sign_out(connection, accounts._digest(made.token))
        stored.sign_in(connection, planner.id, accounts._digest(made.token), timedelta(0))
    with pytest.raises(SignInError):
        accounts.signed_in(store, made.token)


def test_neither_passwords_nor_tokens_are_stored_or_recorded(store, planner):
    made = accounts.sign_in(store, "planner", PHRASE, hours=1)
    accounts.set_password(store, CHIEF, "planner", "another " + PHRASE)
    with store.read() as connection:
        kept = " ".join(
            str(row)
            for table in ("accounts", "sign_ins", "audit")
            for row in connection.execute(text(f"SELECT t::text FROM {table} t"))
        )
    assert "$argon2id$" in kept
    assert PHRASE not in kept
    assert made.token not in kept


def test_a_new_password_or_a_disabled_account_signs_out_everywhere(store, planner):
    first = accounts.sign_in(store, "planner", PHRASE, hours=1)
    accounts.set_password(store, CHIEF, "planner", "another " + PHRASE)
    with pytest.raises(SignInError):
        accounts.sign_in(store, "planner", PHRASE, hours=1)
    second = accounts.sign_in(store, "planner", "another " + PHRASE, hours=1)
    accounts.change(store, CHIEF, "planner", active=False)
    accounts.change(store, CHIEF, "planner", active=True)
    for made in (first, second):
        with pytest.raises(SignInError):
            accounts.signed_in(store, made.token)


def test_changed_rights_hold_at_once(store, planner):
    made = accounts.sign_in(store, "planner", PHRASE, hours=1)
    accounts.change(store, CHIEF, "planner", roles=["approver"], scope=[THERE])
    account = accounts.signed_in(store, made.token).account
    assert (account.roles, account.scope) == ({"approver"}, {THERE})


def test_a_hash_of_weaker_parameters_is_made_anew_at_the_next_sign_in(store, planner, monkeypatch):
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher())
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PHRASE)
    with store.begin() as connection:
        stored.set_password(connection, planner.id, weak)
    accounts.sign_in(store, "planner", PHRASE, hours=1)
    with store.read() as connection:
        kept = stored.find(connection, "planner").password_hash
    assert kept != weak
    assert not PasswordHasher().check_needs_rehash(kept)
    assert accounts.sign_in(store, "planner", PHRASE, hours=1).account.name == "planner"


@pytest.mark.parametrize(
    ("error", "change"),
    [
        (InputError, {"name": "a"}),
        (InputError, {"name": "two words"}),
        (InputError, {"name": "operator:root"}),
        (InputError, {"name": "System"}),
        (InputError, {"password": "nine char"}),
        (InputError, {"password": "x" * 201}),
        (InputError, {"roles": []}),
        (InputError, {"roles": ["planner", "king"]}),
        (InputError, {"scope": []}),
        (NotFoundError, {"scope": ["990009"]}),
        (ConflictError, {"name": "PLANNER"}),
    ],
)
def test_what_cannot_be_an_account_is_refused(store, planner, error, change):
    wanted = {"name": "wang", "password": PHRASE, "roles": ["planner"], "scope": [HERE]} | change
    with pytest.raises(error):
        accounts.add(store, CHIEF, wanted.pop("name"), wanted.pop("password"), **wanted)
    assert len(recorded(store)) == 1


def test_an_admin_of_a_district_manages_its_accounts_only(store, planner):
    accounts.add(store, LOCAL, "wang", PHRASE, roles=["admin"], scope=[HERE])
    elsewhere = accounts.add(store, CHIEF, "elsewhere", PHRASE, roles=["planner"], scope=[HERE, THERE])
    everywhere = accounts.add(store, CHIEF, "everywhere", PHRASE, roles=["admin"])
    for account in (elsewhere, everywhere):
        with pytest.raises(ForbiddenError):
            accounts.set_password(store, LOCAL, account.name, PHRASE)
        with pytest.raises(ForbiddenError):
            accounts.change(store, LOCAL, account.name, active=False)
    for scope in ([], [THERE], [HERE, THERE]):
        with pytest.raises(ForbiddenError):
            accounts.add(store, LOCAL, "new", PHRASE, roles=["admin"], scope=scope)
        with pytest.raises(ForbiddenError):
            accounts.change(store, LOCAL, "wang", scope=scope)


def test_every_act_is_recorded_with_what_changed(store, planner):
    accounts.change(store, LOCAL, "planner", roles=["planner", "approver"])
    accounts.change(
        store, LOCAL, "planner", roles=["planner", "approver"]
    )  # nothing changes, nothing is recorded
    accounts.set_password(store, SYSTEM, "planner", PHRASE)
    made = accounts.sign_in(store, "planner", PHRASE, hours=1)
    accounts.sign_out(store, accounts.actor_of(made.account), made.token)
    entries = recorded(store)[::-1]
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("chief", "account.add"),
        ("local", "account.change"),
        ("system", "account.password"),
        ("planner", "session.open"),
        ("planner", "session.close"),
    ]
    assert {entry.subject for entry in entries} == {"account planner"}
    rights = {"roles": ["planner"], "scope": [HERE], "active": True}
    assert (entries[1].before, entries[1].after) == (rights, rights | {"roles": ["approver", "planner"]})


@given(name=st.text(max_size=70))
def test_any_name_is_taken_or_refused(name):
    try:
        folded = accounts._name(name)
    except InputError:
        return
    assert re.fullmatch(r"[\w@.-]{2,64}", folded)
    assert accounts._name(folded) == folded
