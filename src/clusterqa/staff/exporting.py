"""Everything the desk keeps, as one zip archive: the documents, those withdrawn, earlier versions, and a list."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from clusterqa.corpus import folder as corpus_folder
from clusterqa.records import Stored
from clusterqa.settings import Settings
from clusterqa.staff.drafts import Drafts
from clusterqa.staff.history import History
from clusterqa.store import open_store

COLUMNS = (
    "document", "state", "title", "language", "date", "publisher", "url", "tags", "translation_of", "media_type", "version",
    "added_by", "added_at", "valid_until", "review_by",
)  # fmt: skip
_PACKED = (".pdf", ".docx")


def write_archive(settings: Settings, history: History, drafts: Drafts, target: IO[bytes]) -> None:
    """
    Write the archive to `target`:

        documents/     the corpus, with its sidecars: unpacked, it can be indexed again
        withdrawn/     what was withdrawn and can be restored
        earlier/       files that were replaced, DOCUMENT/VERSION/NAME
        drafts/        what is not published yet, ID/NAME
        documents.csv  every document, one a line
        history.jsonl  what happened to each, as far as the desk knows
    """
    with zipfile.ZipFile(target, "w", strict_timestamps=False) as archive:
        if settings.corpus.is_dir():
            for name, path in corpus_folder.corpus_files(settings):
                _add(archive, path, f"documents/{name}")
                for suffix in corpus_folder.SIDECARS:
                    beside = path.with_name(path.name + suffix)
                    if beside.is_file():
                        _add(archive, beside, f"documents/{name}{suffix}")
        _add_folder(archive, settings.data / corpus_folder.REMOVED, "withdrawn")
        _add_folder(archive, settings.data / "earlier", "earlier")
        for draft in drafts.all():
            if draft.state != "published":
                for path in (drafts.path(draft), drafts.sidecar(draft)):
                    if path.is_file():
                        _add(archive, path, f"drafts/{draft.id}/{path.name}")
        with open_store(settings.home) as store, store.reading():
            documents = store.documents(state=None)
        archive.writestr("documents.csv", _table(documents, history), zipfile.ZIP_DEFLATED)
        lines = [
            {
                "at": event.at.isoformat(), "who": event.who, "what": event.what, "document": event.document,
                "version": event.version, "generation": event.generation,
            }
            for document in documents
            for event in reversed(history.of(document.id))
        ]  # fmt: skip
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        archive.writestr("history.jsonl", text, zipfile.ZIP_DEFLATED)


def _table(documents: Sequence[Stored], history: History) -> str:
    out = io.StringIO()
    out.write("\ufeff")  # or a spreadsheet takes the Lithuanian letters for something else
    table = csv.writer(out)
    table.writerow(COLUMNS)
    brought = history.brought()
    for stored in documents:
        event = brought.get(stored.id)
        values = (
            stored.id, "live" if stored.state == "live" else "withdrawn", stored.title, stored.language, stored.date,
            stored.publisher, stored.url, ", ".join(stored.tags), stored.translation_of, stored.media_type, stored.version,
            event.who if event else "", event.at.isoformat(timespec="seconds") if event else "",
            stored.valid_until, stored.review_by,
        )  # fmt: skip
        table.writerow([harmless(str(value or "")) for value in values])
    return out.getvalue()


_FORMULA = re.compile(r"(\A|[,;|\t\r\n])(?=[=+@\t\r＝＋－＠-])")


def harmless(cell: str) -> str:
    """
    A cell in which no spreadsheet finds a formula: an apostrophe stands before = + - @ wherever a cell may begin, also for one
    that takes another mark than ours for the end of a cell.
    """
    return _FORMULA.sub(r"\1'", cell)


def _add_folder(archive: zipfile.ZipFile, folder: Path, name: str) -> None:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink() and not path.name.endswith(".part"):
            _add(archive, path, f"{name}/{path.relative_to(folder).as_posix()}")


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    packed = path.suffix.lower() in _PACKED  # packed already: once more only costs time
    archive.write(path, name, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED)
