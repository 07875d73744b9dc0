"""Taking up what was changed in the corpus folder by hand, and what an updated program reads otherwise."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence

from clusterqa.corpus import folder as corpus_folder
from clusterqa.corpus import sync
from clusterqa.corpus.lock import writer_lock
from clusterqa.errors import ClusterQAError
from clusterqa.settings import Settings
from clusterqa.staff.drafts import DeskError, Trouble
from clusterqa.staff.history import Event, History, What
from clusterqa.store import open_store

log = logging.getLogger(__name__)

MANY = 10
"""In a corpus of at least so many documents, more than half of them gone at once is taken for a mistake."""
AT_A_TIME = 12
"""Documents that are looked at in one go; of many a hundredth, since each go looks at the whole list of them."""


class Watch:
    """Looks at the files of the corpus again and again; for one thread."""

    def __init__(
        self,
        settings: Settings,
        history: History,
        update: Callable[[Sequence[str]], sync.Report],
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        """`update` brings the documents of some ids up to date; `later` does a task after those that wait already."""
        self._settings, self._history, self._update, self._later = settings, history, update, later
        self._files: dict[str, tuple[int, int]] | None = None
        self._looked: dict[str, tuple[int, int]] = {}
        self.problem: Trouble | None = None
        """Why changes made by hand in the corpus are not indexed; None when they are."""

    def look(self) -> None:
        """Index the files that changed and have been at rest since the last look."""
        try:
            files = {name: corpus_folder.file_stat(path) for name, path in corpus_folder.corpus_files(self._settings)}
        except OSError:
            return  # a file went while it was looked at; the next look sees the rest
        except ClusterQAError as error:
            self._cannot(error)
            return
        settled, first = files == self._looked, self._files is None
        self._looked = files
        if files == self._files or not (settled or first):
            return
        with open_store(self._settings.home) as store:
            failed = {name for name, _, _ in store.unreadable()} & files.keys()  # perhaps they can be read now
            stale = {*sync.to_look_at(self._settings, store), *(() if first else failed)}
            live = {stored.id for stored in store.documents()} if sync.read_by_others(store) else set()
        self._take_up(files, [*sorted(stale), *sorted(live - stale)], frozenset(live - stale))

    def _take_up(self, files: dict[str, tuple[int, int]], names: Sequence[str], anew: Collection[str]) -> None:
        """Some documents at a time, so that a publication need not wait until a great change is through."""
        some = max(AT_A_TIME, len(files) // 100)
        try:
            if names:
                self._refuse_a_lost_corpus()
                with writer_lock(self._settings.home):
                    self._note(names[:some], anew)
        except ClusterQAError as error:
            self._cannot(error)
            return
        self.problem = None
        if rest := names[some:]:
            self._later(lambda: self._take_up(files, rest, anew))
        else:
            if anew:
                with open_store(self._settings.home) as store:
                    sync.note_readers(store)
            self._files = files

    def _cannot(self, error: ClusterQAError) -> None:
        if self.problem is None or self.problem.text != str(error):  # it is tried again at every look
            log.error("%s", error)
        self.problem = Trouble.of(error)

    def _refuse_a_lost_corpus(self) -> None:
        with open_store(self._settings.home) as store:
            live = {stored.id for stored in store.documents()}
        missing = live - {name for name, _ in corpus_folder.corpus_files(self._settings)}
        if len(live) >= MANY and 2 * len(missing) > len(live):
            raise DeskError(
                "many_missing",
                f"{len(missing)} of {len(live)} documents are no longer in {self._settings.corpus}. That looks like a mistake, so "
                "the index stays as it is. Put the files back, or confirm with: clusterqa index",
                missing=len(missing),
                total=len(live),
            )

    def _note(self, names: Sequence[str], anew: Collection[str]) -> None:
        """Index these documents; of those in `anew` the file is as it was."""
        with open_store(self._settings.home) as store:
            before = {stored.id: stored.version for stored in store.documents()}
        report = self._update(names)
        changes: tuple[tuple[What, tuple[str, ...]], ...] = (
            ("added_by_hand", report.added),
            ("changed_by_hand", tuple(name for name in report.changed if name not in anew)),
            ("read_anew", tuple(name for name in report.changed if name in anew)),
            ("removed_by_hand", report.removed),
        )
        for what, changed in changes:
            for name in changed:
                version = before.get(name) if what == "removed_by_hand" else self._version(name)
                self._history.record(Event(None, what, name, version, report.generation))

    def _version(self, name: str) -> str | None:
        with open_store(self._settings.home) as store:
            stored = store.document(name)
        return stored.version if stored else None
