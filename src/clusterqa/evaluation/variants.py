"""Variants of Lithuanian questions, as people type them on a phone: without diacritics, and with one slip of the finger."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from clusterqa.evaluation.sets import Item
from clusterqa.text.analysis import is_stop_word, nfc

SEED = 20261123
SHORTEST = 4
"""Letters of the shortest word that gets a typing error; in a shorter one it makes another word."""

# The Lithuanian layout: its letters stand on the row of the digits, ž on the key after the minus.
_ROWS = (("ąčęėįšųū", 0.0), ("ž", 11.0), ("qwertyuiop", 0.5), ("asdfghjkl", 0.75), ("zxcvbnm", 1.25))
_HEIGHTS = (0, 0, 1, 2, 3)
_WORD = re.compile(rf"[^\W\d_]{{{SHORTEST},}}")
_DIACRITICS = str.maketrans("ąčęėįšųūžĄČĘĖĮŠŲŪŽ", "aceeisuuzACEEISUUZ")


def variants(items: Iterable[Item], seed: int = SEED) -> list[Item]:
    """
    Each Lithuanian question without diacritics and each with one typing error, in the order of the questions.

    A variant has the id, the split and the answers of its question and says in `variant` what it is. A question that is
    typed without diacritics already, or has no word to mistype, has no such variant. The same seed gives the same variants.
    """
    found = []
    for item in items:
        if item.language == "lt" and not item.variant:
            found += [variant for variant in (without_diacritics(item), with_typo(item, seed)) if variant]
    return found


def without_diacritics(item: Item) -> Item | None:
    """The question and its history without Lithuanian diacritics; None when they have none."""
    typed = [nfc(text) for text in (item.question, *item.history)]
    plain = [text.translate(_DIACRITICS) for text in typed]
    if plain == typed:
        return None
    return replace(item, question=plain[0], history=tuple(plain[1:]), variant="folded")


def with_typo(item: Item, seed: int = SEED) -> Item | None:
    """
    The question with one typing error in one of its words: two letters swapped, one left out, or its neighbour hit.

    The word is one that search weighs, where there is one; its first letter stays, as it does in most real errors.
    """
    text = nfc(item.question)
    places = [match.span() for match in _WORD.finditer(text)]
    places = [span for span in places if not is_stop_word(text[slice(*span)].lower())] or places
    draw = random.Random(f"{seed}:{item.id}")
    draw.shuffle(places)
    for start, end in places:
        kinds = ["swap", "omit", "neighbour"]
        draw.shuffle(kinds)
        for kind in kinds:
            wrong = _mistyped(text[start:end], kind, draw)
            if wrong:
                return replace(item, question=text[:start] + wrong + text[end:], variant="typo")
    return None


def _mistyped(word: str, kind: str, draw: random.Random) -> str | None:
    if kind == "swap":
        choices = [i for i in range(1, len(word) - 1) if word[i].lower() != word[i + 1].lower()]
        if not choices:
            return None
        i = draw.choice(choices)
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    i = draw.randrange(1, len(word))
    if kind == "omit":
        return word[:i] + word[i + 1 :]
    near = _neighbours().get(word[i].lower(), "")
    if not near:
        return None
    letter = draw.choice(near)
    return word[:i] + (letter.upper() if word[i].isupper() else letter) + word[i + 1 :]


@cache
def _neighbours() -> dict[str, str]:
    """Letter → the letters a–z on the keys around it, in alphabetical order; nobody hits ą or š by mistake."""
    keys = [
        (letter, left + place, height)
        for (letters, left), height in zip(_ROWS, _HEIGHTS, strict=True)
        for place, letter in enumerate(letters)
    ]
    return {
        a: "".join(sorted(b for b, x, y in keys if b != a and b.isascii() and abs(x - p) <= 1 and abs(y - q) <= 1))
        for a, p, q in keys
    }
