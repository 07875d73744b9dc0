"""
The store in a file and in PostgreSQL, side by side: do they answer alike, and how long do they take?

    python benchmarks/stores.py --data data 'postgresql://user@host/database?schema=empty' [--questions 150]

The store of the data folder is moved to an empty file and to the empty schema. Questions are those of the evaluation set, in
random order, each asked of both in turn. "Alike" are replies that are the same in every field.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from clusterqa.evaluation.sets import read_set
from clusterqa.moving import move
from clusterqa.runtime import KnowledgeBase, load_encoder
from clusterqa.settings import Home, Settings
from clusterqa.store import open_store, size


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--questions", type=int, default=150)
    options = parser.parse_args()
    usual = Settings.load({"data": options.data})
    encoder = load_encoder(usual)
    asked = [item.ask() for item in read_set(Path("evaluation/questions.jsonl"))]
    random.Random(3).shuffle(asked)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        opened = {}
        for name, home in {"file": Home(folder / "file"), "server": Home(folder / "other", options.server)}.items():
            begin = time.perf_counter()
            moved = move(usual.home, home)
            told = f"{moved.counts['passages']} passages moved in {time.perf_counter() - begin:.1f} s"
            begin = time.perf_counter()
            settings = usual.model_copy(update={"data": home.data, "store": home.store})
            opened[name] = stack.enter_context(KnowledgeBase(settings, encoder))
            started = time.perf_counter() - begin
            print(f"{name}: {told}, {size(home) / 1e6:.0f} MB, taken up at the start in {started:.2f} s")
        times: dict[str, list[float]] = {name: [] for name in opened}
        alike = 0
        for question in asked[: options.questions]:
            replies = []
            for name, kb in opened.items():
                begin = time.perf_counter()
                replies.append(replace(kb.ask(question), id=None))
                times[name].append(1000 * (time.perf_counter() - begin))
            alike += replies[0] == replies[1]
        print(f"replies alike: {alike} of {min(options.questions, len(asked))}")
        for name, kb in opened.items():
            p50, p95 = np.percentile(times[name], (50, 95))
            print(f"{name}: a question p50 {p50:.1f}, p95 {p95:.1f} ms; {removal(kb)}")


def removal(kb: KnowledgeBase) -> str:
    """How long it takes to write a generation in which one document is removed, and to take it up."""
    with open_store(kb.settings.home) as store:
        begin = time.perf_counter()
        with store.writing() as generation:
            document = store.documents()[0]
            store.remove(document.id, generation)
        written = time.perf_counter() - begin
    begin = time.perf_counter()
    kb.refresh()
    return f"a generation written in {1000 * written:.0f} ms, taken up in {1000 * (time.perf_counter() - begin):.0f} ms"


if __name__ == "__main__":
    main()
