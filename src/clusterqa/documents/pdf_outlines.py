"""
What a PDF page says by shapes: words, as drawing programs write headings and logos, and boxes that are ticked. No text says them.

Shapes of the height of letters that stand on one line, close to each other and of several widths, are taken for a word.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

from clusterqa.documents.pdf_sight import DEEPEST, MAX_OBJECTS, WHITE, Area, filled

FEWEST_LETTERS = 5
"""So many letters side by side make a word."""

HEIGHTS = (4.0, 80.0)
"""Points; letters are so high."""

SIMPLEST = 6
"""A path of fewer steps is a box or a triangle."""

MOST_STEPS = 5_000
"""A path of more is a drawing."""

WIDEST_GAP = 1.2
"""In heights of a letter: the gap of a space, or of a letter that reaches below the line."""

BASE = 0.12
"""In heights of a letter: how far the feet of round and straight letters lie apart."""

BOX = (5.0, 20.0)
"""Points; boxes to tick are so wide and high."""

MOST_TICKED = 5
"""So many boxes and no empty one are the marks of a chart."""

MOST_BOXES = 300
"""More on a page are a pattern, as of squared paper."""


def drawn_boxes(sheet: Any) -> list[tuple[Area, bool]]:
    """
    The boxes to tick that are drawn on a page, each with whether something is drawn in it, where one at least is ticked; those
    that touch each other are the places of letters.
    """
    import pypdfium2.raw as pdfium

    edges = [ctypes.c_float() for _ in range(4)]
    asked = tuple(map(ctypes.byref, edges))
    boxes: list[Area] = []
    marks: list[Area] = []
    for part in islice(sheet.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH]), MAX_OBJECTS):
        if not pdfium.FPDFPageObj_GetBounds(part.raw, *asked):
            continue
        left, bottom, right, top = area = (edges[0].value, edges[1].value, edges[2].value, edges[3].value)
        wide, high = right - left, top - bottom
        if max(wide, high) > BOX[1] + 2:
            continue
        if min(wide, high) >= BOX[0] and abs(wide - high) < 0.2 * high and _is_box(part.raw):
            boxes += [area] if not any(abs(left - b[0]) + abs(bottom - b[1]) < 3 for b in boxes[-50:]) else []
            if len(boxes) > MOST_BOXES:
                return []
        elif max(wide, high) > 2:
            marks.append(area)
    alone = [b for b in boxes if not any(o is not b and _gap(b, o, 0) < 3 and abs(o[1] - b[1]) < 3 for o in boxes)]
    found = [(b, any(_lies_in(mark, b) for mark in marks)) for b in alone] if marks else []
    ticked = sum(is_ticked for _, is_ticked in found)
    return found if 0 < ticked < max(len(found), MOST_TICKED) else []


def _is_box(path: Any) -> bool:
    """Whether a path is one closed line of straight pieces, stroked and not filled with a colour."""
    import pypdfium2.raw as pdfium

    mode, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, ctypes.byref(mode), ctypes.byref(stroke))
    steps = pdfium.FPDFPath_CountSegments(path)
    if not stroke.value or not 4 <= steps <= 6 or (mode.value and filled(path) != WHITE):
        return False
    kinds = [pdfium.FPDFPathSegment_GetType(pdfium.FPDFPath_GetPathSegment(path, n)) for n in range(steps)]
    return kinds.count(pdfium.FPDF_SEGMENT_MOVETO) == 1 and kinds.count(pdfium.FPDF_SEGMENT_LINETO) == steps - 1


def _gap(one: Area, other: Area, side: int) -> float:
    return max(one[side] - other[side + 2], other[side] - one[side + 2])


def _lies_in(mark: Area, box: Area) -> bool:
    """Whether a mark fills a good part of a box and reaches little beyond it."""
    size = box[2] - box[0]
    inside = all(mark[n] > box[n] - 0.4 * size and mark[n + 2] < box[n + 2] + 0.4 * size for n in (0, 1))
    middle = ((mark[0] + mark[2]) / 2, (mark[1] + mark[3]) / 2)
    return inside and mark[2] - mark[0] > 0.3 * size and all(box[n] < middle[n] < box[n + 2] for n in (0, 1))


def has_drawn_words(sheet: Any, textpage: Any) -> bool:
    """Whether words are drawn as shapes on a page, where its text has none."""
    rows: list[list[Area]] = []
    for shape in sorted(_letters(sheet), key=lambda shape: (round(shape[1]), shape[0])):
        height = shape[3] - shape[1]
        row = next((row for row in reversed(rows[-20:]) if abs(row[0][1] - shape[1]) < BASE * height), None)
        if row is None:
            rows.append([shape])
        else:
            row.append(shape)
    return any(_is_word(word, textpage) for row in rows for word in _words(sorted(row)))


def _letters(sheet: Any) -> Iterator[Area]:
    """Where the filled shapes of a page are that may be letters; of a path with many of them each."""
    import pypdfium2.raw as pdfium

    edges = [ctypes.c_float() for _ in range(4)]
    asked = tuple(map(ctypes.byref, edges))
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    for part in islice(sheet.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=DEEPEST), MAX_OBJECTS):
        steps = pdfium.FPDFPath_CountSegments(part.raw)
        if not SIMPLEST <= steps <= MOST_STEPS:
            continue
        pdfium.FPDFPath_GetDrawMode(part.raw, ctypes.byref(mode), ctypes.byref(stroke))
        if not mode.value or not pdfium.FPDFPageObj_GetBounds(part.raw, *asked):
            continue
        left, bottom, right, top = (edge.value for edge in edges)
        whole = (left, bottom, right, top)
        shapes = [whole] if right - left <= 2 * (top - bottom) else _lines(part.raw, steps)
        yield from (s for s in shapes if HEIGHTS[0] <= s[3] - s[1] <= HEIGHTS[1] and s[2] - s[0] <= 2 * (s[3] - s[1]))


def _lines(path: Any, steps: int) -> list[Area]:
    """Where the closed lines of a path are, those inside others, such as holes, aside."""
    import pypdfium2.raw as pdfium

    x, y = ctypes.c_float(), ctypes.c_float()
    lines: list[list[tuple[float, float]]] = []
    for number in range(steps):
        step = pdfium.FPDFPath_GetPathSegment(path, number)
        pdfium.FPDFPathSegment_GetPoint(step, ctypes.byref(x), ctypes.byref(y))
        if pdfium.FPDFPathSegment_GetType(step) == pdfium.FPDF_SEGMENT_MOVETO or not lines:
            lines.append([])
        lines[-1].append((x.value, y.value))
    found: list[Area] = []
    for line in lines:
        across, up = zip(*line, strict=True)
        area = (min(across), min(up), max(across), max(up))
        if not any(a[0] <= area[0] and a[1] <= area[1] and a[2] >= area[2] and a[3] >= area[3] for a in found[-3:]):
            found.append(area)
    return found


def _words(row: list[Area]) -> Iterator[list[Area]]:
    """The shapes of a row that stand side by side."""
    word = row[:1]
    for one, other in pairwise(row):
        height = max(one[3] - one[1], other[3] - other[1])
        if not -0.3 * height < other[0] - one[2] < WIDEST_GAP * height:
            yield word
            word = []
        word.append(other)
    yield word


def _is_word(word: list[Area], textpage: Any) -> bool:
    """Whether shapes are letters: of several widths and at most two heights mostly, where no text is."""
    if len(word) < FEWEST_LETTERS:
        return False
    heights = sorted(top - bottom for _, bottom, _, top in word)
    low, high = heights[len(heights) // 4], heights[-1]
    like = sum(abs(height - own) < BASE * own for height in heights for own in {low, high}) if low < high else len(word)
    widths = {round(5 * (right - left) / high) for left, _, right, _ in word}
    if like < 0.7 * len(word) or len(widths) < 3:
        return False
    bottom, top = min(one[1] for one in word), max(one[3] for one in word)
    return not textpage.get_text_bounded(word[0][0], bottom, word[-1][2], top).strip()
