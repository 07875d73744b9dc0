"""
Make the PDF, DOCX and HTML files of the corpus from the Markdown texts in corpus-files/.

    python tools/make_files.py [--texts corpus-files] [--into corpus]

A text's front matter says what it becomes (`format: pdf`, `docx` or `html`; a PDF is a `booklet` in two columns or
a `report` in one). Each file gets a sidecar with the metadata that the format itself cannot hold. The same
texts and library versions give the same bytes: no clock, no random names.

The PDFs embed Source Sans Pro (Adobe, SIL Open Font License 1.1), which comes with the package
font-source-sans-pro; reportlab's own fonts lack Lithuanian letters.
"""

from __future__ import annotations

import argparse
import datetime
import io
import os
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt

SIDECAR_KEYS = ("title", "language", "date", "publisher", "tags", "sources")

NBSP = "\u00a0"

_BOUND = (
    re.compile(r"(?<=\d) (?=\d{3}\b)"),  # 24 000
    re.compile(r"(?<=\d) (?=(?:Eur|mln\.|tūkst\.|proc\.|m\.|d\.|psl\.|val\.|min\.)(?!\w))"),  # 2026 m.
    re.compile(r"(?<=\bEUR) (?=\d)"),
    re.compile(r" (?=– )"),  # a line must not begin with a dash
)


@dataclass(frozen=True, slots=True)
class Part:
    """
    One block of a text: "heading" (level from 1), "paragraph", "bullets", "numbers" or "table".

    `lines` holds one text for a heading or a paragraph, one an item for lists; `rows` the cells of a table, the
    header first.
    """

    kind: str
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    level: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """One source text: its front matter and its blocks in order."""

    name: str
    front: dict[str, Any]
    parts: tuple[Part, ...]

    @property
    def file(self) -> str:
        """The name of the file that is made of it: "activity-log.lt.html" from "activity-log.lt.md"."""
        return f"{self.name.removesuffix('.md')}.{self.front['format']}"

    def say(self, lithuanian: str, english: str) -> str:
        """The words for the text's language."""
        return lithuanian if self.front["language"] == "lt" else english


def read_text(path: Path) -> Text:
    """Read one Markdown text. Raises ValueError for Markdown that the three formats do not share (links, emphasis)."""
    whole = path.read_text(encoding="utf-8")
    found = re.match(r"---\n(.*?\n)---\n(.*)", whole, re.DOTALL)
    if found is None:
        raise ValueError(f"{path}: no front matter; begin it with a line of three hyphens")
    front = yaml.load(found[1], Loader=yaml.BaseLoader)
    if front.get("format") not in MAKERS:
        raise ValueError(f"{path}: format is {front.get('format')!r}, not one of {', '.join(MAKERS)}")
    return Text(path.name, front, tuple(_parts(found[2], path)))


def _parts(markdown: str, path: Path) -> list[Part]:
    parts: list[Part] = []
    level = 0
    kind = "paragraph"
    rows: list[list[str]] = []
    items: list[str] = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        match token.type:
            case "heading_open":
                kind, level = "heading", int(token.tag[1])
            case "bullet_list_open" | "ordered_list_open":
                kind, items = ("bullets" if token.type.startswith("bullet") else "numbers"), []
            case "bullet_list_close" | "ordered_list_close":
                parts.append(Part(kind, tuple(items)))
                kind = "paragraph"
            case "table_open":
                kind, rows = "table", []
            case "tr_open":
                rows.append([])
            case "table_close":
                parts.append(Part("table", rows=tuple(map(tuple, rows))))
                kind = "paragraph"
            case "inline":
                if any(child.type not in ("text", "softbreak") for child in token.children or ()):
                    raise ValueError(f"{path}: only plain text may stand in {token.content!r}")
                text = typeset(" ".join(token.content.split()))
                if kind == "table":
                    rows[-1].append(text)
                elif kind in ("bullets", "numbers"):
                    items.append(text)
                else:
                    parts.append(Part(kind, (text,), level=level if kind == "heading" else 0))
                    kind = "paragraph"
    return parts


def typeset(text: str) -> str:
    """The text with non-breaking spaces inside figures, before units and before dashes."""
    for place in _BOUND:
        text = place.sub(NBSP, text)
    return text


# ── PDF ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_pdf(text: Text) -> bytes:
    """A PDF as an office would lay it out: running header and footer, page numbers, headings, tables."""
    day = datetime.datetime.fromisoformat(text.front["date"]).replace(tzinfo=datetime.UTC)
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(int(day.timestamp()))  # reportlab's way to a fixed creation date
    try:
        return _booklet(text) if text.front["layout"] == "booklet" else _report(text)
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before


INK = "#1d2b3a"
ACCENT = "#1f5f8b"
PALE = "#e8eff5"
FONT, BOLD, ITALIC = "SourceSansPro", "SourceSansPro-Bold", "SourceSansPro-It"


def _register_fonts() -> None:
    import font_source_sans_pro
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(font_source_sans_pro.font_directory)
    for name, file in ((FONT, "Regular"), (BOLD, "Bold"), (ITALIC, "It")):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"SourceSansPro-{file}.ttf")))


def _styles(size: float) -> dict[str, Any]:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    def style(name: str, **values: Any) -> ParagraphStyle:
        usual = {"fontName": FONT, "fontSize": size, "leading": 1.36 * size, "textColor": HexColor(INK)}
        return ParagraphStyle(name, **{**usual, **values})

    head = {"fontName": BOLD, "textColor": HexColor(ACCENT), "keepWithNext": True}
    return {
        "paragraph": style("paragraph", spaceAfter=0.7 * size),
        "item": style("item", leftIndent=1.5 * size, bulletIndent=0.2 * size, spaceAfter=0.25 * size),
        "heading1": style("heading1", **{**head, "fontSize": 1.55 * size, "leading": 1.8 * size, "spaceBefore": 1.2 * size,
                                         "spaceAfter": 0.6 * size}),
        "heading2": style("heading2", **{**head, "fontSize": 1.2 * size, "leading": 1.45 * size, "spaceBefore": 0.7 * size,
                                         "spaceAfter": 0.35 * size}),
        "cell": style("cell", fontSize=0.84 * size, leading=1.05 * size),
        "head": style("head", fontName=BOLD, fontSize=0.84 * size, leading=1.05 * size),
        "title": style("title", fontName=BOLD, fontSize=2.7 * size, leading=3 * size, textColor=HexColor(ACCENT)),
        "subtitle": style("subtitle", fontName=ITALIC, fontSize=1.3 * size, leading=1.7 * size, spaceBefore=size),
        "small": style("small", fontSize=0.85 * size, leading=1.15 * size, spaceAfter=0.4 * size),
    }  # fmt: skip


def _flowables(text: Text, styles: dict[str, Any], width: float) -> list[Any]:
    from reportlab.platypus import KeepTogether, Paragraph, Spacer

    flow: list[Any] = []
    headings = (styles["heading1"], styles["heading2"])
    for part in text.parts:
        match part.kind:
            case "heading":
                flow.append(Paragraph(_escaped(part.lines[0]), styles[f"heading{part.level}"]))
            case "bullets":
                flow += [Paragraph(_escaped(line), styles["item"], bulletText="•") for line in part.lines]
                flow.append(Spacer(1, 4))
            case "numbers":
                flow += [
                    Paragraph(_escaped(line), styles["item"], bulletText=f"{number}.")
                    for number, line in enumerate(part.lines, start=1)
                ]
                flow.append(Spacer(1, 4))
            case "table":
                above = [flow.pop()] if flow and getattr(flow[-1], "style", None) in headings else []
                flow += [KeepTogether([*above, _pdf_table(part, styles, width)]), Spacer(1, 8)]
            case _:
                flow.append(Paragraph(_escaped(part.lines[0]), styles["paragraph"]))
    return flow


def _pdf_table(part: Part, styles: dict[str, Any], width: float) -> Any:
    """A table over the whole width; a column is as wide as its words ask for, and cells that do not fit are wrapped."""
    from reportlab.lib.colors import HexColor
    from reportlab.pdfbase.pdfmetrics import stringWidth
    from reportlab.platypus import Paragraph, Table, TableStyle

    size = styles["cell"].fontSize
    wanted = [max(stringWidth(cell, BOLD, size) for cell in column) + 7 for column in zip(*part.rows, strict=True)]
    longest = [
        max(stringWidth(word, BOLD, size) for cell in column for word in cell.split(" ")) + 7
        for column in zip(*part.rows, strict=True)
    ]
    spare = width - sum(longest)
    asked = sum(w - n for w, n in zip(wanted, longest, strict=True)) or 1
    widths = [n + spare * (w - n) / asked for w, n in zip(wanted, longest, strict=True)]
    if sum(wanted) <= width:
        widths = [w + (width - sum(wanted)) / len(wanted) for w in wanted]
    rows = [
        [Paragraph(_escaped(cell), styles["cell" if number else "head"]) for cell in row]
        for number, row in enumerate(part.rows)
    ]
    table = Table(rows, colWidths=widths, repeatRows=1)
    table.setStyle(
        TableStyle([
            ("BACKGROUND", (0, 0), (-1, 0), HexColor(PALE)),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#9fb3c4")),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ])
    )  # fmt: skip
    return table


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _document(text: Text, file: io.BytesIO, pagesize: tuple[float, float]) -> Any:
    from reportlab.platypus import BaseDocTemplate

    _register_fonts()
    return BaseDocTemplate(
        file,
        pagesize=pagesize,
        title=text.front["title"],
        author=text.front["publisher"],
        lang={"lt": "lt-LT", "en": "en-GB"}[text.front["language"]],
        invariant=1,
    )


def _running(text: Text, left: float, right: float, top: float, bottom: float) -> Callable[[Any, Any], None]:
    """Draws the running header and footer of a page."""

    def draw(canvas: Any, document: Any) -> None:
        from reportlab.lib.colors import HexColor

        canvas.saveState()
        canvas.setFillColor(HexColor("#5a6b7a"))
        canvas.setStrokeColor(HexColor("#9fb3c4"))
        canvas.setLineWidth(0.4)
        canvas.setFont(ITALIC, 8)
        canvas.drawString(left, top, text.front["title"])
        canvas.line(left, top - 4, right, top - 4)
        canvas.setFont(FONT, 8)
        canvas.drawString(left, bottom, f"{text.front['publisher']}, {text.front['date']}")
        canvas.drawRightString(right, bottom, str(document.page))
        canvas.restoreState()

    return draw


def _report(text: Text) -> bytes:
    """A4, one column, the title on top of the first page."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import Frame, PageTemplate, Paragraph, Spacer

    file = io.BytesIO()
    document = _document(text, file, A4)
    width, height = A4
    left, right = 68.0, width - 68
    styles = _styles(11)
    frame = Frame(left, 64, right - left, height - 140, 0, 0, 0, 0)
    page = _running(text, left, right, height - 48, 40)
    document.addPageTemplates(PageTemplate("page", [frame], onPage=page))
    title = {"fontSize": 22, "leading": 26}
    style = styles["title"].clone("report-title", **title)
    document.build(
        [Paragraph(_escaped(text.front["title"]), style), Spacer(1, 8), *_flowables(text, styles, right - left)]
    )
    return file.getvalue()


def _booklet(text: Text) -> bytes:
    """A5 in two columns, with a title page, a list of contents and the sources on the last page."""
    from reportlab.lib.pagesizes import A5
    from reportlab.platypus import (
        Frame,
        NextPageTemplate,
        PageBreak,
        PageTemplate,
        Paragraph,
        Spacer,
    )

    width, height = A5
    left, right, gutter = 31.0, width - 31, 14.0
    column = (right - left - gutter) / 2
    styles = _styles(9.5)
    body = (46.0, height - 46 - 52)
    page = _running(text, left, right, height - 34, 26)

    def band(canvas: Any, document: Any) -> None:
        from reportlab.lib.colors import HexColor

        canvas.setFillColor(HexColor(ACCENT))
        canvas.rect(0, height - 90, width, 90, stroke=0, fill=1)

    def build(contents: list[tuple[int, str, int]]) -> tuple[bytes, list[tuple[int, str, int]]]:
        file = io.BytesIO()
        document = _document(text, file, A5)
        wide = Frame(left, body[0], right - left, body[1], 0, 0, 0, 0)
        columns = [
            Frame(x, body[0], column, body[1], 0, 0, 0, 0, id=f"column{x:.0f}") for x in (left, left + column + gutter)
        ]
        document.addPageTemplates([
            PageTemplate("title", [Frame(left, body[0], right - left, body[1] - 110, 0, 0, 0, 0)], onPage=band),
            PageTemplate("contents", [wide], onPage=page),
            PageTemplate("columns", columns, onPage=page),
            PageTemplate("sources", [wide], onPage=page),
        ])  # fmt: skip
        seen: list[tuple[int, str, int]] = []

        def note(flowable: Any) -> None:
            if getattr(flowable, "style", None) is not None and flowable.style.name in ("heading1", "heading2"):
                seen.append((int(flowable.style.name[-1]), flowable.getPlainText(), document.page))

        document.afterFlowable = note
        front = text.front
        story: list[Any] = [
            Paragraph(_escaped(front["title"]), styles["title"]),
            Paragraph(_escaped(front["subtitle"]), styles["subtitle"]),
            Spacer(1, 150),
            Paragraph(f"{_escaped(front['publisher'])}<br/>{front['date'][:4]}", styles["small"]),
            NextPageTemplate("contents"),
            PageBreak(),
            Paragraph(text.say("Turinys", "Contents"), styles["heading1"]),
            *_contents(contents, styles, right - left),
            NextPageTemplate("columns"),
            PageBreak(),
            *_flowables(text, styles, column),
            NextPageTemplate("sources"),
            PageBreak(),
            Paragraph(text.say("Šaltiniai", "Sources"), styles["heading1"]),
            *(Paragraph(_escaped(source), styles["small"]) for source in front["sources"]),
        ]
        document.build(story)
        own = (text.say("Turinys", "Contents"), text.say("Šaltiniai", "Sources"))
        return file.getvalue(), [entry for entry in seen if entry[1] not in own]

    _, contents = build([])
    return build(contents)[0]


def _contents(entries: list[tuple[int, str, int]], styles: dict[str, Any], width: float) -> list[Any]:
    """The chapters with dotted leaders and page numbers."""
    from reportlab.pdfbase.pdfmetrics import stringWidth
    from reportlab.platypus import Paragraph

    style = styles["paragraph"].clone("contents", spaceAfter=2)
    flow = []
    for level, heading, number in entries:
        if level == 1:
            room = width - stringWidth(f"{heading}  {number}", FONT, style.fontSize)
            dots = "." * int(room / stringWidth(".", FONT, style.fontSize))
            flow.append(Paragraph(f"{_escaped(heading)}{NBSP}{dots}{NBSP}{number}", style))
    return flow


# ── DOCX ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_docx(text: Text) -> bytes:
    """A Word document with Word's own heading, list and table styles, a running header and page numbers."""
    import docx
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    document = docx.Document()
    code = {"lt": "lt-LT", "en": "en-GB"}[text.front["language"]]
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), code)
    properties = document.core_properties
    properties.title, properties.author = text.front["title"], text.front["publisher"]
    properties.language, properties.comments = code, ""
    properties.last_modified_by = text.front["publisher"]
    properties.created = properties.modified = datetime.datetime.fromisoformat(text.front["date"])
    section = document.sections[0]
    section.header.paragraphs[0].text = f"{text.front['publisher']}\t\t{text.front['date']}"
    footer = section.footer.paragraphs[0]
    footer.alignment = 1
    for kind, content in (("begin", None), (None, "PAGE"), ("end", None)):
        run = footer.add_run()
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = content
        run._r.append(element)
    document.add_paragraph(text.front["title"], style="Title")
    for part in text.parts:
        match part.kind:
            case "heading":
                document.add_heading(part.lines[0], part.level)
            case "bullets":
                for line in part.lines:
                    document.add_paragraph(line, style="List Bullet")
            case "numbers":
                for line in part.lines:
                    document.add_paragraph(line, style="List Number")
            case "table":
                table = document.add_table(len(part.rows), len(part.rows[0]), style="Light Grid Accent 1")
                for row, cells in zip(table.rows, part.rows, strict=True):
                    for cell, content in zip(row.cells, cells, strict=True):
                        cell.text = content
                document.add_paragraph()
            case _:
                document.add_paragraph(part.lines[0])
    file = io.BytesIO()
    document.save(file)
    return _fixed_times(file.getvalue(), text.front["date"])


def _fixed_times(archive: bytes, date: str) -> bytes:
    """The zip archive with every member dated alike, so that its bytes do not depend on the clock."""
    day = datetime.date.fromisoformat(date)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(file, "w") as new:
        for member in old.infolist():
            info = zipfile.ZipInfo(member.filename, (day.year, day.month, day.day, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            new.writestr(info, old.read(member.filename))
    return file.getvalue()


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_html(text: Text, others: tuple[Text, ...] = ()) -> bytes:
    """A web page with what surrounds a text on real sites: a menu, a cookie bar, related pages, a footer."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    related = [other for other in others if other.front["language"] == text.front["language"] and other is not text]
    return templates.get_template("page.html").render(text=text, front=text.front, related=related).encode()


# ── all of them ─────────────────────────────────────────────────────────────────────────────────────────────────────

MAKERS: dict[str, Callable[[Text], bytes]] = {"pdf": make_pdf, "docx": make_docx, "html": make_html}


def sidecar(text: Text, names: frozenset[str]) -> str:
    """The metadata beside the file, as YAML; an English text counts as the translation of the Lithuanian one."""
    fields = {key: text.front[key] for key in SIDECAR_KEYS}
    twin = text.name.replace(".en.", ".lt.")
    if text.front["language"] == "en" and twin in names:
        fields["translation_of"] = text.file.replace(".en.", ".lt.")
    return yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, width=1000)


def make(texts: Path, into: Path) -> list[str]:
    """Make every file; gives the names of those whose content changed, sidecars included."""
    read = tuple(read_text(path) for path in sorted(texts.glob("*.md")))
    names = frozenset(text.name for text in read)
    changed = []
    for text in read:
        maker = MAKERS[text.front["format"]]
        content = make_html(text, read) if maker is make_html else maker(text)
        for name, data in ((text.file, content), (f"{text.file}.yaml", sidecar(text, names).encode())):
            path = into / name
            if not path.is_file() or path.read_bytes() != data:
                path.write_bytes(data)
                changed.append(name)
    return changed


def main() -> None:
    """Entry point of the command."""
    root = Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--texts", type=Path, default=root / "corpus-files", help="folder of the Markdown texts")
    parser.add_argument("--into", type=Path, default=root / "corpus", help="folder for the files")
    arguments = parser.parse_args()
    try:
        changed = make(arguments.texts, arguments.into)
    except ValueError as error:
        sys.exit(str(error))
    for name in changed:
        print(f"Written: {name}")
    print(f"{len(changed)} files written to {arguments.into}.")


if __name__ == "__main__":
    main()
