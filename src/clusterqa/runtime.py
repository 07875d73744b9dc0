"""
The one start: from settings to what every door needs.

    with runtime.open(settings) as kb:
        print(kb.ask(Question("Kiek laiko galioja bronzos ženklas?")).reply.message)

What changes the process (threads of numeric libraries, environment variables) happens here, never when a module is imported.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from clusterqa.corpus.sync import check_in_step
from clusterqa.encoders import SentenceEncoder, bundled_path
from clusterqa.errors import EncoderError, SettingsError
from clusterqa.ports import Encoder, Reader, Reranker
from clusterqa.readers import Reader as Network
from clusterqa.readers import bundled_reader
from clusterqa.records import LANGUAGES, Language, Question, Trace
from clusterqa.retrieval.pipeline import DEPTH, Pipeline
from clusterqa.retrieval.profile import NO_READER, Profile, profile_for
from clusterqa.retrieval.reading import SmallReader
from clusterqa.retrieval.rerank import LateInteraction
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.settings import BUNDLED_ENCODER, BUNDLED_READER, Settings
from clusterqa.store import open_store
from clusterqa.store.faiss_index import FaissIndex, one_thread
from clusterqa.text.lexicon import Lexicon


class KnowledgeBase:
    """One corpus, ready to be asked. Thread-safe."""

    def __init__(self, settings: Settings, encoder: Encoder, profile: Profile | None = None) -> None:
        """
        `profile` in place of the one that belongs to the encoder.

        Raises IndexNotFound when nothing is indexed, IndexOutdated when another encoder or setting was used.
        """
        limit_threads()
        self.settings = settings
        self.pipeline = pipeline(settings, encoder, profile=profile)

    @property
    def encoder(self) -> Encoder:
        return self.pipeline.encoder

    @property
    def profile(self) -> Profile:
        return self.pipeline.profile

    @property
    def generation(self) -> int:
        return self.pipeline.index.generation

    def close(self) -> None:
        self.pipeline.index.close()

    def __enter__(self) -> KnowledgeBase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def refresh(self) -> bool:
        """Take up the newest generation; says whether there was one."""
        return self.pipeline.refresh()

    def ask(self, question: Question, depth: int = DEPTH) -> Trace:
        """Answer one question by quoting, or say honestly that the documents do not."""
        return self.pipeline.ask(question, depth)


def open(settings: Settings) -> KnowledgeBase:
    """
    Load the encoder and open the index of the settings.

    Raises EncoderError; IndexNotFound when nothing is indexed, IndexOutdated when another encoder or setting was used.
    """
    return KnowledgeBase(settings, load_encoder(settings))


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
    index = FaissIndex(
        partial(open_store, settings.data),
        encoder.dimension,
        languages,
        check=lambda store: check_in_step(store, settings, encoder),
    )
    try:
        index.refresh()
        return Pipeline(encoder, index, reranker(settings, profile.search), reader, Lexicon.load(), profile)
    except BaseException:
        index.close()
        raise


def load_reader(settings: Settings, encoder: Encoder) -> Reader | None:
    """
    The reader of the settings; None for "none", and where the bundled one does not know the encoder.

    Raises EncoderError when it cannot be loaded.
    """
    if settings.reader == NO_READER:
        return None
    folder = bundled_reader() if settings.reader == BUNDLED_READER else Path(settings.reader).expanduser()
    network = _network(folder, settings.threads)
    if network.encoder != encoder.fingerprint:
        if settings.reader != BUNDLED_READER:
            raise EncoderError(
                f"The reader {settings.reader} was taught on the encoder {network.encoder}, not on {encoder.fingerprint}. "
                "Set encoder to the one it knows, or reader to none."
            )
        return None
    return SmallReader(network)


@lru_cache(maxsize=2)
def _network(folder: Path, threads: int) -> Network:
    """Loaded once: the pipelines of an evaluation, and those that try drafts, share it."""
    return Network.load(folder, threads)


def find_profile(settings: Settings, encoder: Encoder, reader: Reader | None) -> Profile:
    """The profile fitted for these: in the data folder, beside the reader or the encoder, else the bundled one."""
    beside = bundled_path() if settings.encoder == BUNDLED_ENCODER else Path(settings.encoder).expanduser()
    of_reader = bundled_reader() if settings.reader == BUNDLED_READER else Path(settings.reader).expanduser()
    name = reader.fingerprint if reader else NO_READER
    return profile_for(encoder.fingerprint, settings.reranker, name, settings.data, (of_reader, beside))


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
