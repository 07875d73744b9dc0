"""
Ours and four peers, each set up as its own documentation says, behind one small door: index, add, ask.

Started by run.py, one process a system and a line of JSON for every order and every answer; a peer runs in an environment
that has no clusterqa, so nothing of ours is imported above. All use the bundled encoder with its prompts. A peer splits
with its own splitter, to passages of about 600 characters, and each passage goes in with its document's title.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import resource
import sys
import sysconfig
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

DEPTH = 10
SIZE, OVERLAP = 600, 100
"""Characters of a peer's passage, and those that two neighbours share where the splitter can do that."""


class Text(NamedTuple):
    """A document as its file says: `body` is what stands under the header."""

    name: str
    title: str
    body: str


Found = list[tuple[str, str]]
"""(Name of the document, text of the passage), best first."""
Search = Callable[[str, Sequence[str]], Found]
"""Question and the questions before it → at most DEPTH passages."""


class Peer(ABC):
    """A system in one process: `ways` are the ways to search it, by name."""

    packages: tuple[str, ...] = ()

    def __init__(self, encoder: str, prompts: dict[str, str]) -> None:
        self.encoder, self.prompts = encoder, prompts
        self.ways: dict[str, Search] = {}

    @abstractmethod
    def index(self, folder: str, texts: list[Text]) -> int:
        """Everything from nothing; gives the number of passages."""

    @abstractmethod
    def add(self, folder: str, text: Text) -> None:
        """One more document, so that the next question finds it by meaning and by words."""


class ClusterQA(Peer):
    packages = ("clusterqa", "openvino", "numpy")
    reader = "bundled"

    def index(self, folder: str, texts: list[Text]) -> int:
        from clusterqa import open as open_base

        self._base = open_base(folder, data=tempfile.mkdtemp(), reader=self.reader)
        self.ways = {"": self._search}
        index = self._base.pipeline.index
        return sum(len(index.passages_of(document.id)) for document in self._base.documents())

    def add(self, folder: str, text: Text) -> None:
        self._base.add(Path(folder) / text.name)

    def _search(self, question: str, history: Sequence[str]) -> Found:
        from clusterqa.records import Question

        hits = self._base.trace(Question(question, tuple(history)), DEPTH).hits
        return [(hit.passage.document, hit.passage.text) for hit in hits]


class ClusterQAWithoutReader(ClusterQA):
    reader = "none"


class Txtai(Peer):
    packages = ("txtai", "chonkie", "faiss-cpu", "transformers", "torch")

    def index(self, folder: str, texts: list[Text]) -> int:
        from txtai import Embeddings
        from txtai.pipeline import Segmentation

        self._split = Segmentation(chunker="recursive", chunk_size=SIZE)
        prompts = {"query": self.prompts["query"], "data": self.prompts["passage"]}
        self._index = Embeddings(path=self.encoder, instructions=prompts, content=True, hybrid=True)
        rows = [row for text in texts for row in self._rows(text)]
        self._index.index(rows)
        self.ways = {"dense": self._by(1.0), "hybrid": self._by(None)}
        return len(rows)

    def add(self, folder: str, text: Text) -> None:
        self._index.upsert(self._rows(text))

    def _rows(self, text: Text) -> list[tuple[str, str]]:
        return [(f"{text.name}#{n}", f"{text.title}\n\n{part}") for n, part in enumerate(self._split(text.body))]

    def _by(self, weight: float | None) -> Search:
        def search(question: str, history: Sequence[str]) -> Found:
            hits = self._index.search(_joined(question, history), DEPTH, weights=weight)
            return [(hit["id"].split("#")[0], hit["text"]) for hit in hits]

        return search


class Haystack(Peer):
    packages = ("haystack-ai", "sentence-transformers-haystack", "sentence-transformers", "transformers", "torch")

    def index(self, folder: str, texts: list[Text]) -> int:
        from haystack import Pipeline
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.preprocessors import RecursiveDocumentSplitter
        from haystack.components.retrievers import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
            SentenceTransformersTextEmbedder,
        )

        self._split = RecursiveDocumentSplitter(split_length=SIZE, split_unit="char")
        self._embed = SentenceTransformersDocumentEmbedder(
            model=self.encoder, prefix=self.prompts["passage"], progress_bar=False
        )
        self._store = InMemoryDocumentStore()
        count = self._write(texts)

        dense = Pipeline()
        asked = SentenceTransformersTextEmbedder(model=self.encoder, prefix=self.prompts["query"], progress_bar=False)
        dense.add_component("asked", asked)
        dense.add_component("by_meaning", InMemoryEmbeddingRetriever(self._store, top_k=DEPTH))
        dense.connect("asked.embedding", "by_meaning.query_embedding")

        hybrid = Pipeline()
        asked = SentenceTransformersTextEmbedder(model=self.encoder, prefix=self.prompts["query"], progress_bar=False)
        hybrid.add_component("asked", asked)
        hybrid.add_component("by_meaning", InMemoryEmbeddingRetriever(self._store, top_k=DEPTH))
        hybrid.add_component("by_words", InMemoryBM25Retriever(self._store, top_k=DEPTH))
        hybrid.add_component("join", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=DEPTH))
        hybrid.connect("asked.embedding", "by_meaning.query_embedding")
        hybrid.connect("by_meaning", "join")
        hybrid.connect("by_words", "join")

        def by_meaning(question: str, history: Sequence[str]) -> Found:
            found = dense.run({"asked": {"text": _joined(question, history)}})
            return [(d.meta["name"], d.content) for d in found["by_meaning"]["documents"]]

        def by_both(question: str, history: Sequence[str]) -> Found:
            text = _joined(question, history)
            found = hybrid.run({"asked": {"text": text}, "by_words": {"query": text}})
            return [(d.meta["name"], d.content) for d in found["join"]["documents"]]

        self.ways = {"dense": by_meaning, "hybrid": by_both}
        return count

    def add(self, folder: str, text: Text) -> None:
        self._write([text])

    def _write(self, texts: Sequence[Text]) -> int:
        from dataclasses import replace

        from haystack import Document

        made = [Document(content=text.body, meta={"name": text.name, "title": text.title}) for text in texts]
        parts = self._split.run(made)["documents"]
        parts = [replace(part, content=f"{part.meta['title']}\n\n{part.content}") for part in parts]
        self._store.write_documents(self._embed.run(parts)["documents"])
        return len(parts)


class LangChain(Peer):
    packages = (
        "langchain-core", "langchain-classic", "langchain-community", "langchain-huggingface", "langchain-text-splitters",
        "rank-bm25", "faiss-cpu", "sentence-transformers", "torch",
    )  # fmt: skip

    def index(self, folder: str, texts: list[Text]) -> int:
        from langchain_community.vectorstores import FAISS
        from langchain_huggingface import HuggingFaceEmbeddings
        from langchain_text_splitters import MarkdownTextSplitter

        self._split = MarkdownTextSplitter(chunk_size=SIZE, chunk_overlap=OVERLAP)
        model = HuggingFaceEmbeddings(
            model_name=self.encoder,
            encode_kwargs={"prompt_name": "passage"},
            query_encode_kwargs={"prompt_name": "query"},
        )
        self._parts = [part for text in texts for part in self._documents(text)]
        self._vectors = FAISS.from_documents(self._parts, model)
        self._retrievers()
        return len(self._parts)

    def add(self, folder: str, text: Text) -> None:
        parts = self._documents(text)
        self._vectors.add_documents(parts)
        self._parts += parts
        self._retrievers()  # its BM25 takes nothing in: it is made anew

    def _documents(self, text: Text) -> list[Any]:
        from langchain_core.documents import Document

        made = [Document(page_content=text.body, metadata={"name": text.name, "title": text.title})]
        parts = self._split.split_documents(made)
        for part in parts:
            part.page_content = f"{part.metadata['title']}\n\n{part.page_content}"
        return list(parts)

    def _retrievers(self) -> None:
        from langchain_classic.retrievers import EnsembleRetriever
        from langchain_community.retrievers import BM25Retriever

        dense = self._vectors.as_retriever(search_kwargs={"k": DEPTH})
        words = BM25Retriever.from_documents(self._parts, k=DEPTH, preprocess_func=_words)
        hybrid = EnsembleRetriever(retrievers=[words, dense], weights=[0.5, 0.5])
        self.ways = {"dense": self._by(dense), "hybrid": self._by(hybrid)}

    def _by(self, retriever: Any) -> Search:
        def search(question: str, history: Sequence[str]) -> Found:
            found = retriever.invoke(_joined(question, history))[:DEPTH]
            return [(d.metadata["name"], d.page_content) for d in found]

        return search


class LlamaIndex(Peer):
    packages = (
        "llama-index-core", "llama-index-embeddings-huggingface", "llama-index-retrievers-bm25", "bm25s",
        "sentence-transformers", "torch",
    )  # fmt: skip

    def index(self, folder: str, texts: list[Text]) -> int:
        from llama_index.core import VectorStoreIndex
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        model = HuggingFaceEmbedding(
            model_name=self.encoder, query_instruction=self.prompts["query"], text_instruction=self.prompts["passage"]
        )
        self._nodes = self._made(texts)
        self._index = VectorStoreIndex(self._nodes, embed_model=model)
        self._retrievers()
        return len(self._nodes)

    def add(self, folder: str, text: Text) -> None:
        nodes = self._made([text])
        self._index.insert_nodes(nodes)
        self._nodes += nodes
        self._retrievers()  # its BM25 takes nothing in: it is made anew

    def _made(self, texts: Sequence[Text]) -> list[Any]:
        from llama_index.core import Document
        from llama_index.core.ingestion import run_transformations
        from llama_index.core.node_parser import MarkdownNodeParser, SentenceSplitter

        hidden = {"excluded_embed_metadata_keys": ["name"], "excluded_llm_metadata_keys": ["name"]}
        made = [Document(text=text.body, metadata={"title": text.title, "name": text.name}, **hidden) for text in texts]
        splitter = SentenceSplitter(
            chunk_size=SIZE + OVERLAP, chunk_overlap=OVERLAP, tokenizer=list
        )  # characters; the title counts
        return list(run_transformations(made, [MarkdownNodeParser(), splitter]))

    def _retrievers(self) -> None:
        from llama_index.core.llms import MockLLM
        from llama_index.core.retrievers import QueryFusionRetriever
        from llama_index.retrievers.bm25 import BM25Retriever

        dense = self._index.as_retriever(similarity_top_k=DEPTH)
        words = BM25Retriever.from_defaults(nodes=self._nodes, similarity_top_k=DEPTH)
        hybrid = QueryFusionRetriever(  # with one query its language model is never asked
            [dense, words], llm=MockLLM(), num_queries=1, mode="reciprocal_rerank", similarity_top_k=DEPTH,
            use_async=False,
        )  # fmt: skip
        self.ways = {"dense": self._by(dense), "hybrid": self._by(hybrid)}

    def _by(self, retriever: Any) -> Search:
        def search(question: str, history: Sequence[str]) -> Found:
            found = retriever.retrieve(_joined(question, history))[:DEPTH]
            return [(n.metadata["name"], n.text) for n in found]

        return search


SYSTEMS: dict[str, type[Peer]] = {
    "clusterqa": ClusterQA,
    "clusterqa without reader": ClusterQAWithoutReader,
    "txtai": Txtai,
    "Haystack": Haystack,
    "LangChain": LangChain,
    "LlamaIndex": LlamaIndex,
}


def _joined(question: str, history: Sequence[str]) -> str:
    """A peer knows no conversation: it is asked everything at once."""
    return " ".join([*history, question])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def main() -> None:
    """Orders on the standard input, one a line; answers on what was the standard output, where nothing else may write."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _, name, encoder, prompts = sys.argv
    peer = SYSTEMS[name](encoder, json.loads(prompts))
    for line in sys.stdin:
        order = json.loads(line)
        texts = [Text(*text) for text in order.get("texts", ())]
        begin = time.perf_counter()
        result: Any = None
        if order["do"] == "index":
            result = peer.index(order["folder"], texts)
        elif order["do"] == "add":
            peer.add(order["folder"], texts[0])
        elif order["do"] == "ways":
            result = list(peer.ways)
        elif order["do"] == "ask":
            result = peer.ways[order["way"]](order["question"], order["history"])
        seconds = time.perf_counter() - begin
        if order["do"] == "about":
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            result = {"peak_mb": peak, "versions": {p: importlib.metadata.version(p) for p in peer.packages}}
        print(json.dumps({"result": result, "seconds": seconds}, ensure_ascii=False), file=answers, flush=True)


if __name__ == "__main__":
    # Haystack's splitter would download NLTK's sentence data: the same files come with llama-index-core.
    os.environ["NLTK_DATA"] = sysconfig.get_path("purelib") + "/llama_index/core/_static/nltk_cache"
    main()
