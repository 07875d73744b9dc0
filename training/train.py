"""
Teaching the pruned encoder to put a Lithuanian text where the base model puts its English translation.

    python training/train.py WORK --parallel parallel.tsv.gz --questions qa.tsv.gz --glossary glossary.tsv --minutes 90

There are two teachers, frozen, on English text as it stands: the base model (`e5.py`) for the vector of a whole text,
and a ColBERT (`colbert.py`) for those of its pieces, by which two texts are compared piece by piece (late interaction,
Khattab and Zaharia 2020, arXiv:2004.12832). The student is the pruned and folded copy of the first (`vocabulary.py`), or
any folder given with --start. Three kinds of batches, drawn by chance:

* translations: the student's vector of the Lithuanian side, and for a share of the pairs of the English side too, is
  pulled to the teacher's vector of the English side (squared distance, Reimers & Gurevych 2020, arXiv:2004.09813) and
  away from those of other pairs (InfoNCE against the teacher's vectors): the pairs of the batch, both ways, and some
  thousands seen before, whose vectors stay right because the teacher does not move;
* passages: the same for long texts, with the passage prompt, and to the teacher's vectors of their English questions;
* questions: a question in either language is pulled to the teacher's vector of the English passage that answers it.

The student's pieces go through one projection, learnt with the rest, into the space of the ColBERT's. There a piece of an
English text is pulled to the ColBERT's piece of the same word; and the pieces of a text in either language must match the ColBERT's
pieces of the English side as well as that side's own do, and those of the other texts of the batch as well as they do there, either
side being the question. Half of the English texts that are read for it are cut to a few words of them, as people
type them into a search.

A plain loop instead of the sentence-transformers trainer: batches are cut by length (no padding), the teacher runs in
the same step, the time is the budget and the schedule, and matrices are multiplied in bfloat16 where there is such a thing. On a processor each
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

import colbert
import numpy as np
import texts
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from clusterqa.encoders.openvino import PROJECTION, Bert

TEMPERATURE = 0.02
PULL = 20.0
"""Weight of the squared distance: the base model's vectors lie close together (cosines from 0.7), so it is small."""
PROMPTS = ("query: ", "passage: ")
EVERY_PROMPT = (*PROMPTS, *colbert.PROMPTS.values())
SAME = 0.95
"""Teacher's vectors nearer than this say the same: such a pair is not pushed away."""
REMEMBERED = 4096
"""Teacher's vectors kept as further wrong ones, of each kind."""
PIECE_DIMENSION = 128
"""Dimensions of a piece's vector, as many as ColBERT has."""
PIECES_TEMPERATURE = 0.03
LIKENESS, WORDS = 30.0, 12.0
"""Weights of the squared difference of two texts' likeness from the teacher's, and of the distance of a word's pieces from its."""
KNOWN = 0.5
"""Mean cosine of same words' pieces above which a projection leads where the teacher's are; elsewhere it is about 0."""
MEETING = 60.0
"""Seconds of training after which workers take the mean of their weights."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts for the student and for the teacher, row by row; `loss_of` says which of them are used."""

    kind: str
    student: list[str]
    teacher: list[str]
    english: list[str]
    """For the student too: every so many-th of the teacher's texts, or a few words of it."""
    asked: list[str]
    """For the teacher: the English questions, where the teacher's texts answer some."""


@dataclass(frozen=True, slots=True)
class Reading:
    """
    Texts as read: unit vectors (n, d); unit vectors of their pieces (n, longest, PIECE_DIMENSION); the pieces' weights (n, longest),
    0 where there is none; where in the text a piece begins and ends (n, longest, 2), the prompt not counted, -1 where there is none.
    """

    vectors: Tensor
    pieces: Tensor
    weights: Tensor
    places: NDArray[np.int64]

    def __getitem__(self, rows: slice) -> Reading:
        return Reading(self.vectors[rows], self.pieces[rows], self.weights[rows], self.places[rows])


class Pieces:
    """A tokenizer: texts to numbers, and how much each piece counts when texts are compared piece by piece."""

    def __init__(self, folder: Path, longest: int, seen: list[str]) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(longest)
        holds = np.zeros(self._tokenizer.get_vocab_size())
        for ids, _ in self.read(seen):
            holds[list(set(ids))] += 1
        self.rarity = np.log(1 + len(seen) / (1 + holds)).astype(np.float32)

    def read(self, texts: list[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """For each text its pieces' numbers, and where each begins and ends, counted in characters."""
        return [(encoding.ids, encoding.offsets) for encoding in self._tokenizer.encode_batch(texts)]

    def weighed(
        self, texts: list[str], read: list[tuple[list[int], list[tuple[int, int]]]]
    ) -> tuple[Tensor, NDArray[np.int64]]:
        """A reading's weights and places: each piece's rarity, 0 for the prompt and the marks of beginning and end."""
        longest = max(len(ids) for ids, _ in read)
        weights = np.zeros((len(read), longest), dtype=np.float32)
        places = np.full((len(read), longest, 2), -1)
        for row, (text, (ids, offsets)) in enumerate(zip(texts, read, strict=True)):
            prompt = next((len(prompt) for prompt in EVERY_PROMPT if text.startswith(prompt)), 0)
            spans = np.array(offsets)
            there = np.flatnonzero(spans[:, 1] > prompt)
            there = there[spans[there, 1] > spans[there, 0]]
            weights[row, there] = self.rarity[np.array(ids)[there]]
            places[row, there] = spans[there] - prompt
        return torch.from_numpy(weights), places


class Student:
    """The model that learns: texts to readings."""

    def __init__(self, folder: Path, pieces: Pieces, device: str) -> None:
        from transformers import AutoModel

        # Attention written out is a third faster on a processor than torch's own for texts this short.
        attention = "eager" if device == "cpu" else "sdpa"
        self.model: Any = AutoModel.from_pretrained(
            folder, add_pooling_layer=False, attn_implementation=attention, dtype=torch.float32
        ).to(device)
        self.device = device
        # A processor without bfloat16 of its own takes ten times as long with it.
        self._half = device != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        self.pieces = pieces
        self.projection = torch.nn.Parameter(torch.eye(self.model.config.hidden_size, device=device))
        """Shape (PIECE_DIMENSION, hidden), once it is known."""

    def __call__(self, texts: list[str]) -> Reading:
        read = self.pieces.read(texts)
        grid = torch.full(
            (len(read), max(len(ids) for ids, _ in read)), self.model.config.pad_token_id or 0, dtype=torch.long
        )
        mask = torch.zeros_like(grid)
        for row, (ids, _) in enumerate(read):
            grid[row, : len(ids)] = torch.tensor(ids)
            mask[row, : len(ids)] = 1
        grid, mask = grid.to(self.device), mask.to(self.device)
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self._half):
            hidden = self.model(input_ids=grid, attention_mask=mask).last_hidden_state
        hidden, kept = hidden.float(), mask[..., None].float()
        vectors = F.normalize((hidden * kept).sum(1) / kept.sum(1), dim=1)
        weights, places = self.pieces.weighed(texts, read)
        return Reading(vectors, F.normalize(hidden @ self.projection.T, dim=2), weights.to(self.device), places)


def frozen(folder: Path, pieces: Pieces, longest: int, device: str) -> Callable[[list[str]], Reading]:
    """A teacher as a function from texts to readings, its pieces not projected; on a processor by OpenVINO, twice as fast as torch."""
    if device == "cpu":
        bert = Bert.read(folder, threads=1, arithmetic="bfloat16")
        assert bert is not None
        bert.limit = longest

        def read(texts: list[str]) -> Reading:
            vectors, each = bert.with_tokens(texts)
            unit = [F.normalize(torch.from_numpy(own.states), dim=1) for own in each]
            rows = torch.nn.utils.rnn.pad_sequence(unit, batch_first=True)
            weights, places = pieces.weighed(texts, pieces.read(texts))
            return Reading(F.normalize(torch.from_numpy(vectors), dim=1), rows, weights, places)

        return read
    side = Student(folder, pieces, device)
    side.model.eval()

    def teach(texts: list[str]) -> Reading:
        with torch.no_grad():
            return side(texts)

    return teach


class Teacher:
    """The base model's vectors and the ColBERT's pieces, these along the directions in which they differ most."""

    def __init__(self, work: Path, longest: int, english: list[str], device: str) -> None:
        self._whole = frozen(work / "base", Pieces(work / "base", longest, []), longest, device)
        self._pieces = frozen(work / "colbert", Pieces(work / "colbert", longest, english), longest, device)
        some = [colbert.PROMPTS["passage"] + text for text in english[:500]]
        parts = [self._pieces(some[begin : begin + 50]) for begin in range(0, len(some), 50)]
        rows = torch.cat([part.pieces[part.weights > 0] for part in parts]).double()
        _, directions = torch.linalg.eigh(rows.T @ rows)
        self._directions = directions.flip(1)[:, :PIECE_DIMENSION].float()

    def __call__(self, texts: list[str]) -> Reading:
        theirs = [colbert.PROMPTS[p.strip(": ")] + t.removeprefix(p) for t in texts for p in PROMPTS if t.startswith(p)]
        read = self._pieces(theirs)
        pieces = F.normalize(read.pieces @ self._directions, dim=2)
        return Reading(self._whole(texts).vectors, pieces, read.weights, read.places)


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


def interaction(asked: Reading, read: Reading) -> Tensor:
    """(questions, texts): the weighted mean, over a question's pieces, of the best cosine with a piece of the text."""
    (n, width, size), (m, wide, _) = asked.pieces.shape, read.pieces.shape
    cosines = asked.pieces.reshape(n * width, size) @ read.pieces.reshape(m * wide, size).T
    best = cosines.reshape(n, width, m, wide).masked_fill(read.weights[None, None] == 0, -1.0).amax(dim=3)
    share = asked.weights / asked.weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
    return torch.einsum("nw,nwm->nm", share, best)


def like_the_teacher(asked: Reading, read: Reading, like: Tensor, step: int = 1) -> Tensor:
    """
    How far the likeness of texts is from `like`, the teacher's (questions, texts), where question i is of text i · step.

    Cross-entropy over `interaction`, half of the target being that text and half what the teacher finds alike, and the squared
    difference. Both ways where there are as many questions as texts.
    """
    found = interaction(asked, read)
    right = torch.zeros_like(like)
    right[torch.arange(len(like)), step * torch.arange(len(like))] = 1
    loss = LIKENESS * F.mse_loss(found, like)
    ways = [(found, like, right), (found.T, like.T, right.T)] if len(like) == like.shape[1] else [(found, like, right)]
    for scores, alike, own in ways:
        target = (own + (alike / PIECES_TEMPERATURE).softmax(dim=1)) / 2
        loss = loss + F.cross_entropy(scores / PIECES_TEMPERATURE, target) / len(ways)
    return loss


def same_words(own: Reading, theirs: Reading) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, pieces of `own`, and pieces of `theirs` that hold the last character of each; both have read the same texts."""
    found: list[tuple[int, int, int]] = []
    for row, (places, others) in enumerate(zip(own.places, theirs.places, strict=True)):
        held = np.full(others.max() + 1, -1)
        for piece, (begin, end) in enumerate(others.tolist()):
            held[max(begin, 0) : max(end, 0)] = piece
        for piece, end in enumerate(places[:, 1].tolist()):
            if 0 < end < len(held) and held[end - 1] >= 0:
                found.append((row, piece, int(held[end - 1])))
    rows, pieces, met = torch.tensor(found, dtype=torch.long).reshape(-1, 3).T
    return rows, pieces, met


def apart_by_word(own: Reading, theirs: Reading) -> Tensor:
    """One minus the cosine of pieces of the same word, in the mean."""
    rows, pieces, met = same_words(own, theirs)
    return (1 - (own.pieces[rows, pieces] * theirs.pieces[rows, met]).sum(1)).sum() / max(len(rows), 1)


def first_projection(
    student: Callable[[list[str]], Reading],
    teacher: Callable[[list[str]], Reading],
    seen: list[str],
    own: Tensor | None,
) -> Tensor:
    """
    (PIECE_DIMENSION, hidden): the student's own where it leads to the teacher's pieces, as it does when the same teachers taught it
    before; else by least squares from the student's pieces to the teacher's of the same words.
    """
    known, goals = [], []
    for begin in range(0, len(seen), 50):
        asked = [PROMPTS[begin // 50 % 2] + text for text in seen[begin : begin + 50]]
        with torch.no_grad():
            read, theirs = student(asked), teacher(asked)
        rows, pieces, met = same_words(read, theirs)
        known.append(read.pieces[rows, pieces])
        goals.append(theirs.pieces[rows, met])
    one, other = torch.cat(known), torch.cat(goals)
    if own is not None and (F.normalize(one @ own.T, dim=1) * other).sum(1).mean() > KNOWN:
        return own
    ridge = 1e-2 * torch.eye(one.shape[1], device=one.device)  # the student's pieces need not span everything
    return torch.linalg.solve(one.T @ one + ridge, one.T @ other).T.contiguous()


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


def as_asked(texts: list[str], chance: random.Random) -> list[str]:
    """The texts as they are, or as often all of them as questions: two to eight words that stand together."""
    if chance.random() < 0.5:
        return texts
    asked = []
    for text in texts:
        words = text.split(": ", 1)[1].split()
        count = min(chance.randint(2, 8), len(words))
        begin = chance.randint(0, len(words) - count)
        asked.append(PROMPTS[0] + " ".join(words[begin : begin + count]))
    return asked


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
                lengths = [len(ids) for ids, _ in pieces.read([pairs.lt[i] for i in drawn])]
                order = [int(drawn[i]) for i in np.argsort(lengths, kind="stable")]
                queue = [order[i : i + options.batch] for i in range(0, len(order), options.batch)]
                chance.shuffle(queue)
            # The same pair twice in a batch would be pushed away from itself.
            rows = list(dict.fromkeys(queue.pop()))
            prompt = PROMPTS[chance.random() < 0.4]
            lt = [with_typo(pairs.lt[i], chance) if chance.random() < 0.08 else pairs.lt[i] for i in rows]
            en = [pairs.en[i] for i in rows]
            again = as_asked([prompt + text for text in en[:: options.english]], chance)
            yield Batch("translation", [prompt + t for t in lt], [prompt + t for t in en], again, [])
        elif kind == "passage":
            rows = draw.choice(len(asked.passage_lt), options.batch // 4, replace=False).tolist()
            lt = [PROMPTS[1] + asked.passage_lt[i] for i in rows]
            en = [PROMPTS[1] + asked.passage_en[i] for i in rows]
            again = as_asked(en[:: options.english], chance)
            yield Batch("passage", lt, en, again, [PROMPTS[0] + asked.question_en[i] for i in rows])
        else:
            rows = draw.choice(len(asked.question_lt), options.batch // 2, replace=False).tolist()
            spoken = [(asked.question_lt if chance.random() < 0.6 else asked.question_en)[i] for i in rows]
            en = [PROMPTS[1] + asked.passage_en[i] for i in rows]
            english = [PROMPTS[0] + asked.question_en[i] for i in rows]
            yield Batch("question", [PROMPTS[0] + text for text in spoken], en, [], english)


def loss_of(
    batch: Batch, teacher: Teacher, student: Student, others: Tensor, options: argparse.Namespace
) -> tuple[Tensor, Tensor]:
    """The loss, and the teacher's vectors to remember."""
    goal = teacher(batch.teacher)
    found = student(batch.student)
    loss = contrast(found.vectors, goal.vectors, others, both_ways=batch.kind != "question")
    if batch.asked:
        asked = teacher(batch.asked)
        like = interaction(asked, goal)
        if batch.kind == "question":
            return options.question_weight * (loss + like_the_teacher(found, goal, like)), goal.vectors
        answers = contrast(found.vectors, asked.vectors) + like_the_teacher(asked, found, like)
        loss = loss + options.question_weight * answers
    like = interaction(goal, goal)
    loss = loss + like_the_teacher(found, goal, like) + like_the_teacher(goal, found, like)
    loss = loss + PULL * ((found.vectors - goal.vectors) ** 2).sum(1).mean()
    # English as it is asked: each stays where the teacher has it, word by word, and finds the texts of the batch in either language.
    kept, some = student(batch.english), slice(None, None, options.english)
    there = goal[some] if batch.english == batch.teacher[some] else teacher(batch.english)
    loss = loss + PULL * ((kept.vectors - there.vectors) ** 2).sum(1).mean() + WORDS * apart_by_word(kept, there)
    like = interaction(there, goal)
    loss = loss + like_the_teacher(kept, goal, like, options.english)
    loss = loss + like_the_teacher(kept, found, like, options.english)
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
    parser.add_argument("--english", type=int, default=2, help="every so many-th English text is taught too")
    parser.add_argument(
        "--mix", type=float, nargs=3, default=(0.72, 0.15, 0.13), help="translations, passages, questions"
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
    """One worker; the first also keeps the checkpoints and says how it goes."""
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
    own_pieces = Pieces(options.work / options.start, options.longest, english + [pairs.lt[i] for i in some])
    teacher = Teacher(options.work, options.longest, english, device)
    student = Student(options.work / options.start, own_pieces, device)
    had = options.work / options.start / PROJECTION
    own = load_file(had)["projection"].float().to(device) if had.is_file() else None
    student.projection = torch.nn.Parameter(first_projection(student, teacher, english[:1000], own))
    student.model.train()
    pieces = student.model.embeddings.word_embeddings.weight
    everything = [*student.model.parameters(), student.projection]
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
        student.projection.data = state["projection"]
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
        loss, goals = loss_of(batch, teacher, student, memory.vectors, options)
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
            state = {"model": student.model.state_dict(), "projection": student.projection.data}
            state["optimiser"] = optimiser.state_dict()
            torch.save({**state, "spent": spent, "step": step, "seen": seen}, saved.with_suffix(".new"))
            saved.with_suffix(".new").replace(saved)
            write(options.work / options.start, student, out)
    if options.workers > 1:
        while met < int(budget / MEETING):  # one that was slow at the end still owes the others a meeting
            met += 1
            take_the_mean(everything, options.workers)
        total = torch.tensor([step, seen])
        dist.all_reduce(total)
        step, seen = total.tolist()
    if first:
        write(options.work / options.start, student, out)
        print(json.dumps({"minutes": round(spent / 60, 1), "step": step, "seen": seen, "done": True}), flush=True)


def write(start: Path, student: Student, folder: Path) -> None:
    """The student as a sentence-transformers folder: that of the start with other weights, whole at every moment."""
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(start, new)
    student.model.save_pretrained(new)
    save_file({"projection": student.projection.detach().cpu().contiguous()}, new / PROJECTION)
    shutil.rmtree(folder, ignore_errors=True)
    new.replace(folder)


if __name__ == "__main__":
    main()
