"""
The kinds of index side by side, over one data folder: do they answer alike, what do they miss, how long do they take?

    python benchmarks/indexes.py --data data pgvector:postgresql://user@host/database [--questions 60] [--passages 100000]

Every kind that is named is compared with "faiss". Questions are those of the evaluation set, in random order. "Alike" are
replies that are the same in every field, figures to a millionth; recall@60 is the share of the passages that FAISS
finds by the 60 nearest units in each language that the other finds too.

With `--passages` the index is made of that many passages, whose texts are those of the data folder, whose words are theirs with a fifth
exchanged, and whose vectors are theirs with some noise: a million in some four minutes and 5.3 GB of disk. What is measured then is the
memory that the index takes, the search for the nearest, the look-up of words, beside it how long it takes to read as many bytes as the
vectors have, and one document more, with the look at the store that comes with each generation. `--keep FOLDER` keeps them for another
time.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from clusterqa.evaluation.sets import read_set
from clusterqa.ports import Index, Store
from clusterqa.records import Document, FileState, Language, NewPassage, PassageVectors, Reply, Span
from clusterqa.runtime import KnowledgeBase, load_encoder
from clusterqa.settings import Home, Settings
from clusterqa.store import exists, open_index, open_store, open_tables
from clusterqa.text.analysis import content_words, terms

Found = dict[Language, set[int]]
"""Ids of passages, by their language."""
DEPTH = 60
SENTENCES = 3
PASSAGES = 50


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--passages", type=int)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    settings = Settings.load({"data": options.data})
    encoder = load_encoder(settings)
    asked = [item.ask() for item in read_set(Path("evaluation/questions.jsonl"))]
    random.Random(3).shuffle(asked)
    asked = asked[: options.questions]
    vectors = [encoder.encode_queries([question.text])[0] for question in asked]
    if options.passages:
        with tempfile.TemporaryDirectory() as folder:
            home = Home(options.keep or Path(folder))
            usual = _Usual(Home(options.data))
            if not exists(home):
                grow(usual, home, options.passages)
            exact: list[Found] = []
            for kind in ("faiss", *options.kinds):
                before, begin = resident(), time.perf_counter()
                index = open_index(kind, partial(open_store, home), encoder.dimension, home, check=Store.spot_check)
                index.refresh()
                print(f"{kind}: {len(index)} passages taken up in {time.perf_counter() - begin:.1f} s")
                print(f"  {(resident() - before) / len(index) / 1000:.1f} kB of memory a passage")
                found = nearest(index, vectors, exact)
                exact = exact or found
                look_up(index, [question.text for question in asked])
                if kind == "faiss":
                    with open_store(home) as store:
                        size = store.held(None)["vectors"] * encoder.dimension * 2
                    print(f"  to read the {size / 1e6:.0f} MB of all vectors takes {read_once(size):.1f} ms")
                print(f"  one document more taken up in {one_more(usual, home, index):.3f} s of processor time")
                index.close()
        return
    first: list[Reply] = []
    exact = []
    for kind in ("faiss", *options.kinds):
        begin = time.perf_counter()
        with KnowledgeBase(settings.model_copy(update={"index": kind}), encoder) as kb:
            print(f"{kind}: {len(kb.pipeline.index)} passages taken up in {time.perf_counter() - begin:.1f} s")
            kb.ask(asked[0])
            replies, times = [], []
            for question in asked:
                begin = time.perf_counter()
                replies.append(kb.ask(question))
                times.append(1000 * (time.perf_counter() - begin))
            print(f"  a question p50 {np.median(times):.1f}, p95 {np.percentile(times, 95):.1f} ms")
            first = first or replies
            alike = sum(same(one, other) for one, other in zip(first, replies, strict=True))
            print(f"  replies alike: {alike} of {len(first)}")
            found = nearest(kb.pipeline.index, vectors, exact)
            exact = exact or found


def same(one: Reply, other: Reply) -> bool:
    """Equal in everything but the id that each reply has for itself, figures to a millionth."""
    figures = [(one.confidence, other.confidence)]
    figures += [
        (a.score, b.score) for a, b in zip(one.quotes + one.nearest, other.quotes + other.nearest, strict=False)
    ]
    figures += [(a.confidence, b.confidence) for a, b in zip(one.parts, other.parts, strict=False)]
    return _without_figures(one) == _without_figures(other) and all(abs(a - b) < 2e-6 for a, b in figures)


def _without_figures(reply: Reply) -> Reply:
    quotes, nearest = (tuple(replace(quote, score=0) for quote in found) for found in (reply.quotes, reply.nearest))
    parts = tuple(
        replace(part, confidence=0, quote=replace(part.quote, score=0) if part.quote else None) for part in reply.parts
    )
    return replace(reply, id=None, confidence=0, quotes=quotes, nearest=nearest, parts=parts)


def nearest(index: Index, vectors: list[np.ndarray], exact: list[Found]) -> list[Found]:
    """The nearest passages of each question, told with their time, and with the recall where the exact ones are given."""
    times, found = [], []
    with index.reading():
        index.nearest(vectors[0], DEPTH)
        for vector in vectors:
            begin = time.perf_counter()
            near = index.nearest(vector, DEPTH)
            times.append(1000 * (time.perf_counter() - begin))
            found.append({language: set(own.best) for language, own in near.items()})
    print(f"  the {DEPTH} nearest of each language p50 {np.median(times):.1f}, p95 {np.percentile(times, 95):.1f} ms")
    if exact:
        wanted = sum(len(ids) for one in exact for ids in one.values())
        hit: int = sum(
            len(ids & other[language]) for one, other in zip(exact, found, strict=True) for language, ids in one.items()
        )
        print(f"  recall@{DEPTH} {100 * hit / wanted:.2f} %")
    return found


def look_up(index: Index, questions: list[str]) -> None:
    """The words of each question looked up for the first time, and the list of all words, told in processor time."""
    times = []
    with index.reading():
        for question in questions:
            begin = time.process_time()
            for word in content_words(question):
                index.postings(tuple(sorted(terms(word))))
            times.append(1000 * (time.process_time() - begin))
        print(
            f"  the words of a question p50 {np.median(times):.1f}, p95 {np.percentile(times, 95):.1f} ms of processor time"
        )
        begin = time.process_time()
        print(
            f"  the list of all {len(index.vocabulary())} words {time.process_time() - begin:.2f} s of processor time"
        )


def read_once(size: int) -> float:
    """Milliseconds that it takes to read so many bytes of memory by one core, as fast as numpy can: no exact search takes less."""
    numbers = np.ones(size // 8, dtype=np.int64)
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        numbers.max()
        times.append(1000 * (time.perf_counter() - begin))
    return float(np.median(times))


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class _Usual:
    """The passages of a data folder with their words, from which others are made."""

    def __init__(self, home: Home) -> None:
        with open_store(home) as store:
            entries = list(store.passages())
        self.passages = {
            language: [entry for entry in entries if entry.language == language]
            for language in {entry.language for entry in entries}
        }
        self.words: dict[int, tuple[np.ndarray, str]] = {}
        with open_tables(home) as tables:
            for document in {entry.passage.document for entry in entries}:
                for number, body, head in tables.copy_of(document)["stems (rowid, body, head)"]:
                    self.words[int(number or 0)] = np.array(str(body).split(), dtype=object), str(head)
        self.running = {
            language: np.concatenate([self.words[entry.id][0] for entry in own])
            for language, own in self.passages.items()
        }

    def document(self, store: Store, name: str, draw: np.random.Generator, generation: int) -> int:
        """
        A document of fifty passages of one language, of which the first sentences are encoded; gives how many.

        Of the words that a passage is found by a fifth is exchanged for others of the language, as often as each is written; and one
        in every third is a word that nobody else writes.
        """
        language = sorted(self.passages)[draw.integers(len(self.passages))]
        own, running = self.passages[language], self.running[language]
        text, new = "", []
        for ordinal in range(PASSAGES):
            entry = own[draw.integers(len(own))]
            shift = len(text) - entry.passage.start
            spans = tuple(Span(s.start + shift, s.end + shift) for s in entry.passage.sentences[:SENTENCES])
            end = entry.passage.end + shift
            placed = replace(entry.passage, document=name, ordinal=ordinal, start=len(text), end=end, sentences=spans)
            body, head = self.words[entry.id]
            if len(body):
                body = body.copy()
                body[draw.integers(len(body), size=len(body) // 5)] = running[
                    draw.integers(len(running), size=len(body) // 5)
                ]
                if ordinal % 3 == 0:
                    body[0] = f"{body[0]}{draw.integers(1 << 40):x}"
            rows = _noisy(draw, entry.rows[: 1 + SENTENCES].astype(np.float32))
            new.append(NewPassage(placed, PassageVectors(rows), "", " ".join(body), head))
            text += entry.passage.text + "\n\n"
        document = Document(id=name, text=text, title=name, language=language, blocks=(), media_type="text/plain")
        store.put(document, FileState("f" * 64, 1, 1), new, generation)
        return len(new)


def grow(usual: _Usual, home: Home, count: int) -> None:
    """A store of so many passages without tokens, their vectors those of the usual one with noise."""
    draw = np.random.default_rng(1)
    with open_store(home, create=True) as store:
        made = 0
        while made < count:
            with store.writing() as generation:
                for _ in range(200):
                    made += usual.document(store, f"{made}.md", draw, generation)
                    if made >= count:
                        break


def one_more(usual: _Usual, home: Home, index: Index) -> float:
    """Seconds of processor time until the index has a document more, which is written before."""
    with open_store(home) as store, store.writing() as generation:
        usual.document(store, "one more.md", np.random.default_rng(), generation)
    begin = time.process_time()
    index.refresh()
    return time.process_time() - begin


def _noisy(draw: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    rows = rows + draw.standard_normal(rows.shape, dtype=np.float32) * np.float32(0.02)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


if __name__ == "__main__":
    main()
