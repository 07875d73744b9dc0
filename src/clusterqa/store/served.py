"""
An index that stands in a server of its own: vectors and passages there, the truth in the store as ever.

Whichever process looks first brings the server from one generation to the next, in proportion to what changed; all others
find it done. In memory stay one byte for each passage, what is known of each document, and the passages looked at last.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from clusterqa.ports import Store, Vectors
from clusterqa.records import LANGUAGES, IndexedPassage, Language, Neighbours
from clusterqa.store.moments import Backgrounds, count
from clusterqa.store.view import UNITS_PER_PASSAGE, StoreView

MARGIN = 32
"""
So many more units are asked for than are wanted: the server compares with a question rounded to half precision, and which of
them are the nearest is then decided by the exact cosines.
"""


class State(NamedTuple):
    """What a server holds: a generation of the store, and the store's epoch."""

    generation: int
    epoch: str


NOTHING = State(-1, "")


@dataclass(frozen=True, slots=True)
class Changes:
    """How a server comes from the state that it is in to another: first all goes if it is `fresh`, then `gone`, then `new` come."""

    to: State
    fresh: bool
    gone: Sequence[int]
    new: Iterable[IndexedPassage]


class Engine(Protocol):
    """
    A server with the vectors and passages of one generation. Raises StoreError where it cannot be reached.

    What is asked inside `reading` is answered from one generation whole, whatever other processes write meanwhile.
    """

    def close(self) -> None: ...

    def state(self) -> State:
        """NOTHING before the first generation."""
        ...

    def reading(self) -> AbstractContextManager[State]:
        """One generation for everything inside; gives which."""
        ...

    def changing(self) -> AbstractContextManager[State]:
        """Keeps all others from changing it inside; gives what it holds. Anything raised inside leaves it as it was."""
        ...

    def change(self, changes: Changes) -> None:
        """Only inside `changing`. Changes nothing of what is being read."""
        ...

    def nearest(self, language: Language, vector: Vectors, k: int) -> Sequence[int]:
        """Ids of the `k` units nearest to a unit vector, in no order that must be exact."""
        ...

    def fetch(self, ids: Sequence[int]) -> Iterable[IndexedPassage]:
        """Those of these passages that there are, in one batch and in any order."""
        ...

    def passages_of(self, document: str) -> Sequence[int]:
        """Ids in reading order."""
        ...

    def languages(self, above: int) -> Mapping[Language, NDArray[np.int64]]:
        """The ids above a bound, by language."""
        ...

    def backgrounds(self) -> Mapping[Language, Backgrounds]: ...

    def held(self) -> Mapping[str, int]:
        """How many "passages" and "vectors" (of passages and sentences) there are, counted one by one."""
        ...


class ServedIndex(StoreView):
    """The vectors and passages of one generation, in a server."""

    def __init__(
        self,
        engine: Engine,
        connect: Callable[[], Store],
        dimension: int,
        languages: tuple[Language, ...] = LANGUAGES,
        check: Callable[[Store], None] = lambda store: None,
        today: Callable[[], datetime.date] | None = None,
    ) -> None:
        super().__init__(connect, dimension, languages, check, today)
        self._engine = engine
        self._units_over = 0
        self._backgrounds: Mapping[Language, Backgrounds] = {}

    def _forget(self) -> None:
        super()._forget()
        self._by_document: dict[str, Sequence[int]] = {}

    def close(self) -> None:
        self._engine.close()
        super().close()

    # ── following the store ─────────────────────────────────────────────────────────────────────────────────────

    def refresh(self) -> bool:
        if not self._follow():
            return False
        store, known, day = self._store, State(self.generation, self.epoch), self._today()
        while True:
            # The server's state is read first: a store that is then behind it was set back, and is not only looked at too early.
            held = self._engine.state()
            if held == known == State(*self._stored_state()) and day == self._day:
                return False
            with store.reading():
                state = State(*self._stored_state())
                self._check(store)
                if held != state and not self._bring(held, state):
                    continue
                follows = state.epoch == known.epoch and state.generation >= known.generation
                gone = store.removed_since(known.generation) if follows else []
                documents = self._read_documents(day, known.generation if follows else -1)
            with self._engine.reading() as held:
                if held == state:
                    self._take_up(follows and day == self._day, gone, documents.over)
                    break
        changed = state != known or documents.over != self._documents.over
        self._took_up(*state, documents, day)
        return changed

    def _bring(self, held: State, state: State) -> bool:
        """Bring the server to the state that the store is read in; says whether nobody else was quicker."""
        store = self._store
        with self._engine.changing() as now:
            if now != held:
                return False
            fresh = held == NOTHING or state.epoch != held.epoch or state.generation < held.generation
            after = -1 if fresh else held.generation
            gone = [] if fresh else store.removed_since(after)
            self._engine.change(Changes(state, fresh, gone, store.passages(after_generation=after)))
        return True

    def _take_up(self, patched: bool, gone: Sequence[int], over: Iterable[str]) -> None:
        """What is `over` stays in the server, for processes that still show it, and is left out here."""
        old = self._languages if patched else np.zeros(0, dtype=np.int8)
        new = self._engine.languages(len(old) - 1)
        bound = max((int(ids.max()) + 1 for ids in new.values() if len(ids)), default=len(old))
        languages = np.zeros(bound, dtype=np.int8)
        languages[: len(old)] = old
        languages[[i for i in gone if i < bound]] = 0
        for place, language in enumerate(LANGUAGES, 1):
            if language in self.languages and language in new:
                languages[new[language]] = place
        self._backgrounds = {
            language: found for language, found in self._engine.backgrounds().items() if language in self.languages
        }
        left_out = [i for document in over for i in self._engine.passages_of(document)]
        entries = list(self._engine.fetch(left_out)) if left_out else []
        count(self._backgrounds, entries, -1)
        languages[left_out] = 0
        self._units_over = sum(len(entry.rows) for entry in entries)
        self._hold(languages)

    @contextmanager
    def reading(self) -> Iterator[None]:
        while True:
            self.refresh()
            with self._store.reading(), self._engine.reading() as held:
                if held == State(*self._stored_state()) == State(self.generation, self.epoch):
                    yield
                    return

    def held(self) -> Mapping[str, int]:
        """How many "passages" and "vectors" stand in the server, for comparing with those of the store."""
        return self._engine.held()

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def nearest(self, vector: Vectors, k: int) -> dict[Language, Neighbours]:
        return {
            language: self._nearest(language, found, vector, k)
            for language, found in self._backgrounds.items()
            if found.passages.count
        }

    def _nearest(self, language: Language, backgrounds: Backgrounds, vector: Vectors, k: int) -> Neighbours:
        found = self._engine.nearest(language, vector, k + MARGIN + self._units_over)
        units = [unit for unit in found if self._has(unit // UNITS_PER_PASSAGE)]
        passages = list(dict.fromkeys(unit // UNITS_PER_PASSAGE for unit in units))
        rows = {entry.id: entry.rows for entry in self.fetch(passages)}
        near = np.stack([rows[unit // UNITS_PER_PASSAGE][unit % UNITS_PER_PASSAGE] for unit in units])
        cosines = near.astype(np.float32) @ vector
        best: dict[int, float] = {}
        for place in np.argsort(-cosines, kind="stable")[:k].tolist():
            best.setdefault(units[place] // UNITS_PER_PASSAGE, float(cosines[place]))
        return Neighbours(best, *backgrounds.of(vector), backgrounds.passages.count)

    def _load(self, ids: Sequence[int]) -> Iterable[IndexedPassage]:
        return self._engine.fetch(ids)

    def passages_of(self, document: str) -> Sequence[int]:
        if document not in self._sources:
            return ()
        if document not in self._by_document:
            self._by_document[document] = self._engine.passages_of(document)
        return self._by_document[document]
