"""
How well a reader judges what the search finds, on the bundles kept for judging, beside the search alone.

    python training/reader/evaluate.py WORK FOLDER [--most 300]

Three rows: the search alone, the reader by the texts alone, the reader with the search's features. Of the answerable questions:
a right passage first, and among three; the first passage's best sentence answers; of the best right passage the best sentence
answers; F1 of the short answer there against the shortest answer, by pieces, which have neither case nor diacritics. Of all: the area
under the curve of "can be answered" by the best passage's logit or score, and which share of the answerable and of the
unanswerable is refused at the threshold where both are served best.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clusterqa.readers import Reader
from clusterqa.records import Reading
from data import Asked, Shard

WAYS = ("search", "texts", "both")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way made of one question; None where the question does not ask for it."""

    kind: str
    direction: str
    answerable: bool
    best: float
    by_text: float
    """The best passage's logit by the texts alone; the search's score where there is no reader."""
    first: bool
    three: bool
    sentence: bool
    within: bool | None
    short: float | None


def outcomes(shard: Shard, question: Asked, reader: Reader, ways: Sequence[str] = WAYS) -> dict[str, Outcome]:
    assert question.features is not None
    rows = shard.piece_rows(question.text)
    passages = [shard.read(passage) for passage in question.candidates]
    asked = (shard.states[rows], shard.ids[rows], passages)
    found = {}
    for way in ways:
        if way == "search":
            scores = question.features.passages[:, 0].tolist()
            by_search = [line[:, 0].tolist() for line in question.features.sentences]
            found[way] = _outcome(shard, question, scores, by_search, None)
        else:
            read = reader.read(*asked, question.features if way == "both" else None)
            found[way] = _outcome(shard, question, [r.answers for r in read], [r.sentences for r in read], read)
    return found


def _outcome(
    shard: Shard,
    question: Asked,
    scores: Sequence[float],
    sentences: Sequence[Sequence[float]],
    readings: Sequence[Reading] | None,
) -> Outcome:
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    right = [question.candidates[i] in question.answers for i in order]
    best_sentence = [int(np.argmax(sentences[i])) in question.answers.get(question.candidates[i], ()) for i in order]
    found = next((i for i in range(len(order)) if right[i]), None)
    short = None
    if readings is not None and found is not None:
        passage = question.candidates[order[found]]
        span = shard.span(question, passage)
        if span is not None:
            ids = shard.read(passage).ids
            said = readings[order[found]].short
            short = _f1(ids[said.start : said.end].tolist(), ids[span[0] : span[1] + 1].tolist())
    return Outcome(
        question.kind,
        _direction(shard, question),
        question.answerable,
        max(scores),
        max(read.by_text for read in readings) if readings is not None else max(scores),
        right[0],
        any(right[:3]),
        right[0] and best_sentence[0],
        best_sentence[found] if found is not None else None,
        short,
    )


def _direction(shard: Shard, question: Asked) -> str:
    """ "lt→en": from the question's language to that of the documents that answer, its own where both do."""
    told = {shard.passages[passage]["language"] for passage in question.answers}
    if not told:
        return ""
    return f"{question.language}→{question.language if question.language in told else told.pop()}"


def _f1(said: Sequence[int], meant: Sequence[int]) -> float:
    common = sum((Counter(said) & Counter(meant)).values())
    return 2 * common / (len(said) + len(meant)) if common else 0.0


def measures(found: Sequence[Outcome]) -> dict[str, float]:
    yes, no = ([line for line in found if line.answerable == answerable] for answerable in (True, False))
    within = [line.within for line in yes if line.within is not None]
    shorts = [line.short for line in yes if line.short is not None]
    result = {
        "answerable": len(yes),
        "unanswerable": len(no),
        "first": _percent([line.first for line in yes]),
        "three": _percent([line.three for line in yes]),
        "sentence": _percent([line.sentence for line in yes]),
        "sentence in the right passage": _percent(within),
    }
    if shorts:
        result["short F1"] = _percent(shorts)
    if yes and no:
        good, bad = (np.array([line.best for line in part]) for part in (yes, no))
        result["area"] = _area(good, bad)
        result["area by texts"] = _area(*(np.array([line.by_text for line in part]) for part in (yes, no)))
        refused = max(np.concatenate([good, bad]), key=lambda at: (bad < at).mean() - (good < at).mean())
        result["threshold"] = float(refused)
        result["answerable refused"] = 100 * float((good < refused).mean())
        result["unanswerable refused"] = 100 * float((bad < refused).mean())
    return result


def _area(good: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
    return float((good[:, None] > bad[None]).mean() + 0.5 * (good[:, None] == bad[None]).mean())


def _percent(values: Sequence[float]) -> float:
    return 100 * float(np.mean(values)) if values else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("reader", type=Path)
    parser.add_argument("--most", type=int, help="questions looked at, evenly spread")
    parser.add_argument("--ways", default=",".join(WAYS), help="some of " + ", ".join(WAYS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, help="write the measures as JSON too")
    options = parser.parse_args()
    reader = Reader.load(options.reader, options.threads)
    shards = [Shard.load(path) for path in sorted((options.work / "data").glob("development-*.npz"))]
    asked = [(s, q) for s in shards for q in s.questions if q.reading == "conversation" and q.features is not None]
    if options.most:
        asked = [asked[int(i)] for i in np.linspace(0, len(asked) - 1, options.most)]
    ways = options.ways.split(",")
    found: dict[str, list[Outcome]] = defaultdict(list)
    for shard, question in asked:
        for way, outcome in outcomes(shard, question, reader, ways).items():
            found[way].append(outcome)
    table = {}
    for way in ways:
        table[way] = measures(found[way])
        print(way, {name: round(value, 3 if "area" in name else 1) for name, value in table[way].items()})
    if options.output:
        parts = {
            name: {
                part: {way: measures([line for line in found[way] if getattr(line, name) == part]) for way in ways}
                for part in sorted({getattr(line, name) for line in found[ways[0]]} - {""})
            }
            for name in ("kind", "direction")
        }
        options.output.write_text(json.dumps({"all": table, **parts}, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
