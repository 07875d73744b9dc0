"""
Which letters of a PDF page a person does not see, or sees struck out.

A letter may be drawn in the colour of what lies under it, not at all, or lie under a black bar. What the page shows at its
place tells: where nothing of it stands out there, it is not seen. So white letters on a dark head of a table stay, and so
do those of a scan that were put over its picture.
"""

from __future__ import annotations

import ctypes
from itertools import pairwise
from typing import Any

import numpy as np

MAX_OBJECTS = 5_000
"""A page of more parts (a map, a drawing) is not searched for what covers or strikes out its letters."""

THICKEST = 2.0
"""Points; so high at most is a line that strikes letters out."""

NEAR = 6
"""Steps of 255 by which two colours may differ and still look alike."""

CONTRAST = 16
"""Steps of 255 by which the lightest and the darkest point at a letter's place differ at least where it is seen."""

MAX_UNDERLINED = 200
"""So many signs of a page are looked at for a line below them."""

FLAT = 0.1
"""Points; the box of a letter is never so flat."""

MAX_POINTS = 4_000_000
"""Of the picture in which letters are looked for."""

DEEPEST = 8
"""Drawings that lie in each other are searched for pictures so far."""

_UNDERLINED = {">": "≥", "<": "≤", "+": "±"}
"""Signs that some programs put together from another and a line below it."""

_UNDERLINED_CODES = frozenset(map(ord, _UNDERLINED))

_INVISIBLE = (3, 7)
"""The ways of drawing letters that leave no mark."""

MAX_SHAPES = 100
"""So many of the last shapes are looked at for one under a text."""

Area = tuple[float, float, float, float]
"""left, bottom, right, top in points"""

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)


class Sight:
    """
    What is seen of the letters of one page; `letters` has their boxes, `sheet` is the page.

    `left_out` are letters that something covers or strikes out, by number; `struck` counts the places of the latter.
    """

    def __init__(self, letters: Any, sheet: Any) -> None:
        self._letters = letters
        self._sheet = sheet
        self._faint: dict[int | None, bool] = {}
        self._invisible: set[int] = set()
        self._outlined: dict[tuple[int, int], bool] = {}
        self._shown: Any = None
        self._pictures: list[Area] = []
        self.struck = 0
        self.unseen = 0
        """How many letters and figures are not seen."""
        self.left_out: set[int] = set()
        texts, covers, lines = self._parts()
        crossed = _strike_outs(sheet)
        lines = _joined(lines)
        self.underlined = self._underlined(lines)
        """The signs that letters are with the line below them, by number."""
        lines = _meeting(lines, texts, through=True)
        covers = _meeting(covers, texts)
        if lines or covers or crossed:
            self._leave_out(lines, covers, crossed)

    def is_faint(self, address: int | None, index: int) -> bool:
        """Whether the letters of a text object may not be seen, by how they are drawn; `index` is the first of them."""
        if address not in self._faint:
            self._faint[address] = address is not None and (
                self._is_faint(address) or not self._has_outline(address, index)
            )
        return self._faint[address]

    def hides(self, index: int) -> bool:
        """Whether nothing of a letter stands out from what is around it; it is counted then."""
        left, right, bottom, top = self._letters.box(index)
        if top - bottom < FLAT or right - left < FLAT:  # a font that does not say how large its letters are
            room = 0.4 * self._letters.look(self._letters.objects()[index], index).size
            left, right, bottom, top = left - room, right + room, bottom - room, top + room
        area = (left, bottom, right, top)
        if self._letters.objects()[index] in self._invisible:
            hidden = not any(_holds(picture, area) for picture in self._pictures)  # those of a scan are over it
        else:
            hidden = not self._stands_out(area)
        self.unseen += hidden and chr(self._letters.code(index)).isalnum()
        return hidden

    def _parts(self) -> tuple[list[Area], list[Area], list[Area]]:
        """Where the page's texts are, the places where one may not stand out, and the level lines."""
        import pypdfium2.raw as pdfium

        page = self._sheet.raw
        texts: list[Area] = []
        covers: list[Area] = []
        lines: list[Area] = []
        shapes: list[tuple[Area, Colour]] = []
        count = pdfium.FPDFPage_CountObjects(page)
        edges = [ctypes.c_float() for _ in range(4)]
        asked = tuple(map(ctypes.byref, edges))
        for number in range(count if count <= MAX_OBJECTS else 0):
            part = pdfium.FPDFPage_GetObject(page, number)
            kind = pdfium.FPDFPageObj_GetType(part)
            if not pdfium.FPDFPageObj_GetBounds(part, *asked):
                continue
            left, bottom, right, top = area = (edges[0].value, edges[1].value, edges[2].value, edges[3].value)
            if kind == pdfium.FPDF_PAGEOBJ_TEXT:
                texts.append(area)
                shaded = [colour for shape, colour in shapes[-MAX_SHAPES:] if _holds(shape, area)]
                if shaded and _alike(_colour(part)[:3], shaded[-1]):
                    covers.append(area)
            elif kind == pdfium.FPDF_PAGEOBJ_PATH:
                if top - bottom <= THICKEST and right - left > THICKEST:
                    lines.append(area)
                elif (colour := filled(part)) is not None:
                    shapes.append((area, colour))
                    covers += [area] if texts else []
            elif kind == pdfium.FPDF_PAGEOBJ_IMAGE:
                self._pictures.append(area)
                covers += [area] if texts else []
        return texts, covers, lines

    def _has_outline(self, address: int, index: int) -> bool:
        """Whether the font of a letter has an outline for it; those of pictures and drawings (Type 3) have none."""
        import pypdfium2.raw as pdfium

        code = self._letters.code(index)
        where = self._letters.font_of(address)
        key = (where, code)
        if key not in self._outlined:
            font = ctypes.cast(where, pdfium.FPDF_FONT)
            plain = not chr(code).isalnum() or pdfium.FPDFFont_GetIsEmbedded(font) != 1
            glyph = None if plain else pdfium.FPDFFont_GetGlyphPath(font, code, 1.0)
            self._outlined[key] = plain or bool(glyph and pdfium.FPDFGlyphPath_CountGlyphSegments(glyph) > 0)
        return self._outlined[key]

    def _underlined(self, lines: list[Area]) -> dict[int, str]:
        """The signs that letters are with a line below them, just as wide; the line may be a letter of its own („_“)."""
        codes = self._letters.codes()
        if _UNDERLINED_CODES.isdisjoint(codes):
            return {}
        signs = [n for n, code in enumerate(codes) if code in _UNDERLINED_CODES][:MAX_UNDERLINED]
        places = [(left, right, bottom, top, -1) for left, bottom, right, top in lines]
        own = [n for n, code in enumerate(codes) if code == ord("_")]
        places += [(*self._letters.box(n), n) for n in own[:MAX_UNDERLINED]]
        found = {}
        for index in signs:
            left, right, bottom, top = self._letters.box(index)
            width, height = right - left, top - bottom
            for start, end, low, high, number in places:
                below = -0.2 * height < bottom - (low + high) / 2 < 0.6 * height
                if below and abs(start - left) < 0.4 * width and abs(end - right) < 0.4 * width:
                    found[index] = _UNDERLINED[chr(codes[index])]
                    self.left_out.update([number] if number >= 0 else [])
                    break
        return found

    def _is_faint(self, address: int) -> bool:
        import pypdfium2.raw as pdfium

        part = ctypes.cast(address, pdfium.FPDF_PAGEOBJECT)
        if pdfium.FPDFTextObj_GetTextRenderMode(part) in _INVISIBLE:
            self._invisible.add(address)
            return True
        red, green, blue, solid = _colour(part)
        return solid <= NEAR or _alike((red, green, blue), WHITE) or _is_in_layer(part) or _is_cut_off(part)

    def _leave_out(self, lines: list[Area], covers: list[Area], crossed: list[Area]) -> None:
        words = [n for n in range(self._letters.count) if chr(self._letters.code(n)).isalnum()]
        if not words:
            return
        boxes = np.array([self._letters.box(n) for n in words])
        left, right, bottom, top = boxes.T
        middle, height = (left + right) / 2, top - bottom
        for low_left, low, high_right, high in crossed:
            level = (bottom + top) / 2
            hit = (middle > low_left) & (middle < high_right) & (level > low) & (level < high)
            self._strike(words, hit)
        for from_left, low, to_right, high in lines:
            level = (low + high) / 2
            near = (
                (middle > from_left)
                & (middle < to_right)
                & (bottom - 0.3 * height < level)
                & (level < top + 0.3 * height)
            )
            hit = near & (bottom + 0.15 * height < level) & (level < top - 0.1 * height)
            if hit.sum() < 2 or hit.sum() < 0.8 * near.sum():
                continue
            margin = height[hit].max()
            # A line of a drawing or of a table goes on beyond the letters.
            if from_left > left[hit].min() - margin and to_right < right[hit].max() + margin:
                self._strike(words, hit)
        for from_left, low, to_right, high in covers:
            under = (
                (middle > from_left) & (middle < to_right) & ((bottom + top) / 2 > low) & ((bottom + top) / 2 < high)
            )
            for number in np.flatnonzero(under):
                if not self._stands_out((left[number], bottom[number], right[number], top[number])):
                    self.unseen += words[number] not in self.left_out
                    self.left_out.add(words[number])

    def _strike(self, words: list[int], hit: Any) -> None:
        """Leave out the letters that are hit, and the signs between them."""
        found = [words[number] for number in np.flatnonzero(hit)]
        if found:
            self.struck += 1
            self.left_out.update(found)
            for one, other in pairwise(found):
                if other - one <= 4:
                    self.left_out.update(range(one, other))

    def _stands_out(self, area: Area) -> bool:
        """Whether the page shows more than one colour there."""
        import pypdfium2.raw as pdfium

        if self._shown is None:
            width, height = self._sheet.get_size()
            scale = min(2.0, (MAX_POINTS / max(width * height, 1.0)) ** 0.5)
            self._shown = self._sheet.render(scale=scale, grayscale=True, may_draw_forms=False).to_numpy()
        rows, columns = self._shown.shape[:2]
        places = []
        for x, y in ((area[0], area[1]), (area[2], area[3])):
            across, down = ctypes.c_int(), ctypes.c_int()
            pdfium.FPDF_PageToDevice(
                self._sheet.raw, 0, 0, columns, rows, 0, x, y, ctypes.byref(across), ctypes.byref(down)
            )
            places.append((across.value, down.value))
        (left, right), (upper, lower) = (sorted(pair) for pair in zip(*places, strict=True))
        if right - left < 3 or lower - upper < 3:  # a dot: with what is around it
            left, right, upper, lower = left - 2, right + 2, upper - 2, lower + 2
        seen = self._shown[max(0, upper) : lower + 1, max(0, left) : right + 1]
        return bool(seen.size and int(seen.max()) - int(seen.min()) >= CONTRAST)


def pictures(sheet: Any) -> list[Area]:
    """Where the pictures of a page are, those in its drawings (form XObjects) too; of a page of very many parts the first."""
    import pypdfium2.raw as pdfium

    found: list[Area] = []
    edges = [ctypes.c_float() for _ in range(4)]
    asked = tuple(map(ctypes.byref, edges))
    left_to_see = MAX_OBJECTS

    def look(parts: Any, count: int, part_of: Any, outer: list[Any], depth: int) -> None:
        nonlocal left_to_see
        for number in range(min(count, left_to_see)):
            part = part_of(parts, number)
            left_to_see -= 1
            kind = pdfium.FPDFPageObj_GetType(part)
            if kind == pdfium.FPDF_PAGEOBJ_FORM and depth < DEEPEST:
                matrix = pdfium.FS_MATRIX()
                pdfium.FPDFPageObj_GetMatrix(part, ctypes.byref(matrix))
                inside = pdfium.FPDFFormObj_CountObjects(part)
                look(part, inside, pdfium.FPDFFormObj_GetObject, [matrix, *outer], depth + 1)
            elif kind == pdfium.FPDF_PAGEOBJ_IMAGE and pdfium.FPDFPageObj_GetBounds(part, *asked):
                left, bottom, right, top = (edge.value for edge in edges)
                corners = [(left, bottom), (right, bottom), (left, top), (right, top)]
                for m in outer:
                    corners = [(m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f) for x, y in corners]
                across, up = zip(*corners, strict=True)
                found.append((min(across), min(up), max(across), max(up)))

    look(sheet.raw, pdfium.FPDFPage_CountObjects(sheet.raw), pdfium.FPDFPage_GetObject, [], 0)
    return found


def _colour(part: Any) -> tuple[int, int, int, int]:
    """Red, green, blue and how solid, each 0 to 255, of what fills a part."""
    import pypdfium2.raw as pdfium

    values = [ctypes.c_uint(0), ctypes.c_uint(0), ctypes.c_uint(0), ctypes.c_uint(255)]
    pdfium.FPDFPageObj_GetFillColor(part, *map(ctypes.byref, values))
    return (values[0].value, values[1].value, values[2].value, values[3].value)


def _is_in_layer(part: Any) -> bool:
    """Whether a part belongs to a layer, which may be switched off."""
    import pypdfium2.raw as pdfium

    length, name = ctypes.c_ulong(), (pdfium.FPDF_WCHAR * 3)()
    for number in range(pdfium.FPDFPageObj_CountMarks(part)):
        mark = pdfium.FPDFPageObj_GetMark(part, number)
        named = pdfium.FPDFPageObjMark_GetName(mark, name, ctypes.sizeof(name), ctypes.byref(length))
        if named and bytes(name) == "OC\0".encode("utf-16-le"):
            return True
    return False


def _is_cut_off(part: Any) -> bool:
    """Whether a part lies outside the area that its page draws it in."""
    import pypdfium2.raw as pdfium

    clip = pdfium.FPDFPageObj_GetClipPath(part)
    count = pdfium.FPDFClipPath_CountPaths(clip) if clip else 0
    if count < 1:
        return False
    edges = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(part, *map(ctypes.byref, edges)):
        return False
    x, y = ctypes.c_float(), ctypes.c_float()
    for path in range(count):
        points = []
        for number in range(min(pdfium.FPDFClipPath_CountPathSegments(clip, path), MAX_SHAPES)):
            step = pdfium.FPDFClipPath_GetPathSegment(clip, path, number)
            pdfium.FPDFPathSegment_GetPoint(step, ctypes.byref(x), ctypes.byref(y))
            points.append((x.value, y.value))
        if points:
            across, up = zip(*points, strict=True)
            area = (min(across), min(up), max(across), max(up))
            if not _holds(area, (edges[0].value, edges[1].value, edges[2].value, edges[3].value)):
                return True
    return False


def filled(part: Any) -> Colour | None:
    """The colour of a shape that is filled and lets nothing through."""
    import pypdfium2.raw as pdfium

    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not pdfium.FPDFPath_GetDrawMode(part, ctypes.byref(mode), ctypes.byref(stroke)) or not mode.value:
        return None
    red, green, blue, solid = _colour(part)
    return (red, green, blue) if solid == 255 else None


def _alike(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) <= NEAR for a, b in zip(one, other, strict=True))


def _holds(area: Area, other: Area) -> bool:
    """Whether the middle of the other lies in an area."""
    across, up = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return area[0] < across < area[2] and area[1] < up < area[3]


def _joined(lines: list[Area]) -> list[Area]:
    """Level lines that go on in each other, as one."""
    found: list[Area] = []
    for left, bottom, right, top in sorted(lines, key=lambda line: (round(line[1], 1), line[0])):
        if found and abs(found[-1][1] - bottom) < 0.2 and -1 < left - found[-1][2] < 1:
            found[-1] = (found[-1][0], bottom, max(right, found[-1][2]), top)
        else:
            found.append((left, bottom, right, top))
    return found


def _meeting(areas: list[Area], texts: list[Area], through: bool = False) -> list[Area]:
    """The areas that lie over one of the texts; with `through`, between its upper and its lower end."""
    if not texts or not areas:
        return []
    left, bottom, right, top = np.array(texts).T
    low, high = bottom + 0.1 * (top - bottom), top
    found = []
    for area in areas:
        level = (area[1] + area[3]) / 2
        up = (low < level) & (level < high) if through else (bottom < area[3]) & (top > area[1])
        if (up & (left < area[2]) & (right > area[0])).any():
            found.append(area)
    return found


def _strike_outs(sheet: Any) -> list[Area]:
    """The lines of text that remarks of the kind "strike out" lie on."""
    import pypdfium2.raw as pdfium

    found: list[Area] = []
    for number in range(pdfium.FPDFPage_GetAnnotCount(sheet.raw)):
        annotation = pdfium.FPDFPage_GetAnnot(sheet.raw, number)
        if pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_STRIKEOUT:
            quads = pdfium.FS_QUADPOINTSF()
            for which in range(pdfium.FPDFAnnot_CountAttachmentPoints(annotation)):
                if pdfium.FPDFAnnot_GetAttachmentPoints(annotation, which, ctypes.byref(quads)):
                    across = (quads.x1, quads.x2, quads.x3, quads.x4)
                    up = (quads.y1, quads.y2, quads.y3, quads.y4)
                    found.append((min(across), min(up), max(across), max(up)))
        pdfium.FPDFPage_CloseAnnot(annotation)
    return found
