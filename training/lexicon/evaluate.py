"""
Measure a lexicon: glossary terms, retrieval of Tatoeba sentences across languages, coverage.

    python training/lexicon/evaluate.py TABLE.tsv.gz --glossary glossary.tsv --tatoeba tatoeba.tsv --texts
    corpus/*.md

Build TABLE without the glossary if the figure for the glossary is to mean anything.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from build import read_glossary, term

from clusterqa.records import LANGUAGES, Language
from clusterqa.text.analysis import content_words, words
from clusterqa.text.lexicon import Lexicon


def glossary_accuracy(lexicon: Lexicon, path: Path, reading: Language) -> tuple[float, float, int]:
    """
    Share of the single-word terms whose first, and whose first three translations hold one that the glossary
    gives.
    """
    wanted: dict[str, set[str]] = {}
    for pair in read_glossary(path):
        here, there = (pair.lt, pair.en) if reading == "lt" else (pair.en, pair.lt)
        ours, theirs = content_words(here), content_words(there)
        if len(ours) == len(theirs) == 1:
            translation = term(theirs[0], "en" if reading == "lt" else "lt")
            if translation:
                wanted.setdefault(ours[0], set()).add(translation)
    found = [[entry in right for entry, _ in lexicon.translations(word)[:3]] for word, right in wanted.items()]
    return sum(any(hits[:1]) for hits in found) / len(found), sum(map(any, found)) / len(found), len(found)


def retrieval(lexicon: Lexicon, questions: Sequence[str], texts: Sequence[str], to: Language) -> float:
    """
    Share of the questions whose own text comes first of all `texts`, which are in language `to`.

    A text scores the probability that it holds each word of the question, as it stands or translated,
    weighted by the word's inverse document frequency and divided by the text's length (its own idf, square
    root). A tie counts as lost.
    """
    bags = [{key for word in content_words(text) if (key := term(word, to) or word)} for text in texts]
    frequency = Counter(key for bag in bags for key in bag)
    idf = {key: math.log(1 + len(texts) / count) for key, count in frequency.items()}
    holders: dict[str, list[int]] = {}
    for number, bag in enumerate(bags):
        for key in bag:
            holders.setdefault(key, []).append(number)
    lengths = [math.sqrt(sum(idf[key] for key in bag)) or 1.0 for bag in bags]
    right = 0
    for number, question in enumerate(questions):
        scores: dict[int, float] = {}
        for word in content_words(question):
            likely = {**dict(lexicon.translations(word)), (term(word, to) or word): 1.0}
            mass: dict[int, float] = {}
            for key, probability in likely.items():
                for holder in holders.get(key, ()):
                    mass[holder] = max(mass.get(holder, 0.0), probability * idf[key])
            for holder, weight in mass.items():
                scores[holder] = scores.get(holder, 0.0) + weight
        ranked = {text: score / lengths[text] for text, score in scores.items()}
        own = ranked.pop(number, 0.0)
        right += own > 0 and all(score < own for score in ranked.values())
    return right / len(questions)


def coverage(lexicon: Lexicon, texts: Sequence[str]) -> tuple[float, int]:
    """Share of the running content words, numbers left out, that have an entry; and how many there are."""
    running = [word for text in texts for word in words(text) if term(word, "en")]
    return sum(bool(lexicon.translations(word)) for word in running) / len(running), len(running)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a Lithuanian–English lexicon.")
    parser.add_argument("table", type=Path)
    parser.add_argument("--glossary", type=Path, help="TSV with the columns en, lt, note")
    parser.add_argument("--tatoeba", type=Path, help="TSV with the columns en, lt")
    parser.add_argument("--texts", type=Path, nargs="*", default=[], help="texts to measure the coverage of")
    options = parser.parse_args()

    started = time.perf_counter()
    lexicon = Lexicon.read(gzip.decompress(options.table.read_bytes()).decode("utf-8").splitlines())
    took = time.perf_counter() - started
    for language in LANGUAGES:
        print(f"{language}: {len(lexicon.terms[language]):,} terms, {len(lexicon.words[language]):,} words")
    print(f"{options.table.stat().st_size / 1e6:.2f} MB, read in {took:.3f} s")
    if options.glossary:
        for reading, name in zip(LANGUAGES, ("lt→en", "en→lt"), strict=True):
            first, three, count = glossary_accuracy(lexicon, options.glossary, reading)
            print(f"glossary {name}: first {first:.1%}, first three {three:.1%} of {count}")
    if options.tatoeba:
        with options.tatoeba.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        lt, en = [row["lt"] for row in rows], [row["en"] for row in rows]
        print(f"Tatoeba lt→en: {retrieval(lexicon, lt, en, 'en'):.1%} of {len(rows)} at rank 1")
        print(f"Tatoeba en→lt: {retrieval(lexicon, en, lt, 'lt'):.1%} of {len(rows)} at rank 1")
        for name, texts in (("Lithuanian", lt), ("English", en)):
            print("Tatoeba, {}: {:.1%} of {} content words have an entry".format(name, *coverage(lexicon, texts)))
    for name in ("lt", "en"):
        texts = [path.read_text(encoding="utf-8") for path in options.texts if path.name.endswith(f".{name}.md")]
        if texts:
            print("texts, {}: {:.1%} of {} content words have an entry".format(name, *coverage(lexicon, texts)))


if __name__ == "__main__":
    main()
