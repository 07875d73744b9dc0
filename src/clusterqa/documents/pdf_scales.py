"""The scales of the charts of a PDF page: figures in even steps, at even distances, with nothing beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from clusterqa.documents.pdf_order import Stretch

FEWEST_STEPS = 4
"""So many figures at least make a scale."""

ALIGNED = 0.3
"""In letter sizes: so far apart at most are the edges of the figures of a scale that stand below each other."""

UNEVEN = 0.1
"""Share of the step by which distances may differ, as figures are put on whole points."""

FARTHEST_VALUE = 15
"""In letter sizes: figures so near beside each other are a row of a table; two charts stand farther apart."""

MOST_BESIDE = 0.34
"""Share of the figures of a scale that have the value of a bar beside them at most."""

_NUMBER = re.compile(r"[-−–]?\d{1,3}(?:(?:[ \xa0\u202f]\d{3})+|\d*)(?:[.,]\d+)?(?: ?%)?\Z")
_YEAR = re.compile(r"(?:19|20)\d\d\Z")


def scales(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    """
    The scales on a page, each from its top or from its left. Years and what counts from 1 are none: they name columns, bars or rows.
    """
    figures = [
        s
        for s in stretches
        if not (s.table or s.slanted or s.turns) and _NUMBER.match(s.text) and not _YEAR.match(s.text)
    ]
    if len(figures) < FEWEST_STEPS:
        return []
    upright = [run for edge in (_left, _right, _middle) for run in _runs(figures, edge, lambda s: -s.y)]
    level = _runs(figures, lambda s: s.y, _middle)
    found: list[list[Stretch]] = []
    taken: set[int] = set()
    for run in sorted([*upright, *level], key=len, reverse=True):
        if taken.isdisjoint(map(id, run)) and not _has_beside(run, stretches):
            taken.update(map(id, run))
            found.append(run)
    return found


def _left(one: Stretch) -> float:
    return one.left


def _right(one: Stretch) -> float:
    return one.right


def _middle(one: Stretch) -> float:
    return (one.left + one.right) / 2


def _runs(
    figures: list[Stretch], edge: Callable[[Stretch], float], place: Callable[[Stretch], float]
) -> list[list[Stretch]]:
    return [run for group in _together(figures, edge) for run in _even(group, place)]


def _together(figures: list[Stretch], edge: Callable[[Stretch], float]) -> Iterator[list[Stretch]]:
    """The figures in groups of one edge."""
    group: list[Stretch] = []
    for one in sorted(figures, key=edge):
        if group and edge(one) - edge(group[0]) > ALIGNED * one.size:
            yield group
            group = []
        group.append(one)
    yield group


def _even(group: list[Stretch], place: Callable[[Stretch], float]) -> Iterator[list[Stretch]]:
    """The runs of figures that grow, or fall, in even steps at even distances."""
    run: list[Stretch] = []
    for one in sorted(group, key=place):
        if len(run) > 1:
            far, step = place(run[1]) - place(run[0]), _value(run[1]) - _value(run[0])
            even = abs(place(one) - place(run[-1]) - far) <= UNEVEN * far + 0.5
            if not (even and abs(_value(one) - _value(run[-1]) - step) <= 1e-6 * abs(step)):
                yield from _scale(run)
                run = run[-1:]
        run.append(one)
    yield from _scale(run)


def _scale(run: list[Stretch]) -> Iterator[list[Stretch]]:
    values = [_value(one) for one in run]
    counts = values == list(range(1, len(run) + 1))
    if len(run) >= FEWEST_STEPS and values[0] != values[1] and not counts:
        yield run


def _value(figure: Stretch) -> float:
    text = re.sub(r"[ \xa0\u202f%]", "", figure.text).replace(",", ".")
    return float(re.sub(r"\A[−–]", "-", text))


def _has_beside(run: list[Stretch], stretches: Sequence[Stretch]) -> bool:
    """
    Whether a scale is a row or a column of a table: words stand on its lines, or, near it, anything else; beside one that stands
    upright the values of a few bars may.
    """
    own = {id(one) for one in run}
    upright = run[0].y - run[1].y > run[0].size / 2
    beside = [
        (one, other)
        for one in run
        for other in stretches
        if abs(one.y - other.y) < 0.5 * one.size and id(other) not in own
    ]
    if any(not upright or any(c.isalpha() for c in other.text) for _, other in beside):
        return True
    near = {id(a) for a, b in beside if max(b.left - a.right, a.left - b.right) < FARTHEST_VALUE * a.size}
    return len(near) > MOST_BESIDE * len(run)
