"""The core in one object: encoder, store and view stay alive between questions."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path

from clusterqa.answer import remark_reply, reply
from clusterqa.calibration import Calibration
from clusterqa.conversation import understand
from clusterqa.encoder import Encoder
from clusterqa.errors import EvaluationError, IndexNotFound
from clusterqa.index import View
from clusterqa.lexicon import Lexicon
from clusterqa.library import check_in_step
from clusterqa.records import Question, Reply
from clusterqa.search import Found, search
from clusterqa.settings import Settings
from clusterqa.store import DATABASE, Store

log = logging.getLogger(__name__)

SEARCH_DEPTH = 10
"""Hits fetched for an answer: three are quoted, the others tell how far the first stands out."""


class Assistant:
    """
    Asks one corpus. Thread-safe: the encoder works in parallel, the search behind a lock.

    Every question is answered from the newest generation, which another process may have written a moment ago.
    """

    def __init__(
        self, settings: Settings, encoder: Encoder, store: Store, calibration: Calibration | None = None
    ) -> None:
        self.settings = settings
        self.encoder = encoder
        self.lexicon = Lexicon.load()
        self.calibration = calibration or load_calibration(settings.data, encoder)
        self._store = store
        self._inode = _inode(settings.data)
        self._view = View(encoder.dimension)
        self._lock = threading.Lock()
        self.refresh()

    @classmethod
    def open(cls, settings: Settings, encoder: Encoder) -> Assistant:
        """Raises IndexNotFound when nothing is indexed, IndexOutdated when another encoder or setting was used."""
        return cls(settings, encoder, Store.open(settings.data))

    def close(self) -> None:
        self._store.close()

    @property
    def generation(self) -> int:
        return self._view.generation

    def refresh(self) -> bool:
        """Take up the newest generation; tells whether there was one."""
        with self._lock:
            return self._refresh()

    def _refresh(self) -> bool:
        inode = _inode(self.settings.data)
        if inode != self._inode:  # the database was put aside and is built anew
            try:
                fresh = Store.open(self.settings.data)
                if fresh.meta("encoder") is None:
                    fresh.close()
                    return False
            except IndexNotFound:
                return False  # until its first generation is there, the one in memory answers
            self._store.close()
            self._store, self._inode = fresh, inode
        if self._store.generation() == self._view.generation and self._store.meta("epoch") == self._view.epoch:
            return False
        check_in_step(self._store, self.settings, self.encoder)
        return self._view.refresh(self._store)

    def search(self, question: Question, k: int = SEARCH_DEPTH) -> Found | None:
        """The hits for a question, best first; None when there is nothing to search for in it."""
        understood = understand(question, self.encoder)
        if understood.query is None:
            return None
        with self._lock:
            self._refresh()
            return search(understood.query, self._view, self._store, self.lexicon, k)

    def ask(self, question: Question) -> Reply:
        """Answer one question by quoting, or say honestly that the documents do not."""
        begin = time.perf_counter()
        understood = understand(question, self.encoder)
        encoded = time.perf_counter()
        if understood.query is None:
            assert understood.remark is not None
            return remark_reply(question, understood.language, understood.remark)
        with self._lock:
            self._refresh()
            found = search(understood.query, self._view, self._store, self.lexicon, SEARCH_DEPTH)
            generation = self._view.generation
        searched = time.perf_counter()
        answer = reply(question, understood.query, found, self.calibration, generation)
        quoted = time.perf_counter()
        timings = {"encode": encoded - begin, "search": searched - encoded, "quote": quoted - searched}
        return replace(answer, timings={stage: round(1000 * seconds, 2) for stage, seconds in timings.items()})


def load_calibration(data: Path, encoder: Encoder) -> Calibration:
    """The calibration fitted for this encoder: one in the data folder, else the bundled one."""
    own = data / "calibration.json"
    if own.is_file():
        try:
            return Calibration.read(own, encoder.fingerprint)
        except EvaluationError as error:
            log.warning("%s", error)
    bundled = Calibration.bundled()
    if bundled.encoder != encoder.fingerprint:
        log.warning(
            "The confidence was fitted for %s, not for %s: it may refuse too much or too little. "
            "Fit it with: clusterqa eval calibrate",
            bundled.encoder, encoder.fingerprint,
        )  # fmt: skip
    return bundled


def _inode(data: Path) -> int:
    try:
        return (data / DATABASE).stat().st_ino
    except OSError:
        return 0
