"""
Keeping the index in step with the corpus: reading, splitting, encoding, one transaction.

Work is proportional to what changed: unchanged files are told by size and time, then by content; unchanged passages of
a changed file keep their vectors. Everything slow happens before the transaction; a run that is killed, or a disk
that fills up, leaves the previous generation answering.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import unicodedata
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from clusterqa import documents
from clusterqa.analysis import ANALYSIS_VERSION, searchable, terms, words
from clusterqa.encoder import Encoded, Encoder, Vectors
from clusterqa.errors import CorpusError, IndexNotFound, IndexOutdated, StoreDamaged, StoreError, UnreadableDocument
from clusterqa.interaction import as_bytes
from clusterqa.passages import sentence_texts, split
from clusterqa.records import Document, Passage
from clusterqa.settings import Settings
from clusterqa.store import DATABASE, FileState, NewPassage, PassageVectors, Store, Stored

log = logging.getLogger(__name__)

CONTEXT_VERSION = "2"
"""Part of the index's fingerprint: raise it whenever `passage_texts` or the way of splitting changes."""

LOCK = "writer.lock"
REMOVED = "removed"
LOCK_SECONDS = 600
ENCODED_AT_ONCE = 512
"""Passages whose pieces are in memory in full precision at one time."""
SIDECARS = (".yaml", ".yml")
"""Endings of the file with metadata beside a document; it comes, changes and goes with the document."""

Progress = Callable[[str, int, int], None]
"""Told the stage ("read" or "encode"), how much of it is done, and how much there is."""

Splitter = Callable[[Document, int], tuple[Passage, ...]]
"""Cuts a document into passages of at most so many characters, as `clusterqa.passages.split` does."""

Reader = Callable[[Path, str], Document]
"""Reads the file at a path as the document of an id; raises UnreadableDocument."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one indexing run did; document ids in order. `generation` is the one that answers now."""

    generation: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    passages: int = 0
    unreadable: tuple[UnreadableDocument, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    document: Document
    file: FileState
    passages: tuple[Passage, ...] = field(default=())


def check_in_step(store: Store, settings: Settings, encoder: Encoder) -> None:
    """
    Raise IndexOutdated when the index was built with another encoder or other settings, IndexNotFound when it is empty.
    """
    built_with = store.meta("encoder")
    if built_with is None:
        raise IndexNotFound(store.path)
    if built_with != encoder.fingerprint:
        raise IndexOutdated(f"the encoder {built_with}, but {encoder.fingerprint} is asked for")
    if (made := store.meta("settings")) != settings_fingerprint(settings):
        raise IndexOutdated(f"other settings ({made}, now {settings_fingerprint(settings)})")


def settings_fingerprint(settings: Settings) -> str:
    """Everything beside the encoder that changes what is stored for a document."""
    return f"passage_chars={settings.passage_chars} analysis={ANALYSIS_VERSION} context={CONTEXT_VERSION}"


@dataclass(frozen=True, slots=True)
class PassageTexts:
    """What is encoded for a passage: the whole, a space between its parts, and each sentence by itself."""

    parts: tuple[str, ...]
    """Where it stands, then its sentences."""
    sentences: tuple[str, ...]
    """Each with what stands right above it."""

    @property
    def whole(self) -> str:
        return " ".join(self.parts)


def passage_texts(document: Document, passage: Passage) -> PassageTexts:
    own = sentence_texts(passage)
    place = " – ".join(dict.fromkeys([document.title, *passage.heading]))
    head = " ".join(f"{part}." for part in (place, passage.lead) if part)
    above = passage.lead or (passage.heading[-1] if passage.heading else "")
    return PassageTexts(
        parts=tuple(map(searchable, [head, *own])),
        sentences=tuple(searchable(f"{above}. {text}" if above else text) for text in own),
    )


def update(
    settings: Settings,
    encoder: Callable[[], Encoder],
    *,
    rebuild: bool = False,
    progress: Progress | None = None,
    read: Reader = documents.read,
    only: Collection[str] | None = None,
    splitter: Splitter = split,
) -> Report:
    """
    Bring the index in step with the corpus folder; with `only`, for the documents of these ids alone.

    `encoder` is called only when something must be encoded or checked. With `rebuild` everything is read and encoded
    again; a database too damaged to open is put aside first, never deleted. A file that cannot be read is reported and
    stops nothing; if an earlier version of it is live, that version stays. An index made with another `splitter` belongs
    in a data folder of its own: the next update without it would split what has changed in the usual way.

    Raises CorpusError, IndexOutdated (without `rebuild`), StoreError.
    """
    with writer_lock(settings.data):
        # Listed under the lock: a list made while another run adds files would take them out again.
        files = corpus_files(settings)
        ignored = tuple(name for name, path in documents.ignored_files(settings.corpus) if not _derived(settings, path))
        if rebuild:
            _put_aside_if_damaged(settings.data)
        with Store.open(settings.data, create=True) as store:
            model = encoder()
            fresh = store.meta("encoder") is None
            if not fresh and not rebuild:
                check_in_step(store, settings, model)
            names = None if fresh else only
            return _update(store, settings, model, files, ignored, rebuild or fresh, progress, read, names, splitter)


def corpus_files(settings: Settings) -> list[tuple[str, Path]]:
    """(id, path) of the files of the corpus, in the order of their ids; without a data folder that lies inside it."""
    return [(name, path) for name, path in documents.list_files(settings.corpus) if not _derived(settings, path)]


def _derived(settings: Settings, path: Path) -> bool:
    return path.absolute().is_relative_to(settings.data.absolute())


def _update(
    store: Store,
    settings: Settings,
    encoder: Encoder,
    files: Sequence[tuple[str, Path]],
    ignored: tuple[str, ...],
    everything: bool,
    progress: Progress | None,
    read: Reader,
    only: Collection[str] | None,
    splitter: Splitter,
) -> Report:
    known = {stored.id: stored for stored in store.documents(state=None)}
    live = {name for name, stored in known.items() if stored.state == "live"}
    to_read: list[_Read] = []
    touched: list[tuple[str, FileState]] = []
    unreadable: list[UnreadableDocument] = []
    unchanged = 0
    for position, (name, path) in enumerate(files):
        if progress:
            progress("read", position, len(files))
        stored = known.get(name) if name in live else None
        if only is not None and name not in only:
            unchanged += stored is not None
            continue
        try:
            if stored and not everything and _same_stat(stored, path):
                unchanged += 1
                continue
            state = file_state(path, name)
            if stored and not everything and state.sha256 == stored.file_sha256:
                touched.append((name, state))
                unchanged += 1
                continue
            document = read_file(path, name, read)
        except UnreadableDocument as error:
            unreadable.append(error)
            if stored and everything and (earlier := store.read(name)):
                file = FileState(stored.file_sha256, stored.file_size, stored.file_mtime_ns)
                to_read.append(_Read(earlier, file, splitter(earlier, settings.passage_chars)))
            continue
        to_read.append(_Read(document, state, splitter(document, settings.passage_chars)))
    if progress:
        progress("read", len(files), len(files))
    present = {name for name, _ in files}
    gone = sorted(name for name in live - present if only is None or name in only)
    new, warnings = _encode(store, encoder, to_read, everything, progress)
    old_unreadable = sorted(store.unreadable())
    now_unreadable = sorted(
        [(e.document, e.reason, e.next_step) for e in unreadable]
        + [line for line in old_unreadable if only is not None and line[0] not in only and line[0] in present]
    )
    failed = {error.document for error in unreadable}
    if to_read or gone or everything or now_unreadable != old_unreadable:
        with store.writing() as generation:
            if everything:
                store.set_meta("epoch", uuid.uuid4().hex)
            store.set_meta("encoder", encoder.fingerprint)
            store.set_meta("settings", settings_fingerprint(settings))
            for name in gone:
                store.remove(name, generation)
            for item, passages in zip(to_read, new, strict=True):
                store.put(item.document, item.file, passages, generation)
            if gone or everything:
                store.merge_stems()
            store.set_unreadable(now_unreadable)
            for name, state in touched:
                store.touch(name, state)
        if gone or everything:
            store.empty_log()
    elif touched:
        with store.noting():
            for name, state in touched:
                store.touch(name, state)
    added = tuple(item.document.id for item in to_read if item.document.id not in live)
    return Report(
        generation=store.generation(),
        added=added,
        changed=tuple(item.document.id for item in to_read if item.document.id in live - failed),
        removed=tuple(gone),
        unchanged=unchanged,
        passages=store.counts()["passages"],
        unreadable=tuple(unreadable),
        warnings=tuple((item.document.id, text) for item in to_read for text in item.document.warnings) + warnings,
        ignored=ignored,
    )


def read_file(path: Path, name: str, read: Reader = documents.read) -> Document:
    """`read`, which also refuses what the database could not hold. Raises UnreadableDocument."""
    document = read(path, name)
    facts = (document.title, document.url, document.date, document.publisher, *document.tags, *document.sources)
    try:
        "".join((document.text, *(fact or "" for fact in facts), document.translation_of or "")).encode()
    except UnicodeEncodeError as error:
        raise UnreadableDocument(
            name,
            f"Its text or metadata hold half a character (U+{ord(error.object[error.start]):04X}).",
            "Save it again as UTF-8, and take such an escape out of its metadata.",
        ) from error
    return document


def _encode(
    store: Store, encoder: Encoder, read: Sequence[_Read], everything: bool, progress: Progress | None
) -> tuple[list[list[NewPassage]], tuple[tuple[str, str], ...]]:
    """The passages of each document with vectors and terms; texts encoded before are not encoded again."""
    texts = [[passage_texts(r.document, passage) for passage in r.passages] for r in read]
    digests = [[_digest(group) for group in groups] for groups in texts]
    flat = {
        d: group for groups, names in zip(texts, digests, strict=True) for group, d in zip(groups, names, strict=True)
    }
    known: dict[str, PassageVectors] = {} if everything else store.vectors_by_digest(flat)
    missing = [digest for digest in flat if digest not in known]
    total = sum(1 + len(flat[digest].sentences) for digest in missing)
    done = 0

    def count(n: int) -> None:
        nonlocal done
        done += n
        if progress:
            progress("encode", done, total)

    for begin in range(0, len(missing), ENCODED_AT_ONCE):
        some = missing[begin : begin + ENCODED_AT_ONCE]
        wholes = encoder.read_passages([flat[digest].whole for digest in some], count)
        rows = encoder.encode_passages([text for digest in some for text in flat[digest].sentences], count)
        first = 0
        for digest, whole in zip(some, wholes, strict=True):
            last = first + len(flat[digest].sentences)
            known[digest] = _vectors(flat[digest], whole, rows[first:last])
            first = last
    warnings = []
    for r, groups in zip(read, texts, strict=True):
        if cut := encoder.cut_off([text for group in groups for text in (group.whole, *group.sentences)]):
            warnings.append(
                (r.document.id, f"{len(cut)} of its passages or sentences are longer than the encoder reads; their ends are "
                 "found by words only. Set a smaller passage_chars, or shorten the sentences.")
            )  # fmt: skip
    return [
        [
            NewPassage(
                passage=passage,
                vectors=known[digest],
                digest=digest,
                body_terms=_terms(" ".join((passage.lead, passage.text))),
                head_terms=_terms(" ".join((r.document.title, *passage.heading, *r.document.tags))),
            )
            for passage, digest in zip(r.passages, names, strict=True)
        ]
        for r, names in zip(read, digests, strict=True)
    ], tuple(warnings)


def _terms(text: str) -> str:
    return " ".join(term for word in words(text) for term in terms(word))


def _digest(texts: PassageTexts) -> str:
    return hashlib.sha256("\x00".join(texts.parts + texts.sentences).encode("utf-8", "surrogatepass")).hexdigest()


def _vectors(texts: PassageTexts, whole: Encoded, sentences: Vectors) -> PassageVectors:
    """What is stored of a passage as encoded; a piece belongs to the part that its last character stands in."""
    begins = np.cumsum([0, *(len(part) + 1 for part in texts.parts)])
    cuts = np.searchsorted(whole.ends - 1, begins).astype(np.int32)
    rows = np.concatenate([whole.vector[None], sentences]).astype(np.float16)
    return PassageVectors(rows, as_bytes(whole.pieces), cuts)


# ── adding, removing, restoring ─────────────────────────────────────────────────────────────────────────────────


def add(
    settings: Settings, files: Sequence[Path], *, replace: bool = False
) -> tuple[list[str], list[UnreadableDocument]]:
    """
    Copy files into the corpus folder; gives the ids of those that came in and what could not be read.

    Each file is read first: what cannot be read does not come in and does not stop the others. A file of the same name
    and other content is refused unless `replace`. `update` must follow.
    """
    if not settings.corpus.is_dir():
        _make_folder(settings.corpus)
    added: list[str] = []
    refused: list[UnreadableDocument] = []
    with writer_lock(settings.data):
        for path in files:
            name = unicodedata.normalize("NFC", path.name)
            target = dict(corpus_files(settings)).get(name, settings.corpus / name)
            try:
                if not path.is_file():
                    raise UnreadableDocument(str(path), "There is no such file.", "Check the name and the folder.")
                read_file(path, name)
                if target.exists() and target.resolve() != path.resolve():
                    same = file_state(target, name).sha256 == file_state(path, name).sha256
                    if not same and not replace:
                        raise UnreadableDocument(
                            name,
                            "A document of this name is in the corpus already, with another content.",
                            "Give the file another name, or replace the old one with: clusterqa add --replace",
                        )
                    if same:
                        added.append(name)
                        continue
                _copy_whole(path, target)
                for suffix in SIDECARS:
                    sidecar = path.with_name(path.name + suffix)
                    if sidecar.is_file():
                        _copy_whole(sidecar, target.with_name(target.name + suffix))
            except UnreadableDocument as error:
                refused.append(error)
            except OSError as error:
                raise CorpusError(
                    f"{name} cannot be copied into {settings.corpus} ({error.strerror}). "
                    "Check its permissions and the space on the disk, or name another corpus: --corpus DIR"
                ) from error
            else:
                added.append(name)
    return added, refused


def place(settings: Settings, document: str, file: Path, sidecar: Path | None) -> None:
    """
    Make `file` the file of a document in the corpus, with `sidecar` as its metadata, in place of what it had.

    Each of the two is there whole or not at all; the sidecar comes first, since without its file it means nothing.
    The file has been read already; `update` must follow. Raises CorpusError.
    """
    if not settings.corpus.is_dir():
        _make_folder(settings.corpus)
    target = dict(corpus_files(settings)).get(document, settings.corpus / document)
    if not target.resolve().is_relative_to(settings.corpus.resolve()) or Path(document).name.startswith("."):
        raise CorpusError(f"{document} cannot be the name of a document. Give it a plain file name.")
    with writer_lock(settings.data):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            for suffix in SIDECARS:
                beside = target.with_name(target.name + suffix)
                if sidecar is not None and suffix == SIDECARS[0]:
                    _copy_whole(sidecar, beside)
                else:
                    beside.unlink(missing_ok=True)
            _copy_whole(file, target)
        except OSError as error:
            raise CorpusError(
                f"{document} cannot be put into {settings.corpus} ({error.strerror}). "
                "Check its permissions and the space on the disk."
            ) from error


def remove(settings: Settings, document: str) -> None:
    """
    Move a document's file out of the corpus, into the data folder, from where `restore` brings it back.

    An earlier removed file of the same name is kept beside it under another name.
    """
    document = unicodedata.normalize("NFC", document)
    source = dict(corpus_files(settings)).get(document)  # only what the corpus has: never a path that leads out of it
    if source is None:
        raise CorpusError(
            f"There is no document {document} in {settings.corpus}. See what there is with: clusterqa list"
        )
    _move(settings, source, settings.data / REMOVED / document)


def restore(settings: Settings, document: str) -> None:
    """Bring a removed document's file back into the corpus."""
    document = unicodedata.normalize("NFC", document)
    kept = settings.data / REMOVED
    source = dict(documents.list_files(kept)).get(document) if kept.is_dir() else None
    if source is None:
        raise CorpusError(
            f"{document} was not removed with clusterqa remove, so it cannot be restored. "
            f"Put its file back into {settings.corpus} and run: clusterqa index"
        )
    target = dict(corpus_files(settings)).get(document, settings.corpus / document)
    if target.exists() and target.read_bytes() != source.read_bytes():
        raise CorpusError(
            f"There is a document {document} in the corpus again. Rename it first, then restore this one."
        )
    _move(settings, source, target)


def removed(settings: Settings) -> list[str]:
    """Ids of the documents that can be restored."""
    folder = settings.data / REMOVED
    return [name for name, _ in documents.list_files(folder)] if folder.is_dir() else []


def _move(settings: Settings, source: Path, target: Path) -> None:
    with writer_lock(settings.data):
        try:
            for extra in ("", *SIDECARS):
                here, there = source.with_name(source.name + extra), target.with_name(target.name + extra)
                if here.is_file():
                    there.parent.mkdir(parents=True, exist_ok=True)
                    _keep_earlier(there, here)
                    _copy_whole(here, there)
                    here.unlink()
        except OSError as error:
            raise CorpusError(
                f"{source} cannot be moved to {target} ({error.strerror}). Check the permissions of both folders."
            ) from error


def _keep_earlier(target: Path, coming: Path) -> None:
    if not target.exists() or target.read_bytes() == coming.read_bytes():
        return
    number = 1
    while (earlier := target.with_name(f"{target.name}.earlier-{number}")).exists():
        number += 1
    os.replace(target, earlier)


def _copy_whole(source: Path, target: Path) -> None:
    """Copy so that the target is there whole or not at all, whenever the power fails."""
    if target.exists() and target.resolve() == source.resolve():
        return
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        shutil.copyfile(source, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise CorpusError(
            f"The folder {folder} cannot be made ({error.strerror}). Name another: --corpus DIR"
        ) from error


# ── files and locks ─────────────────────────────────────────────────────────────────────────────────────────────


def file_state(path: Path, name: str) -> FileState:
    """Digest of a file's bytes and its sidecar's, with the size and time that they had before they were read."""
    try:
        size, mtime = file_stat(path)
        digest = hashlib.sha256(path.read_bytes())
        for sidecar in _sidecars(path):
            digest.update(b"\x00" + sidecar.read_bytes())
    except OSError as error:
        raise UnreadableDocument(name, f"It cannot be opened: {error.strerror}.", "Check its permissions.") from error
    return FileState(digest.hexdigest(), size, mtime)


def _same_stat(stored: Stored, path: Path) -> bool:
    try:
        return (stored.file_size, stored.file_mtime_ns) == file_stat(path)
    except OSError:
        return False


def file_stat(path: Path) -> tuple[int, int]:
    """Size and time of last change, of the file and its sidecar together."""
    stats = [part.stat() for part in (path, *_sidecars(path))]
    return sum(stat.st_size for stat in stats), max(stat.st_mtime_ns for stat in stats)


def _sidecars(path: Path) -> list[Path]:
    return [beside for suffix in SIDECARS if (beside := path.with_name(path.name + suffix)).is_file()]


def out_of_step(settings: Settings, store: Store) -> list[str]:
    """Ids of documents whose files changed, came or went since the index was built; a quick look at sizes and times."""
    known = {stored.id: stored for stored in store.documents()}
    failed = {name for name, _, _ in store.unreadable()}
    files = corpus_files(settings)
    found = [
        name
        for name, path in files
        if (name not in known and name not in failed) or (name in known and not _same_stat(known[name], path))
    ]
    present = {name for name, _ in files}
    return sorted({*found, *(set(known) - present)})


@contextmanager
def writer_lock(data: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with its process, so a killed one leaves nothing behind."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = FileLock(data / LOCK, timeout=LOCK_SECONDS, is_singleton=True)
        lock.acquire()
    except Timeout as error:
        raise StoreError(
            "Another program has been writing to the index for long. Wait for it, then try again."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The data folder {data} cannot be written ({error.strerror}). Check its permissions, or name another: --data DIR"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _put_aside_if_damaged(data: Path) -> None:
    """
    Rename a database that a rebuild in place cannot mend; a full disk or missing permission is raised, not renamed away.
    """
    path = data / DATABASE
    if not path.exists():
        return
    try:
        with Store.open(data, create=True) as store:
            damage = store.damage()
    except StoreDamaged as error:
        damage = [str(error)]
    if not damage:
        return
    number = 1
    while (aside := path.with_name(f"{DATABASE}.damaged-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            os.replace(part, aside.with_name(aside.name + suffix))
    log.warning("The damaged index was put aside as %s: %s", aside.name, "; ".join(damage)[:300])
