"""
Teaching the pruned encoder to put a Lithuanian text where the base model puts its English translation.

    python training/train.py WORK --parallel parallel.tsv.gz --questions qa.tsv.gz --glossary glossary.tsv --minutes 90

The teacher is the base model (`e5.py`), frozen, on English text as it stands; the student is the pruned and folded
copy (`vocabulary.py`), or any folder given with --start. Three kinds of batches, drawn by chance:

* translations: the student's vector of the Lithuanian side, and for a share of the pairs of the English side too, is
  pulled to the teacher's vector of the English side (squared distance, Reimers & Gurevych 2020, arXiv:2004.09813) and
  away from those of other pairs (InfoNCE against the teacher's vectors): the pairs of the batch, both ways, and some
  thousands seen before, whose vectors stay right because the teacher does not move;
* passages: the same for long texts, with the passage prompt;
* questions: a question in either language is pulled to the teacher's vector of the English passage that answers it.

A plain loop instead of the sentence-transformers trainer: batches are cut by length (no padding), the teacher runs in
the same step, the time is the budget and the schedule, and matrices are multiplied in bfloat16. On a processor each
worker is a process with one thread that learns by itself, and once a minute all take the mean of their weights (local
SGD, Stich 2019, arXiv:1805.09767): two threads in one process wait for each other. On a graphics card there is one
worker; take larger batches there. A checkpoint every eight minutes; the same command goes on from it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import texts
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
import torch.nn.functional as F
from torch import Tensor

from clusterqa.bert import Bert

TEMPERATURE = 0.02
PULL = 20.0
"""Weight of the squared distance: the base model's vectors lie close together (cosines from 0.7), so it is small."""
PROMPTS = ("query: ", "passage: ")
SAME = 0.95
"""Teacher's vectors nearer than this say the same: such a pair is not pushed away."""
REMEMBERED = 4096
"""Teacher's vectors kept as further wrong ones, of each kind."""
MEETING = 60.0
"""Seconds of training after which workers take the mean of their weights."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts for the student and for the teacher, row by row; `loss` says which of them are used."""

    kind: str
    student: list[str]
    teacher: list[str]
    english: list[str]
    """For the student too: the teacher's texts that it must still put where they were."""


class Side:
    """A model with its tokenizer: texts to unit vectors, in bfloat16."""

    def __init__(self, folder: Path, longest: int, device: str) -> None:
        from tokenizers import Tokenizer
        from transformers import AutoModel

        # Attention written out is a third faster on a processor than torch's own for texts this short.
        attention = "eager" if device == "cpu" else "sdpa"
        self.model: Any = AutoModel.from_pretrained(
            folder, add_pooling_layer=False, attn_implementation=attention, dtype=torch.float32
        ).to(device)
        self.device = device
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
        grid, mask = grid.to(self.device), mask.to(self.device)
        with torch.autocast(self.device, dtype=torch.bfloat16):
            hidden = self.model(input_ids=grid, attention_mask=mask).last_hidden_state
        kept = mask[..., None].float()
        return F.normalize((hidden.float() * kept).sum(1) / kept.sum(1), dim=1)


def teacher_of(folder: Path, longest: int, device: str) -> Callable[[list[str]], Tensor]:
    """The base model as a function from texts to unit vectors; on a processor by OpenVINO, twice as fast as torch."""
    if device == "cpu":
        bert = Bert.read(folder, threads=1, arithmetic="bfloat16")
        assert bert is not None
        bert.limit = longest
        return lambda texts: F.normalize(torch.from_numpy(bert(texts)), dim=1)
    side = Side(folder, longest, device)
    side.model.eval()

    def teach(texts: list[str]) -> Tensor:
        with torch.no_grad():
            return side(texts)

    return teach


class Memory:
    """The teacher's latest vectors, one kind of text."""

    def __init__(self) -> None:
        self.vectors = torch.empty(0)

    def add(self, vectors: Tensor) -> None:
        self.vectors = torch.cat([vectors, self.vectors])[:REMEMBERED] if len(self.vectors) else vectors


def contrast(student: Tensor, teacher: Tensor, others: Tensor | None = None, both_ways: bool = True) -> Tensor:
    """InfoNCE of rows against rows, the diagonal being right; `others` are further wrong ones for the student's rows."""
    right = torch.arange(len(student), device=student.device)
    own = _apart(student @ teacher.T, teacher @ teacher.T, right)
    wide = own
    if others is not None and len(others):
        wide = torch.cat([own, _apart(student @ others.T, teacher @ others.T)], dim=1)
    loss = F.cross_entropy(wide / TEMPERATURE, right)
    return (loss + F.cross_entropy(own.T / TEMPERATURE, right)) / 2 if both_ways else loss


def _apart(scores: Tensor, likeness: Tensor, right: Tensor | None = None) -> Tensor:
    """The scores without those of texts that say the same as the right one, which stands on the diagonal if given."""
    same = likeness > SAME
    if right is not None:
        same[right, right] = False
    return scores.masked_fill(same, -1.0)


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


def loss_of(batch: Batch, goal: Tensor, student: Side, others: Tensor, options: argparse.Namespace) -> Tensor:
    found = student(batch.student)
    loss = contrast(found, goal, others, both_ways=batch.kind != "question")
    if batch.kind == "question":
        return options.question_weight * loss
    loss = loss + PULL * ((found - goal) ** 2).sum(1).mean()
    if batch.english:
        kept = student(batch.english)
        loss = loss + PULL * ((kept - goal[:: options.english]) ** 2).sum(1).mean()
    return loss


def take_the_mean(model: torch.nn.Module, workers: int) -> None:
    """All workers' weights become their mean."""
    for parameter in model.parameters():
        dist.all_reduce(parameter.data)
        parameter.data /= workers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--parallel", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--glossary", type=Path)
    parser.add_argument("--dictionaries", type=Path, help="folder with FreeDict's files, /usr/share/dictd on Debian")
    parser.add_argument("--corpus", type=Path, help="folder whose translated documents are learnt from too")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--longest", type=int, default=96, help="pieces read of a text")
    parser.add_argument("--rate", type=float, default=1e-4, help="learning rate of the layers")
    parser.add_argument("--pieces-rate", type=float, default=8e-4, help="learning rate of the pieces' embeddings")
    parser.add_argument("--english", type=int, default=5, help="every so many-th English text is taught too")
    parser.add_argument(
        "--mix", type=float, nargs=3, default=(0.85, 0.06, 0.09), help="translations, passages, questions"
    )
    parser.add_argument("--question-weight", type=float, default=0.3)
    parser.add_argument("--workers", type=int, default=2, help="processes on a processor, one thread each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", default="pruned", help="folder to start from, in WORK or anywhere")
    parser.add_argument("--out", default="trained", help="folder in WORK to write")
    options = parser.parse_args()
    if torch.cuda.is_available():
        options.workers = 1
        work(0, "cuda", options)
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    (options.work / "meeting").unlink(missing_ok=True)
    multiprocessing.spawn(work, args=("cpu", options), nprocs=options.workers)


def work(rank: int, device: str, options: argparse.Namespace) -> None:
    """One worker; the first also keeps the checkpoints and tells how it goes."""
    if device == "cpu":
        torch.set_num_threads(1)
    if options.workers > 1:
        place = (options.work / "meeting").resolve().as_uri()
        dist.init_process_group("gloo", init_method=place, rank=rank, world_size=options.workers)
    torch.manual_seed(options.seed + rank)
    first, out = rank == 0, options.work / options.out
    pairs = texts.parallel(options.parallel, options.glossary, options.dictionaries, options.corpus)
    asked = texts.questions(options.questions)
    if first:
        print(f"{len(pairs.en)} pairs, {len(asked.question_en)} questions", flush=True)
    teacher = teacher_of(options.work / "base", options.longest, device)
    student = Side(options.work / options.start, options.longest, device)
    student.model.train()
    pieces = student.model.embeddings.word_embeddings.weight
    layers = [p for p in student.model.parameters() if p is not pieces]
    optimiser = torch.optim.AdamW(
        [{"params": layers, "peak": options.rate}, {"params": [pieces], "peak": options.pieces_rate}],
        betas=(0.9, 0.98), weight_decay=0.0,
    )  # fmt: skip

    saved = options.work / f"{options.out}.checkpoint"
    spent, step, seen = 0.0, 0, 0
    if saved.exists():
        state = torch.load(saved, weights_only=True, map_location=device)
        student.model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        spent, step, seen = state["spent"], state["step"], state["seen"]
        if first:
            print(f"going on from step {step}, {spent / 60:.0f} minutes", flush=True)
    if options.workers > 1:
        dist.barrier()
    budget = options.minutes * 60
    began = time.monotonic() - spent
    last_saved, met = spent, int(spent / MEETING)
    drawn = batches(pairs, asked, student, options, seed=options.seed + 1000 * step + rank)
    # A question is answered by a passage, so both kinds share what they remember.
    remembered = {"translation": Memory(), "passage": Memory()}
    mean: dict[str, float] = {}
    while (spent := time.monotonic() - began) < budget:
        if options.workers > 1 and int(spent / MEETING) > met:
            met += 1
            take_the_mean(student.model, options.workers)
        batch = next(drawn)
        goal = teacher(batch.teacher)
        memory = remembered["translation" if batch.kind == "translation" else "passage"]
        scale = min(1.0, (step + 1) / 40) * max(0.01, 1 - spent / budget)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * scale
        loss = loss_of(batch, goal, student, memory.vectors, options)
        memory.add(goal)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.model.parameters(), 1.0)
        optimiser.step()
        step += 1
        seen += len(batch.student)
        value = loss.item()
        mean[batch.kind] = 0.97 * mean.get(batch.kind, value) + 0.03 * value
        if not first:
            continue
        if step % 20 == 0:
            losses = {kind: round(value, 3) for kind, value in sorted(mean.items())}
            print(json.dumps({"minutes": round(spent / 60, 1), "step": step, "seen": seen, **losses}), flush=True)
        if spent - last_saved > 480:  # seconds
            last_saved = spent
            state = {"model": student.model.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save({**state, "spent": spent, "step": step, "seen": seen}, saved.with_suffix(".new"))
            saved.with_suffix(".new").replace(saved)
            write(options.work / options.start, student, out)
    if options.workers > 1:
        while met < int(budget / MEETING):  # one that was slow at the end still owes the others a meeting
            met += 1
            take_the_mean(student.model, options.workers)
        total = torch.tensor([step, seen])
        dist.all_reduce(total)
        step, seen = total.tolist()
    if first:
        write(options.work / options.start, student, out)
        print(json.dumps({"minutes": round(spent / 60, 1), "step": step, "seen": seen, "done": True}), flush=True)


def write(start: Path, student: Side, folder: Path) -> None:
    """The student as a sentence-transformers folder: that of the start with other weights, whole at every moment."""
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(start, new)
    student.model.save_pretrained(new)
    shutil.rmtree(folder, ignore_errors=True)
    new.replace(folder)


if __name__ == "__main__":
    main()
