"""
What the encoder learns from: parallel text, question–passage pairs, glossary, dictionaries, the corpus; nothing without a licence.

The parallel text is a gzipped table (en, lt, source, licence, domain), the questions a gzipped table (question_en,
question_lt, passage_en, passage_lt, source, domain); `training/README.md` says where they come from.
"""

from __future__ import annotations

import csv
import gzip
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clusterqa import documents
from clusterqa.passages import sentence_texts, split

csv.field_size_limit(sys.maxsize)

WITHOUT_LICENCE = "none stated"
"""How the licence column begins where the publisher says nothing; such pairs are left out."""

WEIGHTS = {
    # Chance of a pair relative to one of general prose. Software help is over half of the table, so it counts least;
    # strings of programs are terse and say little about sentences; games tell stories.
    "business": 0.12, "software": 0.35, "web": 0.6, "games": 1.2, "education-tech": 0.5, "software-help": 0.6,
    "public-procurement": 1.0, "public-administration": 2.0, "law": 2.0, "education": 1.0, "business-web": 1.5,
    "product-manuals": 0.8, "everyday": 6.0, "health": 2.0,
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


GLOSSARY_WEIGHT, CORPUS_WEIGHT, DICTIONARY_WEIGHT = 3.0, 2.0, 0.3
LINES = 100_000
"""Lines made of the dictionaries' words."""


def parallel(
    path: Path, glossary: Path | None = None, dictionaries: Path | None = None, corpus: Path | None = None
) -> Pairs:
    """
    The licensed pairs, sentence-like ones preferred; with terms of a glossary (en, lt in the first columns), words of
    FreeDict's dictionaries in a folder (`word_lines`), and the translated sentences and passages of a corpus.
    """
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
    for more, each in (
        (_terms(glossary) if glossary else (), GLOSSARY_WEIGHT),
        (word_lines(_words(dictionaries), LINES) if dictionaries else (), DICTIONARY_WEIGHT),
        (translated(corpus) if corpus else (), CORPUS_WEIGHT),
    ):
        for english, lithuanian in more:
            en.append(english)
            lt.append(lithuanian)
            weight.append(each)
    share = np.array(weight)
    return Pairs(en, lt, share / share.sum())


def _terms(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        for cells in list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]:
            if len(cells) > 1 and cells[0] and cells[1]:
                yield cells[0], cells[1]


def _words(folder: Path) -> list[tuple[str, str]]:
    """The pairs of both directions of FreeDict (Debian's dict-freedict-eng-lit and -lit-eng), English first."""
    with gzip.open(folder / "freedict-eng-lit.dict.dz", "rt", encoding="utf-8") as file:
        pairs = list(entries(file.read()))
    with gzip.open(folder / "freedict-lit-eng.dict.dz", "rt", encoding="utf-8") as file:
        pairs += [(english, lithuanian) for lithuanian, english in entries(file.read())]
    return list(dict.fromkeys(pairs))


def word_lines(pairs: list[tuple[str, str]], count: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """
    Lines of one to three words, in the same order in both languages: ("squirrel, drunk", "voverės, girtam").

    Words are drawn by how common they are in English, a Lithuanian word's form (a dictionary has "namas", a text
    "namuose") by how common that is; frequencies of wordfreq (Speer 2022).
    """
    from wordfreq import zipf_frequency

    def common(text: str, language: str) -> float:
        """From 0, once in a hundred million words, to 1, once in a hundred thousand or more."""
        return min(max((zipf_frequency(text, language) - 1) / 3, 0.0), 1.0)

    draw = np.random.default_rng(seed)
    forms = inflected({lithuanian for _, lithuanian in pairs})
    for _, lithuanian in pairs:
        forms.setdefault(lithuanian, [lithuanian])
    # A word as the dictionary has it may always come, another form only when people write it.
    shares = {word: np.array([0.05] + [common(form, "lt") for form in known[1:]]) for word, known in forms.items()}
    for word, share in shares.items():
        share[0] += common(word, "lt")
    weight = np.array([(0.02 + common(en, "en")) * shares[lt].max() for en, lt in pairs])
    drawn = iter(draw.choice(len(pairs), 3 * count, p=weight / weight.sum()).tolist())
    for _ in range(count):
        ones: list[str] = []
        others: list[str] = []
        for _ in range(draw.integers(1, 4)):
            one, word = pairs[next(drawn)]
            share = shares[word]
            ones.append(one)
            others.append(forms[word][draw.choice(len(share), p=share / share.sum())])
        yield ", ".join(ones), ", ".join(others)


def inflected(words: set[str]) -> dict[str, list[str]]:
    """Word → its forms, itself first, for those aspell's Lithuanian dictionary knows; without prefixes, which change the meaning."""
    try:
        listed = subprocess.run(["aspell", "-d", "lt", "dump", "master"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            f"aspell has no Lithuanian dictionary ({error}). On Debian: apt-get install aspell-lt"
        ) from error
    wanted = "\n".join(line for line in listed.stdout.splitlines() if line.partition("/")[0] in words)
    told = subprocess.run(
        ["aspell", "-l", "lt", "expand", "1"], input=wanted, capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = {}
    for line in told.stdout.splitlines():
        word, *others = line.split()
        alike = [form for form in others if form.startswith(word[:3]) and len(form) <= len(word) + 4]
        found[word] = list(dict.fromkeys([word, *alike]))
    return found


_HEADWORD = re.compile(r"(?P<word>[^/<>{}]+?) /[^/]*/(?: <[^>]*>)?")


def entries(text: str, senses: int = 3, alternatives: int = 2) -> Iterator[tuple[str, str]]:
    """
    (Headword, translation) of a dictionary in the text form of dictd: a line with the headword and its pronunciation,
    then a line for each sense. Remarks in brackets go, a prefix in brackets stays: "(su)mažėti" is "sumažėti".
    """
    word, sense = "", 0
    for line in text.splitlines():
        heading = _HEADWORD.fullmatch(line)
        if heading:
            word, sense = heading["word"], 0
        elif word and line and not line.startswith(" ") and sense < senses:
            sense += 1
            gloss = re.sub(r"(?:^|(?<=[\s(,]))\([^()]*\)(?=[\s,]|$)", "", line.partition(". ")[2] or line)
            gloss = re.sub(r"\[[^\]]*\]|[()]", "", gloss)
            for one in gloss.split(",")[:alternatives]:
                if one.strip():
                    yield word, " ".join(one.split())


def translated(corpus: Path) -> Iterator[tuple[str, str]]:
    """
    Passages, and their sentences, that stand at the same place of both languages' documents (NAME.en.*, NAME.lt.*).

    Only where the two documents are cut into equally many passages, and a passage into equally many sentences.
    """
    named = dict(documents.list_files(corpus))
    for name, path in sorted(named.items()):
        other = name.replace(".en.", ".lt.")
        if other == name or other not in named:
            continue
        english, lithuanian = split(documents.read(path, name)), split(documents.read(named[other], other))
        if len(english) != len(lithuanian):
            continue
        for here, there in zip(english, lithuanian, strict=True):
            yield here.text, there.text
            if len(here.sentences) == len(there.sentences) > 1:
                yield from zip(sentence_texts(here), sentence_texts(there), strict=True)


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
