"""The training loop itself, on a model of one small layer: two workers, real batches, a folder that can be used afterwards."""

from __future__ import annotations

import argparse
import contextlib
import csv
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from clusterqa.encoders.openvino import Bert

sys.path.insert(0, str(Path(__file__).parent.parent / "training"))

import colbert
import e5
import train

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


def write_models(folder: Path) -> None:
    """Both teachers and the student, that know letters."""
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0), *((c, -4.0) for c in LETTERS)]
    words = np.random.default_rng(4).normal(0, 0.5, (len(pieces), 32)).astype(np.float32)
    model = small_model()
    e5.write(folder / "base", model, pieces, words, folded=False)
    e5.write(folder / "pruned", model, pieces, words, folded=True)
    state = e5.state_dict(model) | {"embeddings.word_embeddings.weight": np.concatenate([words, words[:2]])}
    colbert.write(folder / "colbert", state, (folder / "base" / "tokenizer.json").read_text(), heads=2)


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
    write_models(tmp_path)

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


@pytest.mark.parametrize("kind", ["translation", "passage", "question"])
def test_every_loss_is_computed_where_the_models_are_also_off_the_processor(tmp_path, monkeypatch, kind):
    """On the meta device, which holds no numbers but refuses to mix devices, as a graphics card does."""
    # Both look at what only a real device has: whether anything is padded, and how it multiplies in halves.
    monkeypatch.setattr("transformers.masking_utils._ignore_bidirectional_mask_sdpa", lambda *_, **__: False)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    write_models(tmp_path)
    english = ["sun fish bridge", "bread night road", "snow friend hill", "lake sun bread"]
    lithuanian = [" ".join(WORDS[word] for word in text.split()) for text in english]

    teacher = train.Teacher.__new__(train.Teacher)  # its own beginning looks at numbers
    for name, folder in (("_whole", "base"), ("_pieces", "colbert")):
        pieces = train.Pieces(tmp_path / folder, 48, english)
        setattr(teacher, name, train.frozen(tmp_path / folder, pieces, 48, "meta"))
    teacher._directions = torch.empty(32, 8, device="meta")
    student = train.Student(tmp_path / "pruned", train.Pieces(tmp_path / "pruned", 48, english + lithuanian), "meta")
    student.projection = torch.nn.Parameter(torch.empty(8, 32, device="meta"))

    prompt = "query: " if kind == "translation" else "passage: "
    asked = [] if kind == "translation" else ["query: " + text for text in english]
    goals = [prompt + text for text in english]
    kept = [] if kind == "question" else train.as_asked(goals[::2], random.Random(1))
    own = "passage: " if kind == "passage" else "query: "
    batch = train.Batch(kind, [own + text for text in lithuanian], goals, kept, asked)
    memory = train.Memory()
    for _ in range(2):  # the second time there is something to remember
        loss, seen = train.loss_of(
            batch, teacher, student, memory.vectors, argparse.Namespace(english=2, question_weight=0.5)
        )
        memory.add(seen)
        loss.backward()
    assert loss.shape == () and loss.device.type == memory.vectors.device.type == "meta"
    assert memory.vectors.shape == (8, 32)
    assert student.projection.grad is not None and student.projection.grad.shape == (8, 32)
    with pytest.raises(RuntimeError, match="device"):
        train.contrast(torch.empty(4, 32, device="meta"), torch.empty(4, 32))
