"""`clusterqa staff`: the accounts of the staff desk, from the machine it runs on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from clusterqa import extras
from clusterqa.cli.common import echo, json_option, settings_options, staff_database, who

if TYPE_CHECKING:
    from clusterqa.settings import Settings
    from clusterqa.staff.accounts import Accounts

Command = Callable[..., Any]


@click.group()
def staff() -> None:
    """The people who may use the staff desk."""


@staff.command()
@settings_options
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["editor", "administrator"]),
    help="What the account may do.  [default: administrator for the first account, editor for the others]",
)
def add(settings: Settings, name: str, role: str | None) -> None:
    """
    Make an account. Its password is asked for, or read from stdin.

    \b
    clusterqa staff add rasa
    clusterqa staff add jonas --role administrator < password.txt
    """
    with accounts(settings) as book:
        wanted = role or ("editor" if book.exist() else "administrator")
        made = book.add(name, new_password(name), wanted, who())  # type: ignore[arg-type]
    echo(f"Added: {made.name} ({made.role}). Log in at /staff")


@staff.command("list")
@settings_options
@json_option
def list_accounts(settings: Settings, as_json: bool) -> None:
    """List the accounts, with their roles and last log-ins."""
    with accounts(settings) as book:
        people = book.everyone()
    if as_json:
        rows = [
            {
                "name": person.name,
                "role": person.role,
                "added_at": person.added_at.isoformat(),
                "seen_at": person.seen_at.isoformat() if person.seen_at else None,
            }
            for person in people
        ]
        echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not people:
        echo("There is no account yet. Make one with: clusterqa staff add NAME", err=True)
    for person in people:
        seen = f"last logged in {person.seen_at:%Y-%m-%d %H:%M} UTC" if person.seen_at else "never logged in"
        echo(f"{person.name}  [{person.role}]  {seen}")


@staff.command()
@settings_options
@click.argument("name")
def remove(settings: Settings, name: str) -> None:
    """Remove an account; it is logged out at once. What it did stays in the activity log."""
    with accounts(settings) as book:
        name = book.find(name).name
        book.remove(name, who())
    echo(f"Removed: {name}")


@staff.command()
@settings_options
@click.argument("name")
def password(settings: Settings, name: str) -> None:
    """Change a password. It is asked for, or read from stdin; logs the account out and lifts its lock."""
    with accounts(settings) as book:
        name = book.find(name).name  # before the password is asked for in vain
        book.set_password(name, new_password(name), who())
    echo(f"Changed: the password of {name}")


@staff.command("factor-off")
@settings_options
@click.argument("name")
def factor_off(settings: Settings, name: str) -> None:
    """Ask an account for no code any more. For when its telephone and its recovery codes are lost."""
    extras.need("staff", "The staff desk")
    from clusterqa.staff.accounts import Accounts
    from clusterqa.staff.factor import Factors

    with staff_database(settings) as (database, audit):
        book = Accounts(database, audit)
        account = book.find(name)
        Factors(database, audit, book).remove(account, who())
    echo(f"Off: {account.name} logs in with the password alone")


@staff.command()
@settings_options
@json_option
@click.option("--verify", is_flag=True, help="Prove that no line was changed, replaced or cut off.")
@click.option("--noted", default="", metavar="END", help="With --verify: an end of the chain as it was noted earlier.")
def log(settings: Settings, as_json: bool, verify: bool, noted: str) -> None:
    """
    Print the activity log, oldest line first, or verify it.

    \b
    clusterqa staff log --json > log.jsonl
    clusterqa staff log --verify --noted 12:5f0c…
    """
    if verify:
        check_log(settings, noted)
        return
    from clusterqa.staff.audit import export

    for line in export(settings.home):
        if as_json:
            echo(json.dumps(line, ensure_ascii=False))
        else:
            echo("  ".join(str(line[name]) for name in ("id", "at", "who", "what", "target", "detail") if line[name]))


def check_log(settings: Settings, noted: str) -> None:
    """Print what `audit.verify` finds; a ClickException when the log is not whole."""
    from clusterqa.staff.audit import verify

    verdict = verify(settings.home, noted)
    if verdict is None:
        echo("There is no activity log here yet.", err=True)
        return
    if verdict.faults:
        raise click.ClickException("The activity log is not whole.\n" + "\n".join(verdict.faults))
    echo(f"Whole: {verdict.lines} lines. The end of the chain, to be noted elsewhere: {verdict.end}")


@contextmanager
def accounts(settings: Settings) -> Iterator[Accounts]:
    extras.need("staff", "The staff desk")
    from clusterqa.staff.accounts import Accounts

    with staff_database(settings) as (database, audit):
        yield Accounts(database, audit)


def new_password(name: str) -> str:
    """A password typed twice without being shown, or the first line of stdin where nobody sits at a terminal."""
    if sys.stdin.isatty():
        return str(click.prompt(f"New password for {name}", hide_input=True, confirmation_prompt="Once more", err=True))
    return sys.stdin.readline().rstrip("\r\n")
