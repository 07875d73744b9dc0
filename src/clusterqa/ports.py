"""
What the pipeline needs of an encoder, an index, a reranker and a store, and what each promises.

Nothing here knows a library or a file. Every implementation passes the contract tests of its port (tests/contracts/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from clusterqa.records import (
    Block,
    Document,
    Encoded,
    FileState,
    FirstLook,
    Hit,
    IndexedPassage,
    Language,
    Neighbours,
    NewPassage,
    Page,
    PassageVectors,
    Postings,
    Query,
    Reading,
    Reranked,
    Source,
    Stored,
    TokenStates,
)

Vectors = NDArray[np.float32]
Progress = Callable[[int], None]
"""Called with how many more texts are done."""


class Encoder(Protocol):
    """
    Texts to unit vectors. Thread-safe and deterministic.

    `read_…` and `token_spans` are for encoders that also give the states of tokens; one that inherits them compares whole
    texts only.
    """

    fingerprint: str
    """Changes whenever the vectors would; stored beside them."""
    dimension: int

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """One unit row for each question, shape (n, dimension)."""
        ...

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """One unit row for each passage, shape (n, dimension)."""
        ...

    def read_query(self, text: str) -> Encoded:
        """One question, with its tokens."""
        return Encoded(self.encode_queries([text])[0])

    def read_passages(self, texts: Sequence[str], progress: Progress | None = None) -> list[Encoded]:
        """Passages as above, with their tokens."""
        return [Encoded(row) for row in self.encode_passages(texts, progress)]

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Where in a passage's text each of its tokens stands, in the order of its states; (0, 0) around the text."""
        return []

    def cut_off(self, texts: Sequence[str]) -> list[int]:
        """Positions of the texts that are longer than the model reads."""
        ...


class Index(Protocol):
    """
    The read side of one generation: everything that search asks for, inside `reading`. Use it from one thread at a time.
    """

    generation: int
    """Of the store; -1 before the first `refresh`."""
    epoch: str
    """Changes when the store was built again from nothing."""
    changes: int
    """Rises whenever `refresh` or `reading` take up something else: another generation, or another day's documents."""

    def close(self) -> None: ...

    def refresh(self) -> bool:
        """Take up the store's newest generation; says whether anything changed. An error leaves the index as it was."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """The newest generation, taken up first as by `refresh`, for everything that is asked inside."""
        ...

    def __len__(self) -> int:
        """How many passages there are."""
        ...

    @property
    def id_bound(self) -> int:
        """One more than the highest passage id; 0 when there are no passages."""
        ...

    def nearest(self, vector: Vectors, k: int) -> Mapping[Language, Neighbours]:
        """
        For each language that has passages those nearest to one unit vector of shape (dimension,).

        The `k` nearest passages and sentences of each language are looked at, so that neither crowds out the other.
        """
        ...

    def postings(self, terms: tuple[str, ...]) -> Postings:
        """The passages that hold at least one of the terms, which are as `text.analysis.terms` gives them."""
        ...

    def vocabulary(self) -> Sequence[str]:
        """Every term that a passage holds, in order; the index may know terms of other generations too."""
        ...

    def fetch(self, ids: Sequence[int]) -> list[IndexedPassage]:
        """Passages by id, in the order asked for. Raises KeyError for an unknown id."""
        ...

    def vectors(self, ids: Sequence[int]) -> list[tuple[Language, NDArray[np.float16]]]:
        """Language and vectors alone of what `fetch` gives, which takes less time."""
        ...

    def tokens(self, ids: Sequence[int]) -> list[TokenStates]:
        """The tokens of passages by id, in the order asked for; they may be read from a disk, in one batch."""
        ...

    def passages_of(self, document: str) -> Sequence[int]:
        """Ids of the passages of a document, in reading order; none for an unknown one."""
        ...

    def sample(self, most: int) -> Mapping[Language, Sequence[IndexedPassage]]:
        """At most so many passages of each language that has any: the first in the order of `Store.shuffled`."""
        ...

    def source(self, document: str) -> Source | None:
        """What is shown about a document; None for one that has no place in this index."""
        ...

    def confirm(self, ids: Sequence[int]) -> None:
        """
        Make sure, before passages are quoted, that the store has them and their documents as this index took them up.

        Raises StoreDamaged.
        """
        ...

    def read(self, document: str) -> Document:
        """A document of this index with its text and structure. Raises KeyError for an unknown one, StoreDamaged."""
        ...


class Reranker(Protocol):
    """A closer look at the best candidates: the question and each passage together."""

    name: str
    """Stands in the profile that the confidence was fitted with."""

    def rerank(self, query: Query, ids: Sequence[int], first: FirstLook, index: Index) -> list[Reranked]:
        """
        One verdict for each passage, in the order of `ids`, with a score for each of its sentences.

        A verdict rests on the question, its passage and the corpus, never on which others are asked about with it.
        """
        ...


class Reader(Protocol):
    """Reads question and passage together. Thread-safe."""

    fingerprint: str
    """Changes whenever what it says would; stands in the profile that the confidence was fitted with."""

    def read(self, query: Query, hits: Sequence[Hit], tokens: Sequence[TokenStates]) -> list[Reading]:
        """
        One reading for each of the best hits of a search, in their order; the reader may look at how they stand beside each
        other. `tokens` are those of the hits' passages.
        """
        ...


class Store(Protocol):
    """
    The truth: documents, their versions and passages, in generations.

    A generation is a number that rises by one with every change. Readers see one whole or not at all; one writer at a time
    prepares the next. A store is for one thread at a time: each opens its own. Raises StoreError.
    """

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def current(self) -> bool:
        """False when another store was put in this one's place: open it again."""
        ...

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────────────

    def reading(self) -> AbstractContextManager[None]:
        """One consistent view of everything for what is asked inside."""
        ...

    def writing(self) -> AbstractContextManager[int]:
        """The one transaction that writes a generation; gives its number. Anything raised inside leaves the last as it was."""
        ...

    def noting(self) -> AbstractContextManager[None]:
        """A transaction for what changes no answer (`touch`): the generation stays."""
        ...

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def meta(self, key: str) -> str | None: ...

    def generation(self) -> int:
        """0 before anything was written."""
        ...

    def documents(self, state: str | None = "live", after_generation: int = -1) -> list[Stored]:
        """The documents that changed after a generation, in the order of their ids; all of them when `state` is None."""
        ...

    def document(self, document: str) -> Stored | None: ...

    def versions(self, document: str) -> list[str]:
        """sha256 of every stored version of a document, oldest first."""
        ...

    def text(self, document: str, version: str) -> str | None: ...

    def read(self, document: str) -> Document | None:
        """A document as it was read last, with its structure; None when there is none."""
        ...

    def structure(self, document: str, version: str) -> tuple[tuple[Block, ...], tuple[Page, ...]]: ...

    def passages(self, after_generation: int = -1) -> Iterator[IndexedPassage]:
        """The live passages that came after a generation, in the order of their ids."""
        ...

    def tokens(self, ids: Sequence[int]) -> list[TokenStates]:
        """The tokens of passages by id, in the order asked for. Raises StoreDamaged for one that has none."""
        ...

    def confirm(self, entry: IndexedPassage, source: Source) -> None:
        """
        Make sure that a passage and what is known of its document are the ones that are stored, checksums included.

        Cheap enough to be done for everything that is shown. Raises StoreDamaged.
        """
        ...

    def removed_since(self, generation: int) -> list[int]:
        """Ids of the passages that went after a generation."""
        ...

    def vectors_by_digest(self, digests: Iterable[str]) -> dict[str, PassageVectors]:
        """Vectors already computed for equal texts, by digest."""
        ...

    def matching(self, terms: Sequence[str]) -> dict[int, tuple[bool, bool]]:
        """Passage id → (in the body, in the head) for the passages that hold at least one of the terms."""
        ...

    def vocabulary(self) -> list[str]:
        """Every term of the lexical index, in order."""
        ...

    def shuffled(self, among: Sequence[int] | None = None) -> Iterator[int]:
        """
        Passage ids in an order that looks like chance and follows from the words alone: what comes or goes leaves the others
        where they stand, and an index made anew has the same order. Of all passages a few at a time are read; with `among` those.
        """
        ...

    def unreadable(self) -> list[tuple[str, str, str]]:
        """(id, reason, next step) of the files that could not be read at the last run."""
        ...

    def counts(self) -> dict[str, int]:
        """How many "documents", "versions", "passages", "vectors" and "stems" there are."""
        ...

    def held(self, document: str | None) -> dict[str, int]:
        """How many "passages", "vectors" (of passages and sentences) and "stems" a document has; all documents for None."""
        ...

    def damage(self) -> list[str]:
        """What is wrong inside, in words; empty when everything is whole. Reads all of it."""
        ...

    def spot_check(self) -> None:
        """Look at a few rows of each kind, drawn anew each time, in milliseconds. Raises StoreDamaged where one is wrong."""
        ...

    # ── writing; only inside `writing` ──────────────────────────────────────────────────────────────────────────

    def set_meta(self, key: str, value: str) -> None: ...

    def put(self, document: Document, file: FileState, passages: Sequence[NewPassage], generation: int) -> None:
        """Make `document` live with these passages, in place of what it had before."""
        ...

    def touch(self, document: str, file: FileState) -> None:
        """Note that a file was touched without its content changing; inside `writing` or `noting`."""
        ...

    def remove(self, document: str, generation: int) -> None:
        """Take a document out of every answer; its text stays, so that old citations still open."""
        ...

    def set_unreadable(self, files: Iterable[tuple[str, str, str]]) -> None: ...

    def forget_terms(self) -> None:
        """Make sure that nothing is left of removed passages' terms. Its cost may grow with the corpus."""
        ...

    def forget_log(self) -> None:
        """Make sure that nothing deleted is left in a log. Outside of `writing`."""
        ...
