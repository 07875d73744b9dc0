"""
How long one question takes end to end, at N passages on this machine.

    python benchmarks/latency.py [--passages 10000] [--questions 200]

The index is made of the corpus's own passages, repeated with their words shuffled until there are N; their vectors are random around
a few centres, so nothing has to be encoded for 40,000 sentences. The questions are the development questions in random
order, really encoded and searched for. Prints milliseconds by stage; beside them the encoder alone, for which every such system has to wait.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np

from clusterqa import documents
from clusterqa.corpus import sync
from clusterqa.encoders.passing import PassingEncoder
from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.evaluation.sets import read_set
from clusterqa.ports import Vectors
from clusterqa.records import Encoded
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings

QUESTIONS = (
    "Kiek laiko galioja bronzos ženklas?",
    "kas sprendzia del aukso zenklo",
    "How much does the Silver Label cost without VAT?",
    "Which Lithuanian clusters were labelled in 2018, and by whom?",
    "Ar įmonė, kuri turi penkis darbuotojus, gali prisijungti prie klasterio ir kiek tai jai kainuos per metus?",
    "clusterxchange trukme",
    "Can we apply for InoKlaster if our cluster is only three years old?",
    "ESCA",
)


class NoisyEncoder(PassingEncoder):
    """The real encoder for questions; for passages random vectors around a few centres, at no cost."""

    def __init__(self, real: SentenceEncoder) -> None:
        super().__init__(real)
        self._random = np.random.default_rng(1)
        self._width = real.read_query(QUESTIONS[0]).states.shape[1]
        self._centres = real.encode_queries(QUESTIONS)

    def encode_passages(self, texts, progress=None):
        rows = self._random.normal(size=(len(texts), self.dimension)).astype(np.float32) / 12
        rows += self._centres[self._random.integers(0, len(self._centres), size=len(texts))]
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def read_passages(self, texts, progress=None):
        return [self._read(text, vector) for text, vector in zip(texts, self.encode_passages(texts), strict=True)]

    def cut_off(self, texts):
        return []

    def _read(self, text: str, vector: Vectors) -> Encoded:
        """With a token for every four characters, as the real one has."""
        ends = np.arange(4, len(text) + 4, 4)
        states = self._random.normal(size=(len(ends), self._width)).astype(np.float32)
        ids = self._random.integers(4, 30_000, size=len(ends)).astype(np.int32)
        return Encoded(vector, states, ids, np.minimum(ends, len(text)))


def grow(corpus: Path, target: Path, passages: int) -> None:
    """Write shuffled copies of the corpus until it has about so many passages."""
    rng, copies, have = random.Random(1), 0, 0
    originals = [
        (name, path.read_text(encoding="utf-8")) for name, path in documents.list_files(corpus) if path.suffix == ".md"
    ]
    while have < passages:
        for name, text in originals:
            lines = []
            for line in text.splitlines():
                words = line.split(" ")
                if copies and len(words) > 6 and not line.startswith(("#", "|", "-")):
                    middle = words[1:-1]
                    rng.shuffle(middle)
                    line = " ".join([words[0], *middle, words[-1]])
                lines.append(line)
            if text.startswith("---"):
                (target / f"{copies:03}-{name.replace('/', '-')}").write_text("\n".join(lines), encoding="utf-8")
                have += 12
            if have >= passages:
                break
        copies += 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--passages", type=int, default=10000)
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        grow(Path("corpus"), corpus, options.passages)
        settings = Settings.load({"corpus": corpus, "data": Path(folder, "data")})
        real = SentenceEncoder.load(threads=settings.threads)
        encoder = NoisyEncoder(real)
        begin = time.perf_counter()
        report = sync.update(settings, lambda: encoder)
        print(f"{report.passages} passages indexed in {time.perf_counter() - begin:.1f} s (without encoding)")
        begin = time.perf_counter()
        kb = KnowledgeBase(settings, encoder)
        print(f"index built in {time.perf_counter() - begin:.2f} s")
        asked = [item.ask() for item in read_set(Path("evaluation/questions.jsonl"))]
        random.Random(2).shuffle(asked)
        stages: dict[str, list[float]] = {}
        for number in range(options.questions + 8):
            question = asked[number % len(asked)]
            begin = time.perf_counter()
            trace = kb.trace(question)
            whole = 1000 * (time.perf_counter() - begin)
            if number >= 8:  # the first round warms up
                for stage, milliseconds in {**trace.milliseconds, "whole": whole}.items():
                    stages.setdefault(stage, []).append(milliseconds)
        for stage, values in stages.items():
            p50, p95, p99 = np.percentile(values, [50, 95, 99])
            print(f"{stage:10} p50 {p50:6.1f}  p95 {p95:6.1f}  p99 {p99:6.1f} ms")
        print(f"whole / encoder alone: {np.median(stages['whole']) / np.median(stages['encode']):.2f}")
        extra = corpus / "one-more.lt.md"
        extra.write_text("# Dar vienas\n\nVienas naujas sakinys apie bronzos ženklą.\n", encoding="utf-8")
        begin = time.perf_counter()
        sync.update(settings, lambda: encoder)
        updated = time.perf_counter() - begin
        begin = time.perf_counter()
        kb.refresh()
        print(
            f"one added document: indexed in {1000 * updated:.0f} ms, taken up in {1000 * (time.perf_counter() - begin):.0f} ms"
        )


if __name__ == "__main__":
    main()
