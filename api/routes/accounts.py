"""Accounts of staff, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from api.auth import Acting
from api.params import API, Plain, Serving
from data import accounts as stored
from etl import accounts
from etl.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD

router = APIRouter(prefix=API, tags=["accounts"])

Word = Annotated[str, Field(min_length=1, max_length=64), Plain]
Roles = Annotated[list[Word], Field(max_length=20, examples=[["planner", "approver"]])]
Scope = Annotated[
    list[Word],
    Field(max_length=1000, description="Codes of districts; empty means all.", examples=[["340504"]]),
]
Password = Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD), Plain]
AccountName = Annotated[str, Path(min_length=1, max_length=64, description="Login name."), Plain]


class Account(BaseModel):
    """Account of somebody who can sign in."""

    name: str = Field(examples=["planner"])
    roles: list[str] = Field(examples=[["planner"]])
    scope: list[str] = Field(description="Districts it may act on; empty means all.", examples=[["340504"]])
    active: bool
    created_at: datetime


class Accounts(BaseModel):
    """Accounts, by name."""

    accounts: list[Account]


class NewAccount(BaseModel):
    """What an account is made of."""

    name: Word
    password: Password
    roles: Roles
    scope: Scope = []


class Rights(BaseModel):
    """What changes of an account; what is left out stays."""

    roles: Roles | None = None
    scope: Scope | None = None
    active: bool | None = None


class NewPassword(BaseModel):
    """Password an account gets."""

    password: Password


@router.get("/accounts", summary="Accounts (账号)")
def every(response: Response, state: Serving, actor: Acting) -> Accounts:
    """List the accounts within the districts of whoever asks."""
    response.headers["Cache-Control"] = "no-store"
    with state.store.read() as connection:
        known = stored.every(connection)
    return Accounts(accounts=[_shown(each) for each in known if accounts.may_manage(actor, each.scope)])


@router.post("/accounts", summary="Add an account (新增账号)", status_code=201)
def add(state: Serving, actor: Acting, given: NewAccount) -> Account:
    """Add an account."""
    return _shown(
        accounts.add(state.store, actor, given.name, given.password, roles=given.roles, scope=given.scope)
    )


@router.patch("/accounts/{name}", summary="Change an account's rights (调整权限)")
def change(state: Serving, actor: Acting, name: AccountName, given: Rights) -> Account:
    """Change roles and districts, disable or enable; it holds from the account's next request on."""
    return _shown(accounts.change(state.store, actor, name, **given.model_dump()))


@router.put("/accounts/{name}/password", summary="Set an account's password (重设密码)", status_code=204)
def set_password(state: Serving, actor: Acting, name: AccountName, given: NewPassword) -> None:
    """Give an account another password; it is signed out everywhere."""
    accounts.set_password(state.store, actor, name, given.password)


def _shown(account: stored.Account) -> Account:
    return Account(**accounts.described(account))
