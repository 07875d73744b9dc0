"""
How good an encoder is by itself, on work that others are measured on and on our own questions.

    python evaluation/encoders/evaluate.py FOLDER… --tatoeba tatoeba-eval.tsv --data DATA [--split held]

* Tatoeba lit-eng (1,000 pairs): the nearest English sentence to each Lithuanian one and back; the F1 that MTEB reports
  for bitext mining (weighted over the sentences), so the figures can be compared with published ones.
* Our questions: dense search alone over the passages of an index (DATA, made by `clusterqa index`), recall@5 in each
  direction, where a passage counts when it overlaps a quote that answers the question. Asked as typed and without
  diacritics. An encoder with token embeddings is measured twice: by whole texts, and token by token.

A FOLDER is a sentence-transformers folder or a hub name; its own prompts are used.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.evaluation.measures import overlaps
from clusterqa.evaluation.sets import Item, read_set, spans
from clusterqa.passages import passage_texts, split
from clusterqa.records import LANGUAGES, Encoded, Language, Span, TokenStates, as_bytes
from clusterqa.retrieval.late_interaction import SAMPLED, AskedTokens, TokenBlock
from clusterqa.retrieval.profile import Profile
from clusterqa.settings import Settings
from clusterqa.store import open_store
from clusterqa.text.analysis import fold, searchable

QUESTIONS = Path(__file__).parent.parent / "questions.jsonl"


def bitext(encoder: SentenceEncoder, path: Path, limit: int | None = None) -> dict[str, float]:
    """F1 of mining both ways, in hundredths. The file: a heading, then English and Lithuanian, a tab between."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:limit]
    vectors = {name: encoder.encode_queries([row[name] for row in rows]) for name in LANGUAGES}
    cosines = vectors["lt"] @ vectors["en"].T
    gold = np.arange(len(rows))
    return {
        "lt→en": 100 * float(f1_score(gold, cosines.argmax(axis=1), average="weighted")),
        "en→lt": 100 * float(f1_score(gold, cosines.argmax(axis=0), average="weighted")),
    }


def retrieval(encoder: SentenceEncoder, items: list[Item], data: Path, k: int = 5) -> dict[str, tuple[float, int]]:
    """Direction → recall@k in hundredths and the number of questions; history is put before the question."""
    settings = Settings(data=data)
    texts: list[str] = []
    places: list[tuple[str, Language, Span]] = []
    with open_store(settings.home) as store:
        for stored in store.documents():
            document = store.read(stored.id)
            assert document is not None
            for passage in split(document, settings.passage_chars):
                texts.append(passage_texts(document.title, passage).whole)
                places.append((stored.id, stored.language, Span(passage.start, passage.end)))
        golds = [spans(item, store) for item in items]
    passages = encoder.read_passages(texts)
    whole = np.stack([passage.vector for passage in passages])
    asked = [searchable(" ".join([*item.history, item.question])) for item in items]
    result: dict[str, tuple[float, int]] = {}
    for kind, questions in (("", asked), (" folded", [fold(text) for text in asked])):
        read = [encoder.read_query(question) for question in questions]
        ways = {"": np.stack([question.vector for question in read]) @ whole.T}
        if len(passages[0].states):
            ways[" by tokens"] = _by_tokens(read, passages, [language for _, language, _ in places])
        for way, cosines in ways.items():
            for spoken in LANGUAGES:
                for target in LANGUAGES:
                    found = _recall(cosines, items, golds, places, spoken, target, k)
                    result[f"{spoken}→{target}{way}{kind}"] = (100 * float(np.mean(found)), len(found))
    return result


def _by_tokens(questions: list[Encoded], passages: list[Encoded], languages: list[Language]) -> NDArray[np.float32]:
    """Scores of late interaction, (questions, passages), as search works them out."""
    stored = [
        TokenStates(as_bytes(p.states), p.ids, np.array([own[0], own[-1] + 1], dtype=np.int32))
        for p in passages
        for own in [np.flatnonzero(p.ends)]
    ]
    samples: dict[Language, TokenBlock] = {}
    for language in set(languages):
        own = [place for place, one in enumerate(languages) if one == language]
        chosen = np.linspace(0, len(own) - 1, min(SAMPLED, len(own))).astype(int).tolist()
        samples[language] = TokenBlock([stored[own[place]] for place in chosen])
    weights = Profile.bundled().search
    prior = (weights.common_token_prior, weights.prior_passages)
    everything = TokenBlock(stored)
    asked = [AskedTokens(question, samples, prior) for question in questions]
    return np.stack([one.scores(everything).passages for one in asked])


def _recall(
    cosines: NDArray[np.float32], items: list[Item], golds: list[dict[str, list[tuple[int, int]]]],
    places: list[tuple[str, Language, Span]], spoken: str, target: str, k: int,
) -> list[bool]:  # fmt: skip
    within = np.array([language == target for _, language, _ in places])
    found = []
    for row, item, gold in zip(cosines, items, golds, strict=True):
        if item.language != spoken:
            continue
        right = [
            place
            for place, (document, language, span) in enumerate(places)
            if language == target and any(overlaps((span.start, span.end), quote) for quote in gold.get(document, []))
        ]
        if right:
            best = np.argsort(-np.where(within, row, -2.0), kind="stable")[:k]
            found.append(bool(set(best.tolist()) & set(right)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="+", metavar="FOLDER")
    parser.add_argument("--tatoeba", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    parser.add_argument("--split", choices=["fit", "held"], default="fit")
    parser.add_argument("--precision", choices=["float32", "int8"], default="float32")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    for name in options.encoders:
        encoder = SentenceEncoder.load(name, options.threads, options.precision)
        result: dict[str, object] = {"encoder": encoder.fingerprint}
        if options.tatoeba:
            result["tatoeba"] = {key: round(value, 1) for key, value in bitext(encoder, options.tatoeba).items()}
        if options.data:
            items = [item for item in read_set(options.questions) if item.split == options.split and item.answers]
            found = retrieval(encoder, items, options.data)
            result["recall@5"] = {key: [round(value, 1), count] for key, (value, count) in found.items()}
        print(json.dumps(result, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
