"""
Which signs the fonts of a PDF draw, told by their outlines where a font says something else.

A font for formulas may draw „=“ and name it "five", in every table that the file has: only the outline is true. It is laid
over the outlines of the letter that it claims to be, in the standard fonts that pdfium brings, and over those of the signs
of calculation and the Greek letters. Only embedded fonts are looked at, and never those of alphabets that are written from
right to left: their figures have shapes of their own, and their brackets are turned round.
"""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from clusterqa.documents.pdf_letters import DROPPED
from clusterqa.documents.pdf_signs import family
from clusterqa.documents.symbols import UNKNOWN
from clusterqa.documents.symbols import sign as symbol

UNLIKE = 0.45
"""
Likeness, -1 to 1, to the letter that a font says, below which it is not drawn. Of 4,916 letters of the fonts of 62 files
those that draw what they say had 0.49 and more, figures and signs 0.65 and more.
"""

LIKE = 0.62
"""Likeness to a sign from which it is that sign, in a font that says other letters than it draws."""

MARGIN = 0.1
"""So much more like the sign than like the letter it must be there."""

CERTAIN = 0.9
"""Likeness to a Greek letter that shows that a font says other letters: plain letters of an odd font have some too."""

FEW = 15
"""A font of which a page shows at most so many letters may be one of signs: all are looked at, not only figures and signs."""

_POINTS = 32
"""How many points wide and high an outline is drawn to be compared."""

_THINNEST = 0.15
"""A stroke („−“, „|“) is drawn at least so thick, as a share of its length, so that its thickness does not count."""

_NO_SHAPES = re.compile(r"(?:[A-Z]{6}\+)?GlyphLess", re.IGNORECASE)
"""The fonts of programs that lay recognised text over a picture: all their letters are the same box."""

_STEPS = np.array([[(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3] for t in (0.25, 0.5, 0.75, 1)])
"""The weights of a curve's four points at so many places on it."""

_STANDARD = ("Helvetica", "Helvetica-Bold", "Times-Roman", "Times-Bold", "Times-Italic", "Courier")
_SIGNS = "=±≥≤−<>×÷+≠≈∼·{}|()[]≡∞√∂∫→←↔∈⟨⟩∗/,.%"
_GREEK = "αβγδεζηθικλμνξπρστυϕχψωΓΔΘΛΞΠΣΦΨΩ"
_CODES = {"⟨": 0x2329, "⟩": 0x232A, "μ": 0xB5, "Δ": 0x2206, "Ω": 0x2126}
"""Where the font Symbol has a sign at another code than the one that is written."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A letter as it is drawn: points as one vector of length 1 and mean 0, and the logarithm of its width to its height."""

    points: Any
    aspect: float


@dataclass(frozen=True, slots=True)
class Outlines:
    """Several outlines, one a row."""

    points: Any
    aspects: Any

    @classmethod
    def of(cls, outlines: list[Outline]) -> Outlines:
        return cls(np.array([o.points for o in outlines]), np.array([o.aspect for o in outlines]))


@dataclass(slots=True)
class Shapes:
    """What the fonts of a file draw; kept from page to page, as they come again."""

    read: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often a letter that a font says was read as the sign that it draws."""

    unknown: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The pages with letters that are drawn otherwise than their font says, by the name of the font."""

    _judged: dict[tuple[str, int, int], tuple[float, float, str] | None] = field(default_factory=dict)
    _lying: set[tuple[str, int]] = field(default_factory=set)
    """Fonts of which one sign at least is surely another than they say."""

    def of(self, letters: Any, label: str) -> dict[int, str]:
        """What the letters of a page draw that draw something else than they say, by their number."""
        import pypdfium2.raw as pdfium

        codes = letters.codes()
        used: defaultdict[int, defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for index, address in enumerate(letters.objects()):
            if address is None or codes[index] <= 0x20 or codes[index] == DROPPED:
                continue
            used[letters.font_of(address)][codes[index]].append(index)
        found: dict[int, str] = {}
        for where, places in used.items():
            font = ctypes.cast(where, pdfium.FPDF_FONT)
            if not where or pdfium.FPDFFont_GetIsEmbedded(font) != 1 or _is_from_the_right(places):
                continue
            name, size = _named(font)
            if _NO_SHAPES.match(name):
                continue
            asked = [c for c in places if _may_be_sign(c) or (len(places) <= FEW and not _writes_words(places))]
            for code, drawn in self._drawn(font, (name, size), asked).items():
                found.update(dict.fromkeys(places[code], drawn))
                if drawn == UNKNOWN:
                    shown = name.rpartition("+")[2]
                    self.unknown[shown] += [label] if label not in self.unknown[shown] else []
                else:
                    self.read[chr(code), drawn] += len(places[code])
        return found

    def _drawn(self, font: Any, key: tuple[str, int], codes: Iterable[int]) -> dict[int, str]:
        """What a font draws for those of its codes for which it draws something else than it says."""
        likeness: dict[int, tuple[float, float, str]] = {}
        for code in codes:
            if (*key, code) not in self._judged:
                self._judged[*key, code] = _judged(font, code)
            if (told := self._judged[*key, code]) is not None:
                likeness[code] = told
        strange = [(best, sign) for own, best, sign in likeness.values() if own < UNLIKE]
        if len(strange) > 1 or any(best >= (CERTAIN if sign in _GREEK else _least(sign)) for best, sign in strange):
            self._lying.add(key)
        found = {}
        for code, (own, best, sign) in likeness.items():
            if key in self._lying and best >= _least(sign) and best - own > MARGIN:
                found[code] = sign
            elif own < UNLIKE and (key in self._lying or _may_be_sign(code)):
                found[code] = symbol(code, family(key[0]))
        return found


def _judged(font: Any, code: int) -> tuple[float, float, str] | None:
    """
    How like the letter that a code says it is drawn, how like the sign that it is most like, and that sign; None where the
    standard fonts do not have the letter, or the font has no outline.
    """
    own = _standard(code)
    drawn = None if own is None else outline(font, code)
    if own is None or drawn is None:
        return None
    itself = float(_likeness(drawn, own).max())
    return (itself, 0.0, "") if itself > CERTAIN else (itself, *_most_like(drawn))


def _is_from_the_right(codes: Iterable[int]) -> bool:
    return any(unicodedata.bidirectional(chr(code)) in ("R", "AL", "AN") for code in codes)


def _writes_words(places: dict[int, list[int]]) -> bool:
    """Whether letters of a font stand beside each other, as in words; those that are signs stand alone."""
    letters = sorted(
        n for code, found in places.items() if chr(code).isalpha() and not _may_be_sign(code) for n in found
    )
    beside = sum(other - one == 1 for one, other in pairwise(letters))
    return 2 * beside > len(letters)


def _may_be_sign(code: int) -> bool:
    """Whether a code is a figure or a sign, or one of the letters of Latin-1 that fonts for formulas name their signs by."""
    return not chr(code).isalpha() or chr(code) in "ÐðÞþÆæ"


def _least(sign: str) -> float:
    """How like a sign an outline must be to be it; a dot is like all that is round or full."""
    return CERTAIN if sign in ".,·" else LIKE


def _named(font: Any) -> tuple[str, int]:
    """The name of a font with the size of its data: what tells it from the others of the file."""
    import pypdfium2.raw as pdfium

    buffer = ctypes.create_string_buffer(256)
    pdfium.FPDFFont_GetBaseFontName(font, buffer, len(buffer))
    size = ctypes.c_size_t()
    pdfium.FPDFFont_GetFontData(font, None, 0, ctypes.byref(size))
    return buffer.value.decode("latin-1"), size.value


def outline(font: Any, code: int) -> Outline | None:
    """How a font draws a code; None where it draws nothing, or has no outlines."""
    paths = list(_paths(font, code))
    if not paths:
        return None
    across = [x for path in paths for x, _ in path]
    up = [y for path in paths for _, y in path]
    left, low = min(across), min(up)
    width, height = max(across) - left, max(up) - low
    largest = max(width, height)
    if largest <= 0:
        return None
    wide, high = max(width, _THINNEST * largest), max(height, _THINNEST * largest)
    room = _POINTS - 5
    by_x, by_y = room / wide, room / high
    from_left, from_top = (_POINTS - 1 - width * by_x) / 2, (_POINTS - 1 + height * by_y) / 2
    layers = np.zeros((_POINTS, _POINTS), int)
    for path in paths:
        corners = [(from_left + (x - left) * by_x, from_top - (y - low) * by_y) for x, y in path]
        layer = Image.new("L", (_POINTS, _POINTS))
        ImageDraw.Draw(layer).polygon(corners, fill=1)
        layers += np.asarray(layer, int) * (1 if _turns_left(path) else -1)  # a hole runs the other way round
    picture = Image.fromarray((255 * (layers != 0)).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.2))
    drawn = np.asarray(picture, float).ravel()
    drawn = drawn - drawn.mean()
    length = float(np.linalg.norm(drawn))
    return Outline(drawn / length, math.log(wide / high)) if length else None


def _paths(font: Any, code: int) -> Iterable[list[tuple[float, float]]]:
    """The closed lines of a letter, each as points; curves are cut into straight pieces."""
    import pypdfium2.raw as pdfium

    glyph = pdfium.FPDFFont_GetGlyphPath(font, code, 1.0)
    count = pdfium.FPDFGlyphPath_CountGlyphSegments(glyph) if glyph else 0
    x, y = ctypes.c_float(), ctypes.c_float()
    path: list[tuple[float, float]] = []
    curve: list[tuple[float, float]] = []
    for number in range(count):
        part = pdfium.FPDFGlyphPath_GetGlyphPathSegment(glyph, number)
        kind = pdfium.FPDFPathSegment_GetType(part)
        pdfium.FPDFPathSegment_GetPoint(part, ctypes.byref(x), ctypes.byref(y))
        point = (x.value, y.value)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            if len(path) > 2:
                yield path
            path = [point]
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            path.append(point)
        elif kind == pdfium.FPDF_SEGMENT_BEZIERTO and path:
            curve.append(point)
            if len(curve) == 3:
                path += map(tuple, (_STEPS @ [path[-1], *curve]).tolist())
                curve = []
    if len(path) > 2:
        yield path


def _turns_left(path: list[tuple[float, float]]) -> bool:
    """Whether a closed line runs against the clock."""
    return sum(a * d - c * b for (a, b), (c, d) in zip(path, [*path[1:], path[0]], strict=True)) > 0


def _likeness(one: Outline, others: Outlines) -> Any:
    """
    How like an outline is to each of some others: 1 for the same, 0 and less for one that has nothing in common; one that
    is drawn much wider is less like.
    """
    return (others.points @ one.points) * (1 - 0.4 * np.maximum(0.0, np.abs(others.aspects - one.aspect) - 0.2))


def _most_like(drawn: Outline) -> tuple[float, str]:
    """How like an outline is to the sign that it is most like, and that sign."""
    signs, outlines = _known()
    likeness = _likeness(drawn, outlines)
    best = int(likeness.argmax())
    return float(likeness[best]), signs[best]


@cache
def _font(name: str) -> Any:
    """One of the fonts that pdfium brings; it lives as long as the process."""
    import pypdfium2.raw as pdfium

    return pdfium.FPDFText_LoadStandardFont(_holder(), name.encode())


@cache
def _holder() -> Any:
    import pypdfium2

    return pypdfium2.PdfDocument.new()


@cache
def _standard(code: int) -> Outlines | None:
    """How the standard fonts draw a letter; None for one that they do not have."""
    found = [drawn for name in _STANDARD if (drawn := outline(_font(name), code)) is not None]
    return Outlines.of(found) if found else None


@cache
def _known() -> tuple[str, Outlines]:
    """The signs that fonts are known to give other names, one for each of the outlines."""
    signs, outlines = "", []
    for sign in _SIGNS + _GREEK:
        code = _CODES.get(sign, ord(sign))
        for name in ("Symbol", *_STANDARD):
            if (drawn := outline(_font(name), code)) is not None:
                signs += sign
                outlines.append(drawn)
    return signs, Outlines.of(outlines)
