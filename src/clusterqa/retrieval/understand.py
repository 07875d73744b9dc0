"""
From what a person typed to what is searched for, or to a short reply where there is nothing to search.

Follow-ups ("O kiek jis galioja?", "and for gold?") are completed from the earlier questions: words of theirs are lent at a
lower weight, and a new word takes the place of the earlier one that is nearest to it in meaning ("gold" of "bronze"). Words
alone cannot tell a follow-up from a new subject ("eccp"), so what may be one is read both ways; which is meant
the pipeline decides by what either finds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from clusterqa.ports import Encoder
from clusterqa.records import Language, Query, Question, Remark, RemarkKind
from clusterqa.retrieval.small_talk import question_in, recognised
from clusterqa.text.analysis import content_words, fold, nfc
from clusterqa.text.language import detect
from clusterqa.text.neighbours import neighbour

MAX_CHARACTERS = 2000
MAX_HISTORY = 6
"""Earlier questions looked at; older ones no longer bear on what is meant."""
LENT_WEIGHT = 0.5
LONGEST_ELLIPSIS = 3
"""Words of a question that only names another thing than the one before: "what about gold"."""

_OPENER = re.compile(r"^(?:o|ir|bet|tai|tada|and|but|so|then|or|what about|how about|what if|kaip del|o kaip)\b")
_POINTING = frozenset(
    """jis ji jie jos jo ju jam jai jiems joms ja ji juo juos jas tai sis si sie sios sio siam siai siuo sia tas ta tie tos to
    tam tuo toks tokia toki tokio tokios tokie ten tada it its they them their theirs that this those these there he she his
    her him one ones then""".split()
)


def understand(question: Question, encoder: Encoder, replaces_cosine: float) -> tuple[Query, ...] | Remark:
    """
    What may be meant by a question in its conversation: its readings, the likeliest first, at most two.

    The language is that of the words; where they say nothing ("ESCA", "2026") the caller's, then the conversation's. A new
    word takes the place of an earlier one that it is as near to as `replaces_cosine`.
    """
    text = nfc(question.text)
    history = [nfc(earlier[:MAX_CHARACTERS]) for earlier in question.history[-MAX_HISTORY:] if earlier.strip()]
    language = _language(text, question.language, history)
    if remark := _remark(text):
        return Remark(remark, language)
    clean = question_in(_tidy(text))
    readings = [(clean, dict.fromkeys(content_words(clean), 1.0))]
    earlier = [before for before in history if _remark(before) is None]
    if earlier and is_follow_up(clean):
        readings.insert(0, _completed(clean, earlier, encoder, replaces_cosine))
    return tuple(Query(full, language, encoder.read_query(full), words) for full, words in readings)


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


def _in_context(
    text: str, earlier: Sequence[str], encoder: Encoder, replaces_cosine: float
) -> tuple[str, dict[str, float]]:
    """A question and its words with their weights, completed where it leans on the earlier ones."""
    if earlier and is_follow_up(text):
        return _completed(text, earlier, encoder, replaces_cosine)
    return text, dict.fromkeys(content_words(text), 1.0)


def _completed(
    text: str, earlier: Sequence[str], encoder: Encoder, replaces_cosine: float
) -> tuple[str, dict[str, float]]:
    """The question completed from the earlier ones, and its words with their weights."""
    own = content_words(text)
    words = dict.fromkeys(own, 1.0)
    before_text, before = _in_context(_tidy(earlier[-1]), earlier[:-1], encoder, replaces_cosine)
    new = [word for word in own if word not in before]
    replaced = _replaced(new, [word for word in before if word not in own], encoder, replaces_cosine, is_ellipsis(text))
    for old, word in replaced.items():
        before_text = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", word, before_text, count=1, flags=re.IGNORECASE)
    for word, weight in before.items():
        if word not in replaced:
            words.setdefault(word, weight * LENT_WEIGHT if own else weight)
    return f"{before_text} {text}", words


def _replaced(
    new: Sequence[str], old: Sequence[str], encoder: Encoder, replaces_cosine: float, ellipsis: bool
) -> dict[str, str]:
    """
    Earlier word → the new word that takes its place: of the earlier ones that which is nearest to it.

    In an ellipsis measured by how near it is to the others: "gold" is as near to "label" as to "silver", but "label" is near to all.
    """
    if not new or not old or len(new) > 3:
        return {}
    vectors = encoder.encode_queries([*new, *old])
    cosines, among = vectors[: len(new)] @ vectors[len(new) :].T, vectors[len(new) :] @ vectors[len(new) :].T
    usual = (among.sum(axis=0) - 1) / max(len(old) - 1, 1) if ellipsis else 0
    result: dict[str, str] = {}
    for row, word in enumerate(new):
        column = int((cosines[row] - usual).argmax())
        if cosines[row, column] >= replaces_cosine and old[column] not in result:
            result[old[column]] = word
    return result
