"""
Where sentences end, in Lithuanian and in English.

The rules of both languages are always on, because documents mix them. A sentence ends at `.`, `!`, `?` or
`…` (and the closing quotes and brackets after it) where white space follows and the next word does not
begin with a small letter; a blank line or a bullet on a new line ends it as well, a plain line break does
not. A full stop after an abbreviation, an initial or a number at the head of a list item is looked at
more closely.

Where the text allows both readings ("iki 2018 m. Lietuvos klasteriai…") the sentence goes on: two
sentences quoted together can be read, half a sentence cannot.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator

from clusterqa.records import Language, Span

SPLIT_AT = 600
"""A longer sentence is split at a semicolon or a dash where it has one."""

LONGEST = 1_000
"""Characters; a longer sentence is split at white space, and at this length where it has none."""

_AHEAD = 80
"""Characters after a full stop within which the next word is looked for."""

_BULLETS = "•▪●◦‣·*-"
_PARAGRAPH_END = re.compile(
    rf"\n[^\S\n]*\n\s*|\r[^\S\r\n]*\r(?!\n)\s*|[\f\u2029]\s*|[\n\r](?=[^\S\n]*[{_BULLETS}][^\S\n])"
)
_STOP = re.compile(
    r"(?<![.!?…])(?P<marks>[.!?…]++)(?P<close>(?:[)\]}»”“\"'’‘*_¹²³⁰⁴-⁹]|\[(?:\d{1,3}|[ivx]{1,6})\])*+)(?=\s|$)"
)
# \u0300-\u036f: the accents of letters that are written as letter and accent (NFD), as some PDF files do.
_TOKEN = re.compile(r"[^\W_](?:[\w\u0300-\u036f.'’&/-]*[^\W_][\u0300-\u036f]*|[\u0300-\u036f]*)$")
_NEXT_WORD = re.compile(r"[\W_]*([^\W_][\w\u0300-\u036f]*)")
_CLAUSE_END = re.compile(r";(?=\s)|(?<=\s)(?=[–—] )")
_ENUMERATOR = re.compile(r"[(\[]?(?:\d{1,3}(?:\.\d{1,3})*|[ivxlIVXL]{1,5}|\w)")
_INITIALS = re.compile(r"[^\W\d_](?:\.-?[^\W\d_])*")
_YEAR = re.compile(r"(?:19|20)\d\d(?:\s?[–-]\s?\d{4})?\s+m\.")
_PLACE = re.compile(
    r"(?!\w+ame\b)(?:\w+(?:ų|[aoė]us|[oė]s|ies|o)\s+)?\w+(?:[oėy]je|[uy]je|uose|ose|yse|ėse|[^aeiouyėąęįųū\d]e)\b",
    re.IGNORECASE,
)
"""The locative is most often a place within the sentence ("2019 m. Bukarešte", "spalio 2 d. Klasterių forume")."""
_MONTHS = (
    *("sausio", "vasario", "kovo", "balandžio", "gegužės", "birželio", "liepos", "rugpjūčio", "rugsėjo", "spalio"),
    *("lapkričio", "gruodžio"),
)
_ONLY_DATE = re.compile(
    r"[„“\"(]?(?:(?:nuo|iki|jau|dar|o|bet|ir|po|apie|tik|net|pagal|tačiau|taigi|būtent|tais|pačiais|tuo|šiais)\s+){0,2}"
    rf"(?:\d{{4}}(?:\s?[–-]\s?\d{{4}})?\s+m\.?)?\s*(?:(?:{'|'.join(_MONTHS)})\s+\d{{1,2}}(?:\s?[–-]\s?\d{{1,2}})?\s+d\.?)?",
    re.IGNORECASE,
)
# Whose act it is stands in the genitive ("5 d. Tarybos reglamentas"); another case begins a sentence ("5 d. Komisija
# priima sprendimą").
_LEGAL_ACT = re.compile(
    r"(?:[„“\"]?(?:\w+(?:ų|[aoeė]?us|[oė]s|ies|i?o)|ir|bei|dėl|Nr\.?|[\w.]*\d[\w/.-]*|(?-i:[A-ZĄČĘĖĮŠŲŪŽ]{2,}))[“\"]?,?\s+){1,9}?(?:reglament|direktyv|įsakym|nutarim|sprendim|įstatym|rekomendacij|komunikat|posėd|"
    r"rezoliucij|sutart|susitarim|rašt)",
    re.IGNORECASE,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Something always follows these, so their full stop never ends a sentence.
_NEVER_LAST = _words(
    """
    t y t.y š š.m pvz žr plg vad vadin nr dr prof doc habil akad tel mob faks el e el.p angl liet
    vok lot pranc rus lenk tarpt vyr įsk neįsk atitink maždaug sutr įm įm.k a.k s.k buv jaun
    vid mr mrs ms messrs st e.g i.e eg cf vs approx ca incl excl resp viz i
    """
)
_NEVER_LAST_IN_LITHUANIAN_ONLY = _words("lot rus buv mob")
"""Of these, what is an everyday word of English ("a lot. We")."""

# These may stand last: their full stop ends the sentence when a capitalised word follows that is neither a
# name nor an acronym, and the sentence has begun with more than "2018 m.".
_MAY_BE_LAST = _words(
    """
    m d mėn sav val min sek proc tūkst mln mlrd trln vnt egz g pr pl al a
    pavad str p psl sk skyr pastr lent pav priv k r raj apskr sen mstl kab ed par ltd inc co corp
    llc a.m p.m dept govt
    """
)

# Lists end with these, and so do sentences, whatever the next word is.
_LAST = _words("kt pan etc t.t eur lt kg km cm mm ha")

# These stand before a number; elsewhere they are words like any other ("the state of the art.").
_BEFORE_NUMBER = _words("no nos art fig figs sec vol pp ch par tab eq max min est p psl")

# After a legal form a name often goes on ("Acme Ltd. Vilnius"); only a word that opens sentences decides.
_LEGAL_FORM = _words("ltd inc co corp llc a.m p.m dept govt")

# Words that open sentences and are no names; after an initial or a dotted acronym only they decide.
_OPENERS = _words(
    """
    the a an it its this that these those they he she we you our their there here in on at for from
    with by as if when while after before since and but or so however each every some all most both
    only what who how why where which jis ji jie jos tai šis ši šie šios tas ta tie tos toks tokia
    tokie čia ten mes jūs kas kaip kur kada kodėl kiek kuris kuri ar o bet ir tačiau todėl taigi be
    nors jei jeigu kai nes kad pagal nuo iki po prieš per už su dėl apie vienas viena visi visos
    kiekvienas kita kitas kiti jų jo jos juos taip pat beje dabar tuomet tada
    """
)

# Beginnings of names that follow a date, an amount or a share within the sentence ("2021 m. Lietuvos…").
_NAMES = (
    "Lietuv", "Latvij", "Estij", "Lenkij", "Vokietij", "Prancūzij", "Ispanij", "Danij", "Suomij", "Švedij",
    "Norvegij", "Austrij", "Portugalij", "Italij", "Belgij", "Europ", "Baltij", "Vilni", "Kaun", "Klaipėd",
    "Šiauli", "Panevėž", "Berlyn", "Briusel", "Jungtin", "Seim", "Vyriausyb", "Tarybos", "Komisijos",
    "Ministr", "Ekonomikos ir", "Ūkio minist", "Mokslo, inov", "Inovacijų agent", "Eur", "Lt", "Lithuan",
    "Berlin", "Brussels", "Kr.",
)  # fmt: skip


def sentences(text: str, start: int = 0, end: int | None = None, language: Language = "lt") -> tuple[Span, ...]:
    """
    Find the sentences of `text[start:end]`, in order.

    The spans never overlap, begin and end with something other than white space, and together hold every such
    character; there is none for a blank text. None is longer than `LONGEST`. `language` decides only about
    abbreviations that are everyday words of the other language ("lot.").
    """
    end = len(text) if end is None else min(end, len(text))
    found: list[Span] = []
    for first, last in _paragraphs(text, start, end):
        for first_of, last_of in _ends(text, first, last, language):
            found.extend(_pieces(text, first_of, last_of))
    return tuple(found)


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    position = start
    for gap in _PARAGRAPH_END.finditer(text, start, end):
        yield position, gap.start()
        position = gap.end()
    yield position, end


def _ends(text: str, start: int, end: int, language: Language) -> Iterator[tuple[int, int]]:
    first = _skip_space(text, start, end)
    for stop in _STOP.finditer(text, first, end):
        if first < stop.start() and _is_end(text, first, stop, end, language):
            yield first, stop.end()
            first = _skip_space(text, stop.end(), end)
    if first < end:
        yield first, _skip_space_back(text, end)


def _skip_space(text: str, position: int, end: int) -> int:
    while position < end and text[position].isspace():
        position += 1
    return position


def _skip_space_back(text: str, position: int) -> int:
    while text[position - 1].isspace():
        position -= 1
    return position


def _is_end(text: str, first: int, stop: re.Match[str], end: int, language: Language) -> bool:
    """Whether the sentence that begins at `first` ends with the marks found by `_STOP`."""
    following = _NEXT_WORD.match(text, stop.end(), min(end, stop.end() + _AHEAD))
    if following is None:  # what is left holds no word and stays with this sentence
        return end - stop.end() > _AHEAD
    word = following[1]
    if word[0].islower() or text[stop.start() - 1] in "([":
        return False
    if stop["marks"] != ".":
        return True
    token_match = _TOKEN.search(text, max(first, stop.start() - 24), stop.start())
    if token_match is None:
        return True
    token = token_match[0]
    if token_match.start() == first + (text[first] in "([") and _ENUMERATOR.fullmatch(token):
        return False
    ends_abbreviation = _is_end_after(text, first, token_match, following, end, language)
    # A bracket after an abbreviation closes a remark inside the sentence: "(įmonės ir kt.) Lietuvoje".
    return ends_abbreviation is None or (ends_abbreviation and ")" not in stop["close"])


def _is_end_after(
    text: str, first: int, token_match: re.Match[str], following: re.Match[str], end: int, language: Language
) -> bool | None:
    """The same for a single full stop after a token; None when the token is no abbreviation."""
    token, word = _composed(token_match[0]), _composed(following[1])
    lower = token.lower()
    position = following.start(1)
    ahead = _composed(text[position : min(end, position + 150)])
    initial = len(word) == 1 and ahead.startswith(".", 1)
    opener = word.lower() in _OPENERS and not initial and (len(word) == 1 or not word.isupper())
    if token[-1].isupper() and _INITIALS.fullmatch(token):
        return opener
    if lower == "t" and text[max(first, token_match.start() - 4) : token_match.start()].rstrip().endswith("t."):
        lower = "t.t"
    if lower in _LAST and not (language == "en" and lower == "pan"):
        return True
    if lower in _NEVER_LAST and not (language == "en" and lower in _NEVER_LAST_IN_LITHUANIAN_ONLY):
        return False
    if lower in _BEFORE_NUMBER and (word[0].isdigit() or re.fullmatch("[IVXLC]+", word)):
        return False
    if lower not in _MAY_BE_LAST:
        return None
    if following[0].strip() != following[1]:
        return False  # a name in quotation marks, a remark in brackets, a dash, a table cell
    if word[0].isdigit():
        return _YEAR.match(ahead) is not None
    if lower in _LEGAL_FORM:
        return opener
    begun = _composed(text[first : min(token_match.end(), first + 60)])
    if len(begun.split(None, 3)) < 3 or (lower in ("m", "d") and _ONLY_DATE.fullmatch(begun)):
        return False
    if opener:
        return True
    if (word.isupper() and len(word) > 1) or ahead.startswith(_NAMES) or _PLACE.match(ahead) or word.lower() in _MONTHS:
        return False
    return not (lower in ("m", "d") and _LEGAL_ACT.match(ahead))


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """Cut a sentence that is too long to be quoted; only white space is left out."""
    too_long = end - start > SPLIT_AT
    clauses = [match.end() for match in _CLAUSE_END.finditer(text, start, end)] if too_long else []
    while end - start > SPLIT_AT:
        cut = _last_clause(clauses, start)
        if cut is None:
            if end - start <= LONGEST:
                break
            cut = _last_space(text, start, start + LONGEST)
        yield Span(start, _skip_space_back(text, cut))
        start = _skip_space(text, cut, end)
    if start < end:
        yield Span(start, end)


def _last_clause(clauses: list[int], start: int) -> int | None:
    """The last place between clauses that leaves a piece of a fair size, neither a stub nor too long."""
    i = bisect_right(clauses, start + SPLIT_AT)
    return clauses[i - 1] if i and clauses[i - 1] > start + SPLIT_AT // 6 else None


def _last_space(text: str, start: int, limit: int) -> int:
    for position in range(limit, start, -1):
        if text[position].isspace():
            return position
    return limit
