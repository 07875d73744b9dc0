"""
Which lines begin with the bullet or the number of a list item: the same for plain text and for PDF.

A bullet is one always. A number or a single letter is one only where another such line goes before or after it in the
count: "A. Jonaitis" alone, or "2. Auflage", begins with no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

FARTHEST = 80
"""An item's number counts with the one before it when at most so many lines lie between."""

_BULLET = r"[-*•·‣▪▫◦●○■□–—\uf0b7\uf0a7\uf0d8\u2713✓➢]"
BULLETED = re.compile(rf"\s*{_BULLET}[ \t\u00a0]+(?=\S)")
NUMBERED = re.compile(r"\s*(\()?(?:(\d{1,2}(?:\.\d{1,2}){1,4})[.)]?|(\d{1,3}|[a-zA-Ząčęėįšųūž])[.)])[ \t\u00a0]+(?=\S)")
"""What may be the number of an item: „1.1.“, „2)“, „(a)“."""

_Chain = list[tuple[int, tuple[int, ...], int]]


def is_marker(text: str) -> bool:
    """Whether a text is nothing but the bullet or the number of a list item."""
    found = BULLETED.match(f"{text} x") or NUMBERED.match(f"{text} x")
    return found is not None and found.end() == len(text) + 1


def marks(lines: Iterable[str | None]) -> dict[int, int]:
    """How long the mark is that a line begins with, by the line's place; None stands for a line that has none."""
    chains: dict[object, _Chain] = {}
    found: dict[int, int] = {}

    def settle(chain: _Chain) -> None:
        if len(chain) > 2 or (len(chain) == 2 and chain[0][1][-1] == 1):
            found.update({place: length for place, _, length in chain})

    for place, line in enumerate(lines):
        if line is None:
            continue
        if mark := BULLETED.match(line):
            found[place] = mark.end()
        elif mark := NUMBERED.match(line):
            kind, value = _counted(mark)
            chain = chains.get(kind, [])
            if chain and not (place - chain[-1][0] <= FARTHEST and _goes_after(chain[-1][1], value)):
                settle(chain)
                chain = []
            chain.append((place, value, mark.end()))
            chains[kind] = chain
    for chain in chains.values():
        settle(chain)
    return found


def _counted(found: re.Match[str]) -> tuple[tuple[object, ...], tuple[int, ...]]:
    """The kind of an item's number (how it is written, how deep it counts) and its value."""
    text = found[2] or found[3]
    punctuation = found[0].strip()[-1]
    if text[0].isdigit():
        value = tuple(map(int, text.split(".")))
        return (found[1], punctuation in ".)" and punctuation, len(value)), value
    return (found[1], punctuation, text.isupper()), (ord(text.lower()) - ord("a") + 1,)


def _goes_after(before: tuple[int, ...], value: tuple[int, ...]) -> bool:
    """Whether an item's number follows another of the same depth: 1.2 after 1.1, 2.1 after 1.3."""
    if value[:-1] == before[:-1]:
        return value[-1] == before[-1] + 1
    return value[-1] == 1 and value[:-1] > before[:-1]
