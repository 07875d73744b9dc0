"""
Keeping the index in step with the corpus: reading, splitting, encoding, one transaction.

Work is proportional to what changed: unchanged files are known by size and time, then by content; unchanged passages of
a changed file keep their vectors. What other readers have read, those of an earlier version, is read once more, and taken up where
it reads otherwise now. Everything slow happens before the transaction; a run that is killed, or a disk
that fills up, leaves the previous generation answering.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clusterqa import documents
from clusterqa.corpus import change
from clusterqa.corpus.encoding import CONTEXT_VERSION, cut_off, encode
from clusterqa.corpus.folder import Reader, corpus_files, derived, file_stat, file_state, read_file
from clusterqa.corpus.lock import writer_lock
from clusterqa.corpus.work import keeping
from clusterqa.errors import IndexNotFound, IndexOutdated, UnreadableDocument
from clusterqa.passages import split
from clusterqa.ports import Encoder, Store
from clusterqa.records import Document, FileState, NewPassage, Passage, Stored
from clusterqa.settings import Settings
from clusterqa.store import open_store, put_aside, shown
from clusterqa.text.analysis import ANALYSIS_VERSION

READERS = "readers"
"""What tells, in the store, the readers by which all documents were read."""

Progress = Callable[[str, int, int], None]
"""Told the stage ("read" or "encode"), how much of it is done, and how much there is."""

Splitter = Callable[[Document, int], tuple[Passage, ...]]
"""Cuts a document into passages of at most so many characters, as `clusterqa.passages.split` does."""


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


def check_in_step(store: Store, settings: Settings, encoder: Encoder) -> None:
    """
    Raise IndexOutdated when the index was built with another encoder or other settings, IndexNotFound when it is empty.
    """
    built_with = store.meta("encoder")
    if built_with is None:
        raise IndexNotFound(shown(settings.home))
    if built_with != encoder.fingerprint:
        raise IndexOutdated(f"the encoder {built_with}, but {encoder.fingerprint} is asked for")
    if (made := store.meta("settings")) != settings_fingerprint(settings):
        raise IndexOutdated(f"other settings ({made}, now {settings_fingerprint(settings)})")


def settings_fingerprint(settings: Settings) -> str:
    """Everything beside the encoder that changes what is stored for a document."""
    return f"passage_chars={settings.passage_chars} analysis={ANALYSIS_VERSION} context={CONTEXT_VERSION}"


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
    with writer_lock(settings.home):
        change.finish(settings)
        # Listed under the lock: a list made while another run adds files would take them out again.
        files = corpus_files(settings)
        ignored = tuple(name for name, path in documents.ignored_files(settings.corpus) if not derived(settings, path))
        if rebuild:
            put_aside(settings.home)
        with open_store(settings.home, create=True) as store:
            model = encoder()
            fresh = store.meta("encoder") is None
            if not fresh and not rebuild:
                check_in_step(store, settings, model)
            names = None if fresh else only
            return _update(store, settings, model, files, ignored, rebuild or fresh, progress, read, names, splitter)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to change; `read` are the documents that come or change, with the state of their files."""

    read: tuple[tuple[Document, FileState], ...]
    touched: tuple[tuple[str, FileState], ...]
    """Files with a new time and the old content."""
    gone: tuple[str, ...]
    unchanged: int
    unreadable: tuple[UnreadableDocument, ...]
    live: frozenset[str]
    """Ids of the documents that answered until now."""
    failed: tuple[tuple[str, str, str], ...]
    """(id, reason, next step) of every file of the corpus that cannot be read, those of earlier runs too."""
    all_read_anew: bool
    """Whether this brings all documents, read by other readers before, to what today's read."""


def _plan(
    store: Store,
    files: Sequence[tuple[str, Path]],
    everything: bool,
    only: Collection[str] | None,
    read: Reader,
    progress: Progress | None,
) -> Plan:
    """Look at the files, read those that changed; writes nothing."""
    known = {stored.id: stored for stored in store.documents(state=None)}
    live = frozenset(name for name, stored in known.items() if stored.state == "live")
    to_read: list[tuple[Document, FileState]] = []
    touched: list[tuple[str, FileState]] = []
    unreadable: list[UnreadableDocument] = []
    unchanged = 0
    anew = read_by_others(store)
    for position, (name, path) in enumerate(files):
        if progress:
            progress("read", position, len(files))
        stored = known.get(name) if name in live else None
        if only is not None and name not in only:
            unchanged += stored is not None
            continue
        try:
            if stored and not everything and not anew and _same_stat(stored, path):
                unchanged += 1
                continue
            state = file_state(path, name)
            same = stored is not None and not everything and state.sha256 == stored.file_sha256
            document = read_file(path, name, read) if anew or not same else None
            if same and document in (None, store.read(name)):
                touched.append((name, state))
                unchanged += 1
            elif document:
                to_read.append((document, state))
        except UnreadableDocument as error:
            unreadable.append(error)
            if stored and everything and (earlier := store.read(name)):
                to_read.append((earlier, FileState(stored.file_sha256, stored.file_size, stored.file_mtime_ns)))
    if progress:
        progress("read", len(files), len(files))
    present = {name for name, _ in files}
    failed = [(error.document, error.reason, error.next_step) for error in unreadable]
    failed += [line for line in store.unreadable() if only is not None and line[0] not in only and line[0] in present]
    return Plan(
        read=tuple(to_read),
        touched=tuple(touched),
        gone=tuple(sorted(name for name in live - present if only is None or name in only)),
        unchanged=unchanged,
        unreadable=tuple(unreadable),
        live=live,
        failed=tuple(sorted(failed)),
        all_read_anew=anew and (only is None or live.issubset(only)),
    )


def _apply(
    plan: Plan,
    store: Store,
    encoder: Encoder,
    settings: Settings,
    new: Iterable[Sequence[NewPassage]],
    everything: bool,
) -> None:
    """Write one generation, where something changed."""
    if plan.read or plan.gone or everything or list(plan.failed) != sorted(store.unreadable()):
        with store.writing() as generation:
            if everything:
                store.set_meta("epoch", uuid.uuid4().hex)
            store.set_meta("encoder", encoder.fingerprint)
            store.set_meta("settings", settings_fingerprint(settings))
            for name in plan.gone:
                store.remove(name, generation)
            for (document, file), passages in zip(plan.read, new, strict=True):
                store.put(document, file, passages, generation)
            if plan.gone or everything:
                store.forget_terms()
            store.set_unreadable(plan.failed)
            for name, file in plan.touched:
                store.touch(name, file)
        if plan.gone or everything:
            store.forget_log()
    elif plan.touched:
        with store.noting():
            for name, file in plan.touched:
                store.touch(name, file)


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
    plan = _plan(store, files, everything, only, read, progress)
    cut = [(document, splitter(document, settings.passage_chars)) for document, _ in plan.read]
    # Where nothing is to be encoded, too: what a killed run has left may be of files that are gone, and is cleared.
    with keeping(settings.home, encoder) as kept:
        new = encode(
            cut,
            encoder,
            (lambda digests: {}) if everything else store.vectors_by_digest,
            partial(progress, "encode") if progress else None,
            kept.encode,
        )
        _apply(plan, store, encoder, settings, new, everything)
        if plan.all_read_anew:
            note_readers(store)
        kept.clear()
    warnings = [(document.id, text) for document, _ in plan.read for text in document.warnings]
    warnings += [(document.id, text) for document, passages in cut if (text := cut_off(document, passages, encoder))]
    failed = {error.document for error in plan.unreadable}
    return Report(
        generation=store.generation(),
        added=tuple(document.id for document, _ in plan.read if document.id not in plan.live),
        changed=tuple(document.id for document, _ in plan.read if document.id in plan.live - failed),
        removed=plan.gone,
        unchanged=plan.unchanged,
        passages=store.counts()["passages"],
        unreadable=plan.unreadable,
        warnings=tuple(warnings),
        ignored=ignored,
    )


def read_by_others(store: Store) -> bool:
    """Whether documents were read by the readers of an earlier version, which may have read otherwise."""
    return store.meta(READERS) != documents.readers()


def note_readers(store: Store) -> None:
    """Note that all documents are as today's readers read them."""
    with store.noting():
        store.set_meta(READERS, documents.readers())


def _same_stat(stored: Stored, path: Path) -> bool:
    try:
        return (stored.file_size, stored.file_mtime_ns) == file_stat(path)
    except OSError:
        return False


def _same_content(stored: Stored, path: Path) -> bool:
    try:
        return stored.file_size == file_stat(path)[0] and stored.file_sha256 == file_state(path, stored.id).sha256
    except (OSError, UnreadableDocument):
        return False


def out_of_step(settings: Settings, store: Store) -> list[str]:
    """
    Ids of documents whose files changed, came or went since the index was built.

    A file of the old content is none of them, however new its time: copies and checkouts have new times.
    """
    if not (names := to_look_at(settings, store)):
        return []
    known, files = {stored.id: stored for stored in store.documents()}, dict(corpus_files(settings))
    both = known.keys() & files.keys()
    return [name for name in names if name not in both or not _same_content(known[name], files[name])]


def to_look_at(settings: Settings, store: Store) -> list[str]:
    """The same by sizes and times alone, which is quick; files of the old content may be among them."""
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
