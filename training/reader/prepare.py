"""
What the reader learns from: questions with the passages that the product's own search finds for them, and both as states.

    python training/reader/prepare.py WORK --bundles bundles.jsonl --part 1/2     # two at once
    python training/reader/prepare.py WORK --english questions.jsonl.gz

Bundles are indexed by the product, about a dozen together; each question is understood and searched for as the product does, in
its conversation; one that leans on the conversation is asked a second time as one text with it. English sets come with
passages of their own and are not searched: there the wrong passages are those of the same document, nearest first.

A text is read once by the bundled encoder. What is kept of each of its pieces is `states`: the last layer cut down by a fixed
matrix of shape (192, 384), whose first 128 rows are the projection of late interaction, each row in eight bits with
a scale of its own that nothing needs (clusterqa.readers). One file an index, DATA/NAME.npz with the arrays
and DATA/NAME.json with the rest; a file that is there is not made again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import bundles
import numpy as np
from bundles import Bundle
from numpy.typing import NDArray
from tokenizers import Tokenizer

from clusterqa.corpus.sync import update
from clusterqa.encoders import SentenceEncoder, bundled_path
from clusterqa.encoders.passing import PassingEncoder
from clusterqa.passages import passage_texts
from clusterqa.ports import Progress, Vectors
from clusterqa.records import Document, Encoded, Passage, Question, Remark, Span, as_bytes
from clusterqa.retrieval.profile import NO_READER
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from clusterqa.store import open_store
from clusterqa.text.analysis import searchable

CANDIDATES = 15
"""Passages kept for a question; the search looks at no more sentences for so many than for the product's ten."""
NEAREST = 40
"""English sets: passages of the same document that may be drawn as wrong ones."""

Indexed = tuple[int, Passage, Document, str, list[tuple[int, int]]]
"""Row of a passage, the passage, its document, and how it is encoded (`laid_out`)."""

PROMPTS = {"query": "query: ", "passage": "passage: "}


class Recorder(PassingEncoder):
    """The bundled encoder, which remembers the states of every passage and question it reads."""

    def __init__(self, threads: int = 1) -> None:
        super().__init__(SentenceEncoder.load(threads=threads))
        self.states: dict[str, NDArray[np.int8]] = {}
        """By the text with its prompt."""

    def read_query(self, text: str) -> Encoded:
        read = super().read_query(text)
        self.states[PROMPTS["query"] + text] = as_bytes(read.states)
        return read

    def read_passages(self, texts: Sequence[str], progress: Progress | None = None) -> list[Encoded]:
        found = super().read_passages(texts, progress)
        self.states |= {
            PROMPTS["passage"] + text: as_bytes(read.states) for text, read in zip(texts, found, strict=True)
        }
        return found


def _unit(rows: Vectors) -> Vectors:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


class Texts:
    """Passages and questions of one file, with their pieces."""

    def __init__(self, tokenizer: Tokenizer, states: dict[str, NDArray[np.int8]]) -> None:
        self._tokenizer, self._known = tokenizer, states
        self._rows: dict[tuple[str, tuple[tuple[int, int], ...]], int] = {}
        self._arrays: list[tuple[NDArray[Any], ...]] = []

    def add(self, prompt: str, text: str, sentences: Sequence[tuple[int, int]] = ()) -> int:
        """The row of a text; `sentences` are their starts and ends in it."""
        key = (prompt + text, tuple((start, end) for start, end in sentences))
        if key not in self._rows:
            self._rows[key] = len(self._arrays)
            self._arrays.append(self._pieces(prompt, text, sentences))
        return self._rows[key]

    def _pieces(self, prompt: str, text: str, sentences: Sequence[tuple[int, int]]) -> tuple[NDArray[Any], ...]:
        states = self._known[prompt + text]
        read = self._tokenizer.encode(prompt + text)
        ids = np.array(read.ids[: len(states)], dtype=np.int32)
        ids[-1] = read.ids[-1]  # a text that is too long is closed where it is cut
        places = np.array(read.offsets[: len(states)], dtype=np.int32) - len(prompt)
        places[-1] = -len(prompt)
        sentence = np.full(len(ids), -1, dtype=np.int16)
        for number, (start, end) in enumerate(sentences):
            sentence[(places[:, 0] < end) & (places[:, 1] > start) & (sentence < 0)] = number
        return states, ids, places, sentence

    def save(self, path: Path, facts: dict[str, Any]) -> None:
        """Both files at once, or none."""
        lengths = [len(arrays[1]) for arrays in self._arrays]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
        half = path.with_suffix(".half")
        with half.open("wb") as file:
            np.savez(
                file,
                begins=np.concatenate([[0], np.cumsum(lengths)]),
                **{
                    name: np.concatenate(column)
                    for name, column in zip(
                        ("states", "ids", "places", "sentence"), zip(*self._arrays, strict=True), strict=True
                    )
                },
            )
        half.rename(path)


def index(lot: Sequence[Bundle], recorder: Recorder, tokenizer: Tokenizer, path: Path) -> None:
    """One index of bundles: everything is searched for as the product searches."""
    recorder.states.clear()
    texts = Texts(tokenizer, recorder.states)
    passages: list[dict[str, Any]] = []
    questions: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(corpus=Path(folder) / "corpus", data=Path(folder) / "data", reader=NO_READER)
        settings.corpus.mkdir()
        for bundle in lot:
            bundles.write(bundle, settings.corpus)
        update(settings, lambda: recorder)
        with open_store(settings.home) as store, KnowledgeBase(settings, recorder) as kb:
            row: dict[int, int] = {}
            of_document: dict[str, list[Indexed]] = defaultdict(list)
            documents = {stored.id: store.read(stored.id) for stored in store.documents()}
            for entry in store.passages():
                passage = entry.passage
                document = documents[passage.document]
                assert document is not None
                whole, sentences = laid_out(document, passage)
                row[entry.id] = len(passages)
                text = texts.add(PROMPTS["passage"], whole, sentences)
                passages.append(
                    {"text": text, "document": document.id, "language": entry.language, "sentences": len(sentences)}
                )
                of_document[document.id].append((row[entry.id], passage, document, whole, sentences))
            for bundle in lot:
                for number, question in enumerate(bundle["questions"], start=1):
                    answers, spans = located(bundle, question["answers"], of_document)
                    tempting, _ = located(bundle, question["tempting"], of_document)
                    for reading, asked in readings(question):
                        trace = kb.trace(asked, CANDIDATES)
                        query, hits = trace.understood, trace.hits
                        if isinstance(query, Remark):
                            continue
                        questions.append(
                            {
                                "id": f"{bundle['id']}-{number:02}",
                                "set": "bundles",
                                "kind": bundles.kind(bundle["id"]),
                                "language": question["lang"],
                                "type": question["type"],
                                "reading": reading,
                                "words": query.text,
                                "text": texts.add(PROMPTS["query"], query.text),
                                "candidates": [row[hit.passage_id] for hit in hits],
                                "hits": [[hit.score, hit.dense, hit.meaning, hit.lexical] for hit in hits],
                                "sentence_scores": [hit.sentence_scores for hit in hits],
                                "foreign": [hit.source.language != query.language for hit in hits],
                                "answers": answers,
                                "spans": spans,
                                "tempting": tempting,
                                "answerable": bool(question["answers"]),
                            }
                        )
    texts.save(path, {"passages": passages, "questions": questions})


def readings(question: dict[str, Any]) -> Iterator[tuple[str, Question]]:
    """A question in its conversation, and where it leans on that, as one text with it."""
    yield "conversation", Question(question["question"], tuple(question["history"]))
    if question["type"] == "followup":
        yield "one text", Question(" ".join([*question["history"], question["question"]]))


def laid_out(document: Document, passage: Passage) -> tuple[str, list[tuple[int, int]]]:
    """A passage as it is encoded, and where its sentences stand in that."""
    head, *own = passage_texts(document.title, passage).parts
    whole, sentences = head, []
    for text in own:
        sentences.append((len(whole) + 1, len(whole) + 1 + len(text)))
        whole += " " + text
    return whole, sentences


def located(
    bundle: Bundle, places: Sequence[dict[str, Any]], of_document: dict[str, list[Indexed]]
) -> tuple[dict[int, list[int]], dict[int, tuple[int, int]]]:
    """Passage → the sentences that the places touch, and passage → where the shortest answer stands in it as encoded."""
    found: dict[int, set[int]] = defaultdict(set)
    spans: dict[int, tuple[int, int]] = {}
    for place in places:
        for row, passage, document, whole, laid in of_document[bundles.file_name(bundle, place["document"])]:
            before = document.text.index(bundles.END, 4) + len(bundles.END)
            touched = _touched(passage.sentences, place["start"] + before, place["end"] + before)
            short = place.get("short")
            if touched and short:
                start, end = short["start"] + before, short["end"] + before
                within = next(
                    (n for n in touched if passage.sentences[n].start <= start < passage.sentences[n].end), None
                )
                if within is not None:
                    sentence = passage.sentences[within]
                    if end <= sentence.end:
                        touched = [within]
                    short_text = searchable(document.text[start : min(end, sentence.end)])
                    at = whole.find(short_text, *laid[within])
                    if short_text and at >= 0:
                        spans.setdefault(row, (at, at + len(short_text)))
            if touched:
                found[row].update(touched)
    return {row: sorted(numbers) for row, numbers in found.items()}, spans


def _touched(sentences: Sequence[Span], start: int, end: int) -> list[int]:
    return [number for number, sentence in enumerate(sentences) if sentence.start < end and start < sentence.end]


def english(path: Path, recorder: Recorder, tokenizer: Tokenizer, out: Path, part: tuple[int, int]) -> None:
    """The English sets, some documents a file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    lots = [documents[first::40] for first in range(40)]
    for number, lot in list(enumerate(lots, start=1))[part[0] :: part[1]]:
        target = out / f"english-{number:02}.npz"
        if target.exists():
            continue
        recorder.states.clear()
        texts = Texts(tokenizer, recorder.states)
        passages: list[dict[str, Any]] = []
        questions: list[dict[str, Any]] = []
        for document in lot:
            first = len(passages)
            read = recorder.read_passages([passage["text"] for passage in document["passages"]])
            vectors = np.stack([passage.vector for passage in read])
            for passage in document["passages"]:
                text = texts.add(PROMPTS["passage"], passage["text"], passage["sentences"])
                passages.append(
                    {
                        "text": text,
                        "document": document["document"],
                        "language": "en",
                        "sentences": len(passage["sentences"]),
                    }
                )
            asked = [" ".join(question["question"].split()) for question in document["questions"]]
            for question, words, vector in zip(document["questions"], asked, _asked(recorder, asked), strict=True):
                nearest = np.argsort(-(vectors @ vector), kind="stable")[:NEAREST]
                questions.append(
                    {
                        "id": f"{document['document']}: {words}",
                        "set": document["set"],
                        "kind": document["set"],
                        "language": "en",
                        "type": "human",
                        "reading": "conversation",
                        "words": words,
                        "text": texts.add(PROMPTS["query"], words),
                        "candidates": [first + int(i) for i in nearest],
                        "hits": [],
                        "sentence_scores": [],
                        "foreign": [],
                        "answers": {
                            first + a["passage"]: sorted(a.get("sentences") or ()) for a in question["answers"]
                        },
                        "spans": {
                            first + a["passage"]: (a["start"], a["end"]) for a in question["answers"] if "start" in a
                        },
                        "tempting": {first + int(i): [] for i in question.get("tempting", ())},
                        "answerable": bool(question["answers"]),
                    }
                )
        texts.save(target, {"passages": passages, "questions": questions})
        print(target.name, len(questions), "questions", flush=True)


def _asked(recorder: Recorder, questions: Sequence[str]) -> Iterator[Vectors]:
    for begin in range(0, len(questions), 64):
        some = questions[begin : begin + 64]
        yield from (recorder.read_query(text).vector for text in some)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--bundles", type=Path)
    parser.add_argument("--english", type=Path)
    parser.add_argument("--part", default="1/1", help="one of several processes that share the work, as 1/2")
    options = parser.parse_args()
    number, of = map(int, options.part.split("/"))
    out = options.work / "data"
    tokenizer = pieces_only()
    recorder = Recorder()
    if options.bundles:
        for name, lot in list(lots(bundles.read(options.bundles), options.bundles.stem).items())[number - 1 :: of]:
            if not (out / f"{name}.npz").exists():
                index(lot, recorder, tokenizer, out / f"{name}.npz")
                print(name, len(lot), "bundles", flush=True)
    if options.english:
        english(options.english, recorder, tokenizer, out, (number - 1, of))


def lots(everything: Sequence[Bundle], called: str) -> dict[str, list[Bundle]]:
    """The bundles of each file by its name, "called-01"; "development-…" are the ones that are only judged by."""
    kept = set(bundles.development())
    found = {}
    for name, wanted in (("development", True), (called, False)):
        if some := [bundle for bundle in everything if (bundle["id"] in kept) == wanted]:
            found |= {f"{name}-{number:02}": lot for number, lot in enumerate(bundles.indexes(some), start=1)}
    return found


def pieces_only() -> Tokenizer:
    """The bundled encoder's tokenizer, which neither fills up nor cuts."""
    tokenizer = Tokenizer.from_file(str(bundled_path() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


if __name__ == "__main__":
    main()
