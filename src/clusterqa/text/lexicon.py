"""
Which terms of the other language a word may stand for, and how probably: the bridge by which lexical search
crosses from Lithuanian to English and back (probabilistic structured queries, Darwish and Oard 2003).

The table was learnt from parallel sentences; training/lexicon/README.md says how, from what, and how good it
is.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from clusterqa.records import LANGUAGES, Language
from clusterqa.text.analysis import fold, term_in

TABLE = "lexicons/lt-en.tsv.gz"
PIVOTS = 3
"""Translations of a word through which its synonyms are looked for."""
HEADER = "# clusterqa lexicon 1: language, kind of key (term or word), key, translations with probabilities"
"""
First line of a table. The number changes with the format or with `analysis.term_in`, whose results are the
keys.
"""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """
    Translations of single words, by language.

    `terms` holds them by what `analysis.term_in` makes of a word. `words` holds them by the folded word
    itself, for words whose translations are not those of their term: „galioja“ (is valid) has the stem of
    „gali“ (can). The values are kept as the table has them, "term probability term probability …", and are
    read when asked for: few of many ever are.
    """

    terms: Mapping[Language, Mapping[str, str]]
    words: Mapping[Language, Mapping[str, str]]

    @classmethod
    @lru_cache(maxsize=1)
    def load(cls) -> Lexicon:
        """The lexicon that ships with the package; read once."""
        packed = resources.files("clusterqa").joinpath(TABLE).read_bytes()
        return cls.read(gzip.decompress(packed).decode("utf-8").splitlines())

    @classmethod
    def read(cls, lines: Iterable[str]) -> Lexicon:
        """
        A lexicon from the lines of a table: `HEADER`, then rows as it says, separated by tabs.

        Raises ValueError where the first line is not `HEADER`: the table is of another version, and must be
        built again.
        """
        rows = iter(lines)
        if next(rows, "") != HEADER:
            raise ValueError("This is no lexicon of this version. Build it with training/lexicon/build.py")
        tables: dict[tuple[str, str], dict[str, str]] = {
            (kind, language): {} for kind in ("term", "word") for language in LANGUAGES
        }
        for row in rows:
            language, kind, key, translations = row.split("\t")
            tables[kind, language][key] = translations
        return cls(
            terms={language: tables["term", language] for language in LANGUAGES},
            words={language: tables["word", language] for language in LANGUAGES},
        )

    def translations(self, word: str, language: Language | None = None) -> tuple[tuple[str, float], ...]:
        """
        The terms of the other language that a word may stand for, each with its probability in (0, 1], best
        first.

        `word` is lower case, as `analysis.words` yields it; diacritics may be missing. Since its language
        is not known, it is looked up as a Lithuanian and as an English one: „data“ gives the
        English term for a date and the Lithuanian one for data. The terms are `term_in(…, "en")` of English
        and `term_in(…, "lt")` of Lithuanian words, which `analysis.terms` has among the index terms. The
        probabilities of one language's reading sum to at most 1; what is missing went to rarer translations.
        A word may translate to its own term („partneris“ to "partner"), and does where the texts learnt from
        say so. Empty for an unknown word.
        """
        best: dict[str, float] = {}
        for tried in LANGUAGES if language is None else (language,):
            for term, probability in self._entries(word, tried):
                best[term] = max(probability, best.get(term, 0.0))
        return tuple(sorted(best.items(), key=lambda item: (-item[1], item[0])))

    def related(self, word: str, language: Language) -> tuple[tuple[str, float], ...]:
        """
        The translations of a word and the words of its own language that share them, each with its probability, best first.

        A word that shares a translation is often a synonym („kaina“ – price – „įkainis“); its probability is the product
        of both steps, so only likely ones come near the translations themselves.
        """
        best = dict(self.translations(word, language))
        back: Language = "en" if language == "lt" else "lt"
        for term, there in list(best.items())[:PIVOTS]:
            fields = self.terms[back].get(term, "").split()
            for other, probability in zip(fields[::2], fields[1::2], strict=True):
                best[other] = max(best.get(other, 0.0), there * float(probability))
        return tuple(sorted(best.items(), key=lambda item: (-item[1], item[0])))

    def _entries(self, word: str, language: Language) -> list[tuple[str, float]]:
        row = self.words[language].get(fold(word)) or self.terms[language].get(term_in(word, language), "")
        fields = row.split()
        return [(term, float(share)) for term, share in zip(fields[::2], fields[1::2], strict=True)]
