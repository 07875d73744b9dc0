"""Documents, passages and vectors to put into a store, and the kinds of store and index that the contracts are held to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np
import psycopg
from numpy.typing import NDArray

from clusterqa.ports import Index, Store
from clusterqa.records import (
    LANGUAGES,
    Block,
    Document,
    FileState,
    IndexedPassage,
    Language,
    NewPassage,
    Passage,
    PassageVectors,
    Source,
    Span,
    TokenStates,
)
from clusterqa.settings import Home
from clusterqa.store import open_index, open_store
from clusterqa.store.faiss_index import FaissIndex
from clusterqa.store.sqlite import DATABASE
from engines import here, milvus_address, postgres_address
from memory import MemoryData, MemoryIndex

FILE = FileState("f" * 64, 10, 1)
DIMENSION = 6


# ── places for a store, and indexes over them ───────────────────────────────────────────────────────────────────


class Place(Protocol):
    """Where a store is; `open` gives a connection of one's own, `replace` puts what stands elsewhere in its place."""

    def open(self) -> Store: ...

    def other(self) -> Place:
        """Another, empty place."""
        ...

    def replace(self, other: Place) -> None: ...


@dataclass
class Folder:
    """A place on the disk."""

    data: Path

    def open(self) -> Store:
        return open_store(Home(self.data), create=True)

    def other(self) -> Folder:
        return Folder(self.data / "other")

    def replace(self, other: Place) -> None:
        assert isinstance(other, Folder)
        for path in self.data.glob(f"{DATABASE}*"):
            path.unlink()
        (other.data / DATABASE).rename(self.data / DATABASE)


@dataclass
class Schema:
    """A place in a PostgreSQL server, in a schema of its own."""

    home: Home

    def open(self) -> Store:
        return open_store(self.home, create=True)

    def other(self) -> Schema:
        return Schema(Home(self.home.data, postgres_address()))

    def replace(self, other: Place) -> None:
        assert isinstance(other, Schema)
        address, _, mine = self.home.store.partition("&schema=")
        theirs = other.home.store.partition("&schema=")[2]
        with psycopg.connect(address, autocommit=True) as db:
            db.execute(f"DROP SCHEMA {mine} CASCADE")
            db.execute(f"ALTER SCHEMA {theirs} RENAME TO {mine}")


class Memory(MemoryData):
    """A place in memory."""

    def other(self) -> Memory:
        return Memory()

    def replace(self, other: Place) -> None:
        assert isinstance(other, Memory)
        self.shared = other.shared


PLACES: dict[str, Callable[[Path], Place]] = {
    "sqlite": Folder,
    "postgres": lambda folder: Schema(Home(folder, postgres_address())),
    "memory": lambda _: Memory(),
}


class MakeIndex(Protocol):
    """Makes an index over the stores that `connect` opens."""

    def __call__(
        self,
        connect: Callable[[], Store],
        dimension: int,
        languages: tuple[Language, ...] = LANGUAGES,
        check: Callable[[Store], None] = ...,
    ) -> Index: ...


@dataclass(frozen=True)
class Server:
    """A kind of index that stands in a server; `address` gives an unused place in one that runs, or skips the test."""

    address: Callable[[], str]

    @staticmethod
    def open(
        address: str,
        connect: Callable[[], Store],
        dimension: int,
        owner: Home,
        languages: tuple[Language, ...] = LANGUAGES,
        check: Callable[[Store], None] = lambda store: None,
        today: Callable[[], date] | None = None,
    ) -> Index:
        return open_index(address, connect, dimension, owner, languages, check, today)

    def __call__(
        self,
        connect: Callable[[], Store],
        dimension: int,
        languages: tuple[Language, ...] = LANGUAGES,
        check: Callable[[Store], None] = lambda store: None,
    ) -> Index:
        return self.open(self.address(), connect, dimension, Home(Path(here())), languages, check)


SERVED = {
    "pgvector": Server(lambda: f"pgvector:{postgres_address()}"),
    "milvus": Server(lambda: f"milvus:{milvus_address()}"),
}
IN_MEMORY: dict[str, MakeIndex] = {"faiss": FaissIndex, "memory": MemoryIndex}
INDEXES: dict[str, MakeIndex] = {**IN_MEMORY, **SERVED}


# ── what is put into them ───────────────────────────────────────────────────────────────────────────────────────


def document(name: str = "a.en.md", text: str = "Gold lasts two years. Bronze too.", **fields: object) -> Document:
    known = {"title": "A", "language": "en", "media_type": "text/markdown", **fields}
    return Document(id=name, text=text, blocks=(Block("paragraph", 0, len(text)),), **known)  # type: ignore[arg-type]


def passage(of: Document, terms: str = "gold year", head: str = "label", seed: int = 0) -> NewPassage:
    """One passage over the whole document, with one sentence and two vectors."""
    whole = Passage(
        of.id, 0, 0, len(of.text), of.text, (Span(0, len(of.text)),), ("Part", "Chapter"), "Lead:", 3, "iii"
    )
    draw = np.random.default_rng(seed)
    vectors = PassageVectors(
        draw.normal(size=(2, 4)).astype(np.float16),
        TokenStates(
            draw.integers(-127, 128, size=(7, 3)).astype(np.int8),
            draw.integers(0, 30_000, size=7).astype(np.int32),
            np.array([1, 3, 6], dtype=np.int32),
        ),
    )
    return NewPassage(whole, vectors, f"digest {of.id} {seed}", terms, head)


def put(store: Store, of: Document, *passages: NewPassage) -> int:
    with store.writing() as generation:
        store.put(of, FILE, passages or (passage(of),), generation)
    return generation


def put_drawn(
    store: Store, name: str, language: Language = "en", passages: int = 2, sentences: int = 2, seed: int = 0,
    **fields: object,
) -> None:  # fmt: skip
    """A document of so many passages, each of so many sentences of one letter, with vectors drawn from `seed`."""
    size = 2 * sentences
    text = "x " * (passages * sentences)
    new = []
    for p in range(passages):
        spans = tuple(Span(p * size + 2 * s, p * size + 2 * s + 1) for s in range(sentences))
        begin, end = spans[0].start, spans[-1].end
        vectors = unit_rows(1 + sentences, seed * 1000 + p).astype(np.float16)
        new.append(
            NewPassage(Passage(name, p, begin, end, text[begin:end], spans), PassageVectors(vectors), "", f"w{p}", "")
        )
    put(store, document(name, text, title=name, language=language, **fields), *new)


def remove(store: Store, name: str) -> None:
    with store.writing() as generation:
        store.remove(name, generation)
        store.forget_terms()


def unit_rows(count: int, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


# ── what is looked at in them ───────────────────────────────────────────────────────────────────────────────────


def assert_same_vectors(a: PassageVectors, b: PassageVectors) -> None:
    mine, theirs = a.tokens, b.tokens
    for one, other in (
        (a.rows, b.rows), (mine.states, theirs.states), (mine.ids, theirs.ids), (mine.cuts, theirs.cuts)
    ):  # fmt: skip
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def source_of(index: Index, name: str) -> Source:
    found = index.source(name)
    assert found is not None
    return found


def entries_of(index: Index, store: Store) -> list[IndexedPassage]:
    """All passages of an index, by document."""
    return index.fetch([i for stored in store.documents() for i in index.passages_of(stored.id)])
