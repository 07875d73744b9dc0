"""
A store and an index that live in memory: the ports in plain Python, for tests that need no file.

    data = MemoryData()
    index = MemoryIndex(data.open, dimension=4)

A state is never changed once it was written: a writer makes the next from a copy, so that a reader keeps the one it began with.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from clusterqa.errors import StoreDamaged
from clusterqa.ports import Index, Store, Vectors
from clusterqa.records import (
    LANGUAGES,
    Background,
    Block,
    Document,
    FileState,
    IndexedPassage,
    Language,
    Neighbours,
    NewPassage,
    Page,
    PassageVectors,
    Postings,
    Source,
    Stored,
    TokenStates,
)
from clusterqa.store.seal import seal
from clusterqa.store.translations import sources


@dataclass(frozen=True)
class Row:
    """A live passage with what stands beside it."""

    language: Language
    new: NewPassage
    generation: int

    @property
    def body(self) -> frozenset[str]:
        return frozenset(self.new.body_terms.split())

    @property
    def head(self) -> frozenset[str]:
        return frozenset(self.new.head_terms.split())


@dataclass
class State:
    """One generation."""

    generation: int = 0
    meta: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Stored] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    """Document → the generation of its last change."""
    read: dict[tuple[str, str], Document] = field(default_factory=dict)
    """By document and version, in the order they came."""
    rows: dict[int, Row] = field(default_factory=dict)
    removals: dict[int, int] = field(default_factory=dict)
    """Passage id → the generation that it went with."""
    unreadable: tuple[tuple[str, str, str], ...] = ()
    next_id: int = 1

    def copy(self) -> State:
        """A state that can be changed without changing this one."""
        return replace(
            self,
            meta=dict(self.meta),
            documents=dict(self.documents),
            changed=dict(self.changed),
            read=dict(self.read),
            rows=dict(self.rows),
            removals=dict(self.removals),
        )


class Shared:
    """The latest state, and the lock of its one writer."""

    def __init__(self) -> None:
        self.state = State()
        self.writer = threading.Lock()


class MemoryData:
    """What a data folder is elsewhere: a place for a store, opened any number of times."""

    def __init__(self) -> None:
        self.shared = Shared()

    def open(self) -> MemoryStore:
        return MemoryStore(self)


class MemoryStore(Store):
    """Sees the latest state, or inside a transaction its own."""

    def __init__(self, data: MemoryData) -> None:
        self._data = data
        self._shared = data.shared
        self._own: State | None = None

    def close(self) -> None:
        self._own = None

    def current(self) -> bool:
        return self._data.shared is self._shared

    @property
    def _state(self) -> State:
        return self._own or self._shared.state

    @contextmanager
    def _seeing(self, state: State) -> Iterator[State]:
        self._own = state
        try:
            yield state
        finally:
            self._own = None

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._seeing(self._shared.state):
            yield

    @contextmanager
    def writing(self) -> Iterator[int]:
        with self._shared.writer, self._seeing(self._shared.state.copy()) as state:
            yield state.generation + 1
            state.generation += 1
            self._shared.state = state

    @contextmanager
    def noting(self) -> Iterator[None]:
        with self._shared.writer, self._seeing(self._shared.state.copy()) as state:
            yield
            self._shared.state = state

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def meta(self, key: str) -> str | None:
        return self._state.meta.get(key)

    def generation(self) -> int:
        return self._state.generation

    def documents(self, state: str | None = "live", after_generation: int = -1) -> list[Stored]:
        known = sorted(self._state.documents.items())
        changed = self._state.changed
        return [stored for name, stored in known if state in (None, stored.state) and changed[name] > after_generation]

    def document(self, document: str) -> Stored | None:
        return self._state.documents.get(document)

    def versions(self, document: str) -> list[str]:
        return [version for name, version in self._state.read if name == document]

    def text(self, document: str, version: str) -> str | None:
        found = self._state.read.get((document, version))
        return found.text if found else None

    def read(self, document: str) -> Document | None:
        stored = self.document(document)
        return self._state.read[document, stored.version] if stored else None

    def structure(self, document: str, version: str) -> tuple[tuple[Block, ...], tuple[Page, ...]]:
        found = self._state.read.get((document, version))
        return (found.blocks, found.pages) if found else ((), ())

    def passages(self, after_generation: int = -1) -> Iterator[IndexedPassage]:
        for i, row in list(self._state.rows.items()):
            if row.generation > after_generation:
                yield IndexedPassage(i, row.new.passage, row.language, row.new.vectors.rows)

    def tokens(self, ids: Sequence[int]) -> list[TokenStates]:
        try:
            return [self._state.rows[i].new.vectors.tokens for i in ids]
        except KeyError as error:
            raise StoreDamaged(f"{error} has no tokens") from error

    def confirm(self, entry: IndexedPassage, source: Source) -> None:
        row, stored = self._state.rows.get(entry.id), self.document(entry.passage.document)
        if (
            not row or row.new.passage != entry.passage
            or not stored or stored.source(source.translation) != source
        ):  # fmt: skip
            raise StoreDamaged(f"{entry.id} is not what is stored")

    def removed_since(self, generation: int) -> list[int]:
        return [i for i, went in self._state.removals.items() if went > generation]

    def vectors_by_digest(self, digests: Iterable[str]) -> dict[str, PassageVectors]:
        wanted = set(digests)
        return {row.new.digest: row.new.vectors for row in self._state.rows.values() if row.new.digest in wanted}

    def matching(self, terms: Sequence[str]) -> dict[int, tuple[bool, bool]]:
        wanted = set(terms)
        held = {i: (bool(wanted & row.body), bool(wanted & row.head)) for i, row in self._state.rows.items()}
        return {i: where for i, where in held.items() if any(where)}

    def vocabulary(self) -> list[str]:
        return sorted({term for row in self._state.rows.values() for term in row.body | row.head})

    def shuffled(self, among: Sequence[int] | None = None) -> Iterator[int]:
        rows = self._state.rows
        wanted = rows if among is None else set(among) & rows.keys()
        return iter(sorted(wanted, key=lambda i: (seal(rows[i].new.body_terms, rows[i].new.head_terms), i)))

    def unreadable(self) -> list[tuple[str, str, str]]:
        return sorted(self._state.unreadable)

    def counts(self) -> dict[str, int]:
        state, passages = self._state, len(self._state.rows)
        return {
            "documents": len(state.documents),
            "versions": len(state.read),
            "passages": passages,
            "vectors": passages,
            "stems": passages,
        }

    def held(self, document: str | None) -> dict[str, int]:
        rows = [row for row in self._state.rows.values() if document in (None, row.new.passage.document)]
        vectors = sum(len(row.new.vectors.rows) for row in rows)
        return {"passages": len(rows), "vectors": vectors, "stems": len(rows)}

    def damage(self) -> list[str]:
        return []

    def spot_check(self) -> None:
        """Nothing in memory is looked at twice."""

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def set_meta(self, key: str, value: str) -> None:
        self._state.meta[key] = value

    def put(self, document: Document, file: FileState, passages: Sequence[NewPassage], generation: int) -> None:
        self._drop(document.id, generation)
        state = self._state
        state.read[document.id, document.version] = document
        state.changed[document.id] = generation
        state.documents[document.id] = Stored(
            id=document.id,
            version=document.version,
            title=document.title,
            language=document.language,
            media_type=document.media_type,
            url=document.url,
            date=document.date,
            publisher=document.publisher,
            tags=document.tags,
            sources=document.sources,
            translation_of=document.translation_of,
            warnings=document.warnings,
            file_sha256=file.sha256,
            file_size=file.size,
            file_mtime_ns=file.mtime_ns,
            state="live",
            valid_until=document.valid_until,
            review_by=document.review_by,
        )
        for new in passages:
            state.rows[state.next_id] = Row(document.language, new, generation)
            state.next_id += 1

    def touch(self, document: str, file: FileState) -> None:
        stored = self._state.documents[document]
        self._state.documents[document] = replace(stored, file_size=file.size, file_mtime_ns=file.mtime_ns)

    def remove(self, document: str, generation: int) -> None:
        self._drop(document, generation)
        if stored := self.document(document):
            self._state.documents[document] = replace(stored, state="removed")
            self._state.changed[document] = generation

    def _drop(self, document: str, generation: int) -> None:
        for i in [i for i, row in self._state.rows.items() if row.new.passage.document == document]:
            del self._state.rows[i]
            self._state.removals[i] = generation

    def set_unreadable(self, files: Iterable[tuple[str, str, str]]) -> None:
        self._state.unreadable = tuple(files)

    def forget_terms(self) -> None:
        """Nothing is left of what was dropped."""

    def forget_log(self) -> None:
        """There is none."""


class MemoryIndex(Index):
    """Every question compared with every passage; read again from the store with each generation."""

    def __init__(
        self,
        connect: Callable[[], Store],
        dimension: int,
        languages: tuple[Language, ...] = LANGUAGES,
        check: Callable[[Store], None] = lambda store: None,
    ) -> None:
        self.dimension = dimension
        self._connect, self._languages, self._check = connect, languages, check
        self._store = connect()
        self.generation, self.epoch, self.changes = -1, "", 0
        self._entries: dict[int, IndexedPassage] = {}
        self._sources: dict[str, Source] = {}
        self._vocabulary: list[str] = []

    def close(self) -> None:
        self._store.close()

    def refresh(self) -> bool:
        if not self._store.current():
            other = self._connect()
            if other.generation() == 0:
                return False
            self._store = other
        store = self._store
        with store.reading():
            state = store.generation(), store.meta("epoch") or ""
            if state == (self.generation, self.epoch):
                return False
            self._check(store)
            entries = {entry.id: entry for entry in store.passages() if entry.language in self._languages}
            current = sources(stored for stored in store.documents() if stored.language in self._languages)
            self._vocabulary = store.vocabulary()
        self._entries, self._sources = entries, current
        self.generation, self.epoch = state
        self.changes += 1
        return True

    @contextmanager
    def reading(self) -> Iterator[None]:
        self.refresh()
        with self._store.reading():
            yield

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def id_bound(self) -> int:
        return max(self._entries, default=-1) + 1

    def nearest(self, vector: Vectors, k: int) -> dict[Language, Neighbours]:
        return {language: self._nearest(vector, k, found) for language, found in self._by_language().items()}

    def _nearest(self, vector: Vectors, k: int, entries: list[IndexedPassage]) -> Neighbours:
        cosines = {entry.id: entry.rows.astype(np.float32) @ vector for entry in entries}
        units = sorted(((float(c), i) for i, row in cosines.items() for c in row), key=lambda unit: -unit[0])
        best: dict[int, float] = {}
        for cosine, i in units[:k]:
            best.setdefault(i, cosine)
        passages = np.array([row[0] for row in cosines.values()], dtype=np.float64)
        sentences = np.concatenate([row[1:] for row in cosines.values()]).astype(np.float64)
        return Neighbours(
            best,
            Background(float(passages.mean()), float(passages.std())),
            Background(float(sentences.mean()), float(sentences.std())),
            len(entries),
        )

    def _by_language(self) -> dict[Language, list[IndexedPassage]]:
        found: dict[Language, list[IndexedPassage]] = {}
        for language in self._languages:
            if entries := [entry for entry in self._entries.values() if entry.language == language]:
                found[language] = entries
        return found

    def postings(self, terms: tuple[str, ...]) -> Postings:
        found = {i: body for i, (body, _) in self._store.matching(terms).items() if i in self._entries}
        return Postings(
            np.array([i for i, body in found.items() if body], dtype=np.int64),
            np.array([i for i, body in found.items() if not body], dtype=np.int64),
        )

    def vocabulary(self) -> list[str]:
        return self._vocabulary

    def fetch(self, ids: Sequence[int]) -> list[IndexedPassage]:
        return [self._entries[i] for i in ids]

    def vectors(self, ids: Sequence[int]) -> list[tuple[Language, NDArray[np.float16]]]:
        return [(entry.language, entry.rows) for entry in self.fetch(ids)]

    def tokens(self, ids: Sequence[int]) -> list[TokenStates]:
        return self._store.tokens(ids)

    def passages_of(self, document: str) -> list[int]:
        return [i for i, entry in self._entries.items() if entry.passage.document == document]

    def sample(self, most: int) -> dict[Language, list[IndexedPassage]]:
        ids = [i for i in self._store.shuffled() if i in self._entries]
        return {
            language: [self._entries[i] for i in ids if self._entries[i].language == language][:most]
            for language in self._by_language()
        }

    def source(self, document: str) -> Source | None:
        return self._sources.get(document)

    def confirm(self, ids: Sequence[int]) -> None:
        for entry in self.fetch(ids):
            self._store.confirm(entry, self._sources[entry.passage.document])

    def read(self, document: str) -> Document:
        found = self._store.read(document) if document in self._sources else None
        if found is None:
            raise KeyError(document)
        return found
