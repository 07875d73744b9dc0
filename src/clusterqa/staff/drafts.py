"""
Drafts: files that came in and are not live yet.

    data/drafts/ID/file/NAME         the file, byte for byte as it came
    data/drafts/ID/file/NAME.yaml    what the editor corrected (a sidecar, as in the corpus)
    data/drafts/ID/original/NAME     as it came, where FILE was made of it by recognising its text
    data/drafts/ID/recognised.json   how sure that is, page by page
    data/drafts/ID/read.json         what was read from the file
    data/drafts/ID/draft.json        the draft itself

A draft is there whole or not at all: a file comes in under `.incoming-…` and gets its place by one renaming.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import yaml

from clusterqa import deceptive
from clusterqa.documents import marks
from clusterqa.documents.metadata import Metadata, parse
from clusterqa.documents.ocr import Recognised
from clusterqa.errors import ClusterQAError, StoreError
from clusterqa.files import copy_whole, put, write_whole
from clusterqa.records import Document
from clusterqa.staff.names import safe_name
from clusterqa.staff.reading import as_json, from_json

DRAFTS = "drafts"
ORIGINAL = "original"
SIDECAR = ".yaml"
CHUNK = 1024 * 1024
LONGEST_SHOWN_NAME = 400

State = Literal["reading", "ready", "unreadable", "publishing", "published"]
STATES: tuple[State, ...] = get_args(State)
Intent = Literal["new", "replace", "ask"]
"""
What the file is to be: a new document, a new version of one that is there, or, when a document of its name is there
and nobody has said, to be asked.
"""

FIELDS = ("title", "language", "date", "publisher", "url", "tags", "translation_of", "valid_until", "review_by")
"""The metadata that can be corrected."""


class DeskError(ClusterQAError):
    """
    What stands in the way of a change at the desk; nothing was changed.

    `code` names it for the desk's words, `values` fill the gaps in them; the message itself is English.
    """

    def __init__(self, code: str, message: str, **values: object) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a draft cannot be read or could not be published; `code` as in DeskError, "" when only the text is known."""

    code: str
    text: str
    values: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, error: ClusterQAError) -> Trouble:
        if isinstance(error, DeskError):
            return cls(error.code, str(error), error.values)
        return cls("", str(error))


@dataclass(frozen=True, slots=True)
class Draft:
    """
    One file that came in.

    `document` is the id that it has or will have in the corpus; `base` the digest (`corpus_folder.file_state`) of the file
    that it replaces, as it was when the editor last looked, None for a new document. `revision` rises with every
    change, so that two editors do not overwrite each other. Times are UTC in ISO 8601.
    """

    id: str
    uploaded_as: str
    file: str
    document: str
    sha256: str
    size: int
    added_by: str
    added_at: str
    state: State = "reading"
    intent: Intent = "new"
    base: str | None = None
    metadata: Metadata = field(default_factory=Metadata)
    trouble: Trouble | None = None
    revision: int = 0
    changed_by: str = ""
    changed_at: str = ""
    generation: int = 0
    publish_on: str | None = None
    """Day (YYYY-MM-DD, on the clock of the place) on which it is to be published by itself."""
    fetched_on: str = ""
    """Day on which it was fetched from `metadata.url`; "" for a file that somebody uploaded."""


class Drafts:
    """The drafts of one data folder. Thread-safe within one process, which is the server."""

    def __init__(self, data: Path) -> None:
        self.folder = data / DRAFTS
        self._lock = threading.RLock()

    # ── coming in ───────────────────────────────────────────────────────────────────────────────────────────────

    def take_in(
        self, name: str, chunks: BinaryIO, who: str, limit: int, document: str | None = None, base: str | None = None
    ) -> tuple[Draft, bool]:
        """
        Keep a file as it comes; gives the draft, and whether the same file was there as a draft already. One that could not
        be read is not "there", nor one whose name has another ending: the name decides how a file is read.

        `name` is what the browser called it. `document` and `base` name the document that it is a new version of.
        Raises DeskError for an empty file or one of more than `limit` bytes; nothing of it remains then.
        """
        file = safe_name(name)
        try:
            with self._incoming() as (identifier, folder):
                (folder / "file").mkdir()
                digest, size = hashlib.sha256(), 0
                with (folder / "file" / file).open("xb") as target:
                    while chunk := chunks.read(CHUNK):
                        size += len(chunk)
                        if size > limit:
                            raise too_large(limit)
                        digest.update(chunk)
                        target.write(chunk)
                    target.flush()
                    os.fsync(target.fileno())
                if not size:
                    raise DeskError("empty", "The file is empty. Check it at its source, then upload it again.")
                draft = Draft(
                    id=identifier,
                    uploaded_as=_shown(name),
                    file=file,
                    document=document or file,
                    sha256=digest.hexdigest(),
                    size=size,
                    added_by=who,
                    added_at=_now(),
                    intent="replace" if document else "new",
                    base=base,
                    changed_by=who,
                    changed_at=_now(),
                )
                with self._lock:
                    for other in self.all():
                        if (
                            other.sha256 == draft.sha256
                            and other.state not in ("published", "unreadable")
                            and _ending(self.original(other).name) == _ending(file)
                            and document in (None, other.document)
                        ):
                            return other, True
                    _write(folder / "draft.json", _to_json(draft))
                    put(folder, self.folder / identifier)
                return draft, False
        except OSError as error:
            raise _disk(self.folder, error) from error

    @contextmanager
    def _incoming(self) -> Iterator[tuple[str, Path]]:
        identifier = secrets.token_hex(8)
        folder = self.folder / f".incoming-{identifier}"
        self.folder.mkdir(0o700, parents=True, exist_ok=True)  # what is not published is the staff's alone
        folder.mkdir()
        try:
            yield identifier, folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def clean(self) -> int:
        """
        Remove what a killed server left behind of uploads and writings that it never finished; gives how many. At start only. Takes the rights of
        others from a folder that was made elsewhere, as by an earlier version or by unpacking.
        """
        with suppress(OSError):
            self.folder.chmod(0o700)
        left = list(self.folder.glob(".incoming-*")) if self.folder.is_dir() else []
        left += self.folder.glob("*/recognising")
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        parts = list(self.folder.rglob(".*.part"))
        for part in parts:
            part.unlink(missing_ok=True)
        return len(left) + len(parts)

    # ── what there is ───────────────────────────────────────────────────────────────────────────────────────────

    def all(self) -> list[Draft]:
        """Every draft, published ones too, the newest first; a folder that holds none is left out."""
        found = [draft for path in self.folder.glob("[!.]*/draft.json") if (draft := _load(path)) is not None]
        return sorted(found, key=lambda draft: (draft.added_at, draft.id), reverse=True)

    def get(self, identifier: str) -> Draft:
        """Raises DeskError "no_draft"."""
        draft = _load(self.folder / identifier / "draft.json") if re.fullmatch(r"[0-9a-f]{16}", identifier) else None
        if draft is None:
            raise DeskError("no_draft", "There is no such draft. Somebody may have discarded it.")
        return draft

    def path(self, draft: Draft) -> Path:
        """The file as it is read and published: as it came, or made of that by recognising its text."""
        return self.folder / draft.id / "file" / draft.file

    def original(self, draft: Draft) -> Path:
        """The file as it came, also where its text was recognised since."""
        return next((self.folder / draft.id / ORIGINAL).glob("[!.]*"), self.path(draft))

    def sidecar(self, draft: Draft) -> Path:
        path = self.path(draft)
        return path.with_name(path.name + SIDECAR)

    def found(self, draft: Draft) -> Document | None:
        """What was read from the file, as the file itself says it; None while it is not read."""
        path = self.folder / draft.id / "read.json"
        if not path.is_file():
            return None
        document = from_json(json.loads(path.read_text(encoding="utf-8")))
        told = deceptive.warnings(document.text)
        return replace(document, id=draft.document, warnings=(*document.warnings, *told))

    def read(self, draft: Draft) -> Document | None:
        """The same with the metadata as corrected."""
        document = self.found(draft)
        return corrected(document, draft.metadata) if document else None

    # ── changing ────────────────────────────────────────────────────────────────────────────────────────────────

    def change(
        self, identifier: str, who: str | None, *, seen: int | None = None, only: Sequence[State] = (), **values: Any
    ) -> Draft:
        """
        Set fields of a draft; gives it as it is then.

        `seen` is the revision that the editor looked at, `only` the states in which the change makes sense. Raises
        DeskError "changed_meanwhile", "wrong_state" or "no_draft".
        """
        with self._lock:
            draft = self.get(identifier)
            if only and draft.state not in only:
                raise DeskError(
                    "wrong_state", "The draft is being published, or is published already.", state=draft.state
                )
            if seen is not None and seen != draft.revision:
                raise DeskError(
                    "changed_meanwhile",
                    f"{draft.changed_by} changed this draft meanwhile. Look at it again, then repeat your change.",
                    who=draft.changed_by,
                )
            if who is not None:
                values |= {"changed_by": who, "changed_at": _now()}
            changed = replace(draft, revision=draft.revision + 1, **values)
            folder = self.folder / identifier
            try:
                if changed.metadata != draft.metadata:
                    sidecar = self.sidecar(draft)
                    text = sidecar_text(changed.metadata)
                    if text:
                        _write(sidecar, text)
                    else:
                        sidecar.unlink(missing_ok=True)
                _write(folder / "draft.json", _to_json(changed))
            except OSError as error:
                raise _disk(folder, error) from error
            return changed

    def keep_recognised(self, identifier: str, pdf: Path, pages: Sequence[Recognised]) -> Draft:
        """
        Put a PDF with recognised text in the place of the file as it came, which is kept beside it. A kill in between
        leaves a draft that can be read, or recognised again.
        """
        with self._lock:
            draft = self.get(identifier)
            folder, came = self.folder / identifier, self.path(draft)
            made = came.with_suffix(".pdf")
            if self.original(draft) == came:
                (folder / ORIGINAL).mkdir(exist_ok=True)
                copy_whole(came, folder / ORIGINAL / draft.file)
            copy_whole(pdf, made)
            if made != came and (beside := self.sidecar(draft)).is_file():
                copy_whole(beside, made.with_name(made.name + SIDECAR))
            _write(folder / "recognised.json", json.dumps([asdict(page) for page in pages], ensure_ascii=False))
            document = draft.document if draft.intent == "replace" else str(Path(draft.document).with_suffix(".pdf"))
            changed = self.change(identifier, None, file=made.name, document=document)
            if made != came:
                came.unlink()
                self.sidecar(draft).unlink(missing_ok=True)
            return changed

    def recognised(self, draft: Draft) -> list[Recognised]:
        """How sure the text of each page is that was recognised; none when none was."""
        path = self.folder / draft.id / "recognised.json"
        values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        return [Recognised(**{**value, "doubtful": tuple(value["doubtful"])}) for value in values]

    def keep_read(self, identifier: str, document: Document) -> None:
        _write(self.folder / identifier / "read.json", json.dumps(as_json(document)))

    def discard(self, identifier: str) -> Draft:
        """Delete a draft that is not published, with its file. Raises DeskError."""
        with self._lock:
            draft = self.get(identifier)
            if draft.state in ("publishing", "published"):
                raise DeskError(
                    "wrong_state", "The draft is being published, or is published already.", state=draft.state
                )
            # Out of sight by one renaming; what is left of a deletion that breaks off is swept at the next start.
            gone = self.folder / f".incoming-{identifier}"
            os.replace(self.folder / identifier, gone)
            shutil.rmtree(gone, ignore_errors=True)
            return draft


def corrected(document: Document, metadata: Metadata) -> Document:
    """The document with these metadata over its own, as reading the file with a sidecar would give it."""
    given = {name: value for name in FIELDS if (value := getattr(metadata, name))}
    return marks.applied(replace(document, **given), metadata.left_out)


def sidecar_text(metadata: Metadata) -> str:
    """The metadata in YAML, "" when there are none."""
    given: dict[str, object] = {}
    for item in fields(metadata):
        if value := getattr(metadata, item.name):
            given[item.name] = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(given, allow_unicode=True, sort_keys=False, width=1000) if given else ""


def checked(values: dict[str, str]) -> tuple[Metadata, dict[str, str]]:
    """
    Metadata as typed into a form, and what is wrong with them by field.

    They go through the same reading as a sidecar in the corpus, so that what is accepted here is understood there.
    """
    mapping: dict[str, object] = {}
    faults: dict[str, str] = {}
    for name in FIELDS:
        text = " ".join(values.get(name, "").split())
        if not text:
            continue
        mapping[name] = [tag for part in text.split(",") if (tag := part.strip())] if name == "tags" else text
        metadata, warnings = parse(yaml.safe_dump({name: mapping[name]}, allow_unicode=True), 1, "form")
        if warnings or not getattr(metadata, name):
            faults[name] = warnings[0] if warnings else "This cannot be understood."
            del mapping[name]
    metadata, _ = parse(yaml.safe_dump(mapping, allow_unicode=True), 1, "form")
    return metadata, faults


def too_large(limit: int) -> DeskError:
    megabytes = limit // CHUNK
    return DeskError(
        "too_large",
        f"The file is larger than {megabytes} MB. Split it, or make its pictures smaller, then upload it again.",
        megabytes=megabytes,
    )


def _ending(name: str) -> str:
    return Path(name).suffix.lower()


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")[:LONGEST_SHOWN_NAME]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _to_json(draft: Draft) -> str:
    return json.dumps(asdict(draft), ensure_ascii=False, indent=1)


def _load(path: Path) -> Draft | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        given = values["metadata"]
        lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        metadata = Metadata(**lists)
        trouble = Trouble(**values["trouble"]) if values["trouble"] else None
        return Draft(**{**values, "metadata": metadata, "trouble": trouble})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not one of ours; nothing is deleted


def _write(path: Path, text: str) -> None:
    """Whole or not at all, whenever the power fails."""
    write_whole(path, text.encode("utf-8"), opener=None)


def _disk(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written ({error.strerror}), so nothing was changed. Check the space on the disk and the "
        "permissions of the data folder."
    )
