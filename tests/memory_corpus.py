"""A corpus in memory: pages into a store, and the pipeline over it, without a folder or a database."""

from __future__ import annotations

from collections.abc import Mapping

from clusterqa.corpus.encoding import encode
from clusterqa.documents import markdown
from clusterqa.documents.metadata import language_of_name, title_of_name
from clusterqa.passages import split
from clusterqa.ports import Encoder
from clusterqa.records import Document
from clusterqa.retrieval.pipeline import Pipeline
from clusterqa.retrieval.profile import Profile
from clusterqa.retrieval.rerank import LateInteraction
from clusterqa.text.lexicon import Lexicon
from memory import MemoryData, MemoryIndex
from store_fixtures import FILE


def stored(pages: Mapping[str, str], encoder: Encoder, data: MemoryData | None = None) -> MemoryData:
    """Markdown pages by name (NAME.lt.md or NAME.en.md) as one generation of a store; of `data`, when it is given."""
    data = data or MemoryData()
    cut = [(document, split(document, 600)) for document in (_read(name, text) for name, text in pages.items())]
    new = encode(cut, encoder, lambda digests: {})
    store = data.open()
    with store.writing() as generation:
        for (document, _), passages in zip(cut, new, strict=True):
            store.put(document, FILE, passages, generation)
    return data


def pipeline(data: MemoryData, encoder: Encoder, profile: Profile) -> Pipeline:
    """The usual stages over what is stored."""
    index = MemoryIndex(data.open, encoder.dimension)
    return Pipeline(encoder, index, LateInteraction(profile.search), None, Lexicon.load(), profile)


def _read(name: str, text: str) -> Document:
    extract = markdown.extract(text)
    language = language_of_name(name)
    assert language is not None, name
    title = extract.metadata.title or title_of_name(name)
    return Document(name, extract.text, title, language, extract.blocks, "text/markdown")
