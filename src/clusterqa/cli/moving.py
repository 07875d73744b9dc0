"""`clusterqa move`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clusterqa.cli.common import echo, settings_options
from clusterqa.errors import SettingsError

if TYPE_CHECKING:
    from clusterqa.settings import Home, Settings


@click.command()
@settings_options
@click.option("--from", "source", required=True, metavar="PLACE", help="Where everything is.")
@click.option("--to", "target", required=True, metavar="PLACE", help="An empty place.")
def move(settings: Settings, source: str, target: str) -> None:
    """
    Copy everything to another place. Documents, versions, passages, accounts and journal; all are held to their checksums.

    A PLACE is "sqlite", in the data folder; "sqlite:FOLDER", in another; or "postgresql://user@host/database". What was cut off
    goes on with the same command. Nothing is deleted, and the setting `store` is yours to change.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from clusterqa import moving
    from clusterqa.store import shown

    places = _place(settings, source, "--from"), _place(settings, target, "--to")
    with Progress(
        TextColumn("Moving documents"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task("", total=None)
        moved = moving.move(*places, lambda done, total: bar.update(task, completed=done, total=total))
    told = ", ".join(f"{moved.counts[name]} {name}" for name in ("documents", "versions", "passages"))
    kept = {"accounts": "accounts", "audit": "lines of the activity log", "questions": "questions of the journal"}
    told += "".join(f", {moved.kept[table]} {words}" for table, words in kept.items() if table in moved.kept)
    echo(
        f"Moved to {shown(places[1])}: {told}; {moved.copied} documents were copied now. Every checksum is right. "
        "Name the place in the setting store."
    )


def _place(settings: Settings, text: str, option: str) -> Home:
    from clusterqa.settings import IN_A_FILE, Home

    if text.startswith(("postgresql://", "postgres://")):
        return Home(settings.data, text)
    kind, _, folder = text.partition(":")
    if kind != IN_A_FILE or text == f"{IN_A_FILE}:":
        raise SettingsError(
            f'{option} is no place. Write "{IN_A_FILE}", "{IN_A_FILE}:FOLDER" or "postgresql://user@host/database".'
        )
    return Home(Path(folder).expanduser() if folder else settings.data)
