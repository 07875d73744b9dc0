"""`clusterqa keys`: API keys, from the machine that the server runs on. The desk has the same page for administrators."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from clusterqa.cli.common import echo, json_option, remark, settings_options, staff_database, who

if TYPE_CHECKING:
    from clusterqa.settings import Settings
    from clusterqa.staff.keys import Key, Keys


@click.group()
def keys() -> None:
    """The keys of programs that ask over HTTP. All of it holds in a running server at once."""


limit_option = click.option("--limit", type=int, metavar="N", help="Questions a minute; 0 is no limit.")
site_option = click.option(
    "--site", "sites", multiple=True, metavar="URL", help="A site whose pages may use the key; may be repeated."
)


@keys.command()
@settings_options
@json_option
@click.argument("name")
@limit_option
@site_option
def add(settings: Settings, name: str, limit: int | None, sites: tuple[str, ...], as_json: bool) -> None:
    """
    Make a key and print it, this once. Without --limit it may ask as often as anybody.

    \b
    clusterqa keys add portal --limit 600
    clusterqa keys add "search of our site" --site https://www.example.lt
    """
    with opened(settings) as book:
        key, secret = book.add(name, settings.rate_limit if limit is None else limit, " ".join(sites), who())
    if as_json:
        echo(json.dumps({**as_data(key), "key": secret}, ensure_ascii=False, indent=2))
        return
    remark(f"Added: {told(key)}. Sent with every request as “Authorization: Bearer KEY”; it is shown only now:")
    echo(secret)


@keys.command("list")
@settings_options
@json_option
def list_keys(settings: Settings, as_json: bool) -> None:
    """List the keys with their limits, sites and last use. A key itself is known to nobody any more."""
    with opened(settings) as book:
        known = book.everyone()
    if as_json:
        echo(json.dumps([as_data(key) for key in known], ensure_ascii=False, indent=2))
        return
    if not known:
        remark("There is no key yet. Make one with: clusterqa keys add NAME")
    for key in known:
        used = f"last used {key.used_at:%Y-%m-%d %H:%M} UTC" if key.used_at else "never used"
        echo(f"{told(key)}  [{key.beginning}…]  {used}")


@keys.command()
@settings_options
@click.argument("name")
@limit_option
@site_option
@click.option("--no-sites", is_flag=True, help="No page of another site may use it any more.")
def change(settings: Settings, name: str, limit: int | None, sites: tuple[str, ...], no_sites: bool) -> None:
    """Give a key another limit or other sites (all of them). The key stays as it is."""
    if limit is None and not sites and not no_sites:
        raise click.UsageError("Say what is to change: --limit, --site or --no-sites.")
    if sites and no_sites:
        raise click.UsageError("Give --site or --no-sites, not both.")
    with opened(settings) as book:
        key = book.named(name)
        wanted = sites if sites or no_sites else key.origins
        book.change(key.id, key.rate_limit if limit is None else limit, " ".join(wanted), who())
        key = book.find(key.id)
    echo(f"Changed: {told(key)}")


@keys.command()
@settings_options
@click.argument("name")
def remove(settings: Settings, name: str) -> None:
    """Revoke a key; its next request is refused. That there was one stays in the activity log."""
    with opened(settings) as book:
        key = book.revoke(book.named(name).id, who())
    echo(f"Removed: {key.name}")


@contextmanager
def opened(settings: Settings) -> Iterator[Keys]:
    from clusterqa.staff.keys import Keys

    with staff_database(settings) as (database, audit):
        yield Keys(database, audit)


def told(key: Key) -> str:
    limit = f"{key.rate_limit} questions a minute" if key.rate_limit else "no limit"
    return ", ".join([f"{key.name} ({limit})", *key.origins])


def as_data(key: Key) -> dict[str, Any]:
    return {
        "name": key.name,
        "beginning": key.beginning,
        "rate_limit": key.rate_limit,
        "origins": key.origins,
        "made_by": key.made_by,
        "made_at": key.made_at.isoformat(),
        "used_at": key.used_at.isoformat() if key.used_at else None,
    }
