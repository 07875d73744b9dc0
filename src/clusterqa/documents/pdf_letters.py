"""The letters of a PDF page, as pdfium gives them: what each is, where it stands, how it is drawn."""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

QUARTER = 1.5707963267948966
"""A quarter turn in radians: lines of a landscape page stand on end in the file's own coordinates."""

DOUBLED = 0.1
"""In letter sizes: what comes twice within this distance is drawn twice to look bold; no letter is so narrow."""

SMALLEST = 0.5
"""Points; what is smaller, or has no size at all, counts as so large."""

FINEST = 0.05
"""Points; what is drawn less high or wide leaves no mark."""

_ACCENTS = {
    "`": "\u0300", "´": "\u0301", "ˆ": "\u0302", "˜": "\u0303", "¯": "\u0304", "ˉ": "\u0304", "˘": "\u0306", "˙": "\u0307",
    "¨": "\u0308", "˚": "\u030a", "˝": "\u030b", "ˇ": "\u030c", "¸": "\u0327", "˛": "\u0328",
}  # fmt: skip
"""Accents that stand alone, each with the one that a letter takes."""

Place = tuple[int, int, int]
"""The code of a letter and where its lower left end is, in whole points."""

_ALONE = frozenset(map(ord, _ACCENTS))
DROPPED = -1

_BELOW = "\u0327\u0328"
FARTHEST_ACCENT = 200
"""An accent that is drawn apart comes at most so many letters before or after its own, at the end of the line."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the letters of one text object are drawn: alike for all of them, so it is asked once."""

    size: float
    stretch: float
    """How wide the letters are drawn, as a share of how wide they are at this size."""
    bold: bool
    turns: int
    tilted: bool
    x: float
    y: float


class Letters:
    """The letters of a page, by their number in the order of its content; places in points."""

    def __init__(self, textpage: Any) -> None:
        import pypdfium2.raw as pdfium

        self._pdfium = pdfium
        self.page = textpage
        self.count = textpage.count_chars()
        self._doubles = [ctypes.c_double() for _ in range(4)]
        self._box = tuple(map(ctypes.byref, self._doubles))
        self._font = ctypes.create_string_buffer(128)
        self._looks: dict[int | None, Look] = {}
        self._fonts: dict[int, int] = {}
        # As a plain number: a pointer object for each letter would cost more than the call.
        address = ctypes.cast(pdfium.FPDFText_GetTextObject, ctypes.c_void_p).value or 0
        self._object = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(address)
        self._raw = ctypes.cast(textpage.raw, ctypes.c_void_p).value

        self._objects: list[int | None] | None = None
        self._codes = self._read()
        if not _ALONE.isdisjoint(self._codes):
            self._put_accents()

    def codes(self) -> list[int]:
        """The code of each letter, `DROPPED` for an accent that stands on another, which is one letter with it."""
        return self._codes

    def code(self, index: int) -> int:
        """The code of one letter, a space for one that was dropped."""
        return max(self._codes[index], 0) or 0x20

    def objects(self) -> list[int | None]:
        """The address of the text object of each letter, None for those that pdfium adds."""
        if self._objects is None:
            self._objects = [self._object(self._raw, index) for index in range(self.count)]
        return self._objects

    def font_of(self, address: int) -> int:
        """The address of the font of a text object, 0 for none."""
        if address not in self._fonts:
            font = self._pdfium.FPDFTextObj_GetFont(ctypes.cast(address, self._pdfium.FPDF_PAGEOBJECT))
            self._fonts[address] = ctypes.cast(font, ctypes.c_void_p).value or 0
        return self._fonts[address]

    def _read(self) -> list[int]:
        """The codes as they are drawn; in one call where pdfium leaves none out."""
        buffer = (ctypes.c_ushort * (self.count + 1))()
        if self._pdfium.FPDFText_GetText(self.page, 0, self.count, buffer) == self.count + 1:
            return list(buffer)[: self.count]
        return [self._pdfium.FPDFText_GetUnicode(self.page, index) for index in range(self.count)]

    def _put_accents(self) -> None:
        """
        Make one letter of a letter and the accent that is drawn over or under it, as TeX does it, and take away the spaces
        that pdfium put around the accent: „Ta ˇ ciau“ is „Tačiau“.
        """
        boxes: dict[int, tuple[float, float, float, float]] = {}

        def box(index: int) -> tuple[float, float, float, float]:
            if index not in boxes:
                boxes[index] = self.box(index)
            return boxes[index]

        codes = self._codes
        for at in [n for n, code in enumerate(codes) if code in _ALONE]:
            mark = _ACCENTS[chr(codes[at])]
            left, right, bottom, top = box(at)
            middle = (left + right) / 2
            near = range(max(0, at - FARTHEST_ACCENT), min(len(codes), at + FARTHEST_ACCENT))
            for index in sorted(near, key=lambda n: abs(n - at)):
                if codes[index] < 0 or not chr(codes[index]).isalpha() or index == at:
                    continue
                made = _accented(chr(codes[index]), mark)
                if not made:
                    continue
                from_left, to_right, low, high = box(index)
                aside, height = 0.15 * (to_right - from_left), high - low
                level = (bottom + top) / 2
                if mark in _BELOW:
                    fits = low - 0.6 * height < level < low + 0.35 * height
                else:
                    fits = low + 0.5 * height < level < high + 0.6 * height
                if fits and from_left - aside < middle < to_right + aside:
                    codes[index], codes[at] = ord(made), DROPPED
                    break
        for at in [n for n, code in enumerate(codes) if code == DROPPED]:
            self._close(at, box)

    def _close(self, at: int, box: Callable[[int], tuple[float, float, float, float]]) -> None:
        """Take away the spaces around a dropped accent where the letters beside them stand close together."""
        ends = []
        for step in (-1, 1):
            here = at + step
            while 0 <= here < len(self._codes) and (
                self._codes[here] == DROPPED
                or (chr(self._codes[here]).isspace() and self._pdfium.FPDFText_IsGenerated(self.page, here) == 1)
            ):
                here += step
            ends.append(here)
        first, last = ends
        if first < 0 or last >= len(self._codes):
            return
        _, right, low, high = box(first)
        left, _, bottom, top = box(last)
        tall = max(high - low, top - bottom)
        level = min(high, top) - max(low, bottom) > 0.3 * min(high - low, top - bottom)
        if level and -0.5 * tall < left - right < 0.25 * tall:
            self._codes[first + 1 : last] = [DROPPED] * (last - first - 1)

    def place(self, index: int) -> Place:
        """What a letter is and about where it stands."""
        left, _, bottom, _ = self.box(index)
        return self._codes[index], round(left), round(bottom)

    def places(self) -> frozenset[Place]:
        """The places of all letters that leave a mark."""
        return frozenset(self.place(n) for n, code in enumerate(self._codes) if code > 0x20)

    def is_hyphen(self, index: int) -> bool:
        """Whether it is the hyphen of a word that goes on in the next line."""
        return int(self._pdfium.FPDFText_IsHyphen(self.page, index)) == 1

    def is_drawn(self, index: int) -> bool:
        """Whether the file itself has a letter there that leaves a mark; pdfium adds spaces and line ends of its own."""
        left, right, bottom, top = self.box(index)
        return (
            right - left > FINEST and top - bottom > FINEST and self._pdfium.FPDFText_IsGenerated(self.page, index) != 1
        )

    def font(self, index: int) -> str:
        """The name of the font of a letter, as the file has it."""
        flags = ctypes.c_int()
        self._pdfium.FPDFText_GetFontInfo(self.page, index, self._font, len(self._font), ctypes.byref(flags))
        return self._font.value.decode("latin-1")

    def box(self, index: int) -> tuple[float, float, float, float]:
        """left, right, bottom, top"""
        self._pdfium.FPDFText_GetCharBox(self.page, index, *self._box)
        left, right, bottom, top = self._doubles
        return left.value, right.value, bottom.value, top.value

    def covers(self, one: int, other: int, size: float) -> bool:
        """Whether two letters lie over each other."""
        left, _, bottom, _ = self.box(one)
        again, _, low, _ = self.box(other)
        return abs(left - again) < DOUBLED * size and abs(bottom - low) < DOUBLED * size

    def look(self, address: int | None, index: int) -> Look:
        """How the text object at an address is drawn, of which the letter `index` is one."""
        found = self._looks.get(address)
        if found is None:
            found = self._look(index)
            if address is not None:
                self._looks[address] = found
        return found

    def _look(self, index: int) -> Look:
        pdfium, page = self._pdfium, self.page
        x, y = ctypes.c_double(), ctypes.c_double()
        pdfium.FPDFText_GetCharOrigin(page, index, ctypes.byref(x), ctypes.byref(y))
        angle = -pdfium.FPDFText_GetCharAngle(page, index)  # pdfium counts clockwise
        size = float(pdfium.FPDFText_GetFontSize(page, index))
        matrix, stretch = pdfium.FS_MATRIX(), 1.0
        if pdfium.FPDFText_GetMatrix(page, index, ctypes.byref(matrix)):
            # Some programs set size 1 and scale the page instead.
            high = (matrix.c**2 + matrix.d**2) ** 0.5 or 1.0
            stretch = (matrix.a**2 + matrix.b**2) ** 0.5 / high or 1.0
            size *= high
        flags = ctypes.c_int()
        named = pdfium.FPDFText_GetFontInfo(page, index, self._font, len(self._font), ctypes.byref(flags))
        weight = pdfium.FPDFText_GetFontWeight(page, index)
        return Look(
            size=max(round(size, 1), SMALLEST),
            stretch=stretch,
            bold=weight >= 600 or (named > 0 and b"bold" in self._font.value.lower()),
            turns=round(angle / QUARTER) % 4,
            tilted=abs(angle / QUARTER - round(angle / QUARTER)) > 0.05,
            x=x.value,
            y=y.value,
        )


def _accented(letter: str, mark: str) -> str:
    """A letter with an accent, where there is such a letter; "" else."""
    plain = {"ı": "i", "ȷ": "j"}.get(letter, letter)
    made = unicodedata.normalize("NFC", plain + mark)
    return made if len(made) == 1 else ""
