"""
The one start: from settings to what every door needs.

    with KnowledgeBase(settings, load_encoder(settings)) as kb:
        print(kb.ask("Kiek laiko galioja bronzos ženklas?").message)

What changes the process (threads of numeric libraries, environment variables) happens here, never when a module is imported.
"""

from __future__ import annotations

import ctypes
import importlib
import operator
import os
import platform
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NoReturn, Self

from clusterqa.clock import today
from clusterqa.corpus import folder, sync
from clusterqa.corpus.lock import finish_restoring
from clusterqa.corpus.sync import check_in_step
from clusterqa.encoders import SentenceEncoder, bundled_path
from clusterqa.errors import ClusterQAError, EncoderError, SettingsError
from clusterqa.inference import Arithmetic
from clusterqa.ports import Encoder, Index, Reader, Reranker, Store
from clusterqa.readers import Reader as Network
from clusterqa.readers import bundled_reader
from clusterqa.records import LANGUAGES, Hit, Language, Question, Reply, Stored, Trace
from clusterqa.retrieval.pipeline import DEPTH, Pipeline
from clusterqa.retrieval.profile import NO_READER, Profile, profile_for
from clusterqa.retrieval.reading import SmallReader
from clusterqa.retrieval.rerank import LateInteraction
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.settings import BUNDLED_ENCODER, BUNDLED_READER, Settings
from clusterqa.store import open_index, open_store
from clusterqa.store.faiss_index import one_thread
from clusterqa.store.reading import find
from clusterqa.text.lexicon import Lexicon

_M_ARENA_MAX = -8
"""From glibc's malloc.h."""


class KnowledgeBase:
    """
    One corpus, ready to be asked.

    Thread-safe: threads may ask, add and remove at the same time. Each question is answered from one whole generation, the
    newest, which another process may have written a moment ago. Not fork-safe: a forked process opens its own, and one that
    came through a fork refuses to work. Two of them over one data folder, in one process or in several, do not disturb each
    other.
    """

    def __init__(self, settings: Settings, encoder: Encoder, profile: Profile | None = None) -> None:
        """
        `profile` in place of the one that belongs to the encoder.

        Raises IndexNotFound when nothing is indexed, IndexOutdated when another encoder or setting was used.
        """
        limit_threads()
        finish_restoring(settings.home)
        self.settings = settings
        self.pipeline = pipeline(settings, encoder, profile=profile)
        self._process = os.getpid()
        self._closed = False

    @property
    def encoder(self) -> Encoder:
        return self.pipeline.encoder

    @property
    def profile(self) -> Profile:
        return self.pipeline.profile

    @property
    def generation(self) -> int:
        """Number of the newest generation that was taken up; it rises by one with every change of the documents."""
        return self.pipeline.index.generation

    def close(self) -> None:
        """Let go of the index; what is asked afterwards is an error. Closing again does nothing."""
        self._closed = True
        self.pipeline.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def refresh(self) -> bool:
        """Take up the newest generation; says whether there was one. Every question does so by itself."""
        self._usable()
        return self.pipeline.refresh()

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, question: str | Question, *, history: Sequence[str] = (), language: Language | None = None) -> Reply:
        """
        Answer one question by quoting, or say honestly that the documents do not.

        `history` are the earlier questions of the conversation, oldest first. `language` ("lt" or "en") is that of the reply
        where the question itself does not tell. Both go with a question that is a text; a `Question` has its own.
        """
        return self.trace(question, history=history, language=language).reply

    def trace(
        self,
        question: str | Question,
        depth: int = DEPTH,
        *,
        history: Sequence[str] = (),
        language: Language | None = None,
    ) -> Trace:
        """As `ask`, with everything that the stages gave on the way, and at most `depth` hits."""
        self._usable()
        if isinstance(history, str):
            raise TypeError("history is a list of questions, not one text.")
        if isinstance(question, str):
            question = Question(question, tuple(history), language)
        elif not isinstance(question, Question):
            raise TypeError(f"A question is a text or a Question, not {type(question).__name__}.")
        elif history or language:
            raise TypeError("A Question has its own history and language. Give them in it.")
        if not all(isinstance(earlier, str) for earlier in question.history):
            raise TypeError("history holds the earlier questions as texts.")
        if question.language not in (None, *LANGUAGES):
            raise ValueError(f'language is {question.language!r}: give "lt", "en" or None.')
        return self.pipeline.ask(question, depth)

    def search(self, text: str, k: int = DEPTH, *, language: Language | None = None) -> tuple[Hit, ...]:
        """
        At most `k` passages, best first, each with its score in [0, 1]; none when there is nothing to search for.

        Translations and near-duplicates of a passage are merged into its hit.
        """
        if operator.index(k) < 1:
            raise ValueError(f"k is {k}: ask for one hit or more.")
        return self.trace(text, k, language=language).hits

    # ── the documents ───────────────────────────────────────────────────────────────────────────────────────────

    def documents(self) -> list[Stored]:
        """What is known of each document that questions are answered from, in the order of their ids."""
        self._usable()
        with open_store(self.settings.home) as store:
            return store.documents()

    def text(self, document: str, version: str | None = None) -> str:
        """
        The text that offsets count in, in code points: `kb.text(d, v)[start:end]` is a quote of that version.

        `version` is a sha256, as quotes have it (its beginning is enough); without one it is the newest. Raises CorpusError
        for an unknown document or version.
        """
        self._usable()
        with open_store(self.settings.home) as store, store.reading():
            return find(store, document, version)[2]

    def add(self, path: str | Path, *, replace: bool = False) -> str:
        """
        Copy a file (and the sidecar of metadata beside it) into the corpus folder and answer from it; gives its id.

        Raises UnreadableDocument when it cannot be read, or when a document of its name says something else and `replace` is
        not set.
        """
        self._usable()
        added, refused = folder.add(self.settings, [Path(path)], replace=replace)
        if refused:
            raise refused[0]
        self.update()
        return added[0]

    def remove(self, document: str) -> None:
        """Take a document out of the corpus folder and of every answer; `restore` brings it back. Raises CorpusError."""
        self._usable()
        folder.remove(self.settings, document)
        self.update()

    def restore(self, document: str) -> None:
        """Bring a removed document back. Raises CorpusError."""
        self._usable()
        folder.restore(self.settings, document)
        self.update()

    def update(self) -> sync.Report:
        """
        Bring the index in step with the corpus folder; says what was added, changed and removed, and what cannot be read.

        Raises CorpusError, StoreError.
        """
        self._usable()
        report = sync.update(self.settings, lambda: self.encoder)
        self.refresh()
        return report

    def __reduce__(self) -> NoReturn:
        raise TypeError("A knowledge base cannot be pickled or copied. Open one where it is needed.")

    def _usable(self) -> None:
        if self._closed:
            raise ClusterQAError("This knowledge base was closed. Open another.")
        if os.getpid() != self._process:
            raise ClusterQAError("This knowledge base was opened before a fork. Open one in the forked process.")


def load_encoder(settings: Settings) -> SentenceEncoder:
    """The encoder of the settings. Raises EncoderError."""
    limit_threads()
    return SentenceEncoder.load(settings.encoder, settings.threads, settings.precision)


def limit_threads() -> None:
    """
    One thread for numpy and FAISS: their products are small and there is one question at a time, so a second thread would
    only be in the encoder's way.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    one_thread()


def limit_arenas() -> None:
    """
    Two heaps for all threads, where it is glibc that sees to memory: it gives up to eight for each processor, and what questions of
    many lengths leave free in one is not used by another. A server's memory grew with the questions asked.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def pipeline(
    settings: Settings,
    encoder: Encoder,
    *,
    languages: tuple[Language, ...] = LANGUAGES,
    profile: Profile | None = None,
) -> Pipeline:
    """
    The pipeline over the newest generation in the data folder; `languages` other than both leave documents out.

    Raises as `KnowledgeBase` does.
    """
    reader = load_reader(settings, encoder)
    profile = profile or find_profile(settings, encoder, reader)

    index = index_of(settings, encoder, languages)
    try:
        index.refresh()
        return Pipeline(encoder, index, reranker(settings, profile.search), reader, Lexicon.load(), profile)
    except BaseException:
        index.close()
        raise


def index_of(settings: Settings, encoder: Encoder, languages: tuple[Language, ...] = LANGUAGES) -> Index:
    """The index of the settings, which has not taken up a generation yet. Raises MissingExtra, SettingsError, StoreError."""

    def check(store: Store) -> None:
        check_in_step(store, settings, encoder)
        store.spot_check()

    return open_index(
        settings.index,
        partial(open_store, settings.home),
        encoder.dimension,
        settings.home,
        languages,
        check,
        today=today if settings.expired == "leave_out" else None,
        threads=settings.threads,
    )


def load_reader(settings: Settings, encoder: Encoder) -> Reader | None:
    """
    The reader of the settings; None for "none", and where the bundled one does not know the encoder.

    Raises EncoderError when it cannot be loaded.
    """
    if settings.reader == NO_READER:
        return None
    network = _network(_reader_folder(settings), settings.threads, settings.reader_precision, os.getpid())
    if network.encoder != encoder.fingerprint:
        if settings.reader != BUNDLED_READER:
            raise EncoderError(
                f"The reader {settings.reader} was taught on the encoder {network.encoder}, not on {encoder.fingerprint}. "
                "Set encoder to the one it knows, or reader to none."
            )
        return None
    return SmallReader(network)


def _reader_folder(settings: Settings) -> Path:
    return bundled_reader() if settings.reader == BUNDLED_READER else Path(settings.reader).expanduser()


@lru_cache(maxsize=2)
def _network(folder: Path, threads: int, precision: Arithmetic, process: int) -> Network:
    """Loaded once: the pipelines of an evaluation, and those that try drafts, share it. Its threads do not come through a fork."""
    return Network.load(folder, threads, precision)


def find_profile(settings: Settings, encoder: Encoder, reader: Reader | None) -> Profile:
    """The profile fitted for these: in the data folder, beside the reader or the encoder, else the bundled one."""
    beside = bundled_path() if settings.encoder == BUNDLED_ENCODER else Path(settings.encoder).expanduser()
    name = reader.fingerprint if reader else NO_READER
    return profile_for(encoder.fingerprint, settings.reranker, name, settings.data, (_reader_folder(settings), beside))


def reranker(settings: Settings, weights: SearchWeights) -> Reranker:
    """
    The reranker of the settings: a name of ours, or "package.module:name" of something called with the weights.

    Raises SettingsError when there is none of this name.
    """
    if settings.reranker == LateInteraction.name:
        return LateInteraction(weights)
    return _imported(settings.reranker)(weights)


def _imported(name: str) -> Callable[[SearchWeights], Reranker]:
    module, _, attribute = name.partition(":")
    if not module or not attribute or module.startswith("."):
        raise _no_reranker(name, "there is none of this name")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise _no_reranker(name, str(error)) from error
    if not callable(found):
        raise _no_reranker(name, f"{attribute} cannot be called")
    return found  # type: ignore[no-any-return]


def _no_reranker(name: str, reason: str) -> SettingsError:
    return SettingsError(
        f"The reranker {name!r} cannot be loaded ({reason}). "
        f'Set it to "{LateInteraction.name}", or to "package.module:name" of one that is installed.'
    )
