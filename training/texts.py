"""
What the encoder learns from: parallel text, question–passage pairs, the glossary, the corpus; nothing without a licence.

The parallel text is a gzipped table (en, lt, source, licence, domain), the questions a gzipped table (question_en,
question_lt, passage_en, passage_lt, source, domain); `training/README.md` says where they come from.
"""

from __future__ import annotations

import csv
import gzip
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

csv.field_size_limit(sys.maxsize)

WITHOUT_LICENCE = "none stated"
"""How the licence column begins where the publisher says nothing; such pairs are left out."""

WEIGHTS = {
    # Chance of a pair relative to one of general prose. Software help is over half of the table, so it counts least;
    # strings of programs are terse and say little about sentences.
    "business": 0.25, "software": 0.5, "web": 0.7, "games": 0.6, "education-tech": 0.5, "software-help": 0.6,
    "public-procurement": 1.0, "public-administration": 2.0, "law": 2.0, "education": 1.0, "business-web": 1.5,
    "product-manuals": 0.8, "everyday": 4.0, "health": 2.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pairs:
    """Translations and how likely each is to be drawn (sums to one)."""

    en: list[str]
    lt: list[str]
    weight: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions with the passage that answers them, each in both languages."""

    question_en: list[str]
    question_lt: list[str]
    passage_en: list[str]
    passage_lt: list[str]


def parallel(path: Path, glossary: Path | None = None) -> Pairs:
    """The licensed pairs, sentence-like ones preferred; glossary terms (en, lt in the first columns) weigh 3."""
    en: list[str] = []
    lt: list[str] = []
    weight: list[float] = []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if (row["licence"] or WITHOUT_LICENCE).startswith(WITHOUT_LICENCE):
                continue
            en.append(row["en"])
            lt.append(row["lt"])
            weight.append(WEIGHTS.get(row["domain"], 1.0) * _by_length(len(row["lt"])))
    if glossary:
        with glossary.open(encoding="utf-8", newline="") as file:
            for cells in list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]:
                if len(cells) > 1 and cells[0] and cells[1]:
                    en.append(cells[0])
                    lt.append(cells[1])
                    weight.append(3.0)
    share = np.array(weight)
    return Pairs(en, lt, share / share.sum())


def _by_length(characters: int) -> float:
    """Words alone say little and long paragraphs cost much: full weight from 30 to 120 characters."""
    return 0.25 if characters < 15 else 0.6 if characters < 30 else 1.0 if characters < 120 else 0.3


def questions(path: Path) -> Questions:
    """The question–passage pairs, in the file's order."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return Questions(
        [row["question_en"] for row in rows],
        [row["question_lt"] for row in rows],
        [row["passage_en"] for row in rows],
        [row["passage_lt"] for row in rows],
    )
