"""
The cells of tables whose lines a PDF page draws.

Lines that touch each other make a grid; fields of it that no line parts are one cell, which so may reach over several
columns and rows. A table is what has text in two cells at least of two rows, and hardly any text across its lines.
"""

from __future__ import annotations

import ctypes
import re
import statistics
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from clusterqa.documents import tables
from clusterqa.documents.pdf_order import Stretch, TableRow, by_place, level, run_on

MAX_LINES = 4_000
"""A page that draws more lines is a drawing; its tables are read without them."""

MAX_PARTS = 20_000
"""Of a page of more parts the first are searched for lines."""

MAX_GRIDS = 200
"""A page of more grids is a drawing too."""

LONGEST_REPEATED = 50_000
"""Letters; a cell over several rows that would come to more says its text in the first of them."""

FEWEST_RULES = 3
"""So many level lines of one length at least part the rows of a table."""

FARTHEST_OPEN = 2.0
FARTHEST_LINE = 1.75
"""In letter sizes: so far from a line at most is the row outside of it, and so far from each other are the lines of a cell."""

ENDS_EARLY = 0.6
"""Share of the widest line of a cell; a shorter line above another ends what it says."""

MAX_FIELDS = 20_000
"""A grid of more fields is none of a table."""

THICKEST = 3.0
"""Points; a filled shape that is no thicker is a line."""

MOST_CORNERS = 6
"""A shape of more corners is no field with a colour."""

NEAR = 2.5
"""Points; lines so near to each other are one, and so near ones touch."""

SHORTEST = 4.0
"""Points; what is shorter parts nothing."""

ACROSS = 0.2
"""Share of the stretches in a grid above which those that reach over its lines show that it is no table."""

LONGEST_CELL = 40
"""Lines; a grid with a longer cell orders texts on the page and is no table."""

LONG_CELL = 12
FEW_ROWS = 3
"""Lines and rows; of so few rows with so long a cell, columns of text are made, not tables."""

LONGEST_TITLE = 2
"""Lines; what goes over all columns of a table and is longer is a text and no row."""

WRAPPED = 0.3
"""Share of the line ends in a row of cells that are full from which its cells are wrapped, and no rows stand in it."""

EDGE = 0.1
"""Share of a page's height, at the top and at the bottom, in which a table that goes on over pages has the page's head and foot."""

WIDE_GAP = 1.6
"""In letter sizes: a wider gap inside a cell parts columns that no line does."""

FEWEST_WITHIN = 3
"""So many rows at least stand in a row of drawn cells, if they are rows and no lines of wrapped texts."""

DEEPEST = 8
"""Drawings that lie in each other are searched for lines so far."""

_COVERED = 0.6
"""Share of the side of a field that a line runs along to part it from the next."""

_WHITE = 250

Line = tuple[float, float, float]
"""Where a line lies across its direction, and its two ends."""


Tidy = Callable[[list[Stretch]], list[Stretch]]


@dataclass(frozen=True, slots=True)
class Grid:
    """
    Lines of a table as fields between `across` and `up` (ascending, in points of the file); `cells[column][row]`, from the left and
    from the foot, is the number of the cell that a field belongs to, -1 outside.
    """

    across: tuple[float, ...]
    up: tuple[float, ...]
    cells: tuple[tuple[int, ...], ...]
    by_gaps: bool = False
    """Only its rows are drawn; its columns are the gaps between its texts."""

    def at(self, x: float, y: float) -> int:
        """The number of the cell at a place, -1 for none."""
        column, row = bisect_right(self.across, x) - 1, bisect_right(self.up, y) - 1
        inside = 0 <= column < len(self.cells) and 0 <= row < len(self.up) - 1
        return self.cells[column][row] if inside else -1

    def parted(self, texts: Iterable[Stretch]) -> Grid:
        """
        The grid with its wider cells parted where a line between its columns would go on, if it would cross no text and have some on
        both sides at one height: of many tables the head alone has such lines.
        """
        held: defaultdict[int, list[Stretch]] = defaultdict(list)
        for text in texts:
            held[self.at((text.left + text.right) / 2, text.y + 0.3 * text.size)].append(text)
        cells = [list(column) for column in self.cells]
        last = max(map(max, cells))
        covered: defaultdict[int, list[int]] = defaultdict(list)
        for number, fields in enumerate(self.cells):
            for cell in set(fields):
                covered[cell].append(number)
        for cell, own in held.items():
            columns = covered[cell]
            heights = {round(text.y) for text in own}
            new = cell
            for column in columns:
                x = self.across[column]
                left = {round(text.y) for text in own if text.left < x - NEAR}
                right = {round(text.y) for text in own if text.left >= x - NEAR}
                crossed = any(text.left < x - NEAR and text.right > x + NEAR for text in own)
                if not crossed and left & right and 2 * len(left & right) >= len(heights):
                    last = new = last + 1
                cells[column] = [
                    new if was == cell else now for was, now in zip(self.cells[column], cells[column], strict=True)
                ]
        return Grid(self.across, self.up, tuple(map(tuple, cells)))

    def room(self, turns: int) -> dict[int, tuple[float, float]]:
        """Where each cell begins and ends along its lines, as the page is turned."""
        found: dict[int, tuple[float, float]] = {}
        for column, cells in enumerate(self.cells):
            for row, cell in enumerate(cells):
                ends = self.up[row : row + 2] if turns % 2 else self.across[column : column + 2]
                low, high = (ends[0], ends[1]) if turns < 2 else (-ends[1], -ends[0])
                known = found.get(cell, (low, high))
                found[cell] = (min(low, known[0]), max(high, known[1]))
        return found

    def turned(self, turns: int) -> list[list[int]]:
        """The cells as rows from the top, as a page shows them that is turned by so many quarters for its letters."""
        columns = [list(column) for column in self.cells]
        rows = [list(row) for row in zip(*columns, strict=True)]
        if turns == 1:
            return columns
        if turns == 2:
            return [row[::-1] for row in rows]
        if turns == 3:
            return [column[::-1] for column in columns[::-1]]
        return rows[::-1]


class Grids:
    """The grids of a page, the smaller first as they may lie in others, and the colours of its shapes."""

    def __init__(self, sheet: Any) -> None:
        self._levels: list[Line] = []
        self._uprights: list[Line] = []
        self._shades: list[tuple[float, float, float, float]] = []
        self._left = MAX_PARTS
        self._height = float(sheet.get_height())
        self._read(sheet.raw)
        self.found: list[Grid] = []
        levels, uprights = _merged(self._levels), _merged(self._uprights)
        if levels and uprights and len(levels) + len(uprights) <= MAX_LINES:
            found = [grid for group in _touching(levels, uprights) if (grid := _grid(*group)) is not None]
            found.sort(key=lambda grid: (grid.across[-1] - grid.across[0]) * (grid.up[-1] - grid.up[0]))
            self.found = found if len(found) <= MAX_GRIDS else []

    def add_ruled(self, stretches: list[Stretch], tidy: Tidy) -> None:
        """
        Add the grids of tables that have lines, or grounds with colours, between their rows and none between their columns: these
        are the gaps between their texts.
        """
        edges = [(y, left, right) for left, bottom, right, top in self._shades for y in (bottom, top)]
        drawn = _merged(self._levels + edges)
        groups: list[list[Line]] = []
        for line in sorted(drawn, key=lambda line: line[1:]):
            last = groups[-1][0] if groups else None
            if last is not None and abs(last[1] - line[1]) + abs(last[2] - line[2]) <= 2 * NEAR:
                groups[-1].append(line)
            else:
                groups.append([line])
        groups = [group for group in groups if len(group) >= FEWEST_RULES]
        if len(drawn) > MAX_LINES or not groups:
            return
        level = [s for s in tidy(stretches) if not (s.turns or s.slanted) and self.at(*self.place(s)) is None]
        for group in groups[:MAX_GRIDS]:
            self.found += _ruled(group, level)

    @property
    def are_nested(self) -> bool:
        """Whether a table lies within a cell of another; grounds that reach to the edge of the page are none."""
        return any(
            min(outer.across[0], outer.up[0]) > NEAR
            and len(inner.across) > 2 < len(inner.up)
            and len(outer.across) > 2 < len(outer.up)
            and outer.at(inner.across[0] + NEAR, inner.up[0] + NEAR)
            == outer.at(inner.across[-1] - NEAR, inner.up[-1] - NEAR)
            >= 0
            for number, inner in enumerate(self.found)
            for outer in self.found[number + 1 :]
        )

    def at(self, x: float, y: float) -> tuple[int, int] | None:
        """The grid and the cell at a place, None outside of all."""
        for number, grid in enumerate(self.found):
            if (cell := grid.at(x, y)) >= 0:
                return number, cell
        return None

    def place(self, stretch: Stretch, along: float | None = None) -> tuple[float, float]:
        """The middle of a stretch, or a place `along` its line, in points of the file."""
        along = (stretch.left + stretch.right) / 2 if along is None else along
        across = stretch.y + 0.3 * stretch.size
        if not stretch.turns:
            return along, across
        return ((self._height - across, along), (-along, self._height - across), (across, -along))[stretch.turns - 1]

    def is_inside(self, stretch: Stretch) -> bool:
        """Whether a stretch stands between the head and the foot of the page."""
        return EDGE * self._height < stretch.y < (1 - EDGE) * self._height

    def is_shaded(self, x: float, y: float) -> bool:
        """Whether the ground at a place has a colour."""
        return any(left < x < right and bottom < y < top for left, bottom, right, top in self._shades)

    def _read(self, page: Any) -> None:
        import pypdfium2.raw as pdfium

        def look(parts: Any, count: int, part_of: Callable[[Any, int], Any], outer: list[Any], depth: int) -> None:
            for number in range(min(count, self._left)):
                part = part_of(parts, number)
                self._left -= 1
                kind = pdfium.FPDFPageObj_GetType(part)
                if kind == pdfium.FPDF_PAGEOBJ_PATH:
                    self._add(part, outer)
                elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < DEEPEST:
                    inside = pdfium.FPDFFormObj_CountObjects(part)
                    look(part, inside, pdfium.FPDFFormObj_GetObject, [_matrix(part), *outer], depth + 1)

        look(page, pdfium.FPDFPage_CountObjects(page), pdfium.FPDFPage_GetObject, [], 0)

    def _add(self, part: Any, outer: list[Any]) -> None:
        """Take the lines that a path draws: straight strokes, the sides of boxes, and shapes so thin that they look like lines."""
        import pypdfium2.raw as pdfium

        filled, stroked = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDFPath_GetDrawMode(part, ctypes.byref(filled), ctypes.byref(stroked))
        if not filled.value and not stroked.value:
            return
        edges = [ctypes.c_float() for _ in range(4)]
        if not pdfium.FPDFPageObj_GetBounds(part, *map(ctypes.byref, edges)):
            return
        left, bottom, right, top = (edge.value for edge in edges)
        places = [_through(outer, (x, y)) for x in (left, right) for y in (bottom, top)]
        if not stroked.value and self._add_thin(places):  # the bounds of a stroke reach beyond its ends
            return
        simple = pdfium.FPDFPath_CountSegments(part) <= MOST_CORNERS
        if filled.value and simple and _is_coloured(part):
            (left, *_, right), (bottom, *_, top) = map(sorted, zip(*places, strict=True))
            self._shades.append((left, bottom, right, top))
        if simple and not stroked.value:
            return
        for corners in _corners(part, [_matrix(part), *outer]):
            if self._add_thin(corners) or not stroked.value:
                continue
            for (x, y), (to_x, to_y) in pairwise(corners):
                if abs(y - to_y) < 0.5:
                    self._levels.append(((y + to_y) / 2, min(x, to_x), max(x, to_x)))
                elif abs(x - to_x) < 0.5:
                    self._uprights.append(((x + to_x) / 2, min(y, to_y), max(y, to_y)))

    def _add_thin(self, corners: list[tuple[float, float]]) -> bool:
        """Take a shape that is so thin that it looks like a line; whether it is."""
        xs, ys = zip(*corners, strict=True)
        left, bottom, right, top = min(xs), min(ys), max(xs), max(ys)
        if min(top - bottom, right - left) > THICKEST:
            return False
        if right - left > top - bottom:
            self._levels.append(((bottom + top) / 2, left, right))
        else:
            self._uprights.append(((left + right) / 2, bottom, top))
        return True


def _matrix(part: Any) -> Any:
    import pypdfium2.raw as pdfium

    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFPageObj_GetMatrix(part, ctypes.byref(matrix))
    return matrix


def _through(matrices: list[Any], at: tuple[float, float]) -> tuple[float, float]:
    """A place within a drawing as a place on the page."""
    for m in matrices:
        at = (m.a * at[0] + m.c * at[1] + m.e, m.b * at[0] + m.d * at[1] + m.f)
    return at


def _corners(part: Any, matrices: list[Any]) -> Iterable[list[tuple[float, float]]]:
    """The corners of each line of a path that has no curves; a closed one comes back to the first."""
    import pypdfium2.raw as pdfium

    x, y = ctypes.c_float(), ctypes.c_float()
    found: list[list[tuple[float, float]]] = []
    for number in range(pdfium.FPDFPath_CountSegments(part)):
        segment = pdfium.FPDFPath_GetPathSegment(part, number)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_BEZIERTO:
            return
        pdfium.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        at = _through(matrices, (x.value, y.value))
        if kind == pdfium.FPDF_SEGMENT_MOVETO or not found:
            found.append([at])
        else:
            found[-1].append(at)
        if pdfium.FPDFPathSegment_GetClose(segment):
            found[-1].append(found[-1][0])
    yield from (corners for corners in found if len(corners) > 1)


def _is_coloured(part: Any) -> bool:
    import pypdfium2.raw as pdfium

    values = [ctypes.c_uint(255) for _ in range(4)]
    pdfium.FPDFPageObj_GetFillColor(part, *map(ctypes.byref, values))
    red, green, blue, solid = (value.value for value in values)
    return solid > 0 and min(red, green, blue) < _WHITE


def _merged(lines: list[Line]) -> list[Line]:
    """The lines of one direction, those that lie on each other or go on in each other as one."""
    groups: list[list[Line]] = []
    for line in sorted(lines):
        if groups and line[0] - groups[-1][0][0] <= NEAR:
            groups[-1].append(line)
        else:
            groups.append([line])
    found = []
    for group in groups:
        at = statistics.mean(line[0] for line in group)
        ends: list[list[float]] = []
        for _, start, end in sorted(group, key=lambda line: line[1]):
            if ends and start <= ends[-1][1] + NEAR:
                ends[-1][1] = max(ends[-1][1], end)
            else:
                ends.append([start, end])
        found += [(at, start, end) for start, end in ends if end - start > SHORTEST]
    return found


def _touching(levels: list[Line], uprights: list[Line]) -> Iterable[tuple[list[Line], list[Line]]]:
    """The lines in groups that hang together."""
    at, start, end = np.array(levels).T[:, :, None]
    x, low, high = np.array(uprights).T[:, None, :]
    touches = (start - NEAR <= x) & (x <= end + NEAR) & (low - NEAR <= at) & (at <= high + NEAR)
    seen: set[int] = set()
    for first in range(len(levels)):
        if first in seen:
            continue
        mine, others = {first}, set[int]()
        new = [first]
        while new:
            crossing = set(np.flatnonzero(touches[new].any(axis=0)).tolist()) - others
            others |= crossing
            met = set(np.flatnonzero(touches[:, sorted(crossing)].any(axis=1)).tolist()) - mine if crossing else set()
            mine |= met
            new = sorted(met)
        seen |= mine
        if len(mine) > 1 and others:
            yield [levels[n] for n in sorted(mine)], [uprights[n] for n in sorted(others)]


def _grid(levels: list[Line], uprights: list[Line]) -> Grid | None:
    """The grid that touching lines make; None for one without cells side by side."""
    uprights = uprights + _open_sides(levels, uprights)
    levels = levels + _open_sides(uprights, levels)
    across, up = _places(uprights), _places(levels)
    columns, rows = len(across) - 1, len(up) - 1
    if columns < 1 or rows < 1 or columns * rows < 2 or columns * rows > MAX_FIELDS:
        return None
    left_of = _sides(uprights, across, up)  # [n][row]: whether a line lies at `across[n]` beside this row
    below = _sides(levels, up, across)
    for column, inner in ((0, 1), (columns - 1, columns - 1)):  # a corner, of which the two inner sides are drawn
        for row, inside in ((0, 1), (rows - 1, rows - 1)):
            if columns > 1 and rows > 1 and left_of[inner][row] and below[inside][column]:
                left_of[0 if column == 0 else columns][row] = True
                below[0 if row == 0 else rows][column] = True
    _close(left_of, below)
    _close(below, left_of)
    # Fields with a ring around them: what hangs together with the ring is outside.
    above = columns + 2
    parent = list(range(above * (rows + 2)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    for row in range(rows + 2):
        for column in range(columns + 2):
            here = row * above + column
            if column <= columns and not (1 <= row <= rows and left_of[column][row - 1]):
                parent[root(here)] = root(here + 1)
            if row <= rows and not (1 <= column <= columns and below[row][column - 1]):
                parent[root(here)] = root(here + above)
    outside = root(0)
    numbers: dict[int, int] = {outside: -1}
    cells = [
        [numbers.setdefault(root((row + 1) * above + column + 1), len(numbers) - 1) for row in range(rows)]
        for column in range(columns)
    ]
    if len(numbers) < 3:
        return None
    return Grid(tuple(across), tuple(up), tuple(zip(*_rectangles(list(zip(*cells, strict=True))), strict=True)))


def _ruled(rules: list[Line], texts: list[Stretch]) -> Iterator[Grid]:
    """
    The grids of the rows between level lines of one length: those that follow each other and are rows by their texts.

    What stands right above the first line, or right below the last, is a row too where it keeps to the columns.
    """
    left, right = min(line[1] for line in rules) - NEAR, max(line[2] for line in rules) + NEAR
    texts = [s for s in texts if left <= s.left and s.right <= right]
    up = sorted(line[0] for line in rules)
    rows = [_may_be_row(band) for band in _bands_between(up, texts)]
    start = 0
    for number, is_row in enumerate([*rows, False]):
        if not is_row:
            yield from _of_rows(up[start : number + 1], left, right, texts)
            start = number + 1


def _of_rows(up: list[float], left: float, right: float, texts: list[Stretch]) -> Iterator[Grid]:
    """The grid of the rows between the lines at these heights; none where they are no table, or hold several rows."""
    bands = _bands_between(up, texts)
    columns = _gaps(bands)
    if len(up) < FEWEST_RULES or not columns or any(_has_rows(band, columns) for band in bands):
        return
    for below in (True, False):
        if edge := _open_row(up, below, texts, columns):
            up = [edge, *up] if below else [*up, edge]
    bands = _bands_between(up, texts)
    columns = max(columns, _gaps(bands), key=len)  # a column may have a name alone, as that for signatures
    several = [band for band in bands if len({bisect_right(columns, s.left) for s in band}) > 1]
    if len(several) < 2 or 2 * len(several) < sum(map(bool, bands)):
        return
    cells: list[list[int]] = []
    for number, band in enumerate(bands):
        own = list(range(number * len(columns) + number, (number + 1) * (len(columns) + 1)))
        for text in band:  # a name over several columns, or a remark over all
            first, last = (bisect_right(columns, x) for x in (text.left + NEAR, text.right - NEAR))
            if first < last and band not in several:
                first, last = 0, len(columns)
            own[first : last + 1] = [own[first]] * (last + 1 - first)
        cells.append(own)
    yield Grid((left, *columns, right), tuple(up), tuple(zip(*cells, strict=True)), by_gaps=True)


def _may_be_row(band: list[Stretch]) -> bool:
    """Whether texts between two lines stand as closely below each other as the lines of cells do, in letters of one size."""
    lines = sorted(band, key=lambda s: -s.y)
    sizes = [s.size for s in band] or [1.0]
    return max(sizes) <= 1.1 * min(sizes) and all(a.y - b.y <= FARTHEST_LINE * b.size for a, b in pairwise(lines))


def _bands_between(up: list[float], texts: list[Stretch]) -> list[list[Stretch]]:
    """The texts between each two of the lines that lie at these heights, ascending."""
    bands: list[list[Stretch]] = [[] for _ in up[1:]]
    for text in texts:
        number = bisect_right(up, text.y + 0.3 * text.size) - 1
        if 0 <= number < len(bands):
            bands[number].append(text)
    return bands


def _gaps(bands: list[list[Stretch]]) -> list[float]:
    """Where columns are parted: places that no text of a row with several reaches over, and that have text on both sides in one row."""
    several = [
        band for band in bands if any(level(a, b) or b.right < a.left or a.right < b.left for a, b in pairwise(band))
    ]
    columns: list[tuple[float, float]] = []
    for start, end in sorted((s.left, s.right) for band in several for s in band):
        if columns and start < columns[-1][1] + NEAR:
            columns[-1] = (columns[-1][0], max(end, columns[-1][1]))
        else:
            columns.append((start, end))
    found: list[tuple[float, float]] = []
    for column in columns:  # what stands beside nothing of the column before is in it: a name over figures to its right
        if found and not any(
            any(found[-1][0] <= s.left < found[-1][1] for s in band)
            and any(column[0] <= s.left < column[1] for s in band)
            for band in several
        ):
            found[-1] = (found[-1][0], column[1])
        else:
            found.append(column)
    return [(one[1] + other[0]) / 2 for one, other in pairwise(found)]


def _open_row(up: list[float], below: bool, texts: list[Stretch], columns: list[float]) -> float | None:
    """
    The height at which a row ends that stands outside of the first or the last line of a table, not farther than its rows are high;
    None where there is none.
    """
    edge = up[0] if below else up[-1]
    high = statistics.median(b - a for a, b in pairwise(up))
    lines: list[Stretch] = []
    sign = -1 if below else 1
    for text in sorted(texts, key=lambda s: sign * s.y):
        last = lines[-1] if lines else None
        step = sign * (text.y - (edge if last is None else last.y))
        if step < (0 if last is None else -1):
            continue
        other = last is not None and (abs(text.size - last.size) > 0.1 * last.size or text.bold != last.bold)
        if other or step > (max(FARTHEST_OPEN * text.size, high) if last is None else FARTHEST_LINE * text.size):
            break
        lines.append(text)
    crossing = any(line.left + NEAR < x < line.right - NEAR for line in lines for x in columns)
    if crossing or len({bisect_right(columns, line.left) for line in lines}) < 2 or _has_rows(lines, columns):
        return None
    return min(s.y - s.size for s in lines) if below else max(s.y + s.size for s in lines)


def _has_rows(band: list[Stretch], columns: list[float]) -> bool:
    """
    Whether several rows stand between two lines: lines of the first column that end early, or figures, have others beside them.
    """
    first = [s for s in band if bisect_right(columns, s.left) == 0]
    others = [s for s in band if bisect_right(columns, s.left) > 0]
    shared = [one for one in first if any(level(one, other) for other in others)]
    if len(shared) < 2:
        return False
    widest = max(s.right - s.left for s in first)
    early = any(s.right - s.left < ENDS_EARLY * widest for s in shared[:-1])
    return early or any(level(other, shared[-1]) and re.search(r"\d", other.text) for other in others)


def _close(sides: list[list[bool]], crossing: list[list[bool]]) -> None:
    """Close the fields at the two ends of a grid that have lines at their three other sides, as a ground with a colour may do."""
    last = len(sides) - 1
    for number in range(len(sides[0])):
        for outer, inner, field in ((0, 1, 0), (last, last - 1, last - 1)):
            if sides[inner][number] and crossing[number][field] and crossing[number + 1][field]:
                sides[outer][number] = True


def _rectangles(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """The cells of rows numbered anew, so that each is a rectangle: one with a corner, as a line is missing, is two."""
    found: list[list[int]] = []
    last = -1
    above: dict[tuple[int, int, int], int] = {}
    for row in rows:
        here = {}
        for cell, start, end in _spans(row):
            here[cell, start, end] = above.get((cell, start, end), last + 1)
            last = max(last, here[cell, start, end])
        found.append([-1] * len(row))
        for (_, start, end), number in here.items():
            found[-1][start:end] = [number] * (end - start)
        above = here
    return found


def _open_sides(lines: list[Line], crossing: list[Line]) -> list[Line]:
    """Lines that a table leaves out at its sides: where most of those of one direction end together beyond the last of the other."""
    found = []
    for end, outermost, sign in (
        (1, min(line[0] for line in crossing), -1), (2, max(line[0] for line in crossing), 1),
    ):  # fmt: skip
        beyond = [line for line in lines if sign * (line[end] - outermost) > 3 * NEAR]
        if len(beyond) < 2:
            continue
        place = statistics.median(line[end] for line in beyond)
        same = [line for line in beyond if abs(line[end] - place) <= 2 * NEAR]
        if len(same) > 1 and 2 * len(same) >= len(lines):
            found.append((place, min(line[0] for line in same), max(line[0] for line in same)))
    return found


def _places(lines: list[Line]) -> list[float]:
    """Where the lines of one direction lie, ascending, near ones as one."""
    found: list[float] = []
    for place in sorted(line[0] for line in lines):
        if not found or place - found[-1] > NEAR:
            found.append(place)
    return found


def _sides(lines: list[Line], places: list[float], steps: list[float]) -> list[list[bool]]:
    """For each of the places whether a line lies there, from one of the steps to the next."""
    found = [[False] * (len(steps) - 1) for _ in places]
    for at, start, end in lines:
        side = found[max(0, bisect_right(places, at + 0.01) - 1)]
        for number, (low, high) in enumerate(pairwise(steps)):
            if min(high, end) - max(low, start) >= _COVERED * (high - low):
                side[number] = True
    return found


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a table, which goes for its rest on the next page too: where its columns lie, and its rows."""

    across: tuple[float, ...]
    rows: tuple[tuple[tables.Cell, ...], ...]


def with_tables(
    stretches: list[Stretch], grids: Grids, tidy: Tidy, before: Head | None
) -> tuple[list[Stretch], Head | None]:
    """
    The stretches of a page, those in a drawn table as one that holds its rows, where the first of them stands; and the header
    of the last table. `before` is that of the page before.

    What stands in boxes that are no table is put in the order of the boxes.
    """
    held: defaultdict[int, list[int]] = defaultdict(list)
    for number, stretch in enumerate(stretches):
        if not stretch.slanted and (place := grids.at(*grids.place(stretch))) is not None:
            held[place[0]].append(number)
    found: list[Stretch | None] = list(stretches)
    moved: dict[int, list[Stretch]] = {}
    last = None
    for which, members in sorted(held.items(), key=lambda item: -grids.found[item[0]].up[-1]):
        inside = [stretches[number] for number in members]
        turns = Counter(one.turns for one in inside).most_common(1)[0][0]
        grid = grids.found[which]
        grid = grid.parted(inside) if not any(one.turns for one in inside) else grid
        cells: defaultdict[int, list[Stretch]] = defaultdict(list)
        across = 0
        for number, one in zip(members, inside, strict=True):
            cell = grid.at(*grids.place(one))
            cut = (
                not grid.by_gaps and one.follows and number > 0 and grid.at(*grids.place(stretches[number - 1])) != cell
            )
            across += cut
            cells[cell].append(replace(one, follows=False) if cut else one)
        if across + _reach_over(grid, grids, cells) > ACROSS * len(inside):
            continue
        shape, room = grid.turned(turns), grid.room(turns)
        tidied = {cell: tidy(own) for cell, own in cells.items()}
        if _is_parted_by_gaps(tidied, room):
            continue
        lines = {cell: _cell_lines(own) for cell, own in tidied.items()}
        side_by_side = [row for row in shape if len({cell for cell in row if cell in lines}) > 1]
        if not side_by_side:
            continue
        apart = {cell for row in side_by_side for cell in row if cell in lines}
        worded = sum(any(re.search(r"[^\W\d]{2}", line.text) for line in lines[cell]) for cell in apart)
        several = len({frozenset(row) for row in side_by_side}) > 1 and len(apart) > 2
        short = len(apart) > 2 and all(len(lines[cell]) <= LONGEST_TITLE for cell in apart)  # a row of a form
        is_table = (several or short) and worded > 1
        most = LONG_CELL if len(side_by_side) <= FEW_ROWS else LONGEST_CELL
        if not is_table or any(_is_text(row, lines, room, most) for row in shape):
            if _is_wrapped(lines, room):
                order = dict.fromkeys(cell for row in shape for cell in row if cell in lines)
                moved[members[0]] = [one for cell in order for one in cells[cell]]
                for number in members:
                    found[number] = None
            continue
        for number in members:
            found[number] = None
        rest = [s.y for s in found if s is not None and s.turns == turns and grids.is_inside(s)]
        foot = min(line.y for told in lines.values() for line in told)
        top = max(line.y for told in lines.values() for line in told)
        goes_on = before if not any(y > top for y in rest) else None
        moved[members[0]], head = _table(grid, shape, room, turns, lines, grids, goes_on)
        before, last = None, head if not any(y < foot for y in rest) else None
    return [s for n, one in enumerate(found) for s in moved.get(n, [one]) if s is not None], last


def _is_text(row: list[int], lines: dict[int, list[Stretch]], room: dict[int, tuple[float, float]], most: int) -> bool:
    """Whether a cell of a row has more than so many lines, and they are no rows of their own."""
    own = {cell: lines[cell] for cell in row if cell in lines}
    return any(len(told) > most for told in own.values()) and len(_rows_within(own, room)) == 1


def _is_parted_by_gaps(cells: dict[int, list[Stretch]], room: dict[int, tuple[float, float]]) -> bool:
    """
    Whether there are columns that no line parts: gaps below each other, in one cell, or, where figures stand behind them, in
    cells below each other.
    """
    ends: Counter[tuple[object, int, int]] = Counter()
    for cell, own in cells.items():
        for one, other in pairwise(own):
            if level(one, other) and other.left - one.right > WIDE_GAP * one.size:
                places = ((0, round(other.left / other.size)), (1, round(other.right / other.size)))
                keys: list[object] = [cell] if any(c.isalpha() for c in other.text) else [cell, room[cell]]
                ends.update((key, *place) for key in keys for place in places)
    return max(ends.values(), default=0) >= FEWEST_WITHIN


def _is_wrapped(lines: dict[int, list[Stretch]], room: dict[int, tuple[float, float]]) -> bool:
    """Whether the lines of cells are broken where the cells are full."""
    breaks = [_is_full(a, b, *room[cell]) for cell, told in lines.items() for a, b in pairwise(told)]
    return bool(breaks) and sum(breaks) >= WRAPPED * len(breaks)


def _reach_over(grid: Grid, grids: Grids, cells: dict[int, list[Stretch]]) -> int:
    """How many stretches reach over a line beside them."""
    return sum(
        any(grid.at(*grids.place(one, along)) != cell for along in (one.left + one.size, one.right - one.size))
        for cell, own in cells.items()
        for one in own
        if one.right - one.left > 2 * one.size
    )


def _cell_lines(stretches: list[Stretch]) -> list[Stretch]:
    """The lines of a cell, from the top."""
    lines: list[list[Stretch]] = []
    for one in by_place(stretches):
        if lines and lines[-1][0].turns == one.turns and level(lines[-1][0], one):
            lines[-1].append(one)
        else:
            lines.append([one])
    return [
        line[0]
        if len(line) == 1
        else replace(
            max(line, key=lambda s: len(s.text)),
            text=" ".join(one.text for one in line),
            left=line[0].left,
            right=max(one.right for one in line),
            bold=all(one.bold for one in line),
        )
        for line in lines
    ]


def _table(
    grid: Grid,
    shape: list[list[int]],
    room: dict[int, tuple[float, float]],
    turns: int,
    lines: dict[int, list[Stretch]],
    grids: Grids,
    before: Head | None,
) -> tuple[list[Stretch], Head | None]:
    """
    A drawn table as a stretch that holds its rows, and its header; a text of several lines that goes over all of its columns
    stands as such between the rows.
    """
    times = Counter(cell for row in shape for cell in set(row))
    rows: list[list[tables.Cell]] = []
    shaded: list[bool] = []
    heights: list[float] = []
    texts: dict[int, list[Stretch]] = {}
    several: set[int] = set()
    merged: dict[tuple[int, int, int], tables.Cell] = {}  # a cell over several rows is one
    for row in shape:
        spans = _spans(row)
        own = {cell: lines[cell] for cell, _, _ in spans if times[cell] == 1 and cell in lines}
        for part in _rows_within(own, room):
            cells = []
            for cell, start, end in spans:
                told = part.get(cell, []) if times[cell] == 1 else lines.get(cell, [])
                made = tables.Cell(run_on(told), start, end, bool(told) and all(x.bold for x in told))
                if times[cell] > 1:
                    known = merged.setdefault((cell, start, end), made)
                    repeated = known is made or len(made.text) * times[cell] <= LONGEST_REPEATED
                    made = known if repeated else replace(made, text="")
                cells.append(made)
            seen = [line for cell, _, _ in spans for line in part.get(cell, lines.get(cell, []))]
            if seen:
                if _holds_rows([part.get(cell, []) for cell, _, _ in spans]):
                    several.add(len(rows))
                if len(spans) == 1 and len(seen) > LONGEST_TITLE:
                    texts[len(rows)] = seen
                rows.append(cells)
                shaded.append(all(grids.is_shaded(*grids.place(line)) for line in seen))
                heights.append(max(line.y for line in seen))
    every = [line for told in lines.values() for line in told]
    size = Counter(line.size for line in every).most_common(1)[0][0]
    headed = tables.whole_header(rows, _headed(rows, shaded))
    head = before.rows if before is not None and not headed and _same(before.across, grid.across) else ()
    told_rows = tables.laid_out([*head, *rows], len(head) or headed)[len(head) :]
    left, right = min(line.left for line in every), max(line.right for line in every)
    found: list[Stretch] = []
    for number, (told_row, y, cells) in enumerate(zip(told_rows, heights, rows, strict=True)):
        if number in texts:
            found += texts[number]
            continue
        bold = all(cell.bold for cell in cells if cell.text)
        held = TableRow(told_row, left, right, y, size, bold, number in several)
        if found and found[-1].table:
            found[-1] = replace(found[-1], table=(*found[-1].table, held))
        else:
            found.append(Stretch("", left, right, y, size, False, turns=turns, table=(held,)))
    kept = tuple(map(tuple, rows[:headed])) or head
    return found, Head(grid.across, kept) if kept else None


def _holds_rows(cells: Sequence[Sequence[Stretch]]) -> bool:
    """Whether the cells of a row have several lines, of one all of them figures."""
    longer = [lines for lines in cells if len(lines) >= FEWEST_WITHIN]
    return len(longer) > 1 and any(not any(c.isalpha() for line in lines for c in line.text) for lines in longer)


def _spans(row: Sequence[int]) -> list[tuple[int, int, int]]:
    """The cells of a row, with the first of their columns and the one behind the last."""
    found: list[tuple[int, int, int]] = []
    for column, cell in enumerate(row):
        if found and found[-1][0] == cell:
            found[-1] = (cell, found[-1][1], column + 1)
        else:
            found.append((cell, column, column + 1))
    return [span for span in found if span[0] >= 0]


def _rows_within(
    cells: dict[int, list[Stretch]], room: dict[int, tuple[float, float]]
) -> list[dict[int, list[Stretch]]]:
    """
    The rows that stand in one row of drawn cells, of which nothing but the head may be parted by lines: lines of several cells
    that stand level, end before their cells are full and have figures. Of cells with wrapped texts they are one row.
    """
    longer = {cell: told for cell, told in cells.items() if len(told) > 1}
    if len(longer) < 2:
        return [cells]
    heights: list[list[tuple[int, Stretch]]] = []
    for cell, line in sorted(((c, x) for c, told in cells.items() for x in told), key=lambda item: -item[1].y):
        if heights and level(heights[-1][0][1], line):
            heights[-1].append((cell, line))
        else:
            heights.append([(cell, line)])
    shared = [height for height in heights if len(height) > 1]
    figures = Counter(cell for height in shared for cell, line in height if re.search(r"\d", line.text))
    labels = cells[next(iter(cells))]
    told = sum(cell == next(iter(cells)) for height in shared for cell, _ in height)
    if (
        len(shared) < FEWEST_WITHIN
        or len(labels) < 2
        or told < 0.8 * len(labels)
        or len(shared) < 0.7 * len(heights)
        or max(figures.values(), default=0) < FEWEST_WITHIN
        or _is_wrapped(longer, room)
    ):
        return [cells]
    found: list[dict[int, list[Stretch]]] = []
    for height in heights:
        if not found or len(height) > 1:
            found.append(defaultdict(list))
        for cell, line in height:
            found[-1][cell].append(line)
    return found


def _is_full(line: Stretch, below: Stretch, start: float, end: float) -> bool:
    """Whether the first word of the line below has no room any more at the end of a line; no figure is broken off."""
    if not any(c.isalpha() for c in line.text):
        return False
    margin = min(max(0.0, line.left - start), max(0.0, below.left - start), 8.0)
    word = (below.right - below.left) * len(below.text.split()[0]) / len(below.text)
    return line.right - line.left + 0.25 * line.size + word > end - start - 2 * margin


def _headed(rows: Sequence[Sequence[tables.Cell]], shaded: list[bool]) -> int:
    """How many rows from the top are the header of a drawn table."""
    if headed := tables.header_rows(rows):
        return headed
    top = next((n for n, row in enumerate(rows) if len(row) > 1), len(rows))
    if top + 1 >= len(rows):
        return 0
    alone = shaded[top] and not any(shaded[n] for n in range(top + 1, len(rows)) if len(rows[n]) > 1)
    named = alone and tables.may_be_header([cell.text for cell in rows[top]])
    return top + 1 if named or tables.parts_below(*rows[top : top + 2]) else 0


def _same(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two tables have the same columns, wherever they begin."""
    return len(one) == len(other) and all(
        abs((a - one[0]) - (b - other[0])) < 2 * NEAR for a, b in zip(one, other, strict=True)
    )
