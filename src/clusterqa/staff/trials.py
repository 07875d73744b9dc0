"""Trying a draft: questions answered from it alone, before it goes live."""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from clusterqa.corpus import sync
from clusterqa.passages import split
from clusterqa.ports import Encoder
from clusterqa.records import Document, Passage, Question, Reply
from clusterqa.retrieval.profile import Profile
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import EMBEDDED, Settings
from clusterqa.staff.drafts import DeskError, Drafts
from clusterqa.staff.jobs import Job, Jobs

KEPT_TRIALS = 4


class Trials:
    """The indexes of the drafts tried last, and the passages of those looked at last. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        drafts: Drafts,
        encoder: Encoder,
        profile: Profile | None,
        jobs: Jobs,
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        """`later` does a task in the background."""
        self._settings, self._drafts, self._encoder, self._profile = settings, drafts, encoder, profile
        self._jobs, self._later = jobs, later
        self._trials: OrderedDict[tuple[str, int], KnowledgeBase] = OrderedDict()
        self._passages: OrderedDict[tuple[object, ...], tuple[Passage, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def clear(self) -> None:
        with self._lock:
            self._trials.clear()

    def ask(self, identifier: str, question: Question) -> Reply | None:
        """
        Answer a question from this draft alone; None while the draft is being prepared (its job says how far).

        The draft gets an index of its own, made like the one that answers, with the same encoder and profile.
        """
        draft = self._drafts.get(identifier)
        key = (identifier, draft.revision)
        with self._lock:
            kb = self._trials.get(key)
        if kb is None:
            job = self._jobs.get(f"trial {identifier}")
            if job is None or job.over:
                self._jobs.set(f"trial {identifier}", Job())
                self._later(lambda: self._prepare(identifier))
            job = self._jobs.wait(f"trial {identifier}", 15)
            if job is not None and job.trouble is not None:
                raise DeskError("trial_failed", job.trouble.text)
            with self._lock:
                kb = self._trials.get(key)
        return kb.ask(question) if kb else None

    def _prepare(self, identifier: str) -> None:
        draft = self._drafts.get(identifier)
        with self._jobs.running(f"trial {identifier}"):
            document = self._drafts.read(draft)
            if document is None:
                raise DeskError("wrong_state", "The draft is not read yet.", state=draft.state)
            trial = self._drafts.folder / identifier / "trial"
            shutil.rmtree(trial, ignore_errors=True)
            small = {"corpus": self._drafts.path(draft).parent, "data": trial, **EMBEDDED}
            settings = self._settings.model_copy(update=small)
            sync.update(
                settings,
                lambda: self._encoder,
                progress=self._jobs.progress(f"trial {identifier}"),
                read=lambda _, name: replace(document, id=name),
            )
            kb = KnowledgeBase(settings, self._encoder, self._profile)
            with self._lock:
                for old in [key for key in self._trials if key[0] == identifier]:
                    del self._trials[
                        old
                    ]  # somebody may be asking it still; its connection closes with the last of them
                self._trials[identifier, draft.revision] = kb
                while len(self._trials) > KEPT_TRIALS:
                    self._trials.popitem(last=False)

    def passages(self, document: Document) -> tuple[Passage, ...]:
        """The passages of a document, as they would be quoted; the latest few are remembered, for the pages of drafts."""
        out = tuple(block.start for block in document.blocks if block.kind == "left_out")
        key = (document.id, document.version, document.language, out)
        with self._lock:
            known = self._passages.get(key)
        if known is None:
            known = split(document, self._settings.passage_chars)
            with self._lock:
                self._passages[key] = known
                while len(self._passages) > KEPT_TRIALS:
                    self._passages.popitem(last=False)
        return known
