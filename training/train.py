"""
Teaching the pruned encoder to put a Lithuanian text where the base model puts its English translation.

    python training/train.py WORK --parallel parallel.tsv.gz --questions qa.tsv.gz --glossary glossary.tsv --minutes 90

The teacher is the base model (`e5.py`), frozen, on English text as it stands; the student is the pruned and folded
copy (`vocabulary.py`), or any folder given with --start. It learns two things at once: the vector of a text, and a short
vector for each of its pieces, by which two texts are compared piece by piece (late interaction, Khattab and Zaharia
2020, arXiv:2004.12832). Three kinds of batches, drawn by chance:

* translations: the student's vector of the Lithuanian side, and for a share of the pairs of the English side too, is
  pulled to the teacher's vector of the English side (squared distance, Reimers & Gurevych 2020, arXiv:2004.09813) and
  away from those of other pairs (InfoNCE against the teacher's vectors): the pairs of the batch, both ways, and some
  thousands seen before, whose vectors stay right because the teacher does not move;
* passages: the same for long texts, with the passage prompt, and to the teacher's vectors of their English questions;
* questions: a question in either language is pulled to the teacher's vector of the English passage that answers it.

The pieces have no teacher of their own: through one projection, learnt with the rest, the student's pieces of a text must
match the teacher's pieces of its translation better than those of the other texts of the batch, either side being the
question.

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
from safetensors.torch import save_file
from torch import Tensor

from clusterqa.bert import PROJECTION, Bert

TEMPERATURE = 0.02
PULL = 20.0
"""Weight of the squared distance: the base model's vectors lie close together (cosines from 0.7), so it is small."""
PROMPTS = ("query: ", "passage: ")
SAME = 0.95
"""Teacher's vectors nearer than this say the same: such a pair is not pushed away."""
REMEMBERED = 4096
"""Teacher's vectors kept as further wrong ones, of each kind."""
PIECE_DIMENSION = 128
"""Dimensions of a piece's vector, as many as ColBERT has."""
PIECES_TEMPERATURE = 0.03
MEETING = 60.0
"""Seconds of training after which workers take the mean of their weights."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts for the student and for the teacher, row by row; `loss_of` says which of them are used."""

    kind: str
    student: list[str]
    teacher: list[str]
    english: list[str]
    """For the student too: the teacher's texts that it must still put where they were."""
    asked: list[str]
    """For the teacher: the English questions, where the teacher's texts answer some."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Texts as read: unit vectors (n, d); unit vectors of their pieces (n, longest, hidden); the pieces' weights (n, longest), 0 where there is none."""

    vectors: Tensor
    pieces: Tensor
    weights: Tensor

    def __getitem__(self, rows: slice) -> Reading:
        return Reading(self.vectors[rows], self.pieces[rows], self.weights[rows])


class Pieces:
    """A tokenizer: texts to numbers, and how much each piece counts when texts are compared piece by piece."""

    def __init__(self, folder: Path, longest: int, seen: list[str]) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(longest)
        self._openings = {
            prompt: len(ids) - 1 for prompt, ids in zip(PROMPTS, self.ids([p.strip() for p in PROMPTS]), strict=True)
        }
        holds = np.zeros(self._tokenizer.get_vocab_size())
        for ids in self.ids(seen):
            holds[list(set(ids))] += 1
        self.rarity = np.log(1 + len(seen) / (1 + holds)).astype(np.float32)

    def ids(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]

    def weights(self, texts: list[str], ids: list[list[int]]) -> Tensor:
        """(n, longest): each piece's rarity, 0 for the prompt and the marks of beginning and end."""
        grid = torch.zeros(len(ids), max(map(len, ids)))
        for row, (text, line) in enumerate(zip(texts, ids, strict=True)):
            begin = next((count for prompt, count in self._openings.items() if text.startswith(prompt)), 1)
            grid[row, begin : len(line) - 1] = torch.from_numpy(self.rarity[line[begin:-1]])
        return grid


class Student:
    """The model that learns: texts to readings, in bfloat16."""

    def __init__(self, folder: Path, pieces: Pieces, device: str) -> None:
        from transformers import AutoModel

        # Attention written out is a third faster on a processor than torch's own for texts this short.
        attention = "eager" if device == "cpu" else "sdpa"
        self.model: Any = AutoModel.from_pretrained(
            folder, add_pooling_layer=False, attn_implementation=attention, dtype=torch.float32
        ).to(device)
        self.device = device
        self.pieces = pieces

    def __call__(self, texts: list[str]) -> Reading:
        ids = self.pieces.ids(texts)
        grid = torch.full((len(ids), max(map(len, ids))), 1, dtype=torch.long)
        mask = torch.zeros_like(grid)
        for row, line in enumerate(ids):
            grid[row, : len(line)] = torch.tensor(line)
            mask[row, : len(line)] = 1
        grid, mask = grid.to(self.device), mask.to(self.device)
        with torch.autocast(self.device, dtype=torch.bfloat16):
            hidden = self.model(input_ids=grid, attention_mask=mask).last_hidden_state
        hidden, kept = hidden.float(), mask[..., None].float()
        vectors = F.normalize((hidden * kept).sum(1) / kept.sum(1), dim=1)
        return Reading(vectors, F.normalize(hidden, dim=2), self.pieces.weights(texts, ids).to(self.device))


def teacher_of(folder: Path, pieces: Pieces, longest: int, device: str) -> Callable[[list[str]], Reading]:
    """The base model as a function from texts to readings; on a processor by OpenVINO, twice as fast as torch."""
    if device == "cpu":
        bert = Bert.read(folder, threads=1, arithmetic="bfloat16")
        assert bert is not None
        bert.limit = longest

        def read(texts: list[str]) -> Reading:
            vectors, each, _ = bert.with_pieces(texts)
            rows = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(row) for row in each], batch_first=True)
            return Reading(
                F.normalize(torch.from_numpy(vectors), dim=1), rows, pieces.weights(texts, pieces.ids(texts))
            )

        return read
    side = Student(folder, pieces, device)
    side.model.eval()

    def teach(texts: list[str]) -> Reading:
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


def interaction(asked: Reading, read: Reading, projection: Tensor | None = None) -> Tensor:
    """(questions, texts): the weighted mean, over a question's pieces, of the best cosine with a piece of the text."""
    one, other = asked.pieces, read.pieces
    if projection is not None:
        one, other = F.normalize(one @ projection.T, dim=2), F.normalize(other @ projection.T, dim=2)
    (n, width, size), (m, wide, _) = one.shape, other.shape
    cosines = (one.reshape(n * width, size) @ other.reshape(m * wide, size).T).reshape(n, width, m, wide)
    best = cosines.masked_fill(read.weights[None, None] == 0, -1.0).amax(dim=3)
    share = asked.weights / asked.weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
    return torch.einsum("nw,nwm->nm", share, best)


def contrast_pieces(asked: Reading, read: Reading, like: Tensor, projection: Tensor) -> Tensor:
    """
    Cross-entropy both ways over `interaction`. Half of the target is the diagonal, half what the teacher finds alike.

    `like` has the teacher's own interaction of the texts, unprojected: it knows which of the others are nearly right.
    """
    scores = interaction(asked, read, projection) / PIECES_TEMPERATURE
    right = torch.eye(len(like), device=like.device)
    loss = torch.zeros((), device=like.device)
    for found, alike in ((scores, like), (scores.T, like.T)):
        target = (right + (alike / PIECES_TEMPERATURE).softmax(dim=1)) / 2
        loss = loss + F.cross_entropy(found, target) / 2
    return loss


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
    pairs: texts.Pairs, asked: texts.Questions, pieces: Pieces, options: argparse.Namespace, seed: int
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
                lengths = [len(ids) for ids in pieces.ids([pairs.lt[i] for i in drawn])]
                order = [int(drawn[i]) for i in np.argsort(lengths, kind="stable")]
                queue = [order[i : i + options.batch] for i in range(0, len(order), options.batch)]
                chance.shuffle(queue)
            # The same pair twice in a batch would be pushed away from itself.
            rows = list(dict.fromkeys(queue.pop()))
            prompt = PROMPTS[chance.random() < 0.4]
            lt = [with_typo(pairs.lt[i], chance) if chance.random() < 0.08 else pairs.lt[i] for i in rows]
            en = [pairs.en[i] for i in rows]
            again = en[:: options.english]
            yield Batch(
                "translation", [prompt + t for t in lt], [prompt + t for t in en], [prompt + t for t in again], []
            )
        elif kind == "passage":
            rows = draw.choice(len(asked.passage_lt), options.batch // 4, replace=False).tolist()
            lt = [PROMPTS[1] + asked.passage_lt[i] for i in rows]
            en = [PROMPTS[1] + asked.passage_en[i] for i in rows]
            yield Batch("passage", lt, en, en[:: options.english], [PROMPTS[0] + asked.question_en[i] for i in rows])
        else:
            rows = draw.choice(len(asked.question_lt), options.batch, replace=False).tolist()
            spoken = [(asked.question_lt if chance.random() < 0.6 else asked.question_en)[i] for i in rows]
            en = [PROMPTS[1] + asked.passage_en[i] for i in rows]
            english = [PROMPTS[0] + asked.question_en[i] for i in rows]
            yield Batch("question", [PROMPTS[0] + text for text in spoken], en, [], english)


def loss_of(
    batch: Batch, teacher: Callable[[list[str]], Reading], student: Student, projection: Tensor, others: Tensor,
    options: argparse.Namespace,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The loss, and the teacher's vectors for the memory."""
    goal = teacher(batch.teacher)
    found = student(batch.student)
    loss = contrast(found.vectors, goal.vectors, others, both_ways=batch.kind != "question")
    asked = teacher(batch.asked) if batch.asked else goal
    like = interaction(asked, goal)
    if batch.kind == "question":
        loss = loss + contrast_pieces(found, goal, like, projection)
        return options.question_weight * loss, goal.vectors
    if batch.asked:
        answers = contrast(found.vectors, asked.vectors) + contrast_pieces(asked, found, like, projection)
        loss = loss + options.question_weight * answers
        like = interaction(goal, goal)
    loss = loss + contrast_pieces(found, goal, like, projection) + contrast_pieces(goal, found, like, projection)
    loss = loss + PULL * ((found.vectors - goal.vectors) ** 2).sum(1).mean()
    if batch.english:
        some = slice(None, None, options.english)
        kept, there, own, like = student(batch.english), goal[some], found[some], like[some, some]
        loss = loss + PULL * ((kept.vectors - there.vectors) ** 2).sum(1).mean()
        loss = loss + contrast_pieces(kept, there, like, projection)
        # As it will be used: the student's own pieces against its own, either language asking.
        across = contrast_pieces(kept, own, like, projection) + contrast_pieces(own, kept, like, projection)
        loss = loss + across / 2
    return loss, goal.vectors


def take_the_mean(parameters: list[Tensor], workers: int) -> None:
    """All workers' weights become their mean."""
    for parameter in parameters:
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
    parser.add_argument("--english", type=int, default=4, help="every so many-th English text is taught too")
    parser.add_argument(
        "--mix", type=float, nargs=3, default=(0.75, 0.14, 0.11), help="translations, passages, questions"
    )
    parser.add_argument("--question-weight", type=float, default=0.5)
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
    some = np.random.default_rng(0).choice(len(pairs.en), min(20_000, len(pairs.en)), replace=False).tolist()
    english = [pairs.en[i] for i in some]
    teachers_pieces = Pieces(options.work / "base", options.longest, english)
    own_pieces = Pieces(options.work / options.start, options.longest, english + [pairs.lt[i] for i in some])
    teacher = teacher_of(options.work / "base", teachers_pieces, options.longest, device)
    student = Student(options.work / options.start, own_pieces, device)
    projection = torch.nn.Parameter(principal(teacher, english[:500]).to(device))
    student.model.train()
    pieces = student.model.embeddings.word_embeddings.weight
    everything = [*student.model.parameters(), projection]
    layers = [p for p in everything if p is not pieces]
    optimiser = torch.optim.AdamW(
        [{"params": layers, "peak": options.rate}, {"params": [pieces], "peak": options.pieces_rate}],
        betas=(0.9, 0.98), weight_decay=0.0,
    )  # fmt: skip

    saved = options.work / f"{options.out}.checkpoint"
    spent, step, seen = 0.0, 0, 0
    if saved.exists():
        state = torch.load(saved, weights_only=True, map_location=device)
        student.model.load_state_dict(state["model"])
        projection.data = state["projection"]
        optimiser.load_state_dict(state["optimiser"])
        spent, step, seen = state["spent"], state["step"], state["seen"]
        if first:
            print(f"going on from step {step}, {spent / 60:.0f} minutes", flush=True)
    if options.workers > 1:
        dist.barrier()
    budget = options.minutes * 60
    began = time.monotonic() - spent
    last_saved, met = spent, int(spent / MEETING)
    drawn = batches(pairs, asked, own_pieces, options, seed=options.seed + 1000 * step + rank)
    # A question is answered by a passage, so both kinds share what they remember.
    remembered = {"translation": Memory(), "passage": Memory()}
    mean: dict[str, float] = {}
    while (spent := time.monotonic() - began) < budget:
        if options.workers > 1 and int(spent / MEETING) > met:
            met += 1
            take_the_mean(everything, options.workers)
        batch = next(drawn)
        memory = remembered["translation" if batch.kind == "translation" else "passage"]
        scale = min(1.0, (step + 1) / 40) * max(0.01, 1 - spent / budget)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * scale
        loss, goals = loss_of(batch, teacher, student, projection, memory.vectors, options)
        memory.add(goals)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(everything, 1.0)
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
            state = {"model": student.model.state_dict(), "projection": projection.data}
            state["optimiser"] = optimiser.state_dict()
            torch.save({**state, "spent": spent, "step": step, "seen": seen}, saved.with_suffix(".new"))
            saved.with_suffix(".new").replace(saved)
            write(options.work / options.start, student, projection, out)
    if options.workers > 1:
        while met < int(budget / MEETING):  # one that was slow at the end still owes the others a meeting
            met += 1
            take_the_mean(everything, options.workers)
        total = torch.tensor([step, seen])
        dist.all_reduce(total)
        step, seen = total.tolist()
    if first:
        write(options.work / options.start, student, projection, out)
        print(json.dumps({"minutes": round(spent / 60, 1), "step": step, "seen": seen, "done": True}), flush=True)


def principal(teacher: Callable[[list[str]], Reading], seen: list[str]) -> Tensor:
    """The directions along which the teacher's pieces differ most, (PIECE_DIMENSION, hidden): where the projection begins."""
    read = [teacher([PROMPTS[1] + text for text in seen[i : i + 50]]) for i in range(0, len(seen), 50)]
    rows = torch.cat([part.pieces[part.weights > 0] for part in read]).float()
    _, directions = torch.linalg.eigh(rows.T @ rows)
    return directions.flip(1)[:, :PIECE_DIMENSION].T.contiguous()


def write(start: Path, student: Student, projection: Tensor, folder: Path) -> None:
    """The student as a sentence-transformers folder: that of the start with other weights, whole at every moment."""
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(start, new)
    student.model.save_pretrained(new)
    save_file({"projection": projection.detach().cpu().contiguous()}, new / PROJECTION)
    shutil.rmtree(folder, ignore_errors=True)
    new.replace(folder)


if __name__ == "__main__":
    main()
