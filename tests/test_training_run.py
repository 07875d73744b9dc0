"""The training loop itself, on a model of one small layer: two workers, real batches, a folder that can be used afterwards."""

from __future__ import annotations

import csv
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clusterqa.bert import Bert

sys.path.insert(0, str(Path(__file__).parent.parent / "training"))

import colbert
import e5

pytestmark = pytest.mark.encoder

TRAINING = Path(e5.__file__).parent
LETTERS = "aąbcčdeęėfghiįyjklmnoprsštuųūvzž:"
WORDS = {"sun": "saulė", "fish": "žuvis", "bridge": "tiltas", "bread": "duona", "night": "naktis", "road": "kelias",
         "snow": "sniegas", "friend": "draugas", "hill": "kalva", "lake": "ežeras"}  # fmt: skip


def small_model() -> e5.Base:
    draw = np.random.default_rng(3)
    hidden, wide, positions = 32, 64, 64

    def some(*shape: int) -> np.ndarray:
        return draw.normal(0, 0.2, shape).astype(np.float32)

    tensors = {"emb.word": some(1, hidden), "emb.pos": some(positions, hidden), "emb.type": some(1, hidden), "emb.ln.w": np.ones(hidden, "f4"),
               "emb.ln.b": some(hidden)}  # fmt: skip
    for name, rows, columns in (("q", hidden, hidden), ("k", hidden, hidden), ("v", hidden, hidden),
                                ("ao", hidden, hidden), ("fi", wide, hidden), ("fo", hidden, wide)):  # fmt: skip
        tensors |= {f"l0.{name}.w": some(rows, columns), f"l0.{name}.b": some(rows)}
    for name in ("aln", "oln"):
        tensors |= {f"l0.{name}.w": np.ones(hidden, "f4"), f"l0.{name}.b": some(hidden)}
    return e5.Base(hidden, 1, 2, wide, positions, 1e-12, (), (), {}, tensors)


def table(path: Path, names: str, rows: list[list[str]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
        writer.writerows([names.split(), *rows])
    return path


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_two_workers_bring_the_languages_together_and_leave_a_model_that_can_be_used(tmp_path):
    chance = random.Random(5)
    pairs = [chance.sample(sorted(WORDS), 3) for _ in range(300)]
    english, lithuanian = [" ".join(p) for p in pairs], [" ".join(WORDS[w] for w in p) for p in pairs]
    parallel = table(
        tmp_path / "p.tsv.gz",
        "en lt source licence domain",
        [[en, lt, "a", "MIT", "law"] for en, lt in zip(english, lithuanian, strict=True)],
    )
    questions = table(
        tmp_path / "q.tsv.gz",
        "question_en question_lt passage_en passage_lt source domain",
        [[en, lt, en, lt, "a", "law"] for en, lt in zip(english, lithuanian, strict=True)],
    )
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0), *((c, -4.0) for c in LETTERS)]
    words = np.random.default_rng(4).normal(0, 0.5, (len(pieces), 32)).astype(np.float32)
    model = small_model()
    e5.write(tmp_path / "base", model, pieces, words, folded=False)
    e5.write(tmp_path / "pruned", model, pieces, words, folded=True)
    state = e5.state_dict(model) | {"embeddings.word_embeddings.weight": np.concatenate([words, words[:2]])}
    colbert.write(tmp_path / "colbert", state, (tmp_path / "base" / "tokenizer.json").read_text(), heads=2)

    command = [sys.executable, str(TRAINING / "train.py"), str(tmp_path), "--parallel", str(parallel)]
    command += ["--questions", str(questions), "--minutes", "0.15", "--workers", "2", "--batch", "32"]
    command += ["--rate", "0.005", "--pieces-rate", "0.01"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["done"] and told["step"] >= 2 and told["seen"] >= 8 * told["step"]

    teacher, before, after = (Bert.read(tmp_path / name, threads=1) for name in ("base", "pruned", "trained"))
    assert teacher is not None and before is not None and after is not None
    goal = unit(teacher(["query: " + text for text in english[:50]]))
    off = [
        1 - float((unit(side(["query: " + text for text in lithuanian[:50]])) * goal).sum(axis=1).mean())
        for side in (before, after)
    ]
    assert off[1] < 0.8 * off[0]
