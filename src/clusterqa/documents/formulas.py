"""
Formulas of Office documents (OMML) and of web pages (MathML) → one line of text that reads alike: „x = (a + b)/2“.
"""

from __future__ import annotations

import re
from typing import Any

from clusterqa.documents.symbols import lowered, raised

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MAX_FIELD = 2_000
"""Letters; so much of the code of a field is looked at."""

_FIELD_PART = re.compile(r"(\\[A-Za-z][\\A-Za-z\d ]*)\(([^()]*)\)")
_ATOM = re.compile(r"[\w.,∞]+|[([{|].*[)\]}|]", re.DOTALL)


def omml(element: Any) -> str:
    """The text of an `m:oMath` or `m:oMathPara` element, or of any part of one."""
    name = _name(element)
    match name:
        case "t":
            return element.text or ""
        case "f":
            above, below = _part(element, "num"), _part(element, "den")
            return f"{_grouped(above)}/{_grouped(below)}"
        case "sSup":
            return _with_scripts(_part(element, "e"), "", _part(element, "sup"))
        case "sSub":
            return _with_scripts(_part(element, "e"), _part(element, "sub"), "")
        case "sSubSup" | "sPre":
            return _with_scripts(_part(element, "e"), _part(element, "sub"), _part(element, "sup"))
        case "rad":
            return _root(_part(element, "e"), _part(element, "deg"))
        case "nary":
            sign = _property(element, "naryPr", "chr") or "∫"
            bounds = _with_scripts(sign, _part(element, "sub"), _part(element, "sup"))
            return f"{bounds} {_part(element, 'e')}"
        case "d":
            begin = _property(element, "dPr", "begChr")
            end = _property(element, "dPr", "endChr")
            between = _property(element, "dPr", "sepChr") or "|"
            inner = between.join(omml(part) for part in element if _name(part) == "e")
            return f"{'(' if begin is None else begin}{inner}{')' if end is None else end}"
        case "func":
            return f"{_part(element, 'fName')} {_part(element, 'e')}"
        case "limLow" | "limUpp":
            return _with_scripts(_part(element, "e"), _part(element, "lim"), "")
        case "m":
            rows = [
                ", ".join(omml(cell) for cell in row if _name(cell) == "e") for row in element if _name(row) == "mr"
            ]
            return f"[{'; '.join(rows)}]"
        case "eqArr":
            return "; ".join(omml(part) for part in element if _name(part) == "e")
        case "acc":
            return f"{_part(element, 'e')}{_property(element, 'accPr', 'chr') or chr(0x302)}"
        case "oMathPara":
            return "; ".join(omml(part) for part in element if _name(part) == "oMath")
        case _ if name.endswith("Pr") or name in ("del", "moveFrom", "delText", "instrText"):
            return ""
        case _:
            return "".join(map(omml, element))


def mathml(element: Any) -> str:
    """The text of a MathML `math` element, or of any part of one; tags may have a namespace or none."""
    name = _name(element)
    parts = [mathml(child) for child in element if isinstance(child.tag, str)]
    match name:
        case "mi" | "mn" | "mtext" | "ms":
            return " ".join("".join(element.itertext()).split())
        case "mo":
            told = "".join(element.itertext()).strip()
            return f" {told} " if re.fullmatch(r"[=≠<>≤≥≈±+−×·÷∈→⇒∧∨-]", told) else told.strip("\u2061\u2062\u2063")
        case "mfrac" if len(parts) == 2:
            return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
        case "msup" | "mover" if len(parts) == 2:
            return _with_scripts(parts[0], "", parts[1])
        case "msub" | "munder" if len(parts) == 2:
            return _with_scripts(parts[0], parts[1], "")
        case "msubsup" | "munderover" if len(parts) == 3:
            return _with_scripts(parts[0], parts[1], parts[2])
        case "msqrt":
            return _root("".join(parts), "")
        case "mroot" if len(parts) == 2:
            return _root(parts[0], parts[1])
        case "mlongdiv" if len(parts) > 2:
            told = f"{parts[2]} : {parts[0]} = {parts[1]}"
            return "; ".join(filter(None, [told, *parts[3:]]))
        case "mstack" | "msgroup":
            return "; ".join(filter(None, parts))
        case "mtr":
            return ", ".join(parts)
        case "mtable":
            return f"[{'; '.join(parts)}]"
        case "semantics":
            return parts[0] if parts else ""
        case "mspace":
            return " "
        case "annotation" | "annotation-xml":
            return ""
        case _:
            return "".join(parts)


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _part(element: Any, name: str) -> str:
    return "".join(omml(child) for child in element if child.tag == _M + name).strip()


def _property(element: Any, group: str, name: str) -> str | None:
    """A property of the element; "" where it is there without a value, None where it is not there."""
    found = element.find(f"{_M}{group}/{_M}{name}")
    return None if found is None else found.get(f"{_M}val", "")


def _grouped(text: str) -> str:
    text = text.strip()
    return text if _ATOM.fullmatch(text) else f"({text})"


def _with_scripts(base: str, below: str, above: str) -> str:
    below, above = below.strip(), above.strip()
    if below:
        base += lowered(below) or f"_{_grouped(below)}"
    if above:
        base += raised(above) or f"^{_grouped(above)}"
    return base


def _root(inner: str, degree: str) -> str:
    degree = degree.strip()
    sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree) or f"{raised(degree) or degree}√"
    return f"{sign}{_grouped(inner)}"


def equation(code: str) -> str:
    """The text of a formula in the code of a Word field (EQ): fractions, roots, raised and lowered parts, and all else as it is."""
    told = code[:MAX_FIELD]
    for _ in range(told.count("(")):
        inner = _FIELD_PART.search(told)
        if inner is None:
            break
        name, parts = inner[1].lower(), re.split("[;,]", inner[2])
        if name == "\\f" and len(parts) > 1:
            made = f"{_grouped(parts[0])}/{_grouped(parts[1])}"
        elif name == "\\r":
            made = _root(parts[-1], parts[0] if len(parts) > 1 else "")
        elif name.startswith("\\s") and "\\up" in name:
            made = raised(inner[2]) or f"^{inner[2]}"
        else:
            made = inner[2]
        told = told[: inner.start()] + made.replace("(", "\0").replace(")", "\1") + told[inner.end() :]
    return re.sub(r"\\[A-Za-z]+\d*", "", told).replace("\0", "(").replace("\1", ")").strip()
