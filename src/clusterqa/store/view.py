"""What every index over a store asks of the store itself: words, tokens, documents, and whether a passage is still what it was."""

from __future__ import annotations

import datetime
import json
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clusterqa.errors import IndexNotFound, StoreDamaged
from clusterqa.ports import Index, Store
from clusterqa.records import (
    LANGUAGES,
    Document,
    IndexedPassage,
    Language,
    Passage,
    Postings,
    Source,
    Span,
    Stored,
    TokenStates,
    is_over,
)
from clusterqa.store.translations import sources
from clusterqa.text.analysis import LONGEST_REMEMBERED

UNITS_PER_PASSAGE = 8192
"""
A unit (the passage itself, or one sentence) has the id `passage id · 8192 + position`, position 0 being the passage.
More than the longest passage has characters, so that no passage can have more sentences.
"""

REMEMBERED_TERMS = 512
"""Groups of terms whose passages are kept; at 10,000 passages some 10 MB at the most."""

REMEMBERED_PASSAGES = 4096
"""Passages that are kept for a generation with their vectors: some 25 MB at the most with the bundled encoder."""

REMEMBERED_DOCUMENTS = 32
"""Documents that are kept with their structure for a generation: the three of a reply are often those of the last one."""


class _Documents(NamedTuple):
    """What is known of the documents of a generation that are the index's, by id: those `over`, which are no longer valid, too."""

    stored: dict[str, Stored]
    sources: dict[str, Source]
    over: frozenset[str]


class StoreView(Index):
    """An index that is a view of a store. Whoever takes up a generation calls `_hold` and `_took_up`."""

    def __init__(
        self,
        connect: Callable[[], Store],
        dimension: int,
        languages: tuple[Language, ...] = LANGUAGES,
        check: Callable[[Store], None] = lambda store: None,
        today: Callable[[], datetime.date] | None = None,
    ) -> None:
        """
        `connect` opens the store, which is closed by `close`; `check` raises where a generation must not be taken up.
        `languages` other than both leave the documents of the other one out: for measuring one direction. With `today`,
        documents that are no longer valid on that day are left out too, from the first question of the day on.
        """
        self.dimension = dimension
        self.languages = languages
        self._connect = connect
        self._check = check
        self._today: Callable[[], datetime.date | None] = today or (lambda: None)
        self._store = connect()
        self.changes = 0
        self._clear()

    def _clear(self) -> None:
        """As before the first generation."""
        self._hold(np.zeros(0, dtype=np.int8))
        self._took_up(-1, "", _Documents({}, {}, frozenset()))

    def _hold(self, languages: NDArray[np.int8]) -> None:
        """Which passages there are now, by id: 0 for none, else 1 + the place of its language in LANGUAGES."""
        filled = np.flatnonzero(languages)
        self._languages = languages[: int(filled[-1]) + 1 if len(filled) else 0].copy()
        self._forget()

    def _forget(self) -> None:
        self._entries: OrderedDict[int, IndexedPassage] = OrderedDict()
        self._samples: dict[int, dict[Language, list[IndexedPassage]]] = {}

    def _took_up(self, generation: int, epoch: str, documents: _Documents, day: datetime.date | None = None) -> None:
        self.generation, self.epoch, self._day = generation, epoch, day
        self.changes += 1
        self._documents, self._sources = documents, documents.sources
        self._vocabulary: list[str] | None = None
        self._postings: dict[tuple[str, ...], Postings] = {}
        self._read: dict[str, Document] = {}

    def close(self) -> None:
        self._store.close()

    def _follow(self) -> bool:
        """Whether there is a store to read: one that took the other's place answers from its first generation on."""
        if self._store.current():
            return True
        try:
            fresh = self._connect()
        except IndexNotFound:
            return False
        if fresh.generation() == 0:
            fresh.close()
            return False
        self._store.close()
        self._store = fresh
        return True

    def _stored_state(self) -> tuple[int, str]:
        """Generation and epoch of the store."""
        return self._store.generation(), self._store.meta("epoch") or ""

    def _read_documents(self, day: datetime.date | None, known: int) -> _Documents:
        """The documents on a day; of those taken up with the generation `known` only what changed since is read, -1 reads all."""
        changed = self._store.documents(state=None, after_generation=known)
        stored = {} if known < 0 else dict(self._documents.stored)
        for one in changed:
            stored.pop(one.id, None)
            if one.state == "live" and one.language in self.languages:
                stored[one.id] = one
        stored = dict(sorted(stored.items()))  # as if all were read
        over = frozenset(one.id for one in stored.values() if day and is_over(one.valid_until, day))
        return _Documents(stored, sources(one for one in stored.values() if one.id not in over), over)

    @abstractmethod
    def _load(self, ids: Sequence[int]) -> Iterable[IndexedPassage]:
        """Those of these passages that there are, in any order; others may be among them that are left out here."""

    def __len__(self) -> int:
        return int(np.count_nonzero(self._languages))

    @property
    def id_bound(self) -> int:
        return len(self._languages)

    def _has(self, passage: int) -> bool:
        return 0 <= passage < len(self._languages) and bool(self._languages[passage])

    def fetch(self, ids: Sequence[int]) -> list[IndexedPassage]:
        known = self._entries
        if lacking := [i for i in dict.fromkeys(ids) if i not in known]:
            known.update({entry.id: entry for entry in self._load(lacking) if self._has(entry.id)})
        entries = [known[i] for i in ids]
        for i in ids:
            known.move_to_end(i)
        while len(known) > REMEMBERED_PASSAGES:
            known.popitem(last=False)
        return entries

    def vectors(self, ids: Sequence[int]) -> list[tuple[Language, NDArray[np.float16]]]:
        return [(entry.language, entry.rows) for entry in self.fetch(ids)]

    def sample(self, most: int) -> dict[Language, list[IndexedPassage]]:
        if most not in self._samples:
            counts = np.bincount(self._languages, minlength=1 + len(LANGUAGES)).tolist()
            self._samples[most] = {
                language: self.fetch(self._first(place, counts[place], most))
                for place, language in enumerate(LANGUAGES, 1)
                if counts[place]
            }
        return self._samples[most]

    def _first(self, place: int, count: int, most: int) -> list[int]:
        """
        Those of a language, which has so many passages, that come first in the store's order. Where they are rare among all, the
        order would be read nearly to its end: after as many steps as there are of them they are looked up themselves.
        """
        found: list[int] = []
        for i in islice(self._store.shuffled(), count):
            if self._has(i) and self._languages[i] == place:
                found.append(i)
            if len(found) == min(most, count):
                return found
        return list(islice(self._store.shuffled(np.flatnonzero(self._languages == place).tolist()), most))

    def postings(self, terms: tuple[str, ...]) -> Postings:
        # The words of a domain come back in question after question, so the latest answers are kept for a generation.
        known = self._postings.get(terms)
        if known is None:
            found = self._store.matching(terms)
            ids = np.fromiter(found, dtype=np.int64, count=len(found))
            in_body = np.fromiter((body for body, _ in found.values()), dtype=np.bool_, count=len(found))
            there = np.append(self._languages, 0)[np.minimum(ids, len(self._languages))] > 0
            known = Postings(ids[there & in_body], ids[there & ~in_body])
            if max(map(len, terms), default=0) <= LONGEST_REMEMBERED:
                if len(self._postings) >= REMEMBERED_TERMS:
                    self._postings.pop(next(iter(self._postings)))
                self._postings[terms] = known
        return known

    def vocabulary(self) -> list[str]:
        if self._vocabulary is None:
            self._vocabulary = self._store.vocabulary()
        return self._vocabulary

    def tokens(self, ids: Sequence[int]) -> list[TokenStates]:
        return self._store.tokens(ids)

    def source(self, document: str) -> Source | None:
        return self._sources.get(document)

    def confirm(self, ids: Sequence[int]) -> None:
        for entry in self.fetch(ids):
            self._store.confirm(entry, self._sources[entry.passage.document])

    def read(self, document: str) -> Document:
        if document not in self._read:
            if document not in self._sources:
                raise KeyError(document)
            found = self._store.read(document)
            if found is None:
                raise StoreDamaged(
                    f"The text of {document} is missing from the index. Mend it with: clusterqa index --rebuild"
                )
            if len(self._read) >= REMEMBERED_DOCUMENTS:
                self._read.pop(next(iter(self._read)))
            self._read[document] = found
        return self._read[document]


def units_of(entry: IndexedPassage) -> range:
    """The ids of a passage's units, in the order of its rows."""
    first = entry.id * UNITS_PER_PASSAGE
    return range(first, first + len(entry.rows))


# ── passages as text ────────────────────────────────────────────────────────────────────────────────────────────


def packed(passage: Passage, ascii: bool = True) -> str:
    """A third of the memory of the record; in ASCII no server minds a character of a document."""
    p = passage
    sentences = [(span.start, span.end) for span in p.sentences]
    return json.dumps(
        [p.document, p.ordinal, p.start, p.end, p.text, sentences, p.heading, p.lead, p.page, p.page_label],
        ensure_ascii=ascii,
    )


def unpacked(text: str | bytearray) -> Passage:
    document, ordinal, start, end, own, sentences, heading, lead, page, label = json.loads(text)
    spans = tuple(Span(*values) for values in sentences)
    return Passage(document, ordinal, start, end, own, spans, tuple(heading), lead, page, label)
