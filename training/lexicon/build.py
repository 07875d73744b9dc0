"""
Learn the Lithuanian–English translation lexicon of the lexical search channel from parallel sentences.

    files ─read─▶ Pair ─index─▶ Bitext ─candidates─▶ ─align─▶ Links ─select─▶ Tables ─write─▶ lt-en.tsv.gz

A sentence is the set of its content terms (`clusterqa.text.analysis.term_in`). IBM Model 1 (Brown et al. 1993) is
trained by EM in both directions at once over the term pairs that occur together more often than by chance;
in the last rounds the two directions must agree on each link (Liang, Taskar and Klein 2006), which helps
with what Model 1 gets wrong about rare words. Words whose own translations differ from those of their
stem then get an entry of their own: „galioja“ (is valid) shares its stem with „gali“ (can). One core, one
minute, the same bytes for the same input.

    python training/lexicon/build.py parallel.tsv.gz glossary.tsv --out src/clusterqa/lexicons/lt-en.tsv.gz
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy import sparse

from clusterqa.records import LANGUAGES, Language
from clusterqa.text.analysis import content_words, fold, is_stop_word, term_in
from clusterqa.text.lexicon import HEADER

COPYLEFT_OR_UNKNOWN = re.compile(r"^none stated|GPL|EUPL|CC-BY-SA", re.IGNORECASE)
"""What is shipped rests on text under CC-BY, MIT, Apache, BSD, ISC, MPL and CC0 only."""

DOMAIN_WEIGHT = {"business": 0.2, "education-tech": 0.6, "everyday": 10.0}
"""How much a pair counts (else 1). Most pairs are repetitive help texts of business software."""
GLOSSARY_WEIGHT = 30.0
"""A term of the glossary outweighs this many sentences that say otherwise."""

MAX_TERMS = 60
"""Longer sides are not sentences; their term pairs are mostly accidental."""
MIN_SEEN = 3
"""A term in fewer pairs is left out, unless the glossary has it."""
CANDIDATES = 40
"""Best candidates by Dice's coefficient that each term of either language brings in."""
MIN_LOG_LIKELIHOOD = 6.0
"""Dunning's G² that a candidate must reach: 3.84 is p = 0.05, 6.63 is p = 0.01."""
ROUNDS_ALONE, ROUNDS_AGREEING = 5, 5
SMOOTHING = 0.5
"""Expected links that go to no term: keeps the probabilities of rarely seen terms modest."""
MIN_PROBABILITY = 0.05
MIN_PROBABILITY_BACK = 0.003
"""The least share of the other term's links, so that frequent neighbours of a rare term stay out."""
KEEP = 5
"""Translations kept per term."""
MIN_WORD_SEEN = 2.0
"""Expected links (weighted) that a word needs for an entry of its own."""
STEM_WEIGHT = 3.0
"""How many links of a word's own the translations of its stem count as."""
DOUBT = 2.0
"""The same for words in doubt (`Side.in_doubt`), as a multiple of the links that the word has."""
MIN_DIFFERENCE = 0.25
"""
Total variation distance, in [0, 1], from the translations of its stem that makes a word's own entry worth its
place.
"""
MIN_LANGUAGE_SHARE = 0.02
"""
Entries are left out where fewer of the words behind them belong to the language, as with English product
names.
"""
MIN_LANGUAGE_SHARE_ITSELF = 0.5
"""The same for a term as its own translation."""


@dataclass(frozen=True, slots=True)
class Pair:
    """
    A Lithuanian and an English text that say the same; `weight` > 0 is how many plain pairs it counts as.
    """

    lt: str
    en: str
    weight: float = 1.0
    glossary: bool = False


def read_parallel(path: Path, sources: Counter[tuple[str, str]]) -> Iterator[Pair]:
    """
    Pairs under a permissive licence that their source does not call machine-translated.

    `sources` counts them by (source, licence).
    """
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if COPYLEFT_OR_UNKNOWN.search(row["licence"]) or row["source"].endswith(" (MT)"):
                continue
            sources[row["source"], row["licence"]] += 1
            yield Pair(row["lt"], row["en"], DOMAIN_WEIGHT.get(row["domain"], 1.0))


def read_glossary(path: Path) -> Iterator[Pair]:
    """
    The glossary's terms, and the Lithuanian alternatives that a note gives after "also:".

    An explanation in brackets counts only where both sides have one: "award (a label)", „suteikti (ženklą)“.
    """
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            lt, en = row["lt"], row["en"]
            if ("(" in lt) != ("(" in en):
                lt, en = without_brackets(lt), without_brackets(en)
            yield Pair(lt, en, GLOSSARY_WEIGHT, glossary=True)
            also = re.search(r"also: ([^;]+)", row["note"] or "")
            for other in without_brackets(also.group(1)).split(",") if also else ():
                # „also: kompetencijos“ replaces one word of four; that is no translation of the whole.
                if 2 * len(content_words(other)) >= len(content_words(lt)):
                    yield Pair(other, without_brackets(row["en"]), GLOSSARY_WEIGHT / 3, glossary=True)


def without_brackets(text: str) -> str:
    return re.sub(r"\s*\([^)]*\)", "", text).strip()


def read_documents(folder: Path) -> Iterator[Pair]:
    """
    Paragraph pairs of a corpus folder, NAME.lt.md beside NAME.en.md, where both have the same number of them.
    """
    for lithuanian in sorted(folder.glob("*.lt.md")):
        english = lithuanian.with_name(lithuanian.name.removesuffix(".lt.md") + ".en.md")
        if not english.is_file():
            continue
        sides = [re.split(r"\n\s*\n", path.read_text(encoding="utf-8")) for path in (lithuanian, english)]
        if len(sides[0]) == len(sides[1]):
            yield from (Pair(lt, en) for lt, en in zip(*sides, strict=True))
        else:
            print(f"{lithuanian.name}: paragraphs do not pair up, left out", file=sys.stderr)


@cache
def term(word: str, language: Language) -> str | None:
    """The lexicon key of a word, or None for a word without letters or without meaning of its own."""
    return term_in(word, language) if any(map(str.isalpha, word)) and not is_stop_word(word) else None


def terms_of(text: str, language: Language) -> dict[str, str]:
    """
    The distinct lexicon keys of a text in order of first appearance, each with the first word under it,
    folded.
    """
    keys: dict[str, str] = {}
    for word in content_words(text):
        key = term(word, language)
        if key and key not in keys:
            keys[key] = fold(word)
    return keys


@dataclass(frozen=True, slots=True)
class Side:
    """
    One language's half of the pairs as terms: pair i holds `ids[starts[i]:starts[i + 1]]`, indices into
    `vocabulary`.

    `word_ids`, parallel to `ids`, are indices into `words`: the folded word that the term was made of. `seen`
    is in how many pairs each term stands. `in_doubt` are the words that the glossary has under their stem but
    not as they stand: elsewhere "labels" are on envelopes, here they are what "label" is.
    """

    vocabulary: list[str]
    words: list[str]
    ids: np.ndarray
    word_ids: np.ndarray
    starts: np.ndarray
    seen: np.ndarray
    in_doubt: np.ndarray

    def incidence(self, weights: np.ndarray | None = None) -> sparse.csr_array:
        """Pairs × terms; 1, or the pair's weight, where the term stands in the pair."""
        sizes = np.diff(self.starts)
        data = np.ones(len(self.ids)) if weights is None else np.repeat(weights, sizes)
        return sparse.csr_array((data, self.ids, self.starts), shape=(len(sizes), len(self.vocabulary)))


@dataclass(frozen=True, slots=True)
class Bitext:
    """The pairs as terms of either language; `words` counts each folded word by the language it stood in."""

    lt: Side
    en: Side
    weights: np.ndarray
    words: dict[Language, Counter[str]]


def index(pairs: Iterable[Pair]) -> Bitext:
    """The pairs as term indices; pairs with an empty or an overlong side are left out."""
    numbers: dict[Language, dict[str, int]] = {language: {} for language in LANGUAGES}
    words: dict[Language, Counter[str]] = {language: Counter() for language in LANGUAGES}
    word_numbers: dict[Language, dict[str, int]] = {language: {} for language in LANGUAGES}
    word_ids: dict[Language, list[int]] = {language: [] for language in LANGUAGES}
    ids: dict[Language, list[int]] = {language: [] for language in LANGUAGES}
    starts: dict[Language, list[int]] = {language: [0] for language in LANGUAGES}
    glossary: dict[Language, dict[str, str]] = {language: {} for language in LANGUAGES}  # word: its term
    weights: list[float] = []
    for pair in pairs:
        texts: dict[Language, str] = {"lt": pair.lt, "en": pair.en}
        sides = {language: terms_of(text, language) for language, text in texts.items()}
        if not all(0 < len(side) <= MAX_TERMS for side in sides.values()):
            continue
        weights.append(pair.weight)
        for language, keys in sides.items():
            words[language].update(keys.values())
            new = [numbers[language].setdefault(key, len(numbers[language])) for key in keys]
            ids[language] += new
            known = word_numbers[language]
            word_ids[language] += [known.setdefault(word, len(known)) for word in keys.values()]
            starts[language].append(len(ids[language]))
            if pair.glossary:
                glossary[language].update((word, key) for key, word in keys.items())

    def side(language: Language) -> Side:
        seen = np.bincount(ids[language], minlength=len(numbers[language]))
        glossary_terms = set(glossary[language].values())
        chosen = [numbers[language][key] for key in glossary_terms]
        seen[chosen] = np.maximum(seen[chosen], MIN_SEEN)  # kept however rare they are
        in_doubt = [
            word not in glossary[language] and term(word, language) in glossary_terms for word in word_numbers[language]
        ]
        return Side(
            vocabulary=list(numbers[language]),
            words=list(word_numbers[language]),
            ids=np.array(ids[language], dtype=np.int32),
            word_ids=np.array(word_ids[language], dtype=np.int32),
            starts=np.array(starts[language], dtype=np.int64),
            seen=seen,
            in_doubt=np.array(in_doubt),
        )

    return Bitext(side("lt"), side("en"), np.array(weights), words)


def candidates(bitext: Bitext) -> tuple[np.ndarray, np.ndarray]:
    """The term pairs worth considering, as two arrays of indices (Lithuanian, English), sorted by both."""
    together = sparse.coo_array(bitext.lt.incidence(bitext.weights).T @ bitext.en.incidence())
    lt, en, both = together.coords[0].astype(np.int64), together.coords[1].astype(np.int64), together.data
    total = bitext.weights.sum()
    lt_total = bitext.lt.incidence(bitext.weights).sum(axis=0)
    en_total = bitext.en.incidence(bitext.weights).sum(axis=0)

    likely = (bitext.lt.seen[lt] >= MIN_SEEN) & (bitext.en.seen[en] >= MIN_SEEN)
    likely &= both * total > lt_total[lt] * en_total[en]
    lt, en, both = lt[likely], en[likely], both[likely]
    likely = log_likelihood(both, lt_total[lt], en_total[en], total) >= MIN_LOG_LIKELIHOOD
    lt, en, both = lt[likely], en[likely], both[likely]

    dice = 2 * both / (lt_total[lt] + en_total[en])
    best = (rank_within(lt, dice) < CANDIDATES) | (rank_within(en, dice) < CANDIDATES)
    lt, en = lt[best], en[best]
    order = np.lexsort((en, lt))
    return lt[order], en[order]


def log_likelihood(both: np.ndarray, a: np.ndarray, b: np.ndarray, total: float) -> np.ndarray:
    """Dunning's G² of the two-by-two tables with joint count `both` and margins `a`, `b` of `total`."""

    def part(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
        observed = np.maximum(observed, 0)
        return observed * np.log(np.where(observed > 0, observed, 1) / np.where(observed > 0, expected, 1))

    return 2 * (
        part(both, a * b / total)
        + part(a - both, a * (total - b) / total)
        + part(b - both, (total - a) * b / total)
        + part(total - a - b + both, (total - a) * (total - b) / total)
    )


def rank_within(group: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The rank, from 0 and best first, of every element among those of its group; ties keep their order."""
    order = np.lexsort((-score, group))
    sizes = np.bincount(group)
    firsts = np.cumsum(sizes) - sizes
    ranks = np.empty(len(group), dtype=np.int64)
    ranks[order] = np.arange(len(group)) - firsts[group[order]]
    return ranks


@dataclass(frozen=True, slots=True)
class Links:
    """
    Every occurrence of a candidate in some pair: the Lithuanian and the English token that it joins
    (positions in `Side.ids`), the number of the candidate, and how much the occurrence counts.
    """

    lt_token: np.ndarray
    en_token: np.ndarray
    candidate: np.ndarray
    count: np.ndarray


def occurrences(bitext: Bitext, lt: np.ndarray, en: np.ndarray, pairs_at_once: int = 20_000) -> Links:
    """
    All occurrences of the candidates, with the weights of their pairs; some pairs at a time to save memory.
    """
    width = len(bitext.en.vocabulary)
    wanted = lt * width + en
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for first in range(0, len(bitext.weights), pairs_at_once):
        last = min(first + pairs_at_once, len(bitext.weights))
        lt_sizes = np.diff(bitext.lt.starts[first : last + 1])
        en_sizes = np.diff(bitext.en.starts[first : last + 1])
        partners = np.repeat(en_sizes, lt_sizes)  # how many English tokens each Lithuanian token faces
        partner_start = np.repeat(bitext.en.starts[first:last], lt_sizes)
        lt_token = np.repeat(np.arange(bitext.lt.starts[first], bitext.lt.starts[last]), partners)
        en_token = np.arange(len(lt_token)) - np.repeat(np.cumsum(partners) - partners - partner_start, partners)
        key = bitext.lt.ids[lt_token].astype(np.int64) * width + bitext.en.ids[en_token]
        place = np.minimum(np.searchsorted(wanted, key), len(wanted) - 1)
        hit = wanted[place] == key
        found.append((lt_token[hit].astype(np.int32), en_token[hit].astype(np.int32), place[hit].astype(np.int32)))
    lt_token, en_token, candidate = (np.concatenate(column) for column in zip(*found, strict=True))
    return Links(lt_token, en_token, candidate, np.repeat(bitext.weights, np.diff(bitext.lt.starts))[lt_token])


def align(bitext: Bitext, lt: np.ndarray, en: np.ndarray) -> Links:
    """
    How often each occurrence of a candidate is expected to be a translation, by EM; the pair's weight times
    [0, 1].
    """
    together = occurrences(bitext, lt, en)
    # Any term may also stem from nothing, with its share of all terms of its language.
    lt_nothing = (np.bincount(bitext.lt.ids) / len(bitext.lt.ids))[bitext.lt.ids]
    en_nothing = (np.bincount(bitext.en.ids) / len(bitext.en.ids))[bitext.en.ids]

    def expected(count: np.ndarray) -> np.ndarray:
        # Never quite zero, so that no term is left without any link to divide by.
        return np.bincount(together.candidate, count, len(lt)) + 1e-12

    counts_to_en = counts_to_lt = expected(together.count)
    for done in range(1, ROUNDS_ALONE + ROUNDS_AGREEING + 1):
        to_en = (counts_to_en / np.bincount(lt, counts_to_en)[lt])[together.candidate]
        to_lt = (counts_to_lt / np.bincount(en, counts_to_lt)[en])[together.candidate]
        to_en /= (np.bincount(together.en_token, to_en, len(en_nothing)) + en_nothing)[together.en_token]
        to_lt /= (np.bincount(together.lt_token, to_lt, len(lt_nothing)) + lt_nothing)[together.lt_token]
        if done < ROUNDS_ALONE:
            counts_to_en, counts_to_lt = expected(together.count * to_en), expected(together.count * to_lt)
        else:
            counts_to_en = counts_to_lt = expected(together.count * to_en * to_lt)
    return Links(together.lt_token, together.en_token, together.candidate, together.count * to_en * to_lt)


Table = dict[str, list[tuple[str, float]]]
"""Translations with their probabilities, best first."""


@dataclass(frozen=True, slots=True)
class Tables:
    """
    What is learnt of one language: the translations of its terms, and of words that differ from their term's.
    """

    terms: Table
    words: Table


def select(bitext: Bitext, lt: np.ndarray, en: np.ndarray, aligned: Links) -> dict[Language, Tables]:
    """The translations worth keeping, in either direction."""
    counts = np.bincount(aligned.candidate, aligned.count, len(lt)) + 1e-12
    to_en = counts / (np.bincount(lt, counts)[lt] + SMOOTHING)
    to_lt = counts / (np.bincount(en, counts)[en] + SMOOTHING)
    return {
        "lt": tables(bitext, "lt", bitext.lt, bitext.en, lt, en, to_en, to_lt, aligned, aligned.lt_token),
        "en": tables(bitext, "en", bitext.en, bitext.lt, en, lt, to_lt, to_en, aligned, aligned.en_token),
    }


def tables(
    bitext: Bitext,
    language: Language,
    here: Side,
    there: Side,
    key: np.ndarray,
    translation: np.ndarray,
    probability: np.ndarray,
    back: np.ndarray,
    aligned: Links,
    token: np.ndarray,
) -> Tables:
    """
    The tables of one language.

    Of each candidate: `key` and `translation`, its terms in the vocabularies of `here` and `there`, its
    `probability` and that of the way `back`. Of each link in `aligned`: `token`, its position in `here.ids`.
    """
    good = (probability >= MIN_PROBABILITY) & (back >= MIN_PROBABILITY_BACK)
    shares = language_shares(bitext.words, language)
    terms = as_table(key, translation, np.where(good, probability, 0), here.vocabulary, there.vocabulary)
    terms = {name: usable for name, entries in terms.items() if (usable := of_language(entries, name, shares[name]))}

    # The same for every (word, candidate) that occurs, the term's probabilities serving as a prior.
    pairs, place = np.unique(here.word_ids[token].astype(np.int64) * len(key) + aligned.candidate, return_inverse=True)
    word, candidate = pairs // len(key), pairs % len(key)
    counts = np.bincount(place, aligned.count)
    totals = np.bincount(word, counts, len(here.words))
    prior = np.maximum(STEM_WEIGHT, np.where(here.in_doubt, DOUBT * totals, 0))[word]
    own = (counts + prior * probability[candidate]) / (totals[word] + prior)
    # What other candidates gain is what those lose that never occur with the word, so the gains alone are the
    # distance.
    difference = np.bincount(word, np.maximum(own - probability[candidate], 0), len(here.words))
    enough = (totals >= MIN_WORD_SEEN) & (difference >= MIN_DIFFERENCE)
    good = (own >= MIN_PROBABILITY) & (back[candidate] >= MIN_PROBABILITY_BACK) & enough[word]
    words = as_table(word, translation[candidate], np.where(good, own, 0), here.words, there.vocabulary)
    keys = {name: here.vocabulary[number] for name, number in zip(here.words, term_of_word(here), strict=True)}
    words = {
        name: usable
        for name, entries in words.items()
        if (usable := of_language(entries, keys[name], shares[keys[name]]))
    }
    return Tables(terms, words)


def term_of_word(side: Side) -> np.ndarray:
    """The index in `vocabulary` of the term of each word in `words`."""
    terms = np.empty(len(side.words), dtype=np.int64)
    terms[side.word_ids] = side.ids
    return terms


def of_language(entries: list[tuple[str, float]], key: str, share: float) -> list[tuple[str, float]]:
    """
    The entries that can be relied on when the words under `key` belong to the language to the given share.

    A term that translates to itself says something of a Lithuanian word („partneris“: "partner"), but
    nothing of an English one that merely stands in Lithuanian texts.
    """
    if share < MIN_LANGUAGE_SHARE:
        return []
    return [entry for entry in entries if entry[0] != key or share >= MIN_LANGUAGE_SHARE_ITSELF]


def as_table(
    key: np.ndarray,
    translation: np.ndarray,
    probability: np.ndarray,
    keys: list[str],
    translations: list[str],
) -> Table:
    """The best `KEEP` translations of each key with a probability over 0."""
    best = (probability > 0) & (rank_within(key, probability) < KEEP)
    table: Table = {}
    for row in zip(key[best], translation[best], probability[best], strict=True):
        table.setdefault(keys[row[0]], []).append((translations[row[1]], float(row[2])))
    return {name: sorted(table[name], key=lambda entry: (-entry[1], entry[0])) for name in sorted(table)}


def language_shares(words: dict[Language, Counter[str]], language: Language) -> dict[str, float]:
    """
    For each key of a language, how many of the word occurrences that would be looked up under it are that
    language's.
    """
    own: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for where, counter in words.items():
        for word, count in counter.items():
            key = term(word, language)
            if key:
                every[key] += count
                own[key] += count if where == language else 0
    return {key: own[key] / count for key, count in every.items()}


def learn(pairs: Iterable[Pair]) -> dict[Language, Tables]:
    """From pairs to the tables of both languages, saying on stderr how far it is."""
    started = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {what}", file=sys.stderr)

    bitext = index(pairs)
    sizes = f"{len(bitext.lt.vocabulary):,} Lithuanian and {len(bitext.en.vocabulary):,} English terms"
    tell(f"{len(bitext.weights):,} pairs, {sizes}")
    lt, en = candidates(bitext)
    tell(f"{len(lt):,} candidates")
    aligned = align(bitext, lt, en)
    tell(f"{len(aligned.count):,} occurrences aligned")
    learnt = select(bitext, lt, en, aligned)
    for language in LANGUAGES:
        tell(f"{language}: {len(learnt[language].terms):,} terms, {len(learnt[language].words):,} words")
    return learnt


def write(learnt: dict[Language, Tables], path: Path) -> None:
    """The table as `clusterqa.text.lexicon` reads it; the same bytes for the same tables."""
    text = io.StringIO()
    print(HEADER, file=text)
    for language in LANGUAGES:
        for kind, table in (("term", learnt[language].terms), ("word", learnt[language].words)):
            for key, entries in table.items():
                translations = " ".join(f"{entry} {p:.2f}" for entry, p in entries)
                print(language, kind, key, translations, sep="\t", file=text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn the Lithuanian–English lexicon from parallel sentences.")
    parser.add_argument("parallel", type=Path, help="gzipped TSV with the columns en, lt, source, licence, domain")
    parser.add_argument("glossary", type=Path, nargs="?", help="TSV with the columns en, lt, note")
    parser.add_argument("--documents", type=Path, help="folder with NAME.lt.md beside NAME.en.md to learn from as well")
    parser.add_argument("--out", type=Path, required=True, help="the table to write, .tsv.gz")
    parser.add_argument("--sources", type=Path, help="TSV to write: source, licence and number of pairs learnt from")
    options = parser.parse_args()

    sources: Counter[tuple[str, str]] = Counter()

    def pairs() -> Iterator[Pair]:
        yield from read_parallel(options.parallel, sources)
        if options.glossary:
            yield from read_glossary(options.glossary)
        if options.documents:
            yield from read_documents(options.documents)

    write(learn(pairs()), options.out)
    if options.sources:
        with options.sources.open("w", encoding="utf-8") as file:
            print("source", "licence", "pairs", sep="\t", file=file)
            for (source, licence), count in sorted(sources.items(), key=lambda item: (-item[1], item[0])):
                print(source, licence, count, sep="\t", file=file)


if __name__ == "__main__":
    main()
