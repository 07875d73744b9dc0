"""
Teaching the reader, on the passages that the product's own search finds.

    python training/reader/train.py WORK START OUT --minutes 60 --workers 2

`START` is a folder with a reader as `model.py` saves it (`start.py` makes an untaught one). A question is drawn with some of its candidates: what answers,
what tempts, and of the rest more often those that the reader took for answers when it last saw them. Losses: a softmax over the
passages with a logit of 0 for "none of these", so that knowing whether anything answers is learnt with the ranking; the same over all
their sentences, and without "none" over those of each passage that answers; both also as yes or no; first and last piece of the shortest answer among those of its sentence.

First the reader's own logits and the search's features are mixed by logistic regression: so it begins where the search stands.
Every passage is judged a second time without the features, for what the texts alone say. A worker is a process with one thread; once a
minute all take the mean of their weights, and one writes them down with the state of its optimiser: the same command goes on from
there. Files that `prepare.py` has finished meanwhile are taken up then too.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
import torch.nn.functional as F
from model import Logits, Model
from numpy.typing import NDArray
from torch import Tensor

from data import CANDIDATES, Asked, Batch, Pair, Shard, batch

GROUP, ENGLISH_GROUP = 5, 4
"""Passages drawn for a question."""
QUESTIONS = 6
"""In a step."""
ENGLISH = 0.15
"""Share of the questions that come from the English sets."""
BY_TEXTS = 0.5
"""What the judgement without the features of the search counts beside that with them."""
WEIGHTS = {"passages": 1.0, "passage": 1.0, "sentences": 1.0, "sentence": 2.0, "within": 1.0, "edges": 0.5}
MIXED_ON = 250
"""Questions that search and reader are mixed on before anything is learnt."""
WARM_UP = 60


class Questions:
    """The questions of all files, drawn one after the other in a new order each time round."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.shards: dict[str, Shard] = {}
        self._left: dict[bool, list[tuple[Shard, Asked]]] = {True: [], False: []}
        self._seen: dict[int, NDArray[np.float64]] = {}
        """By `id` of a question, which lives as long as its shard; a set may ask the same words of one document twice."""

    def take_up(self, folder: Path) -> None:
        """Load what is new; never what is kept for judging."""
        for path in sorted(folder.glob("*.npz")):
            if path.stem not in self.shards and not path.stem.startswith("development"):
                self.shards[path.stem] = Shard.load(path)

    def draw(self) -> tuple[Shard, Asked]:
        has_english = any(name.startswith("english") for name in self.shards)
        english = has_english and self.random.random() < ENGLISH
        left = self._left[english]
        if not left:
            left += [
                (shard, question)
                for shard in self.shards.values()
                if shard.name.startswith("english") == english
                for question in shard.questions
                if bool(question.answers) == question.answerable
            ]
            self.random.shuffle(left)
        return left.pop()

    def group(self, shard: Shard, question: Asked) -> list[Pair]:
        """What answers, what tempts, and others."""
        size = GROUP if question.features is not None else ENGLISH_GROUP
        place = {passage: number for number, passage in enumerate(question.candidates)}
        right = sorted(question.answers, key=lambda passage: place.get(passage, CANDIDATES))
        tempting = [passage for passage in question.tempting if passage not in question.answers]
        passages = [*right[:1], *tempting[: 1 if right else 2]]
        others = [number for passage, number in place.items() if passage not in {*right, *passages}]
        wanted = min(size - len(passages), len(others))
        if wanted > 0:
            likely = np.exp(np.clip(self._last(question)[others], -6, 6)) + 0.05
            chosen = self.random.choice(others, wanted, replace=False, p=likely / likely.sum())
            passages += [question.candidates[number] for number in chosen]
        return [Pair(shard, question, passage, place.get(passage, -1)) for passage in passages]

    def _last(self, question: Asked) -> NDArray[np.float64]:
        unseen = -0.3 * np.arange(len(question.candidates), dtype=np.float64)
        return self._seen.setdefault(id(question), unseen)

    def remember(self, pairs: Sequence[Pair], logits: Sequence[float]) -> None:
        for pair, logit in zip(pairs, logits, strict=True):
            if pair.candidate >= 0:
                self._last(pair.question)[pair.candidate] = logit


def losses(logits: Logits, read: Batch) -> dict[str, Tensor]:
    """The parts of the loss, each a mean over what it is about."""
    found: dict[str, list[Tensor]] = defaultdict(list)
    groups: dict[int, list[int]] = defaultdict(list)
    for number, pair in enumerate(read.pairs):
        groups[id(pair.question)].append(number)
    right = torch.tensor([float(pair.passage in pair.question.answers) for pair in read.pairs])
    found["passage"].append(F.binary_cross_entropy_with_logits(logits.passages, right))
    for numbers in groups.values():
        question = read.pairs[numbers[0]].question
        found["passages"].append(_among(logits.passages[numbers], right[numbers] > 0))
        rows, hit = [], []
        for number in numbers:
            pair, first = read.pairs[number], int(read.sentences[number])
            count = pair.shard.passages[pair.passage]["sentences"]
            answering = question.answers.get(pair.passage, [])
            own = list(range(first, first + count))
            answers = [place in answering for place in range(count)]
            if any(answers) and count > 1:
                found["within"].append(_among(logits.sentences[own], torch.tensor(answers), none=False))
            rows += own
            hit += answers
        if any(hit) or not question.answerable:
            of_sentences, is_right = logits.sentences[rows], torch.tensor(hit)
            found["sentences"].append(_among(of_sentences, is_right))
            found["sentence"].append(F.binary_cross_entropy_with_logits(of_sentences, is_right.float()))
        for number in numbers:
            pair = read.pairs[number]
            span = pair.shard.span(question, pair.passage)
            if span is not None:
                begin = int(read.told[number])
                rows = torch.where(read.sentence == read.sentence[begin + span[0]])[0]
                last = min(begin + span[1], int(rows[-1]))
                meant = torch.tensor([begin + span[0] - int(rows[0]), last - int(rows[0])])
                found["edges"].append(F.cross_entropy(logits.edges[rows].T, meant, reduction="sum"))
    return {name: torch.stack(parts).mean() for name, parts in found.items() if parts}


def blind(logits: Logits) -> Logits:
    """The judgement by the texts alone in the place of the other."""
    passages, sentences = logits.by_texts
    return replace(logits, passages=passages, sentences=sentences)


def weighed(parts: dict[str, Tensor]) -> Tensor:
    return torch.stack([WEIGHTS[name] * part for name, part in parts.items()]).sum()


def _among(logits: Tensor, right: Tensor, none: bool = True) -> Tensor:
    """
    Cross-entropy of what is right among all; with `none` among them and a "none of these" of logit 0, which is right when
    nothing else is.
    """
    everything = torch.logsumexp(torch.cat([logits.new_zeros(1), logits]) if none else logits, 0)
    return everything - (torch.logsumexp(logits[right], 0) if right.any() else 0.0)


@torch.no_grad()
def mix(model: Model, questions: Questions) -> None:
    """Set the straight paths of the search's features, and what the reader's own logit counts, by logistic regression."""
    passages, sentences = [], []
    for shard in questions.shards.values():
        for question in shard.questions:
            if question.features is not None:
                passages.append(question.features.passages)
                sentences.append(np.concatenate(question.features.sentences))
    for name, rows in (
        ("passage_features", np.concatenate(passages)),
        ("sentence_features", np.concatenate(sentences)),
    ):
        getattr(model, f"{name}_mean").copy_(torch.from_numpy(rows.mean(0)))
        getattr(model, f"{name}_scale").copy_(torch.from_numpy(np.maximum(rows.std(0), 1e-3)))
    model.eval()
    drawn: list[tuple[Batch, Logits]] = []
    while len(drawn) < MIXED_ON:
        shard, question = questions.draw()
        if question.features is None:
            continue
        pairs = [Pair(shard, question, passage, place) for place, passage in enumerate(question.candidates)]
        read = batch(pairs)
        drawn.append((read, model(read)))
    for name, head in (("passages", model.passage), ("sentences", model.sentence)):
        kind = name[:-1]
        mean, scale = getattr(model, f"{kind}_features_mean"), getattr(model, f"{kind}_features_scale")
        cases = [
            ((getattr(read, f"{kind}_features") - mean) / scale, getattr(logits, name), _right(read, name))
            for read, logits in drawn
        ]
        weights, before, after = _regression(cases)
        head.straight.weight.copy_(weights[None, :-2])
        head.logit.weight.mul_(weights[-2])
        head.logit.bias.copy_(head.logit.bias * weights[-2] + weights[-1])
        print(f"mixed: {name} {before:.3f} to {after:.3f}", [round(float(w), 2) for w in weights], flush=True)


def _regression(cases: Sequence[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, float, float]:
    """
    For groups of features (n, features), own logits (n,) and which are right: the weights of the features, of the logit, and
    what is added; and the loss before and after.
    """
    weights = torch.zeros(cases[0][0].shape[1] + 2)
    weights[-2] = 1.0
    weights.requires_grad_(True)
    optimizer = torch.optim.LBFGS([weights], max_iter=60, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        with torch.enable_grad():
            optimizer.zero_grad()
            parts = []
            for features, own, right in cases:
                mixed = features @ weights[:-2] + weights[-2] * own + weights[-1]
                parts.append(_among(mixed, right) + F.binary_cross_entropy_with_logits(mixed, right.float()))
            loss = torch.stack(parts).mean() + 0.003 * weights[:-2].square().sum()
            loss.backward()
        return loss

    before = float(step())
    optimizer.step(step)
    return weights.detach(), before, float(step())


def _right(read: Batch, name: str) -> Tensor:
    if name == "passages":
        return torch.tensor([pair.passage in pair.question.answers for pair in read.pairs])
    hit = torch.zeros(len(read.owner), dtype=torch.bool)
    for number, pair in enumerate(read.pairs):
        for place in pair.question.answers.get(pair.passage, ()):
            hit[int(read.sentences[number]) + place] = True
    return hit


def work(rank: int, options: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(options.seed + rank)
    if rank:
        os.nice(options.nice)
    if options.workers > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", str(options.port))
        dist.init_process_group("gloo", rank=rank, world_size=options.workers)
    questions = Questions(options.seed + 1000 * rank + int(time.time()))
    questions.take_up(options.work / "data")
    checkpoint = options.out / "checkpoint.pt"
    known = torch.load(checkpoint) if checkpoint.exists() else None
    model = Model.load(options.out / "latest" if known else options.start, options.dropout)
    if known is None and not options.no_mix:
        if rank == 0:
            mix(model, questions)
        if options.workers > 1:
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, 0)
    model.train()
    kinds = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in kinds if p.dim() > 1], "weight_decay": 0.01},
            {"params": [p for p in kinds if p.dim() <= 1], "weight_decay": 0.0},
        ],
        lr=options.rate,
        betas=(0.9, 0.98),
    )
    spent, pairs_seen, step = 0.0, 0, 0
    if known:
        optimizer.load_state_dict(known["optimizer"])
        spent, pairs_seen = known["minutes"], known["pairs"] if rank == 0 else 0
    begin, meeting = time.monotonic(), 1.0
    sums: dict[str, float] = defaultdict(float)
    since = (0, 0, 0.0)
    done = False
    while not done:
        now = spent + (time.monotonic() - begin) / 60
        for group in optimizer.param_groups:
            left = max(0.0, 1 - now / options.minutes)
            group["lr"] = options.rate * min(1.0, (step + 1) / WARM_UP) * left
        read = batch([pair for _ in range(QUESTIONS) for pair in questions.group(*questions.draw())])
        logits = model(read)
        parts = losses(logits, read)
        loss = weighed(parts) + BY_TEXTS * weighed(losses(blind(logits), read))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        questions.remember(read.pairs, logits.passages.tolist())
        step += 1
        pairs_seen += len(read.pairs)
        for name, part in parts.items():
            sums[name] += float(part.detach())
        if (time.monotonic() - begin) / 60 < meeting:
            continue
        meeting += 1
        now = spent + (time.monotonic() - begin) / 60
        total = pairs_seen
        done = now >= options.minutes
        if options.workers > 1:
            facts = torch.tensor([float(pairs_seen), float(done)])
            dist.all_reduce(facts)
            total, done = int(facts[0]), bool(facts[1] > 0)
            for parameter in model.parameters():
                dist.all_reduce(parameter.data)
                parameter.data /= options.workers
        if rank == 0:
            steps = step - since[0]
            speed = (total - since[1]) / (60 * (now - since[2])) if since[1] else 0.0
            print(
                f"{now:.1f} min, {total} pairs, {speed:.0f} pairs/s, {len(questions.shards)} files,",
                {name: round(value / steps, 3) for name, value in sums.items()},
                flush=True,
            )
            since = (step, total, now)
            sums.clear()
            model.save(options.out / "latest", half=False)
            torch.save({"optimizer": optimizer.state_dict(), "minutes": now, "pairs": total}, options.out / "half.pt")
            (options.out / "half.pt").rename(checkpoint)
            if round(now) % options.every == 0:
                model.save(options.out / f"minute-{round(now):03}")
        questions.take_up(options.work / "data")
    if rank == 0:
        model.save(options.out / "final")
        print("done", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("start", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--nice", type=int, default=0, help="how far all workers but the first stand back")
    parser.add_argument("--every", type=int, default=10, help="minutes between weights that are kept")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=29517)
    parser.add_argument("--no-mix", action="store_true", help="the start has been mixed with the search before")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.workers > 1:
        multiprocessing.spawn(work, (options,), options.workers)
    else:
        work(0, options)


if __name__ == "__main__":
    main()
