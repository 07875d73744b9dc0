"""
From what a person typed to what is searched for, or to a short reply where there is nothing to search.

Follow-ups ("Who can take part?", "and for gold?") are read along with the earlier questions, whose words weigh less; where a
question only names another thing, that takes the place of the earlier word that is nearest to it in meaning ("gold" of
"bronze"). Words alone cannot tell a follow-up from a new subject ("eccp"), so what may be either is read both
ways; which is meant the pipeline decides by what either finds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from clusterqa.ports import Encoder
from clusterqa.records import Language, Query, Question, Remark, RemarkKind
from clusterqa.retrieval.small_talk import question_in, recognised
from clusterqa.text.analysis import content_words, fold, nfc
from clusterqa.text.language import detect
from clusterqa.text.neighbours import neighbour

MAX_CHARACTERS = 2000
MAX_HISTORY = 6
"""Earlier questions looked at; older ones no longer bear on what is meant."""
THREAD = 3
"""Earlier questions that a follow-up is read along with."""
LONGEST_THREAD = 600
"""Characters of them."""
LENT_WEIGHT = 0.4
"""Weight of the words of an earlier question."""
FEW_WORDS = 4
"""Content words of a question that may lean on the ones before though nothing in it says so: "who can take part?"."""
UNSIGNED = 0.2
"""How much surer the reading with the earlier questions must be where nothing says that a question leans on them."""
LONGEST_ELLIPSIS = 4
"""Words of a question that only names another thing than the one before: "what about gold"."""

LAST_YEAR = 2100
"""A number up to this may be a year, unless it is money."""
_LONG_NUMBER = re.compile(r"(?<![\w.,:/+#-])[1-9]\d{3,6}(?![\w-]|[.,:/]\d)")
_CURRENCY = re.compile(r"[€£$]|eur|usd|pound|dol", re.IGNORECASE)
_OPENER = re.compile(r"^(?:o|ir|bet|tai|tada|and|but|so|then|or|what about|how about|what if|kaip del|o kaip)\b")
_POINTING = frozenset(
    """jis ji jie jos jo ju jam jai jiems joms ja ji juo juos jas tai sis si sie sios sio siam siai siuo sia tas ta tie tos to
    tam tuo toks tokia toki tokio tokios tokie ten tada it its they them their theirs that this those these there he she his
    her him one ones then""".split()
)


def understand(question: Question, encoder: Encoder, replaces_cosine: float) -> tuple[Query, ...] | Remark:
    """
    What may be meant by a question in its conversation: its readings, the likeliest first, at most three.

    The language is that of the words; where they say nothing ("ESCA", "2026") the caller's, then the conversation's. A new
    word takes the place of an earlier one that it is as near to as `replaces_cosine`.
    """
    text = nfc(question.text)
    history = [nfc(earlier[:MAX_CHARACTERS]) for earlier in question.history[-MAX_HISTORY:] if earlier.strip()]
    language = _language(text, question.language, history)
    if remark := _remark(text):
        return Remark(remark, language)
    clean = _grouped(question_in(_tidy(text)), language)
    own = dict.fromkeys(content_words(clean), 1.0)

    def read(full: str, words: Mapping[str, float], doubt: float = 0.0) -> Query:
        return Query(full, language, encoder.read_query(full), words, doubt)

    earlier = [before for before in history if _remark(before) is None]
    leans = is_follow_up(clean)
    if not earlier or not (leans or len(own) <= FEW_WORDS):
        return (read(clean, own),)
    if not leans:
        return (read(clean, own), read(*_along(clean, earlier, {}), doubt=UNSIGNED))
    readings = [_along(clean, earlier, {}), (clean, own)]
    if replaced := _replaced(clean, earlier, encoder, replaces_cosine):
        readings.insert(0, _along(clean, earlier, replaced))
    return tuple(read(full, words) for full, words in readings)


def is_follow_up(text: str) -> bool:
    """Whether a question leans on an earlier one: it opens like one, points back, or has hardly a word of its own."""
    plain = " ".join(re.findall(r"\w+", fold(text)))
    tokens = plain.split()
    if _OPENER.match(plain) and len(tokens) <= 14:
        return True
    if len(tokens) <= 14 and _POINTING.intersection(tokens):
        return True
    return len(content_words(text)) <= 1 and len(tokens) <= 5


def is_ellipsis(text: str) -> bool:
    """Whether a question is so short that, where it leans on the one before, it only names another thing: "and gold?"."""
    return len(text.split()) <= LONGEST_ELLIPSIS


def _language(text: str, default: Language | None, history: Sequence[str]) -> Language:
    if default is None:
        for earlier in reversed(history):
            found = detect(earlier)
            if found.certain:
                default = found.language
                break
    if neighbour(text):
        return default or "en"
    return detect(text, default=default).language


def _remark(text: str) -> RemarkKind | None:
    if (
        any(unicodedata.category(c) in ("Cc", "Co", "Cs", "Cn") and c not in "\n\r\t" for c in text)
        or text.count("\ufffd") > 2
    ):
        return "unreadable"
    if not any(c.isalnum() for c in text):
        return "empty"
    if len(text) > MAX_CHARACTERS:
        return "too_long"
    return recognised(text)


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _grouped(text: str, language: Language) -> str:
    """
    A text with its long numbers as documents of the language write them, which the encoder reads otherwise: "1650 euros" is
    "1,650 euros", „2950“ „2 950“. What may be a year, or the number of a thing ("ISO 9001", „Nr. 4131“), stays.
    """
    separator = "," if language == "en" else " "

    def group(found: re.Match[str]) -> str:
        before, after = text[: found.start()].split()[-1:], text[found.end() :].lstrip()
        is_money = _CURRENCY.match(after) or any(map(_CURRENCY.match, before))
        is_named = any(word.endswith(".") or word.isupper() for word in before)
        if not is_money and (is_named or int(found[0]) <= LAST_YEAR):
            return found[0]
        return f"{int(found[0]):,}".replace(",", separator)

    return _LONG_NUMBER.sub(group, text)


def _thread(earlier: Sequence[str]) -> str:
    """The last questions before this one; of long ones the end, so that room is left for it."""
    thread = " ".join(_tidy(before) for before in earlier[-THREAD:])
    return thread if len(thread) <= LONGEST_THREAD else thread[-LONGEST_THREAD:].partition(" ")[2]


def _along(text: str, earlier: Sequence[str], replaced: Mapping[str, str]) -> tuple[str, dict[str, float]]:
    """A question behind the earlier ones of its thread, some words of theirs replaced, and the words with their weights."""
    thread, own = _thread(earlier), content_words(text)
    lent = [word for word in content_words(thread) if word not in own and word not in replaced]
    for word, instead in replaced.items():
        thread = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", instead, thread, flags=re.IGNORECASE)
    return f"{thread} {text}", dict.fromkeys(own, 1.0) | dict.fromkeys(lent, LENT_WEIGHT)


def _replaced(text: str, earlier: Sequence[str], encoder: Encoder, replaces_cosine: float) -> dict[str, str]:
    """
    Where a question only names another thing: earlier word → the new word that takes its place. Of the earlier ones it is the
    nearest, measured by how near it is to the others: "gold" is as near to "label" as to "silver", but "label" is near to all.
    """
    if not (_OPENER.match(fold(text)) and is_ellipsis(text)):
        return {}
    own, lent = content_words(text), content_words(_thread(earlier))
    new, old = [word for word in own if word not in lent], [word for word in lent if word not in own]
    if not new or not old:
        return {}
    vectors = encoder.encode_queries([*new, *old])
    cosines, among = vectors[: len(new)] @ vectors[len(new) :].T, vectors[len(new) :] @ vectors[len(new) :].T
    usual = (among.sum(axis=0) - 1) / max(len(old) - 1, 1)
    result: dict[str, str] = {}
    for row, word in enumerate(new):
        column = int((cosines[row] - usual).argmax())
        if cosines[row, column] >= replaces_cosine and old[column] not in result:
            result[old[column]] = word
    return result
