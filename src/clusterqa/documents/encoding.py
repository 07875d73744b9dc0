"""
Bytes → text, with the encodings that Lithuanian files come in, and no silent damage.

In order: a byte order mark, strict UTF-8, then the eight-bit encodings by what their letters look like in
words. Text that was damaged before it was saved (Lithuanian letters turned into others) is refused: the
stored text must be what the file says, and what it says is wrong.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter

from clusterqa.errors import UnreadableDocument

LITHUANIAN_LETTERS = frozenset("ąčęėįšųūžĄČĘĖĮŠŲŪŽ")
WESTERN_LETTERS = frozenset("àâäáãåæçèéêëíîïñóôöõøúûüùýßœšžÀÂÄÁÃÅÆÇÈÉÊËÍÎÏÑÓÔÖÕØÚÛÜÙÝŒŠŽ")

EIGHT_BIT = ("cp1257", "iso8859_13", "cp775", "cp1252", "latin_1")
"""Tried in this order when the bytes are not UTF-8; the first of the best wins."""

NAMES = {
    "cp1257": "windows-1257",
    "iso8859_13": "ISO-8859-13",
    "cp775": "CP775 (DOS Baltic)",
    "cp1252": "windows-1252",
    "latin_1": "ISO-8859-1",
    "cp1250": "windows-1250",
    "cp1251": "windows-1251",
}

MOJIBAKE_SHARE = 0.05
"""
Share of words with turned letters above which a text is refused; in Lithuanian about a third of the words
would be.
"""

_TO_BE_SURE = "Save it as UTF-8 to be sure that every letter is right."

NUL_SHARE = 0.01
"""Share of NUL bytes above which a file is no plain text; UTF-16 without a mark has them in every other place."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAVE_AGAIN = "Open the original in the program it was made with and save it again as UTF-8."
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_WORD = re.compile(r"[^\W\d_]+(?:[^\w\s,.;:!?()\[\]\"'“”„–—/-][^\W\d_]+)*")


def decode(raw: bytes, document: str, declared: str | None = None) -> tuple[str, list[str]]:
    """
    The text of a file and warnings about how it was read. The byte order mark is left out; nothing else is
    changed.

    `declared` is an encoding that the file itself names (HTML does); it is believed unless the bytes are
    valid UTF-8 or Lithuanian words come out wrong. Raises UnreadableDocument for an empty file, bytes that
    are no text, and text that was damaged before it was saved.
    """
    if not raw.strip(b" \t\r\n\f"):
        raise UnreadableDocument(document, "The file is empty.", "Put text into it or remove it.")
    text, warnings = _decode(raw, document, declared)
    if not text.strip():
        raise UnreadableDocument(document, "The file holds no text.", "Put text into it or remove it.")
    nulls = text.count("\0")
    if nulls > NUL_SHARE * len(text):
        raise UnreadableDocument(
            document,
            "The file holds NUL bytes, so it is not plain text (or it is UTF-16 without a byte order mark).",
            "Save it again as UTF-8 text, or rename it to what it is.",
        )
    if nulls:  # one letter for another, so that every place stays where it is
        line = text.count("\n", 0, text.index("\0")) + 1
        warnings.append(f"NUL bytes, shown as �: {nulls}, the first in line {line}. {_SAVE_AGAIN}")
        text = text.replace("\0", "\ufffd")
    controls = _CONTROLS.findall(text)
    if len(controls) > len(text) / 20:
        raise UnreadableDocument(
            document,
            "The file holds control characters throughout, so it is not plain text.",
            "Save it again as UTF-8 text, or rename it to what it is.",
        )
    warnings += mojibake(text, document)
    if controls:
        line = text.count("\n", 0, text.index(controls[0])) + 1
        warnings.append(f"Control characters: {len(controls)}, the first (U+{ord(controls[0]):04X}) in line {line}.")
    if damaged := text.count("\ufffd") - nulls:
        line = text.count("\n", 0, text.index("\ufffd")) + 1
        warnings.append(f"Damaged characters (�): {damaged}, the first in line {line}. {_SAVE_AGAIN}")
    return text, warnings


def _decode(raw: bytes, document: str, declared: str | None) -> tuple[str, list[str]]:
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            try:
                return raw[len(mark) :].decode(encoding), []
            except UnicodeDecodeError as error:
                if encoding == "utf-8":
                    break
                raise UnreadableDocument(
                    document,
                    f"The file starts as {encoding[:-3].upper()} but breaks off at byte {error.start}.",
                    _SAVE_AGAIN,
                ) from error
    many_nulls = raw.count(b"\0") > NUL_SHARE * len(raw)
    if many_nulls and (wide := _wide(raw)):
        return wide, [f"Read as UTF-16. {_TO_BE_SURE}"]
    try:
        return raw.decode("utf-8"), []
    except UnicodeDecodeError:
        pass
    if many_nulls:
        return "\0", []
    if declared and (text := _as_declared(raw, declared, document)):
        return text, []
    patched = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    damaged = patched.count("\ufffd") - raw.count("\ufffd".encode())
    letters = sum(c > "\x7f" for c in patched) - patched.count("\ufffd")
    if letters > 4 * damaged:  # UTF-8 with a few broken bytes: in an eight-bit text valid sequences are accidents
        return patched, []
    return _eight_bit(raw, document)


def _wide(raw: bytes) -> str:
    """The text in UTF-16 without a byte order mark, told from where its NUL bytes stand; "" where it is none."""
    first, second = raw[0::2].count(0), raw[1::2].count(0)
    try:
        text = raw.decode("utf-16-be" if first > second else "utf-16-le")
    except UnicodeDecodeError:
        return ""
    strange = sum(unicodedata.category(c) in ("Cc", "Cn", "Co") and c not in "\t\n\f\r" for c in text)
    return text if not strange and 10 * min(first, second) <= max(first, second) else ""


def is_eight_bit(name: str) -> bool:
    """Whether a name, in small letters, is that of an encoding with a byte for each letter."""
    pattern = r"(windows-|cp|ibm|x-cp)?\d{3,4}|(iso[-_]?)?8859[-_]\d{1,2}|iso8859-\d{1,2}|latin-?\d|macintosh"
    return re.fullmatch(pattern, name) is not None


_NOT_FOR_TEXTS = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})
"""What Python keeps among its encodings for names of hosts and for source code; some take hours where a text is long."""


def is_for_texts(name: str) -> bool:
    """Whether a name, wherever it comes from, is that of an encoding that texts are written in."""
    try:
        b"aaaa".decode(name, "replace")
        return codecs.lookup(name).name not in _NOT_FOR_TEXTS
    except (LookupError, ValueError):
        return False


def _as_declared(raw: bytes, declared: str, document: str) -> str | None:
    """The text in the encoding that the file names, or None when that cannot be right."""
    name = declared.lower()
    if not is_eight_bit(name):
        return None
    if re.fullmatch(r"(iso[-_]?)?8859[-_]1|iso8859-1|latin-?1", name):
        name = "cp1252"  # browsers read it so, and pages are made to look right in browsers
    if re.fullmatch(r"(iso[-_]?)?8859[-_]13|iso8859-13|latin-?7", name) and re.search(rb"[\x80-\x9f]", raw):
        name = "cp1257"  # its letters are the same, and only Windows has signs there
    try:
        text = raw.decode(name.removeprefix("x-"))
        mojibake(text, document)  # windows-1257 declared as ISO-8859-1: the declaration is wrong, not the text
    except (LookupError, UnicodeError, UnreadableDocument):
        return None
    return text


def _eight_bit(raw: bytes, document: str) -> tuple[str, list[str]]:
    high = sum(byte >= 0x80 for byte in raw)
    ascii_letters = sum(chr(byte).isalpha() for byte in raw if byte < 0x80)
    english = _is_english(raw)
    scores = {encoding: _plausibility(raw, encoding, english) for encoding in EIGHT_BIT}
    best = max(EIGHT_BIT, key=scores.__getitem__)
    if scores[best] <= 0 or high > ascii_letters:
        raise UnreadableDocument(
            document, "The file is in an encoding that is not recognised (it is not UTF-8).", _SAVE_AGAIN
        )
    text = raw.decode(best)
    return text, [f"Read as {NAMES[best]}. {_TO_BE_SURE}"]


_ENGLISH_WORDS = frozenset(b"the of and to in is for that with are this which by from".split())
_LITHUANIAN_WORDS = frozenset(b"ir yra kad kaip tai su bei nuo iki per arba pagal buvo jei ar bet tik kuri".split())


def _is_english(raw: bytes) -> bool:
    words = re.findall(rb"[a-z]+", raw.lower())
    return sum(w in _ENGLISH_WORDS for w in words) > sum(w in _LITHUANIAN_WORDS for w in words)


# What only a Lithuanian word ends in; „ą“ is left out, as “voilà” would end in it.
_LITHUANIAN_END = re.compile(r"(?:[ėųūįš]|(?:[iy]|i?u|a)s|ienės?|yt[eę]|iams|uose)\Z", re.IGNORECASE)


# Their bytes are ë, û, ð, þ, ø in windows-1252, rare in an English text; à, æ, è, á come in loan words.
_LITHUANIAN_ONLY = frozenset("ėūšžųĖŪŠŽŲ")
_SIGNS = dict.fromkeys(map(ord, "¹²³°·©®™§±µ’‘\u00a0\u00ad"))


def _plausibility(raw: bytes, encoding: str, english: bool) -> float:
    """
    How well the words with high bytes read in an encoding: about +1 a good word, −1 a bad one.

    A word is bad when a letter in it belongs to neither alphabet, or stands in the wrong case, or a sign that
    is no letter stands inside it. In an English text a Lithuanian letter is expected only in a Lithuanian
    name.
    """
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return -1.0
    score = 0.001  # a text with nothing to judge by goes to the first encoding that can hold it
    for word in _WORD.findall(text):
        word = word.translate(_SIGNS)
        special = {c for c in word if c > "\x7f"}
        if not special:
            continue
        if not (word.isalpha() and (word.islower() or word.isupper() or (word[:1].isupper() and word[1:].islower()))):
            score -= 1
        elif encoding not in ("cp1252", "latin_1"):
            if special <= LITHUANIAN_LETTERS:
                certain = not english or _LITHUANIAN_END.search(word) or special & _LITHUANIAN_ONLY
                score += 1 if certain else 0.4
            else:
                score += 0.2 if special <= set("éöüäÉÖÜÄõó") else -1
        else:
            score += 0.5 if special <= WESTERN_LETTERS else -1
    # Quotation marks and dashes show windows-1257 and not ISO-8859-13; control codes rule out ISO-8859-1.
    score += 0.1 * sum(text.count(c) for c in "„“”‘’–—…•€")
    return score - sum("\x80" <= c <= "\x9f" for c in text) - 0.2 * text.count("´")


def _turned(wrong: str) -> frozenset[str]:
    """The letters that Lithuanian ones in windows-1257 become when they are read in the encoding `wrong`."""
    letters = "".join(sorted(LITHUANIAN_LETTERS)).encode("cp1257").decode(wrong, "replace")
    return frozenset(c for c in letters if c.isalpha()) - LITHUANIAN_LETTERS


_TURNED = {wrong: _turned(wrong) for wrong in ("cp1252", "cp1250", "cp1251")}
_STRONG = {  # what š, ž, ų become: in Lithuanian together as frequent as all the rest
    wrong: frozenset("šžųŠŽŲ".encode("cp1257").decode(wrong)) - LITHUANIAN_LETTERS for wrong in _TURNED
}


_DANISH = frozenset("æøÆØ")
"""A text in which no other letter looks turned is in Danish or Norwegian."""


def _split_utf8() -> re.Pattern[str]:
    """What Lithuanian letters and „–“ in UTF-8 become when their bytes are read one by one."""
    forms = set()
    for char in [*LITHUANIAN_LETTERS, *"„“”–—’"]:
        for wrong in ("latin_1", "cp1252", "cp1257", "cp1250"):
            try:
                forms.add(char.encode().decode(wrong))
            except UnicodeDecodeError:
                continue
    return re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))


_SPLIT_UTF8 = _split_utf8()


_FROM_ORIGINAL = (
    "Save it again as UTF-8 from the original; the letters cannot be put right here, as quotes must be exact."
)


def mojibake(text: str, document: str, next_step: str = _FROM_ORIGINAL) -> list[str]:
    """
    Refuse a text whose Lithuanian letters were turned into others before it was saved; warn when only a few
    look so.

    „Klasteriø þenklas“ is windows-1257 read as windows-1252, „KlasteriÅ³ Å¾enklas“ is UTF-8 read byte by
    byte. Both could be turned back, but then a quote would not be what the file says.
    """
    split = _SPLIT_UTF8.findall(text)
    if split:
        example = _around(text, _SPLIT_UTF8)
        if len(split) >= 2 and len(split) > MOJIBAKE_SHARE * len(text.split()):
            _refuse(document, f"UTF-8 read as another encoding, such as “{example}”", next_step)
        return [_doubtful(len(split), example)]
    words = _WORD.findall(text)
    counts = Counter("".join(words))
    for wrong, turned in _TURNED.items():
        hit = [word for word in words if not turned.isdisjoint(word)]
        letters = "".join(hit)
        turned_letters = [c for c in letters if c in turned]
        others = sum(n for c, n in counts.items() if c > "\x7f" and c not in turned and c not in LITHUANIAN_LETTERS)
        right = sum(counts[c] for c in LITHUANIAN_LETTERS)
        strong = sum(c in _STRONG[wrong] for c in turned_letters)
        if wrong == "cp1251" and sum("а" <= c.lower() <= "я" for c in text) > 1.2 * len(turned_letters):
            continue  # a Cyrillic text
        if (
            len(hit) < 2
            or len(set(map(str.lower, turned_letters))) < 2
            or _DANISH.issuperset(turned_letters)
            or others > 0.2 * len(turned_letters)
            or right > 0.3 * len(turned_letters)
            or strong < 0.2 * len(turned_letters)
        ):
            continue
        example = next(word for word in hit if not _STRONG[wrong].isdisjoint(word))
        if len(hit) > MOJIBAKE_SHARE * len(words):
            _refuse(document, f"windows-1257 read as {NAMES[wrong]}, such as “{example}”", next_step)
        return [_doubtful(len(hit), example)]
    return []


def _doubtful(count: int, example: str) -> str:
    return (
        f"Letters that look as if they had been turned into others: {count} times, such as “{example}”. "
        "Compare them with the original."
    )


def _around(text: str, pattern: re.Pattern[str]) -> str:
    found = pattern.search(text)
    place = found.start() if found else 0
    start = max(text.rfind(" ", 0, place) + 1, text.rfind("\n", 0, place) + 1, place - 20)
    return _CONTROLS.sub("·", text[start : place + 12].split("\n")[0].strip())


def _refuse(document: str, what: str, next_step: str) -> None:
    raise UnreadableDocument(document, f"Its Lithuanian letters were damaged before it was saved: {what}.", next_step)
