"""What is promised, beside the tests of each format: what a person sees in it is text as they see it, and what is hidden is none."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pptx
import pytest
from lxml import etree
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.formatting.rule import CellIsRule, IconSetRule
from openpyxl.styles import Font, PatternFill
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from clusterqa.documents.drawing import of_diagram
from clusterqa.documents.figures import shown as shown_figure
from clusterqa.documents.shown import MARKDOWN, Mark, Piece, as_shown, pieces
from documents_fixtures import make_word, make_zip, reading, rows, shown

_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def texts(document: Any) -> list[str]:
    return [text for _, text in shown(document)]


# ── Word ────────────────────────────────────────────────────────────────────────────────────────────────────────


def r(text: str, look: str = "") -> str:
    return f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def p(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def style(kind: str, name: str, look: str, base: str = "") -> str:
    based = f'<w:basedOn w:val="{base}"/>' if base else ""
    return f'<w:style w:type="{kind}" w:styleId="{name}"><w:name w:val="{name}"/>{based}<w:rPr>{look}</w:rPr></w:style>'


STYLES = "".join(
    (
        style("character", "Aukstai", '<w:vertAlign w:val="superscript"/>'),
        style("character", "Zenklas", '<w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/>'),
        style("character", "Braukta", "<w:strike/>"),
        style("character", "Braukta2", "<w:b/>", base="Braukta"),
        style("paragraph", "Slapta", "<w:vanish/>"),
        style("paragraph", "Brauktas", "<w:strike/>"),
    )
)


def of_style(name: str) -> str:
    return f'<w:rStyle w:val="{name}"/>'


def test_a_style_of_letters_or_of_paragraphs_looks_as_the_letters_themselves_would(tmp_path: Path) -> None:
    body = (
        p(r("Plotas yra 10 km"), r("2", of_style("Aukstai")), r(", kaina 100"), r("1", of_style("Aukstai")), r(" Eur."))
        + p(r("x "), r("\u00b3", of_style("Zenklas")), r(" 5"))
        + p(r("Kaina "), r("700", of_style("Braukta2")), r("600 Eur."))
        + p(r("Nematoma pastraipa."), properties='<w:pStyle w:val="Slapta"/>')
        + p(r("500 Eur."), properties='<w:pStyle w:val="Brauktas"/>')
        + p(r("Matoma. ", '<w:vanish w:val="0"/>'), r("Nematoma."), properties='<w:pStyle w:val="Slapta"/>')
    )
    document = reading(tmp_path, "a.lt.docx", make_word(body, styles=STYLES))
    assert texts(document) == ["Plotas yra 10 km², kaina 100¹ Eur.", "x ≥ 5", "Kaina 600 Eur.", "Matoma."]
    assert document.warnings == ("Places with struck-out text, which is not read: 2.",)


def test_the_large_first_letter_of_a_paragraph_belongs_to_its_word(tmp_path: Path) -> None:
    frame = '<w:framePr w:dropCap="drop" w:lines="3" w:wrap="around"/>'
    body = p(r("K"), properties=frame) + p(r("lasteris yra įmonių grupė.")) + p(r("Jų yra 57."))
    assert texts(reading(tmp_path, "a.lt.docx", make_word(body))) == ["Klasteris yra įmonių grupė.", "Jų yra 57."]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("Tel.\t+370 612 34567\tKodas\t304567890", ["Tel. +370 612 34567 Kodas 304567890"]),
        ("2025-03-14", ["2025-03-14"]),
        ("Vilnius\t2025", ["Vilnius 2025"]),
        ("Puslapis 2 iš 14", []),
        ("- 3 -", []),
    ],
)
def test_figures_of_a_footer_that_are_no_page_number_are_read(tmp_path: Path, line: str, read: list[str]) -> None:
    section = '<w:sectPr><w:footerReference w:type="default" r:id="footer1"/></w:sectPr>'
    tabbed = "<w:r><w:tab/></w:r>".join(map(r, line.split("\t")))
    document = reading(tmp_path, "a.lt.docx", make_word(p(r("Tekstas.")) + section, footer1=p(tabbed)))
    assert texts(document) == ["Tekstas.", *read]


def test_words_and_pictures_that_are_drawn_in_the_header_are_read_or_named(tmp_path: Path) -> None:
    section = '<w:sectPr><w:headerReference w:type="default" r:id="header1"/></w:sectPr>'
    header = p(
        '<w:r><w:pict xmlns:v="urn:schemas-microsoft-com:vml"><v:shape><v:textpath string="PROJEKTAS"/></v:shape></w:pict></w:r>',
        '<w:r><w:drawing><a:blip r:embed="logo"/></w:drawing></w:r>',
    )
    document = reading(tmp_path, "a.lt.docx", make_word(p(r("Tekstas.")) + section, header1=header))
    assert texts(document) == ["PROJEKTAS", "Tekstas."]
    assert document.warnings == ("Pictures whose words are not read: 1.",)


def test_signs_that_only_new_programs_know_and_pasted_drawings_are_read(tmp_path: Path) -> None:
    sign = (
        f'<w:r><mc:AlternateContent xmlns:mc="{_MC}"><mc:Choice Requires="w16se"><w16se:symEx '
        'xmlns:w16se="http://schemas.microsoft.com/office/word/2015/wordml/symex" w16se:font="Segoe UI Emoji" w16se:char="2265"/>'
        "</mc:Choice><mc:Fallback><w:t>≥</w:t></mc:Fallback></mc:AlternateContent></w:r>"
    )
    canvas = (
        f'<w:r><w:drawing><lc:lockedCanvas xmlns:lc="{_DRAWING}/lockedCanvas"><a:sp><a:txSp><a:txBody><a:p><a:r><a:t>Schema 10</a:t>'
        '</a:r><a:r><a:rPr baseline="30000"/><a:t>6</a:t></a:r></a:p></a:txBody></a:txSp></a:sp></lc:lockedCanvas></w:drawing></w:r>'
    )
    document = reading(tmp_path, "a.lt.docx", make_word(p(r("Narių "), sign, r(" 10.")) + p(canvas)))
    assert texts(document) == ["Narių ≥ 10.", "Schema 10⁶"]


def test_a_text_box_that_is_hidden_is_no_text(tmp_path: Path) -> None:
    def box(number: int, hidden: str) -> str:
        return (
            f'<w:r><w:drawing><wp:anchor xmlns:wp="{_DRAWING}/wordprocessingDrawing"><wp:docPr id="{number}" name="a"{hidden}/>'
            f"<w:txbxContent>{p(r(f'Langelis {number}.'))}</w:txbxContent></wp:anchor></w:drawing></w:r>"
        )

    body = p(r("Tekstas."), box(1, ' hidden="1"'), box(2, ' hidden="0"'))
    assert texts(reading(tmp_path, "a.lt.docx", make_word(body))) == ["Tekstas.", "Langelis 2."]


@pytest.mark.parametrize(
    ("settings", "mark"),
    [
        ("", "[i]"),
        ('<w:endnotePr><w:numFmt w:val="decimal"/></w:endnotePr>', "¹"),
        ('<w:endnotePr><w:numFmt w:val="decimal"/><w:numStart w:val="7"/></w:endnotePr>', "⁷"),
        ('<w:endnotePr><w:numFmt w:val="chicago"/></w:endnotePr>', "*"),
        ('<w:endnotePr><w:numFmt w:val="upperLetter"/></w:endnotePr>', "[A]"),
    ],
)
def test_notes_have_the_marks_that_the_document_counts_them_with(tmp_path: Path, settings: str, mark: str) -> None:
    body = p(r("Parama"), '<w:r><w:endnoteReference w:id="2"/></w:r>', r(" teikiama."))
    raw = make_word(body, endnotes=f'<w:endnote w:id="2">{p(r("Be PVM."))}</w:endnote>', settings=settings)
    assert texts(reading(tmp_path, "a.lt.docx", raw)) == [f"Parama{mark} teikiama.", f"{mark} Be PVM."]


def test_notes_that_are_counted_anew_in_each_section_have_those_marks_and_of_each_page_are_named(
    tmp_path: Path,
) -> None:
    def noted(where: str) -> Any:
        section = f'<w:sectPr><w:footnotePr><w:numRestart w:val="{where}"/></w:footnotePr></w:sectPr>'
        refer = '<w:r><w:footnoteReference w:id="{}"/></w:r>'.format
        body = p(r("Viena"), refer(2), properties=section) + p(r("Kita"), refer(3)) + section
        notes = "".join(f'<w:footnote w:id="{n}">{p(r(t))}</w:footnote>' for n, t in ((2, "Pirma."), (3, "Antra.")))
        return reading(tmp_path, "a.lt.docx", make_word(body, footnotes=notes))

    assert texts(noted("eachSect")) == ["Viena¹", "¹ Pirma.", "Kita¹", "¹ Antra."]
    assert noted("eachSect").warnings == ()
    assert texts(noted("eachPage")) == ["Viena¹", "¹ Pirma.", "Kita²", "² Antra."]
    assert noted("eachPage").warnings == (
        "Notes that Word counts anew on each page have other marks here, counted through: 2.",
    )


@pytest.mark.parametrize(
    ("kind", "marks", "worded"),
    [
        ("decimalEnclosedCircle", ["①", "②"], 0),
        ("decimalEnclosedParen", ["⑴", "⑵"], 0),
        ("numberInDash", ["- 1 -", "- 2 -"], 0),
        ("chicago", ["*", "†"], 0),
        ("russianUpper", ["А", "Б"], 0),
        ("decimalHalfWidth", ["1", "2"], 0),
        ("ordinalText", ["1", "2"], 2),
        ("aiueo", ["1", "2"], 2),
    ],
)
def test_numbers_in_signs_are_read_as_word_draws_them_and_those_in_words_are_named(
    tmp_path: Path, kind: str, marks: list[str], worded: int
) -> None:
    lists = (
        f'<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="%1"/>'
        '</w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )
    raw = make_word(numbered(("Nariai renkasi.", 0), ("Valdyba renkama.", 0)), numbering=lists)
    document = reading(tmp_path, "a.lt.docx", raw)
    assert document.text.split("\n") == [f"{marks[0]} Nariai renkasi.", f"{marks[1]} Valdyba renkama."]
    told = (f"Numbers that Word writes in words or in another script are figures here: {worded}.",)
    assert document.warnings == (told if worded else ())


@pytest.mark.parametrize(
    ("look", "is_seen"),
    [
        ('<w:color w:val="000000"/><w:shd w:val="clear" w:fill="000000"/>', False),
        ('<w:color w:val="000000"/><w:shd w:val="solid" w:color="000000" w:fill="auto"/>', False),
        ('<w:color w:val="000000"/><w:highlight w:val="black"/>', False),
        ('<w:color w:val="auto"/><w:shd w:val="clear" w:fill="000000"/>', True),  # Word draws it white then
        (
            '<w:color w:val="auto"/><w:shd w:val="clear" w:color="auto" w:fill="auto"/>',
            True,
        ),  # as Word writes it, for nothing
        ('<w:color w:val="000000"/><w:highlight w:val="yellow"/>', True),
        ('<w:shd w:val="clear" w:fill="auto"/>', True),
    ],
)
def test_what_is_blacked_out_by_a_colour_is_no_text_and_is_named(tmp_path: Path, look: str, is_seen: bool) -> None:
    document = reading(tmp_path, "a.lt.docx", make_word(p(r("Vadovas "), r("Jonas Jonaitis", look), r(" pasirašė."))))
    told = "Places with letters in the colour of what lies under them, which cannot be seen and are not read: 1."
    assert texts(document) == ["Vadovas Jonas Jonaitis pasirašė." if is_seen else "Vadovas  pasirašė."]
    assert document.warnings == (() if is_seen else (told,))


def test_numbers_and_prompts_that_fields_draw_and_documents_in_documents_are_named(tmp_path: Path) -> None:
    def field(code: str) -> str:
        kinds = ("begin", "end")
        begin, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in kinds)
        return f"{begin}<w:r><w:instrText>{code}</w:instrText></w:r>{end}"

    body = (
        p(field(" LISTNUM  LegalDefault "), r("Paraiška teikiama."))
        + p(field(" MACROBUTTON NoMacro [Įrašykite] "), r("įmonė."))
        + p('<w:subDoc r:id="kitas"/>')
    )
    document = reading(tmp_path, "a.lt.docx", make_word(body))
    assert texts(document) == ["Paraiška teikiama.", "įmonė."]
    assert document.warnings == (
        "A part of the document lies in another file and is not read.",
        "Places to fill in, whose prompts are not read: 1.",
        "Numbers that fields draw (LISTNUM, AUTONUM), which are not read: 1.",
    )


def numbered(*lines: tuple[str, int]) -> str:
    return "".join(
        p(r(text), properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>')
        for text, level in lines
    )


def test_a_level_may_count_on_below_the_level_above_and_have_zeros_before(tmp_path: Path) -> None:
    levels = "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="decimal"/>{more}<w:lvlText w:val="%{n + 1}."/></w:lvl>'
        for n, more in enumerate(("", "", '<w:lvlRestart w:val="1"/>'))
    )
    zeros = (
        f'<w:lvl w:ilvl="3"><mc:AlternateContent xmlns:mc="{_MC}"><mc:Choice Requires="w14"><w:numFmt w:val="custom" '
        'w:format="001, 002, 003, ..."/></mc:Choice><mc:Fallback><w:numFmt w:val="decimal"/></mc:Fallback></mc:AlternateContent>'
        '<w:lvlText w:val="%4."/></w:lvl>'
    )
    lines = ("skyrius", 0), ("skirsnis", 1), ("punktas", 2), ("skirsnis", 1), ("punktas", 2), ("eilutė", 3), ("skyrius", 0), ("skirsnis", 1), ("punktas", 2)  # fmt: skip
    lists = f'<w:abstractNum w:abstractNumId="0">{levels}{zeros}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    text = reading(tmp_path, "a.lt.docx", make_word(numbered(*lines), numbering=lists)).text
    assert re.findall(r"\d+\. \w+", text) == [
        "1. skyrius", "1. skirsnis", "1. punktas", "2. skirsnis", "2. punktas", "001. eilutė", "2. skyrius", "1. skirsnis", "1. punktas",
    ]  # fmt: skip


WHITE = '<w:color w:val="FFFFFF"/>'
GROUND = '<w:shd w:val="clear" w:fill="1F3864"/>'


@pytest.mark.parametrize(
    ("body", "is_seen"),
    [
        (p(r("Slapta.", WHITE)), False),
        (p(r("Slapta.", WHITE.replace("/>", ' w:themeColor="background1"/>'))), False),
        (p(r("Balta.", WHITE + GROUND)), True),
        (p(r("Balta.", WHITE + '<w:highlight w:val="black"/>')), True),
        (p(r("Balta.", WHITE), properties=GROUND), True),
        (f"<w:tbl><w:tr><w:tc><w:tcPr>{GROUND}</w:tcPr>{p(r('Balta.', WHITE))}</w:tc></w:tr></w:tbl>", True),
        (p(f"<w:r><w:pict><w:txbxContent>{p(r('Balta.', WHITE))}</w:txbxContent></w:pict></w:r>"), True),
        (p(r("Balta.", WHITE), f'<w:r><w:drawing><wp:anchor xmlns:wp="{_DRAWING}/wordprocessingDrawing" behindDoc="1"/></w:drawing></w:r>'), True),
        (p(r("Balta.", WHITE), '<w:r><w:pict><v:rect xmlns:v="urn:schemas-microsoft-com:vml" style="position:absolute;z-index:-5"/></w:pict></w:r>'), True),
        (p(r("Balta.", WHITE), properties='<w:pStyle w:val="Juosta2"/>'), True),
    ],
)  # fmt: skip
def test_white_letters_on_white_are_no_text_and_are_named(tmp_path: Path, body: str, is_seen: bool) -> None:
    banner = f'<w:style w:type="paragraph" w:styleId="Juosta"><w:name w:val="Juosta"/><w:pPr>{GROUND}</w:pPr></w:style>'
    styles = banner + style("paragraph", "Juosta2", "<w:b/>", base="Juosta")
    document = reading(tmp_path, "a.lt.docx", make_word(p(r("Tekstas.")) + body, styles=styles))
    told = "Places with white letters on white, which cannot be seen and are not read: 1."
    assert (texts(document), document.warnings) == (["Tekstas.", "Balta."], ()) if is_seen else (["Tekstas."], (told,))


# ── Excel ───────────────────────────────────────────────────────────────────────────────────────────────────────


def saved(book: Any) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("value", "form", "read"),
    [
        (30, 'General" mėn."', "30 mėn."),
        (-1.5, 'General" proc."', "-1.5 proc."),
        (777, ";;;", ""),
        ("slapta", ";;;", ""),
        ("slapta", "0;-0;0;", ""),
        ("12-AB", '"Nr. "@', "Nr. 12-AB"),
        ("žodis", '_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-', "žodis"),
        ("žodis", "0.00", "žodis"),
        (0, ";-0", ""),
        (datetime.datetime(2025, 3, 1), "yyyy", "2025"),
        (datetime.datetime(2025, 3, 1), 'yyyy "m." mmmm', "2025-03"),
        (datetime.datetime(2025, 3, 14), '[$-427]yyyy "m." mmmm d "d.";@', "2025-03-14"),
        (datetime.datetime(2025, 3, 14, 10, 30), "yyyy-mm-dd", "2025-03-14"),
        (datetime.datetime(2025, 3, 14, 10, 30), "yyyy-mm-dd hh:mm", "2025-03-14 10:30"),
        (datetime.time(13, 30, 0, 200000), "h:mm", "13:30"),
        (50, '[<100]"mažai";[>=100]"daug";0', "mažai"),
        (100, '[<100]"mažai";[>=100]"daug";0', "daug"),
        (2_500_000, '[>=1000000]0.0,," mln.";[>=1000]0.0," tūkst.";0', "2.5 mln."),
        (2_500, '[>=1000000]0.0,," mln.";[>=1000]0.0," tūkst.";0', "2.5 tūkst."),
        (25, '[>=1000000]0.0,," mln.";[>=1000]0.0," tūkst.";0', "25"),
        (7, "[Blue][<=5]0;[Red]0", "7"),
        (-5, "[<0]-0;0", "-5"),
        (-5, "[<100]0", "-5"),
        (500, "[<100]0.00", "500"),
        (2, '[=1]"Taip";[=0]"Ne";General', "2"),
        (12_345_678, r"[>=10000000]##\,##\,##\,##0;0", "1,23,45,678"),
        (0.75, "# ?/?", "3/4"),
        (-2.5, "# ??/??", "-2 1/2"),
        (3, "# ?/?", "3"),
        (0, "# ?/?", "0"),
        (0.3125, "# ??/16", "5/16"),
        (1.5, '?/?" val."', "3/2 val."),
        (302_512_345, "000-000-000", "302-512-345"),
        (1e30, "000-000", "1000000000000000000000000000-000"),
        (1e30, "#,##0.00", "1 000 000 000 000 000 000 000 000 000 000.00"),
        (5, "[>1.2.3]0.0", "5.0"),
        (5, "00-00", "00-05"),
        (8_612_345, "[<=9999999]###-####;(###) ###-####", "861-2345"),
        (86_123_4567, "[<=9999999]###-####;(###) ###-####", "(86) 123-4567"),
    ],
)
def test_a_cell_is_read_as_its_format_shows_it(value: object, form: str, read: str) -> None:
    assert shown_figure(value, form) == read


def sheet_with(drawing: str, rels: str = "", sheet: str = "", parts: dict[str, bytes] | None = None) -> bytes:
    """A workbook with this XML in the drawing of its sheet, and in its `sheetFormatPr` and after it."""
    book = openpyxl.Workbook()
    for row in (("Prekė", "Kaina", "Savikaina"), ("Stalas", 100, 40), ("Kėdė_x000D_\nsu ranktūriais", 50, 20)):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    links = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    made = members["xl/worksheets/sheet1.xml"].replace(b"<sheetData>", f"{sheet}<sheetData>".encode())
    spaces = f'xmlns:xdr="{_DRAWING}/spreadsheetDrawing" xmlns:a="{_DRAWING}/main" xmlns:mc="{_MC}" xmlns:r="{_OFFICE}"'
    members |= {
        "xl/worksheets/sheet1.xml": made.replace(b"</worksheet>", f'<drawing r:id="d" xmlns:r="{_OFFICE}"/></worksheet>'.encode()),
        "xl/worksheets/_rels/sheet1.xml.rels": links.format(f'<Relationship Id="d" Type="{_OFFICE}/drawing" Target="../drawings/drawing1.xml"/>').encode(),
        "xl/drawings/drawing1.xml": f"<xdr:wsDr {spaces}>{drawing}</xdr:wsDr>".encode(),
        "xl/drawings/_rels/drawing1.xml.rels": links.format(rels).encode(),
        **(parts or {}),
    }  # fmt: skip
    return make_zip(members)


def anchor(row: int, content: str) -> str:
    return f"<xdr:oneCellAnchor><xdr:from><xdr:col>0</xdr:col><xdr:row>{row}</xdr:row></xdr:from>{content}</xdr:oneCellAnchor>"


def box(runs: str, hidden: str = "") -> str:
    return f'<xdr:sp><xdr:nvSpPr><xdr:cNvPr id="9" name="T"{hidden}/></xdr:nvSpPr><xdr:txBody><a:p>{runs}</a:p></xdr:txBody></xdr:sp>'


def test_what_is_drawn_on_a_sheet_is_read_as_it_is_seen(tmp_path: Path) -> None:
    run = "<a:r>{}<a:t>{}</a:t></a:r>"
    new_chart = '<cx:chart xmlns:cx="http://schemas.microsoft.com/office/drawing/2014/chartex" r:id="none"/>'
    both = f"<mc:AlternateContent><mc:Choice>{new_chart}</mc:Choice><mc:Fallback>{box(run.format('', 'This chart is not available.'))}</mc:Fallback></mc:AlternateContent>"
    smart = f'<dgm:relIds xmlns:dgm="{_DRAWING}/diagram" r:dm="dm"/>'
    drawing = (
        f"<mc:AlternateContent><mc:Choice>{anchor(9, box(run.format('', 'Žemiau.')))}</mc:Choice></mc:AlternateContent>"
        + anchor(5, box(run.format("", "Pirma eilutė") + "<a:br/>" + run.format("", "10") + run.format('<a:rPr baseline="30000"/>', "6") + run.format('<a:rPr strike="sngStrike"/>', "7")))
        + anchor(6, box(run.format("", "Paslėpta."), ' hidden="1"'))
        + anchor(7, both)
        + anchor(4, "<mc:AlternateContent><mc:Choice><slicer/></mc:Choice><mc:Fallback>" + box(run.format("", "A slicer.")) + "</mc:Fallback></mc:AlternateContent>")
        + anchor(3, "<mc:AlternateContent><mc:Choice><video/></mc:Choice><mc:Fallback><xdr:pic/></mc:Fallback></mc:AlternateContent>")
        + anchor(8, smart)
    )  # fmt: skip
    data = f'<dgm:d xmlns:dgm="{_DRAWING}/diagram" xmlns:a="{_DRAWING}/main">{point(1, "Etapas")}</dgm:d>'.encode()
    rels = f'<Relationship Id="dm" Type="{_OFFICE}/diagramData" Target="../diagrams/data1.xml"/>'
    raw = sheet_with(drawing, rels, parts={"xl/diagrams/data1.xml": data})
    document = reading(tmp_path, "a.lt.xlsx", raw)
    assert rows(document)[-1] == ("Prekė | Kaina | Savikaina", "Kėdė su ranktūriais | 50 | 20")
    assert texts(document)[2:] == ["Pirma eilutė\n10⁶", "Etapas", "Žemiau."]
    assert document.warnings == ("Pictures whose words are not read: 1.", "Charts that are not read: 1.")


def test_boxes_to_tick_on_a_sheet_stand_before_their_labels(tmp_path: Path) -> None:
    def control(number: int, label: str) -> str:
        known = '<a:extLst><a:ext uri="x"><a14:compatExt xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main"/></a:ext></a:extLst>'
        shape = box(f"<a:r><a:t>{label}</a:t></a:r>", f' hidden="1">{known}</xdr:cNvPr><xdr:x').replace(
            'id="9"', f'id="{number}"'
        )
        return (
            f"<mc:AlternateContent><mc:Choice Requires='a14'>{anchor(number, shape)}</mc:Choice></mc:AlternateContent>"
        )

    raw = sheet_with(control(11, "Taip") + control(12, "Ne") + control(13, "Pavadinimas"))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet, rels = "xl/worksheets/sheet1.xml", "xl/worksheets/_rels/sheet1.xml.rels"
    controls = "".join(f'<control shapeId="{n}" r:id="c{n}" name="x"/>' for n in (11, 12, 13))
    links = "".join(
        f'<Relationship Id="c{n}" Type="{_OFFICE}/ctrlProp" Target="../ctrlProps/{n}.xml"/>' for n in (11, 12, 13)
    )
    members[sheet] = members[sheet].replace(
        b"</worksheet>", f'<controls xmlns:r="{_OFFICE}">{controls}</controls></worksheet>'.encode()
    )
    members[rels] = members[rels].replace(b"</Relationships>", f"{links}</Relationships>".encode())
    for number, state in ((11, 'CheckBox" checked="Checked'), (12, "Radio"), (13, "Label")):
        members[f"xl/ctrlProps/{number}.xml"] = f'<formControlPr objectType="{state}"/>'.encode()
    assert texts(reading(tmp_path, "a.lt.xlsx", make_zip(members)))[2:] == ["☒ Taip", "☐ Ne", "Pavadinimas"]


def test_a_picture_in_a_cell_is_named_and_is_no_error(tmp_path: Path) -> None:
    raw = sheet_with("")
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = members[sheet].replace(b"</row></sheetData>", b'</row><row r="4"><c r="A4" t="inlineStr"><is><t>Lova</t></is></c>'
        b'<c r="B4" t="e" vm="1"><v>#VALUE!</v></c><c r="C4" t="e"><v>#N/A</v></c></row></sheetData>')  # fmt: skip
    document = reading(tmp_path, "a.lt.xlsx", make_zip(members))
    assert texts(document)[-1] == "Lova |  | #N/A"
    assert document.warnings == ("Pictures whose words are not read: 1.",)


def test_columns_without_width_are_hidden(tmp_path: Path) -> None:
    raw = sheet_with("", sheet='<cols><col min="3" max="3" width="0" customWidth="1"/></cols>')
    document = reading(tmp_path, "a.lt.xlsx", raw)
    assert rows(document)[0] == ("Prekė | Kaina", "Stalas | 100")
    assert document.warnings == ("Hidden rows and columns that are not read: 1.",)


def test_headers_of_the_first_page_and_dates_in_headers_are_read_and_page_numbers_are_not(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(("Kaina", 5))
    book.active.oddHeader.right.text = "2025-03-14"
    book.active.oddFooter.center.text = "Puslapis &P iš &N"
    book.active.firstHeader.center.text = "Patvirtinta įsakymu"
    book.active.evenHeader.center.text = "Nerodoma"
    book.active.HeaderFooter.differentFirst = True
    file = io.BytesIO()
    book.save(file)
    assert texts(reading(tmp_path, "a.lt.xlsx", file.getvalue())) == ["Kaina | 5", "2025-03-14", "Patvirtinta įsakymu"]


# ── PowerPoint ──────────────────────────────────────────────────────────────────────────────────────────────────


def deck(fill: Any) -> bytes:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Parama"
    fill(made, slide)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def text_box(slide: Any, text: str, top: float = 3) -> Any:
    shape = slide.shapes.add_textbox(Inches(1), Inches(top), Inches(4), Inches(0.5))
    shape.text_frame.text = text
    return shape


def test_shapes_stored_in_two_forms_are_read_in_the_new_one_and_hidden_ones_are_not(tmp_path: Path) -> None:
    def fill(made: Any, slide: Any) -> None:
        formula = text_box(slide, "Suma su formule", 2)._element
        both = etree.SubElement(slide.shapes._spTree, f"{{{_MC}}}AlternateContent")
        etree.SubElement(both, f"{{{_MC}}}Choice", Requires="a14").append(formula)
        etree.SubElement(both, f"{{{_MC}}}Fallback").append(text_box(slide, "Senoms programoms", 2)._element)
        text_box(slide, "Paslėpta")._element.nvSpPr.cNvPr.set("hidden", "1")
        text_box(slide, "Turi antraštės numerį", 4)._element.nvSpPr.cNvPr.set("id", str(slide.shapes.title.shape_id))
        text_box(slide, "", 5).text_frame.paragraphs[0]._p.get_or_add_endParaRPr()
        text_box(slide, "Pirma_eilutė", 6)._element.txBody.p_lst[0].r_lst[0].t.text = "Pirma_x000B_antra"

    document = reading(tmp_path, "a.lt.pptx", deck(fill))
    assert texts(document) == ["Parama", "Suma su formule", "Turi antraštės numerį", "Pirma antra"]


def test_groups_on_the_master_items_in_cells_and_fillings_with_pictures(tmp_path: Path) -> None:
    def fill(made: Any, slide: Any) -> None:
        group = (
            '<p:grpSp xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="{0}/main"><p:nvGrpSpPr><p:cNvPr '
            'id="90" name="g"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/><p:sp><p:nvSpPr><p:cNvPr id="91" name="t"/><p:cNvSpPr/>'
            "<p:nvPr/></p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/><a:p><a:r><a:t>Galioja iki 2025 m.</a:t></a:r></a:p></p:txBody></p:sp></p:grpSp>"
        )
        made.slide_masters[0].shapes._spTree.append(etree.fromstring(group.format(_DRAWING)))
        table = slide.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
        for place, text in (((0, 0), "Eiga"), ((0, 1), "Dienos"), ((1, 1), "30"), ((1, 0), "prašymas\nvertinimas")):
            table.cell(*place).text = text
        for paragraph in table.cell(1, 0).text_frame.paragraphs:
            etree.SubElement(paragraph._p.get_or_add_pPr(), f"{{{_DRAWING}/main}}buAutoNum", type="arabicPeriod")
        filled = text_box(slide, "Ant paveikslo", 5)._element.spPr
        etree.SubElement(etree.SubElement(filled, f"{{{_DRAWING}/main}}blipFill"), f"{{{_DRAWING}/main}}blip")

    document = reading(tmp_path, "a.lt.pptx", deck(fill))
    assert rows(document) == [("Eiga | Dienos", "1. prašymas 2. vertinimas | 30")]
    assert texts(document)[2:] == ["Ant paveikslo", "Galioja iki 2025 m."]
    assert document.warnings == ("Pictures whose words are not read: 1.",)


# ── web pages ───────────────────────────────────────────────────────────────────────────────────────────────────

LEAD = (
    "<h1>Kvietimas klasteriams</h1><p>Agentūra kviečia klasterius teikti paraiškas dėl paramos tarptautiškumui skatinti.</p>"
    "<p>Paraiškos teikiamos elektroniniu būdu, o sprendimas priimamas per 30 darbo dienų nuo jų gavimo.</p>"
)


def page(body: str, style: str = "", tag: str = "main") -> str:
    head = f'<head><meta charset="utf-8"><title>Kvietimas</title><style>{style}</style></head>'
    return f"<html>{head}<body><nav><a href='/'>Pradžia</a></nav><{tag}>{LEAD}{body}</{tag}></body></html>"


ANSWER = "<p>Paraišką teikia klasterio koordinatorius.</p>"


@pytest.mark.parametrize(
    ("body", "style"),
    [
        (f'<h3><button aria-expanded="false" aria-controls="a1">Kas teikia?</button></h3><div id="a1" hidden>{ANSWER}</div>', ""),
        (f'<a data-bs-toggle="collapse" href="#a1">Kas teikia?</a><div class="collapse" id="a1">{ANSWER}</div>', ".collapse { display: none }"),
        (f'<a data-toggle="tab" data-target="#a1">Kas teikia?</a><div id="a1" style="display:none;color:red">{ANSWER}</div>', ""),
        (f'<p>Kas teikia?</p><div role="tabpanel" aria-hidden="true" style="display: none">{ANSWER}</div>', ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tag", ["main", "div"])
def test_what_a_click_shows_is_read(tmp_path: Path, body: str, style: str, tag: str) -> None:
    document = reading(tmp_path, "a.lt.html", page(body, style, tag))
    assert texts(document)[-2:] == ["Kas teikia?", "Paraišką teikia klasterio koordinatorius."]
    assert document.warnings == ()


@pytest.mark.parametrize(
    ("address", "read"),
    [
        (
            '<a class="__cf_email__" data-cfemail="422b2c242d0232362e366c2e36">[email&#160;protected]</a>',
            "info@ptlt.lt",
        ),
        ('<a data-cfemail="kitas">mums</a>', "mums"),
        ('<span style="unicode-bidi:bidi-override; direction:rtl">tl.retsalk@ofni</span>', "info@klaster.lt"),
        ('<bdo dir="rtl">tl.retsalk@ofni</bdo>', "info@klaster.lt"),
        ('<span style="direction:rtl">mums</span>', "mums"),
    ],
)
def test_addresses_that_a_page_hides_from_programs_are_read_as_they_are_shown(
    tmp_path: Path, address: str, read: str
) -> None:
    assert texts(reading(tmp_path, "a.lt.html", page(f"<p>Rašykite {address}.</p>")))[-1] == f"Rašykite {read}."


def test_tables_of_other_elements_are_tables(tmp_path: Path) -> None:
    def row(kind: str, *cells: str) -> str:
        return f'<div role="row">{"".join(f"<span role={kind}>{cell}</span>" for cell in cells)}</div>'

    body = row("columnheader", "Narys", "Kaina") + row("cell", "Alfa", "100") + row("cell", "Beta", "200")
    document = reading(tmp_path, "a.lt.html", page(f'<div role="table">{body}</div>'))
    assert rows(document) == [("Narys | Kaina", "Alfa | 100"), ("Narys | Kaina", "Beta | 200")]


def test_the_name_of_a_tab_is_the_heading_of_what_it_shows(tmp_path: Path) -> None:
    tab = '<li><a href="#t{0}" data-toggle="tab">{1}</a></li>'
    shown_by = '<div id="t{0}" class="tab-pane" {2}><p>{1}</p></div>'
    body = (
        f'<ul class="nav nav-tabs">{tab.format(1, "Sąlygos")}{tab.format(2, "Kainos")}</ul>'
        + shown_by.format(1, "Teikia koordinatorius.", "")
        + shown_by.format(2, "Kaina 100 Eur.", 'style="display:none"')
    )
    assert shown(reading(tmp_path, "a.lt.html", page(body)))[3:] == [
        ("heading", "Sąlygos"), ("paragraph", "Teikia koordinatorius."), ("heading", "Kainos"), ("paragraph", "Kaina 100 Eur."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        f'<button aria-controls="a1">Meniu</button><div id="a1" class="menu" hidden>{ANSWER}</div>',
        f'<button aria-controls="a1">Langas</button><div id="a1" role="dialog" aria-hidden="true">{ANSWER}</div>',
        f"<template>{ANSWER}</template><noscript>{ANSWER}</noscript>",
    ],
)
def test_menus_and_windows_that_a_click_opens_are_not(tmp_path: Path, body: str) -> None:
    document = reading(tmp_path, "a.lt.html", page(f"{body}<p>Pabaiga.</p>"))
    assert "koordinatorius" not in document.text and texts(document)[-1] == "Pabaiga."


@pytest.mark.parametrize(
    ("body", "warnings"),
    [
        (f'<h3>Kas teikia?</h3><div style="display:none">{ANSWER}</div><p>Pabaiga.</p>',
         ("Hidden parts of the page, which are not read: „Paraišką teikia klasterio koordinatorius.“.",)),
        (f'<div style="display:none">{ANSWER}</div><p>Paraišką teikia klasterio koordinatorius.</p>', ()),
        ('<div hidden>Klaida siunčiant.</div><p>Pabaiga.</p>', ()),
        ('<div hidden>Mūsų svetainėje naudojami slapukai, sutikite su jais.</div><p>Pabaiga.</p>', ()),
        (f'<p>Pabaiga.</p></main><div hidden>{ANSWER}</div><main>', ()),
    ],
)  # fmt: skip
def test_other_hidden_parts_among_the_text_are_named(tmp_path: Path, body: str, warnings: tuple[str, ...]) -> None:
    assert reading(tmp_path, "a.lt.html", page(body)).warnings == warnings


@pytest.mark.parametrize("more", ["", "<p>Pabaigos pastraipa su tekstu apie kvietimą ir jo sąlygas.</p>"])
def test_a_remark_that_stands_out_of_the_text_is_read_or_named(tmp_path: Path, more: str) -> None:
    remark = "Dėmesio: kvietimas sustabdytas iki 2025 m. rugsėjo 1 d. dėl lėšų trūkumo."
    document = reading(tmp_path, "a.lt.html", page(f'<div class="alert banner"><p>{remark}</p></div>{more}'))
    named = f"Windows and boxes beside the text of the page, which are not read: „{remark}“."
    assert (remark in texts(document), document.warnings) in ((True, ()), (False, (named,)))


@pytest.mark.parametrize(
    ("body", "style", "marks"),
    [
        ('<ol style="list-style-type: lower-alpha;"><li>x</li><li>y</li></ol>', "", ["a. x", "b. y"]),
        ('<ol style="list-style:upper-roman" start="3"><li>x</li></ol>', "", ["III. x"]),
        ('<ol class="b raides"><li>x</li></ol>', "ol.raides { list-style-type: lower-latin }", ["a. x"]),
        ('<ol class="raides" style="list-style-type:decimal"><li>x</li></ol>', ".raides { list-style-type: lower-latin }", ["1. x"]),
        ('<ol id="r"><li>x</li></ol>', "#r { list-style: lower-roman outside }", ["i. x"]),
        ('<ul style="list-style-type:decimal"><li>x</li><li>y</li></ul>', "", ["1. x", "2. y"]),
        ('<ol><li>x</li><li style="list-style-type:upper-alpha">y</li></ol>', "", ["1. x", "B. y"]),
        ('<ol style="list-style: none"><li>x</li></ol><ul><li>y</li></ul>', "", ["x", "y"]),
        ('<ol style="list-style-type:square"><li>x</li></ol>', "", ["x"]),
    ],
)  # fmt: skip
def test_items_of_a_page_have_the_marks_that_its_styles_draw(
    tmp_path: Path, body: str, style: str, marks: list
) -> None:
    lines = reading(tmp_path, "a.lt.html", page(body, style)).text.split("\n")
    assert [line for line in lines if re.search(r"\b[xy]\Z", line)] == marks


def test_letters_that_a_style_raises_or_strikes_out_are_read_so(tmp_path: Path) -> None:
    style = ".auks { vertical-align: super; font-size: 70% } span.sena { text-decoration: line-through } .normal { color: red }"
    body = (
        '<p>10<span class="auks">6</span> km<span style="vertical-align: super">2</span>, H<span style="vertical-align:sub">2</span>O, '
        'kaina <span class="sena">500</span> <b class="sena normal">600</b> Eur<span style="vertical-align:middle">.</span></p>'
    )
    document = reading(tmp_path, "a.lt.html", page(body, style))
    assert texts(document)[-1] == "10⁶ km², H2O, kaina 600 Eur."
    assert document.warnings == ("Places with struck-out text, which is not read: 1.",)


def test_lines_of_preformatted_text_and_terms_with_several_explanations_stay_apart(tmp_path: Path) -> None:
    body = (
        "<pre>Pirma eilutė<br>Antra <b>eilutė</b>\n  5 <del>6</del></pre>"
        "<dl><dt>Telefonas</dt><dd>+370 1</dd><dd>+370 2</dd><dt>E. paštas</dt><dd>a@b.lt</dd></dl>"
    )
    assert texts(reading(tmp_path, "a.lt.html", page(body)))[3:] == [
        "Pirma eilutė\nAntra eilutė\n  5",
        "Telefonas | +370 1",
        "Telefonas | +370 2",
        "E. paštas | a@b.lt",
    ]


def test_labels_that_only_the_style_of_a_site_parts_from_what_they_are_of_stand_apart(tmp_path: Path) -> None:
    pair = '<p><span class="label">{}</span><span class="value">{}</span></p>'
    body = (
        pair.format("Terminas", "2025-05-30")
        + pair.format("Skyrius:", "Klasterių")
        + pair.format("Tel.", "5")
        + pair.format("kla", "steris")
        + pair.format("CO", "Dioksidas")
    )
    assert texts(reading(tmp_path, "a.lt.html", page(body)))[3:] == [
        "Terminas 2025-05-30", "Skyrius: Klasterių", "Tel. 5", "klasteris", "CODioksidas",
    ]  # fmt: skip


@pytest.mark.parametrize("tag", ["main", "div"])
def test_files_that_a_colon_introduces_and_short_lines_behind_them_are_read(tmp_path: Path, tag: str) -> None:
    body = '<p>Dokumentai:</p><ul><li><a href="a.pdf">Sąlygos</a></li><li><a href="b.pdf">Forma</a></li></ul><p>Atnaujinta kovą</p>'
    assert texts(reading(tmp_path, "a.lt.html", page(body, tag=tag)))[3:] == [
        "Dokumentai:",
        "Sąlygos",
        "Forma",
        "Atnaujinta kovą",
    ]


def test_a_date_among_the_text_is_read_also_where_it_is_taken_for_that_of_the_page(tmp_path: Path) -> None:
    dates = "".join(f"<div><time>2025-0{n}-14</time><div>{n} etapas</div></div>" for n in (3, 5))
    document = reading(tmp_path, "a.lt.html", page(f"<p>Toliau nurodyti etapai.</p>{dates}"))
    assert texts(document)[4:] == ["2025-03-14", "3 etapas", "2025-05-14", "5 etapas"]
    under_title = page("<p>Pabaiga.</p>").replace("</h1>", "</h1><time>2025-03-14</time>")
    document = reading(tmp_path, "b.lt.html", under_title)
    assert document.date == "2025-03-14" and "2025-03-14" not in texts(document)


def test_what_the_text_s_own_element_holds_behind_the_links_to_share_it_is_read(tmp_path: Path) -> None:
    share = '<div class="share-buttons"><a href="x">Facebook</a></div>'
    body = f"{share}<h2>Kontaktai</h2><p>Tel. 8 5 123 4567</p></div><div class='other'><p>Kita dėžutė.</p>"
    document = reading(tmp_path, "a.lt.html", page(body, tag='div class="content"').replace("</div class=", "</div x="))
    assert texts(document)[3:] == ["Kontaktai", "Tel. 8 5 123 4567"]


# ── OpenDocument, RTF, e-mail ───────────────────────────────────────────────────────────────────────────────────

_SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"))
) + ' xmlns:loext="urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0"'  # fmt: skip


def odt(body: str, automatic: str = "", styles: str = "") -> bytes:
    content = f"<office:automatic-styles>{automatic}</office:automatic-styles><office:body><office:text>{body}</office:text></office:body>"
    return make_zip(
        {
            "mimetype": b"application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {_SPACES}>{content}</office:document-content>".encode(),
            "styles.xml": f"<office:document-styles {_SPACES}><office:styles>{styles}</office:styles></office:document-styles>".encode(),
        }
    )


def test_shapes_with_words_are_read_after_their_paragraph_each_line_apart(tmp_path: Path) -> None:
    shape = "<draw:custom-shape><text:p>Pirmas.</text:p><text:p>Antras.</text:p></draw:custom-shape>"
    group = f"<draw:g>{shape}<draw:rect><text:p>Trečias.</text:p></draw:rect></draw:g>"
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    row = f"<table:table-row>{cell.format('A' + shape)}{cell.format('B')}</table:table-row>"
    body = f"<text:p>Prieš{group} ir po.</text:p><table:table>{row}</table:table>"
    assert texts(reading(tmp_path, "a.lt.odt", odt(body))) == [
        "Prieš ir po.", "Pirmas.", "Antras.", "Trečias.", "A Pirmas. Antras. | B",
    ]  # fmt: skip


def test_what_an_odt_hides_by_a_style_or_a_condition_is_no_text_and_prompts_are_named(tmp_path: Path) -> None:
    automatic = (
        '<style:style style:name="H" style:family="paragraph"><style:text-properties text:display="none"/></style:style>'
        '<style:style style:name="S" style:family="text"><style:text-properties style:text-position="20% 58%"/></style:style>'
    )
    body = (
        '<text:p text:style-name="H">Slapta.</text:p><text:p><text:hidden-paragraph text:is-hidden="true"/>Slapta.</text:p>'
        '<text:section text:display="condition" text:is-hidden="true"><text:p>Slapta.</text:p></text:section>'
        '<text:section text:display="condition" text:is-hidden="false"><text:p>Matoma.</text:p></text:section>'
        '<text:p>Rodoma <text:hidden-text text:is-hidden="false">sąlyga</text:hidden-text><text:hidden-text text:is-hidden="true">x'
        '</text:hidden-text> 10<text:span text:style-name="S">6</text:span>.</text:p>'
        '<text:p>Vardas: <loext:content-control loext:showing-place-holder="true">įrašykite</loext:content-control>Ona</text:p>'
    )
    document = reading(tmp_path, "a.lt.odt", odt(body, automatic))
    assert texts(document) == ["Matoma.", "Rodoma sąlyga 10⁶.", "Vardas: Ona"]
    assert document.warnings == ("Places to fill in, whose prompts are not read: 1.",)


def test_a_heading_may_begin_its_count_anew_and_a_row_may_stand_for_several(tmp_path: Path) -> None:
    outline = '<text:outline-style><text:outline-level-style text:level="1" style:num-format="1" style:num-suffix="."/></text:outline-style>'
    heading = '<text:h text:outline-level="1"{}>{}</text:h>'
    cells = "".join(f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in ("a", "b"))
    restart = ' text:restart-numbering="true" text:start-value="7"'
    body = (
        heading.format("", "Pradžia")
        + heading.format(restart, "Tęsinys")
        + heading.format("", "Pabaiga")
        + f'<table:table><table:table-row table:number-rows-repeated="2">{cells}</table:table-row></table:table>'
    )
    assert texts(reading(tmp_path, "a.lt.odt", odt(body, styles=outline))) == [
        "1. Pradžia", "7. Tęsinys", "8. Pabaiga", "a | b", "a | b",
    ]  # fmt: skip


def rtf(body: str) -> bytes:
    return (
        rf"{{\rtf1\ansi\ansicpg1257\deff0{{\fonttbl{{\f0 Calibri;}}{{\f3 Symbol;}}}}{body}\par Paraiska.\par}}".encode()
    )


def field(code: str, result: str = "") -> str:
    return rf"{{\field{{\*\fldinst {code}}}{{\fldrslt {result}}}}}"


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("Suma " + field(r'SYMBOL 179 \\f "Symbol" \\s 12', r"\f3\fs24") + " 5", "Suma ≥ 5"),
        ("Suma " + field(r"{\b SYMBOL 163 \\f Symbol}", "x") + " 5", "Suma ≤ 5"),
        ("Kaina 5 " + field(r"SYMBOL 8364 \\u") + ".", "Kaina 5 €."),
        (field(r"FORMCHECKBOX {\*\formfield{\fftype1\ffres25\ffdefres1}}") + " Taip", "☒ Taip"),
        (field(r"FORMCHECKBOX {\*\formfield{\fftype1\ffres0\ffdefres1}}") + " Taip", "☐ Taip"),
        (field(r"FORMCHECKBOX {\*\formfield{\fftype1\ffres1\ffdefres0}}") + " Taip", "☒ Taip"),
        (
            field(r"FORMDROPDOWN {\*\formfield{\fftype2\ffres1{\*\ffl Bronza}{\*\ffl Sidabras \'eb}}}") + ".",
            "Sidabras ė.",
        ),
        (
            field(r"FORMDROPDOWN {\*\formfield{\fftype2\ffres25\ffdefres0{\*\ffl Bronza}{\*\ffl Auksas}}}") + ".",
            "Bronza.",
        ),
        (field(r"FORMDROPDOWN {\*\formfield{\fftype2\ffres7{\*\ffl Bronza}}}", "x") + ".", "x."),
        (field(r'HYPERLINK "https://pavyzdys.lt"', "Nuoroda") + " cia", "Nuoroda cia"),
    ],
)
def test_what_a_field_of_rtf_draws_is_read(tmp_path: Path, body: str, read: str) -> None:
    document = reading(tmp_path, "a.lt.rtf", rtf(body))
    assert texts(document) == [read, "Paraiska."] and document.warnings == ()


def test_formulas_and_word_art_of_rtf_are_named(tmp_path: Path) -> None:
    formula = r"Kaina {\mmath{\*\moMath{\mr x=5}}} galas"
    assert reading(tmp_path, "a.lt.rtf", rtf(formula)).warnings == (
        "Formulas of an RTF document are not read, and this one has some. Save it as DOCX to have them read.",
    )
    art = r"Kaina {\shp{\*\shpinst{\sp{\sn gtextUNICODE}{\sv PROJEKTAS}}}}"
    assert reading(tmp_path, "b.lt.rtf", rtf(art)).warnings == (
        "Text boxes of an RTF document are not read, and this one has some. Save it as DOCX to have them read.",
    )


def mail(body: str, kind: str = "plain") -> bytes:
    return f"From: o@p.lt\nSubject: Kvietimas\nContent-Type: text/{kind}; charset=utf-8\n\n{body}".encode()


def test_what_an_e_mail_quotes_is_read_without_the_marks_before_its_lines(tmp_path: Path) -> None:
    body = (
        "Laba diena,\n\npriimame iki gegužės 30 d.\n\nJonas rašė:\n> Ar galima teikti po\n> gegužės 20 d.?\n>> Kviečiame teikti\n"
        ">> paraiškas.\n\nParama skiriama, kai narių yra\n\n> 50 darbuotojų.\n"
    )
    assert texts(reading(tmp_path, "a.lt.eml", mail(body)))[1:] == [
        "Laba diena,",
        "priimame iki gegužės 30 d.",
        "Jonas rašė:",
        "Ar galima teikti po\ngegužės 20 d.?",
        "Kviečiame teikti\nparaiškas.",
        "Parama skiriama, kai narių yra",
        "> 50 darbuotojų.",
    ]


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("; format=flowed; delsp=yes", "Kaip nuspręsta šį mėnesį."),
        ("; format=flowed", "Kaip nus \npręsta  \nšį mėnesį."),
    ],
)
def test_spaces_that_only_say_that_a_line_goes_on_are_none(tmp_path: Path, kind: str, read: str) -> None:
    raw = mail("Kaip nus \npręsta  \nšį mėnesį.").replace(b"utf-8", f"utf-8{kind}".encode())
    assert texts(reading(tmp_path, "a.lt.eml", raw))[1:] == [read]


def test_pictures_that_an_e_mail_only_links_to_are_counted(tmp_path: Path) -> None:
    body = '<p>Kvietimas.</p><img src="https://p.lt/a.png" width="600"><img src="cid:logo"><img src="https://p.lt/b.gif" width="1" height="1">'
    document = reading(tmp_path, "a.lt.eml", mail(body, "html"))
    assert document.warnings == ("Pictures whose words are not read: 1.",)


def test_raised_figures_of_markdown_are_shown_as_such_and_marks_stay_at_their_place() -> None:
    text = "Plotas 10<sup>6</sup> km<sup>2</sup>, **10<sup>-3</sup>**, 5<sup>th</sup>, H<sub>2</sub>O"
    assert as_shown(text, MARKDOWN) == "Plotas 10⁶ km², 10⁻³, 5th, H2O"
    start = text.index("10"), text.index(" km")
    assert pieces(text, MARKDOWN, [Mark(*start, "short")])[:3] == [
        Piece("Plotas "), Piece("10⁶", mark="short"), Piece(" km², "),
    ]  # fmt: skip
    assert as_shown("6</sup> km", MARKDOWN) == "6 km" and as_shown("a<sup>2", MARKDOWN) == "a²"


def point(number: int, text: str, more: str = "") -> str:
    return f'<dgm:pt modelId="{number}">{more}<dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'


def test_smart_art_is_read_in_the_order_of_its_tree_without_prompts() -> None:
    line = '<dgm:cxn modelId="9{1}" srcId="{0}" destId="{1}" srcOrd="{2}"/>'
    data = (
        f'<dgm:dataModel xmlns:dgm="{_DRAWING}/diagram" xmlns:a="{_DRAWING}/main"><dgm:ptLst><dgm:pt modelId="0" type="doc"/>'
        + point(1, "Vertinimas") + point(2, "Paraiška") + point(3, "Sutartis") + point(4, "iki gegužės 5 d.")
        + point(5, "[Tekstas]", '<dgm:prSet phldr="1"/>') + point(6, "Atskirai")
        + "</dgm:ptLst><dgm:cxnLst>"
        + line.format(0, 1, 1) + line.format(0, 2, 0) + line.format(0, 3, 2) + line.format(2, 4, 0) + line.format(0, 5, 3) + line.format(4, 2, 0)
        + '<dgm:cxn type="presOf" srcId="0" destId="6" srcOrd="0"/></dgm:cxnLst></dgm:dataModel>'
    )  # fmt: skip
    assert of_diagram(etree.fromstring(data)) == ["Paraiška", "iki gegužės 5 d.", "Vertinimas", "Sutartis", "Atskirai"]


def test_labels_that_a_chart_has_words_of_its_own_for_are_read(tmp_path: Path) -> None:
    def fill(made: Any, slide: Any) -> None:
        data = CategoryChartData()
        data.categories = ["2024", "2025"]
        data.add_series("Klasteriai", (50, 57))
        frame = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(2), Inches(5), Inches(3), data)
        frame.chart.series[0].points[1].data_label.text_frame.text = "prognozė"
        label = frame.chart.series[0].points[0].data_label.text_frame.paragraphs[0]._p
        field = etree.SubElement(label, f"{{{_DRAWING}/main}}fld", type="CELLRANGE")
        etree.SubElement(field, f"{{{_DRAWING}/main}}t").text = "[CELLRANGE]"
        office = "http://schemas.microsoft.com/office/drawing/2012/chart"
        cells = etree.SubElement(frame.chart.series[0]._element, f"{{{office}}}dlblRangeCache")
        for text in ("Kaunas", "Vilnius"):
            etree.SubElement(etree.SubElement(cells, f"{{{_DRAWING}/chart}}pt"), f"{{{_DRAWING}/chart}}v").text = text

    assert texts(reading(tmp_path, "a.lt.pptx", deck(fill))) == [
        "Parama", "2024 | 50", "2025 | 57", "prognozė", "Kaunas; Vilnius",
    ]  # fmt: skip


def test_texts_beside_a_slide_are_no_text_of_it_and_are_named(tmp_path: Path) -> None:
    def fill(made: Any, slide: Any) -> None:
        for left, words in ((1, "Ant skaidrės"), (-3, "Iš kairės"), (9.5, "Kraštas"), (14, "Iš dešinės")):
            box = slide.shapes.add_textbox(Inches(left), Inches(2), Inches(2), Inches(1))
            box.text_frame.text = words

    document = reading(tmp_path, "a.lt.pptx", deck(fill))
    assert texts(document) == ["Parama", "Ant skaidrės", "Kraštas"]
    assert document.warnings == ("Texts that lie beside their slides and are not read: 2.",)


def test_text_boxes_inside_a_chart_are_read(tmp_path: Path) -> None:
    def fill(made: Any, slide: Any) -> None:
        data = CategoryChartData()
        data.categories = ["2024"]
        data.add_series("Klasteriai", (50,))
        slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(2), Inches(5), Inches(3), data)

    with zipfile.ZipFile(io.BytesIO(deck(fill))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    links = next(name for name in members if re.search(r"charts/_rels/chart.*\.rels", name))
    link = f'<Relationship Id="s" Type="{_OFFICE}/chartUserShapes" Target="../drawings/drawing9.xml"/></Relationships>'
    members[links] = members[links].replace(b"</Relationships>", link.encode())
    kind = b'<Override PartName="/ppt/drawings/drawing9.xml" ContentType="application/vnd.openxmlformats-officedocument.drawingml.chartshapes+xml"/></Types>'
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(b"</Types>", kind)
    members["ppt/drawings/drawing9.xml"] = (
        f'<c:userShapes xmlns:c="{_DRAWING}/chart" xmlns:cdr="{_DRAWING}/chartDrawing" xmlns:a="{_DRAWING}/main"><cdr:relSizeAnchor>'
        "<cdr:sp><cdr:txBody><a:p><a:r><a:t>Nuo 2024 m. kitaip</a:t></a:r></a:p></cdr:txBody></cdr:sp></cdr:relSizeAnchor></c:userShapes>"
    ).encode()
    assert texts(reading(tmp_path, "a.lt.pptx", make_zip(members))) == ["Parama", "2024 | 50", "Nuo 2024 m. kitaip"]


@pytest.mark.parametrize(("ground", "is_seen"), [("", False), ("FFFFFFFF", False), ("FF1F3864", True)])
def test_words_of_a_cell_in_the_colour_of_its_ground_are_no_text_and_are_named(
    tmp_path: Path, ground: str, is_seen: bool
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Narys", "Vilnius", "balta"])
    book.active["C1"].font = Font(color="FFFFFFFF")
    if ground:
        book.active["C1"].fill = PatternFill("solid", fgColor=ground)
    document = reading(tmp_path, "a.lt.xlsx", saved(book))
    told = "Places with letters in the colour of what lies under them, which cannot be seen and are not read: 1."
    assert texts(document) == ["Narys | Vilnius | balta" if is_seen else "Narys | Vilnius"]
    assert document.warnings == (() if is_seen else (told,))


def test_a_ground_whose_colour_a_sheet_does_not_say_hides_nothing(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Narys", "Vilnius"])
    book.active["B1"].font = Font(color="FF000000")
    book.active["B1"].fill = PatternFill("solid")
    document = reading(tmp_path, "a.lt.xlsx", saved(book))
    assert (texts(document), document.warnings) == (["Narys | Vilnius"], ())


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        (IconSetRule("3TrafficLights1", "num", [0, 2, 3], showValue=False), 1),
        (IconSetRule("3TrafficLights1", "num", [0, 2, 3]), 0),
        (CellIsRule("lessThan", ["10"], font=Font(color="FFFFFFFF")), 1),
        (CellIsRule("lessThan", ["10"], font=Font(color="FFFFFFFF"), fill=PatternFill(bgColor="FFC00000")), 0),
        (CellIsRule("lessThan", ["10"], font=Font(bold=True)), 0),
    ],
)
def test_conditional_formats_that_hide_values_are_named(tmp_path: Path, rule: Any, named: int) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Narys", 3])
    book.active.conditional_formatting.add("B1:B1", rule)
    told = f"Conditional formats that hide values, or write them otherwise, and are not followed: {named}."
    assert reading(tmp_path, "a.lt.xlsx", saved(book)).warnings == ((told,) if named else ())


def test_a_sheet_that_hides_its_zeros_has_none(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (("Prekė", "Kaina", "Nuolaida"), ("Stalas", 100, 0), ("Kėdė", 50, 5)):
        book.active.append(row)
    book.active.sheet_view.showZeros = False
    file = io.BytesIO()
    book.save(file)
    assert [text for _, text in rows(reading(tmp_path, "a.lt.xlsx", file.getvalue()))] == [
        "Stalas | 100",
        "Kėdė | 50 | 5",
    ]


def test_a_book_is_read_with_the_styles_of_its_own_file_and_without_the_page_numbers_of_its_print(
    tmp_path: Path,
) -> None:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="s" href="css/s.css" media-type="text/css"/></manifest><spine><itemref idref="c"/></spine></package>'
    )
    chapter = (
        '<html xmlns:epub="x"><body><h1>Skyrius</h1><p>Sakinys tęsiasi <span epub:type="pagebreak" title="12">12</span>čia.</p>'
        '<p class="slapta">Nematoma.</p><ol class="raides"><li>punktas</li></ol></body></html>'
    )
    container = '<c><rootfile xmlns="urn:oasis:names:tc:opendocument:xmlns:container" full-path="o/o.opf"/></c>'
    css = ".slapta { display: none } ol.raides { list-style-type: lower-alpha }"
    members = {"META-INF/container.xml": container, "o/o.opf": package, "o/c.xhtml": chapter, "o/css/s.css": css}
    raw = make_zip({"mimetype": b"application/epub+zip", **{name: text.encode() for name, text in members.items()}})
    document = reading(tmp_path, "a.lt.epub", raw)
    assert texts(document) == ["Skyrius", "Sakinys tęsiasi čia.", "punktas"] and "a. punktas" in document.text


@pytest.mark.parametrize(
    ("rich", "read"),
    [
        (
            '<img src="https://p.lt/a.png" width="600"><a href="x">Peržiūra</a>',
            ["Kvietimas galioja iki gegužės 30 d.", "Peržiūra"],
        ),
        ("<p>Kvietimas <b>galioja</b> iki gegužės 30 d. 17 val.</p>", ["Kvietimas galioja iki gegužės 30 d. 17 val."]),
    ],
)
def test_an_e_mail_whose_html_is_little_more_than_a_picture_is_read_from_its_plain_form_too(
    tmp_path: Path, rich: str, read: list[str]
) -> None:
    part = "--X\nContent-Type: text/{}; charset=utf-8\n\n{}\n"
    body = part.format("plain", "Kvietimas galioja iki gegužės 30 d.") + part.format("html", f"<html>{rich}</html>")
    head = "From: o@p.lt\nSubject: Tema\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=X\n\n"
    assert texts(reading(tmp_path, "a.lt.eml", f"{head}{body}--X--\n".encode())) == ["Tema", *read]


def test_codes_that_excel_wrote_as_formulas_into_a_csv_are_codes_and_names_of_columns_keep_raised_figures(
    tmp_path: Path,
) -> None:
    assert texts(reading(tmp_path, "a.lt.csv", 'Prekė;Kodas\nKėdė;="00123"\n'))[-1] == "Kėdė | 00123"
    table = "| Veikla | km<sup>2</sup> |\n|---|---|\n| A | 5 |\n"
    assert rows(reading(tmp_path, "a.lt.md", table)) == [("Veikla | km²", "A | 5")]


# ── symbol fonts ────────────────────────────────────────────────────────────────────────────────────────────────


def sheet_of_signs() -> bytes:
    book = openpyxl.Workbook()
    for row in (("Paslauga", "Yra"), ("Mokymai", "\u00fc"), ("Paroda", "\u00fb")):
        book.active.append(row)
    for number in (2, 3):
        book.active.cell(number, 2).font = Font(name="Wingdings")
    book.active["A3"] = CellRichText("Paroda ", TextBlock(InlineFont(rFont="Symbol"), "\u00b3"), " 5")
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def deck_of_signs() -> bytes:
    def fill(made: Any, slide: Any) -> None:
        runs = (("Paraiška ", ""), ("\u00e0", "sym"), (" sutartis, abc", "sym"), (" \u00fc", "latin"))
        paragraph = text_box(slide, "").text_frame.paragraphs[0]
        for text, place in runs:
            run = paragraph.add_run()
            run.text = text
            if place:
                look = run._r.get_or_add_rPr()
                etree.SubElement(look, f"{{{_DRAWING}/main}}{place}", typeface="Wingdings")

    return deck(fill)


SIGNS_ODT = (
    '<style:style style:name="W" style:family="text"><style:text-properties style:font-name="Wingdings"/></style:style>'
)


@pytest.mark.parametrize(
    ("name", "raw", "read"),
    [
        ("a.lt.xlsx", sheet_of_signs(), ["Paslauga | Yra", "Mokymai | ✓", "Paroda ≥ 5 | ✗"]),
        ("a.lt.pptx", deck_of_signs(), ["Parama", "Paraiška → sutartis, abc ✓"]),
        ("a.lt.odt", odt('<text:p>Yra <text:span text:style-name="W">\uf0fc</text:span></text:p>', SIGNS_ODT), ["Yra ✓"]),
        ("a.lt.eml", mail("<p><span style='font-family:Wingdings'><span style='mso-list:Ignore'>\u00a7<span style='font:7pt Arial'>&nbsp; A</span></span></span> Mokymai <font face=Symbol>\u00a3</font> 5</p>", "html"),
         ["Kvietimas", "▪ A Mokymai ≤ 5"]),
    ],
)  # fmt: skip
def test_letters_of_a_symbol_font_are_the_signs_that_they_draw(
    tmp_path: Path, name: str, raw: bytes, read: list
) -> None:
    document = reading(tmp_path, name, raw)
    assert texts(document) == read and document.warnings == ()


def test_signs_of_a_symbol_font_that_nobody_knows_are_told(tmp_path: Path) -> None:
    raw = odt('<text:p>Yra <text:span text:style-name="W">\uf0ff</text:span></text:p>', SIGNS_ODT)
    told = "Signs of symbol fonts that are not known (shown as �): 1."
    assert reading(tmp_path, "a.lt.odt", raw).warnings == (told,)
