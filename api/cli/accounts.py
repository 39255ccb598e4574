"""``gridgov account``: who may sign in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from api.cli.console import JsonOption, opened, out, print_json, print_rows
from data import accounts as stored
from data.settings import Settings
from etl import accounts
from etl.accounts import ROLES
from etl.actor import operator
from geo.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help="Login name (用户名).")]
Roles = Annotated[
    list[str], typer.Option("--role", "-r", help=f"One of {', '.join(ROLES)}; may be given again (角色).")
]
Districts = Annotated[
    list[str] | None,
    typer.Option("--district", "-d", help="District code; may be given again; an admin without one has all."),
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input (从标准输入读取).")
]
Random = Annotated[bool, typer.Option("--random", help="Make a random password and print it (随机密码).")]


@app.command(
    epilog="Examples: gridgov account add wang -r planner -r approver -d 340504   ·"
    "   gridgov account add chief -r admin --random"
)
def add(
    name: Name,
    role: Roles,
    district: Districts = None,
    password_stdin: FromStdin = False,
    random: Random = False,
    json: JsonOption = False,
) -> None:
    """Add an account (新增账号)."""
    password = _password(password_stdin, random)
    with opened(Settings()) as store:
        added = accounts.add(store, operator(), name, password, roles=role, scope=district or ())
    _print([added], json, {added.name: password} if random else {})


@app.command("list", epilog="Example: gridgov account list --json")
def list_(json: JsonOption = False) -> None:
    """List the accounts (账号列表)."""
    with opened(Settings()) as store, store.read() as connection:
        known = stored.every(connection)
    _print(known, json)


@app.command(epilog="Examples: gridgov account password wang   ·   gridgov account password wang --random")
def password(name: Name, password_stdin: FromStdin = False, random: Random = False) -> None:
    """Give an account another password; it is signed out everywhere (重设密码)."""
    chosen = _password(password_stdin, random)
    with opened(Settings()) as store:
        accounts.set_password(store, operator(), name, chosen)
    if random:
        print_passwords({name: chosen})


@app.command(epilog="Example: gridgov account roles wang -r approver -d 340504")
def roles(name: Name, role: Roles, district: Districts = None, json: JsonOption = False) -> None:
    """Set an account's roles, and its districts where some are named (设置角色)."""
    with opened(Settings()) as store:
        changed = accounts.change(store, operator(), name, roles=role, scope=district)
    _print([changed], json)


@app.command(epilog="Example: gridgov account disable wang")
def disable(name: Name, json: JsonOption = False) -> None:
    """Let an account sign in no more; it is signed out everywhere (停用账号)."""
    with opened(Settings()) as store:
        changed = accounts.change(store, operator(), name, active=False)
    _print([changed], json)


@app.command(epilog="Example: gridgov account enable wang")
def enable(name: Name, json: JsonOption = False) -> None:
    """Let a disabled account sign in again (启用账号)."""
    with opened(Settings()) as store:
        changed = accounts.change(store, operator(), name, active=True)
    _print([changed], json)


def print_passwords(passwords: Mapping[str, str]) -> None:
    """Print passwords, which can be seen this once only."""
    headers = ("Account · 账号", "Password, shown this once · 密码，仅显示一次")
    print_rows("", headers, list(passwords.items()))


def _password(from_stdin: bool, random: bool) -> str:
    if from_stdin and random:
        raise InputError("A password is read or made, not both.", "Give --password-stdin or --random.")
    if random:
        return accounts.random_password()
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = typer.prompt("Password · 密码", hide_input=True, confirmation_prompt=True, err=True)
    return asked


def _print(found: list[stored.Account], json: bool, passwords: Mapping[str, str] | None = None) -> None:
    passwords = passwords or {}
    if json:
        shown = [accounts.described(account) for account in found]
        print_json([each | {"password": passwords[each["name"]]} if passwords else each for each in shown])
        return
    headers = ("Account · 账号", "Roles · 角色", "Districts · 区", "Active · 启用", "Since · 自")
    rows = [
        (
            account.name,
            ", ".join(sorted(account.roles)),
            ", ".join(sorted(account.scope)) or "all · 全部",
            "yes · 是" if account.active else "no · 否",
            account.created_at,
        )
        for account in found
    ]
    print_rows("Accounts · 账号", headers, rows)
    if passwords:
        out.print()
        print_passwords(passwords)
