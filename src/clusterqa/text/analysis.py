"""
From text to the terms that lexical search compares.

A Lithuanian word is analysed twice, `fold(stem(w))` and `stem(fold(w))`, because people type without diacritics: with the
stem alone 35.5 % of the words that carry diacritics are found when typed without them, with both all of them. The
English stem is a third variant, since names and terms of one language stand in documents of the other. Which language
a word is in does not matter: all variants are indexed, and a question asks for all of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

import Stemmer

from clusterqa.records import Language, Span

ANALYSIS_VERSION = "2"
"""Part of the index's fingerprint: raise it whenever a change here alters the terms of a text."""

_LITHUANIAN = Stemmer.Stemmer("lithuanian", 0)  # without its own memory of 10,000 words, however long
_ENGLISH = Stemmer.Stemmer("english", 0)

# Digit groups: „2 250“, "2,250", "2 250" are one number. At least one full group of three, so that "3, 4" stays two.
_GROUPED_NUMBER = re.compile(r"(?<![\d.,])\d{1,3}(?:[ ,.\u00a0\u202f]\d{3})+(?![\d])(?=(?:[.,]\d{1,2})?(?!\d))")
LONGEST_REMEMBERED = 100
"""Letters of a word up to which anything about it is kept in memory: whoever asks can make up words of 2,000."""

_WORD = re.compile(r"[^\W_]+")
_NOTE_MARKS = re.compile("(?<=[^\\W\\d_]{3})[⁰¹²³⁴-⁹ᵃ-ᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ]+\\Z")
"""The marks of notes behind a word, „klasteris¹“; units have fewer letters, „km²“."""
_LINE_HYPHEN = re.compile(r"(?<=[^\W\d_])(?:-|\u00ad|\u2010)[ \t]*\r?\n[ \t]*(?=[^\W\d_])")
_ENDINGS = (
    "as is ias ys oji ta ojo osios ajam ajai ąjį ąją uoju ąja ajame ojoje asis ieji ųjų iesiems osioms uosius ąsias aisiais"
    " osiomis uosiuose osiose os o ą į ų ių ai iai iems ais iais ius oje yje čia ti tas tos tą tų su s"
).split()
_ENDING = re.compile(
    rf"(?<=\d)[-\u2010\u2011]i?(?:{'|'.join([*_ENDINGS, 'aji', 'aja', 'uju', 'asias', 'cia'])})\b", re.IGNORECASE
)
"""The ending of a number: „2024-aisiais“, „1990-ųjų“, „5-oji“."""
_NAME = re.compile(r"\b[A-Z]{2,4}\b")
"""What is a name among small letters, though it be spelled as a word that carries no meaning: IT, US."""
_MONTH = re.compile(
    r"\b(?:in|by|from|until|till|since|of|during|before|after|this|last|next|every|early|mid|late|\d+(?:st|nd|rd|th)?)[ -]may\b"
    r"|\bmay\b(?= \d)",
    re.IGNORECASE,
)
"""The month of May, not the verb."""
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
# Nothing inside could be the bracket that ends it, so what was taken is not given back: that would cost as much again.
_MARKUP = re.compile(r"!?\[([^\]\n]{1,300}+)\]\([^)\n]{0,500}+\)|(?<!\w)[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}(?!\w)")
_SPACE = re.compile(r"\s+")
_LETTER = re.compile(".[\u0300-\u036f]+")
"""A letter with marks of its own, which NFC may make one character."""
_SEARCHABLE = ((_LINE_HYPHEN, ""), (_INVISIBLE, ""), (_MARKUP, r"\1"))

STOP_WORDS = frozenset(
    # Function words carry no weight in search. Written as typed; compared folded.
    """
    ir o bet ar kad jei jeigu nei nes tai tas ta tie tos to tą tam tuo toje tame tų tiems toms šis ši šie šios šį šią šio
    šiuo šioje šiame šių jame joje juose jis ji jie jos jo jį ją jų jam jai juo jiems joms mes jūs mano tavo savo mūsų jūsų man mums jums mus
    jus aš tu kas ko kam ką kuo kuris kuri kurie kurios kurį kurią kurio kurios kuriam kuriai kuriuo kuria kurių kuriuos
    kurias koks kokia kokie kokios kokį kokią kokio kokių kokiam kokiuo kokius kokias kiek kaip kodėl kada kur iš į su be
    per po prie prieš pas pagal apie už ant dėl iki nuo tarp pro virš yra buvo bus būti esu esame esate būtų nėra nebuvo
    ne taip pat dar jau tik net gi juk štai čia ten taigi todėl tačiau arba bei tiek vis visi visos viso visų toks tokia
    tokie tokios tokį tokią tokių tokio kažkas kitas kita kiti kitos galima gali galiu galime galite reikia reikės turi
    turime turite turiu sakykite pasakykite prašau norėčiau noriu norime žinoti sužinoti įdomu
    a an the and or but if then of in on at to for from by with about as into than that this these those it its is are was
    were be been being am do does did done has have had having will would shall should can could may might must not no nor
    so such too very we you he she they them our your my me i us his her their who whom whose which what when where why how
    there here also only just any some all each both much many please tell get got want know need s t re ve ll d m
    """.split()
)


def nfc(text: str) -> str:
    """The text with composed letters; offsets may change, so never use it to cut a quote."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Lower case without diacritics: „Žymą“ and "zyma" typed on a phone become alike."""
    lower = text.lower()
    if lower.isascii():
        return lower
    decomposed = unicodedata.normalize("NFD", lower)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def searchable(text: str) -> str:
    """
    The text as search should see it: composed letters, words joined again over line ends, no inline Markdown, single
    spaces. Only for encoding and for stems; a quote is always cut from the original.
    """
    for pattern, replacement in _SEARCHABLE:
        text = pattern.sub(replacement, text)
    return _SPACE.sub(" ", nfc(text)).strip()


def origin(text: str, start: int, end: int) -> Span | None:
    """Where in a text the stretch [start, end) of `searchable(text)` comes from; None where it cannot be told."""
    places = list(range(len(text)))
    seen = text
    for pattern, replacement in (*_SEARCHABLE, (_LETTER, nfc), (_SPACE, " ")):
        seen, places = _replaced(seen, places, pattern, replacement)
    begin = len(seen) - len(seen.lstrip())
    found = places[begin + start : begin + end]
    if seen.strip() != searchable(text) or start < 0 or not found:
        return None
    while found and text[found[0]].isspace():
        found = found[1:]
    last = found[-1] + 1 if found else 0
    while last < len(text) and unicodedata.combining(text[last]):
        last += 1
    return Span(found[0], last) if found else None


def _replaced(
    text: str, places: list[int], pattern: re.Pattern[str], replacement: str | Callable[[str], str]
) -> tuple[str, list[int]]:
    """The text with every match replaced, and where each of its characters comes from."""
    made, kept, done = "", [], 0
    for match in pattern.finditer(text):
        made += text[done : match.start()]
        kept += places[done : match.start()]
        if callable(replacement):
            new = replacement(match.group())
            kept += places[match.start() : match.end()][: len(new)]
        else:
            new = match.expand(replacement)
            begin = match.start(1) if match.re.groups and match.group(1) else match.start()
            kept += [places[min(begin + i, match.end() - 1)] for i in range(len(new))]
        made += new
        done = match.end()
    return made + text[done:], kept + places[done:]


def words(text: str) -> Iterator[str]:
    """The words and numbers of a text in order, lower-cased and composed; digit groups are joined, marks of notes left out."""
    text = _GROUPED_NUMBER.sub(lambda match: re.sub(r"\D", "", match.group()), searchable(text))
    for match in _WORD.finditer(text.lower()):
        yield _NOTE_MARKS.sub("", match.group())


def terms(word: str) -> tuple[str, ...]:
    """
    The index terms of one word (lower case, NFC), without repeats: `fold(stem(w))`, `stem(fold(w))`, English stem.

    A word that holds a digit is its own and only term.
    """
    return _remembered(word) if len(word) <= LONGEST_REMEMBERED else _terms(word)


def _terms(word: str) -> tuple[str, ...]:
    plain = fold(word)
    if any(character.isdigit() for character in word):
        return (plain,)
    lithuanian = fold(_LITHUANIAN.stemWord(word))
    folded = _LITHUANIAN.stemWord(plain)
    english = _ENGLISH.stemWord(plain)
    return tuple(dict.fromkeys((lithuanian, folded, english)))


_remembered = lru_cache(maxsize=65536)(_terms)


def term_in(word: str, language: Language) -> str:
    """`stem(fold(w))` by the stemmer of one language; the key of the translation lexicon."""
    plain = fold(word)
    stemmer = _LITHUANIAN if language == "lt" else _ENGLISH
    return plain if any(character.isdigit() for character in word) else stemmer.stemWord(plain)


@lru_cache(maxsize=1)
def _stop_words() -> frozenset[str]:
    return frozenset(fold(word) for word in STOP_WORDS)


def is_stop_word(word: str) -> bool:
    """Whether a word carries no meaning of its own for search, in either language, with or without diacritics."""
    return fold(word) in _stop_words()


def content_words(text: str) -> list[str]:
    """The words of a text that search weighs, in order of first appearance, without repeats."""
    text = _ENDING.sub("", nfc(text))
    named = _named(text)
    return list(dict.fromkeys(word for word in words(text) if word in named or not is_stop_word(word)))


def _named(text: str) -> frozenset[str]:
    """Words that are names in this text, whatever else they mean: "IT" and "US" among small letters, the month of May."""
    short = frozenset() if text.isupper() else frozenset(name.lower() for name in _NAME.findall(text))
    return short | {"may"} if _MONTH.search(text) else short


def content_terms(text: str) -> frozenset[str]:
    """The terms of its content words."""
    return frozenset(term for word in content_words(text) for term in terms(word))


def holds_words(text: str, wanted: str) -> bool:
    """Whether a text holds every content word of another, in one form or another."""
    held = content_terms(text)
    return all(held.intersection(terms(word)) for word in content_words(wanted))
