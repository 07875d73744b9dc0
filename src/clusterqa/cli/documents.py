"""`clusterqa add`, `list`, `show` and `remove`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clusterqa.cli import common
from clusterqa.cli.common import echo, json_option, settings_options
from clusterqa.errors import ClusterQAError

if TYPE_CHECKING:
    from clusterqa.settings import Settings


@click.command()
@settings_options
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a document of the same name.")
def add(settings: Settings, files: tuple[Path, ...], replace: bool) -> None:
    """Copy documents into the corpus and index them."""
    from clusterqa.corpus import folder as corpus_folder

    hidden = [path for path in files if path.name.startswith(".")]
    for path in hidden:
        common.remark(
            f"Not added: {path}: a file whose name begins with a dot is never read. Give it another name, then add it."
        )
    files = tuple(path for path in files if path not in hidden)
    added, refused = corpus_folder.add(settings, files, replace=replace)
    for error in refused:
        common.remark(f"Not added: {error}")
    if added:
        report = common.update_index(settings)
        for name in added:
            state = "Added" if name in report.added else "Replaced" if name in report.changed else "There already"
            echo(f"{state}: {name}")
        for name, others in _twins(settings, added):
            common.remark(
                f"{name} holds the same text as {', '.join(others)}. One of them is enough; take one out with: clusterqa remove NAME"
            )
    if refused or hidden:
        raise SystemExit(1)


def _twins(settings: Settings, names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Of these documents those whose text another document has as well, with the ids of the others."""
    from clusterqa.store import open_store

    with open_store(settings.home) as store:
        versions = {stored.id: stored.version for stored in store.documents()}
    found = [(name, [i for i, v in versions.items() if i != name and v == versions.get(name)]) for name in names]
    return [(name, others) for name, others in found if others]


@click.command("list")
@settings_options
@json_option
def list_documents(settings: Settings, as_json: bool) -> None:
    """List the documents, with those removed that can be restored."""
    from clusterqa.corpus import folder as corpus_folder
    from clusterqa.store import open_store

    with open_store(settings.home) as store:
        stored = store.documents()
    if as_json:
        echo(
            json.dumps(
                [
                    {
                        "document": d.id,
                        "language": d.language,
                        "title": d.title,
                        "date": d.date,
                        "version": d.version,
                    }
                    for d in stored
                ],
                ensure_ascii=False,
                indent=2,
            )
        )
        return
    for document in stored:
        echo(f"{document.id}  [{document.language}]  {document.title}")
    for name in corpus_folder.removed(settings):
        echo(f"{name}  (removed; restore with: clusterqa restore {name})")


@click.command()
@settings_options
@click.argument("document")
@click.option("--text", "text_only", is_flag=True, help="Print exactly the stored text that offsets count in.")
@click.option("--version", "version", help="sha256 of an earlier version (its beginning is enough).")
def show(settings: Settings, document: str, text_only: bool, version: str | None) -> None:
    """Show what is stored of a document."""
    from clusterqa.store import open_store, reading

    with open_store(settings.home) as store, store.reading():
        if store.document(document) is None:
            raise ClusterQAError(f"There is no document {document}. See what there is with: clusterqa list")
        stored, wanted, text = reading.find(store, document, version)
        versions = store.versions(document)
    if text_only and sys.stdout.isatty():
        echo(text, nl=False)
        return
    if text_only:
        sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))  # as it is: no newline added, none translated
        return
    facts = {
        "document": stored.id, "title": stored.title, "language": stored.language, "version": wanted,
        "versions": len(versions), "state": stored.state, "type": stored.media_type, "date": stored.date,
        "publisher": stored.publisher, "url": stored.url, "tags": ", ".join(stored.tags),
        "characters": len(text),
    }  # fmt: skip
    for key, value in facts.items():
        if value not in (None, ""):
            echo(f"{key}: {value}")
    for line in stored.sources:
        echo(f"source: {line}")
    for line in stored.warnings:
        echo(f"warning: {line}")


@click.command()
@settings_options
@click.argument("document")
def remove(settings: Settings, document: str) -> None:
    """Take a document out of the corpus and of every answer. `restore` brings it back."""
    from clusterqa.corpus import folder as corpus_folder

    moved = corpus_folder.remove(settings, document)
    report = common.update_index(settings)
    state = "Removed" if moved or document in report.removed else "Removed already"
    echo(f"{state}: {document}. Bring it back with: clusterqa restore {document}")
