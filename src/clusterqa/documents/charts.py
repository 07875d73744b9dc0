"""Charts of Office documents → the table they draw: a row for each category, a column for each series."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from clusterqa.documents import tables
from clusterqa.documents.drawing import seen, words
from clusterqa.documents.extract import TextBuilder, one_line
from clusterqa.documents.figures import shown
from clusterqa.documents.packages import parsed

_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
MOST_POINTS = 5_000
"""Of one chart; a longer one is a curve, whose points nobody reads."""


SHAPES = "chartUserShapes"
"""The kind of relation from a chart to the drawing with the text boxes inside it."""


def drawn_over(part: Any) -> Any | None:
    """The root of the drawing with the text boxes inside a chart, which is a part of a package of Word or PowerPoint."""
    over = (r for r in part.rels.values() if r.reltype.endswith(f"/{SHAPES}") and not r.is_external)
    return next((parsed(relation.target_part.blob) for relation in over), None)


def add_chart(builder: TextBuilder, chart: Any, shapes: Any | None = None) -> bool:
    """
    Append the titles and the figures of a chart, `c:chartSpace`, as they were stored when it was drawn last, and what
    text boxes inside it say, the root of whose drawing is `shapes`. Returns False for one without figures, or with too many.
    """
    if sum(1 for _ in chart.iter(f"{_C}pt")) > 2 * MOST_POINTS:
        return False
    drawn = [
        (_points(_first(series, "cat", "xVal")), _name(series), _points(_first(series, "val", "yVal")))
        for series in chart.iter(f"{_C}ser")
    ]
    if not any(values for _, _, values in drawn):
        return False
    builder.add("paragraph", _title(chart.find(f"{_C}chart")))
    axes = [axis for tag in ("catAx", "dateAx", "valAx") for axis in chart.iter(f"{_C}{tag}")]
    titles = [title for axis in axes if (title := _title(axis))]
    named = bool(axes) and axes[0].tag != f"{_C}valAx" and bool(_title(axes[0]))
    for title in titles[named:]:
        builder.add("paragraph", title)
    for categories, group in groupby(drawn, key=lambda series: series[0]):
        columns = [(name, values) for _, name, values in group]
        places = sorted({*categories, *(place for _, values in columns for place in values)})
        header = [titles[0] if named else "", *(name for name, _ in columns)]
        rows = [[categories.get(at, ""), *(values.get(at, "") for _, values in columns)] for at in places]
        headed = any(name for name, _ in columns)
        grid = [[tables.Cell(t, n, n + 1) for n, t in enumerate(row)] for row in ([header] if headed else []) + rows]
        joined = False
        for row in tables.laid_out(grid, int(headed)):
            joined = tables.add_row(builder, row, joined)
    for label in chart.iter(f"{_C}dLbl"):
        for paragraph in label.iterfind(f"{_C}tx/{_C}rich/{_A}p"):
            if paragraph.find(f"{_A}fld") is None:  # else it stands for a value, or for one of the cells below
                builder.add("paragraph", words(paragraph))
    for cells in chart.iter("{*}dlblRangeCache"):
        builder.add("paragraph", "; ".join(filter(None, map(one_line, cells.itertext(f"{_C}v")))))
    for box in () if shapes is None else seen(shapes):
        if box.tag == f"{_A}p":
            builder.add("paragraph", words(box))
    return True


def _first(series: Any, *names: str) -> Any | None:
    return next((found for name in names if (found := series.find(f"{_C}{name}")) is not None), None)


def _name(series: Any) -> str:
    name = series.find(f"{_C}tx")
    return one_line(" ".join(v.text or "" for v in name.iter(f"{_C}v"))) if name is not None else ""


def _title(parent: Any) -> str:
    title = parent.find(f"{_C}title") if parent is not None else None
    if title is None:
        return ""
    parts = [words(p) for p in title.iter(f"{_A}p")] or [v.text or "" for v in title.iter(f"{_C}v")]
    return one_line(" ".join(parts))


def _points(data: Any | None) -> dict[int, str]:
    """What stands at each place on an axis; of categories on several levels, the outer ones first."""
    if data is None:
        return {}
    levels = list(data.iter(f"{_C}lvl"))
    if levels:
        found: dict[int, str] = {}
        for level in levels:  # from the inner to the outer, each of which stands once for those that follow
            outer = _points_of(level)
            last = ""
            for place in sorted({*found, *outer}):
                last = outer.get(place, last)
                found[place] = f"{last} {found[place]}".strip() if place in found else last
        return found
    return _points_of(data)


def _points_of(data: Any) -> dict[int, str]:
    form = data.findtext(f".//{_C}formatCode") or "General"
    return {
        int(point.get("idx")): _told(point.findtext(f"{_C}v") or "", point.get("formatCode") or form)
        for point in data.iter(f"{_C}pt")
    }


def _told(text: str, form: str) -> str:
    from openpyxl.styles.numbers import is_date_format
    from openpyxl.utils.datetime import from_excel

    try:
        value = float(text)
        return shown(from_excel(value) if is_date_format(form) else value, form)
    except (ValueError, OverflowError):
        return one_line(text)
