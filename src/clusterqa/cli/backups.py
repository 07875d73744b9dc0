"""`clusterqa backup` and `restore`."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clusterqa.cli import common
from clusterqa.cli.common import echo, settings_options
from clusterqa.errors import ClusterQAError

if TYPE_CHECKING:
    from clusterqa.backup import Backup
    from clusterqa.settings import Settings


@click.command()
@settings_options
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Write over an earlier file of this name.")
@click.option(
    "--check", "check_only", is_flag=True, help="Make none: read one that is there, and hold it to its digests."
)
def backup(settings: Settings, file: Path, replace: bool, check_only: bool) -> None:
    """
    Save everything into one file. Documents, drafts, index, journal, accounts and settings.

    A server may run meanwhile. The file holds secrets: keep it where only you can read it.
    """
    from clusterqa.backup import check, save

    if check_only:
        found = check(file)
        echo(f"Whole: {_told(found)}, made at {found.made_at} by clusterqa {found.version}.")
        return
    made = save(settings, file, replace=replace)
    for line in made.left_out:
        common.remark(f"Left out: {line}")
    echo(f"Saved: {file} ({_told(made)}). Put it back with: clusterqa restore {file}")


@click.command()
@settings_options
@click.argument("backup", metavar="DOCUMENT_OR_BACKUP")
@click.option("--replace", is_flag=True, help="Put a backup in the place of everything that is here.")
def restore(settings: Settings, backup: str, replace: bool) -> None:
    """Bring a removed document back, or what `backup` saved."""
    from clusterqa.corpus import folder as corpus_folder

    document = unicodedata.normalize("NFC", backup)
    known = set(corpus_folder.removed(settings))
    if settings.corpus.is_dir():  # one that came back already is no backup, whatever lies here under its name
        known |= {name for name, _ in corpus_folder.corpus_files(settings)}
    if document in known or not Path(backup).is_file():
        if replace or Path(backup).suffix == ".zip":
            raise ClusterQAError(
                f"There is no backup {backup}. Name the file that was made with: clusterqa backup FILE"
            )
        moved = corpus_folder.restore(settings, document)
        report = common.update_index(settings)
        echo(f"{'Restored' if moved or document in report.added else 'There already'}: {document}")
        return
    _restore_backup(settings, Path(backup), replace)


def _restore_backup(settings: Settings, file: Path, replace: bool) -> None:
    from clusterqa.backup import restore
    from clusterqa.settings import Settings

    # Without settings of one's own it goes to folders here: never into the corpus that the package brings.
    given = settings.model_fields_set
    settings = Settings.load({name: getattr(settings, name) if name in given else name for name in ("corpus", "data")})
    done = restore(settings, file, replace=replace)
    for line in done.remarks:
        common.remark(f"Note: {line}")
    echo(
        f"Restored: {_told(done.backup)}, as they were at {done.backup.made_at}, to {settings.corpus} and {settings.data}."
    )


def _told(backup: Backup) -> str:
    return f"{len(backup.members)} files, {backup.size / 1e6:.1f} MB"
