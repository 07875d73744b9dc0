"""
Teaching the pruned encoder to put a Lithuanian text where the base model puts its English translation.

    python training/train.py WORK --parallel parallel.tsv.gz --questions qa.tsv.gz --glossary glossary.tsv --minutes 70

The teacher is the base model (`e5.py`), frozen, on English text as it stands; the student is the pruned and folded
copy (`vocabulary.py`). Three kinds of batches, drawn by chance:

* translations: the student's vector of the Lithuanian side, and for a share of the pairs of the English side too, is
  pulled to the teacher's vector of the English side (squared distance, Reimers & Gurevych 2020, arXiv:2004.09813) and
  away from those of the other pairs in the batch (InfoNCE against the teacher's vectors, both ways);
* passages: the same for long texts, with the passage prompt;
* questions: a question in either language is pulled to the teacher's vector of the English passage that answers it.

A plain loop instead of the sentence-transformers trainer: batches are cut by length (no padding), the teacher runs in
the same step, the time is the budget and the schedule, and matrices are multiplied in bfloat16, which together made it
about twice as fast on two cores. A checkpoint every eight minutes; the same command goes on from it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import queue
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import texts
import torch
import torch.nn.functional as F
from torch import Tensor

TEMPERATURE = 0.02
PULL = 20.0
"""Weight of the squared distance: the base model's vectors lie close together (cosines from 0.7), so it is small."""
PROMPTS = ("query: ", "passage: ")


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts for the student and for the teacher, row by row; `loss` says which of them are used."""

    kind: str
    student: list[str]
    teacher: list[str]
    english: list[str]
    """For the student too: the teacher's texts that it must still put where they were."""


class Side:
    """A model with its tokenizer: texts to unit vectors."""

    def __init__(self, folder: Path, longest: int) -> None:
        from tokenizers import Tokenizer
        from transformers import AutoModel

        self.model: Any = AutoModel.from_pretrained(folder, add_pooling_layer=False)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(longest)

    def lengths(self, texts: list[str]) -> list[int]:
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(texts)]

    def __call__(self, texts: list[str]) -> Tensor:
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        width = max(map(len, ids))
        grid = torch.full((len(ids), width), 1, dtype=torch.long)
        mask = torch.zeros_like(grid)
        for row, line in enumerate(ids):
            grid[row, : len(line)] = torch.tensor(line)
            mask[row, : len(line)] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self.model(input_ids=grid, attention_mask=mask).last_hidden_state
        kept = mask[..., None].float()
        return F.normalize((hidden.float() * kept).sum(1) / kept.sum(1), dim=1)


def contrast(student: Tensor, teacher: Tensor, both_ways: bool = True) -> Tensor:
    """InfoNCE of rows against rows, the diagonal being right."""
    scores = student @ teacher.T / TEMPERATURE
    right = torch.arange(len(student))
    loss = F.cross_entropy(scores, right)
    return (loss + F.cross_entropy(scores.T, right)) / 2 if both_ways else loss


def with_typo(text: str, chance: random.Random) -> str:
    """One letter left out, doubled or swapped with the next, somewhere in a word of four letters or more."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 3]
    if not long:
        return text
    which = chance.choice(long)
    word = words[which]
    at = chance.randrange(1, len(word) - 1)
    words[which] = chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return " ".join(words)


def batches(
    pairs: texts.Pairs, asked: texts.Questions, student: Side, options: argparse.Namespace, seed: int
) -> Iterator[Batch]:
    """Without end; pairs of like length together, so that hardly anything is padded."""
    draw = np.random.default_rng(seed)
    chance = random.Random(seed)
    queue: list[list[int]] = []
    while True:
        kind = draw.choice(["translation", "passage", "question"], p=options.mix)
        if kind == "translation":
            if not queue:
                drawn = draw.choice(len(pairs.en), options.batch * 40, p=pairs.weight)
                lengths = student.lengths([pairs.lt[i] for i in drawn])
                order = [int(drawn[i]) for i in np.argsort(lengths, kind="stable")]
                queue = [order[i : i + options.batch] for i in range(0, len(order), options.batch)]
                chance.shuffle(queue)
            # The same pair twice in a batch would be pushed away from itself.
            rows = list(dict.fromkeys(queue.pop()))
            prompt = PROMPTS[chance.random() < 0.4]
            lt = [with_typo(pairs.lt[i], chance) if chance.random() < 0.08 else pairs.lt[i] for i in rows]
            en = [pairs.en[i] for i in rows]
            again = en[:: options.english]
            yield Batch("translation", [prompt + t for t in lt], [prompt + t for t in en], [prompt + t for t in again])
        elif kind == "passage":
            rows = draw.choice(len(asked.passage_lt), options.batch // 4, replace=False).tolist()
            lt = [PROMPTS[1] + asked.passage_lt[i] for i in rows]
            en = [PROMPTS[1] + asked.passage_en[i] for i in rows]
            yield Batch("passage", lt, en, en[:: options.english])
        else:
            rows = draw.choice(len(asked.question_lt), options.batch, replace=False).tolist()
            spoken = [(asked.question_lt if chance.random() < 0.6 else asked.question_en)[i] for i in rows]
            en = [PROMPTS[1] + asked.passage_en[i] for i in rows]
            yield Batch("question", [PROMPTS[0] + text for text in spoken], en, [])


def teach(ready: Any, options: argparse.Namespace, seed: int) -> None:
    """Another process: draws batches and works out the teacher's vectors ahead of the student, giving way to others."""
    os.nice(15)
    torch.set_num_threads(1)
    teacher = Side(options.work / "base", options.longest)
    student = Side(options.work / options.start, options.longest)
    pairs, asked = texts.parallel(options.parallel, options.glossary), texts.questions(options.questions)
    for batch in batches(pairs, asked, student, options, seed):
        with torch.no_grad():
            ready.put((batch, teacher(batch.teacher).numpy()))


def loss_of(batch: Batch, goal: Tensor, student: Side, options: argparse.Namespace) -> Tensor:
    found = student(batch.student)
    loss = contrast(found, goal, both_ways=batch.kind != "question")
    if batch.kind == "question":
        return options.question_weight * loss
    loss = loss + PULL * ((found - goal) ** 2).sum(1).mean()
    if batch.english:
        kept = student(batch.english)
        loss = loss + PULL * ((kept - goal[:: options.english]) ** 2).sum(1).mean()
    return loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--parallel", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--glossary", type=Path)
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--longest", type=int, default=96, help="pieces read of a text")
    parser.add_argument("--rate", type=float, default=1e-4, help="learning rate of the layers")
    parser.add_argument("--pieces-rate", type=float, default=8e-4, help="learning rate of the pieces' embeddings")
    parser.add_argument("--english", type=int, default=4, help="every so many-th English text is taught too")
    parser.add_argument(
        "--mix", type=float, nargs=3, default=(0.85, 0.07, 0.08), help="translations, passages, questions"
    )
    parser.add_argument("--question-weight", type=float, default=0.3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--helper", action="store_true", help="a second process works out the teacher's vectors ahead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", default="pruned", help="folder in WORK to start from")
    parser.add_argument("--out", default="trained", help="folder in WORK to write")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)

    work: Path = options.work
    pairs = texts.parallel(options.parallel, options.glossary)
    asked = texts.questions(options.questions)
    print(f"{len(pairs.en)} pairs, {len(asked.question_en)} questions", flush=True)
    teacher = Side(work / "base", options.longest)
    teacher.model.eval()
    student = Side(work / options.start, options.longest)
    student.model.train()
    pieces = student.model.embeddings.word_embeddings.weight
    layers = [p for p in student.model.parameters() if p is not pieces]
    optimiser = torch.optim.AdamW(
        [{"params": layers, "peak": options.rate}, {"params": [pieces], "peak": options.pieces_rate}],
        betas=(0.9, 0.98), weight_decay=0.0,
    )  # fmt: skip

    saved = work / f"{options.out}.checkpoint"
    spent, step, seen = 0.0, 0, 0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        student.model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        spent, step, seen = state["spent"], state["step"], state["seen"]
        print(f"going on from step {step}, {spent / 60:.0f} minutes", flush=True)
    budget = options.minutes * 60
    began = time.monotonic() - spent
    last_saved = spent
    mean: dict[str, float] = {}
    ahead: Any = None
    if options.helper:
        context = multiprocessing.get_context("spawn")
        ahead = context.Queue(maxsize=8)
        context.Process(target=teach, args=(ahead, options, options.seed + step + 1), daemon=True).start()
    own = batches(pairs, asked, student, options, seed=options.seed + step)
    alone = 0
    while (spent := time.monotonic() - began) < budget:
        batch, goal = _next(own, ahead, teacher)
        alone += goal[1]
        scale = min(1.0, (step + 1) / 40) * max(0.01, 1 - spent / budget)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * scale
        loss = loss_of(batch, goal[0], student, options)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.model.parameters(), 1.0)
        optimiser.step()
        step += 1
        seen += len(batch.student)
        value = loss.item()
        mean[batch.kind] = 0.97 * mean.get(batch.kind, value) + 0.03 * value
        if step % 20 == 0:
            losses = {kind: round(value, 3) for kind, value in sorted(mean.items())}
            print(
                json.dumps({"minutes": round(spent / 60, 1), "step": step, "seen": seen, "alone": alone, **losses}),
                flush=True,
            )
        if spent - last_saved > 480:  # seconds
            last_saved = spent
            state = {"model": student.model.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save({**state, "spent": spent, "step": step, "seen": seen}, saved.with_suffix(".new"))
            saved.with_suffix(".new").replace(saved)
            write(work / options.start, student, work / options.out)
    write(work / options.start, student, work / options.out)
    print(json.dumps({"minutes": round(spent / 60, 1), "step": step, "seen": seen, "done": True}), flush=True)


def _next(own: Iterator[Batch], ahead: Any, teacher: Side) -> tuple[Batch, tuple[Tensor, bool]]:
    """A batch the other process has ready, else one of our own; with the teacher's vectors and whether it was ours."""
    if ahead is not None:
        try:
            batch, goal = ahead.get_nowait()
            return batch, (torch.from_numpy(goal), False)
        except queue.Empty:
            pass
    batch = next(own)
    with torch.no_grad():
        return batch, (teacher(batch.teacher), True)


def write(start: Path, student: Side, folder: Path) -> None:
    """The student as a sentence-transformers folder: that of the start with other weights, whole at every moment."""
    import shutil

    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(start, new)
    student.model.save_pretrained(new)
    shutil.rmtree(folder, ignore_errors=True)
    new.replace(folder)


if __name__ == "__main__":
    main()
