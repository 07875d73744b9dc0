"""
What a PDF's fonts and places say wrongly of its letters, put right by how wide the letters are drawn.

One sign may draw two letters („Th“, „fi“) while its font says only one of them: it is as wide as both. A space may be
nothing but a gap, too narrow for pdfium to see, in a line whose other letters stand closer.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clusterqa.documents.symbols import UNKNOWN, sign

SPACE = 0.12
"""In letter sizes: so much wider than those around it is the gap that is a space."""

NARROWEST_SPACE = 0.06
"""In letter sizes: no narrower gap is a space, however tight its line."""

EVEN = 0.015
"""In letter sizes: so little the gaps of a line differ in which a gap half as wide as its spaces is one."""

FEWEST_SPACES = 3
"""So many spaces around a gap tell how wide those of its line are."""

AROUND = 12
"""So many letters on each side tell how wide the gaps of a line are."""

WIDE = 1.4
"""Times its usual width in its font: a wider sign is not the letter alone that it says."""

NARROWEST, WIDEST = 0.72, 0.98
"""How wide a sign for several letters is, as a share of what these letters take alone."""

_DOUBLE = ("Th", "ff", "fi", "fl", "ffi", "ffl")
"""What one sign draws in the fonts for text."""

_DOUBTFUL = frozenset(map(ord, "Thfil"))

_READ_FOR = {
    "Ɵ": "ti", "Ʃ": "tt", "Ō": "ft", "ƫ": "tti", "↵": "ff", "\ufffe": "ffi",
    **dict(zip("\x0b\x0c\r\x0e\x0f", ("ff", "fi", "fl", "ffi", "ffl"), strict=True)),
    **dict(zip("\x1b\x1c\x1d\x1e\x1f", ("ff", "fi", "fl", "ffi", "ffl"), strict=True)),
}  # fmt: skip
"""What the fonts of Office, and those of TeX without names, are known to say for their signs of several letters."""

_OWN = re.compile("[\ue000-\uf8ff]")
"""Codes that each font may give a meaning of its own."""


@dataclass(slots=True)
class Signs:
    """What was put right on the pages of a file, and where it could not be."""

    written: Counter[str] = field(default_factory=Counter)
    """How often each sign for several letters was read as what it draws."""

    unknown: list[str] = field(default_factory=list)
    """The pages with signs that are wider than the letter they say, and may be several."""


def _boxes(textpage: Any, count: int) -> Any:
    """An array of (left, top, right, bottom) of each letter with the room that its font gives it, in points."""
    import pypdfium2.raw as pdfium

    # With plain numbers for pointers: an object for each letter would cost more than the call.
    address = ctypes.cast(pdfium.FPDFText_GetLooseCharBox, ctypes.c_void_p).value or 0
    ask = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(address)
    page = ctypes.cast(textpage.raw, ctypes.c_void_p).value
    room = (ctypes.c_float * (4 * count))()
    start = ctypes.addressof(room)
    for index in range(count):
        ask(page, index, start + 16 * index)
    return np.ctypeslib.as_array(room).reshape(-1, 4).astype(float)


def put_right(letters: Any, label: str, signs: Signs, drawn_for: dict[int, str]) -> dict[int, str]:
    """
    What stands for some letters of a page instead of what their codes say, by their number: a space and the letter, or
    all letters that a sign draws. `letters` are `pdf_letters.Letters`; `signs` takes down what is not a space; `drawn_for`
    is what their outlines told already.
    """
    codes = np.array(letters.codes())
    if len(codes) < 2:
        return {}
    drawn = np.flatnonzero(codes > 0x20)
    if not len(drawn):
        return {}
    left, top, right, bottom = _boxes(letters.page, len(codes)).T
    turns = letters.look(letters.objects()[int(drawn[0])], int(drawn[0])).turns
    start, end, base, high = (
        (left, right, bottom, top), (bottom, top, left, right), (-right, -left, bottom, top), (-top, -bottom, left, right)
    )[turns]  # fmt: skip
    height = np.abs(high - base)
    written = drawn_for | _known(letters, codes, signs)
    if _are_uneven(codes, (end - start) / np.maximum(height, 0.01)):
        written |= _signs(letters, codes, start, end, turns, label, signs)
    for index in _gaps(letters, codes, start, end, base, height, turns):
        written[index] = " " + written.get(index, chr(codes[index]))
    return written


def _known(letters: Any, codes: Any, signs: Signs) -> dict[int, str]:
    """
    What is drawn for codes that are no letters, or others than they say: several letters, a sign of a symbol font, or
    `UNKNOWN`. A sign that stands alone at the beginning of its line is left as it is: it is the bullet of an item.
    """
    found: dict[int, str] = {}
    doubtful = (codes >= 0) & (codes < 0x20) | (codes >= 0xE000) & (codes <= 0xF8FF) | np.isin(codes, _OTHER_LETTERS)
    for index in map(int, np.flatnonzero(doubtful)):
        code = chr(codes[index])
        none = code < " " or code == "\ufffe"
        if none and (letters.is_hyphen(index) or not letters.is_drawn(index)):
            continue
        beside = [chr(codes[n]) for n in (index - 1, index + 1) if 0 <= n < len(codes) and codes[n] > 0x20]
        if (
            code in _READ_FOR
            and any("a" <= letter <= "z" for letter in beside)
            and (not none or _is_as_wide(letters, index, len(_READ_FOR[code])))
        ):
            found[index] = _READ_FOR[code]
            signs.written[found[index]] += 1
        elif none or _OWN.match(code):
            told = sign(ord(code), family(letters.font(index))) if code > " " else UNKNOWN
            if told != UNKNOWN or not _is_bullet(codes, index):
                found[index] = told
    return found


def _is_as_wide(letters: Any, index: int, count: int) -> bool:
    """Whether a sign is as wide as two, or three, of the letters f, i and l are together."""
    left, right, _, _ = letters.box(index)
    look = letters.look(letters.objects()[index], index)
    return bool(0.22 * count < (right - left) / (look.size * look.stretch) < 0.34 * count)


_OTHER_LETTERS = [ord(letter) for letter in _READ_FOR if letter > " "]


def family(font: str) -> str:
    """The name of a font without what tells a part of it and its kind: „ABCDEF+Wingdings-Regular“ is „wingdings“."""
    name = font.rpartition("+")[2].lower()
    return "symbol" if name.startswith("symbol") else re.split(r"[-,]", name)[0]


def _is_bullet(codes: Any, index: int) -> bool:
    """Whether a sign stands alone at the beginning of its line."""
    before = index - 1
    while before >= 0 and codes[before] in (0x20, 0xA0, -1):
        before -= 1
    first = before < 0 or codes[before] in (0x0A, 0x0D)
    return first and (index + 1 >= len(codes) or codes[index + 1] in (0x09, 0x0A, 0x0D, 0x20, 0xA0))


def _gaps(letters: Any, codes: Any, start: Any, end: Any, base: Any, height: Any, turns: int) -> list[int]:
    """The letters before which a space is drawn and not written."""
    gaps = start[1:] - end[:-1]
    beside = (codes[1:] > 0x20) & (codes[:-1] > 0x20) & (np.abs(base[1:] - base[:-1]) < 0.1 * height[1:])
    beside &= (gaps > -height[1:]) & (gaps < height[1:])
    written = np.flatnonzero((codes[1:-1] == 0x20) & (codes[:-2] > 0x20) & (codes[2:] > 0x20)) + 1
    spaces = start[written + 1] - end[written - 1]  # how wide those are that the file, or pdfium, has
    found = []
    for at in np.flatnonzero(beside & (gaps > NARROWEST_SPACE * height[1:])):
        index = int(at) + 1
        one, other = chr(codes[at]), chr(codes[index])
        if not (
            (other.isalnum() and (one.isalnum() or (other.isalpha() and one in ",;:.)’”")))
            or (one.isalpha() and other in "‘„“(")
        ):
            continue
        look = letters.look(letters.objects()[index], index)
        if look.turns != turns or look.tilted:
            continue
        near = slice(max(0, at - AROUND), at + AROUND)
        around = gaps[near][beside[near]]
        usual = float(np.median(around))
        uneven = float(np.median(np.abs(around - usual)))  # letters that are placed by rounded steps
        least = SPACE * look.size + max(usual, 0.0) + 2 * uneven
        if gaps[at] <= least and uneven < EVEN * look.size and usual < 0.5 * NARROWEST_SPACE * look.size:
            # A tight line: what is a space in it is told by those that are written around.
            first, last = np.searchsorted(written, (at - 4 * AROUND, at + 4 * AROUND))
            if last - first >= FEWEST_SPACES:
                least = min(least, usual + 0.5 * (float(np.median(spaces[first:last])) - usual))
        if least >= gaps[at] > SPACE * look.size and letters.font(int(at)) != letters.font(index):
            least = 0.0  # the word before it is drawn in another font, whose gaps say nothing of this one
        if gaps[at] > max(least, NARROWEST_SPACE * look.size):
            found.append(index)
    return found


def _are_uneven(codes: Any, widths: Any) -> bool:
    """Whether one of the letters that may be several is drawn in widths that differ much, in whatever font."""
    found = (widths[codes == letter] for letter in _DOUBTFUL)
    return any(len(of) and of.max() > WIDE * of.min() for of in found)


def _signs(letters: Any, codes: Any, start: Any, end: Any, turns: int, label: str, signs: Signs) -> dict[int, str]:
    """The letters of a page that are drawn as wide as several, with what they draw."""
    import pypdfium2.raw as pdfium

    widths: defaultdict[tuple[int, str], list[tuple[float, int]]] = defaultdict(list)
    fonts: dict[int, tuple[int, float]] = {}
    alone: dict[tuple[int, str], float] = {}
    asked = ctypes.c_float()

    def width(font: int, letter: str) -> float:
        """Of a letter in a font, in letter sizes; 0 where nothing says it."""
        if (font, letter) not in alone:
            seen = [found for found, _ in widths.get((font, letter), ())]
            if not seen and pdfium.FPDFFont_GetGlyphWidth(
                ctypes.cast(font, pdfium.FPDF_FONT), ord(letter), 1.0, ctypes.byref(asked)
            ):
                seen.append(asked.value)
            alone[font, letter] = min(seen, default=0.0)
        return alone[font, letter]

    for index in map(int, np.flatnonzero(np.isin(codes, list(_DOUBTFUL)))):
        address = letters.objects()[index]
        if address is None:
            continue
        if address not in fonts:
            look = letters.look(address, index)
            fonts[address] = (letters.font_of(address), look.size * look.stretch)
        font, size = fonts[address]
        look = letters.look(address, index)
        if look.turns != turns or look.tilted:
            continue
        # Where the font says both letters, pdfium gives both, each with the box of the sign.
        shared = any(
            0 <= other < len(codes)
            and codes[other] > 0x20
            and start[other] == start[index]
            and end[other] == end[index]
            for other in (index - 1, index + 1)
        )
        if size and not shared:
            widths[font, chr(codes[index])].append(((end[index] - start[index]) / size, index))
    wide = {
        key: [(seen, index) for seen, index in found if seen > WIDE * width(*key) > 0] for key, found in widths.items()
    }
    written: dict[int, str] = {}
    for (font, letter), found in wide.items():
        # A font says the first letter of all its signs, or the last; only „f“ is both.
        says_last = any(wide.get((font, other)) for other in "hil")
        ends = (-1,) if says_last else (0,) if wide.get((font, "T")) else (0, -1)
        for seen, index in found:
            fitting = [
                told
                for told in _DOUBLE
                if letter in [told[end] for end in ends]
                and all(width(font, part) for part in told)
                and NARROWEST < seen / sum(width(font, part) for part in told) < WIDEST
            ]
            if len(fitting) == 1:
                written[index] = fitting[0]
                signs.written[fitting[0]] += 1
            elif label not in signs.unknown:
                signs.unknown.append(label)
    return written
