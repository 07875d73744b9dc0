"""
Check the spelling of the corpus with Hunspell's dictionaries for Lithuanian and English.

    python tools/spelling.py [--corpus corpus] [--words corpus-words.txt] [--dictionaries /usr/share/hunspell]

Checked is the text as it is read, from every format, in the document's own language. Words of the other language are
accepted in brackets, in quotation marks and in names (with a capital letter), Lithuanian ones in an English text also
where their letters show it. Right words that the dictionaries lack
stand in corpus-words.txt, one word a line, sorted: `word` alone, or `word/example`, which bends like the example.

Exit status 1 when a word is unknown, or a line of corpus-words.txt is not needed or not in its place.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from clusterqa.documents import list_files, read
from clusterqa.records import LANGUAGES, Document, Language

DICTIONARIES: dict[Language, str] = {"lt": "lt_LT", "en": "en_GB"}

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:lt|eu|com|lv|org|no|be|es|fi|net)\b(?:/\S*)?")
_WITH_DIGIT = re.compile(r"[\w-]*\d[\w-]*")  # 2020-aisiais, ESCP-4i
_FOREIGN = re.compile(r"„[^“”]*[“”]|“[^”]*”|\([^()]*\)|\[[^\]]*\]|[A-Z]\w+(?: (?:for|of|and|to|the))+ [A-Z]\w+")
_LITHUANIAN_LETTER = re.compile("[ąčęėįšųūž]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word that no dictionary knows, with the document and the words around it."""

    document: str
    word: str
    around: str


@dataclass(slots=True)
class Speller:
    """Two dictionaries and the list of accepted words; `used` are the entries that were needed so far."""

    plain: dict[Language, Any]
    extended: dict[Language, Any]
    entries: frozenset[str]
    used: set[str] = field(default_factory=set)
    _known: dict[tuple[Language, str], bool] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path, words: list[str]) -> Speller:
        """
        Read the dictionaries of both languages from a folder.

        Raises FileNotFoundError when one is missing, ValueError when an entry's example is in neither.
        """
        from spylls.hunspell import Dictionary

        missing = [name for name in DICTIONARIES.values() if not (folder / f"{name}.dic").is_file()]
        if missing:
            raise FileNotFoundError(f"No dictionary {', '.join(missing)} in {folder}")
        plain, extended = (
            {language: Dictionary.from_files(str(folder / name)) for language, name in DICTIONARIES.items()}
            for _ in range(2)
        )
        for entry in words:
            _extend(extended, entry)
        return cls(plain, extended, frozenset(entry.partition("/")[0] for entry in words))

    def knows(self, word: str, language: Language) -> bool:
        """Whether a word is spelt as the dictionary of the language, or the list, has it."""
        key = (language, word)
        if key not in self._known:
            self._known[key] = bool(self.plain[language].lookup(word)) or self._accepted(word, language)
        return self._known[key]

    def _accepted(self, word: str, language: Language) -> bool:
        entries = {
            form.in_dictionary.stem
            for form in self.extended[language].lookuper.good_forms(word)
            if getattr(form, "in_dictionary", None) is not None
        } & self.entries
        self.used |= entries
        return bool(entries)


def _extend(dictionaries: dict[Language, Any], entry: str) -> None:
    """Add an entry of the list to both dictionaries; it bends where its example stands."""
    from spylls.hunspell.data.dic import Word

    stem, _, example = entry.partition("/")
    found = False
    for dictionary in dictionaries.values():
        homonyms = dictionary.dic.homonyms(example) if example else []
        found = found or bool(homonyms) or not example
        flags = set().union(*(word.flags for word in homonyms)) if homonyms else set()
        casing = dictionary.aff.casing
        word = Word(stem=stem, flags=flags, data={}, alt_spellings=[], captype=casing.guess(stem))
        dictionary.dic.append(word, lower=casing.lower(stem))
    if not found:
        raise ValueError(f"{entry}: no dictionary has the example {example!r} as a base form")


def read_words(path: Path) -> list[str]:
    """The entries of the list of accepted words. Raises ValueError when they are not sorted, each once."""
    lines = path.read_text(encoding="utf-8").splitlines()
    entries = [line for line in lines if line and not line.startswith("#")]
    for above, below in pairwise(entries):
        if (above.casefold(), above) >= (below.casefold(), below):
            raise ValueError(f"{path}: {below!r} stands after {above!r}; keep the list sorted, each word once")
    return entries


def unknown(document: Document, speller: Speller) -> Iterator[Unknown]:
    """The misspelt words of a document, each once, in the order of the text; blocks only, never front matter."""
    language = document.language
    other = next(name for name in LANGUAGES if name != language)
    seen: set[str] = set()
    for block in document.blocks:
        text = document.text[block.start : block.end]
        skipped = [found.span() for pattern in (_ADDRESS, _WITH_DIGIT) for found in pattern.finditer(text)]
        foreign = [found.span() for found in _FOREIGN.finditer(text)]
        for found in _WORD.finditer(text):
            word = found.group().replace("’", "'")
            if language == "en":
                word = re.sub(r"(?:'s|(?<=s)')\Z", "", word)  # the possessive
            if word in seen or _inside(found.start(), skipped):
                continue
            either = word[0].isupper() or _inside(found.start(), foreign)
            either = either or (language == "en" and _LITHUANIAN_LETTER.search(word) is not None)
            if not _is_known(word, language, speller) and not (either and _is_known(word, other, speller)):
                seen.add(word)
                around = " ".join(text[max(0, found.start() - 30) : found.end() + 30].split())
                yield Unknown(document.id, found.group(), around)


def _is_known(word: str, language: Language, speller: Speller) -> bool:
    """A word, or parts joined by hyphens that are words each."""
    if speller.knows(word, language):
        return True
    parts = word.split("-")
    return len(parts) > 1 and all(_is_known(part, language, speller) for part in parts)


def _inside(place: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)


def main() -> None:
    """Entry point of the command."""
    root = Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=root / "corpus", help="folder of the documents")
    parser.add_argument("--words", type=Path, default=root / "corpus-words.txt", help="list of accepted words")
    parser.add_argument(
        "--dictionaries", type=Path, default=Path("/usr/share/hunspell"), help="folder with lt_LT.dic …"
    )
    arguments = parser.parse_args()
    try:
        speller = Speller.load(arguments.dictionaries, read_words(arguments.words))
    except FileNotFoundError as error:
        sys.exit(f"{error}. Install them (Debian: apt-get install hunspell-lt hunspell-en-gb) or name their folder.")
    except ValueError as error:
        sys.exit(str(error))
    count = faults = 0
    for name, path in list_files(arguments.corpus):
        count += 1
        for fault in unknown(read(path, name), speller):
            faults += 1
            print(f"{fault.document}: {fault.word}  (… {fault.around} …)")
    needless = sorted(speller.entries - speller.used)
    for word in needless:
        print(f"{arguments.words.name}: {word} is used by no document, or the dictionary has it; take it out")
    print(f"{count} documents, {faults} unknown words, {len(needless)} needless entries.")
    if faults or needless:
        sys.exit(1)


if __name__ == "__main__":
    main()
