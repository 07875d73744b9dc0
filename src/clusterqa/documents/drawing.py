"""Words of shapes in Office drawings (DrawingML), the same in Word, Excel and PowerPoint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from clusterqa.documents.formulas import omml
from clusterqa.documents.symbols import in_font, is_symbol_font, low, raised

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
"""What names the parts of a SmartArt drawing."""
NEW_CHART = "{http://schemas.microsoft.com/office/drawing/2014/chartex}chart"
"""A chart of a kind that Office has had since 2016 (a waterfall, a treemap)."""
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_READ = frozenset(
    (f"{_A}t", f"{_M}t", "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart", NEW_CHART, DIAGRAM)
)
"""What says something in a shape."""
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """A text with the letters that Excel and PowerPoint write by their numbers: „_x000D_“ is a line end."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def seen(element: Any) -> Iterator[Any]:
    """
    An element and all inside it, but for shapes that are hidden. Of what is stored for new and for old programs the new form counts;
    where nothing in it can be read, the pictures that stand for it.
    """
    if not isinstance(element.tag, str) or is_hidden(element):
        return
    yield element
    if element.tag != f"{_MC}AlternateContent":
        for child in element:
            yield from seen(child)
        return
    new = next((form for form in element if any(e.tag in _READ for e in form.iter())), None)
    if new is not None and new.tag != f"{_MC}Fallback":
        yield from seen(new)
    else:
        yield from (e for e in element.iter("{*}pic"))


def is_hidden(shape: Any) -> bool:
    """
    Whether a shape, or the anchor of one in Word, is said to be hidden. Excel says so of the fields of forms too, which it draws itself.
    """
    said = (*shape.iterfind("{*}docPr"), *shape.iterfind("*/{*}cNvPr"))
    return any(
        properties.get("hidden") in ("1", "true") and next(properties.iter("{*}compatExt"), None) is None
        for properties in said
    )


def of_diagram(data: Any) -> list[str]:
    """
    What the shapes of a SmartArt drawing say, a text for each paragraph, from the top: in the order of its tree, which is not that
    of the file where shapes were moved. What waits to be filled in is left out.
    """
    points = {point.get("modelId", f"#{number}"): point for number, point in enumerate(data.iter(f"{_DGM}pt"))}
    below: dict[str | None, list[tuple[int, str]]] = {}
    for line in data.iter(f"{_DGM}cxn"):
        if line.get("type", "parOf") == "parOf":
            order = line.get("srcOrd", "")
            below.setdefault(line.get("srcId"), []).append(
                (int(order) if order.isdecimal() else 0, line.get("destId", ""))
            )
    found: dict[str, Any] = {}
    waiting = [name for name, point in reversed(points.items()) if point.get("type") == "doc"]
    while waiting:
        name = waiting.pop()
        if name in points and name not in found:
            found[name] = points[name]
            waiting += [other for _, other in sorted(below.get(name, ()), reverse=True)]
    shown = (point for point in (found | points).values() if point.find(f"{_DGM}prSet[@phldr='1']") is None)
    return [words(paragraph) for point in shown for paragraph in point.iter(f"{_A}p")]


def words(paragraph: Any) -> str:
    """The visible words of an `a:p`, raised figures as such."""
    return "".join(_parts(paragraph))


def is_struck(run: Any) -> bool:
    """Whether the words of an `a:r` are struck out."""
    properties = run.find(f"{_A}rPr") if run.tag == f"{_A}r" else None
    return properties is not None and properties.get("strike", "noStrike") != "noStrike"


def _baseline(run: Any) -> str:
    """How far a run stands above its line, "" for one that does not; below it with a minus."""
    properties = run.find(f"{_A}rPr") if run.tag == f"{_A}r" else None
    baseline = properties.get("baseline", "") if properties is not None else ""
    return baseline if re.fullmatch(r"-?0*[1-9]\d*%?", baseline) and not is_struck(run) else ""


def _font(run: Any, *places: str) -> str:
    """The symbol font of a run, "" for none; of `sym` only letters beyond those of the keyboard are drawn in it."""
    names = (run.find(f"{_A}rPr/{_A}{place}") for place in places or ("latin", "sym")) if run.tag == f"{_A}r" else ()
    fonts = (name.get("typeface", "") for name in names if name is not None)
    return next(filter(is_symbol_font, fonts), "")


def _visible(run: Any) -> str:
    return "" if is_struck(run) else "".join(_parts(run))


def _parts(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_A}t":
            yield unescaped(child.text or "")
        elif child.tag == f"{_A}br":
            yield "\n"
        elif child.tag in (f"{_M}oMath", f"{_M}oMathPara"):
            yield omml(child)
        elif font := _font(child):
            yield "".join(in_font(c, font) if c > "\x7f" or _font(child, "latin") else c for c in _visible(child))
        elif baseline := _baseline(child):
            text = "".join(_parts(child))
            yield low(text) if baseline.startswith("-") else raised(text) or text  # "10" and a raised "6" are not 106
        elif (
            child.tag != f"{_MC}Fallback"
            and not is_struck(child)
            and not (child.tag == f"{_A}fld" and (child.get("type") or "").startswith(("slidenum", "datetime")))
        ):
            yield from _parts(child)
